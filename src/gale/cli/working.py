"""How and where a verb works: the reading options, made one `gale.Work`."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from gale.plumbing.work import Work


@contextmanager
def working(
    columns: Mapping[str, str] | None, workers: int, no_cache: bool, quiet: bool
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
    from gale.plumbing.workers import worker_pool

    progress = ConsoleProgress(quiet=quiet)
    cache = None if no_cache else Cache.default()
    try:
        with worker_pool(workers) as executor:
            yield Work(executor=executor, cache=cache, progress=progress, columns=columns)
    finally:
        progress.close()
