"""What the rules of oddities, and `gale inspect`, measure of a run."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.ndimage import uniform_filter1d

from gale.run import Integers, Run

LARGEST_MZ = 1_000
"""Ions above this m/z do not count for what eluted: EI spectra of a GC end below."""

SIDE = 0.05
"""A peak stands over what the same m/z has this share of the scans before it and after it."""

FLOOR_QUANTILE = 0.005
"""Of a run's intensities, the one taken for its threshold: the very least may be a stray."""

MIN_SCANS = 50
"""Of fewer scans, nothing can be said of how a run usually is."""

MAX_MONITORED = 100
"""Selected-ion monitoring looks at so many m/z in a run at most, in all its groups together."""

MAX_MONITORED_AT_ONCE = 40
"""Selected-ion monitoring looks at so many m/z in a scan at most: each takes its time."""

MAX_MONITORED_COVERAGE = 0.5
"""Selected m/z lie apart: fewer than this share of those between the lowest and the highest. A
scan over a narrow range has most of them."""

MIN_REPEATED = 0.8
"""Neighbouring scans of selected-ion monitoring share this much of their m/z; a few are below the
threshold. Scanned runs with little in them but air reach 0.9, others stay below 0.8."""

PRESENT, MIN_PRESENT = 0.05, 0.8
"""In selected-ion monitoring, this share of the m/z (the second) is in this share of the scans (the
first) or more, since each is looked at for a good part of the run. In scanned runs whose m/z are as
few, up to half are."""


@dataclass(frozen=True)
class ScanIntervals:
    """Time from scan to scan, in seconds."""

    median_s: float
    low_s: float
    high_s: float
    longest_s: float
    longest_at_min: float


@dataclass(frozen=True)
class Plateau:
    """The highest intensity of a run, and how many ions have just that."""

    intensity: float
    ions: int
    scans: int
    mz: tuple[int, ...]


def scan_intervals(run: Run) -> ScanIntervals:
    """Measure the time from scan to scan: median, 1st and 99th percentile, and the longest."""
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
    """m/z of every ion as features count it, shape (N,): rounded, halves to the even number."""
    return np.rint(run.mz).astype(np.int64)


def plateau(run: Run) -> Plateau:
    """Count the ions that have the highest intensity of the run, and name their m/z."""
    highest = run.intensity.max()
    at = run.intensity == highest
    mz = tuple(np.unique(nominal_mz(run)[at]).tolist())
    return Plateau(float(highest), int(at.sum()), len(np.unique(run.scan_of_ion[at])), mz)


def repeated_share(run: Run) -> float:
    """Share of the nominal m/z of two neighbouring scans that both have, over the whole run.

    The sum of intersections over the sum of unions (Jaccard): near 1 where all scans have the same
    m/z, whether few are monitored or all are recorded without a threshold.
    """
    present, width = _present(run), _width(run)
    both = len(np.intersect1d(present, present + width, assume_unique=True))
    scan = present // width
    sizes = np.sum(scan > 0) + np.sum(scan < run.n_scans - 1)  # of both scans of every pair
    return both / max(int(sizes) - both, 1)


def monitored_mz(run: Run) -> tuple[int, ...]:
    """Name the m/z that a run of selected-ion monitoring looks at; none for a run that scans.

    Few m/z are there, far from each other, neighbouring scans have the same ones, and each is there
    for a good part of the run. Several groups of ions, one after the other, are recognised, too.
    """
    distinct = np.unique(nominal_mz(run))
    spread = distinct[-1] - distinct[0] + 1
    few = len(distinct) <= MAX_MONITORED and np.median(run.ions_per_scan) <= MAX_MONITORED_AT_ONCE
    apart = len(distinct) < MAX_MONITORED_COVERAGE * spread or len(distinct) <= 2
    if run.n_scans < MIN_SCANS or not few or not apart or repeated_share(run) < MIN_REPEATED:
        return ()
    scans_of_mz = np.unique(_present(run) % _width(run), return_counts=True)[1]
    lasting = np.mean(scans_of_mz >= PRESENT * run.n_scans)
    return tuple(distinct.tolist()) if lasting >= MIN_PRESENT else ()


def _present(run: Run) -> Integers:
    """Every nominal m/z of every scan once, as scan × width + m/z."""
    return np.unique(run.scan_of_ion * _width(run) + nominal_mz(run))


def _width(run: Run) -> int:
    return int(run.mz.max()) + 2


def standing_out(run: Run, times: float) -> int:
    """Count the nominal m/z with a peak of so many times what the m/z has before and after it.

    A peak is at least two scans long, so that a spike of one scan is none. What always is there,
    and what rises slowly as the bleed of a column, stands over nothing.
    """
    mz = nominal_mz(run)
    counts = mz <= LARGEST_MZ
    distinct, column = np.unique(mz[counts], return_inverse=True)
    size = run.n_scans * len(distinct)
    cell = run.scan_of_ion[counts] * len(distinct) + column
    total = np.bincount(cell, weights=run.intensity[counts], minlength=size)
    trace = total.reshape(run.n_scans, len(distinct))
    side = max(int(SIDE * run.n_scans), 1)
    padded = np.pad(uniform_filter1d(trace, 5, axis=0), ((side, side), (0, 0)), mode="edge")
    around = np.maximum(padded[: -2 * side], padded[2 * side :])
    height = np.minimum(trace[:-1], trace[1:])
    floor = np.quantile(run.intensity, FLOOR_QUANTILE)
    return int(np.sum(np.any(height > times * np.maximum(around[:-1], floor), axis=0)))
