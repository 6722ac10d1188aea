"""A run as one HTML file: its picture, and its spectra at a click; works without a network.

The picture is the SVG that matplotlib draws, with its colours as variables of the page, so that
it is light or dark as the reader's screen is. The ions are in the page, packed, for the spectra:
some 5 bytes each.
"""

from __future__ import annotations

import base64
import gzip
import html
import io
import json
import re
from collections.abc import Sequence
from importlib import resources
from pathlib import Path
from typing import Any

import numpy as np
from matplotlib.figure import Figure

from gale.plotting import TIME_PANEL, plot_run, save_figure
from gale.plotting.measures import cut_time, nearest_scan
from gale.plotting.themes import THEMES, Theme
from gale.run import Run


def run_page(
    run: Run,
    *,
    mz: Sequence[int] = (),
    at_min: float | None = None,
    time_range: tuple[float, float] | None = None,
    mz_range: tuple[float, float] | None = None,
    log: bool = False,
) -> str:
    """Make the HTML page of a run.

    Parameters
    ----------
    run, mz, time_range, mz_range, log
        See :func:`gale.plotting.plot_run`.
    at_min : float, optional
        Time of the spectrum that is shown first; by default that of the highest total ion current.

    Returns
    -------
    str

    Raises
    ------
    PlotError
        See :func:`gale.plotting.plot_run`.
    """
    part = cut_time(run, time_range)
    scan = int(part.total_ion_current.argmax()) if at_min is None else nearest_scan(part, at_min)
    figure = plot_run(run, mz=mz, time_range=time_range, mz_range=mz_range, log=log)
    picture = _themed_svg(figure)
    low, high = mz_range or (float(part.mz.min()) - 2, float(part.mz.max()) + 2)
    axes = _axes_box(figure, part)
    settings = {
        "scans": part.n_scans,
        "ions": part.n_ions,
        "first_scan": int(np.searchsorted(run.time_min, part.time_min[0])) + 1,
        "scan": scan,
        "mz": [low, high],
        "axes": axes,
    }
    files = resources.files("gale.plotting")
    page = files.joinpath("page.html").read_text("utf-8")
    name = html.escape(Path(run.source).name)
    parts = {
        "INDENT": f"{axes['left'] / axes['width']:.1%}",
        "TITLE": name,
        "LABEL": f"chromatograms and ion map of {name}",
        "LIGHT": _variables(THEMES["light"]),
        "DARK": _variables(THEMES["dark"]),
        "SVG": picture,
        "SETTINGS": json.dumps(settings),
        "SCANS": _packed(part),
        "SCRIPT": files.joinpath("page.js").read_text("utf-8"),
    }
    return re.sub("@([A-Z]+)@", lambda place: parts[place[1]], page)


def _themed_svg(figure: Figure) -> str:
    """The picture as SVG, its colours as variables and its paper left away."""
    buffer = io.BytesIO()
    figure.set_facecolor("none")
    save_figure(figure, buffer, "svg")
    svg = buffer.getvalue().decode()
    svg = svg[svg.index("<svg") :]
    for name, colour in THEMES["light"].names.items():
        svg = svg.replace(colour, f"var(--{name})")
    return svg


def _axes_box(figure: Figure, part: Run) -> dict[str, Any]:
    """Where the panels of time are in the picture, in its points, and which times they span."""
    panels = [axes.get_position() for axes in figure.axes if axes.get_label() == TIME_PANEL]
    width, height = figure.get_size_inches() * 72
    return {
        "left": min(box.x0 for box in panels) * width,
        "right": max(box.x1 for box in panels) * width,
        "top": (1 - max(box.y1 for box in panels)) * height,
        "bottom": (1 - min(box.y0 for box in panels)) * height,
        "width": width,
        "first": float(part.time_min[0]),
        "last": float(part.time_min[-1]),
    }


def _packed(part: Run) -> str:
    """Times, beginnings of scans, m/z and intensities, as 32-bit numbers, gzip and base64."""
    columns = (
        part.time_min.astype("<f4"),
        part.scan_start.astype("<u4"),
        part.mz.astype("<f4"),
        part.intensity.astype("<f4"),
    )
    data = b"".join(column.tobytes() for column in columns)
    return base64.b64encode(gzip.compress(data, mtime=0)).decode()


def _variables(theme: Theme) -> str:
    return " ".join(f"--{name}: {colour};" for name, colour in theme.names.items())
