"""Scores of a model and of what it is compared with, on the same runs.

Symbols: R runs, K families.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import polars as pl

from gale.campaign import Campaign
from gale.evaluation import Predictions
from gale.evaluation.bootstrap import Estimate
from gale.evaluation.metrics import Scores, log_loss_difference, score
from gale.run import Floats

MODEL, BASELINE, PRIOR = "this model", "logistic regression", "training prevalence"
"""Names of the predictions that are compared."""


@dataclass(frozen=True, eq=False)
class Scored:
    """Predictions of a model and of what it is compared with, on the same runs.

    Parameters
    ----------
    where : str
        The runs, in words.
    caution : str
        How to read the scores, in words.
    runs : tuple of str, length R
    families : tuple of str, length K
    labels : array of shape (R, K)
        0 or 1; NaN where unknown.
    probabilities : mapping of str to array of shape (R, K)
        Of the model, of a logistic regression if there is one, and of the training prevalence.
    left_out : mapping of str to str
        Labelled runs that could not be scored, and why.
    """

    where: str
    caution: str
    runs: tuple[str, ...]
    families: tuple[str, ...]
    labels: Floats
    probabilities: Mapping[str, Floats]
    left_out: Mapping[str, str]

    @classmethod
    def of(
        cls,
        where: str,
        caution: str,
        labelled: Campaign,
        predictions: Mapping[str, pl.DataFrame],
        prevalence: Mapping[str, float],
    ) -> Scored:
        """Align predictions of labelled runs, and the training prevalence, with the labels.

        Parameters
        ----------
        where : str
            The runs in words, with ``{n_runs}`` in place of their number.
        caution : str
        labelled : Campaign
            The runs, with their labels.
        predictions : mapping of str to DataFrame
            As :meth:`gale.Model.predict` gives them, of the model (:data:`MODEL`) first. Runs that
            are missing or failed in one of them are left out.
        prevalence : mapping of str to float
            Training prevalence of each family.
        """
        found = {name: Predictions.from_frame(table, name) for name, table in predictions.items()}
        left_out = _left_out(labelled.runs, found)
        chosen = labelled.select([run not in left_out for run in labelled.runs])
        labels = chosen.labels.astype(np.float64)
        prior = [prevalence[family] for family in chosen.families]
        return cls(
            where.format(n_runs=f"{len(chosen):,}"),
            caution,
            chosen.runs,
            chosen.families,
            labels,
            {
                **{name: _aligned(each, chosen) for name, each in found.items()},
                PRIOR: np.broadcast_to(prior, labels.shape),
            },
            left_out,
        )

    @property
    def probability(self) -> Floats:
        """Predictions of the model, (R, K)."""
        return self.probabilities[MODEL]

    @cached_property
    def scores(self) -> dict[str, Scores]:
        """Scores of the model, and of what it is compared with."""
        return {
            name: score(self.labels, probability, self.families)
            for name, probability in self.probabilities.items()
        }

    @cached_property
    def differences(self) -> dict[str, Estimate]:
        """Log loss of the model minus that of each of the others, on the same runs."""
        return {
            name: log_loss_difference(self.labels, self.probability, probability)
            for name, probability in self.probabilities.items()
            if name != MODEL
        }


def _left_out(runs: Sequence[str], found: Mapping[str, Predictions]) -> dict[str, str]:
    """List the runs that cannot be scored, with the reason."""
    left_out: dict[str, str] = {}
    for name, each in found.items():
        there = set(each.runs)
        for run in runs:
            if run in each.failed:
                left_out.setdefault(run, f"{name}: {each.failed[run]}")
            elif run not in there:
                left_out.setdefault(run, f"{name}: not predicted")
    return left_out


def _aligned(predictions: Predictions, campaign: Campaign) -> Floats:
    """The probabilities of a campaign's runs and families, (R, K)."""
    at = {run: row for row, run in enumerate(predictions.runs)}
    rows = [at[run] for run in campaign.runs]
    columns = [predictions.families.index(family) for family in campaign.families]
    return predictions.probability[rows][:, columns]
