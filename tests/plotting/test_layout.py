"""Places of panels: nothing is cut at the edge of a picture, and panels do not overlap."""

from __future__ import annotations

from itertools import combinations
from typing import Any

import numpy as np
import pytest
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.transforms import Bbox

from gale.plotting import Span, plot_run
from gale.run import Run
from helpers.scanned_runs import background, run_of, with_peaks

RUN = run_of(with_peaks(background()))
EVEN = Run.from_scans(RUN.time_min, RUN.ions_per_scan, RUN.mz, np.full(RUN.n_ions, 2e5))
"""A run whose map has colours within one power of ten, so that its scale has longer labels."""

LANES = {name: [Span(1.0, 2.0, 0.5)] for name in ("alcohol", "other_oxygen_bearing_compound")}
LONG = {"n" * 300: [Span(1.0, 2.0, 0.5)]}

CHOICES: dict[str, dict[str, Any]] = {
    "few": {},
    "all": {"mz": (44, 207), "at_min": 2.5, "lanes": LANES, "labels": [(2.5, "octadecane")]},
    "long names": {"lanes": LONG, "labels": [(1.0, "n" * 300)], "at_min": 1.0},
    "logarithmic": {"log": True, "mz": (44,), "theme": "dark"},
}


def boxes(figure: Figure) -> list[Bbox]:
    """What each panel takes, with its labels and title, in inches."""
    canvas = FigureCanvasAgg(figure)
    canvas.draw()  # type: ignore[no-untyped-call]
    renderer = canvas.get_renderer()  # type: ignore[no-untyped-call]
    found = [axes.get_tightbbox(renderer) for axes in figure.axes]
    return [Bbox(each.get_points() / figure.dpi) for each in found if each is not None]


@pytest.mark.parametrize("run", [RUN, EVEN], ids=["a run", "an even run"])
@pytest.mark.parametrize("choices", CHOICES.values(), ids=CHOICES)
def test_nothing_is_cut_and_nothing_overlaps(run: Run, choices: dict[str, Any]) -> None:
    figure = plot_run(run, **choices)
    width, height = figure.get_size_inches()
    panels = boxes(figure)
    assert len(panels) == len(figure.axes)
    for box in panels:
        assert 0 <= box.x0 < box.x1 <= width
        assert 0 <= box.y0 < box.y1 <= height
    for one, other in combinations(panels, 2):
        shared = Bbox.intersection(one, other)
        assert shared is None or min(shared.width, shared.height) < 0.02, (one, other)
