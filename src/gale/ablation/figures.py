"""Figures of an ablation: log loss of each step, and of soups over iterations."""

from __future__ import annotations

import matplotlib as mpl
import numpy as np
import polars as pl
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from gale.ablation.results import METHODS, Ablation
from gale.plotting.themes import THEMES, Theme
from gale.run import Floats

SIZE_IN = (8.0, 4.2)

SPLIT_NAMES = {"val": "val, used to stop training", "test": "test, not used for any choice"}

MARKERS = ("o", "s", "D")
"""Series also differ in these, for readers who cannot tell colours apart."""

HIDDEN = "soup_average"
"""A method that is not drawn: it is so much worse that it would hide how the others differ."""

APART, ASIDE = 0.22, 0.07
"""Distance between the means of a step, and from a mean to its trainings; steps are 1 apart."""


def plot_steps(ablation: Ablation, *, theme: str = "light") -> Figure:
    """Draw the log loss of each step: mean, standard deviation, and each training.

    Parameters
    ----------
    ablation : Ablation
    theme : str
        ``light`` or ``dark``.

    Returns
    -------
    matplotlib.figure.Figure
        With test if its labels are known, and with the author's figures for other data.
    """
    colours, table = THEMES[theme], ablation.table()
    series = _splits(ablation)
    with mpl.rc_context(colours.settings):
        figure = Figure(figsize=SIZE_IN, layout="constrained")
        axes = figure.add_subplot()
        places = np.arange(table.height, dtype=np.float64)
        for at, split in enumerate(series):
            shift = (at - len(series) / 2) * APART
            _draw_trainings(axes, ablation.trainings, table, split, shift, colours.ions[at])
            _draw_means(axes, places + shift, table, split, colours.ions[at], MARKERS[at])
        shift = len(series) / 2 * APART
        _draw_means(axes, places + shift, table, "author_val", colours.muted, MARKERS[-1])
        steps = table["step"].to_list()
        axes.set_xticks(places, [steps[0], *(f"+ {step}" for step in steps[1:])])
        axes.set_ylabel("log loss (lower is better)")
        axes.grid(axis="y")
        axes.set_title(_title(ablation), loc="left", fontsize=10, parse_math=False)
        figure.legend(loc="outside lower center", ncols=3)
    return figure


def plot_curves(ablation: Ablation, *, theme: str = "light") -> Figure:
    """Draw the log loss of soups and of an ensemble over iterations: mean and deviation.

    Parameters
    ----------
    ablation : Ablation
    theme : str
        ``light`` or ``dark``.

    Returns
    -------
    matplotlib.figure.Figure
        With one panel per split.
    """
    colours, table = THEMES[theme], ablation.curve_table()
    splits = _splits(ablation)
    with mpl.rc_context(colours.settings):
        figure = Figure(figsize=SIZE_IN, layout="constrained")
        panels = figure.subplots(1, len(splits), sharey=True, squeeze=False)[0]
        for axes, split in zip(panels, splits, strict=True):
            for at, method in enumerate(name for name in METHODS if name != HIDDEN):
                _draw_curve(axes, table.filter(method=method), split, at, colours)
            axes.set_title(SPLIT_NAMES[split], loc="left", fontsize=10)
            axes.set_xlabel("iterations of the soup")
            axes.xaxis.set_major_locator(MaxNLocator(integer=True, min_n_ticks=1))
            axes.grid(axis="y")
        panels[0].set_ylabel("log loss (lower is better)")
        figure.suptitle(_title(ablation), x=0.01, ha="left", fontsize=10, parse_math=False)
        handles, labels = panels[0].get_legend_handles_labels()
        figure.legend(handles, labels, loc="outside lower center", ncols=3)
    return figure


def _splits(ablation: Ablation) -> list[str]:
    return [split for split in SPLIT_NAMES if ablation.prior[split] is not None]


def _title(ablation: Ablation) -> str:
    """Say what is drawn, and the training prevalence's log loss, which is far above the rest."""
    prior = ", ".join(f"{ablation.prior[split]:.3f} on {split}" for split in _splits(ablation))
    facts = ablation.facts
    return (
        f"{facts['recipe']['name']} on {facts['campaign']['name']}: mean ± standard deviation over "
        f"{facts['trainings']} training{'s' * (facts['trainings'] != 1)}\n"
        f"training prevalence: {prior}"
    )


def _draw_trainings(
    axes: Axes,
    trainings: pl.DataFrame,
    table: pl.DataFrame,
    split: str,
    shift: float,
    colour: str,
) -> None:
    """Draw a small dot per training, beside the bar of their deviation."""
    places = {step: at for at, step in enumerate(table["step"])}
    x = [places[step] + shift + ASIDE for step in trainings["step"]]
    axes.scatter(x, trainings[f"{split}_log_loss"], s=9, color=colour, alpha=0.45, linewidth=0)


def _draw_means(
    axes: Axes,
    x: Floats,
    table: pl.DataFrame,
    prefix: str,
    colour: str,
    marker: str,
) -> None:
    """Draw means with bars of one standard deviation; a single training has no bar."""
    name = SPLIT_NAMES.get(prefix, "val, author's data")
    axes.errorbar(
        x,
        table[f"{prefix}_log_loss"].to_numpy(),
        table[f"{prefix}_sd"].fill_null(0).to_numpy(),
        fmt=marker,
        color=colour,
        markersize=6,
        capsize=3,
        linewidth=1.3,
        label=name,
    )


def _draw_curve(axes: Axes, table: pl.DataFrame, split: str, at: int, theme: Theme) -> None:
    """Draw the mean of a method as a line in a band of one standard deviation to either side."""
    x, mean = table["iteration"].to_numpy(), table[f"{split}_log_loss"].to_numpy()
    deviation = table[f"{split}_sd"].fill_null(0).to_numpy()
    method, colour = table["method"][0], theme.ions[at]
    axes.fill_between(x, mean - deviation, mean + deviation, color=colour, alpha=0.15, linewidth=0)
    axes.plot(
        x,
        mean,
        color=colour,
        marker=MARKERS[at],
        markersize=4.5,
        linewidth=1.4,
        label=METHODS[method],
    )
