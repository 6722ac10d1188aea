"""What becomes of runs whose workers end."""

from __future__ import annotations

import asyncio
import sqlite3
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from gale.serve import dispatch
from gale.serve.dispatch import LATER, Dispatcher
from gale.serve.pool import Limits, WorkerEndedError
from gale.serve.store import DONE, Arrival, Store, StoredRun

MODELS = [{"model": "m", "model_sha256": "0" * 64, "families": ("alcohol",)}]
OK = {"model": "m", "model_sha256": "0" * 64, "status": "ok", "message": None, "unlike": 1.0,
      "families": {"alcohol": (0.5, 0.1)}}  # fmt: skip


class FakeWorker:
    """Ends for reasons that are given, then answers."""

    is_alive = True

    def __init__(self, *reasons: str) -> None:
        self.reasons, self.tasks = list(reasons), list[dict[str, Any]]()

    def do(self, task: dict[str, Any]) -> dict[str, Any]:
        self.tasks.append(task)
        if self.reasons:
            raise WorkerEndedError(self.reasons.pop(0))
        return {"sha256": "1" * 64, "predictions": [dict(OK)]}

    def start(self) -> None: ...
    def stop(self) -> None: ...
    def kill(self) -> None: ...


def finish(store: Store, worker: FakeWorker) -> tuple[StoredRun, Dispatcher]:
    """Let a worker read one run."""
    path = store.uploads / "0"
    path.write_bytes(b"content")
    make: Callable[[], Any] = lambda: worker  # noqa: E731
    work = Dispatcher(store, make, MODELS, 1, Limits(5, 2**28), lambda text: f"[{text}]")

    async def serve() -> StoredRun:
        work.start(asyncio.get_running_loop())
        _, (run,) = store.add_runs(None, [Arrival("x.csv", "file", [("x.csv", "0")], 7)])
        work.add([run], LATER)
        until = time.monotonic() + 120
        while (found := store.run(run.id)) is None or found.state != DONE:
            assert time.monotonic() < until
            await asyncio.sleep(0.01)
        return found

    run = asyncio.run(serve())
    work.stop()
    return run, work


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return Store(tmp_path)


def test_a_run_that_is_read(store: Store) -> None:
    run, work = finish(store, FakeWorker())
    assert run.result is not None
    assert run.result["predictions"][0]["families"] == {"alcohol": [0.5, 0.1]}
    assert work.finished == {"ok": 1}


def test_a_worker_that_crashes_once_has_the_run_tried_again(store: Store) -> None:
    worker = FakeWorker("crash")
    run, work = finish(store, worker)
    assert run.result is not None
    assert run.result["predictions"][0]["status"] == "ok"
    assert run.attempts == len(worker.tasks) == 2
    assert work.ended == {"crash": 1}


@pytest.mark.parametrize(
    ("reasons", "said"),
    [
        (["crash", "crash"], "ended the process that read it"),
        (["time"], "took more than 5 s to read"),
        (["memory"], "took more than 256 MiB and was stopped"),
    ],
)
def test_a_run_that_ends_workers_fails(store: Store, reasons: list[str], said: str) -> None:
    worker = FakeWorker(*reasons)
    run, work = finish(store, worker)
    assert run.result is not None
    (row,) = run.result["predictions"]
    assert (row["status"], row["families"]) == ("failed", {"alcohol": [None, None]})
    assert row["message"].startswith(f"[x.csv: {said}")
    assert len(worker.tasks) == len(reasons)
    assert work.finished == {"failed": 1}


def test_a_result_that_cannot_be_stored_now_is_stored_later(
    store: Store, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """Such as while the disk is full."""
    monkeypatch.setattr(dispatch, "FULL_S", 0.01)
    begin, full = store.begin, [True, True]

    def begin_later(key: str) -> StoredRun | None:
        if full:
            full.pop()
            raise sqlite3.OperationalError("database or disk is full")
        return begin(key)

    monkeypatch.setattr(store, "begin", begin_later)
    run, work = finish(store, FakeWorker())
    assert run.result is not None
    assert run.result["predictions"][0]["status"] == "ok"
    assert "disk is full" in caplog.text
    assert work.busy == 0


def test_a_run_with_which_the_server_ended_twice_fails(store: Store) -> None:
    """Such as one that takes the memory of the whole container."""
    (store.uploads / "0").write_bytes(b"content")
    _, (run,) = store.add_runs(None, [Arrival("x.csv", "file", [("x.csv", "0")], 7)])
    for _ in range(2):
        store.begin(run.id)
        store.wait_again(run.id)
    worker = FakeWorker()
    finish(store, worker)
    found = store.run(run.id)
    assert found is not None
    assert found.result is not None
    assert found.result["predictions"][0]["status"] == "failed"
    assert len(worker.tasks) == 1  # the other run
