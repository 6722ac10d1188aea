"""Features: the numbers that a network sees of a run."""

from __future__ import annotations

import json
import logging
import os
import stat
from collections import deque
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import Executor, Future, ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from importlib.metadata import version
from multiprocessing import parent_process
from pathlib import Path
from typing import NamedTuple, TypeVar

import numpy as np
from numpy.typing import NDArray

from gale.errors import MissingExtraError, ReadError
from gale.features.content import checksum_inside, checksum_of_run, parse_with_content
from gale.features.spec import FeatureSpec
from gale.features.summary import intensity_moments
from gale.plumbing.arrays import Arrays, is_finite
from gale.plumbing.cache import Cache
from gale.plumbing.text import display_name
from gale.plumbing.work import Work
from gale.plumbing.workers import mapped
from gale.readers import VERSION as READERS
from gale.readers import checksum_of, load, read_run
from gale.readers.faults import faults_of
from gale.readers.tables.headers import RememberedColumns
from gale.run import Floats, Floats32, Run

LOG = logging.getLogger("gale.features")

PathOrRun = Path | Run

THREADS = 4
"""Most runs that are read and computed at a time in this process."""

LARGE = 2**26
"""A file of more bytes is read while no other one is."""

Item = TypeVar("Item")


@dataclass(frozen=True)
class FeatureTable:
    """Features of R runs.

    Parameters
    ----------
    values : array of shape (R, D), float32
        NaN in the rows of runs that could not be read.
    errors : tuple of str or None, length R
        Why a run could not be read; None where it could.
    notes : tuple of tuples of str, length R
        How the reader read each run, see `gale.Run`.
    weighty : tuple of tuples of str, length R
        What makes it doubtful whether features of a run mean anything.
    others : tuple of tuples of str, length R
        What else is odd about a run.
    checksums : tuple of str, length R
        SHA-256 of the bytes that were read; empty for a run in memory or one that failed.
    contents : tuple of str, length R
        SHA-256 of what these bytes hold: where a file is packed, of what is in it, and of the
        numbers of a run in memory. Empty for one that failed.
    """

    values: Floats32
    errors: tuple[str | None, ...]
    notes: tuple[tuple[str, ...], ...]
    weighty: tuple[tuple[str, ...], ...]
    others: tuple[tuple[str, ...], ...]
    checksums: tuple[str, ...]
    contents: tuple[str, ...]

    @property
    def ok(self) -> NDArray[np.bool_]:
        """Which runs could be read, shape (R,)."""
        return np.array([error is None for error in self.errors], dtype=bool)


class RunFeatures(NamedTuple):
    """The features (D,) of one run, and what is said of it, see `FeatureTable`."""

    features: Floats32
    weighty: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()
    others: tuple[str, ...] = ()
    checksum: str = ""
    content: str = ""


SAID = ("weighty", "notes", "others")
"""What is said of a run, as `RunFeatures` and the cache have it."""

Said = tuple[tuple[str, ...], tuple[str, ...], tuple[str, ...]]

Look = Callable[[Run], Said]
"""Says what there is to say of a run, as :data:`SAID`; pickled for processes."""


def reader_notes(run: Run) -> Said:
    """Say what the reader says, and find nothing else."""
    return (), run.notes, ()


def compute_features(
    runs: Sequence[PathOrRun],
    spec: FeatureSpec,
    work: Work | None = None,
    *,
    look: Look = reader_notes,
) -> FeatureTable:
    """Compute the features of many runs; a run that cannot be read does not stop the others.

    Parameters
    ----------
    runs : sequence of Path or Run, length R
    spec : FeatureSpec
    work : Work, optional
        How and where runs are read; its progress makes one step per run.
    look : callable
        Says what there is to say of a run; by default what its reader says.

    Returns
    -------
    FeatureTable

    Raises
    ------
    GaleError
        If a process of the executor ends from outside.

    Examples
    --------
    >>> from gale import Run
    >>> from gale.features.elution import ElutionSpec
    >>> from gale.features.profile import ProfileSpec
    >>> run = Run.from_rows([1, 1, 2, 3], [57, 91, 57, 91], [70, 30, 90, 20])
    >>> table = compute_features([run], ProfileSpec(ElutionSpec(mz_first=50, mz_last=99), 10))
    >>> table.values.shape, table.ok
    ((1, 110), array([ True]))
    """
    work = work or Work()
    values = np.full((len(runs), spec.n_features), np.nan, dtype=np.float32)
    errors: list[str | None] = []
    said: list[RunFeatures] = []
    compute = partial(_compute, spec=spec, columns=work.columns, cache=work.cache, look=look)
    for row, result in enumerate(_map(compute, runs, work.executor)):
        if isinstance(result, RunFeatures):
            values[row] = result.features
        errors.append(None if isinstance(result, RunFeatures) else result)
        said.append(result if isinstance(result, RunFeatures) else RunFeatures(values[row]))
        work.progress.step()
    return FeatureTable(
        values,
        tuple(errors),
        tuple(each.notes for each in said),
        tuple(each.weighty for each in said),
        tuple(each.others for each in said),
        tuple(each.checksum for each in said),
        tuple(each.content for each in said),
    )


def runs_moments(
    runs: Sequence[PathOrRun], mz_min: int | None, mz_max: int | None, work: Work | None = None
) -> Iterator[Floats]:
    """Yield the :func:`intensity_moments` of each run that can be read, for ``learn_mz``."""
    work = work or Work()
    compute = partial(_moments, mz_min=mz_min, mz_max=mz_max, columns=work.columns)
    for moments in _map(compute, runs, work.executor):
        if moments is not None:
            yield moments
        work.progress.step()


def _compute(
    source: PathOrRun,
    spec: FeatureSpec,
    columns: Mapping[str, str] | None,
    cache: Cache | None,
    look: Look,
) -> RunFeatures | str:
    """The features of one run, or why there are none."""
    try:
        with faults_of(source.source if isinstance(source, Run) else source):
            return _features(source, spec, columns, cache, look)
    except (ReadError, MissingExtraError) as error:
        return str(error)


def _features(
    source: PathOrRun,
    spec: FeatureSpec,
    columns: Mapping[str, str] | None,
    cache: Cache | None,
    look: Look,
) -> RunFeatures:
    if isinstance(source, Run):
        features, content = spec.features_of(source), checksum_of_run(source)
        return RunFeatures(features, *look(source), content=content)
    data = load(source)
    checksum = checksum_of(data)
    if cache is None:
        return _parse_and_compute(data, source, spec, columns, look, checksum)
    optional = isinstance(columns, RememberedColumns)
    read_as = json.dumps([optional, dict(columns or {})], sort_keys=True)
    said_by = () if look is reader_notes else (f"{look.__module__}.{look.__qualname__}",)
    software = f"{version('gale-ms')} {READERS}"
    key = Cache.key(checksum.encode(), software, spec.fingerprint, read_as, *said_by)
    cached = cache.get(key, partial(_is_usable, spec=spec))
    if cached is not None:
        LOG.info("features of %s: from the cache", display_name(source))
        weighty, notes, others = (tuple(map(str, cached.get(name, ()))) for name in SAID)
        content = checksum_inside(data, display_name(source), columns, checksum)
        return RunFeatures(cached["features"], weighty, notes, others, checksum, content)
    result = _parse_and_compute(data, source, spec, columns, look, checksum)
    said_texts = {name: np.array(getattr(result, name), dtype=str) for name in SAID}
    cache.put(key, {"features": result.features, **said_texts})
    return result


def _is_usable(arrays: Arrays, spec: FeatureSpec) -> bool:
    """Whether the cache has what :func:`_features` stores."""
    features = arrays.get("features")
    return (
        features is not None
        and features.shape == (spec.n_features,)
        and features.dtype == np.float32
        and is_finite(features)
        and all(
            arrays[name].ndim == 1 and arrays[name].dtype.kind == "U"
            for name in SAID
            if name in arrays
        )
    )


def _parse_and_compute(
    data: bytes,
    path: Path,
    spec: FeatureSpec,
    columns: Mapping[str, str] | None,
    look: Look,
    checksum: str,
) -> RunFeatures:
    run, content = parse_with_content(data, display_name(path), columns, checksum)
    return RunFeatures(spec.features_of(run), *look(run), checksum, content)


def _moments(
    source: PathOrRun, mz_min: int | None, mz_max: int | None, columns: Mapping[str, str] | None
) -> Floats | None:
    try:
        run = source if isinstance(source, Run) else read_run(source, columns=columns)
    except (ReadError, MissingExtraError):
        return None  # compute_features says why
    return intensity_moments(run, mz_min, mz_max)


def _map(
    compute: Callable[[PathOrRun], Item], runs: Sequence[PathOrRun], executor: Executor | None
) -> Iterator[Item]:
    if executor is None:
        yield from _overlapped(compute, runs)
        return
    yield from mapped(compute, runs, executor)


def _overlapped(compute: Callable[[PathOrRun], Item], runs: Sequence[PathOrRun]) -> Iterator[Item]:
    """Do a few runs at a time in threads, so that one is read while others are computed.

    A large file is done alone, so that memory is that of one.
    """
    n_threads = min(os.cpu_count() or 1, THREADS)
    if n_threads < 2 or len(runs) < 2 or parent_process() is not None:  # other processes compute
        yield from map(compute, runs)
        return
    with ThreadPoolExecutor(n_threads) as pool:
        waiting: deque[Future[Item]] = deque()
        try:
            for run in runs:
                if _is_large(run):
                    while waiting:
                        yield waiting.popleft().result()
                    yield compute(run)
                    continue
                waiting.append(pool.submit(compute, run))
                if len(waiting) > n_threads:
                    yield waiting.popleft().result()
            while waiting:
                yield waiting.popleft().result()
        finally:
            pool.shutdown(wait=False, cancel_futures=True)


def _is_large(run: PathOrRun) -> bool:
    """Whether a run is in memory, in a folder, or in a large file."""
    if isinstance(run, Run):
        return True
    try:
        status = run.stat()
    except (OSError, ValueError):
        return False
    return status.st_size > LARGE or stat.S_ISDIR(status.st_mode)
