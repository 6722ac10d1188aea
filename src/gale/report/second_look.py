"""Labels worth a second look, each with what the model sees in the run."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass

import numpy as np
import polars as pl

from gale.campaign import Campaign
from gale.campaign.labels import prevalence_of
from gale.evaluation.second_look import second_look
from gale.evidence import Window, find_windows
from gale.matching import Matcher
from gale.model import Model
from gale.readers import read_run
from gale.report.scored import Scored
from gale.run import Run


@dataclass(frozen=True)
class SecondLook:
    """A label that deserves a second look, since a held-out prediction contradicts it.

    Parameters
    ----------
    run, family : str
    label : int
        0 or 1.
    probability : float
        By members that did not train on the run.
    prevalence : float
        Training prevalence of the family.
    window : Window or None
        The strongest evidence for the family in the run; None if the model has no elution network.
    """

    run: str
    family: str
    label: int
    probability: float
    prevalence: float
    window: Window | None


def second_looks(campaign: Campaign, model: Model, held_out: Scored, most: int) -> list[SecondLook]:
    """List the labels that held-out predictions contradict, the most probable errors first.

    A prediction contradicts a label if it gives a family that is labelled absent a probability
    above 0.5, or one that is labelled present a probability below its prevalence.
    """
    table = second_look(
        held_out.runs,
        held_out.families,
        held_out.labels,
        held_out.probability,
        prevalence_of(held_out.labels.astype(np.float32)),
        most=most,
    ).filter(pl.col("disagreement") > 0)
    windows = _strongest(campaign, model, set(table["run"]))
    return [
        SecondLook(run, family, label, probability, prevalence, windows.get((run, family)))
        for run, family, label, probability, prevalence, _ in table.iter_rows()
    ]


def _strongest(
    campaign: Campaign, model: Model, runs: Collection[str]
) -> dict[tuple[str, str], Window]:
    """The strongest window of each family in some runs, however weak it is."""
    if not model.has_elution_network:
        return {}
    matcher = Matcher.default()
    first: dict[tuple[str, str], Window] = {}
    for name, source in zip(campaign.runs, campaign.sources, strict=True):
        if name in runs:
            columns = campaign.columns
            run = source if isinstance(source, Run) else read_run(source, columns=columns)
            for window in find_windows(model, run, matcher=matcher, least=0.0):
                first.setdefault((name, window.family), window)
    return first
