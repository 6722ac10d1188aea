"""Names above the peaks of a chromatogram, written upwards as in an analyst's report."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from gale.plotting.themes import Theme
from gale.plumbing.text import shortened
from gale.run import Run, nearest_scan

Label = tuple[float, str]
"""A time in minutes, and what is written above the chromatogram there."""

MOST_NAMES = 24
"""Largest number of names in a picture, the first ones that have room."""

POINTS = 7.5
"""Size of the letters."""

MOST_HEIGHT = 0.8
"""Share of the height of a chromatogram that a name may take; longer ones are cut."""

LETTER_IN, LINE_IN, GAP_IN = 0.062, 0.14, 0.1
"""Length of a letter and height of a line of this size, and distance from peak to name, inches."""


def draw_names(axes: Axes, run: Run, labels: Sequence[Label], theme: Theme) -> None:
    """Write names above a chromatogram, and make room for them.

    Parameters
    ----------
    axes : Axes
        With the total ion chromatogram of the run, and the limits that it needs itself.
    run : Run
    labels : sequence of (float, str)
        Times and names, the most important first.
    theme : Theme
    """
    figure = axes.get_figure()
    assert isinstance(figure, Figure)
    width, height_in = figure.get_size_inches() * axes.get_position().size
    line = LINE_IN / width * float(run.time_min[-1] - run.time_min[0])
    chosen = list(_with_room(labels, run, line))
    letters = int((MOST_HEIGHT * height_in - GAP_IN) / LETTER_IN)
    low, high = axes.get_ylim()
    log = axes.get_yscale() == "log"
    bottom, top = (np.log(low), np.log(high)) if log else (low, high)
    for time, name in chosen:
        text = shortened(name, letters)
        height = max(float(run.total_ion_current[nearest_scan(run, time)]), low)
        place = np.log(height) if log else height
        share = (LETTER_IN * len(text) + GAP_IN) / height_in
        top = max(top, bottom + (place - bottom) / (1 - share))
        beside = np.clip(time, run.time_min[0] + line / 2, run.time_min[-1] - line / 2)
        axes.annotate(
            text, (float(beside), height), (0, 72 * GAP_IN / 2), textcoords="offset points",
            rotation=90, ha="center", va="bottom", fontsize=POINTS, color=theme.ink,
            parse_math=False,
        )  # fmt: skip
    axes.set_ylim(low, float(np.exp(top)) if log else top)


def _with_room(labels: Sequence[Label], run: Run, line: float) -> Iterator[Label]:
    """Yield the first labels within the run that are a line apart, in minutes."""
    taken: list[float] = []
    for time, text in labels:
        if len(taken) == MOST_NAMES:
            return
        inside = run.time_min[0] <= time <= run.time_min[-1]
        if inside and all(abs(time - each) >= line for each in taken):
            taken.append(time)
            yield time, text
