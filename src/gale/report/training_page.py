"""The page of a training: the data, the course, how good the model is, and where to look.

Symbols: R runs, K families.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
from markupsafe import Markup

from gale.campaign import Campaign
from gale.evaluation.metrics import CALIBRATION_BINS, CLIP
from gale.evaluation.text import share_text
from gale.model import FEW_POSITIVES, Model
from gale.model.cutoffs import measured_cutoffs
from gale.model.groups import sentences_on_groups
from gale.plumbing.addresses import DOCS
from gale.plumbing.text import display_name, short_names
from gale.report import charts
from gale.report.pages import as_json, render, themed_svg
from gale.report.run_page import model_provenance
from gale.report.scored import MODEL, PRIOR, Scored
from gale.report.second_look import second_looks
from gale.report.shares import by_abundance, reliability_bands, strongest
from gale.run import Floats

MOST_SETS = 12
"""Label sets that are listed, the most frequent first."""

MOST_RUNS = 20
"""Runs that are listed as worst predicted."""

MOST_FAMILIES = 3
"""Families that are named for each of these runs, those with the largest log loss."""

MOST_LABELS = 30
"""Labels that are listed for a second look."""

MakePages = Callable[[Sequence[str]], Mapping[str, str]]

LINKED = "A name leads to the page of its run."
UNLINKED = "If asked to, gale report training makes pages of these runs, which names then lead to."

METRICS = {"log_loss": "log loss (lower is better)", "roc_auc": "ROC AUC (higher is better)"}


def training_page(
    campaign: Campaign,
    model: Model,
    held_out: Scored,
    *,
    val: Scored | None = None,
    test: Scored | None = None,
    history: pl.DataFrame | None = None,
    truth: pl.DataFrame | None = None,
    make_pages: MakePages | None = None,
    provenance: Mapping[str, str] | None = None,
) -> str:
    """Make the page of a training from its scores.

    Parameters
    ----------
    campaign : Campaign
        With the labels that the model was trained with.
    model : Model
    held_out : Scored
        Scores on the runs that validated, each predicted by members that did not train on it.
    val : Scored, optional
        Scores on the val split, if it is a fold of its own.
    test : Scored, optional
        Scores on the test runs, if their labels are known.
    history : DataFrame, optional
        Losses of every epoch, as training writes them.
    truth : DataFrame, optional
        Abundance of every compound of a simulated campaign.
    make_pages : callable, optional
        Makes pages of some runs, and returns the address of each, as seen from this page.
    provenance : mapping of str to str, optional
        More to say of where the page comes from.

    Returns
    -------
    str
        HTML.
    """
    known = campaign.of_split("train", "val")
    best = test or val or held_out
    training = model.facts["training"]
    worst, labels = _worst(best), second_looks(campaign, model, held_out, MOST_LABELS)
    listed = list(dict.fromkeys([*(row["run"] for row in worst), *(each.run for each in labels)]))
    return render(
        "training.html",
        title=f"Recipe {model.facts['recipe']['name']}, trained on {training['campaign']}",
        model=model,
        scored=[each for each in (test, val, held_out) if each is not None],
        best=best,
        main=MODEL,
        bins=CALIBRATION_BINS,
        few=[name for name, n in _positives(known).items() if n < FEW_POSITIVES],
        few_limit=FEW_POSITIVES,
        table=_family_rows(known),
        known_splits=[name for name in ("train", "val") if name in known.split],
        groups=sentences_on_groups(model.facts),
        sets=_label_sets(known),
        n_partly_known=int((~np.isfinite(known.labels).all(axis=1)).sum()),
        splits=Counter(campaign.split),
        figures=dict(_figures(known, best, history, truth)),
        legends=_legends(best, history),
        learning=_learning(history),
        worst=worst,
        names=short_names(listed),
        pages=make_pages(listed) if make_pages else {},
        linked=LINKED if make_pages else UNLINKED,
        docs=DOCS,
        cutoffs=list(measured_cutoffs(model.facts)),
        share_text=share_text,
        second_looks=labels,
        provenance={
            "model file": f"{display_name(Path(model.source).name)}, SHA-256 {model.sha256}",
            "seed": str(model.facts["seed"]),
            **model_provenance(model),
            **(provenance or {}),
        },
    )


def _legends(best: Scored, history: pl.DataFrame | None) -> dict[str, list[charts.Entry]]:
    """The legends of the charts."""
    drawn = {charts.VALIDATION_LOSS}
    if history is not None and charts.TRAIN_LOSS in history.columns:
        drawn.add(charts.TRAINING_LOSS)
    return {
        "compared": charts.legend("compared", best.probabilities),
        "detection": charts.legend("compared", best.probabilities.keys() - {PRIOR}),
        "abundance": charts.legend("abundance", charts.LEGENDS["abundance"]),
        "history": charts.legend("history", drawn),
    }


def _learning(history: pl.DataFrame | None) -> Markup | None:
    """The losses of every epoch, for the page's script."""
    data = [] if history is None or not len(history) else charts.learning_data(history)
    return as_json(data) if data else None


def _positives(known: Campaign) -> dict[str, int]:
    count = (known.labels == 1).sum(axis=0)
    return dict(zip(known.families, count.tolist(), strict=True))


def _family_rows(known: Campaign) -> list[dict[str, Any]]:
    """Count the labels of each family, split by split."""
    rows: dict[str, dict[str, Any]] = {name: {"family": name} for name in known.families}
    for row in known.family_table().iter_rows(named=True):
        rows[row["family"]][row["split"]] = row
    return list(rows.values())


def _label_sets(known: Campaign) -> list[dict[str, Any]]:
    """Count the sets of families in a run, the most frequent first, where all labels are known."""
    sets = {name: Counter[tuple[str, ...]]() for name in ("train", "val")}
    for split, labels in zip(known.split, known.labels, strict=True):
        if np.isfinite(labels).all():
            sets[split][_present(labels, known.families)] += 1
    total = sum(sets.values(), Counter[tuple[str, ...]]())
    return [
        {"families": families, **{split: counts[families] for split, counts in sets.items()}}
        for families, _ in total.most_common(MOST_SETS)
    ]


def _present(labels: Floats, families: Sequence[str]) -> tuple[str, ...]:
    return tuple(name for name, label in zip(families, labels, strict=True) if label == 1)


def _figures(
    known: Campaign, best: Scored, history: pl.DataFrame | None, truth: pl.DataFrame | None
) -> Iterator[tuple[str, Markup]]:
    """Draw the charts that the data allow, by their names in the template."""
    yield (
        "grids",
        themed_svg(
            charts.correlation_grids(label_grids(known), known.families), "label correlations"
        ),
    )
    if history is not None and len(history):
        yield "history", themed_svg(charts.learning_curves(history), "learning curves")
    figure = charts.family_scores(best.scores, METRICS)
    yield "families", themed_svg(figure, "scores of each family")
    bands = reliability_bands(best.families, best.labels, best.probability)
    yield "reliability", themed_svg(charts.reliability(bands), "reliability diagrams")
    shown = {name: each for name, each in best.probabilities.items() if name != PRIOR}
    figure = charts.detection_curves(best.families, best.labels, shown)
    yield "detection", themed_svg(figure, "ROC and precision-recall curves")
    if truth is not None:
        abundance = strongest(truth, best.runs, best.families)
        share, mean, names = by_abundance(abundance, best.labels, best.probability)
        if len(share.x):
            figure = charts.score_by_abundance(share, mean, names)
            yield "abundance", themed_svg(figure, "families found by abundance")


def label_grids(known: Campaign) -> dict[str, Floats]:
    """Compute the correlations of the labels of train and val, and their difference.

    Returns
    -------
    dict of str to array of shape (K, K)
        Pearson correlations over the runs in which both labels are known: the label correlation
        grid without its noise. NaN where a label does not vary. Without a val split, ``train``
        only.
    """
    splits = {name: known.of_split(name).labels.astype(np.float64) for name in ("train", "val")}
    grids = {name: _correlations(labels) for name, labels in splits.items() if len(labels)}
    if len(grids) == 2:
        grids["val − train"] = grids["val"] - grids["train"]
    return grids


def _correlations(labels: Floats) -> Floats:
    """Compute Pearson correlations of the columns of labels (R, K) where both are known."""
    n_families = labels.shape[1]
    grid = np.full((n_families, n_families), np.nan)
    for one, other in np.ndindex(grid.shape):
        pair = labels[:, [one, other]]
        pair = pair[np.isfinite(pair).all(axis=1)]
        if len(pair) and np.ptp(pair, axis=0).all():
            grid[one, other] = np.asarray(np.corrcoef(pair.T))[0, 1]
    return grid


def _worst(scored: Scored) -> list[dict[str, Any]]:
    """List the runs with the largest log loss, each with the labels that the model contradicts."""
    y, p = scored.labels, np.clip(scored.probability, CLIP, 1 - CLIP)
    loss = np.where(np.isnan(y), 0.0, -np.log(np.where(y == 1, p, 1 - p)))
    mean = loss.sum(axis=1) / np.maximum(np.isfinite(y).sum(axis=1), 1)
    opposite = loss > np.log(2)
    rows = [row for row in np.argsort(-mean, kind="stable") if opposite[row].any()]
    return [
        {
            "run": scored.runs[row],
            "loss": float(mean[row]),
            "families": [
                {"name": scored.families[at], "label": int(y[row, at]), "probability": p[row, at]}
                for at in np.argsort(-loss[row], kind="stable")[:MOST_FAMILIES]
                if opposite[row, at]
            ],
        }
        for row in rows[:MOST_RUNS]
    ]
