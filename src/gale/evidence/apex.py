"""Apexes: the scan at which what elutes in a time bin is highest.

Time bins are wider than scans, and the middle of a bin may be beside a peak. The apex is the scan
of the bin in which the ions in question are together the highest, or the top of the same rise in
one of the neighbouring bins. Of several equally high scans in a row (a saturated detector) it is
the middle one.

Symbols: S scans, N ions of a run.
"""

from __future__ import annotations

from collections.abc import Collection

import numpy as np

from gale.features.elution import time_bins
from gale.run import Floats, Run


class ApexFinder:
    """Finds apexes in a run.

    Parameters
    ----------
    run : Run
    bins : int
        Number of time bins, T.

    Examples
    --------
    >>> import numpy as np
    >>> from gale import Run
    >>> time_min = np.repeat([0.0, 1.0, 2.0, 3.0, 4.0], 2)
    >>> run = Run.from_rows(time_min, [28, 57] * 5, [9, 1, 9, 5, 9, 8, 9, 2, 9, 1])
    >>> ApexFinder(run, bins=2).scan(0, [57])
    2
    """

    def __init__(self, run: Run, bins: int) -> None:
        self._run, self._bin = run, time_bins(run, bins)
        self._nominal, self._scan = np.rint(run.mz).astype(np.int64), run.scan_of_ion

    def scan(self, time_bin: int, ions: Collection[int]) -> int:
        """Return the number of the apex scan, from 0, of ions of these nominal m/z in a bin.

        A bin between two scans shows the earlier one, which is then the apex.
        """
        first, last = np.searchsorted(self._bin, [time_bin, time_bin + 1])
        if first == last:
            return int(first) - 1
        height = self._height(ions)
        at = int(first + np.argmax(height[first:last]))
        low, high = np.searchsorted(self._bin, [time_bin - 1, time_bin + 2])
        while at + 1 < high and height[at + 1] > height[at]:
            at += 1
        while at > low and height[at - 1] > height[at]:
            at -= 1
        end = at
        while end + 1 < high and height[end + 1] == height[at]:
            end += 1
        return (at + end) // 2

    def highest(self, start_min: float, end_min: float, ions: Collection[int]) -> int:
        """Return the scan between two times at which ions of these nominal m/z are highest."""
        time_min = self._run.time_min
        first = int(np.searchsorted(time_min, start_min))
        last = max(int(np.searchsorted(time_min, end_min, side="right")), first + 1)
        return min(first + int(np.argmax(self._height(ions)[first:last])), len(time_min) - 1)

    def _height(self, ions: Collection[int]) -> Floats:
        """Sum the intensities of ions in each scan, (S,)."""
        wanted = np.isin(self._nominal, list(ions))
        height = np.zeros(self._run.n_scans)
        np.add.at(height, self._scan[wanted], self._run.intensity[wanted])
        return height
