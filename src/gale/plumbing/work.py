"""How and where runs are processed, as one object that functions hand on."""

from __future__ import annotations

from collections.abc import Mapping
from concurrent.futures import Executor
from dataclasses import dataclass, field

from gale.plumbing.cache import Cache
from gale.plumbing.progress import Progress, usual_progress


@dataclass(frozen=True)
class Work:
    """How and where runs are processed; the defaults suit most uses.

    Parameters
    ----------
    executor : concurrent.futures.Executor, optional
        Reads the runs; by default this process does, which for tables is as fast as a pool, since
        their parser uses all cores. One of :func:`gale.dask_executor` simulates runs, too.
    workers : int
        Processes that simulate runs, unless the executor does. With more than one, a script must
        start its work under ``if __name__ == "__main__":``, since every process imports the script.
    cache : Cache, optional
        Stores features of runs and pre-trained weights; by default nothing is stored.
    progress : Progress
        Receives progress and notes. By default notes become warnings (`gale.GaleWarning`), and a
        notebook shows a bar.
    device : str, optional
        Trains the networks, ``cpu`` or ``cuda``; by default a GPU if there is one.
    strict : bool
        Whether a run that cannot be read stops a training; otherwise the run is left out with a
        note to `progress`.
    columns : mapping of str to str, optional
        Names of the columns of tables, as :func:`gale.read_run` takes them; by default those of
        the campaign or the model.

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
