"""Worker processes end by themselves or by their limits, and are replaced."""

from __future__ import annotations

import sys
from collections.abc import Iterator

import pytest

from gale.serve.pool import MIB, Limits, Worker, WorkerEndedError
from helpers.worker_tasks import begin


@pytest.fixture
def worker() -> Iterator[Worker]:
    worker = Worker(begin, (), Limits(seconds=5, memory=256 * MIB))
    yield worker
    worker.stop()


def test_a_worker_does_one_task_after_the_other(worker: Worker) -> None:
    assert not worker.is_alive
    first, second = worker.do({"do": "nothing"}), worker.do({"do": "nothing"})
    assert first == second
    assert worker.is_alive


@pytest.mark.parametrize("what", ["exit", "fail"])
def test_a_worker_that_ends_is_replaced(worker: Worker, what: str) -> None:
    before = worker.do({"do": "nothing"})
    with pytest.raises(WorkerEndedError) as caught:
        worker.do({"do": what})
    assert caught.value.reason == "crash"
    assert worker.do({"do": "nothing"})["process"] != before["process"]


def test_a_task_that_takes_too_long_is_stopped() -> None:
    worker = Worker(begin, (), Limits(seconds=0.2, memory=256 * MIB))
    with pytest.raises(WorkerEndedError) as caught:
        worker.do({"do": "sleep", "seconds": 60})
    assert caught.value.reason == "time"
    assert not worker.is_alive
    worker.stop()


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux counts the address space")
def test_a_task_that_takes_too_much_memory_is_stopped(worker: Worker) -> None:
    assert worker.do({"do": "allocate", "bytes": 64 * MIB}) == {"size": 64 * MIB}
    with pytest.raises(WorkerEndedError) as caught:
        worker.do({"do": "allocate", "bytes": 1024 * MIB})
    assert caught.value.reason == "memory"
