"""How and where a verb works: the reading options, made one `gale.Work`."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from concurrent.futures import Executor
from contextlib import contextmanager
from typing import TYPE_CHECKING

from gale.cli.printing import echo

if TYPE_CHECKING:
    from gale.plumbing.work import Work


@contextmanager
def working(
    columns: Mapping[str, str] | None, workers: int | str, no_cache: bool, quiet: bool
) -> Iterator[Work]:
    """Give the work that the reading options describe; at the end, remove its progress bar.

    Parameters
    ----------
    columns, workers, no_cache, quiet
        See :func:`gale.cli.options.reading_options`.
    """
    from gale.cli.progress import ConsoleProgress
    from gale.plumbing.cache import Cache
    from gale.plumbing.work import Work

    progress = ConsoleProgress(quiet=quiet)
    cache = None if no_cache else Cache.default()
    try:
        with executor_of(workers) as executor:
            yield Work(executor=executor, cache=cache, progress=progress, columns=columns)
    finally:
        progress.close()


@contextmanager
def executor_of(workers: int | str) -> Iterator[Executor | None]:
    """Give what does the work: so many processes, None for one, or the workers of Dask.

    Parameters
    ----------
    workers : int or str
        See :func:`gale.cli.options.workers_options`.
    """
    if isinstance(workers, str):
        from gale.plumbing.cluster import NO_WORKER, dask_executor

        with dask_executor(workers) as executor:
            if not executor.n_workers:
                echo(f"note: {NO_WORKER}", err=True)
            yield executor
        return
    from gale.plumbing.workers import worker_pool

    with worker_pool(workers) as pool:
        yield pool
