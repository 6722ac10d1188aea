"""Evidence: what in a run speaks for a family.

For a model with an elution network: when, by which ions, and which compounds match
(`gale.evidence.windows`). For any other model: by which ions (`gale.evidence.attribution`).
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np
import polars as pl

from gale.errors import ModelError, warn
from gale.evidence.attribution import IONS, Attribution, find_attributions
from gale.evidence.windows import Window, find_windows
from gale.matching import IndexTable, Matcher
from gale.model import Model
from gale.plumbing.arguments import check_loaded
from gale.plumbing.kinds import checked_but
from gale.run import Run

__all__ = [
    "Attribution",
    "Window",
    "check_spectra",
    "explain",
    "find_attributions",
    "find_windows",
]

ELUTION, FEATURES = "elution", "features"
"""What a row is about: a window of the elution network, or attribution to features."""

PROBABILITY = "probability"
"""A column that is called a score where the model is not calibrated, see `gale.Model.number`."""

SCHEMA: dict[str, type[pl.DataType]] = {
    "run": pl.String,
    "family": pl.String,
    PROBABILITY: pl.Float64,
    "basis": pl.String,
    "window": pl.Int64,
    "apex_min": pl.Float64,
    "start_min": pl.Float64,
    "end_min": pl.Float64,
    "share": pl.Float64,
    **{f"ion_{rank}": pl.Int64 for rank in range(1, IONS + 1)},
    **{f"fall_{rank}": pl.Float64 for rank in range(1, IONS + 1)},
    "index": pl.Float64,
    "match": pl.Int64,
    "compound": pl.String,
    "inchikey": pl.String,
    "cosine": pl.Float64,
    "compound_index": pl.Float64,
    "carries_family": pl.Boolean,
}
"""Columns of the table of :func:`explain`, and their types."""


@checked_but("model")
def explain(
    model: Model,
    run: Run,
    *,
    matcher: Matcher | None = None,
    index: IndexTable | None = None,
    least: float | None = None,
) -> pl.DataFrame:
    """Make a table of the evidence in a run for each family.

    Warns (`gale.GaleWarning`) if the model has no elution network, so that the evidence is
    attribution to features, without times.

    Parameters
    ----------
    model : Model
    run : Run
    matcher : Matcher, optional
        Library to match spectra with; by default the one that comes with gale. Like `index`, only
        for models with an elution network.
    index : IndexTable, optional
        Times of known retention index.
    least : float, optional
        Smallest probability of a family to be in the table; by default its training prevalence.

    Returns
    -------
    DataFrame
        The columns of :data:`SCHEMA`; of a model that is not calibrated, ``probability`` is
        called ``score``. With an elution network, ``basis`` is :data:`ELUTION`, and
        each window of each family has one row per match, or one row if there is none. Without one,
        ``basis`` is :data:`FEATURES`, and each family has one row, in which everything about times
        and compounds is null.

    Raises
    ------
    ModelError
        If a library or a table of indices is given for a model without an elution network.
    ReadError
        If the model's features leave out every ion of the run.

    Examples
    --------
    Here ``model_file`` and ``run_file`` are the paths of a small model and of a run.

    >>> from gale import Model, explain, read_run
    >>> table = explain(Model.load(model_file), read_run(run_file)).filter(family="alcohol")
    >>> table.select("window", "ion_1", "ion_2", "match", "compound")[-1].row(0)
    (2, 31, 45, 1, 'ethanol')
    """
    check_loaded("model", model, Model)
    if model.has_elution_network:
        matcher = matcher or Matcher.default()
        windows = find_windows(model, run, matcher=matcher, index=index, least=least)
        rows = [row for number, window in _numbered(windows) for row in _rows(run, number, window)]
    else:
        if matcher is not None or index is not None:
            check_spectra(model)
        warn(
            f"{model.source}: has no elution network, so the evidence is attribution to features, "
            "without times"
        )
        rows = [_row(run, found) for found in find_attributions(model, run, least=least)]
    return pl.DataFrame(rows, schema=SCHEMA).rename({PROBABILITY: model.number})


def no_evidence(model: Model) -> pl.DataFrame:
    """Return the table of :func:`explain` without rows."""
    return pl.DataFrame(schema=SCHEMA).rename({PROBABILITY: model.number})


def check_spectra(model: Model) -> None:
    """Check that the evidence of a model has spectra and times, to compare with a library.

    Raises
    ------
    ModelError
        If the model has no elution network.
    """
    if not model.has_elution_network:
        raise ModelError(
            model.source,
            "has no elution network, so its evidence has no spectra and times to compare with a "
            "library or a table of retention indices",
            "a model with one, such as of the recipe default",
            "leave out the library and the table, or use such a model",
        )


def _numbered(windows: Sequence[Window]) -> Iterator[tuple[int, Window]]:
    """Number the windows of each family from 1."""
    last, number = "", 0
    for window in windows:
        number = number + 1 if window.family == last else 1
        last = window.family
        yield number, window


def _rows(run: Run, number: int, window: Window) -> Iterator[dict[str, object]]:
    known: dict[str, object] = {
        "run": run.source,
        "family": window.family,
        PROBABILITY: window.probability,
        "basis": ELUTION,
        "window": number,
        "apex_min": window.apex_min,
        "start_min": window.start_min,
        "end_min": window.end_min,
        "share": window.share,
        **_ions(window),
        "index": _or_none(window.index),
    }
    if not window.matches:
        yield known
    for rank, match in enumerate(window.matches, start=1):
        yield {
            **known,
            "match": rank,
            "compound": match.compound,
            "inchikey": match.inchikey or None,
            "cosine": match.cosine,
            "compound_index": _or_none(match.index),
            "carries_family": match.carries_family,
        }


def _row(run: Run, found: Attribution) -> dict[str, object]:
    return {
        "run": run.source,
        "family": found.family,
        PROBABILITY: found.probability,
        "basis": FEATURES,
        **_ions(found),
    }


def _ions(found: Window | Attribution) -> dict[str, float]:
    """Give each ion, and each fall, a column of its own."""
    ions = {f"ion_{rank}": mz for rank, mz in enumerate(found.ions, start=1)}
    falls = {f"fall_{rank}": fall for rank, fall in enumerate(found.falls, start=1)}
    return {**ions, **falls}


def _or_none(index: float) -> float | None:
    return None if np.isnan(index) else index
