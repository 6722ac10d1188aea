"""The interactive picture of a run: chromatograms, ion map, and the spectrum of any scan.

The page has the SVG that matplotlib draws, for paper and for readers without scripts, and the
ions, packed into about 5 bytes each. From these its scripts draw charts that zoom (with uPlot) in
place of the SVG, and the spectrum of any scan.
"""

from __future__ import annotations

import base64
import gzip
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import matplotlib as mpl
import numpy as np
from markupsafe import Markup
from matplotlib.colors import to_hex

from gale.plotting import Label, Span, plot_run
from gale.plotting.measures import (
    base_peak,
    cut_time,
    highest_ions,
    of_scans,
    telling_scans,
)
from gale.plotting.panels import DECADES
from gale.plotting.themes import COLOUR_MAP
from gale.plumbing.text import in_words
from gale.report.pages import as_json, render, themed_svg
from gale.run import Floats, Integers, Run, nearest_scan

MOST_SCANS = 20_000
"""Scans in a page, many times as many as a picture has pixels."""

MZ_DECIMALS = 2
"""Decimals of m/z in a page, which shows one."""

SHADES = 17
"""Colours of the ion map that a page is given; its script takes others between them."""


@dataclass(frozen=True)
class Picture:
    """What the template ``picture.html`` and its scripts show.

    Parameters
    ----------
    svg : str
    label : str
        What the picture shows, in words.
    settings : str
        JSON: what the charts show beside the ions, and which scan is selected first.
    scans : str
        Times, first ions of scans, m/z and intensities, packed; if ions are left out, also the
        total and the highest intensity of each scan, of all its ions.
    colours : str
        What the colours of the map mean.
    left_out : str
        A sentence on the ions that are left out; empty if none are.
    """

    svg: Markup
    label: str
    settings: Markup
    scans: str
    colours: str
    left_out: str

    @classmethod
    def of(
        cls,
        run: Run,
        *,
        at_min: float | None = None,
        time_range: tuple[float, float] | None = None,
        mz_range: tuple[float, float] | None = None,
        mz: Sequence[int] = (),
        log: bool = False,
        lanes: Mapping[str, Sequence[Span]] | None = None,
        labels: Sequence[Label] = (),
        most_bytes: int | None = None,
    ) -> Picture:
        """Draw a run; see :func:`gale.plotting.plot_run` for the choices.

        `labels` are written above the chromatogram, the first of them where there is not room for
        all. With `most_bytes`, only the highest ions are packed, as many as fit, of at most
        :data:`MOST_SCANS` scans.
        """
        part = cut_time(run, time_range)
        highest = int(part.total_ion_current.argmax())
        scan = highest if at_min is None else nearest_scan(part, at_min)
        figure = plot_run(
            run,
            time_range=time_range,
            mz_range=mz_range,
            mz=mz,
            log=log,
            lanes=lanes,
            labels=labels,
        )
        label = f"chromatograms and ion map of {Path(run.source).name}"
        kept = np.arange(part.n_scans)
        if most_bytes is not None:
            kept = telling_scans(part.total_ion_current, MOST_SCANS)
        thinned = of_scans(part, kept)
        packed, scans = _within(thinned, most_bytes)
        first = int(np.searchsorted(run.time_min, part.time_min[0])) + 1
        settings = {
            "label": label,
            "scans": packed.n_scans,
            "ions": packed.n_ions,
            "totals": packed is not thinned,
            "first_scan": first,
            "numbers": None if len(kept) == part.n_scans else (first + kept).tolist(),
            "scan": int(np.searchsorted(kept, scan)),
            "mz": mz_range or (float(part.mz.min()) - 2, float(part.mz.max()) + 2),
            "log": log,
            "extracted": [int(each) for each in mz],
            "peaks": [(round(time, 4), text) for time, text in labels],
            "lanes": [
                (in_words(name), [tuple(round(each, 3) for each in span) for span in spans])
                for name, spans in (lanes or {}).items()
            ],
            "shades": _shades(),
        }
        return cls(
            themed_svg(figure, label),
            label,
            as_json(settings),
            scans,
            _colours(packed),
            _left_out(part, kept, packed),
        )


def _shades() -> list[str]:
    """Colours of the ion map, from the lowest intensity to the highest."""
    return [to_hex(each) for each in mpl.colormaps[COLOUR_MAP](np.linspace(0, 1, SHADES))]


def plot_page(
    run: Run,
    *,
    mz: Sequence[int] = (),
    at_min: float | None = None,
    time_range: tuple[float, float] | None = None,
    mz_range: tuple[float, float] | None = None,
    log: bool = False,
    lanes: Mapping[str, Sequence[Span]] | None = None,
    labels: Sequence[Label] = (),
) -> str:
    """Make an HTML page with the interactive picture of a run.

    Parameters
    ----------
    run, mz, time_range, mz_range, log, lanes, labels
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
        run,
        at_min=at_min,
        mz=mz,
        time_range=time_range,
        mz_range=mz_range,
        log=log,
        lanes=lanes,
        labels=labels,
    )
    return render("plot.html", title=Path(run.source).name, picture=picture)


def _rounded(intensity: Floats) -> Floats:
    """Round intensities to five digits: 32-bit numbers whose last bits are 0, which pack well."""
    bits = intensity.astype("<f4").view("<u4")
    return (bits & np.uint32(0xFFFFFF80)).view("<f4")


def _colours(packed: Run) -> str:
    """Say what the colours of the map mean."""
    most = float(packed.intensity.max(initial=0.0))
    low, high = (f"{each:.3g}".replace("e+0", "e") for each in (most / 10**DECADES, most))
    return (
        f"Colours of the map: intensity, logarithmic, from {low} or less (dark) to {high} (bright)."
    )


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
            "spectra, extracted ions and the map are of these."
        )
    return " ".join(sentences)


def _within(part: Run, most_bytes: int | None) -> tuple[Run, str]:
    """Pack the highest ions, as many as fit; return them and the packed text."""
    whole, packed = part, _packed(part)
    while most_bytes is not None and len(packed) > most_bytes and part.n_ions:
        part = highest_ions(part, int(0.95 * part.n_ions * most_bytes / len(packed)))
        packed = _packed(part, whole)
    return part, packed


def _packed(part: Run, whole: Run | None = None) -> str:
    """Pack times, first ions of scans, m/z and intensities: 32-bit numbers, gzip, base64.

    Of a `whole` run of which these are the highest ions, also the total and the highest intensity
    of each scan.
    """
    columns = [
        part.time_min.astype("<f4"),
        part.scan_start.astype("<u4"),
        part.mz.round(MZ_DECIMALS).astype("<f4"),
        _rounded(part.intensity),
    ]
    if whole is not None:
        columns += [_rounded(whole.total_ion_current), _rounded(base_peak(whole))]
    data = b"".join(column.tobytes() for column in columns)
    return base64.b64encode(gzip.compress(data, mtime=0)).decode()
