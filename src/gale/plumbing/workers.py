"""Worker processes."""

from __future__ import annotations

import os
import signal
import time
import warnings
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import BrokenExecutor, Executor, ProcessPoolExecutor
from contextlib import contextmanager
from multiprocessing import get_context, parent_process
from threading import Thread
from types import FrameType
from typing import Any, Protocol, TypeVar, runtime_checkable

from gale.errors import GaleError, GaleWarning

Item = TypeVar("Item")
Result = TypeVar("Result")

CHUNK = 4
"""Runs that a process is given at a time."""


LATE_S = 0.3
"""Seconds that a worker lives on after SIGTERM."""


@contextmanager
def worker_pool(
    workers: int,
    begin: Callable[..., object] | None = None,
    arguments: tuple[Any, ...] = (),
    executor: Executor | None = None,
) -> Iterator[Executor | None]:
    """Yield an executor of worker processes, or None for work in this process.

    Parameters
    ----------
    workers : int
        Number of processes; with 1 no process is started.
    begin : callable, optional
        Called with `arguments` in every process before its first task.
    executor : Executor, optional
        Takes the place of processes if it is a `Beginning`, as that of `gale.plumbing.cluster`;
        with another one, the arguments would have to travel with every task.

    Examples
    --------
    >>> with worker_pool(1) as executor:
    ...     print(executor)
    None
    """
    if isinstance(executor, Beginning):
        yield executor if begin is None else executor.begun(begin, arguments)
        return
    if workers == 1:
        yield None
        return
    with one_thread_each():
        # A process that is forked while threads of polars run may hang; spawned ones start afresh.
        context, setup = get_context("spawn"), (begin, arguments)
        pool = ProcessPoolExecutor(workers, context, _begin_worker, setup)
        try:
            yield pool
        finally:
            pool.shutdown(cancel_futures=True)


@contextmanager
def one_thread_each() -> Iterator[None]:
    """Let processes that are started within use one thread for tables."""
    before = os.environ.get("POLARS_MAX_THREADS")
    os.environ["POLARS_MAX_THREADS"] = "1"  # for the workers, which start with this environment
    try:
        yield
    finally:
        if before is None:
            del os.environ["POLARS_MAX_THREADS"]
        else:
            os.environ["POLARS_MAX_THREADS"] = before


@runtime_checkable
class Beginning(Protocol):
    """An executor whose workers can begin with something that goes to each of them once."""

    def begun(self, begin: Callable[..., object], arguments: tuple[Any, ...]) -> Executor:
        """Return the executor whose workers call `begin` before their first task."""


def mapped(
    function: Callable[[Item], Result],
    items: Iterable[Item],
    executor: Executor | None,
    chunk: int = CHUNK,
) -> Iterator[Result]:
    """Apply a function to items by an executor, or in this process without one; in their order.

    Raises
    ------
    GaleError
        If a process of the executor ends from outside.

    Examples
    --------
    >>> list(mapped(abs, [-1, 2], None))
    [1, 2]
    """
    if executor is None:
        yield from map(function, items)
        return
    try:
        yield from executor.map(function, items, chunksize=chunk)
    except BrokenExecutor as error:
        raise GaleError(
            "reading runs",
            f"a process was ended from outside ({error}), perhaps because memory ran out",
            remedy="pass workers=1",
        ) from error


def _begin_worker(begin: Callable[..., object] | None, arguments: tuple[Any, ...]) -> None:
    # Ctrl-C is for the main process, which then ends this one. So is SIGTERM where it goes to all
    # processes: this one must not be the first to end, which would look like a crash of it.
    ignore_interrupts()
    signal.signal(signal.SIGTERM, _end_late)
    Thread(target=_end_with_parent, daemon=True).start()
    warnings.simplefilter("ignore", GaleWarning)  # the main process says what there is to say
    if begin is not None:
        begin(*arguments)


def ignore_interrupts() -> None:
    """Leave Ctrl-C to the process that started this one."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)


def _end_late(number: int, _frame: FrameType | None) -> None:
    time.sleep(LATE_S)
    os._exit(128 + number)


def _end_with_parent() -> None:
    """End this process when the main one has ended, however that ended."""
    parent = parent_process()
    assert parent is not None
    parent.join()
    os._exit(1)
