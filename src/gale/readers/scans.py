"""What every format needs done to its scans: ions in order of m/z, profile data told apart."""

from __future__ import annotations

import numpy as np

from gale.errors import UnsupportedFormatError
from gale.run import Floats, Integers, Run

FACT_SPECTRA = "spectra"
"""The fact under which a reader says ``centroid`` where the file declares it."""

FACT_CEILING = "ceiling"
"""The fact under which a reader gives the highest intensity that a format can hold."""

MAX_PROFILE_GAP = 0.3
"""Points of a profile are closer together than this (m/z)."""

MIN_PROFILE_PAIRS = 100
"""Fewer pairs of gaps than this say nothing."""

SHORTEST_MIN, LONGEST_MIN = 1.0, 300.0
"""A GC-MS run outside these limits probably has its times in another unit."""

_LOOKED_AT = 50_000


def sort_ions(ions_per_scan: Integers, mz: Floats, intensity: Floats) -> tuple[Floats, Floats]:
    """Put the ions of each scan in order of m/z, keeping the order of equal ones.

    Parameters
    ----------
    ions_per_scan : array of shape (S,)
    mz, intensity : arrays of shape (N,)
        The ions, scan after scan.

    Returns
    -------
    mz, intensity : arrays of shape (N,)
        The same arrays where nothing had to be moved.
    """
    scan = np.repeat(np.arange(len(ions_per_scan)), ions_per_scan)
    if not np.any((mz[1:] < mz[:-1]) & (scan[1:] == scan[:-1])):
        return mz, intensity
    order = np.lexsort((mz, scan))
    return mz[order], intensity[order]


def looks_like_profile(run: Run) -> bool:
    """Whether the points of the scans are samples of a curve instead of one point an ion.

    Samples of a curve follow each other in small, equal steps. So of all pairs of neighbouring
    gaps in m/z, those count that are both under :data:`MAX_PROFILE_GAP` and equal within 10 %; a
    run is profile data if they are more than half. Nominal masses are 1 apart, and the close ions
    of high-resolution centroids are few and unequal. Only the first 50,000 ions are looked at.
    """
    gap = np.diff(run.mz[:_LOOKED_AT])
    first, second = gap[:-1], gap[1:]
    larger = np.maximum(first, second)
    # From one scan to the next m/z falls, so the gap there is negative and does not count.
    regular = (
        (np.minimum(first, second) > 0)
        & (larger < MAX_PROFILE_GAP)
        & (np.abs(first - second) < 0.1 * larger)
    )
    return len(regular) >= MIN_PROFILE_PAIRS and int(regular.sum()) > 0.5 * len(regular)


def profile_error(source: str, found: str) -> UnsupportedFormatError:
    """Make the error for profile data, of which `found` says how they showed."""
    return UnsupportedFormatError(
        f"{source}: {found}; expected centroid data, one point an ion; centroid it with "
        "gale convert --centroid, or with ProteoWizard's msconvert (peak picking on)"
    )


def note_last_line(data: bytes) -> tuple[str, ...]:
    """Note that a text ends within a line: one or no sentence."""
    if data.endswith((b"\n", b"\r")):
        return ()
    return ("the last line has no line end; the file may be cut short within its last number",)
