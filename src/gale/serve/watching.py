"""Watch a folder: each run that is complete is predicted once, and gets its row and its page."""

from __future__ import annotations

import datetime
import hashlib
import os
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass, field
from importlib.metadata import version
from pathlib import Path
from typing import Any

from gale.campaign.folder import OUTSIDE, list_files, run_name
from gale.errors import CampaignError, MissingExtraError, OutputError
from gale.model import Model
from gale.plumbing.files import writing
from gale.plumbing.kinds import checked
from gale.plumbing.locks import claimed
from gale.plumbing.outputs import make_folder
from gale.plumbing.progress import Progress
from gale.plumbing.reading import is_within
from gale.plumbing.remote import address_of
from gale.plumbing.tables import FAILED, UNLIKE, Problems
from gale.readers.instrument_folders import identify, is_run_folder
from gale.report.folder import index_page, page_names
from gale.serve.pool import MIB, Limits, Task, Worker, WorkerEndedError
from gale.serve.posting import Post
from gale.serve.reading import PATH, begin
from gale.serve.tables import row_table, table_bytes
from gale.serve.watched import Memory, Seen

MEMORY, TABLE, INDEX = ".gale-watch.sqlite", "predictions.csv", "index.html"
"""Files in the folder of results, beside the pages."""

INSTRUMENT = (".d", ".raw")
"""Endings of folders that instruments fill; before they are recognised, they are not entered."""

POLL_S = 5.0
"""Seconds between looks at a folder whose system does not tell of changes."""

TOLD_S = 60.0
"""Seconds between looks at one whose system does, in case it did not."""

GATHER_S = 1.0
"""Seconds to wait after a change for others."""

WHOLE = "the whole folder of a run"
"""What the refusal of a folder that lacks files expects."""


@checked
def watch(
    folder: str | Path,
    model: Model,
    output: str | Path,
    *,
    settle_s: float = 10.0,
    patience_s: float = 3600.0,
    poll: bool = False,
    post: str | None = None,
    columns: Mapping[str, str] | None = None,
    seconds: float = 60.0,
    memory_mb: float = 2048.0,
    once: bool = False,
    progress: Progress | None = None,
) -> None:
    """Watch a folder and predict each run in it once it is complete, until it is interrupted.

    A run counts as complete when its size and time have not changed for `settle_s` seconds, and a
    folder of an instrument when its files are all there, too. In the folder of results are
    ``predictions.csv``, the table of :meth:`gale.Model.predict`; a page for each run; and
    ``index.html``. What was done is remembered there, so that no run is done twice after a restart.
    A run that changes later is done again. One that cannot be read is one failed row until it
    changes. A process of its own reads the runs, so that a script must call this under
    ``if __name__ == "__main__":``.

    Parameters
    ----------
    folder : str or Path
        The folder, with those in it.
    model : Model
    output : str or Path
        Folder for results; made if it does not exist.
    settle_s : float
    patience_s : float
        Seconds after which a folder of an instrument that still lacks files is a failed row.
    poll : bool
        Whether to look every few seconds instead of waiting for the system to tell of changes,
        which network drives do not.
    post : str, optional
        URL that is told of each run by a POST of JSON; it is tried again until it answers.
    columns : mapping of str to str, optional
        Names of the columns of tables, as :func:`gale.read_run` takes them.
    seconds, memory_mb : float
        What reading a run, or making its page, may take.
    once : bool
        Whether to return when all runs that are there are done.
    progress : Progress, optional
        Hears of each run (`step`) and of what goes wrong (`note`).

    Raises
    ------
    CampaignError
        If the folder cannot be listed, or is at an address.
    OutputError
        If the folder of results cannot be made, or another process writes there.
    GaleError
        If the results are of another model, or `post` is no URL.

    Examples
    --------
    In a folder with a model and a run:

    >>> import shutil
    >>> from pathlib import Path
    >>> import gale
    >>> Path("acquired").mkdir()
    >>> _ = shutil.copy("run.csv", "acquired")
    >>> gale.watch("acquired", gale.Model.load("model.onnx"), "results", settle_s=0.1, once=True)
    >>> sorted(path.name for path in Path("results").glob("[!.]*"))
    ['index.html', 'predictions.csv', 'run.csv.html']
    """
    folder, output = Path(folder), Path(output)
    if (address := address_of(folder)) is not None:
        raise CampaignError(
            address,
            "is an address",
            "a folder of this machine",
            "predict its runs, or watch a copy",
        )
    progress = progress or Progress()
    _list(folder, output)
    make_folder(output)
    with ExitStack() as stack:
        stack.enter_context(claimed(output / "watch"))
        memory = Memory(output / MEMORY, model.sha256)
        stack.callback(memory.close)
        telling = None if post is None else Post(post, memory, progress.note)
        model_file = output / f".{model.sha256[:16]}.onnx"
        if not model_file.exists():
            model.save(model_file)
        limits = Limits(seconds, int(memory_mb * MIB))
        worker = Worker(begin, ({"model": str(model_file)}, columns), limits)
        stack.callback(worker.stop)
        changes = stack.enter_context(_changes(folder, poll=poll or once, note=progress.note))
        watcher = _Watcher(folder, output, model, memory, worker, settle_s, patience_s,
                           telling, progress)  # fmt: skip
        watcher.run(changes, once=once)


@dataclass
class _Changes:
    """Whether something has changed, as far as the system tells."""

    happened: threading.Event = field(default_factory=threading.Event)
    rest_s: float = POLL_S

    def wait(self, seconds: float) -> None:
        """Wait for a change, but not longer than this."""
        if self.happened.wait(max(min(seconds, self.rest_s), 0.05)):
            time.sleep(min(GATHER_S, seconds))
            self.happened.clear()


@contextmanager
def _changes(folder: Path, *, poll: bool, note: Callable[[str], object]) -> Iterator[_Changes]:
    """Listen to the system, or let the folder be looked at every few seconds."""
    changes = _Changes()
    if poll:
        yield changes
        return
    try:
        import watchfiles
    except ModuleNotFoundError:
        raise MissingExtraError(
            "gale.watch",
            "needs watchfiles, which is not installed",
            remedy="install the extra: pip install 'gale-ms[serve]', or pass poll=True",
        ) from None
    stop = threading.Event()
    changes.rest_s = TOLD_S

    def listen() -> None:
        try:
            for _ in watchfiles.watch(
                folder,
                stop_event=stop,
                watch_filter=None,
                raise_interrupt=False,
                ignore_permission_denied=True,
            ):
                changes.happened.set()
        except (OSError, RuntimeError) as error:  # such as too many folders for inotify
            changes.rest_s = POLL_S
            note(f"the system does not tell of changes in {folder} ({error}); looking every "
                 f"{POLL_S:g} s")  # fmt: skip

    thread = threading.Thread(target=listen, daemon=True)
    thread.start()
    try:
        yield changes
    finally:
        stop.set()
        thread.join(5)


@dataclass
class _Waiting:
    """A path that is not complete yet: what it was like, and since when."""

    mark: str
    since: float


@dataclass
class _Watcher:
    """One watch of a folder."""

    folder: Path
    output: Path
    model: Model
    memory: Memory
    worker: Worker
    settle_s: float
    patience_s: float
    telling: Post | None
    progress: Progress
    waiting: dict[str, _Waiting] = field(default_factory=dict)
    unwritten: bool = True

    def run(self, changes: _Changes, *, once: bool) -> None:
        """Look, do what is complete, and wait, again and again."""
        while True:
            done = 0
            for name, path in self._complete():
                self._do(name, path)
                done += 1
            if done or self.unwritten:
                self._write()
            if self.telling is not None:
                self.telling.tell(time.monotonic())
            if once and not (done or self.waiting):
                return
            if done:
                continue  # something may have come meanwhile
            changes.wait(self._next() - time.monotonic())

    def _next(self) -> float:
        """When the next path may be complete, or the next message is due."""
        now = time.monotonic()
        times = [
            each.since + (self.settle_s if each.since + self.settle_s > now else self.patience_s)
            for each in self.waiting.values()
        ]
        if self.telling is not None and self.telling.due:
            times.append(self.telling.due)
        return max(min(times, default=now + TOLD_S), now)

    def _complete(self) -> list[tuple[str, Path]]:
        """Look at the folder; return what is complete and not done yet, and note the rest."""
        now = time.monotonic()
        found = {}
        complete = []
        for path in _list(self.folder, self.output):
            name, mark = run_name(path, self.folder), _mark(path)
            if mark is None or mark == self.memory.mark(name):
                continue
            before = self.waiting.get(name)
            known = before if before is not None and before.mark == mark else _Waiting(mark, now)
            found[name] = known
            age = now - known.since
            if age >= self.settle_s and (age >= self.patience_s or not _is_lacking(path)):
                complete.append((name, path))
        self.waiting = found
        return complete

    def _do(self, name: str, path: Path) -> None:
        """Predict a run and make its page, unless it changes meanwhile."""
        mark = self.waiting.pop(name).mark
        task = {"name": name, "kind": PATH, "path": str(path)}
        why = "no run" if is_within(path, self.folder) else OUTSIDE
        if why == OUTSIDE or self._ask({"do": "recognise", **task}, name).get("kind") == "other":
            self.memory.keep(Seen(name, mark), to_post=False)
            self.progress.step(f"{name}: {why}, left out")
            return
        answer = self._ask({"do": "predict", **task}, name)
        if _mark(path) != mark:
            return  # it is looked at again
        row, checksum = self._row(answer)
        page = self._page(name, path, row, checksum) if row["status"] != FAILED else None
        seen = Seen(name, mark, page, checksum, row)
        self.memory.keep(seen, to_post=self.telling is not None)
        said = "" if row["message"] is None else f": {row['message']}"
        self.progress.step(f"{name}: {row['status']}{said}")

    def _row(self, answer: Mapping[str, Any]) -> tuple[dict[str, Any], str]:
        if "error" not in answer:
            (row,) = answer["predictions"]
            return row, answer["sha256"]
        empty = dict.fromkeys(self.model.families, (None, None))
        row = {"model": "model", "model_sha256": self.model.sha256, "status": FAILED,
               "message": answer["error"], UNLIKE: None, "families": empty}  # fmt: skip
        return row, ""

    def _page(self, name: str, path: Path, row: dict[str, Any], checksum: str) -> str | None:
        """Make the page of a run; if that fails, the row says so and stays."""
        page = page_names([name])[name]
        if self.memory.page_taken(page, name):
            mark = hashlib.sha256(name.encode()).hexdigest()[:8]
            page = f"{page.removesuffix('.html')}-{mark}.html"
        answer = self._ask(
            {"do": "page", "name": name, "kind": PATH, "path": str(path), "model": "model",
             "prediction": row, "sha256": checksum, "page": str(self.output / page)},
            name,
        )  # fmt: skip
        if "error" not in answer:
            return page
        self.progress.note(f"no page could be made: {answer['error']}")
        return None

    def _ask(self, task: Task, name: str) -> Mapping[str, Any]:
        for last in (False, True):
            try:
                return self.worker.do(task)
            except WorkerEndedError as error:
                if last or error.reason != "crash":
                    return {"error": f"{name}: {_ENDED.get(error.reason, _ENDED['crash'])}"}
        raise AssertionError

    def _write(self) -> None:
        """Write table and index; what cannot be written now is written the next time."""
        runs = self.memory.runs()
        table = row_table([(seen.name, seen.row or {}) for seen in runs], self.model)
        pages = {seen.name: seen.page for seen in runs if seen.page}
        now = datetime.datetime.now(datetime.UTC).isoformat(timespec="seconds")
        made = {
            "watched folder": str(self.folder),
            "made by": f"gale {version('gale-ms')} on {now}",
            "model SHA-256": self.model.sha256,
        }
        index = index_page(table, self.model, pages, provenance=made)
        self.unwritten = True
        try:
            for name, content in ((TABLE, table_bytes(table, "csv")), (INDEX, index.encode())):
                with writing(self.output / name, force=True) as temporary:
                    temporary.write_bytes(content)
        except OutputError as error:  # such as while a spreadsheet has it open
            self.progress.note(f"{error}; it is tried again")
        else:
            self.unwritten = False


_ENDED = {
    "time": "took too long to read and was stopped",
    "memory": "took too much memory to read and was stopped",
    "crash": "ended the process that read it",
}


def _list(folder: Path, output: Path) -> list[Path]:
    """List files and folders of runs, but not what is in the folder of results.

    Raises
    ------
    CampaignError
        If the folder cannot be listed.
    """
    problems = Problems(CampaignError)
    found = list_files(folder, problems, _is_whole)
    problems.check()
    own = output.resolve()
    return [path for path in found if not (path.parent.resolve() / path.name).is_relative_to(own)]


def _is_whole(folder: Path) -> bool:
    return folder.suffix.lower() in INSTRUMENT or is_run_folder(folder)


def _is_lacking(path: Path) -> bool:
    """Whether it is the folder of an instrument that has not written all of its files."""
    with suppress(OSError):
        if path.is_dir():
            found = identify(path)
            return found is None or found.kind.expected == WHOLE
    return False


def _mark(path: Path) -> str | None:
    """What a file, or all in a folder, is like: sizes and times; None if it has gone."""
    try:
        if not path.is_dir():
            status = path.stat()
            return f"{status.st_size} {status.st_mtime_ns}"
        digest = hashlib.sha256()
        for place, folders, names in os.walk(path):
            folders.sort()
            for name in sorted(names):
                file = Path(place, name)
                status = file.stat()
                digest.update(f"{file} {status.st_size} {status.st_mtime_ns}\0".encode())
    except (OSError, UnicodeEncodeError):
        return None
    return digest.hexdigest()
