"""Colours and sizes of pictures, for light and dark backgrounds.

Lines can be distinguished with every kind of colour vision (after Okabe and Ito, 2008) and have a
contrast of at least 3 to 1 with the background. The colour map of the ion map is perceptually
uniform, also in grey.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

COLOUR_MAP = "viridis"


@dataclass(frozen=True)
class Theme:
    """Colours of a picture, as hexadecimal codes, all different."""

    paper: str
    ink: str
    muted: str
    grid: str
    total: str
    base: str
    ions: tuple[str, ...]

    @property
    def names(self) -> dict[str, str]:
        """Every colour by the name of its CSS variable."""
        single = ("paper", "ink", "muted", "grid", "total", "base")
        return {
            **{name: getattr(self, name) for name in single},
            **{f"ion{at}": colour for at, colour in enumerate(self.ions)},
        }

    @property
    def settings(self) -> Any:
        """Settings of matplotlib that differ from its defaults, by their names."""
        return {
            "font.family": "sans-serif",
            "font.sans-serif": ["DejaVu Sans", "Verdana", "Arial"],
            "font.size": 10,
            "axes.labelsize": 10,
            "xtick.labelsize": 9,
            "ytick.labelsize": 9,
            "legend.fontsize": 9.5,
            "legend.frameon": False,
            "text.color": self.ink,
            "axes.labelcolor": self.ink,
            "axes.edgecolor": self.muted,
            "axes.facecolor": "none",
            "axes.linewidth": 0.8,
            "axes.spines.top": False,
            "axes.spines.right": False,
            "axes.axisbelow": True,
            "xtick.color": self.muted,
            "ytick.color": self.muted,
            "xtick.labelcolor": self.ink,
            "ytick.labelcolor": self.ink,
            "grid.color": self.grid,
            "grid.linewidth": 0.6,
            "figure.facecolor": self.paper,
            "savefig.facecolor": self.paper,
            "figure.constrained_layout.h_pad": 0.06,
            "figure.constrained_layout.hspace": 0.02,
        }


THEMES = {
    "light": Theme(
        paper="#ffffff",
        ink="#1b1f24",
        muted="#6a737d",
        grid="#e3e6ea",
        total="#3d444d",
        base="#0072b3",
        ions=("#d55e00", "#0072b2", "#00855f", "#882255", "#8a6d00", "#5b5bd6"),
    ),
    "dark": Theme(
        paper="#14181d",
        ink="#e8ebee",
        muted="#98a2ad",
        grid="#2b323a",
        total="#c3cad1",
        base="#56b4ea",
        ions=("#ff8a3d", "#56b4e9", "#2fc99a", "#ea8fc4", "#e8c340", "#a8a8ff"),
    ),
}
