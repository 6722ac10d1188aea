"""Tables of peaks, which have a time, an m/z and a height as runs do: quantitation and features."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np

from gale.errors import UnsupportedFormatError
from gale.plumbing.text import listed
from gale.readers.tables.names import words
from gale.readers.times import MIN_SCANS
from gale.run import Floats, Integers

NAMES = {
    "ah", "area", "area%", "areapercent", "areasum", "cas", "cas#", "casno", "casnumber",
    "compound", "compoundname", "conc", "concentration", "cpd", "endtm", "formula", "istd",
    "istdgroup#", "matchfactor", "peak#", "peakarea", "peakname", "peakno", "peaknumber",
    "quantion", "quantions", "quantmass", "quantmasses", "rtend", "rtrangemax", "rtrangemin",
    "rtstart", "similarity", "starttm", "uniquemass",
}  # fmt: skip
"""Names of columns that say something of a peak, without blanks and punctuation."""

MIN_NAMES, MANY_NAMES = 2, 3
"""A header with at least this many of them is one of a table of peaks, if its times or columns say
so, too, and if nothing else does."""

ONE_ION, MOSTLY_ONE_ION = 0.8, 0.9
"""Share of the times of a table of peaks that have one m/z: with such a header, and without."""

MIN_MZ = 3
"""Selected-ion monitoring of fewer m/z has one in each scan, too."""

OFF_GRID, ON_GRID, LEAST_OCCUPIED = 0.2, 0.8, 0.2
"""Scans are on a grid if at least the share `ON_GRID` of the steps is a multiple of the smallest
ones within `OFF_GRID` of it; and few of them, at most one in five, are filled if they are not."""

REMEDY = "export the run itself, as ANDI (also called AIA or netCDF) or mzML"


def peak_names(header: Sequence[str], least: int = MIN_NAMES) -> list[str]:
    """Return the names in a header that a table of peaks has; none if they are too few."""
    found = [name.strip() for name in header if "".join(words(name)).casefold() in NAMES]
    return found if len(found) >= least else []


def refusal(source: str, names: Sequence[str]) -> UnsupportedFormatError:
    """Make the error for a table of peaks, which has these names in its header."""
    return UnsupportedFormatError(
        source,
        f"is a table of peaks (with the columns {listed(names, most=6)})",
        "a run, which has all ions of every scan",
        REMEDY,
    )


def check_peaks(time_min: Floats, mz: Floats, header: Sequence[str], source: str) -> Iterator[str]:
    """Refuse a table of peaks, or note that a long table looks like one.

    Parameters
    ----------
    time_min, mz : arrays of shape (N,)
        The rows of the table.
    header : sequence of str
        Names of its columns.
    source : str
        Name of the file in messages.

    Raises
    ------
    UnsupportedFormatError
        If nearly every time has one m/z, and the header names what peaks have.
    """
    times, counts = _times(time_min)
    share = float(np.mean(counts == 1))
    if share < ONE_ION or not np.isfinite(times).all():
        return
    n_mz = len(np.unique(np.rint(mz)))
    few = len(times) < MIN_SCANS
    if (names := peak_names(header)) and (few or n_mz >= MIN_MZ):
        raise refusal(source, names)
    if share >= MOSTLY_ONE_ION and n_mz >= MIN_MZ and not few and not _is_scanned(times):
        yield (
            f"{100 * share:.0f} % of the times have one m/z, and they are uneven: this looks like "
            f"a table of peaks, not like a run; {REMEDY}"
        )


def _times(time_min: Floats) -> tuple[Floats, Integers]:
    """The different times of rows, in order, and how many rows have each."""
    before, after = time_min[:-1], time_min[1:]
    if not np.all(before <= after):  # in no order, or not numbers
        return np.unique(time_min, return_counts=True)
    first = np.append(0, np.flatnonzero(before != after) + 1)
    return time_min[first], np.diff(first, append=len(time_min))


def _is_scanned(times: Floats) -> bool:
    """Whether different times, in order, are those of scans, some of which may be missing."""
    steps = np.diff(times)
    base = float(np.quantile(steps, 0.05))
    off = np.abs(steps / base - np.rint(steps / base))
    occupied = len(steps) / (float(times[-1] - times[0]) / base)
    return float(np.mean(off <= OFF_GRID)) >= ON_GRID and occupied >= LEAST_OCCUPIED
