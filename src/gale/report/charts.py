"""Charts of the page of a training, in the colours of the light theme.

Symbols: R runs, K families.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from math import ceil
from typing import Any, NamedTuple

import matplotlib as mpl
import numpy as np
import polars as pl
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator
from numpy.typing import NDArray

from gale.evaluation.bootstrap import Estimate
from gale.evaluation.metrics import Scores
from gale.plotting.themes import THEMES
from gale.plumbing.text import counted, in_words
from gale.report.scored import BASELINE, MODEL, PRIOR
from gale.run import Floats

THEME = THEMES["light"]

STYLES = {
    MODEL: (THEME.base, "o", "solid"),
    BASELINE: (THEME.ions[0], "s", "dashed"),
    PRIOR: (THEME.muted, "D", "dotted"),
}
"""Colour, marker and line style of each of the compared predictions."""

SHARE_FOUND = "share predicted with 0.5 or more"
MEAN_PROBABILITY = "mean prediction"
TRAINING_LOSS, VALIDATION_LOSS = "training loss", "validation log loss"

LEGENDS = {
    "compared": {name: (colour, line) for name, (colour, _, line) in STYLES.items()},
    "abundance": {
        SHARE_FOUND: (THEME.base, "solid"),
        MEAN_PROBABILITY: (THEME.ions[0], "dashed"),
    },
    "history": {
        VALIDATION_LOSS: (THEME.base, "solid"),
        TRAINING_LOSS: (THEME.ions[0], "solid"),
    },
}
"""Colour and line style of what is drawn in charts of several panels. The page writes them above
the chart, where they wrap on a narrow screen."""

DASHES = {"solid": "none", "dashed": "5 3", "dotted": "2 2"}
"""The line styles as SVG has them."""

DARK, LIGHT = "#1a1a1a", "#fefefe"
"""Colours of numbers in coloured cells, on light and dark pages alike."""

TRAIN_LOSS = "train_loss"
"""Column of the history with the training loss; drawn if it is there."""

HISTORY = ("part", "fold", "stage", "member", "epoch", "validation_log_loss")
"""Columns of the history of a training that are drawn."""

NUMBERS = ("fold", "member", "epoch", "validation_log_loss")
"""Those of them that are numbers."""

AROUND_IN, BETWEEN_IN = np.array([[0.75, 0.75], [0.1, 0.35]]), np.array([0.45, 0.6])
"""Inches left of and below small panels, right of and above them, and between them."""

PLACES = ("left", "bottom", "right", "top", "wspace", "hspace")

COLUMNS = 3
"""Panels per row of small multiples."""

MOST_LINES = 60
"""With more fits than this, curves are drawn as a bitmap, which bounds the size of the page."""


MOST_EPOCHS = 20_000
"""With more rows in a history, the page has the drawing alone, not the numbers."""


class Band(NamedTuple):
    """Shares of runs with 95 % intervals: arrays of shape (B,)."""

    x: Floats
    share: Floats
    low: Floats
    high: Floats
    number: NDArray[np.int64]


class Entry(NamedTuple):
    """An entry of a legend: a name, the CSS variable of its colour, and its dashes."""

    name: str
    colour: str
    dashes: str


def legend(name: str, shown: Collection[str]) -> list[Entry]:
    """List the entries of a legend of :data:`LEGENDS` that are `shown`, in its order."""
    variables = {colour: variable for variable, colour in THEME.names.items()}
    return [
        Entry(each, f"var(--{variables[colour]})", DASHES[line])
        for each, (colour, line) in LEGENDS[name].items()
        if each in shown
    ]


def correlation_grids(grids: Mapping[str, Floats], families: Sequence[str]) -> Figure:
    """Draw grids of correlations (K, K) beside each other, on one colour scale."""
    with mpl.rc_context(THEME.settings):
        n_families = len(families)
        longest = max(map(len, families))
        figure = Figure(figsize=(11.0, 3.6 + 0.07 * longest), layout="constrained")
        panels = figure.subplots(1, len(grids), sharey=True, squeeze=False)[0]
        names = [*map(in_words, families)]
        for axes, (title, grid) in zip(panels, grids.items(), strict=True):
            image = axes.imshow(grid, cmap="PuOr_r", vmin=-1, vmax=1)
            for row, column in np.ndindex(grid.shape):
                if np.isfinite(value := grid[row, column]):
                    colour = LIGHT if abs(value) > 0.6 else DARK
                    written = f"{value:.1f}".replace("-0.0", "0.0").replace("-", "−")
                    axes.text(
                        column, row, written, ha="center", va="center", fontsize=7, color=colour
                    )
            axes.set_xticks(range(n_families), names, rotation=90, fontsize=8, parse_math=False)
            axes.set_yticks(range(n_families), names, fontsize=8, parse_math=False)
            axes.set_title(title, fontsize=10)
            axes.tick_params(length=0)
            for spine in axes.spines.values():
                spine.set_visible(False)
        figure.colorbar(
            image, ax=list(panels), label="correlation, or difference", shrink=0.8, pad=0.01
        )
    return figure


def learning_data(history: pl.DataFrame) -> list[dict[str, Any]]:
    """Give the page's script the losses of each fit; nothing if they would make the page large."""
    if len(history) > MOST_EPOCHS:
        return []
    return [
        {
            "title": _title(part, stage),
            "fits": [
                {
                    "name": f"fold {fold}, member {member}",
                    "train": _digits(fit[TRAIN_LOSS]) if TRAIN_LOSS in fit.columns else None,
                    "validation": _digits(fit["validation_log_loss"]),
                }
                for (fold, member), fit in rows.group_by("fold", "member", maintain_order=True)
            ],
        }
        for (part, stage), rows in history.group_by("part", "stage", maintain_order=True)
    ]


def _digits(losses: pl.Series) -> list[float]:
    return [float(f"{loss:.4g}") for loss in losses]


def _title(part: object, stage: object) -> str:
    return f"{part or 'network'}{' from a soup' if stage == 'soup' else ''}"


def learning_curves(history: pl.DataFrame) -> Figure:
    """Draw training loss and validation log loss of each fit by epoch, one panel per part."""
    with mpl.rc_context(THEME.settings):
        parts = list(history.group_by("part", "stage", maintain_order=True))
        figure = Figure(figsize=(11.0, 3.0 * ceil(len(parts) / 2)), layout="constrained")
        panels = figure.subplots(ceil(len(parts) / 2), min(len(parts), 2), squeeze=False).ravel()
        for axes, ((part, stage), rows) in zip(panels, parts, strict=False):
            fits = list(rows.group_by("fold", "member", maintain_order=True))
            many = len(fits) > MOST_LINES
            for _, fit in fits:
                _draw_fit(axes, fit, rasterized=many)
            title = f"{part or 'network'}: {counted(len(fits), 'fit')}"
            title += " from a soup" if stage == "soup" else ""
            axes.set_title(title, loc="left", fontsize=10, y=1.0)
            axes.xaxis.set_major_locator(MaxNLocator(integer=True))
            axes.set_xlabel("epoch")
            axes.set_ylabel("loss")
            axes.grid(axis="y")
        for axes in panels[len(parts) :]:
            axes.set_visible(False)
    return figure


def _draw_fit(axes: Axes, fit: pl.DataFrame, *, rasterized: bool) -> None:
    """Draw the losses of a fit, and a dot where that of validation is least."""
    style: dict[str, Any] = {"alpha": 0.45, "linewidth": 0.9, "rasterized": rasterized}
    if TRAIN_LOSS in fit.columns:
        axes.plot(fit["epoch"], fit[TRAIN_LOSS], color=THEME.ions[0], **style)
    loss = fit["validation_log_loss"].to_numpy()
    axes.plot(fit["epoch"], loss, color=THEME.base, **style)
    best = int(loss.argmin())
    axes.plot(
        fit["epoch"][best], loss[best], ".", color=THEME.ink, markersize=4, rasterized=rasterized
    )


def family_scores(scores: Mapping[str, Scores], metrics: Mapping[str, str]) -> Figure:
    """Draw scores of each family with their intervals, one panel per metric.

    Parameters
    ----------
    scores : mapping of str to Scores
        The scores of each of :data:`STYLES`.
    metrics : mapping of str to str
        Axis label of each metric.
    """
    families = next(iter(scores.values())).families
    with mpl.rc_context(THEME.settings):
        figure = Figure(figsize=(11.0, 1.3 + 0.42 * len(families)), layout="constrained")
        panels = figure.subplots(1, len(metrics), sharey=True, squeeze=False)[0]
        for axes, (metric, name) in zip(panels, metrics.items(), strict=True):
            for at, (who, each) in enumerate(scores.items()):
                offset = 0.22 * (at - (len(scores) - 1) / 2)
                _intervals(axes, each.per_family[metric], offset, who)
            axes.set_xlabel(name)
            axes.grid(axis="x")
        panels[0].set_yticks(range(len(families)), [*map(in_words, families)], parse_math=False)
        panels[0].set_ylim(len(families) - 0.5, -0.5)
    return figure


def _intervals(axes: Axes, values: Estimate, offset: float, name: str) -> None:
    colour, mark, _ = STYLES[name]
    y = np.arange(len(values.value)) + offset
    error = np.nan_to_num([values.value - values.low, values.high - values.value])
    axes.errorbar(
        values.value, y, xerr=np.maximum(error, 0), fmt=mark, color=colour, markersize=4.5,
        linewidth=1.2, label=name,
    )  # fmt: skip


def reliability(bands: Mapping[str, Band]) -> Figure:
    """Draw the share of positive runs by what was predicted, for all families and for each."""
    with mpl.rc_context(THEME.settings):
        figure, panels = _multiples(len(bands), 2.7)
        for axes, (name, band) in zip(panels, bands.items(), strict=False):
            axes.plot([0, 1], [0, 1], color=THEME.muted, linewidth=0.8, linestyle="dashed")
            error = [band.share - band.low, band.high - band.share]
            axes.errorbar(
                band.x, band.share, yerr=np.maximum(error, 0), fmt="o", color=THEME.base,
                markersize=4, linewidth=1.1,
            )  # fmt: skip
            axes.set_title(
                f"{in_words(name)} ({band.number.sum():,})", fontsize=9.5, y=1.0, parse_math=False
            )
            axes.set(xlim=(-0.02, 1.02), ylim=(-0.02, 1.02), aspect="equal")
            axes.set_xticks([0, 0.5, 1])
            axes.set_yticks([0, 0.5, 1])
            axes.grid()
        figure.supxlabel("mean prediction of a bin", fontsize=10)
        figure.supylabel("share of positive runs", fontsize=10)
    return figure


def detection_curves(
    families: Sequence[str], labels: Floats, probabilities: Mapping[str, Floats]
) -> Figure:
    """Draw the ROC curve (left) and the precision-recall curve (right) of each family in a panel.

    Parameters
    ----------
    families : sequence of K str
    labels : array of shape (R, K)
    probabilities : mapping of str to array of shape (R, K)
        Some of :data:`STYLES`.
    """
    with mpl.rc_context(THEME.settings):
        figure, panels = _multiples(len(families), 2.2)
        for axes, (at, family) in zip(panels, enumerate(families), strict=False):
            known = np.isfinite(labels[:, at])
            present = labels[known, at]
            for name, probability in probabilities.items():
                _draw_detection(axes, present, probability[known, at], name)
            axes.plot([0, 1], [0, 1], color=THEME.muted, linewidth=0.6)
            if len(present):
                axes.plot([1.25, 2.25], [present.mean()] * 2, color=THEME.muted, linewidth=0.6)
            title = f"{in_words(family)} ({int(present.sum())})"
            axes.set_title(title, fontsize=9.5, y=1.0, parse_math=False)
            axes.set(xlim=(-0.03, 2.28), ylim=(-0.02, 1.03))
            axes.set_xticks([0, 0.5, 1, 1.25, 1.75, 2.25], ["0", "½", "1", "0", "½", "1"])
            axes.set_yticks([0, 0.5, 1])
        figure.supxlabel("false positive rate (left), recall (right)", fontsize=10)
        figure.supylabel("recall (left), precision (right)", fontsize=10)
    return figure


def _draw_detection(axes: Axes, labels: Floats, probability: Floats, name: str) -> None:
    """Draw both curves of a family, if it has both positive and negative runs."""
    colour, _, line = STYLES[name]
    if 0 < labels.sum() < len(labels):
        rate, recall, precision = detection_rates(labels, probability)
        axes.plot(rate, recall, color=colour, linestyle=line, linewidth=1.2, label=name)
        axes.plot(recall + 1.25, precision, color=colour, linestyle=line, linewidth=1.2)
    else:
        axes.plot([], [], color=colour, linestyle=line, linewidth=1.2, label=name)


def detection_rates(labels: Floats, probability: Floats) -> tuple[Floats, Floats, Floats]:
    """Compute false positive rate, recall and precision at each threshold, from none to all runs.

    Parameters
    ----------
    labels, probability : arrays of shape (R,)
        With at least one positive and one negative.
    """
    order = np.argsort(-probability, kind="stable")
    last = np.append(np.flatnonzero(np.diff(probability[order])), len(order) - 1)
    found = np.cumsum(labels[order])[last]
    false = (last + 1) - found
    recall, rate = found / labels.sum(), false / (len(labels) - labels.sum())
    precision = found / (last + 1)
    return (
        np.concatenate([[0.0], rate]),
        np.concatenate([[0.0], recall]),
        np.concatenate([precision[:1], precision]),
    )


def score_by_abundance(share: Band, mean: Floats, names: Sequence[str]) -> Figure:
    """Draw the share of positive labels that are found, by abundance over the detection limit."""
    with mpl.rc_context(THEME.settings):
        figure = Figure(figsize=(11.0, 3.4), layout="constrained")
        axes = figure.subplots()
        error = [share.share - share.low, share.high - share.share]
        axes.errorbar(
            share.x, share.share, yerr=np.maximum(error, 0), fmt="o-", color=THEME.base,
            linewidth=1.2, label=SHARE_FOUND,
        )  # fmt: skip
        axes.plot(
            share.x, mean, "s--", color=THEME.ions[0], linewidth=1.2, markersize=5,
            label=MEAN_PROBABILITY,
        )  # fmt: skip
        labels = [f"{name}\n({count:,})" for name, count in zip(names, share.number, strict=True)]
        axes.set_xticks(share.x, labels)
        axes.set_ylim(0, 1.02)
        axes.set_xlabel("abundance in multiples of the detection limit (number of positive labels)")
        axes.grid(axis="y")
    return figure


def _multiples(count: int, height: float) -> tuple[Figure, NDArray[np.object_]]:
    """Make a figure of small panels; surplus ones are hidden.

    All have labels of the same size, so that places are known, which matplotlib takes long to find.
    """
    rows = ceil(count / COLUMNS)
    size = np.array([11.0, height * rows + 0.5])
    number, low, high = np.array([COLUMNS, rows]), AROUND_IN[0] / size, 1 - AROUND_IN[1] / size
    space = BETWEEN_IN * number / (size * (high - low) - BETWEEN_IN * (number - 1))
    places = dict(zip(PLACES, np.concatenate([low, high, space]).tolist(), strict=True))
    figure = Figure(figsize=tuple(size))
    panels = figure.subplots(rows, COLUMNS, squeeze=False, gridspec_kw=places).ravel()
    for axes in panels[count:]:
        axes.set_visible(False)
    return figure, panels
