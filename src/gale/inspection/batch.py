"""What is odd about a batch of runs as a whole, where no single run need be odd."""

from __future__ import annotations

import math
from collections.abc import Mapping

import polars as pl

from gale.plumbing.tables import UNLIKE

FEWEST = 20
"""Of fewer runs nothing is said."""

USUAL = 0.05
"""Share of the training runs whose score of unlikeness is above 1."""

SIGMAS = 4.0
"""Standard errors by which a share has to be off: runs of a batch often resemble each other."""

LEAST = 0.1
"""Difference of a mean probability from the training prevalence that matters."""


def batch_notes(predictions: pl.DataFrame, prevalence: Mapping[str, float]) -> list[str]:
    """Say what tells that predictions of a batch should not be relied on without a look.

    Parameters
    ----------
    predictions : DataFrame
        What `gale.Model.predict` gave.
    prevalence : mapping of family to float
        The share of the training runs that hold each, see `gale.Model.prevalence`.

    Returns
    -------
    list of str
        Sentences; none for fewer than :data:`FEWEST` runs that could be predicted.
    """
    predicted = predictions.filter(status="ok")
    n_runs = len(predicted)
    if n_runs < FEWEST:
        return []
    notes = []
    far = predicted.filter(pl.col(UNLIKE) > 1).height / n_runs
    if far - USUAL > SIGMAS * _standard_error(USUAL, n_runs):
        notes.append(
            f"{far:.0%} of the runs are more unlike the training runs than {1 - USUAL:.0%} of "
            "these are: of another instrument, it may be, for which probabilities are too sure"
        )
    means = {family: float(predicted[family].to_numpy().mean()) for family in prevalence}
    off = [
        f"{family} {means[family]:.2f} ({share:.2f})"
        for family, share in prevalence.items()
        if abs(means[family] - share) > max(LEAST, SIGMAS * _standard_error(share, n_runs))
    ]
    if off:
        notes.append(
            "the mean probability is far from the share of the training runs (in brackets), since "
            f"samples or the instrument differ: {', '.join(off)}; check some of these runs by hand"
        )
    return notes


def _standard_error(share: float, n_runs: int) -> float:
    return math.sqrt(share * (1 - share) / n_runs)
