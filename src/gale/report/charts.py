"""Charts of the report of a training, in the colours of the light theme.

Symbols: R runs, K families.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from math import ceil
from typing import NamedTuple

import matplotlib as mpl
import numpy as np
import polars as pl
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from numpy.typing import NDArray

from gale.bootstrap import Estimate
from gale.metrics import Scores
from gale.plotting.themes import THEMES
from gale.run import Floats

THEME = THEMES["light"]
MODEL, BASELINE, PRIOR = THEME.base, THEME.ions[0], THEME.muted
"""Colours of the model, of the logistic regression, of the prevalence."""

MARKS = {MODEL: "o", BASELINE: "s", PRIOR: "D"}
"""Shapes, too, tell them apart."""

COLUMNS = 3
"""Panels of small multiples beside each other."""

MOST_LINES = 60
"""Of more fits, curves are one picture in the figure rather than lines, which bounds its size."""


class Band(NamedTuple):
    """Shares with 95 % intervals at some places: arrays of one length."""

    x: Floats
    share: Floats
    low: Floats
    high: Floats
    number: NDArray[np.int64]


def correlation_grids(grids: Mapping[str, Floats], families: Sequence[str]) -> Figure:
    """Draw grids of correlations (K, K) beside each other, on one scale of colours."""
    with mpl.rc_context(THEME.settings):
        n_families = len(families)
        figure = Figure(figsize=(11.0, 5.0), layout="constrained")
        panels = figure.subplots(1, len(grids), sharey=True, squeeze=False)[0]
        names = [family.replace("_", " ") for family in families]
        for axes, (title, grid) in zip(panels, grids.items(), strict=True):
            image = axes.imshow(grid, cmap="PuOr_r", vmin=-1, vmax=1)
            for row, column in np.ndindex(grid.shape):
                if np.isfinite(value := grid[row, column]):
                    colour = "white" if abs(value) > 0.6 else "#1a1a1a"
                    written = f"{value:.1f}".replace("-0.0", "0.0").replace("-", "−")
                    axes.text(
                        column, row, written, ha="center", va="center", fontsize=7, color=colour
                    )
            axes.set_xticks(range(n_families), names, rotation=90, fontsize=8)
            axes.set_yticks(range(n_families), names, fontsize=8)
            axes.set_title(title, fontsize=10)
            axes.tick_params(length=0)
            for spine in axes.spines.values():
                spine.set_visible(False)
        figure.colorbar(image, ax=list(panels), label="correlation", shrink=0.8, pad=0.01)
    return figure


def learning_curves(history: pl.DataFrame) -> Figure:
    """Draw the validation log loss of each fit over its epochs, a panel for each part."""
    with mpl.rc_context(THEME.settings):
        parts = list(history.group_by("part", "stage", maintain_order=True))
        figure = Figure(figsize=(11.0, 3.0 * ceil(len(parts) / 2)), layout="constrained")
        panels = figure.subplots(ceil(len(parts) / 2), min(len(parts), 2), squeeze=False).ravel()
        for axes, ((part, stage), rows) in zip(panels, parts, strict=False):
            fits = list(rows.group_by("fold", "member", maintain_order=True))
            for _, fit in fits:
                loss = fit["validation_log_loss"].to_numpy()
                best = int(loss.argmin())
                many = len(fits) > MOST_LINES
                axes.plot(
                    fit["epoch"], loss, color=MODEL, alpha=0.45, linewidth=0.9, rasterized=many
                )
                axes.plot(
                    fit["epoch"][best], loss[best], ".", color=THEME.ink, markersize=4,
                    rasterized=many,
                )  # fmt: skip
            what = {"member": "members", "soup": "soups, trained on"}.get(str(stage), str(stage))
            axes.set_title(f"{part or 'network'}: {len(fits)} {what}", loc="left", fontsize=10)
            axes.set_xlabel("epoch")
            axes.set_ylabel("validation log loss")
            axes.grid(axis="y")
        for axes in panels[len(parts) :]:
            axes.set_visible(False)
    return figure


def family_scores(scores: Mapping[str, Scores], metrics: Mapping[str, str]) -> Figure:
    """Draw scores of each family with their intervals, a panel for each metric.

    Parameters
    ----------
    scores : mapping of str to Scores
        Of the model, the baseline if there is one, and the prior, by what the legend calls them.
    metrics : mapping of str to str
        Names of metrics, and what the axes call them.
    """
    colours = dict(zip(scores, colours_of(scores), strict=True))
    families = next(iter(scores.values())).families
    with mpl.rc_context(THEME.settings):
        figure = Figure(figsize=(11.0, 1.3 + 0.42 * len(families)), layout="constrained")
        panels = figure.subplots(1, len(metrics), sharey=True, squeeze=False)[0]
        for axes, (metric, name) in zip(panels, metrics.items(), strict=True):
            for at, (who, each) in enumerate(scores.items()):
                offset = 0.22 * (at - (len(scores) - 1) / 2)
                _intervals(axes, each.per_family[metric], offset, colours[who], who)
            axes.set_xlabel(name)
            axes.grid(axis="x")
        panels[0].set_yticks(range(len(families)), [name.replace("_", " ") for name in families])
        panels[0].set_ylim(len(families) - 0.5, -0.5)
        handles, labels = panels[0].get_legend_handles_labels()
        figure.legend(handles, labels, loc="outside upper right", ncols=len(scores))
    return figure


def _intervals(axes: Axes, values: Estimate, offset: float, colour: str, name: str) -> None:
    y = np.arange(len(values.value)) + offset
    error = np.nan_to_num([values.value - values.low, values.high - values.value])
    axes.errorbar(
        values.value, y, xerr=np.maximum(error, 0), fmt=MARKS[colour], color=colour, markersize=4.5,
        linewidth=1.2, label=name,
    )  # fmt: skip


def colours_of(names: Mapping[str, object]) -> list[str]:
    """Colours of the model, perhaps the baseline, and the prior, in this order."""
    return [MODEL, PRIOR] if len(names) == 2 else [MODEL, BASELINE, PRIOR]


def reliability(bands: Mapping[str, Band]) -> Figure:
    """Draw, for all families and each, what share of the runs hold it, by probability."""
    with mpl.rc_context(THEME.settings):
        figure, panels = _multiples(len(bands), 2.7)
        for axes, (name, band) in zip(panels, bands.items(), strict=False):
            axes.plot([0, 1], [0, 1], color=THEME.muted, linewidth=0.8, linestyle="dashed")
            error = [band.share - band.low, band.high - band.share]
            axes.errorbar(
                band.x, band.share, yerr=np.maximum(error, 0), fmt="o", color=MODEL, markersize=4,
                linewidth=1.1,
            )  # fmt: skip
            axes.set_title(f"{name.replace('_', ' ')} ({band.number.sum():,})", fontsize=9.5)
            axes.set(xlim=(-0.02, 1.02), ylim=(-0.02, 1.02), aspect="equal")
            axes.set_xticks([0, 0.5, 1])
            axes.set_yticks([0, 0.5, 1])
            axes.grid()
        figure.supxlabel("predicted probability (mean of a bin)", fontsize=10)
        figure.supylabel("share of runs that hold it", fontsize=10)
    return figure


def detection_curves(
    families: Sequence[str], labels: Floats, probabilities: Mapping[str, Floats]
) -> Figure:
    """Draw ROC (left half of each panel) and precision-recall curves (right half) of families.

    Parameters
    ----------
    families : sequence of K str
    labels : array of shape (R, K)
    probabilities : mapping of str to array of shape (R, K)
        Of the model, and of the baseline if there is one.
    """
    with mpl.rc_context(THEME.settings):
        figure, panels = _multiples(len(families), 2.2)
        lines = {
            name: (colour, style)
            for name, colour, style in zip(
                probabilities, (MODEL, BASELINE), ("solid", "dashed"), strict=False
            )
        }
        for axes, (at, family) in zip(panels, enumerate(families), strict=False):
            known = np.isfinite(labels[:, at])
            for name, probability in probabilities.items():
                rates = detection_rates(labels[known, at], probability[known, at])
                for x, y, shift in ((rates[0], rates[1], 0.0), (rates[1], rates[2], 1.25)):
                    colour, style = lines[name]
                    axes.plot(
                        x + shift, y, color=colour, linestyle=style, linewidth=1.2,
                        label=name if not shift else None,
                    )  # fmt: skip
            axes.plot([0, 1], [0, 1], color=THEME.grid, linewidth=0.8)
            share = labels[known, at].mean() if known.any() else np.nan
            axes.plot([1.25, 2.25], [share, share], color=THEME.grid, linewidth=0.8)
            axes.set_title(
                f"{family.replace('_', ' ')} ({int((labels[:, at] == 1).sum())})", fontsize=9.5
            )
            axes.set(xlim=(-0.03, 2.28), ylim=(-0.02, 1.03))
            axes.set_xticks([0, 0.5, 1, 1.25, 1.75, 2.25], ["0", "½", "1", "0", "½", "1"])
            axes.set_yticks([0, 0.5, 1])
        figure.supxlabel("false positive rate (left), recall (right)", fontsize=10)
        figure.supylabel("recall (left), precision (right)", fontsize=10)
        handles, names = panels[0].get_legend_handles_labels()
        figure.legend(handles, names, loc="outside upper right", ncols=len(names))
    return figure


def detection_rates(labels: Floats, probability: Floats) -> tuple[Floats, Floats, Floats]:
    """Give false positive rate, recall and precision at each threshold, from none to all runs."""
    order = np.argsort(-probability, kind="stable")
    last = np.append(np.flatnonzero(np.diff(probability[order])), len(order) - 1)
    found = np.cumsum(labels[order])[last]
    false = (last + 1) - found
    with np.errstate(invalid="ignore"):
        recall, rate = found / labels.sum(), false / (len(labels) - labels.sum())
    precision = found / (last + 1)
    return (
        np.concatenate([[0.0], rate]),
        np.concatenate([[0.0], recall]),
        np.concatenate([precision[:1], precision]),
    )


def score_by_abundance(share: Band, mean: Floats, names: Sequence[str]) -> Figure:
    """Draw how many present families are found, by how far above the limit they are."""
    with mpl.rc_context(THEME.settings):
        figure = Figure(figsize=(11.0, 3.4), layout="constrained")
        axes = figure.subplots()
        error = [share.share - share.low, share.high - share.share]
        axes.errorbar(
            share.x, share.share, yerr=np.maximum(error, 0), fmt="o-", color=MODEL, linewidth=1.2,
            label="share with a probability of 0.5 or more",
        )  # fmt: skip
        axes.plot(
            share.x, mean, "s--", color=BASELINE, linewidth=1.2, markersize=5,
            label="mean probability",
        )  # fmt: skip
        labels = [f"{name}\n({count:,})" for name, count in zip(names, share.number, strict=True)]
        axes.set_xticks(share.x, labels)
        axes.set_ylim(0, 1.02)
        axes.set_xlabel("abundance over the detection limit (number of present families)")
        axes.grid(axis="y")
        figure.legend(loc="outside upper right", ncols=2)
    return figure


def _multiples(count: int, height: float) -> tuple[Figure, NDArray[np.object_]]:
    """A figure of small panels; those that are not needed are not seen."""
    rows = ceil(count / COLUMNS)
    figure = Figure(figsize=(11.0, height * rows + 0.5), layout="constrained")
    panels = figure.subplots(rows, COLUMNS, squeeze=False).ravel()
    for axes in panels[count:]:
        axes.set_visible(False)
    return figure, panels
