"""Labels worth a second look, each with what speaks for and against it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from gale.campaign import Campaign
from gale.evaluation import Evaluation
from gale.evidence import Matcher, Window, windows_of
from gale.model import Model
from gale.readers import read_run
from gale.second_look import second_look


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


def doubts(campaign: Campaign, model: Model, out_of_fold: Evaluation, most: int) -> list[Doubt]:
    """Find the labels that predictions disagree with most, the most doubtful first.

    Only those count that the predictions say the opposite of: a probability of 0.5 or more of a
    family that is labelled absent, or one below the prevalence of one that is labelled present.
    """
    table = second_look(
        out_of_fold.runs,
        out_of_fold.families,
        out_of_fold.labels,
        out_of_fold.probability,
        out_of_fold.prevalence,
        most=most,
    )
    matcher = Matcher.default() if model.has_elution_network else None
    file_of = dict(zip(campaign.runs, campaign.paths, strict=True))
    found = []
    for run, family, label, probability, prevalence, disagreement in table.iter_rows():
        if disagreement <= 0:
            break
        window = None
        if matcher is not None:
            window = _strongest(model, file_of[run], family, campaign.columns, matcher)
        found.append(Doubt(run, family, label, probability, prevalence, window))
    return found


def _strongest(
    model: Model,
    file: Path,
    family: str,
    columns: Mapping[str, str] | None,
    matcher: Matcher,
) -> Window:
    """Where in a run most speaks for a family, however little that is."""
    run = read_run(file, columns=columns)
    windows = windows_of(model, run, matcher=matcher, least=0.0)
    return next(window for window in windows if window.family == family)
