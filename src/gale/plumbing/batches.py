"""Long work on many runs, chunk by chunk, each kept when it is finished.

While an output ``x`` is made of many runs, the folder ``x.partial`` lies beside it. It has one file
for each finished chunk of runs, and says what they were made with. A file is found again by the
names, sizes and times of the runs in its chunk, so a run that has changed is done again, wherever
it is in the list, and nothing else is. Each file begins with its checksum: one that was torn, by a
crash or a loss of power, is made again.

A chunk ends where a hash of a run's name says so. So a run more or less in a list changes the chunk
that it is in, and not those behind it.
"""

from __future__ import annotations

import datetime
import hashlib
import io
import json
import os
import stat
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import BrokenExecutor, Future
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple, Protocol, runtime_checkable

from gale.errors import GaleError, OutputError
from gale.plumbing.checksums import DIGEST_BYTES, checked_content, with_checksum
from gale.plumbing.files import exists, flush
from gale.plumbing.locks import MORE_SPACE, remove
from gale.plumbing.places import delete_empty, make_place, names_in, write_whole
from gale.plumbing.progress import Progress
from gale.plumbing.reading import read_bytes, read_text
from gale.plumbing.remote import TEMPORARY, address_of, mark_of
from gale.plumbing.schema import read_json
from gale.plumbing.text import counted, listed, shown

if TYPE_CHECKING:
    import polars as pl

    from gale.plumbing.work import Work

RUNS = 16
"""Runs of a chunk on average, where nothing else is asked for."""

SPREAD = 4
"""A chunk has at least this part of the average number of runs, at most this multiple of it."""

WINDOW = 1024
"""Chunks that are handed to an executor at a time: more than any has workers."""

PARTIAL = ".partial"
"""Ending of the folder beside an output."""

STAMP = "made_with.json"
"""The file of a partial output that says what it was made with."""

ENDING = ".part"
"""Ending of the files of finished chunks."""

LENGTH_BYTES = 8


class Item(NamedTuple):
    """A run of a batch: what results call it, where it is, and the file made of it, if one is."""

    name: str
    path: str
    target: str = ""


Chunk = tuple[Item, ...]


@dataclass(frozen=True)
class Part:
    """The result of a chunk: facts that JSON can hold, and tables by name."""

    facts: Mapping[str, Any] = field(default_factory=dict)
    tables: Mapping[str, pl.DataFrame] = field(default_factory=dict)


Task = Callable[[Chunk, Progress], Part]
"""What is done with a chunk: pickled for other processes, where a step of progress is for nothing.

Notes to its progress are kept with the part, and handed on when it is its turn.
"""


@runtime_checkable
class Divisible(Protocol):
    """A task with much that belongs to single runs; another process gets what its chunk needs."""

    def for_chunk(self, chunk: Chunk) -> Task:
        """Give the task for a chunk alone."""
        ...


IsThere = Callable[[Chunk, Mapping[str, Any]], bool]
"""Whether what the facts of a part say was made of a chunk, besides the part, is still there."""


def chunks_of(items: Iterable[Item], runs: int = RUNS) -> Iterator[Chunk]:
    """Divide items into chunks of so many `runs` on average; without items, there is an empty one.

    Examples
    --------
    >>> items = [Item(f"{number}.csv", "") for number in range(1000)]
    >>> sizes = [len(chunk) for chunk in chunks_of(items, runs=20)]
    >>> sum(sizes), max(sizes) <= 80, 20 <= len(sizes) <= 80
    (1000, True, True)
    """
    gathered: list[Item] = []
    is_first = True
    for item in items:
        gathered.append(item)
        may_end = len(gathered) >= max(runs // SPREAD, 1) and hash_of(item.name) % runs == 0
        if may_end or len(gathered) >= runs * SPREAD:
            yield tuple(gathered)
            gathered, is_first = [], False
    if gathered or is_first:
        yield tuple(gathered)


def hash_of(name: str) -> int:
    """Hash a name to a whole number below 2**64, the same one everywhere."""
    return int.from_bytes(hashlib.blake2b(os.fsencode(name), digest_size=8).digest(), "little")


def identity(path: str) -> str:
    """Say by what a file is known again: its size and time, of a folder those of all files in it.

    At an address, it is what the store says. It is empty for what does not exist.
    """
    try:
        if (address := address_of(path)) is not None:
            return mark_of(address)
        status = os.stat(path)  # noqa: PTH116  (called for every run; a Path costs more than this)
    except (OSError, ValueError):
        return ""
    if not stat.S_ISDIR(status.st_mode):
        return f"{status.st_size} {status.st_mtime_ns}"
    inside = [
        f"{os.path.relpath(os.path.join(folder, name), path)} "  # noqa: PTH118
        f"{identity(os.path.join(folder, name))}"  # noqa: PTH118
        for folder, _, names in os.walk(path)
        for name in names
    ]
    return hashlib.sha256(os.fsencode("\n".join(sorted(inside)))).hexdigest()


class Done(NamedTuple):
    """A finished chunk: the name of its file, its number of runs, and the facts of its part."""

    name: str
    runs: int
    facts: Mapping[str, Any]


class Stated(NamedTuple):
    """What a partial output was made with, when it was begun, and the names of its outputs."""

    made_with: dict[str, str]
    begun: str
    outputs: set[str]


@dataclass(frozen=True)
class Partial:
    """What is finished of an output, in a folder beside it.

    Parameters
    ----------
    output : Path
        What is made; it has been claimed (see `gale.plumbing.locks`).
    made_with : mapping of str to str
        All that the parts depend on besides the runs, by what people call it.
    what : str
        What may be interrupted, as ``prediction``.
    outputs : tuple of Path
        All that will be made of the parts.
    """

    output: Path
    made_with: Mapping[str, str]
    what: str
    outputs: tuple[Path, ...] = ()

    @property
    def folder(self) -> Path:
        """The folder with the finished chunks."""
        return partial_of(self.output)

    @property
    def where(self) -> str | Path:
        """The same for people: its address if it is at one."""
        return address_of(self.folder) or self.folder

    @classmethod
    def open(
        cls,
        output: Path,
        made_with: Mapping[str, str],
        what: str,
        *,
        resume: bool = False,
        restart: bool = False,
        outputs: Iterable[Path] = (),
    ) -> Partial:
        """Begin an output, or go on with what is finished of it.

        Raises
        ------
        OutputError
            If something is finished and both `resume` and `restart` are false, or it was made with
            something else, or the folder cannot be made.
        """
        partial = cls(output, made_with, what, tuple(outputs))
        if restart and not resume:
            partial.discard()
        elif resume and partial.has_parts:
            partial._check_made_with()
        elif not resume:
            partial.check_nothing_kept()
        try:
            partial._begin()
        except OutputError:
            if not partial.count():
                partial.discard()
            raise
        return partial

    def check_nothing_kept(self) -> None:
        """Refuse to begin where something is finished that could be continued.

        Raises
        ------
        OutputError
        """
        if n_runs := self.count():
            raise OutputError(
                self.where,
                f"holds {counted(n_runs, 'finished run')} of an interrupted {self.what}",
                remedy="pass resume=True to continue it, or pass restart=True to begin anew",
            )

    def _check_made_with(self) -> None:
        """Refuse parts that were made with something else."""
        was = self._stated().made_with
        if was == self.made_with:
            return
        differing = [
            f"{key} ({shown(was[key]) if key in was else 'unknown'}, not "
            f"{shown(self.made_with[key]) if key in self.made_with else 'unknown'})"
            for key in dict.fromkeys((*self.made_with, *was))
            if was.get(key) != self.made_with.get(key)
        ]
        raise OutputError(
            self.where,
            f"belongs to a {self.what} with another {listed(differing)}",
            remedy="use the same to continue it, or pass restart=True to begin anew",
        )

    def _stated(self) -> Stated:
        """Read what is stated of the parts; empty if that is lost."""
        try:
            stated = read_json(read_text(self.folder / STAMP))
            was = {str(key): str(value) for key, value in stated["made_with"].items()}
            return Stated(was, str(stated["begun"]), set(map(str, stated.get("outputs", ()))))
        except (OSError, ValueError, TypeError, KeyError, AttributeError):
            return Stated({}, "", set())

    def _begin(self) -> None:
        """Make the folder, without what writers that died left in it."""
        make_place(self.folder)
        now = datetime.datetime.now(datetime.UTC).isoformat(timespec="seconds")
        stated = {
            "made_with": dict(self.made_with),
            "begun": self._stated().begun if self.has_parts else now,
            "outputs": [*map(_whole_name, self.outputs)],
        }
        self._write(STAMP, json.dumps(stated, indent=1).encode())

    @property
    def begun(self) -> str:
        """When the work was begun, in UTC; an interruption does not change it."""
        return self._stated().begun

    @property
    def is_begun(self) -> bool:
        """Whether the folder says what its parts are made with, as it does from the beginning."""
        return bool(self.begun)

    @property
    def made(self) -> Path:
        """The folder for files that are made of single runs."""
        return self.folder / "made"

    def count(self) -> int:
        """Count the runs of finished chunks."""
        return sum(map(_runs_in, names_in(self.folder, ENDING)))

    def finish(self, outputs: Iterable[Path]) -> None:
        """Discard what was kept, when the outputs that were made of it are on the disk."""
        for output in outputs:
            if address_of(output) is not None:
                continue
            for file in output.rglob("*") if output.is_dir() else (output,):
                if file.is_file():
                    flush(file)
        self.discard()

    def discard(self) -> None:
        """Delete the finished chunks, and the folder if nothing else is in it."""
        for ending in (ENDING, TEMPORARY):
            for name in names_in(self.folder, ending):
                remove(self.folder / name)
        remove(self.made)
        remove(self.folder / STAMP)
        delete_empty(self.folder)

    @cached_property
    def has_parts(self) -> bool:
        """Whether there was a finished chunk when this was first asked."""
        return bool(names_in(self.folder, ENDING))

    @cached_property
    def _stamp(self) -> bytes:
        return json.dumps(dict(self.made_with), sort_keys=True).encode()

    def name_of(self, chunk: Chunk) -> str:
        """Name the file of a chunk, by the runs as they are now."""
        digest = hashlib.sha256(self._stamp)
        for item in chunk:
            for text in (*item, identity(item.path)):
                digest.update(b"\0" + os.fsencode(text))
        return f"{digest.hexdigest()[:32]}-{len(chunk)}{ENDING}"

    def find(self, chunk: Chunk, is_there: IsThere | None = None) -> Done | None:
        """Find a finished chunk; None if there is none, it is damaged, or not all is there."""
        name = self.name_of(chunk)
        try:
            stored = read_bytes(self.folder / name)
        except OSError:
            return None
        if checked_content(stored) is None:
            remove(self.folder / name)
            return None
        facts = _head(stored)[0]["facts"]
        return Done(name, len(chunk), facts) if is_there is None or is_there(chunk, facts) else None

    def keep(self, name: str, part: Part) -> None:
        """Keep a finished chunk, completely or not at all.

        Raises
        ------
        OutputError
            If it cannot be written.
        """
        blobs = {each: _packed(table) for each, table in part.tables.items()}
        sizes = {each: len(blob) for each, blob in blobs.items()}
        head = json.dumps({"facts": part.facts, "tables": sizes}).encode()
        content = b"".join((len(head).to_bytes(LENGTH_BYTES, "little"), head, *blobs.values()))
        self._write(name, with_checksum(content))

    def _write(self, name: str, content: bytes) -> None:
        try:  # an executor may do a chunk twice at the same time
            write_whole(self.folder / name, content)
        except OSError as error:
            raise OutputError(
                self.output,
                f"cannot be written ({error.strerror or error})",
                remedy=MORE_SPACE,
            ) from error

    def facts(self, name: str) -> Mapping[str, Any]:
        """Read the facts of a finished chunk."""
        facts: Mapping[str, Any] = _head(self._read(name))[0]["facts"]
        return facts

    def table(self, name: str, table: str) -> pl.DataFrame:
        """Read a table of a finished chunk."""
        import polars as pl

        stored = self._read(name)
        head, start = _head(stored)
        for each, size in head["tables"].items():
            if each == table:
                return pl.read_ipc(stored[start : start + size])
            start += size
        raise KeyError(table)

    def _read(self, name: str) -> bytes:
        try:
            return read_bytes(self.folder / name)
        except OSError as error:
            raise OutputError(
                f"{self.where}/{name}",
                f"has been there, and cannot be read now ({error.strerror or error})",
                "a folder that nothing else changes",
                "pass resume=True to do again what is lost",
            ) from error


def partial_of(output: Path) -> Path:
    """Name the folder with what is finished of an output.

    Examples
    --------
    >>> partial_of(Path("predictions.csv")).name
    'predictions.csv.partial'
    """
    return output.with_name(output.name + PARTIAL)


def may_replace(output: Path, *, resume: bool) -> bool:
    """Whether what is at an address may be what an interrupted call copied there of a folder."""
    return resume and address_of(output) is not None and Partial(output, {}, "").is_begun


def left_by_interrupted(output: Path, outputs: Iterable[Path]) -> bool:
    """Whether those of some outputs that exist are what an interrupted call made of its parts."""
    made = Partial(output, {}, "")._stated().outputs
    return bool(made) and all(_whole_name(each) in made for each in outputs if exists(each))


def _whole_name(path: Path) -> str:
    """Name a path wherever one is: its address, or all of it."""
    return address_of(path) or str(path.absolute())


def is_partial(folder: Path) -> bool:
    """Whether a folder holds what is finished of an output."""
    return folder.name.endswith(PARTIAL) and (folder / STAMP).is_file()


def is_stamp(name: str) -> bool:
    """Whether a path in a folder is that of the file by which a partial output is known."""
    return name.endswith(f"{PARTIAL}/{STAMP}")


def _runs_in(file: str) -> int:
    """Number of runs of a chunk, which the name of its file ends in."""
    number = file.removesuffix(ENDING).rpartition("-")[2]
    return int(number) if number.isdecimal() else 0


def _head(stored: bytes) -> tuple[dict[str, Any], int]:
    """Read the head of a stored part, and say where its tables begin."""
    begin = DIGEST_BYTES + LENGTH_BYTES
    end = begin + int.from_bytes(stored[DIGEST_BYTES:begin], "little")
    return json.loads(stored[begin:end]), end


def _packed(table: pl.DataFrame) -> bytes:
    content = io.BytesIO()
    table.write_ipc(content)
    return content.getvalue()


class _Kept(Progress):
    """Keeps notes, and hands steps on if there is somebody to see them."""

    def __init__(self, seen: Progress | None) -> None:
        self.seen, self.notes, self.steps = seen, list[str](), 0

    def step(self, text: str = "") -> None:
        self.steps += 1
        if self.seen is not None:
            self.seen.step(text)

    def note(self, text: str) -> None:
        self.notes.append(text)


NOTES = "notes"
"""The fact of a part that holds what its task has noted."""


def _finish(
    chunk: Chunk, task: Task, partial: Partial, progress: Progress | None = None
) -> tuple[Done, int]:
    """Do a chunk and keep its part; also return the number of steps that were seen."""
    name = partial.name_of(chunk)  # first: what changes from here on is done again
    kept = _Kept(progress)
    part = task(chunk, kept)
    part = Part({**part.facts, NOTES: kept.notes}, part.tables)
    partial.keep(name, part)
    return Done(name, len(chunk), part.facts), 0 if progress is None else kept.steps


def work_through(
    chunks: Iterable[Chunk],
    task: Task,
    partial: Partial,
    work: Work,
    is_there: IsThere | None = None,
) -> Iterator[Done]:
    """Do all chunks that are not finished, and yield them in their order as they are.

    Parameters
    ----------
    chunks : iterable of Chunk
    task : callable
        What is done with each, see :data:`Task`.
    partial : Partial
        Where results are kept.
    work : Work
        Its `executor` does the chunks, each as one call that writes its result and returns little;
        without one, this process does. Its `progress` makes one step per run.
    is_there : callable, optional
        See :data:`IsThere`.

    Raises
    ------
    GaleError
        If a process of the executor ends from outside, or a result cannot be written.
    """
    for done, n_seen in _in_order(chunks, task, partial, work, is_there):
        for _ in range(done.runs - n_seen):
            work.progress.step()
        for note in done.facts.get(NOTES, ()):
            work.progress.note(note)
        yield done


@dataclass(frozen=True)
class Finished:
    """A batch of which every chunk is finished: the names of their files, in order."""

    partial: Partial
    names: Sequence[str]

    @classmethod
    def of(
        cls,
        chunks: Iterable[Chunk],
        task: Task,
        partial: Partial,
        work: Work,
        is_there: IsThere | None = None,
    ) -> Finished:
        """Do all chunks that are not finished, see :func:`work_through`."""
        done = work_through(chunks, task, partial, work, is_there)
        return cls(partial, [each.name for each in done])

    def tables(self, table: str) -> Iterator[pl.DataFrame]:
        """Give a table of each chunk, one after the other."""
        for name in self.names:
            yield self.partial.table(name, table)

    def facts(self) -> Iterator[Mapping[str, Any]]:
        """Give the facts of each chunk, one after the other."""
        return map(self.partial.facts, self.names)


def _in_order(
    chunks: Iterable[Chunk], task: Task, partial: Partial, work: Work, is_there: IsThere | None
) -> Iterator[tuple[Done, int]]:
    has_parts = partial.has_parts
    waiting: deque[Future[tuple[Done, int]] | Done] = deque()
    for chunk in chunks:
        found = partial.find(chunk, is_there) if has_parts else None
        if work.executor is None:
            yield (found, 0) if found else _finish(chunk, task, partial, work.progress)
            continue
        sent = task.for_chunk(chunk) if isinstance(task, Divisible) else task
        waiting.append(found or work.executor.submit(_finish, chunk, sent, partial))
        while len(waiting) >= WINDOW or (waiting and _is_over(waiting[0])):
            yield _result(waiting.popleft())
    while waiting:
        yield _result(waiting.popleft())


def _is_over(waiting: Future[tuple[Done, int]] | Done) -> bool:
    return isinstance(waiting, Done) or waiting.done()


def _result(waiting: Future[tuple[Done, int]] | Done) -> tuple[Done, int]:
    if isinstance(waiting, Done):
        return waiting, 0
    try:
        return waiting.result()
    except BrokenExecutor as error:
        raise GaleError(
            "reading runs",
            f"a process was ended from outside ({error}), perhaps because memory ran out",
            remedy="pass workers=1",
        ) from error


def in_shard(name: str, number: int, shards: int) -> bool:
    """Whether a run is in a shard, from 1 to `shards`; it depends on its name alone.

    Examples
    --------
    >>> [sum(in_shard(f"{run}.csv", at, 3) for run in range(300)) for at in (1, 2, 3)]
    [102, 106, 92]
    """
    # other bits than those that end chunks, which would end in some shards only
    return (hash_of(name) >> 32) % shards == number - 1


def twice(names: Sequence[int]) -> tuple[int, int] | None:
    """Find two equal hashes: the positions of the first one that is there again.

    Examples
    --------
    >>> twice([5, 7, 5]), twice([5, 7])
    ((0, 2), None)
    """
    import numpy as np

    hashes = np.asarray(names, dtype=np.uint64)
    order = np.argsort(hashes, kind="stable")
    again = np.flatnonzero(hashes[order][1:] == hashes[order][:-1])
    if not len(again):
        return None
    at = again[np.argmin(order[again + 1])]
    return int(order[at]), int(order[at + 1])
