"""Apex features: the profile of a run, and the spectra at its apexes.

The vector is the profile (`gale.features.profile`), then a spectrum for each place where ions rise
and fall together, in order of time. Event features (`gale.features.events`) take the busiest time
bins instead, with all noise that is in them; a weak peak among noise is easily lost there.

The ions are filtered with the shape of a peak, at every scan and at several widths: the response to
a peak is its height above a straight background, and the noise is averaged over the peak (a
wavelet: Du, Kibbe & Lin 2006, Bioinformatics 22, 2059). Narrow and wide peaks are looked for
separately, so that a hump does not hide the peaks on it, and a gas that streams for minutes counts,
too. Unlike `gale.peaks`, which finds and separates compounds as well as it can, this is a fixed
sequence of array operations without a choice, so a graph can do the same.

Symbols: S scans, S' places of a level (S rounded up to whole blocks, over the scans of a place), M
nominal m/z, N apexes.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from typing import ClassVar

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view

from gale.features.elution import ElutionSpec, SeenIons, excess, over_noise, seen_ions
from gale.features.events import Events, EventSpec
from gale.run import Floats32, Integers, Run

KIND, VERSION = "apexes", 1
"""Name of these features in a model file. The version rises when the numbers change."""

LEVELS = ((1.2, 1), (2.4, 1), (2.4, 2), (2.4, 4), (2.4, 8), (2.4, 16), (2.4, 32))
"""Standard deviation of the peaks that a level looks for, in its places, and scans of a place."""

NARROW, WIDE = range(3), range(3, 7)
"""Levels among which the highest response counts."""

WIDE_SHARE = 8
"""One of so many apexes may be wide."""

BLOCK = LEVELS[-1][1]
"""Runs are lengthened to a whole number of so many scans."""

LONGEST = 16_384
"""Scans of runs that have more are taken together, the same number each time, so that memory does
not grow with a run; peaks then still last for many of them."""

LEAST_RATIO = np.float32(2)
"""Response over noise from which on an ion counts; it counts in full from 1 more on."""

LEAST_SCORE = 4.0
"""Root of the sum of squares of the ratios above the least one, over the ions of an apex, from
which on it counts; it counts in full from 1 more on."""

LEAST_NOISE = 0.5
"""Least standard deviation of the noise of an ion, in units of the run's floor."""

LOOKED_AT = 255
"""Places, evenly spread, that tell the noise of an m/z."""

TO_DEVIATION = np.float32(1.4826)
"""Standard deviation of a Gaussian over the median of its absolute values."""

EQUAL = 1 - 1e-4
"""Two responses whose ratio is nearer to 1 are equally high, however they are rounded."""

CELLS, WINDOW = 2**18, 16
"""Cells of a signal that are filtered at a time, and places that one product of matrices gives."""

APART = 1.2
"""An apex is the highest response within so many standard deviations of its peak."""


@dataclass(frozen=True)
class ApexSpec(EventSpec):
    """Profile and number of apexes of apex features.

    Parameters
    ----------
    profile : ProfileSpec
        Spec of the profile, and of the m/z.
    events : int
        Number of apexes, N; spectra of zeros fill up where there are fewer.
    """

    events: int = 64

    kind: ClassVar[str] = KIND
    version: ClassVar[int] = VERSION

    @property
    def shape(self) -> tuple[int, int]:
        """Shape of the spectra, (N, M)."""
        return self.events, self.profile.elution.n_mz

    def events_of(self, run: Run) -> Events:
        """Compute the vector of a run and its apexes.

        Raises
        ------
        ReadError
            If the features leave out every ion of the run.
        """
        elution = self.profile.elution
        ions = seen_ions(run, elution)
        above = excess(run, elution, ions)
        profile = self.profile.of_signal(above, over_noise(above))
        channels, traces = _traces(run, elution, ions)
        scan, reach, heights = find_apexes(traces, self.events)
        signal = np.zeros((len(heights), elution.n_mz), dtype=np.float32)
        signal[:, channels] = heights
        images = np.zeros(self.shape, dtype=np.float32)
        images[: len(signal)] = np.log1p(signal)
        last, together = run.n_scans - 1, together_of(run.n_scans)
        scan = np.minimum(scan * together + together // 2, last)
        reach = reach * together
        start, end = np.maximum(scan - reach, 0), np.minimum(scan + reach, last)
        vector = np.concatenate([profile, images.ravel()])
        time_min = run.time_min
        return Events(vector, time_min[scan], time_min[start], time_min[end], signal)


@dataclass(frozen=True, eq=False)
class Level:
    """What the filter of one width finds.

    Parameters
    ----------
    sigma : float
        Standard deviation of the peaks that it looks for, in places.
    factor : int
        Scans of a place.
    signal : array of shape (M, S')
        What is filtered, in units of the run's floor.
    noise : array of shape (M,)
        That of the responses, see :meth:`at`.
    score : array of shape (S',)
        All ions together.
    """

    sigma: float
    factor: int
    signal: Floats32
    noise: Floats32
    score: Floats32

    def at(self, place: int) -> tuple[Floats32, Floats32]:
        """Height of a peak at a place, and the same over the noise; shape (M,)."""
        kernel, near = kernel_of(self.sigma), reach_of(self.sigma)
        reach = len(kernel) // 2
        around = np.arange(place - reach, place + reach + 1).clip(0, self.signal.shape[1] - 1)
        window = self.signal[:, around]
        height = window @ kernel
        usual = window[:, reach - near : reach + near + 1].mean(axis=1)
        return height, height / np.sqrt(1 + usual) / self.noise


def find_apexes(signal: Floats32, number: int) -> tuple[Integers, Integers, Floats32]:
    """Find the apexes of a signal (M, S), S a whole number of blocks: at most `number` of them.

    Returns
    -------
    scan, reach : arrays of shape (N',)
        Scans of the apexes, increasing, and the standard deviations of peaks there in scans.
    spectra : array of shape (N', M)
        Heights of the ions.
    """
    levels = _levels(signal)
    chosen = sorted(
        each for group, most in groups_of(number) for each in _apexes(levels, group, most)
    )
    scans, reaches, rows = [], [], []
    for scan, at, place in chosen:
        level = levels[at]
        height, ratio = level.at(place)
        sure = np.clip(ratio - LEAST_RATIO, 0, 1)
        weight = sure * np.clip(level.score[place] - LEAST_SCORE, 0, 1)
        rows.append(np.maximum(height, 0) * weight)
        scans.append(scan)
        reaches.append(round(level.sigma * level.factor))
    spectra = np.array(rows, dtype=np.float32).reshape(-1, len(signal))
    return np.array(scans, dtype=np.int64), np.array(reaches, dtype=np.int64), spectra


def groups_of(number: int) -> list[tuple[range, int]]:
    """Return the groups of levels, and the most apexes of each, of `number` in all."""
    n_wide = number // WIDE_SHARE
    return [(NARROW, number - n_wide), (WIDE, n_wide)]


def _apexes(levels: list[Level], group: range, number: int) -> list[tuple[int, int, int]]:
    """Find the highest apexes of a group of levels: scan, number of the level, place in it."""
    best = np.max([np.repeat(levels[at].score, levels[at].factor) for at in group], axis=0)
    found = []
    for at in group:
        factor, score = levels[at].factor, levels[at].score
        highest = best.reshape(-1, factor).max(axis=1)
        reach = reach_of(levels[at].sigma)
        around = sliding_window_view(np.pad(highest, reach, "edge"), 2 * reach + 1).max(axis=1)
        places = np.flatnonzero((score >= around * EQUAL) & (score > LEAST_SCORE))
        found += [(-score[place], place * factor + factor // 2, at, place) for place in places]
    return [(int(scan), at, int(place)) for _, scan, at, place in sorted(found)[:number]]


def reach_of(sigma: float) -> int:
    """Places on either side of an apex that are not higher."""
    return int(np.ceil(APART * sigma))


def _levels(signal: Floats32) -> list[Level]:
    """Filter a signal (M, S) at every width."""
    levels, scans = [], 1
    for sigma, factor in LEVELS:
        if factor > scans:
            signal, scans = (signal[:, ::2] + signal[:, 1::2]) / np.float32(2), 2 * scans
        levels.append(_level(signal, sigma, factor))
    return levels


def _level(signal: Floats32, sigma: float, factor: int) -> Level:
    """Filter a signal (M, S'), as many m/z at a time as the processor's cache holds."""
    n_mz, n_places = signal.shape
    noise = np.empty(n_mz, dtype=np.float32)
    squares = np.zeros(n_places)
    together = max(1, CELLS // n_places)
    for first in range(0, n_mz, together):
        response = _responses(signal[first : first + together], sigma)
        usual = noise[first : first + together]
        usual[:] = _noise(response, least_noise(sigma, factor))
        # few of many cells; np.nonzero of two axes takes six times as long
        cell = np.flatnonzero(response > LEAST_RATIO * usual[:, None])
        row, place = np.divmod(cell, n_places)
        sure = response[row, place] / usual[row] - LEAST_RATIO
        squares += np.bincount(place, sure * sure, n_places)
    return Level(sigma, factor, signal, noise, np.sqrt(squares).astype(np.float32))


def _noise(response: Floats32, least: np.float32) -> Floats32:
    """Noise of responses (M, S'), or the least one; shape (M,)."""
    n_mz, n_places = response.shape
    noise = np.full(n_mz, least)
    looked_at = np.arange(LOOKED_AT) * (n_places - 1) // (LOOKED_AT - 1)
    sampled = TO_DEVIATION * np.abs(response.take(looked_at, axis=1))
    middle = LOOKED_AT // 2
    noisy = np.flatnonzero(np.count_nonzero(sampled > least, axis=1) > middle)
    noise[noisy] = np.partition(sampled[noisy], middle, axis=1)[:, middle]
    return noise


def _responses(signal: Floats32, sigma: float) -> Floats32:
    """Height of a peak over the root of the usual signal there, shape (M, S')."""
    n_mz, n_places = signal.shape
    kernels = _banded(sigma)
    n_windows, width = -(-n_places // WINDOW), len(kernels[0])
    reach = (width - WINDOW) // 2
    padded = np.empty((n_mz, n_windows * WINDOW + 2 * reach), dtype=np.float32)
    padded[:, :reach] = signal[:, :1]
    padded[:, reach : reach + n_places] = signal
    padded[:, reach + n_places :] = signal[:, -1:]
    windows = sliding_window_view(padded, width, axis=1)[:, ::WINDOW].copy()
    # a small product for each m/z: for large ones, BLAS starts threads that wait for each other
    height, usual = ((windows @ kernel).reshape(n_mz, -1) for kernel in kernels)
    usual += 1
    height /= np.sqrt(usual, out=usual)
    return height[:, :n_places]


@cache
def _banded(sigma: float) -> tuple[Floats32, Floats32]:
    """Matrices that filter windows (..., places of a window and around) for heights and means.

    Products of matrices are faster than filters of SciPy, twice here.
    """
    kernel = kernel_of(sigma)
    mean = np.zeros_like(kernel)
    near, middle = reach_of(sigma), len(kernel) // 2
    mean[middle - near : middle + near + 1] = 1 / (2 * near + 1)
    height, usual = np.zeros((2, WINDOW + len(kernel) - 1, WINDOW), dtype=np.float32)
    for place in range(WINDOW):
        height[place : place + len(kernel), place] = kernel
        usual[place : place + len(kernel), place] = mean
    return height, usual


def least_noise(sigma: float, factor: int) -> np.float32:
    """Least noise of a response: what the filter leaves of the least noise of single scans."""
    return np.float32(LEAST_NOISE * np.sqrt((kernel_of(sigma) ** 2).sum() / factor))


@cache
def kernel_of(sigma: float) -> Floats32:
    """Negative second derivative of a Gaussian, whose response to such a peak of height 1 is 1."""
    reach = int(np.ceil(3.5 * sigma))
    x = np.arange(-reach, reach + 1) / sigma
    shape = np.exp(-0.5 * x**2)
    kernel = (1 - x**2) * shape
    kernel -= kernel.mean()
    return np.asarray(kernel / (kernel @ shape), dtype=np.float32)


def _traces(run: Run, elution: ElutionSpec, ions: SeenIons) -> tuple[Integers, Floats32]:
    """Intensity of each m/z in each scan in units of the run's floor; 0 where no ion is.

    The last scan is repeated until there are whole blocks of scans.

    Returns
    -------
    channels : array of shape (M',)
        Those of the M nominal m/z that the run has ions at, as numbers from 0.
    traces : array of shape (M', S)
    """
    together = together_of(run.n_scans)
    n_places = (run.n_scans - 1) // together + 1
    n_filled = n_places + -n_places % BLOCK
    channel = ions.nominal - elution.mz_first
    has_ions = np.bincount(channel, minlength=elution.n_mz) > 0
    channels = np.flatnonzero(has_ions)
    row = (np.cumsum(has_ions) - 1)[channel]
    cell = row * n_filled + run.scan_of_ion[ions.number] // together
    traces = np.zeros((len(channels), n_filled), dtype=np.float32)
    np.add.at(traces.reshape(-1), cell, (ions.intensity / together).astype(np.float32))
    traces[:, n_places:] = traces[:, n_places - 1, None]
    return channels, traces


def together_of(n_scans: int) -> int:
    """Return how many scans of a run are taken together: 1 but for very long runs."""
    return (n_scans - 1) // LONGEST + 1
