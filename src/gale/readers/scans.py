"""What the scans of every format need: ions in order of m/z, and profile data recognised."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from gale.errors import UnsupportedFormatError
from gale.readers.refused import CONVERT
from gale.run import Floats, Integers, Run

FACT_SPECTRA = "spectra"
"""The fact that is ``centroid`` or ``profile`` where the file declares such spectra."""

FACT_CEILING = "ceiling"
"""The fact that gives the highest intensity the format can hold."""

MAX_PROFILE_GAP = 0.3
"""Neighbouring points of a profile are closer than this (m/z)."""

MIN_PROFILE_PAIRS = 100
"""Fewer pairs of gaps than this decide nothing."""

PROFILE_SHARE, ASKED_SHARE = 0.5, 0.1
"""Share of regular pairs above which a run is profile data, unasked and if somebody says so."""

_CHECKED_IONS = 50_000
"""The first ions of a run; they show whether it is profile data."""


def ceiling_of(facts: Mapping[str, str]) -> float:
    """Return the highest intensity that the format of a run can hold; infinite if unknown.

    The facts of an mzML file are texts that anyone may have written.
    """
    try:
        return float(facts.get(FACT_CEILING, "inf"))
    except ValueError:
        return float("inf")


def sort_ions(ions_per_scan: Integers, mz: Floats, intensity: Floats) -> tuple[Floats, Floats]:
    """Sort the ions of each scan by m/z; ions of equal m/z keep their order.

    Parameters
    ----------
    ions_per_scan : array of shape (S,)
    mz, intensity : arrays of shape (N,)
        The ions, scan after scan.

    Returns
    -------
    mz, intensity : arrays of shape (N,)
        The same arrays if they were in order.
    """
    scan = np.repeat(np.arange(len(ions_per_scan)), ions_per_scan)
    if not np.any((mz[1:] < mz[:-1]) & (scan[1:] == scan[:-1])):
        return mz, intensity
    order = np.lexsort((mz, scan))
    return mz[order], intensity[order]


def looks_like_profile(run: Run, *, as_asked: bool = False) -> bool:
    """Whether the points of the scans sample a curve, rather than being one point per ion.

    Samples of a curve follow each other in small, equal steps. A run is profile data if, in more
    than half of all pairs of neighbouring gaps in m/z, both gaps are below
    :data:`MAX_PROFILE_GAP` and equal within 10 %. Nominal masses are 1 apart, and the close ions
    of high-resolution centroids are few and unequally spaced. Only the first 50,000 ions are
    checked.

    Parameters
    ----------
    run : Run
        Its ions may be in any order.
    as_asked : bool
        Whether somebody says that they are profile data. Then one in ten pairs will do, as where
        only the tops of peaks were kept, and so will fewer pairs than could decide.
    """
    counts = np.diff(np.minimum(run.scan_start, _CHECKED_IONS))
    mz = run.mz[:_CHECKED_IONS]
    mz, _ = sort_ions(counts, mz, mz)
    gap = np.diff(mz)
    first, second = gap[:-1], gap[1:]
    larger = np.maximum(first, second)
    # Between scans m/z falls; that gap is negative and does not count.
    regular = (
        (np.minimum(first, second) > 0)
        & (larger < MAX_PROFILE_GAP)
        & (np.abs(first - second) < 0.1 * larger)
    )
    if len(regular) < MIN_PROFILE_PAIRS:
        return as_asked
    return int(regular.sum()) > (ASKED_SHARE if as_asked else PROFILE_SHARE) * len(regular)


def profile_error(source: str, found: str) -> UnsupportedFormatError:
    """Make the error for profile data; `found` says how they were recognised."""
    return UnsupportedFormatError(
        source, found, "centroid data, one point per ion", f"pass centroid=True, or {CONVERT}"
    )


def note_last_line(data: bytes) -> tuple[str, ...]:
    """Return a note if a text ends within a line, otherwise none."""
    if data.endswith((b"\n", b"\r")):
        return ()
    return ("the last line has no line end; the file may be cut short within its last number",)
