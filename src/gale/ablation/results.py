"""The results of an ablation: every training, and means and deviations over trainings."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple

import polars as pl

from gale.ablation.steps import AblationStep

SPLITS = ("val", "test")
"""The splits that are scored."""

LogLosses = dict[str, float | None]
"""Log loss on the runs of each of `SPLITS`, in this order; None if no label is known."""

ENSEMBLE = 10
"""Most networks of the ensemble; those with the lowest validation log loss are in it."""

METHODS = {
    "fixed_soup": "FixedSoup",
    "greedy_soup": "GreedySoup",
    "ensemble": f"ensemble of at most {ENSEMBLE}",
    "soup_average": "average",
}
"""The methods compared over iterations, and their names for people. The last one is the average of
the soup itself, from which FixedSoup trains on; the published code returned it."""

SCORES_SCHEMA = {f"{split}_log_loss": pl.Float64 for split in SPLITS}

TRAININGS_SCHEMA = {"step": pl.String, "training": pl.Int64, **SCORES_SCHEMA, "epochs": pl.Int64}
"""Columns of the trainings. ``epochs`` counts those of all fits of a training."""

CURVES_SCHEMA = {"method": pl.String, "iteration": pl.Int64, "training": pl.Int64, **SCORES_SCHEMA}
"""Columns of the curves; for the methods, see `METHODS`."""


class Training(NamedTuple):
    """A training of a step: its number, log losses, and the epochs of all its fits."""

    step: str
    number: int
    scores: LogLosses
    epochs: int

    def row(self) -> tuple[object, ...]:
        """Return its row for `TRAININGS_SCHEMA`."""
        return self.step, self.number, *self.scores.values(), self.epochs


class Point(NamedTuple):
    """Log losses of a method after an iteration of a training's soup."""

    method: str
    iteration: int
    training: int
    scores: LogLosses

    def row(self) -> tuple[object, ...]:
        """Return its row for `CURVES_SCHEMA`."""
        return self.method, self.iteration, self.training, *self.scores.values()


@dataclass(frozen=True, eq=False)
class Ablation:
    """Log losses of the steps of an ablation, and of soups over iterations.

    Parameters
    ----------
    steps : tuple of AblationStep
        The last one is the FixedSoup.
    trainings : polars.DataFrame
        One row per step and training, with the columns of `TRAININGS_SCHEMA`. Log losses of test
        are null if its labels are not known.
    curves : polars.DataFrame
        One row per method, iteration and training, with the columns of `CURVES_SCHEMA`.
    prior : LogLosses
        Log loss of the training prevalence.
    facts : mapping
        Recipe, seed, campaign and versions, as plain values.
    """

    steps: tuple[AblationStep, ...]
    trainings: pl.DataFrame
    curves: pl.DataFrame
    prior: LogLosses
    facts: Mapping[str, Any]

    @property
    def has_test(self) -> bool:
        """Whether labels of the test split are known."""
        return self.prior["test"] is not None

    def table(self) -> pl.DataFrame:
        """Return means and standard deviations over trainings, one row per step, in order.

        Returns
        -------
        polars.DataFrame
            Columns ``step``, ``trainings``, ``val_log_loss``, ``val_sd``, ``test_log_loss``,
            ``test_sd``, ``epochs`` (mean), and ``author_val_log_loss`` and ``author_val_sd``, which
            the author reported for other data. Deviations of a single training are null.
        """
        reported = pl.DataFrame(
            [(step.name, *step.reported) for step in self.steps],
            schema={
                "step": pl.String,
                "author_val_log_loss": pl.Float64,
                "author_val_sd": pl.Float64,
            },
            orient="row",
        )
        steps = self.trainings.group_by("step", maintain_order=True)
        means = steps.agg(pl.len().alias("trainings"), *_mean_and_sd(), pl.col("epochs").mean())
        return means.join(reported, on="step", how="left", maintain_order="left")

    def curve_table(self) -> pl.DataFrame:
        """Return means and standard deviations over trainings, per method and iteration.

        Returns
        -------
        polars.DataFrame
            Columns ``method``, ``iteration``, ``trainings``, ``val_log_loss``, ``val_sd``,
            ``test_log_loss`` and ``test_sd``.
        """
        groups = self.curves.group_by("method", "iteration", maintain_order=True)
        return groups.agg(pl.len().alias("trainings"), *_mean_and_sd())


def _mean_and_sd() -> list[pl.Expr]:
    """Make the mean and the standard deviation of each split's log loss."""
    return [
        expression
        for split in SPLITS
        for expression in (
            pl.col(f"{split}_log_loss").mean(),
            pl.col(f"{split}_log_loss").std().alias(f"{split}_sd"),
        )
    ]
