"""Where the panels of a picture are, in inches.

matplotlib can find places by itself, which takes longer than to draw the panels.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.font_manager import FontProperties
from matplotlib.textpath import text_to_path

from gale.plotting.panels import LANE_POINTS, lane_name

WIDTH_IN = 11.0
LEFT_IN, RIGHT_IN = 0.95, 1.0
"""Room for the labels of the vertical axes, and for the scale of the map with its own."""

LABELS_IN = 0.55
"""Distance of the labels of vertical axes from these."""

SCALE_IN = (0.13, 0.12)
"""Distance of the scale of the map from it, and its width."""

NAMES_IN = 1.2
"""Room for names above the chromatogram."""

HINTED = 1.1
"""Width of a text on a screen, whose letters begin at whole dots, over that of its shapes."""

LANE_IN = 0.24
"""Height of a lane; its panel has half as much again at its edges."""


class Heights(NamedTuple):
    """Heights of a panel: what is written above its axes, the axes, and what is below."""

    above: float
    axes: float
    below: float


def heights_of(
    *, n_lanes: int, with_ions: bool, with_spectrum: bool, with_names: bool
) -> dict[str, Heights]:
    """Heights of the panels to draw, from top to bottom."""
    panels = {
        "chromatograms": Heights(0.4, 1.95 + with_names * NAMES_IN, 0.15),
        "lanes": Heights(0.0, LANE_IN * (n_lanes + 0.5) if n_lanes else 0.0, 0.15),
        "ions": Heights(0.2, with_ions * 1.75, 0.15),
        "map": Heights(0.05, 3.2, 0.55),
        "spectrum": Heights(0.3, with_spectrum * 1.8, 0.55),
    }
    return {name: heights for name, heights in panels.items() if heights.axes}


def left_of(lanes: Iterable[str]) -> float:
    """Room to the left of the axes, which the names of lanes may need more of."""
    font = FontProperties(size=LANE_POINTS)
    points = [
        text_to_path.get_text_width_height_descent(lane_name(name), font, ismath=False)[0]
        for name in lanes
    ]
    return max([LEFT_IN, *(0.2 + HINTED * each / 72 for each in points)])


def place_panels(figure: Figure, heights: dict[str, Heights], left: float) -> dict[str, Axes]:
    """Make the axes of the panels, and those of the scale of the map, named ``scale``."""
    total = sum(map(sum, heights.values()))
    width = WIDTH_IN - left - RIGHT_IN
    figure.set_size_inches(WIDTH_IN, total)
    axes, top = {}, total
    for name, each in heights.items():
        top -= each.above + each.axes
        place = (left / WIDTH_IN, top / total, width / WIDTH_IN, each.axes / total)
        axes[name] = figure.add_axes(place)
        axes[name].yaxis.set_label_coords(-LABELS_IN / width, 0.5)
        top -= each.below
    beside, (apart, wide) = axes["map"].get_position(), (each / WIDTH_IN for each in SCALE_IN)
    axes["scale"] = figure.add_axes((beside.x1 + apart, beside.y0, wide, beside.height))
    return axes
