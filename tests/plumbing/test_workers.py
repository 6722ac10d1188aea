"""Processes for work over runs."""

from __future__ import annotations

import os
import signal

import pytest

from gale.plumbing.workers import worker_pool

_BEGUN: list[str] = []


def begin(text: str) -> None:
    _BEGUN.append(text)


def facts(number: int) -> tuple[int, int, list[str], str | None, bool]:
    return (
        number,
        os.getpid(),
        _BEGUN,
        os.environ.get("POLARS_MAX_THREADS"),
        signal.getsignal(signal.SIGINT) == signal.SIG_IGN,
    )


def fail(number: int) -> None:
    raise ValueError(number)


@pytest.fixture(autouse=True)
def environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("POLARS_MAX_THREADS", "1")


def test_one_worker_is_this_process() -> None:
    with worker_pool(1, begin, ("never",)) as executor:
        assert executor is None
    assert _BEGUN == []


@pytest.mark.slow
def test_several_are_others_that_begin_and_leave_interruption_to_this_one() -> None:
    with worker_pool(2, begin, ("begun",)) as executor:
        assert executor is not None
        found = list(executor.map(facts, range(6)))
    assert [number for number, *_ in found] == list(range(6))
    for _, process, begun, threads, ignores in found:
        assert process != os.getpid()
        assert begun == ["begun"]
        assert threads == "1"
        assert ignores
    assert _BEGUN == []


def test_an_error_of_a_worker_is_this_ones() -> None:
    with worker_pool(2) as executor:
        assert executor is not None
        failing = executor.submit(fail, 3)
        with pytest.raises(ValueError, match="3"):
            failing.result()
