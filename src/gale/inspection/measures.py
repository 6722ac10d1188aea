"""Measurements of a run for the rules of oddities, and for showing it."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from gale.plumbing.numeric import quantile
from gale.run import Floats, Integers, Run

LARGEST_MZ = 1_000
"""Ions above this m/z are not from a compound: EI spectra in GC end below."""

AIR = frozenset({14, 16, 17, 18, 20, 22, 28, 32, 34, 40, 44})
"""m/z of nitrogen, oxygen, water, argon and carbon dioxide, without those of many organic ions."""

SIDE, LEAST_SIDE = 0.05, 10
"""A peak is compared with its m/z this share of the scans before and after it, or so many scans if
these are more."""

CELLS_AT_ONCE = 2**20
"""Cells of scans × m/z that are looked at at a time, which limits the memory used."""

FLOOR_QUANTILE = 0.005
"""Quantile of a run's intensities that is taken as its floor: the lowest one may be a stray."""

MIN_SCANS = 50
"""With fewer scans, it is unknown what is usual in a run."""

MAX_MONITORED = 100
"""Largest number of m/z in a run of selected-ion monitoring, over all its groups."""

MAX_MONITORED_AT_ONCE = 40
"""Largest number of m/z in a scan of selected-ion monitoring: each takes time."""

MAX_MONITORED_COVERAGE = 0.5
"""Selected m/z lie apart: they are less than this share of all from the lowest to the highest. A
scan over a narrow range has most of them."""

MIN_REPEATED = 0.8
"""Neighbouring scans of selected-ion monitoring have at least this share of their m/z in common; a
few are below the threshold. Scanned runs with little but air reach 0.9, others stay below 0.8."""

PRESENT, MIN_PRESENT = 0.05, 0.8
"""In selected-ion monitoring, at least the share `MIN_PRESENT` of the m/z is in at least the share
`PRESENT` of the scans, since each is monitored for a good part of the run. In scanned runs with as
few m/z, up to half of them are."""


@dataclass(frozen=True)
class ScanIntervals:
    """Time from scan to scan in seconds: median, 1st and 99th percentile, and the longest."""

    median_s: float
    low_s: float
    high_s: float
    longest_s: float
    longest_at_min: float


@dataclass(frozen=True)
class Plateau:
    """The highest intensity of a run, and the ions, scans and m/z that have it."""

    intensity: float
    ions: int
    scans: int
    mz: tuple[int, ...]


def scan_intervals(run: Run) -> ScanIntervals:
    """Measure the time from scan to scan."""
    step_s = np.diff(run.time_min) * 60
    longest = int(step_s.argmax())
    low, median, high = np.quantile(step_s, [0.01, 0.5, 0.99])
    return ScanIntervals(
        float(median),
        float(low),
        float(high),
        float(step_s[longest]),
        float(run.time_min[longest]),
    )


def nominal_mz(run: Run) -> Integers:
    """Round the m/z of every ion as features do, halves to the even number; shape (N,)."""
    return np.rint(run.mz).astype(np.int64)


def distinct_mz(run: Run) -> Integers:
    """The nominal m/z that a run has, increasing."""
    return np.flatnonzero(np.bincount(nominal_mz(run)))


def scans_with(run: Run, chosen: NDArray[np.bool_]) -> int:
    """Count the scans that have one of the chosen ions (N,)."""
    scans = np.searchsorted(run.scan_start, np.flatnonzero(chosen), side="right")
    return len(np.unique(scans))


def plateau(run: Run) -> Plateau:
    """Find the ions that have the highest intensity of the run."""
    highest = run.intensity.max()
    at = run.intensity == highest
    mz = tuple(np.unique(np.rint(run.mz[at]).astype(np.int64)).tolist())
    return Plateau(float(highest), int(at.sum()), scans_with(run, at), mz)


def repeated_share(run: Run) -> float:
    """Share of nominal m/z that neighbouring scans have in common, over the whole run.

    The sum of intersections over the sum of unions (Jaccard): close to 1 if all scans have the same
    m/z, whether a few are monitored or all are recorded without a threshold.
    """
    present, width = _present(run), _width(run)
    both = len(np.intersect1d(present, present + width, assume_unique=True))
    scan = present // width
    sizes = np.sum(scan > 0) + np.sum(scan < run.n_scans - 1)  # of both scans of every pair
    return both / max(int(sizes) - both, 1)


def monitored_mz(run: Run) -> tuple[int, ...]:
    """Return the m/z of a run of selected-ion monitoring; none for a scanned run.

    Such a run has few m/z, which lie apart, are the same in neighbouring scans, and are present for
    a good part of the run. Several groups of ions, one after the other, are recognised, too.
    """
    if np.median(run.ions_per_scan) > MAX_MONITORED_AT_ONCE:
        return ()
    distinct = distinct_mz(run)
    spread = distinct[-1] - distinct[0] + 1
    few = len(distinct) <= MAX_MONITORED
    apart = len(distinct) < MAX_MONITORED_COVERAGE * spread or len(distinct) <= 2
    if run.n_scans < MIN_SCANS or not few or not apart or repeated_share(run) < MIN_REPEATED:
        return ()
    scans_of_mz = np.unique(_present(run) % _width(run), return_counts=True)[1]
    share_present = np.mean(scans_of_mz >= PRESENT * run.n_scans)
    return tuple(distinct.tolist()) if share_present >= MIN_PRESENT else ()


def _present(run: Run) -> Integers:
    """Every nominal m/z of every scan once, as scan × width + m/z."""
    return np.unique(run.scan_of_ion * _width(run) + nominal_mz(run))


def _width(run: Run) -> int:
    return int(run.mz.max()) + 2


@dataclass(frozen=True)
class Elution:
    """A run that is asked what stands out in it; what every answer needs is made once."""

    run: Run

    @cached_property
    def mz(self) -> Integers:
        """Nominal m/z of each ion, (N,)."""
        return nominal_mz(self.run)

    @cached_property
    def scan_of_ion(self) -> Integers:
        """Scan of each ion, (N,)."""
        return self.run.scan_of_ion

    @cached_property
    def floor(self) -> float:
        """Least intensity that is no stray."""
        return quantile(self.run.intensity, FLOOR_QUANTILE)

    def highest_mz(self, most: int, without: Collection[int] = ()) -> Integers:
        """Return the nominal m/z of the `most` highest traces, by their highest ion.

        Those of `without` are not among them.
        """
        highest = np.zeros(max(LARGEST_MZ, self.mz.max(initial=0)) + 1)
        np.maximum.at(highest, self.mz, self.run.intensity)
        highest = highest[: LARGEST_MZ + 1]
        highest[list(without)] = -1
        return np.argsort(-highest, kind="stable")[:most]

    def standing_together(self, times: float, among: Integers | None = None) -> int:
        """Count the nominal m/z that stand out at the same time, at the time when most of them do.

        An m/z stands out where it has at least `times` the signal before and after it, for at least
        two scans: a spike in one scan is not a peak. Constant background, and one that rises slowly
        as column bleed does, does not stand out. Noise does now and then, one m/z at a time; a
        compound has many ions. With `among`, only these nominal m/z are looked at.
        """
        run, mz = self.run, self.mz
        wanted = distinct_mz(run) if among is None else among
        wanted = wanted[wanted <= min(LARGEST_MZ, mz.max(initial=0))]
        some = max(CELLS_AT_ONCE // run.n_scans, 1)
        together = np.zeros(max(run.n_scans - 1, 1), dtype=np.int64)
        for columns in (wanted[first : first + some] for first in range(0, len(wanted), some)):
            n_columns = len(columns)
            column_of = np.full(mz.max(initial=0) + 1, -1)
            column_of[columns] = np.arange(n_columns)
            ions = np.flatnonzero(column_of[mz] >= 0)
            cell = self.scan_of_ion[ions] * n_columns + column_of[mz[ions]]
            cells = run.n_scans * n_columns
            total = np.bincount(cell, run.intensity[ions], cells).astype(np.float64, copy=False)
            together += _standing(total.reshape(run.n_scans, n_columns), times, self.floor)
        return int(together.max())


def _standing(trace: Floats, times: float, floor: float) -> Integers:
    """Count the columns of traces (S, M) that stand out from scan to scan, see :class:`Elution`."""
    side = max(int(SIDE * len(trace)), LEAST_SIDE)
    height = np.minimum(trace[:-1], trace[1:])
    scan, column = np.nonzero(height > times * floor)  # few cells of many
    mirrored = np.concatenate([trace[1::-1], trace, trace[:-3:-1]])
    width, last = len(mirrored) - len(trace) + 1, len(trace) - 1

    def usual(at: Integers) -> Floats:
        return np.asarray(sum(mirrored[at + step, column] for step in range(width)) / width)

    before, after = usual(np.maximum(scan - side, 0)), usual(np.minimum(scan + side, last))
    stands = height[scan, column] > times * np.maximum(before, after)
    return np.bincount(scan[stands], minlength=max(last, 1))
