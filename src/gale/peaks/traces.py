"""Traces: the ions of a run as a matrix of scans × nominal m/z, and how noisy each cell is.

Symbols: S scans, C channels (nominal m/z that the run has in several scans).
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from gale.features.summary import HELIUM
from gale.inspection.measures import LARGEST_MZ, plateau
from gale.peaks.rounding import calibrated_nominal
from gale.plumbing.numeric import correlated, least_squares_above_0
from gale.run import Floats, Integers, Run

Booleans = NDArray[np.bool_]
Noise = tuple[float, float, float]

FLOOR_QUANTILE = 0.005
"""Quantile of a run's intensities that is taken as its floor: the lowest one may be a stray."""

LARGEST_RANGE = 1e9
"""Largest intensity over the floor, beyond any detector."""

STEADY: Noise = (0.25, 0.25, 0.0)
"""Noise where no channel tells it, and the least of the constant noise."""

LEAST_HEIGHT = 10.0
"""Least height of a maximum, in units of the floor, that may tell how wide peaks are."""

FEWEST_IONS = 3
"""A channel with fewer ions than this in the whole run holds no peak."""

LONGEST_GAP = 2
"""Scans without ions that are bridged, if there are ions before and after them."""

LOOKED_AT = 4000
"""Number of local maxima that are looked at to know how wide peaks are, the highest first."""

CLEAR, ENOUGH = (20.0, 10.0, 5.0), 6
"""A maximum is clearly a peak if it rises by the first of these times its noise; by the next one,
if there are not enough such maxima."""

MOSTLY_PEAK, NEAR = 0.7, 2
"""It also rises by this share of its height. Maxima within so many scans are of one compound."""

USUAL_WIDTH = 4.0
"""Width in scans where no peak tells."""

TINY = 1e-30
"""What is divided by at least."""

WIDEST = 40
"""Scans on either side of a maximum in which its half height is looked for."""

NARROWEST = 2.0
"""Full width at half maximum in scans below which peaks are taken to be this wide."""

SCALE = 0.9
"""Width of the kernel that finds peaks, relative to theirs: narrower ones separate neighbours
better, wider ones find weaker peaks."""

OCCUPIED = 0.9
"""Share of cells with ions that a stretch of a channel needs to tell what noise is."""

STRETCHES = 8
"""Stretches of a run in which noise is measured, since the background changes."""

MOST_FLICKER = 0.0025
"""Largest relative variance that ions of one scan have in common: 5 %, squared. More is what is
left of a background that was subtracted."""

CLIPPED_IONS, CLIPPED_RANGE = 3, 100.0
"""This many ions of exactly the highest intensity, if that is so many times the median, are
clipped; with less, equal intensities are small whole numbers."""

MOSTLY = 0.5
"""A channel that is at the limit in this share of the scans is of a background, as of air, and not
of clipped peaks."""

CAP = 0.1
"""Height of the round top of a clipped peak above the limit of the detector, per scan of half its
length."""


@dataclass(frozen=True, eq=False)
class Traces:
    """A run as a matrix, with what is needed to tell peaks from noise.

    Parameters
    ----------
    mz : array of shape (C,)
        Nominal m/z of the channels, increasing.
    signal : array of shape (S, C), float32
        Intensity in units of `floor`; 0 where no ion was recorded.
    clipped : array of shape (S, C), bool
        Cells at the highest intensity that the detector gives.
    floor : float
        The lowest intensity that is recorded.
    width : float
        Full width at half maximum of a typical peak, in scans.
    noise : tuple of three floats
        Variance of a cell of level x: ``noise[0] + noise[1] * x + noise[2] * x ** 2``, in these
        units.
    """

    mz: Integers
    signal: Floats
    clipped: Booleans
    floor: float
    width: float
    noise: Noise

    @property
    def sigma(self) -> float:
        """Standard deviation of a typical peak in scans, if it is a Gaussian."""
        return self.width / 2.355

    def variance(self, level: Floats) -> Floats:
        """Variance of cells of a level, the same shape."""
        return variance_of(self.noise, level)


def trace(run: Run) -> Traces:
    """Make the traces of a run."""
    floor = _floor(run)
    mz, signal = _matrix(run, floor)
    if not len(mz):
        return Traces(mz, signal, np.zeros(signal.shape, np.bool_), floor, USUAL_WIDTH, STEADY)
    _bridge(signal)
    clipped = _clipped(run, signal, floor)
    _cap(signal, clipped)
    noise = _noise(signal)
    return Traces(mz, signal, clipped, floor, _typical_width(signal, noise), noise)


def _floor(run: Run) -> float:
    """The lowest intensity that is recorded, but for strays; 1 if all are 0."""
    above = run.intensity[run.intensity > 0]
    if not len(above):
        return 1.0
    return max(float(np.quantile(above, FLOOR_QUANTILE)), float(above.max()) / LARGEST_RANGE)


def variance_of(noise: Noise, level: Floats) -> Floats:
    """Variance of cells of a level, see :class:`Traces`."""
    constant, shot, flicker = noise
    return np.asarray(constant + level * (shot + flicker * level))


def kernel_of(sigma: float) -> Floats:
    """Negative second derivative of a Gaussian, whose response to such a peak of height 1 is 1.

    It does not respond to a constant or to a straight line, so a background that changes slowly
    is no peak (Mexican hat: Du, Kibbe & Lin 2006, Bioinformatics 22, 2059).
    """
    reach = max(int(np.ceil(3.5 * sigma)), 2)
    x = np.arange(-reach, reach + 1) / sigma
    kernel = (1 - x**2) * np.exp(-0.5 * x**2)
    kernel -= kernel.mean()
    return np.asarray(kernel / (kernel @ np.exp(-0.5 * x**2)))


def _matrix(run: Run, floor: float) -> tuple[Integers, Floats]:
    nominal = calibrated_nominal(run)
    used = (run.intensity > 0) & (nominal <= LARGEST_MZ) & (nominal > 0) & (nominal != HELIUM)
    n_ions = np.bincount(nominal[used], minlength=LARGEST_MZ + 1)
    mz = np.flatnonzero(n_ions >= FEWEST_IONS)
    column = np.full(LARGEST_MZ + 1, -1)
    column[mz] = np.arange(len(mz))
    used[used] = column[nominal[used]] >= 0
    cell = run.scan_of_ion[used] * len(mz) + column[nominal[used]]
    total = np.bincount(cell, run.intensity[used], run.n_scans * len(mz))
    return mz, (total / floor).reshape(run.n_scans, len(mz)).astype(np.float32)


def _bridge(signal: Floats) -> None:
    """Fill short gaps of scans without ions with what is between their neighbours, in place."""
    empty = ~signal.any(axis=1)
    if not empty.any() or empty.mean() > 0.2:
        return
    full = np.flatnonzero(~empty)
    for before, after in pairwise(full.tolist()):
        if 1 < after - before <= LONGEST_GAP + 1:
            for scan in range(before + 1, after):
                share = (scan - before) / (after - before)
                signal[scan] = (1 - share) * signal[before] + share * signal[after]


def _clipped(run: Run, signal: Floats, floor: float) -> Booleans:
    top = plateau(run)
    usual = float(np.median(run.intensity[run.intensity > 0]))
    if min(top.ions, top.scans) < CLIPPED_IONS or top.intensity < CLIPPED_RANGE * usual:
        return np.zeros(signal.shape, dtype=bool)
    clipped = np.asarray(signal >= top.intensity / floor * (1 - 1e-6))
    clipped[:, clipped.mean(axis=0) >= MOSTLY] = False
    return clipped


def _cap(signal: Floats, clipped: Booleans) -> None:
    """Round off the flat tops of clipped peaks, in place, so that each has one maximum.

    Their height is not known; only scans that are not clipped make spectra.
    """
    channels = np.flatnonzero(clipped.any(axis=0))
    for channel in channels:
        edges = np.diff(clipped[:, channel].astype(np.int8), prepend=0, append=0)
        for first, end in zip(np.flatnonzero(edges == 1), np.flatnonzero(edges == -1), strict=True):
            half = (end - first + 1) / 2
            away = (np.arange(first, end) - (first + end - 1) / 2) / half
            signal[first:end, channel] *= 1 + CAP * half * (1 - away**2)


def _typical_width(signal: Floats, noise: Noise) -> float:
    """Full width at half maximum of peaks in scans: the median of the highest ones.

    A maximum counts if it stands out of the noise by far and its surroundings are low.
    """
    middle = signal[1:-1]
    is_top = (middle > signal[:-2]) & (middle >= signal[2:]) & (middle > LEAST_HEIGHT)
    scan, channel = np.nonzero(is_top)
    height = middle[scan, channel]
    order = np.argsort(-height, kind="stable")[:LOOKED_AT]
    scan, channel = scan[order] + 1, channel[order]
    offsets = np.arange(-WIDEST, WIDEST + 1)
    around = signal[np.clip(scan[:, None] + offsets, 0, len(signal) - 1), channel[:, None]]
    low, top = around.min(axis=1, keepdims=True), around[:, [WIDEST]]
    rise = (top - low)[:, 0]
    is_highest = top[:, 0] >= around.max(axis=1)
    ratio = rise / np.sqrt(variance_of(noise, top[:, 0]))
    relative = (around - low) / np.maximum(top - low, TINY)
    width = _half(relative[:, WIDEST::-1]) + _half(relative[:, WIDEST:])
    is_peak = is_highest & (rise >= MOSTLY_PEAK * top[:, 0]) & np.isfinite(width)
    for least in CLEAR:
        clear = np.flatnonzero(is_peak & (ratio >= least))
        if len(clear) < ENOUGH:
            continue
        # ions of one compound tell one width
        clear = clear[np.argsort(scan[clear], kind="stable")]
        apart = np.flatnonzero(np.diff(scan[clear]) > NEAR) + 1
        known = [float(np.median(width[some])) for some in np.split(clear, apart)]
        return max(float(np.median(known)), NARROWEST)
    return USUAL_WIDTH


def _half(relative: Floats) -> Floats:
    """Steps from each maximum (first column) to half its height, interpolated; NaN if none."""
    below = relative < 0.5
    at = below.argmax(axis=1)
    rows = np.arange(len(relative))
    inside = np.maximum(at, 1)
    above_half, below_half = relative[rows, inside - 1], relative[rows, inside]
    steps = inside - 1 + (above_half - 0.5) / np.maximum(above_half - below_half, 1e-9)
    return np.where(below.any(axis=1), steps, np.nan)


def _noise(signal: Floats) -> Noise:
    """Fit constant, shot and flicker noise to the differences of neighbouring scans."""
    levels, variances = [], []
    for part in np.array_split(signal, min(STRETCHES, max(len(signal) // 30, 1))):
        full = (part > 0).mean(axis=0) >= OCCUPIED
        if len(part) < 5 or not full.any():
            continue
        part = part[:, full]
        # second differences do not see a slope
        difference = part[1:-1] - 0.5 * (part[:-2] + part[2:])
        levels.append(np.median(part, axis=0))
        variances.append((np.median(np.abs(difference), axis=0) / 0.6745) ** 2 / 1.5)
    if not levels:
        return STEADY
    level, variance = np.concatenate(levels), np.concatenate(variances)
    weight = 1 / np.maximum(level, 1) ** 2
    terms = np.stack([np.ones_like(level), level, level**2], axis=1) * weight[:, None]
    fitted = least_squares_above_0(terms.astype(np.float64), (variance * weight).astype(np.float64))
    return max(float(fitted[0]), STEADY[0]), float(fitted[1]), min(float(fitted[2]), MOST_FLICKER)


@dataclass(frozen=True, eq=False)
class Response:
    """What the kernel that finds peaks gives for each cell; arrays of shape (S, C).

    Parameters
    ----------
    height : array
        Height of a peak there, above a straight background.
    level : array
        Signal around the cell.
    gain : float
        Variance of the height for cells of variance 1.
    """

    height: Floats
    level: Floats
    gain: float


def respond(traces: Traces) -> Response:
    """Look for peaks in every channel."""
    kernel = kernel_of(SCALE * traces.sigma)
    height = correlated(traces.signal, kernel)
    smooth = np.abs(kernel) / np.abs(kernel).sum()
    level = correlated(traces.signal, smooth)
    return Response(height, level, float((kernel**2).sum()))
