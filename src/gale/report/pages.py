"""Pages: HTML files that hold all they need, light or dark as the reader's screen is.

Templates are in ``templates``; whatever is put into one is escaped, unless it is said to be HTML.
"""

from __future__ import annotations

import io
import json
import re
from functools import cache
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup
from matplotlib.figure import Figure

from gale.plotting import save_figure
from gale.plotting.themes import THEMES, Theme
from gale.plumbing.text import in_words

LEAST_SHOWN = 0.01
"""Probabilities nearer to 0 or 1 than this are given as less, or more, than it."""


@cache
def _templates() -> Environment:
    environment = Environment(
        loader=PackageLoader("gale.report"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters |= {
        "in_words": in_words,
        "probability": probability,
        "signed": signed,
    }
    environment.globals |= {
        "light_colours": _variables(THEMES["light"]),
        "dark_colours": _variables(THEMES["dark"]),
    }
    return environment


def render(template: str, **values: Any) -> str:
    """Make a page of a template and what it names."""
    return _templates().get_template(template).render(values) + "\n"


def probability(value: float) -> str:
    """Write a probability with the two decimals that it deserves."""
    if value < LEAST_SHOWN:
        return f"<{LEAST_SHOWN:g}"
    return f">{1 - LEAST_SHOWN:g}" if value > 1 - LEAST_SHOWN else f"{value:.2f}"


def signed(value: float) -> str:
    """Write a difference with its sign, a minus that is as wide as a plus."""
    return f"{value:+.3f}".replace("-", "−")


def as_json(values: Any) -> Markup:
    """Write values as JSON that may stand inside a script element."""
    text = json.dumps(values, separators=(",", ":"))
    return Markup(text.replace("<", "\\u003c"))  # noqa: S704 - nothing in it can end the element


def themed_svg(figure: Figure, label: str) -> Markup:
    """Draw a figure as SVG: its colours are variables of the page, and its paper is left away.

    Parameters
    ----------
    figure : Figure
        In the colours of the light theme.
    label : str
        What it shows, for those who do not see it.
    """
    buffer = io.BytesIO()
    figure.set_facecolor("none")
    save_figure(figure, buffer, "svg")
    svg = buffer.getvalue().decode()
    svg = re.sub(r"<metadata>.*?</metadata>", "", svg[svg.index("<svg") :], flags=re.DOTALL)
    svg = _own_names(svg, re.sub(r"\W+", "-", label))
    for name, colour in THEMES["light"].names.items():
        svg = svg.replace(colour, f"var(--{name})")
    begin = Markup('<svg role="img" aria-label="{}"').format(label)
    return Markup(svg.replace("<svg", begin, 1))  # noqa: S704 - matplotlib has escaped its texts


def _own_names(svg: str, prefix: str) -> str:
    """Make the ids of a figure its own, which are else the same in every figure of a page.

    Those that nothing refers to are left away.
    """
    reference = r'(url\(|xlink:href=")#([^")]+)'
    wanted = {name for _, name in re.findall(reference, svg)}
    svg = re.sub(
        ' id="([^"]+)"', lambda at: f' id="{prefix}-{at[1]}"' if at[1] in wanted else "", svg
    )
    return re.sub(reference, rf"\1#{prefix}-\2", svg)


def _variables(theme: Theme) -> Markup:
    return Markup(" ").join(
        Markup("--{}: {};").format(name, colour) for name, colour in theme.names.items()
    )
