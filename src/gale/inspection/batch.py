"""What is unusual in the predictions of a batch of runs as a whole."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

import polars as pl

from gale.plumbing.tables import FAILED, UNLIKE

MIN_RUNS = 20
"""A batch of fewer runs gets no notes."""

USUAL_SHARE = 0.05
"""Share of the training runs whose distance from each other is above 1."""

SIGMAS = 4.0
"""Standard errors by which a share has to differ: runs of a batch often resemble each other."""

MIN_DIFFERENCE = 0.1
"""Smallest difference of a mean probability from the training prevalence that is reported."""


@dataclass
class BatchSums:
    """What the notes on a batch depend on, summed over its tables one after the other."""

    n_runs: int = 0
    n_far: int = 0
    probability: dict[str, float] = field(default_factory=dict)

    def add(self, predictions: pl.DataFrame, families: Iterable[str]) -> None:
        """Add a table of predictions."""
        predicted = predictions.filter(pl.col("status") != FAILED)
        self.n_runs += len(predicted)
        self.n_far += predicted.filter(pl.col(UNLIKE) > 1).height
        for family in families:
            total = float(predicted[family].to_numpy().sum())
            self.probability[family] = self.probability.get(family, 0.0) + total

    def notes(self, prevalence: Mapping[str, float], numbers: str = "probabilities") -> list[str]:
        """Say why the predictions should be checked, see :func:`batch_notes`."""
        if self.n_runs < MIN_RUNS:
            return []
        notes = []
        far = self.n_far / self.n_runs
        if far - USUAL_SHARE > SIGMAS * _standard_error(USUAL_SHARE, self.n_runs):
            notes.append(
                f"{100 * far:.0f} % of the runs are further from the training runs than "
                f"{100 * (1 - USUAL_SHARE):.0f} % of those are from each other; they may come from "
                f"another instrument, where {numbers} are overconfident"
            )
        means = {family: self.probability[family] / self.n_runs for family in prevalence}
        off = [
            f"{family} {means[family]:.2f} ({share:.2f})"
            for family, share in prevalence.items()
            if abs(means[family] - share)
            > max(MIN_DIFFERENCE, SIGMAS * _standard_error(share, self.n_runs))
        ]
        if off:
            notes.append(
                f"mean {numbers} differ from the training prevalence (in brackets), so samples "
                f"or the instrument may differ: {', '.join(off)}; check some of these runs by hand"
            )
        return notes


def batch_notes(
    predictions: pl.DataFrame, prevalence: Mapping[str, float], numbers: str = "probabilities"
) -> list[str]:
    """Say why the predictions of a batch should be checked before they are relied on.

    Parameters
    ----------
    predictions : DataFrame
        A table from `gale.Model.predict`.
    prevalence : mapping of family to float
        Training prevalence of each family, see `gale.Model.prevalence`.
    numbers : str
        What the numbers are called, see `gale.Model.numbers`.

    Returns
    -------
    list of str
        Sentences; none for fewer than :data:`MIN_RUNS` runs that could be predicted.
    """
    sums = BatchSums()
    sums.add(predictions, prevalence)
    return sums.notes(prevalence, numbers)


def _standard_error(share: float, n_runs: int) -> float:
    return math.sqrt(share * (1 - share) / n_runs)
