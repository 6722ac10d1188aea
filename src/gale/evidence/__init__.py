"""What in a run says that a family is there, as one table.

Of a model with an elution network: when, by which ions, and which compounds are like it
(`gale.evidence.windows`). Of any other: by which ions (`gale.evidence.attribution`).
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np
import polars as pl

from gale.errors import ModelError
from gale.evidence.attribution import Attribution, attributions_of
from gale.evidence.index import IndexTable
from gale.evidence.matching import Match, Matcher
from gale.evidence.windows import Window, windows_of
from gale.model import Model
from gale.run import Run

__all__ = [
    "Attribution",
    "IndexTable",
    "Match",
    "Matcher",
    "Window",
    "attributions_of",
    "check_spectra",
    "explain",
    "windows_of",
]

ELUTION, FEATURES = "elution", "features"
"""What a row is made of: a window of the elution network, or attribution to features."""

SCHEMA = {
    "run": pl.String,
    "family": pl.String,
    "probability": pl.Float64,
    "basis": pl.String,
    "window": pl.Int64,
    "apex_min": pl.Float64,
    "start_min": pl.Float64,
    "end_min": pl.Float64,
    "share": pl.Float64,
    "ions": pl.String,
    "falls": pl.String,
    "index": pl.Float64,
    "match": pl.Int64,
    "compound": pl.String,
    "cosine": pl.Float64,
    "compound_index": pl.Float64,
    "carries_family": pl.Boolean,
}
"""Columns of the table of :func:`explain`, and their types."""


def explain(
    model: Model,
    run: Run,
    *,
    matcher: Matcher | None = None,
    index: IndexTable | None = None,
    least: float | None = None,
) -> pl.DataFrame:
    """Say what in a run speaks for each family, as a table.

    Parameters
    ----------
    model : Model
        Without an elution network, the evidence is attribution to features, without times.
    run : Run
    matcher : Matcher, optional
        The library to compare spectra with; that which gale brings along by default. Only for
        models with an elution network, as `index`.
    index : IndexTable, optional
        Times of known retention index.
    least : float, optional
        Only families of this probability or more; by default those that are more probable in the
        run than they were frequent in training.

    Returns
    -------
    DataFrame
        With the columns of :data:`SCHEMA`. With an elution network, for each window of each family
        a row for each compound that is like its spectrum, or one row without, if nothing is; the
        column ``basis`` is :data:`ELUTION`. Without one, a row for each family; ``basis`` is
        :data:`FEATURES`, and all that is of times and compounds is null.

    Raises
    ------
    ModelError
        If the model has no elution network, and a library or a table of indices is given.
    ReadError
        If no ion of the run has an m/z that counts.
    """
    if model.has_elution_network:
        matcher = matcher or Matcher.default()
        windows = windows_of(model, run, matcher=matcher, index=index, least=least)
        rows = [row for number, each in _numbered(windows) for row in _rows(run, number, each)]
    else:
        if matcher is not None or index is not None:
            check_spectra(model)
        rows = [_row(run, each) for each in attributions_of(model, run, least=least)]
    return pl.DataFrame(rows, schema=SCHEMA, orient="row")


def check_spectra(model: Model) -> None:
    """See that a model says when families elute, so that spectra can be compared.

    Raises
    ------
    ModelError
        If it has no elution network.
    """
    if not model.has_elution_network:
        raise ModelError(
            f"{model.source}: found a model without elution network, whose evidence has no spectra "
            "and no times; expected one with it, as of the recipe default, to compare them with a "
            "library or a table of indices; leave these away, or train with a recipe that has one"
        )


def _numbered(windows: Sequence[Window]) -> Iterator[tuple[int, Window]]:
    """Number the windows of each family from 1."""
    last, number = "", 0
    for window in windows:
        number = number + 1 if window.family == last else 1
        last = window.family
        yield number, window


def _rows(run: Run, number: int, window: Window) -> Iterator[tuple[object, ...]]:
    ions = " ".join(map(str, window.ions))
    known = (
        run.source, window.family, window.probability, ELUTION, number, window.apex_min,
        window.start_min, window.end_min, window.share, ions, None,
        None if np.isnan(window.index) else window.index,
    )  # fmt: skip
    if not window.matches:
        yield (*known, None, None, None, None, None)
    for rank, match in enumerate(window.matches, start=1):
        index = None if np.isnan(match.index) else match.index
        yield (*known, rank, match.compound, match.cosine, index, match.carries_family)


def _row(run: Run, found: Attribution) -> tuple[object, ...]:
    ions = " ".join(map(str, found.ions))
    falls = " ".join(f"{fall:.2f}" for fall in found.falls)
    nothing_of_times, nothing_of_compounds = (None,) * 5, (None,) * 6
    return (
        run.source, found.family, found.probability, FEATURES, *nothing_of_times, ions, falls,
        *nothing_of_compounds,
    )  # fmt: skip
