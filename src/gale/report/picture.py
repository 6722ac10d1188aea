"""A run as a picture of a page: chromatograms and ion map, and its spectra at a click.

The picture is the SVG that matplotlib draws. The ions are in the page, packed, for the spectra:
some 5 bytes each.
"""

from __future__ import annotations

import base64
import gzip
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from markupsafe import Markup
from matplotlib.figure import Figure

from gale.plotting import TIME_PANEL, Span, plot_run
from gale.plotting.measures import cut_time, highest_ions, nearest_scan
from gale.report.pages import as_json, render, themed_svg
from gale.run import Floats, Run

MZ_DECIMALS = 2
"""Of m/z in a page, which shows one."""


@dataclass(frozen=True)
class Picture:
    """What the template ``picture.html`` and its scripts show.

    Parameters
    ----------
    svg : str
    label : str
        What the picture shows, in words.
    indent : str
        Where its axes begin, as a share of the width, in the words of CSS.
    settings : str
        JSON: where the axes are and what they span, the scan that is chosen first.
    scans : str
        Times, beginnings of scans, m/z and intensities, packed.
    left_out : str
        What is not packed, in words.
    """

    svg: Markup
    label: str
    indent: str
    settings: Markup
    scans: str
    left_out: str

    @classmethod
    def of(
        cls,
        run: Run,
        *,
        at_min: float | None = None,
        time_range: tuple[float, float] | None = None,
        mz_range: tuple[float, float] | None = None,
        most_bytes: int | None = None,
        **choices: Any,
    ) -> Picture:
        """Draw a run; for what can be chosen see :func:`gale.plotting.plot_run`.

        With `most_bytes`, only so many of the highest ions are packed as fit into them.
        """
        part = cut_time(run, time_range)
        highest = int(part.total_ion_current.argmax())
        scan = highest if at_min is None else nearest_scan(part, at_min)
        figure = plot_run(run, time_range=time_range, mz_range=mz_range, **choices)
        label = f"chromatograms and ion map of {Path(run.source).name}"
        svg = themed_svg(figure, label)
        axes = _axes_box(figure, part)  # drawing has put them there
        kept, scans = _within(part, most_bytes)
        settings = {
            "scans": part.n_scans,
            "ions": kept.n_ions,
            "first_scan": int(np.searchsorted(run.time_min, part.time_min[0])) + 1,
            "scan": scan,
            "mz": mz_range or (float(part.mz.min()) - 2, float(part.mz.max()) + 2),
            "axes": axes,
        }
        return cls(
            svg,
            label,
            f"{axes['left'] / axes['width']:.1%}",
            as_json(settings),
            scans,
            ""
            if kept.n_ions == part.n_ions
            else f"The page holds the {kept.n_ions:,} highest of the run's {part.n_ions:,} ions: "
            "spectra and totals at a time are of these.",
        )


def plot_page(
    run: Run,
    *,
    mz: Sequence[int] = (),
    at_min: float | None = None,
    time_range: tuple[float, float] | None = None,
    mz_range: tuple[float, float] | None = None,
    log: bool = False,
    lanes: Mapping[str, Sequence[Span]] | None = None,
) -> str:
    """Make an HTML page of the picture of a run.

    Parameters
    ----------
    run, mz, time_range, mz_range, log, lanes
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
    picture = Picture.of(
        run, at_min=at_min, mz=mz, time_range=time_range, mz_range=mz_range, log=log, lanes=lanes
    )
    return render("plot.html", title=Path(run.source).name, picture=picture)


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


def _rounded(intensity: Floats) -> Floats:
    """Intensities to five digits, as 32-bit numbers whose last bits are 0, and so pack well."""
    bits = intensity.astype("<f4").view("<u4")
    return (bits & np.uint32(0xFFFFFF80)).view("<f4")


def _within(part: Run, most_bytes: int | None) -> tuple[Run, str]:
    """The highest ions, as many as fit into so many bytes, and what they are packed to."""
    packed = _packed(part)
    while most_bytes is not None and len(packed) > most_bytes:
        part = highest_ions(part, int(0.95 * part.n_ions * most_bytes / len(packed)))
        packed = _packed(part)
    return part, packed


def _packed(part: Run) -> str:
    """Times, beginnings of scans, m/z and intensities, as 32-bit numbers, gzip and base64."""
    columns = (
        part.time_min.astype("<f4"),
        part.scan_start.astype("<u4"),
        part.mz.round(MZ_DECIMALS).astype("<f4"),
        _rounded(part.intensity),
    )
    data = b"".join(column.tobytes() for column in columns)
    return base64.b64encode(gzip.compress(data, mtime=0)).decode()
