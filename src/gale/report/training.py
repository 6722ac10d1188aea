"""The report of a training: the data, how it went, how good the model is, and where to look.

Symbols: R runs, K families.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import polars as pl
from markupsafe import Markup
from matplotlib.figure import Figure

from gale.campaign import Campaign
from gale.campaign.labels import LabelTable
from gale.evaluation import Evaluation, Predictions, evaluate
from gale.metrics import Scores, log_loss_difference
from gale.model import Model
from gale.report import charts
from gale.report.doubts import doubts
from gale.report.pages import render, themed_svg
from gale.report.runs import model_provenance
from gale.report.shares import by_abundance, reliability_bands, strongest
from gale.run import Floats

FEW = 30
"""A family with fewer positive runs is said to have few."""

SETS_SHOWN = 12
"""Label sets that are listed, the most frequent ones."""

WORST = 20
"""Runs that are listed as most wrong."""

MOST_DOUBTS = 30
"""Labels that are listed for a second look."""

BASELINE = "logistic regression"
PRIOR = "training prevalence"

METRICS = {"log_loss": "log loss (less is better)", "roc_auc": "ROC AUC (more is better)"}


@dataclass(frozen=True, eq=False)
class Scored:
    """A model and its baseline on the same runs.

    Parameters
    ----------
    measured_on : str
        On which runs, in words.
    caution : str
        What to keep in mind of the scores, in words.
    model : Evaluation
    baseline : Evaluation or None
        Of a logistic regression.
    """

    measured_on: str
    caution: str
    model: Evaluation
    baseline: Evaluation | None

    @classmethod
    def of(
        cls,
        measured_on: str,
        caution: str,
        labels: LabelTable,
        predictions: Predictions | pl.DataFrame,
        baseline: Predictions | pl.DataFrame | None,
        prevalence: Mapping[str, float],
    ) -> Scored:
        """Score predictions, and those of a baseline, on labels, beside a prevalence."""
        return cls(
            measured_on,
            caution,
            evaluate(predictions, labels, prevalence=prevalence),
            None if baseline is None else evaluate(baseline, labels, prevalence=prevalence),
        )

    @property
    def scores(self) -> dict[str, Scores]:
        """Of the model, the baseline if there is one, and the prior."""
        baseline = {} if self.baseline is None else {BASELINE: self.baseline.scores}
        return {"this model": self.model.scores, **baseline, PRIOR: self.model.prior}

    def rows(self) -> Iterator[dict[str, Any]]:
        """Mean scores, and their paired differences to those of the model."""
        others = {PRIOR: np.tile(self.model.prevalence, (len(self.model.runs), 1))}
        if self.baseline is not None:
            others[BASELINE] = self.baseline.probability
        for name, scores in self.scores.items():
            difference = None
            if name in others:
                difference = log_loss_difference(
                    self.model.labels, self.model.probability, others[name]
                )
            yield {"name": name, "scores": scores, "difference": difference}


def training_report(
    campaign: Campaign,
    model: Model,
    out_of_fold: Scored,
    *,
    test: Scored | None = None,
    history: pl.DataFrame | None = None,
    truth: pl.DataFrame | None = None,
    provenance: Mapping[str, str] | None = None,
) -> str:
    """Make the page of a training.

    Parameters
    ----------
    campaign : Campaign
        With the labels that the model was trained with.
    model : Model
    out_of_fold : Scored
        On the runs that validated, each by members that did not train on it.
    test : Scored, optional
        On runs that chose nothing, if their labels are known.
    history : DataFrame, optional
        Of every epoch, as training writes it.
    truth : DataFrame, optional
        Abundance of every compound, of a simulated campaign.
    provenance : mapping of str to str, optional

    Returns
    -------
    str
        HTML.
    """
    known = campaign.of_split("train", "val")
    best = test or out_of_fold
    return render(
        "training.html",
        title=f"{model.facts['recipe']['name']}, trained on {model.facts['training']['campaign']}",
        model=model,
        scored=[each for each in (test, out_of_fold) if each is not None],
        best=best,
        few=[name for name, n in _positives(known).items() if n < FEW],
        few_limit=FEW,
        table=_family_rows(known),
        known_splits=[name for name in ("train", "val") if name in known.split],
        sets=_label_sets(known),
        splits=Counter(campaign.split),
        figures=dict(_figures(known, best, history, truth)),
        worst=_worst(best.model),
        doubts=doubts(campaign, model, out_of_fold.model, MOST_DOUBTS),
        provenance={**(provenance or {}), **model_provenance(model)},
    )


def _positives(known: Campaign) -> dict[str, int]:
    count = np.nansum(known.labels == 1, axis=0)
    return dict(zip(known.families, count.tolist(), strict=True))


def _family_rows(known: Campaign) -> list[dict[str, Any]]:
    """What is known of each family, split by split."""
    rows: dict[str, dict[str, Any]] = {name: {"family": name} for name in known.families}
    for row in known.family_table().iter_rows(named=True):
        rows[row["family"]][row["split"]] = row
    return list(rows.values())


def _label_sets(known: Campaign) -> list[dict[str, Any]]:
    """Which families are together how often, the most frequent first; unknown ones do not count."""
    sets = {name: Counter[tuple[str, ...]]() for name in ("train", "val")}
    for split, labels in zip(known.split, known.labels, strict=True):
        sets[split][_present(labels, known.families)] += 1
    total = sum(sets.values(), Counter[tuple[str, ...]]())
    return [
        {"families": families, **{split: counts[families] for split, counts in sets.items()}}
        for families, _ in total.most_common(SETS_SHOWN)
    ]


def _present(labels: Floats, families: Sequence[str]) -> tuple[str, ...]:
    return tuple(name for name, label in zip(families, labels, strict=True) if label == 1)


def _figures(
    known: Campaign, best: Scored, history: pl.DataFrame | None, truth: pl.DataFrame | None
) -> Iterator[tuple[str, Markup]]:
    """Draw all charts that the data allow, by the names that the template has for them."""
    labels = best.model.labels.astype(np.float64)
    families, probability = best.model.families, best.model.probability
    grids = label_grids(known)
    yield "grids", _svg(charts.correlation_grids(grids, known.families), "label correlations")
    if history is not None and len(history):
        yield "history", _svg(charts.learning_curves(history), "learning curves")
    yield "families", _svg(charts.family_scores(best.scores, METRICS), "scores of each family")
    bands = reliability_bands(families, labels, probability)
    yield "reliability", _svg(charts.reliability(bands), "reliability diagrams")
    curves = {"this model": probability}
    if best.baseline is not None:
        curves[BASELINE] = best.baseline.probability
    figure = charts.detection_curves(families, labels, curves)
    yield "detection", _svg(figure, "ROC and precision-recall curves")
    if truth is not None:
        abundance = strongest(truth, best.model.runs, families)
        share, mean, names = by_abundance(abundance, labels, probability)
        if len(share.x):
            figure = charts.score_by_abundance(share, mean, names)
            yield "abundance", _svg(figure, "families found by abundance")


def label_grids(known: Campaign) -> dict[str, Floats]:
    """Give the correlations of the labels of train and val, and their difference.

    Returns
    -------
    dict of str to array of shape (K, K)
        Pearson correlations over the runs in which both families are known: the label correlation
        grid without its noise. NaN where a family does not vary. Without a val split, ``train``
        only.
    """
    splits = {name: known.of_split(name).labels.astype(np.float64) for name in ("train", "val")}
    grids = {name: _correlations(labels) for name, labels in splits.items() if len(labels)}
    if len(grids) == 2:
        grids["val − train"] = grids["val"] - grids["train"]
    return grids


def _correlations(labels: Floats) -> Floats:
    """Pearson correlations of the columns of labels (R, K), each pair where both are known."""
    n_families = labels.shape[1]
    grid = np.full((n_families, n_families), np.nan)
    for one, other in np.ndindex(grid.shape):
        pair = labels[:, [one, other]]
        pair = pair[np.isfinite(pair).all(axis=1)]
        if len(pair) and np.ptp(pair, axis=0).all():
            grid[one, other] = np.asarray(np.corrcoef(pair.T))[0, 1]
    return grid


def _worst(scored: Evaluation) -> list[dict[str, Any]]:
    """Runs of the largest log loss, and the families that it is from."""
    y, p = scored.labels, np.clip(scored.probability, 1e-15, 1 - 1e-15)
    loss = np.where(np.isnan(y), 0.0, -np.log(np.where(y == 1, p, 1 - p)))
    rows = np.argsort(-loss.sum(axis=1), kind="stable")[:WORST]
    return [
        {
            "run": scored.runs[row],
            "loss": float(loss[row].sum() / np.isfinite(y[row]).sum()),
            "families": [
                {"name": scored.families[at], "label": int(y[row, at]), "probability": p[row, at]}
                for at in np.argsort(-loss[row], kind="stable")[:3]
                if np.isfinite(y[row, at]) and loss[row, at] > np.log(2)
            ],
        }
        for row in rows
    ]


def _svg(figure: Figure, label: str) -> Markup:
    return themed_svg(figure, label)
