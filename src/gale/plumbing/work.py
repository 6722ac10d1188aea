"""How and where work over runs is done: one thing that is handed on whole."""

from __future__ import annotations

from collections.abc import Mapping
from concurrent.futures import Executor
from dataclasses import dataclass, field

from gale.plumbing.cache import Cache
from gale.plumbing.progress import Progress, usual_progress


@dataclass(frozen=True)
class Work:
    """How and where work over runs is done; the default serves.

    Parameters
    ----------
    executor : concurrent.futures.Executor, optional
        Where runs are read; in this process by default, which is as fast as a pool for tables:
        their parser uses all cores by itself.
    workers : int
        Processes that simulate runs. With more than one, a script has to begin its own work under
        ``if __name__ == "__main__":``, since every process imports it.
    cache : Cache, optional
        Where features of runs and the weights of pre-training are kept; nowhere by default.
    progress : Progress
        What is told how far the work is. By default notes become warnings (`gale.GaleWarning`),
        and a notebook shows a bar.
    device : str, optional
        Where networks are trained, ``cpu`` or ``cuda``; a GPU by default, where there is one.
    strict : bool
        Whether a run that cannot be read stops a training; otherwise it is left out, which
        `progress` is told.
    columns : mapping, optional
        Names of the columns of tables, as :func:`gale.read_run` takes them; those of the campaign
        or the model by default.

    Examples
    --------
    >>> import gale
    >>> gale.Work(workers=4, strict=True).workers
    4
    """

    executor: Executor | None = None
    workers: int = 1
    cache: Cache | None = None
    progress: Progress = field(default_factory=usual_progress)
    device: str | None = None
    strict: bool = False
    columns: Mapping[str, str] | None = None
