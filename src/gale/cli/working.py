"""How and where a verb works: the reading options, made one `gale.Work`."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from concurrent.futures import Executor
from contextlib import contextmanager
from typing import TYPE_CHECKING

import click

from gale.cli.printing import echo

if TYPE_CHECKING:
    from gale.plumbing.work import Work


@contextmanager
def working(
    columns: Mapping[str, str] | None,
    workers: int,
    no_cache: bool,
    quiet: bool,
    dask: str | None = None,
) -> Iterator[Work]:
    """Give the work that the reading options describe; at the end, remove its progress bar.

    Parameters
    ----------
    columns, workers, no_cache, quiet, dask
        See :func:`gale.cli.options.reading_options`.
    """
    from gale.cli.progress import ConsoleProgress
    from gale.plumbing.cache import Cache
    from gale.plumbing.work import Work

    progress = ConsoleProgress(quiet=quiet)
    cache = None if no_cache else Cache.default()
    try:
        with executor_of(workers, dask) as executor:
            yield Work(executor=executor, cache=cache, progress=progress, columns=columns)
    finally:
        progress.close()


@contextmanager
def executor_of(workers: int, dask: str | None) -> Iterator[Executor | None]:
    """Give what does the work: processes, the workers of a Dask scheduler, or None.

    Raises
    ------
    UsageError
        If there are both.
    """
    if dask is not None and workers > 1:
        raise click.UsageError("--workers and --dask both say who does the work; leave one out")
    if dask is not None:
        from gale.plumbing.cluster import NO_WORKER, dask_executor

        with dask_executor(dask) as executor:
            if not executor.n_workers:
                echo(f"note: {NO_WORKER}", err=True)
            yield executor
        return
    from gale.plumbing.workers import worker_pool

    with worker_pool(workers) as executor:
        yield executor
