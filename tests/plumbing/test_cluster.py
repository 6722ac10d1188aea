"""Work on workers of Dask: as if it were done here, whatever becomes of a worker."""

from __future__ import annotations

import json
import os
import signal
import socket
import sys
import time
from collections.abc import Iterator
from concurrent.futures import BrokenExecutor, Future
from pathlib import Path
from typing import Any

import polars as pl
import pytest

import gale
from gale.errors import GaleError, MissingExtraError
from gale.plumbing import cluster
from gale.plumbing.batches import Chunk, Finished, Item, Part, Partial, chunks_of
from gale.plumbing.cluster import DaskExecutor, _call, _hand_on, dask_executor
from gale.plumbing.progress import Progress
from gale.plumbing.work import Work
from gale.plumbing.workers import worker_pool
from gale.simulation.examples import simulate_examples
from gale.simulation.run import Truth
from helpers.commands import error_of, invoke
from helpers.errors import refused
from helpers.training import Trained

pytest.importorskip("distributed", reason="the extra dask is not installed")
pytestmark = pytest.mark.filterwarnings("ignore::ResourceWarning", "ignore::DeprecationWarning")

_BEGUN: list[str] = []


def ions(run: gale.Run, truth: list[Truth]) -> tuple[int, int]:
    return run.n_ions, len(truth)


def sizes(chunk: Chunk, progress: Progress) -> Part:
    time.sleep(0.05)
    sizes = [Path(item.path).stat().st_size for item in chunk]
    return Part(
        tables={"sizes": pl.DataFrame({"run": [item.name for item in chunk], "bytes": sizes})}
    )


def begin(text: str) -> None:
    _BEGUN.append(text)


def facts(number: int) -> tuple[int, int, list[str], str, str | None]:
    return number, os.getpid(), [*_BEGUN], str(Path.cwd()), os.environ.get("POLARS_MAX_THREADS")


def fail(number: int) -> None:
    raise ValueError(number)


class Killing(Progress):
    """Kills a worker when the first run is finished."""

    def __init__(self, victim: int) -> None:
        self.victim, self.steps = victim, 0

    def step(self, text: str = "") -> None:
        if not self.steps:
            os.kill(self.victim, signal.SIGKILL)
        self.steps += 1


@pytest.fixture
def executor() -> Iterator[DaskExecutor]:
    with dask_executor("local:2") as executor:
        yield executor


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore::gale.errors.GaleWarning")
def test_what_workers_do(
    executor: DaskExecutor,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    campaign: gale.Campaign,
    trained: Trained,
) -> None:
    """One cluster for several tests, since it takes seconds to start."""
    monkeypatch.chdir(tmp_path)
    found = list(executor.map(facts, range(40), chunksize=3))
    assert [number for number, *_ in found] == list(range(40))
    assert {(tuple(begun), folder, threads) for _, _, begun, folder, threads in found} == {
        ((), str(tmp_path), "1")
    }
    assert os.getpid() not in {process for _, process, *_ in found}
    usual = 8787  # of Dask's own page, which one command alone could have
    assert executor.client.cluster.scheduler.http_server.port != usual
    kept = executor.client.run(os.getenv, "MALLOC_TRIM_THRESHOLD_")
    assert set(kept.values()) == {str(2**25)}

    with worker_pool(7, begin, ("once",), executor) as begun:
        assert begun is not None
        found = list(begun.map(facts, range(40)))
    assert all(texts == ["once"] for _, _, texts, *_ in found)
    with worker_pool(1, begin, ("again",), executor) as begun:
        assert begun is not None
        assert all(texts[-1] == "again" for _, _, texts, *_ in begun.map(facts, range(9)))

    with pytest.raises(ValueError, match="3"):
        executor.submit(fail, 3).result()
    monkeypatch.setattr(cluster, "version", lambda _: "9.9")
    with refused(GaleError, "a worker", expected="gale 9.9"):
        executor.submit(facts, 1).result()
    monkeypatch.undo()

    expected = trained.model.predict(campaign)
    victim = executor.submit(os.getpid).result()
    progress = Killing(victim)
    predicted = trained.model.predict(campaign, Work(executor=executor, progress=progress))
    assert predicted.equals(expected)
    assert progress.steps == len(campaign)
    assert victim not in {process for _, process, *_ in executor.map(facts, range(40))}

    victim = executor.submit(os.getpid).result()
    small: dict[str, Any] = {"runs": {"train": 24}, "ions": 500, "seed": 3}
    gale.simulate(tmp_path / "here", **small)
    gale.simulate(tmp_path / "there", **small, work=Work(executor, progress=Killing(victim)))
    files = [path for path in (tmp_path / "here").rglob("*.*") if path.is_file()]
    assert len(files) > 24
    for path in files:
        same = tmp_path / "there" / path.relative_to(tmp_path / "here")
        assert path.read_bytes() == same.read_bytes(), path.name

    items = [Item(path.name, str(path)) for path in campaign.paths[:40]]
    chunks = list(chunks_of(items, runs=3))
    tables = []
    killing = Work(executor=executor, progress=Killing(executor.submit(os.getpid).result()))
    for name, work in (("serial", Work()), ("killed", killing)):
        partial = Partial.open(tmp_path / name, {}, "test")
        tables.append(pl.concat(Finished.of(chunks, sizes, partial, work).tables("sizes")))
    assert (tables[0]["bytes"] > 0).all()
    assert tables[0].equals(tables[1])

    options: dict[str, Any] = {"families": ["alcohol"], "runs": 6, "ions": 400}
    simulated = [
        [
            (example.item, *example.families)
            for example in simulate_examples(ions, **options, work=each)
        ]
        for each in (Work(), Work(executor))
    ]
    assert simulated[0] == simulated[1]


def test_addresses_that_lead_nowhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cluster, "TIMEOUT_S", 0.5)
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        nobody = f"tcp://127.0.0.1:{free.getsockname()[1]}"
        file = tmp_path / "scheduler.json"
        file.write_text(json.dumps({"address": nobody}))
        damaged = tmp_path / "damaged.json"
        damaged.write_text("{}")
        for address in (nobody, str(file), str(damaged), str(tmp_path / "missing.json"), "local:0",
                        "local:x", "no address"):  # fmt: skip
            with refused(GaleError, address), dask_executor(address):
                pass


def test_the_command_says_so_in_one_line(
    campaign_folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(cluster, "TIMEOUT_S", 0.5)
    error = error_of("simulate", "-o", tmp_path / "c", "--dask", tmp_path / "missing.json")
    assert error.source == str(tmp_path / "missing.json")
    assert not (tmp_path / "c").exists()
    words = ["features", campaign_folder, "-o", tmp_path / "f", "--dask", "local:2"]
    assert invoke(*words, "--workers", "2").exit_code == 2


def test_without_dask(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "distributed", None)
    with refused(MissingExtraError, "dask", remedy="gale-ms[dask]"), dask_executor("local:2"):
        pass


def handed_on(error: BaseException) -> BaseException | None:
    inner: Future[int] = Future()
    outer: Future[int] = Future()
    inner.set_exception(error)
    _hand_on(outer, "tcp://here:1", inner)
    return outer.exception()


def test_errors_of_workers() -> None:
    killed = type("KilledWorker", (Exception,), {})()
    assert isinstance(handed_on(killed), BrokenExecutor)
    missing = handed_on(ModuleNotFoundError("No module named 'gale'", name="gale.features"))
    assert isinstance(missing, GaleError)
    assert missing.source == "tcp://here:1"
    own = KeyError("mine")
    assert handed_on(own) is own
    cancelled: Future[int] = Future()
    cancelled.cancel()
    outer: Future[int] = Future()
    _hand_on(outer, "", cancelled)
    assert outer.cancelled()


def test_a_worker_that_does_not_see_the_folder(tmp_path: Path) -> None:
    from importlib.metadata import version

    with refused(GaleError, "a worker", found="missing", expected="same files"):
        _call(str(tmp_path / "missing"), version("gale-ms"), None, facts, 1)
