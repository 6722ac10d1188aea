"""A run in a notebook: its total ion current as a small picture, its facts, and what is odd."""

from __future__ import annotations

import numpy as np
from markupsafe import Markup

from gale.inspection import oddities
from gale.notebook.parts import block, folded, sentences, table
from gale.plumbing.text import counted
from gale.run import Floats, Run

WIDTH, HEIGHT, HEAD, FOOT = 640, 96, 16, 18
"""Size of the picture, and height of the lines above and below, in pixels."""

TICKS = 9
"""Most times below the picture."""


def run_html(run: Run) -> str:
    """Draw a run."""
    facts = (
        run.format,
        counted(run.n_scans, "scan"),
        f"{run.time_min[0]:.2f} to {run.time_min[-1]:.2f} min",
        counted(run.n_ions, "ion"),
        f"m/z {run.mz.min():.0f} to {run.mz.max():.0f}",
    )
    said = [(name, str(value)) for name, value in run.facts.items()]
    return block(
        run.source,
        facts,
        chromatogram(run.time_min, run.total_ion_current),
        sentences("unusual:", [each.text for each in oddities(run)], "nothing unusual"),
        folded("what the file says of itself", table(("fact", ""), said)) if said else Markup(""),
    )


def chromatogram(time_min: Floats, current: Floats) -> Markup:
    """Draw a current (S,) over time as a line: of each column of pixels the lowest and highest."""
    first, last = float(time_min[0]), float(time_min[-1])
    across = np.zeros(len(time_min)) if last == first else (time_min - first) / (last - first)
    columns = np.minimum((across * WIDTH).astype(int), WIDTH - 1)
    top = float(current.max()) or 1.0
    begins = np.flatnonzero(np.diff(columns, prepend=-1))
    low, high = np.minimum.reduceat(current, begins), np.maximum.reduceat(current, begins)
    points = " ".join(
        f"{column},{HEIGHT - 2 - (HEIGHT - 6) * value / top:.1f}"
        for column, *values in zip(columns[begins], low, high, strict=True)
        for value in values
    )
    ticks = Markup("").join(
        Markup(
            '<text x="{:.1f}" y="{}" text-anchor="middle" font-size="11" fill="currentColor" '
            'opacity=".75">{:g}</text>'
        ).format((minute - first) / (last - first) * WIDTH, HEIGHT + 13, minute)
        for minute in _ticks(first, last)
    )
    return Markup(
        '<svg viewBox="-12 -{} {} {}" width="{}" style="max-width:100%;height:auto;display:block" '
        'role="img" aria-label="total ion current over time in minutes">'
        '<line x1="0" x2="{}" y1="{}" y2="{}" stroke="currentColor" opacity=".35"/>'
        '<polyline points="{}" fill="none" stroke="currentColor" stroke-width="1"/>{}'
        '<text x="0" y="-4" font-size="11" fill="currentColor" opacity=".75">'
        "total ion current, up to {:.3g}; time in min</text></svg>"
    ).format(
        HEAD,
        WIDTH + 24,
        HEAD + HEIGHT + FOOT,
        WIDTH + 24,
        WIDTH,
        HEIGHT,
        HEIGHT,
        points,
        ticks,
        top,
    )


def _ticks(first: float, last: float) -> list[float]:
    """Return round times within a range, at most `TICKS`."""
    span = last - first
    if span <= 0:
        return []
    power = 10 ** np.floor(np.log10(span))
    steps = [power * factor for factor in (0.1, 0.2, 0.5, 1, 2, 5)]
    step = next(each for each in steps if span / each < TICKS)
    return [round(float(each), 6) for each in np.arange(np.ceil(first / step) * step, last, step)]
