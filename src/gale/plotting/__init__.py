"""Pictures of a run: what eluted when, as chromatograms, an ion map, and spectra.

Nothing here needs a display: figures are matplotlib's own, without a window.
"""

from __future__ import annotations

import os
import warnings
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import IO, Any

import matplotlib as mpl
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from gale.plotting.measures import cut_time
from gale.plotting.panels import (
    Span,
    draw_chromatograms,
    draw_ions,
    draw_lanes,
    draw_map,
    draw_spectrum,
)
from gale.plotting.themes import THEMES, Theme
from gale.run import Run

__all__ = [
    "THEMES",
    "Span",
    "Theme",
    "draw_chromatograms",
    "draw_ions",
    "draw_lanes",
    "draw_map",
    "draw_spectrum",
    "plot_run",
    "save_figure",
]

WIDTH_IN = 11.0
HEIGHTS_IN = {"chromatograms": 2.3, "ions": 2.1, "map": 3.6, "spectrum": 2.4}
"""Size of a picture: its width, and the height of each panel with its labels."""

LANE_IN = 0.24
"""Height of a lane; its panel has as much again at its edges."""

DOTS_PER_INCH = 150

TIME_PANEL = "time"
"""Label of the axes whose horizontal axis is the time."""

LONGEST_NAME = 36
"""Longer names of files are cut in the title, which shares its line with a legend."""


def plot_run(
    run: Run,
    *,
    mz: Sequence[int] = (),
    at_min: float | None = None,
    time_range: tuple[float, float] | None = None,
    mz_range: tuple[float, float] | None = None,
    log: bool = False,
    lanes: Mapping[str, Sequence[Span]] | None = None,
    theme: str = "light",
) -> Figure:
    """Draw a run: chromatograms, lanes, chosen ions, ion map, and a spectrum, one below the other.

    Parameters
    ----------
    run : Run
    mz : sequence of int
        m/z to draw the chromatograms of; ions are taken that round to them.
    at_min : float, optional
        Time of which to draw the spectrum; none by default.
    time_range : pair of float, optional
        From which minute to which; the whole run by default.
    mz_range : pair of float, optional
        From which m/z to which the map and the spectrum are; all by default.
    log : bool
        Whether the chromatograms have a logarithmic axis, on which small peaks are seen beside
        large ones.
    lanes : mapping of str to sequence of Span, optional
        Times that are marked below the chromatograms, in a lane for each name.
    theme : str
        ``light`` or ``dark``.

    Returns
    -------
    matplotlib.figure.Figure

    Raises
    ------
    PlotError
        If nothing is in the ranges, or the spectrum is asked for at a time outside.
    """
    colours = THEMES[theme]
    part = cut_time(run, time_range)
    heights = _heights(len(lanes or {}), bool(mz), at_min is not None)
    with mpl.rc_context(colours.settings):
        figure = Figure(figsize=(WIDTH_IN, sum(heights.values()) + 0.4), layout="constrained")
        grid = figure.add_gridspec(
            len(heights), 2, width_ratios=(1, 0.014), height_ratios=list(heights.values())
        )
        axes = {name: figure.add_subplot(grid[at, 0]) for at, name in enumerate(heights)}
        scale = figure.add_subplot(grid[list(heights).index("map"), 1])
        draw_chromatograms(axes["chromatograms"], part, colours, log=log)
        if lanes:
            draw_lanes(axes["lanes"], lanes, colours)
        if mz:
            draw_ions(axes["ions"], part, mz, colours, log=log)
        draw_map(axes["map"], scale, part, colours, mz_range=mz_range, mz=mz)
        if at_min is not None:
            draw_spectrum(axes["spectrum"], run, at_min, colours, mz_range=mz_range)
        _align_times([axes[name] for name in axes if name != "spectrum"], part, at_min, colours)
        axes["chromatograms"].set_title(
            _title(part), loc="left", fontsize=11, pad=9, parse_math=False
        )
        figure.align_ylabels([panel for name, panel in axes.items() if name != "lanes"])
    return figure


def _heights(n_lanes: int, with_ions: bool, with_spectrum: bool) -> dict[str, float]:
    """Heights of the panels that are drawn, from top to bottom, in inches."""
    heights = {
        "chromatograms": HEIGHTS_IN["chromatograms"],
        "lanes": LANE_IN * (n_lanes + 1) if n_lanes else 0.0,
        "ions": with_ions * HEIGHTS_IN["ions"],
        "map": HEIGHTS_IN["map"],
        "spectrum": with_spectrum * HEIGHTS_IN["spectrum"],
    }
    return {name: height for name, height in heights.items() if height}


def _align_times(panels: list[Axes], part: Run, at_min: float | None, theme: Theme) -> None:
    """Give the panels one axis of time, labelled below the last, and mark the spectrum's time."""
    for axes in panels:
        axes.set_label(TIME_PANEL)
        axes.set_xlim(part.time_min[0], part.time_min[-1])
        axes.tick_params(labelbottom=axes is panels[-1])
        if at_min is not None:
            axes.axvline(at_min, color=theme.muted, linewidth=0.9, linestyle="dashed")
    panels[-1].set_xlabel("time (min)")


def _title(run: Run) -> str:
    name = Path(run.source).name
    shown = name if len(name) <= LONGEST_NAME else f"{name[: LONGEST_NAME - 1]}…"
    return f"{shown}: {run.n_scans:,} scans, {run.n_ions:,} ions"


def save_figure(figure: Figure, file: str | os.PathLike[str] | IO[bytes], form: str) -> None:
    """Write a figure; the same figure gives the same bytes.

    Parameters
    ----------
    figure : matplotlib.figure.Figure
    file : path, or file open for writing bytes
    form : str
        ``png`` or ``svg``.
    """
    settings: Any = {"svg.fonttype": "none", "svg.hashsalt": "gale"}
    with mpl.rc_context(settings), warnings.catch_warnings():
        warnings.filterwarnings(
            "ignore", "Glyph .* missing"
        )  # in the name of a file; drawn as a box
        metadata = {"Date": None} if form == "svg" else {"Software": None}
        figure.savefig(file, format=form, dpi=DOTS_PER_INCH, metadata=metadata)
