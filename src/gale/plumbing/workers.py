"""Worker processes."""

from __future__ import annotations

import os
import signal
from collections.abc import Callable, Iterator
from concurrent.futures import Executor, ProcessPoolExecutor
from contextlib import contextmanager
from multiprocessing import get_context
from typing import Any


@contextmanager
def worker_pool(
    workers: int, begin: Callable[..., object] | None = None, arguments: tuple[Any, ...] = ()
) -> Iterator[Executor | None]:
    """Yield an executor of worker processes, or None for work in this process.

    Parameters
    ----------
    workers : int
        Number of processes; with 1 no process is started.
    begin : callable, optional
        Called with `arguments` in every process before its first task.

    Examples
    --------
    >>> with worker_pool(1) as executor:
    ...     print(executor)
    None
    """
    if workers == 1:
        yield None
        return
    before = os.environ.get("POLARS_MAX_THREADS")
    os.environ["POLARS_MAX_THREADS"] = "1"  # for the workers, which start with this environment
    # A process that is forked while threads of polars run may hang; spawned ones start afresh.
    executor = ProcessPoolExecutor(workers, get_context("spawn"), _begin_worker, (begin, arguments))
    try:
        yield executor
    finally:
        executor.shutdown(cancel_futures=True)
        if before is None:
            del os.environ["POLARS_MAX_THREADS"]
        else:
            os.environ["POLARS_MAX_THREADS"] = before


def _begin_worker(begin: Callable[..., object] | None, arguments: tuple[Any, ...]) -> None:
    # Ctrl-C is for the main process, which then ends this one.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    if begin is not None:
        begin(*arguments)
