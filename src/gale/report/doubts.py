"""Labels worth a second look, each with what speaks for and against it."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass

import numpy as np
import polars as pl

from gale.campaign import Campaign
from gale.campaign.labels import prevalence_of
from gale.evaluation.second_look import second_look
from gale.evidence import Matcher, Window, find_windows
from gale.model import Model
from gale.readers import read_run
from gale.report.scored import Scored


@dataclass(frozen=True)
class Doubt:
    """A label that predictions disagree with.

    Parameters
    ----------
    run, family : str
    label : int
        0 or 1.
    probability : float
        By members that did not train on the run.
    prevalence : float
        Share of the training runs that hold the family.
    window : Window or None
        Where in the run most speaks for the family; None if the model cannot say.
    """

    run: str
    family: str
    label: int
    probability: float
    prevalence: float
    window: Window | None


def doubts(campaign: Campaign, model: Model, out_of_fold: Scored, most: int) -> list[Doubt]:
    """Find the labels that predictions disagree with most, the most doubtful first.

    Only those count that the predictions say the opposite of: a probability of 0.5 or more of a
    family that is labelled absent, or one below the prevalence of one that is labelled present.
    """
    table = second_look(
        out_of_fold.runs,
        out_of_fold.families,
        out_of_fold.labels,
        out_of_fold.probability,
        prevalence_of(out_of_fold.labels.astype(np.float32)),
        most=most,
    ).filter(pl.col("disagreement") > 0)
    spoken = _strongest(campaign, model, set(table["run"]))
    return [
        Doubt(run, family, label, probability, prevalence, spoken.get((run, family)))
        for run, family, label, probability, prevalence, _ in table.iter_rows()
    ]


def _strongest(
    campaign: Campaign, model: Model, runs: Collection[str]
) -> dict[tuple[str, str], Window]:
    """Where in some runs most speaks for each family, however little that is."""
    if not model.has_elution_network:
        return {}
    matcher = Matcher.default()
    first: dict[tuple[str, str], Window] = {}
    for name, file in zip(campaign.runs, campaign.paths, strict=True):
        if name in runs:
            run = read_run(file, columns=campaign.columns)
            for window in find_windows(model, run, matcher=matcher, least=0.0):
                first.setdefault((name, window.family), window)
    return first
