"""Processes for work over runs."""

from __future__ import annotations

import os
import signal
from collections.abc import Callable, Iterator
from concurrent.futures import Executor, ProcessPoolExecutor
from contextlib import contextmanager
from multiprocessing import get_context
from typing import Any


@contextmanager
def workers_pool(
    workers: int, begin: Callable[..., object] | None = None, arguments: tuple[Any, ...] = ()
) -> Iterator[Executor | None]:
    """Give an executor of so many processes, or None for work in this process.

    Parameters
    ----------
    workers : int
    begin : callable, optional
        Called with `arguments` in every process before its first work.
    """
    if workers == 1:
        yield None
        return
    before = os.environ.get("POLARS_MAX_THREADS")
    os.environ["POLARS_MAX_THREADS"] = "1"  # for the processes: one core each
    # A process that is forked while polars' threads run may hang; these start afresh.
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
    # Ctrl-C is for the process that started this one, which then ends it.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    if begin is not None:
        begin(*arguments)
