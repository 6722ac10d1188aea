"""Panels of a picture: each function draws one thing on given axes."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from math import floor, log10
from typing import NamedTuple

import numpy as np
from matplotlib.axes import Axes
from matplotlib.colors import LogNorm
from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter, LogFormatterSciNotation, MaxNLocator

from gale.plotting.measures import base_peak, ion_map, telling_scans
from gale.plotting.themes import COLOUR_MAP, Theme
from gale.plumbing.text import in_words, shortened
from gale.run import Floats, Run, extracted_ion, nearest_scan

DECADES = 5
"""Powers of ten below the highest intensity that logarithmic colours and axes show."""

MOST_LABELS = 12
"""Largest number of ions of a spectrum that are labelled with their m/z, highest first."""

LABEL_WIDTH = 0.028
"""Width of such a label, as a share of the axis."""

MOST_DRAWN = 4_000
"""Points of a chromatogram that are drawn, two or more of them on each column of pixels."""

LEAST_PLAIN = 100
"""Highest over lowest intensity of the map from which powers of ten alone mark its scale; others
take as long to draw as the rest of the picture."""

ROUND_STEPS = (1, 2, 2.5, 5, 10)
"""Distances between ticks, times a power of ten."""

LINES = ("solid", "dashed", "dotted")
"""Styles that tell extracted ions apart if there are more of them than colours."""

LANE_HEIGHT = 0.62
"""Height of the bars of a lane, as a share of the lane."""

LANE_POINTS, LONGEST_LANE = 8.5, 48
"""Size of the letters of the names of lanes, and the number of which there is room for."""

FAINTEST = 0.35
"""Opacity of a bar with weight 0; with weight 1 it is opaque."""

_SUPERSCRIPT = str.maketrans("0123456789-", "⁰¹²³⁴⁵⁶⁷⁸⁹⁻")


class Span(NamedTuple):
    """A range of times to mark in a lane.

    Parameters
    ----------
    start_min, end_min : float
    weight : float
        0 to 1; more is darker.
    """

    start_min: float
    end_min: float
    weight: float


class PowersOfTen(LogFormatterSciNotation):
    """Labels of a logarithmic axis in plain characters (2×10³): formulas are slow to draw."""

    def __call__(self, x: float, pos: int | None = None) -> str:
        """Write a value as the formula would, or nothing where no label is due."""
        formula = super().__call__(x, pos).removeprefix(r"$\mathdefault{").removesuffix("}$")
        plain = formula.replace(r"\times", "×")
        return re.sub(r"\^\{(-?\d+)\}", lambda power: power[1].translate(_SUPERSCRIPT), plain)


def draw_lanes(axes: Axes, lanes: Mapping[str, Sequence[Span]], theme: Theme) -> None:
    """Draw ranges of times as bars, in one lane per name, the first one on top."""
    for at, spans in enumerate(lanes.values()):
        for start, end, weight in spans:
            opacity = FAINTEST + (1 - FAINTEST) * weight
            axes.barh(
                at, end - start, LANE_HEIGHT, start, color=theme.base, alpha=opacity,
                edgecolor=theme.base, linewidth=0.8,
            )  # fmt: skip
    axes.set_ylim(len(lanes) - 0.4, -0.6)
    axes.set_yticks(
        range(len(lanes)), [*map(lane_name, lanes)], fontsize=LANE_POINTS, parse_math=False
    )
    axes.tick_params(axis="y", length=0)
    axes.grid(axis="y")
    axes.spines["left"].set_visible(False)


def lane_name(name: str) -> str:
    """Write the name of a lane, not longer than there is room for."""
    return shortened(in_words(name), LONGEST_LANE)


def draw_chromatograms(axes: Axes, run: Run, theme: Theme, *, log: bool = False) -> None:
    """Draw the total ion chromatogram and the base peak chromatogram."""
    total = run.total_ion_current
    drawn = _drawn(run, total)
    axes.fill_between(*drawn, color=theme.total, alpha=0.12, linewidth=0)
    axes.plot(*drawn, color=theme.total, linewidth=0.9, label="total ion current")
    axes.plot(
        *_drawn(run, base_peak(run)), color=theme.base, linewidth=0.9,
        label="base peak (highest ion)",
    )  # fmt: skip
    _finish_intensity(axes, float(total.max()), "ion current", log)


def _drawn(run: Run, trace: Floats) -> tuple[Floats, Floats]:
    """Thin out a chromatogram to what can be seen of it: times and intensities."""
    seen = telling_scans(trace, MOST_DRAWN)
    return run.time_min[seen], trace[seen]


def draw_ions(axes: Axes, run: Run, mz: Sequence[int], theme: Theme, *, log: bool = False) -> None:
    """Draw extracted ion chromatograms; m/z are rounded as features round them."""
    highest = 0.0
    for at, each in enumerate(mz):
        trace = extracted_ion(run, each)
        highest = max(highest, float(trace.max()))
        absent = "" if trace.any() else " (no ions)"
        axes.plot(
            *_drawn(run, trace),
            color=theme.ions[at % len(theme.ions)],
            linestyle=LINES[at // len(theme.ions) % len(LINES)],
            linewidth=1.0,
            label=f"m/z {each}{absent}",
        )
    _finish_intensity(axes, highest, "extracted ions", log)


def draw_map(
    axes: Axes,
    colours: Axes,
    run: Run,
    theme: Theme,
    *,
    mz_range: tuple[float, float] | None = None,
    mz: Sequence[int] = (),
) -> None:
    """Draw the ion map, and beside it the scale of its colours.

    Parameters
    ----------
    axes, colours : Axes
        Axes of the map and of the scale.
    run : Run
    theme : Theme
    mz_range : pair of float, optional
        First and last m/z; all by default.
    mz : sequence of int
        m/z to mark at the edge.
    """
    grid = ion_map(run, mz_range)
    highest = float(grid.intensity.max()) or 1.0
    least = float(grid.intensity.min(where=grid.intensity > 0, initial=highest / 10))
    lowest = max(least, highest / 10**DECADES)
    shown = np.maximum(grid.intensity, lowest)  # cells without ions get the lowest colour
    image = axes.pcolorfast(
        grid.time_min, grid.mz, shown, cmap=COLOUR_MAP, norm=LogNorm(lowest, highest)
    )
    image.set_rasterized(True)
    axes.set_ylabel("m/z")
    axes.yaxis.set_major_locator(MaxNLocator(nbins=8, steps=ROUND_STEPS, integer=True))
    figure = axes.get_figure()
    assert isinstance(figure, Figure)
    bar = figure.colorbar(image, cax=colours)
    bar.outline.set_visible(False)
    bar.formatter, bar.minorformatter = PowersOfTen(), PowersOfTen()
    if highest / lowest >= LEAST_PLAIN:
        bar.minorticks_off()
    bar.set_label("intensity (unit of the file)")
    for at, each in enumerate(mz):
        if grid.mz[0] <= each <= grid.mz[-1]:
            axes.plot(
                [0, 1], [each, each], transform=axes.get_yaxis_transform(), linestyle="none",
                marker="d", markersize=5, color=theme.ions[at % len(theme.ions)], clip_on=False,
            )  # fmt: skip


def draw_spectrum(
    axes: Axes,
    run: Run,
    at_min: float,
    theme: Theme,
    *,
    mz_range: tuple[float, float] | None = None,
) -> None:
    """Draw the mass spectrum of the scan nearest to a time, relative to its highest ion."""
    scan = nearest_scan(run, at_min)
    ions = slice(run.scan_start[scan], run.scan_start[scan + 1])
    mz, intensity = run.mz[ions], run.intensity[ions]
    low, high = mz_range or _spectrum_range(mz)
    inside = (mz >= low) & (mz <= high)
    mz, intensity = mz[inside], intensity[inside]
    where = f"spectrum at {run.time_min[scan]:.3f} min, scan {scan + 1:,}"
    highest = float(intensity.max(initial=0.0))
    if highest > 0:
        top = mz[intensity.argmax()]
        where += f"; 100 % is m/z {top:.1f} with {highest:.4g} (unit of the file)"
    else:
        where += ": no ions"
    height = 100 * intensity / (highest or 1.0)
    axes.vlines(mz, 0, height, color=theme.ink, linewidth=1.3)
    for at in _labelled(mz, height, high - low):
        axes.annotate(
            f"{mz[at]:.0f}", (mz[at], height[at]), (0, 2), textcoords="offset points",
            ha="center", va="bottom", fontsize=9,
        )  # fmt: skip
    axes.set_xlim(low, high)
    axes.set_ylim(0, 114)
    axes.set_yticks([0, 25, 50, 75, 100])
    axes.grid(axis="y")
    axes.set_title(where, loc="left", fontsize=10, y=1.0)
    axes.set_xlabel("m/z")
    axes.set_ylabel("relative\nintensity (%)")


def _spectrum_range(mz: Floats) -> tuple[float, float]:
    if not len(mz):
        return 0.0, 100.0
    margin = max(0.02 * float(np.ptp(mz)), 2.0)
    return float(mz.min()) - margin, float(mz.max()) + margin


def _labelled(mz: Floats, height: Floats, width: float) -> list[int]:
    """The ions to label with their m/z: the highest ones, unless a label is there already."""
    chosen: list[int] = []
    for at in np.argsort(-height, kind="stable"):
        if len(chosen) == MOST_LABELS or height[at] < 1:
            break
        if all(abs(mz[at] - mz[other]) > LABEL_WIDTH * width for other in chosen):
            chosen.append(int(at))
    return chosen


def _finish_intensity(axes: Axes, highest: float, name: str, log: bool) -> None:
    """Set the axis of intensities, linear from 0 or logarithmic."""
    unit = "unit of the file"
    if log and highest > 0:
        axes.set_yscale("log")
        axes.set_ylim(highest / 10**DECADES, 2 * highest)
        axes.yaxis.set_major_formatter(PowersOfTen())
        axes.yaxis.set_minor_formatter(PowersOfTen())
    else:
        power = floor(log10(highest)) if highest > 0 else 0
        if abs(power) >= 3:
            axes.yaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value / 10**power:g}"))
            unit = f"10{str(power).translate(_SUPERSCRIPT)} × {unit}"
        axes.yaxis.set_major_locator(MaxNLocator(nbins=4, steps=ROUND_STEPS))
        axes.set_ylim(0, 1.05 * highest if highest > 0 else 1)
    axes.set_ylabel(f"{name}\n({unit})")
    axes.grid(axis="y")
    axes.legend(
        loc="lower right", bbox_to_anchor=(1.0, 1.0), ncols=6, borderaxespad=0.2, handlelength=1.6
    )
