"""From runs to numbers: what the networks see."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import BrokenExecutor, Executor
from dataclasses import dataclass
from functools import partial
from importlib.metadata import version
from pathlib import Path
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from gale.errors import GaleError, MissingExtraError, ReadError
from gale.features.cache import Cache, Summary
from gale.features.spec import FeatureSpec
from gale.features.summary import intensity_moments
from gale.readers import VERSION as READERS
from gale.readers import display_name, load, parse_run, read_run
from gale.run import Floats, Run

Source = Path | Run
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
        What is odd about a run, see `gale.Run`.
    """

    values: NDArray[np.float32]
    errors: tuple[str | None, ...]
    notes: tuple[tuple[str, ...], ...]

    @property
    def ok(self) -> NDArray[np.bool_]:
        """Which runs could be read, shape (R,)."""
        return np.array([error is None for error in self.errors], dtype=bool)


def summarise_runs(
    runs: Sequence[Source],
    spec: FeatureSpec,
    *,
    columns: Mapping[str, str] | None = None,
    executor: Executor | None = None,
    cache: Cache | None = None,
    advance: Callable[[], object] = lambda: None,
) -> FeatureTable:
    """Compute the features of many runs; one bad run never stops the others.

    Parameters
    ----------
    runs : sequence of Path or Run, length R
    spec : FeatureSpec
    columns : mapping, optional
        Names of the columns of tables, as for `gale.read_run`.
    executor : concurrent.futures.Executor, optional
        Where to work on the runs. By default they are worked on one after the other in this
        process, which is as fast as a pool for tables: their parser uses all cores by itself.
    cache : Cache, optional
        Where features of files are kept; none by default.
    advance : callable
        Called after each run.

    Returns
    -------
    FeatureTable
    """
    values = np.full((len(runs), spec.n_features), np.nan, dtype=np.float32)
    errors: list[str | None] = []
    notes: list[tuple[str, ...]] = []
    work = partial(_summarise, spec=spec, columns=columns, cache=cache)
    for row, result in enumerate(_map(work, runs, executor)):
        if isinstance(result, Summary):
            values[row] = result.features
        errors.append(None if isinstance(result, Summary) else result)
        notes.append(result.notes if isinstance(result, Summary) else ())
        advance()
    return FeatureTable(values, tuple(errors), tuple(notes))


def runs_moments(
    runs: Sequence[Source],
    mz_min: int | None,
    mz_max: int | None,
    *,
    columns: Mapping[str, str] | None = None,
    executor: Executor | None = None,
    advance: Callable[[], object] = lambda: None,
) -> Iterator[Floats]:
    """Yield :func:`intensity_moments` of each run that can be read, as ``learn_mz`` takes them."""
    work = partial(_moments, mz_min=mz_min, mz_max=mz_max, columns=columns)
    for moments in _map(work, runs, executor):
        if moments is not None:
            yield moments
        advance()


def _summarise(
    source: Source, spec: FeatureSpec, columns: Mapping[str, str] | None, cache: Cache | None
) -> Summary | str:
    """The features of one run, or why there are none."""
    try:
        if isinstance(source, Run):
            return Summary(spec.summarise(source), source.notes)
        data = load(source)
        if cache is None:
            return _parse_and_summarise(data, source, spec, columns)
        read_as = json.dumps(dict(columns or {}), sort_keys=True)
        key = Cache.key(data, f"{version('gale-ms')} {READERS}", spec.fingerprint, read_as)
        summary = cache.get(key)
        if summary is None:
            summary = _parse_and_summarise(data, source, spec, columns)
            cache.put(key, summary)
    except (ReadError, MissingExtraError) as error:
        return str(error)
    return summary


def _parse_and_summarise(
    data: bytes, path: Path, spec: FeatureSpec, columns: Mapping[str, str] | None
) -> Summary:
    run = parse_run(data, display_name(path), columns=columns)
    return Summary(spec.summarise(run), run.notes)


def _moments(
    source: Source, mz_min: int | None, mz_max: int | None, columns: Mapping[str, str] | None
) -> Floats | None:
    try:
        run = source if isinstance(source, Run) else read_run(source, columns=columns)
    except (ReadError, MissingExtraError):
        return None  # the pass over the features says why
    return intensity_moments(run, mz_min, mz_max)


def _map(
    work: Callable[[Source], Item], runs: Sequence[Source], executor: Executor | None
) -> Iterator[Item]:
    if executor is None:
        yield from map(work, runs)
        return
    try:
        yield from executor.map(work, runs, chunksize=4)
    except BrokenExecutor as error:
        raise GaleError(
            f"a process that reads runs was ended from outside ({error}), perhaps for its memory; "
            "use --workers 1"
        ) from error
