"""The interactive picture of a run: chromatograms, ion map, and the spectrum of any scan.

The picture is the SVG that matplotlib draws. For the spectra, the page has the ions, packed into
about 5 bytes each.
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
from gale.plotting.measures import cut_time, highest_ions, of_scans, telling_scans
from gale.report.pages import as_json, render, themed_svg
from gale.run import Floats, Integers, Run, nearest_scan

MOST_SCANS = 20_000
"""Scans in a page, many times as many as a picture has pixels."""

MZ_DECIMALS = 2
"""Decimals of m/z in a page, which shows one."""


@dataclass(frozen=True)
class Picture:
    """What the template ``picture.html`` and its scripts show.

    Parameters
    ----------
    svg : str
    label : str
        What the picture shows, in words.
    indent : str
        Where its axes begin, as a CSS percentage of the width.
    settings : str
        JSON: where the axes are, what they span, and which scan is selected first.
    scans : str
        Times, first ions of scans, m/z and intensities, packed.
    left_out : str
        A sentence on the ions that are left out; empty if none are.
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
        """Draw a run; see :func:`gale.plotting.plot_run` for the choices.

        With `most_bytes`, only the highest ions are packed, as many as fit, of at most
        :data:`MOST_SCANS` scans.
        """
        part = cut_time(run, time_range)
        highest = int(part.total_ion_current.argmax())
        scan = highest if at_min is None else nearest_scan(part, at_min)
        figure = plot_run(run, time_range=time_range, mz_range=mz_range, **choices)
        label = f"chromatograms and ion map of {Path(run.source).name}"
        svg = themed_svg(figure, label)
        axes = _axes_box(figure, part)  # drawing has put them there
        kept = np.arange(part.n_scans)
        if most_bytes is not None:
            kept = telling_scans(part.total_ion_current, MOST_SCANS)
        packed, scans = _within(of_scans(part, kept), most_bytes)
        first = int(np.searchsorted(run.time_min, part.time_min[0])) + 1
        settings = {
            "scans": packed.n_scans,
            "ions": packed.n_ions,
            "first_scan": first,
            "numbers": None if len(kept) == part.n_scans else (first + kept).tolist(),
            "scan": int(np.searchsorted(kept, scan)),
            "mz": mz_range or (float(part.mz.min()) - 2, float(part.mz.max()) + 2),
            "axes": axes,
        }
        return cls(
            svg,
            label,
            f"{axes['left'] / axes['width']:.1%}",
            as_json(settings),
            scans,
            _left_out(part, kept, packed),
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
    """Make an HTML page with the interactive picture of a run.

    Parameters
    ----------
    run, mz, time_range, mz_range, log, lanes
        See :func:`gale.plotting.plot_run`.
    at_min : float, optional
        Time of the first spectrum; by default that of the highest total ion current.

    Returns
    -------
    str
        HTML.

    Raises
    ------
    PlotError
        See :func:`gale.plotting.plot_run`.

    Examples
    --------
    >>> from gale import Run
    >>> run = Run.from_rows([1, 1, 2, 2, 3], [18, 57, 18, 91, 57], [5, 700, 6, 3, 900])
    >>> page = plot_page(run)
    >>> page[:15]
    '<!DOCTYPE html>'
    """
    picture = Picture.of(
        run, at_min=at_min, mz=mz, time_range=time_range, mz_range=mz_range, log=log, lanes=lanes
    )
    return render("plot.html", title=Path(run.source).name, picture=picture)


def _axes_box(figure: Figure, part: Run) -> dict[str, Any]:
    """Locate the panels with a time axis in the picture, in points, and the times they span."""
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
    """Round intensities to five digits: 32-bit numbers whose last bits are 0, which pack well."""
    bits = intensity.astype("<f4").view("<u4")
    return (bits & np.uint32(0xFFFFFF80)).view("<f4")


def _left_out(part: Run, kept: Integers, packed: Run) -> str:
    """Say which scans and ions of a run are not in the page."""
    sentences = []
    if len(kept) < part.n_scans:
        sentences.append(
            f"The page has only {len(kept):,} of the run's {part.n_scans:,} scans: of every few "
            "neighbours the two with the highest and the lowest total, so every peak is there."
        )
    if packed.n_ions < part.ions_per_scan[kept].sum():
        sentences.append(
            f"The page has only the {packed.n_ions:,} highest of the run's {part.n_ions:,} ions; "
            "spectra and totals are of these."
        )
    return " ".join(sentences)


def _within(part: Run, most_bytes: int | None) -> tuple[Run, str]:
    """Pack the highest ions, as many as fit; return them and the packed text."""
    packed = _packed(part)
    while most_bytes is not None and len(packed) > most_bytes and part.n_ions:
        part = highest_ions(part, int(0.95 * part.n_ions * most_bytes / len(packed)))
        packed = _packed(part)
    return part, packed


def _packed(part: Run) -> str:
    """Pack times, first ions of scans, m/z and intensities: 32-bit numbers, gzip, base64."""
    columns = (
        part.time_min.astype("<f4"),
        part.scan_start.astype("<u4"),
        part.mz.round(MZ_DECIMALS).astype("<f4"),
        _rounded(part.intensity),
    )
    data = b"".join(column.tobytes() for column in columns)
    return base64.b64encode(gzip.compress(data, mtime=0)).decode()
