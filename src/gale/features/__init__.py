"""Features: the numbers that a network sees of a run."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import BrokenExecutor, Executor
from dataclasses import dataclass
from functools import partial
from importlib.metadata import version
from pathlib import Path
from typing import NamedTuple, TypeVar

import numpy as np
from numpy.typing import NDArray

from gale.errors import GaleError, MissingExtraError, ReadError
from gale.features.spec import FeatureSpec
from gale.features.summary import intensity_moments
from gale.plumbing.cache import Cache
from gale.plumbing.text import display_name
from gale.plumbing.work import Work
from gale.readers import VERSION as READERS
from gale.readers import load, parse_run, read_run
from gale.readers.tables.headers import RememberedColumns
from gale.run import Floats, Floats32, Run

PathOrRun = Path | Run
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
    """

    values: Floats32
    errors: tuple[str | None, ...]
    notes: tuple[tuple[str, ...], ...]

    @property
    def ok(self) -> NDArray[np.bool_]:
        """Which runs could be read, shape (R,)."""
        return np.array([error is None for error in self.errors], dtype=bool)


class RunFeatures(NamedTuple):
    """The features (D,) of one run, and the reader's notes on it."""

    features: Floats32
    notes: tuple[str, ...]


def compute_features(
    runs: Sequence[PathOrRun], spec: FeatureSpec, work: Work | None = None
) -> FeatureTable:
    """Compute the features of many runs; a run that cannot be read does not stop the others.

    Parameters
    ----------
    runs : sequence of Path or Run, length R
    spec : FeatureSpec
    work : Work, optional
        How and where runs are read; its progress makes one step per run.

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
    notes: list[tuple[str, ...]] = []
    compute = partial(_compute, spec=spec, columns=work.columns, cache=work.cache)
    for row, result in enumerate(_map(compute, runs, work.executor)):
        if isinstance(result, RunFeatures):
            values[row] = result.features
        errors.append(None if isinstance(result, RunFeatures) else result)
        notes.append(result.notes if isinstance(result, RunFeatures) else ())
        work.progress.step()
    return FeatureTable(values, tuple(errors), tuple(notes))


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
    source: PathOrRun, spec: FeatureSpec, columns: Mapping[str, str] | None, cache: Cache | None
) -> RunFeatures | str:
    """The features of one run, or why there are none."""
    try:
        if isinstance(source, Run):
            return RunFeatures(spec.features_of(source), source.notes)
        data = load(source)
        if cache is None:
            return _parse_and_compute(data, source, spec, columns)
        optional = isinstance(columns, RememberedColumns)
        read_as = json.dumps([optional, dict(columns or {})], sort_keys=True)
        key = Cache.key(data, f"{version('gale-ms')} {READERS}", spec.fingerprint, read_as)
        cached = cache.get(key)
        if cached is not None:
            return RunFeatures(cached["features"], tuple(map(str, cached["notes"])))
        result = _parse_and_compute(data, source, spec, columns)
        cache.put(key, {"features": result.features, "notes": np.array(result.notes, dtype=str)})
    except (ReadError, MissingExtraError) as error:
        return str(error)
    return result


def _parse_and_compute(
    data: bytes, path: Path, spec: FeatureSpec, columns: Mapping[str, str] | None
) -> RunFeatures:
    run = parse_run(data, display_name(path), columns=columns)
    return RunFeatures(spec.features_of(run), run.notes)


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
        yield from map(compute, runs)
        return
    try:
        yield from executor.map(compute, runs, chunksize=4)
    except BrokenExecutor as error:
        raise GaleError(
            "reading runs",
            f"a process was ended from outside ({error}), perhaps because memory ran out",
            remedy="pass workers=1",
        ) from error
