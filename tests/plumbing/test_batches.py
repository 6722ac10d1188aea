"""Work in chunks that are kept: what is done once is not done again, and nothing else is kept."""

from __future__ import annotations

import os
import random
import shutil
import signal
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gale.errors import GaleError, OutputError
from gale.plumbing.batches import (
    SPREAD,
    STAMP,
    WINDOW,
    Chunk,
    Finished,
    Item,
    Part,
    Partial,
    chunks_of,
    hash_of,
    identity,
    in_shard,
    partial_of,
    twice,
)
from gale.plumbing.progress import Progress
from gale.plumbing.work import Work
from gale.plumbing.workers import worker_pool
from helpers.errors import refused

NAMES = st.lists(st.text(min_size=1, max_size=6), unique=True, max_size=120)
WITH = {"model": "1234", "column": "null"}


class StoppedError(Exception):
    """What stops the work in the middle."""


@dataclass
class Lengths:
    """A task: the length of each file. It remembers what it did, and stops after some chunks."""

    most: int = 10**9
    done: list[str] = field(default_factory=list)

    def __call__(self, chunk: Chunk, progress: Progress) -> Part:
        if self.most == 0:
            raise StoppedError
        self.most -= 1
        self.done += [item.name for item in chunk]
        sizes = [len(Path(item.path).read_bytes()) for item in chunk]
        for item, size in zip(chunk, sizes, strict=True):
            if size == 13:
                progress.note(f"{item.name}: 13 bytes")
            progress.step()
        table = pl.DataFrame({"run": [item.name for item in chunk], "size": sizes})
        return Part({"total": sum(sizes)}, {"sizes": table})


class Seen(Progress):
    def __init__(self) -> None:
        self.steps, self.notes = 0, list[str]()

    def step(self, text: str = "") -> None:
        self.steps += 1

    def note(self, text: str) -> None:
        self.notes.append(text)


@pytest.fixture
def items(tmp_path: Path) -> list[Item]:
    """A hundred files of different lengths."""
    (tmp_path / "runs").mkdir()
    found = []
    for number in range(100):
        path = tmp_path / "runs" / f"{number}.csv"
        path.write_bytes(b"x" * number)
        found.append(Item(path.name, str(path)))
    return found


def through(
    items: Sequence[Item], task: Lengths, output: Path, *, work: Work | None = None, **how: bool
) -> Finished:
    partial = Partial.open(output, WITH, "survey", **how, outputs=[output])
    return Finished.of(chunks_of(items, 10), task, partial, work or Work(progress=Seen()))


def table_of(finished: Finished) -> pl.DataFrame:
    return pl.concat(finished.tables("sizes"))


@given(NAMES, st.integers(1, 30))
def test_chunks_hold_every_item_once_and_in_order(names: list[str], runs: int) -> None:
    items = [Item(name, name) for name in names]
    chunks = list(chunks_of(items, runs))
    assert [item for chunk in chunks for item in chunk] == items
    assert all(len(chunk) <= runs * SPREAD for chunk in chunks)
    assert all(len(chunk) >= max(runs // SPREAD, 1) for chunk in chunks[:-1])
    assert chunks


def test_an_item_more_changes_the_chunks_around_it_alone() -> None:
    items = [Item(f"{number}.csv", "") for number in range(2000)]
    before = set(chunks_of(items))
    after = list(chunks_of([*items[:1000], Item("new.csv", ""), *items[1000:]]))
    assert 1 <= len([chunk for chunk in after if chunk not in before]) <= 6


def test_finished_chunks_are_not_done_again(items: list[Item], tmp_path: Path) -> None:
    whole = through(items, Lengths(), tmp_path / "whole")
    assert table_of(whole)["run"].to_list() == [item.name for item in items]
    output, first, seen = tmp_path / "out.csv", Lengths(most=3), Seen()
    with pytest.raises(StoppedError):
        through(items, first, output)
    assert 0 < len(first.done) < 100
    second = Lengths()
    resumed = through(items, second, output, resume=True, work=Work(progress=seen))
    assert first.done + second.done == [item.name for item in items]
    assert table_of(resumed).equals(table_of(whole))
    assert resumed.names == whole.names
    assert [facts["total"] for facts in resumed.facts()] == [
        facts["total"] for facts in whole.facts()
    ]
    assert seen.steps == 100
    assert seen.notes == ["13.csv: 13 bytes"]


@pytest.mark.parametrize("damage", ["empty", "cut", "one bit", "longer"])
def test_a_torn_part_is_seen_and_made_again(items: list[Item], tmp_path: Path, damage: str) -> None:
    output = tmp_path / "out.csv"
    whole = through(items, Lengths(), output)
    file = partial_of(output) / whole.names[2]
    content = file.read_bytes()
    bad = {
        "empty": b"",
        "cut": content[: len(content) // 2],
        "one bit": content[:-9] + bytes([content[-9] ^ 1]) + content[-8:],
        "longer": content + b"x",
    }
    file.write_bytes(bad[damage])
    again = Lengths()
    resumed = through(items, again, output, resume=True)
    assert again.done == whole.partial.table(whole.names[2], "sizes")["run"].to_list()
    assert file.read_bytes() == content
    assert resumed.names == whole.names


@pytest.mark.parametrize("change", ["size", "time", "gone", "other name"])
def test_a_changed_run_is_done_again(items: list[Item], tmp_path: Path, change: str) -> None:
    output = tmp_path / "out.csv"
    through(items, Lengths(), output)
    path = Path(items[50].path)
    status = path.stat()
    if change == "size":
        path.write_bytes(b"x" * 7)
        os.utime(path, ns=(status.st_atime_ns, status.st_mtime_ns))
    elif change == "time":
        path.write_bytes(b"y" * 50)
        os.utime(path, ns=(status.st_atime_ns, status.st_mtime_ns + 1))
    elif change == "gone":
        shutil.copy(path, tmp_path / "50.csv")
        items[50] = Item("50.csv", str(tmp_path / "50.csv"))
    else:
        items[50] = Item("fifty.csv", items[50].path)
    again = Lengths()
    resumed = through(items, again, output, resume=True)
    assert items[50].name in again.done
    assert len(again.done) <= 40
    expected = through(items, Lengths(), tmp_path / "expected.csv")
    assert table_of(resumed).equals(table_of(expected))


def test_a_folder_is_known_by_all_files_in_it(tmp_path: Path) -> None:
    inside = tmp_path / "run.D" / "AcqData"
    inside.mkdir(parents=True)
    (inside / "a").write_text("1")
    before = identity(str(tmp_path / "run.D"))
    assert identity(str(tmp_path / "run.D")) == before
    (inside / "b").write_text("2")
    between = identity(str(tmp_path / "run.D"))
    (inside / "b").write_text("22")
    assert len({before, between, identity(str(tmp_path / "run.D")), identity("absent")}) == 4
    assert identity("absent") == identity("no\0path") == ""


def test_what_is_kept_is_not_overlooked(items: list[Item], tmp_path: Path) -> None:
    output = tmp_path / "out.csv"
    with pytest.raises(StoppedError):
        through(items, Lengths(most=2), output)
    folder, count = partial_of(output), Partial(output, WITH, "survey").count()
    remedy = ("resume=True", "restart=True")
    with refused(OutputError, folder, found=f"{count} finished runs", remedy=remedy):
        through(items, Lengths(), output)
    again = Lengths()
    through(items, again, output, restart=True)
    assert len(again.done) == 100


def test_parts_of_something_else_are_refused(items: list[Item], tmp_path: Path) -> None:
    output = tmp_path / "out.csv"
    through(items[:20], Lengths(), output)
    other = {"model": "5678", "column": "null", "index-table": "abc"}
    with refused(OutputError, partial_of(output), found=("model", "1234", "5678", "index-table")):
        Partial.open(output, other, "survey", resume=True)
    (partial_of(output) / STAMP).write_text("[]")
    with refused(OutputError, partial_of(output), found=("model", "unknown")):
        Partial.open(output, WITH, "survey", resume=True)
    Partial.open(output, WITH, "survey", restart=True)
    assert Partial(output, WITH, "survey").count() == 0


def test_what_is_discarded_is_gales_own(items: list[Item], tmp_path: Path) -> None:
    output = tmp_path / "out.csv"
    finished = through(items[:20], Lengths(), output)
    (partial_of(output) / ".x.part.1234.gale-tmp").touch()
    (partial_of(output) / "precious").touch()
    finished.partial.discard()
    assert [file.name for file in partial_of(output).iterdir()] == ["precious"]
    (partial_of(output) / "precious").unlink()
    finished.partial.discard()
    assert not partial_of(output).exists()


@pytest.mark.parametrize("window", [1, 3, WINDOW])
def test_any_executor(
    items: list[Item], tmp_path: Path, monkeypatch: pytest.MonkeyPatch, window: int
) -> None:
    monkeypatch.setattr("gale.plumbing.batches.WINDOW", window)
    whole = through(items, Lengths(), tmp_path / "whole")
    seen = Seen()
    with ThreadPoolExecutor(3) as executor:
        work = Work(executor=executor, progress=seen)
        finished = through(items, Lengths(), tmp_path / "out", work=work)
        again = Lengths(most=0)
        through(items, again, tmp_path / "out", work=work, resume=True)
    assert finished.names == whole.names
    assert (seen.steps, seen.notes) == (200, ["13.csv: 13 bytes"] * 2)


def end_process(chunk: Chunk, progress: Progress) -> Part:
    os.kill(os.getpid(), signal.SIGKILL)
    raise AssertionError


@pytest.mark.slow
def test_a_process_that_is_killed(items: list[Item], tmp_path: Path) -> None:
    partial = Partial.open(tmp_path / "out", WITH, "survey")
    with worker_pool(2) as executor, refused(GaleError, found="ended", remedy="workers=1"):
        Finished.of(chunks_of(items), end_process, partial, Work(executor=executor))


def test_nothing_to_do_has_a_table(tmp_path: Path) -> None:
    finished = through([], Lengths(), tmp_path / "out")
    assert table_of(finished).columns == ["run", "size"]


@given(NAMES, st.integers(1, 9), st.randoms())
def test_shards_are_disjoint_and_complete_in_any_order(
    names: list[str], shards: int, chance: random.Random
) -> None:
    def shard(number: int, of: Sequence[str]) -> Iterator[str]:
        return (name for name in of if in_shard(name, number, shards))

    parts = [list(shard(number, names)) for number in range(1, shards + 1)]
    assert sorted(name for part in parts for name in part) == sorted(names)
    mixed = names[:]
    chance.shuffle(mixed)
    assert [set(shard(number, mixed)) for number in range(1, shards + 1)] == list(map(set, parts))


def test_shards_divide_evenly_and_their_chunks_too() -> None:
    """Chunks end by other bits than those that make shards; otherwise some would never end."""
    names = [f"S{number:05}" for number in range(16_000)]
    for number in (1, 7, 16):
        items = [Item(name, name) for name in names if in_shard(name, number, 16)]
        assert 850 < len(items) < 1150
        assert 40 < len(list(chunks_of(items, 16))) < 100


@given(st.lists(st.integers(0, 30), max_size=40))
def test_what_is_there_twice(numbers: list[int]) -> None:
    found = twice(numbers)
    again = [at for at, number in enumerate(numbers) if number in numbers[:at]]
    assert (found is None) == (not again)
    if found is not None:
        assert found == (numbers.index(numbers[again[0]]), again[0])


def test_hashes_stay_what_they_are() -> None:
    """A shard is computed on many machines, perhaps by different versions."""
    assert [hash_of("a"), hash_of("run.csv")] == [3405396810240292928, 17681631788712089285]
