"""Pages: HTML files that need no other file, light or dark as the reader's screen is.

Templates are in ``templates``; values are escaped unless they are marked as HTML.
"""

from __future__ import annotations

import base64
import hashlib
import io
import json
import re
from functools import cache
from importlib import resources
from typing import Any

from jinja2 import ChoiceLoader, Environment, PackageLoader, StrictUndefined
from markupsafe import Markup
from matplotlib.figure import Figure

from gale.plotting import save_figure
from gale.plotting.themes import THEMES, Theme
from gale.plumbing.text import in_words, probability


@cache
def _templates(package: str) -> Environment:
    own = PackageLoader("gale.report")
    environment = Environment(
        loader=own if package == "gale.report" else ChoiceLoader([PackageLoader(package), own]),
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
        "uplot": Markup("/*\n{}\n*/\n{}").format(
            _asset("uPlot.LICENSE"), _asset("uPlot.iife.min.js")
        ),
        "uplot_style": _asset("uPlot.min.css"),
    }
    return environment


def _asset(name: str) -> Markup:
    """Read a file of uPlot, which draws the charts."""
    text = resources.files("gale.report").joinpath("assets", name).read_text("utf-8").strip()
    return Markup(text)  # noqa: S704 - it comes with gale


def render(template: str, *, package: str = "gale.report", **values: Any) -> str:
    """Fill a template with values; one of another package may extend those here."""
    return _templates(package).get_template(template).render(values) + "\n"


def script_hashes() -> list[str]:
    """List the hashes of the scripts of all pages, as a Content-Security-Policy names them.

    Scripts are the same in every page, so that one that a name has brought in has another hash.
    """
    templates = _templates("gale.report")
    assert isinstance(templates.loader, PackageLoader)
    found = set()
    for name in templates.list_templates(["html"]):
        for script in re.findall(r"<script>.*?</script>", templates.loader.get_source(
            templates, name)[0], re.DOTALL):  # fmt: skip
            text = templates.from_string(script).render()
            content = text.removeprefix("<script>").removesuffix("</script>")
            found.add(base64.b64encode(hashlib.sha256(content.encode()).digest()).decode())
    return [f"sha256-{each}" for each in sorted(found)]


def signed(value: float) -> str:
    """Write a difference with its sign; the minus is as wide as a plus."""
    return f"{value:+.3f}".replace("-", "−")


def as_json(values: Any) -> Markup:
    """Write values as JSON that may stand inside a script element."""
    text = json.dumps(values, separators=(",", ":"))
    return Markup(text.replace("<", "\\u003c"))  # noqa: S704 - nothing in it can end the element


def themed_svg(figure: Figure, label: str) -> Markup:
    """Draw a figure as SVG without background, with the colours of the page.

    Parameters
    ----------
    figure : Figure
        In the colours of the light theme.
    label : str
        What it shows, for screen readers.
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
    """Prefix the ids of a figure, which are the same in every figure, so that a page may have many.

    Ids that nothing refers to are removed.
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
