"""What can be measured of any run, simulated or real, without knowing what is in it.

Symbols: S scans, N ions, M nominal m/z (a *channel* is one nominal m/z), P peaks.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from scipy.ndimage import median_filter
from scipy.signal import find_peaks, peak_widths

from gale.run import Floats, Integers, Run

MIN_SCANS = 200
"""A shorter run is a few spectra, not a chromatogram."""

STRONGEST = 60
"""Peaks of a run over which its peak width is the median."""

FRACTIONS = (0.01, 0.5, 0.99, 1.0)
"""Quantiles of the intensity that are compared with the smallest."""


@dataclass(frozen=True)
class Peaks:
    """The P chromatographic peaks of a run, each seen in several channels at once.

    Parameters
    ----------
    apex : array of shape (P,)
        Scan of the highest point.
    height : array of shape (P,)
        Prominence of the strongest channel.
    width_scans : array of shape (P,)
        Full width at half maximum, the median over channels.
    tailing : array of shape (P,)
        Width behind the apex over width before it, at half maximum, the median over channels.
    """

    apex: Integers
    height: Floats
    width_scans: Floats
    tailing: Floats

    def strongest(self, number: int = STRONGEST) -> Peaks:
        """Give the highest peaks, in order of time."""
        kept = np.sort(np.argsort(-self.height, kind="stable")[:number])
        return Peaks(self.apex[kept], self.height[kept], self.width_scans[kept], self.tailing[kept])


@dataclass(frozen=True, eq=False)
class Measured:
    """A run and what is computed of it once: its channels over time, and its peaks."""

    run: Run

    @cached_property
    def scan(self) -> Integers:
        """Scan of each ion, shape (N,)."""
        return np.repeat(np.arange(self.run.n_scans), self.run.ions_per_scan)

    @cached_property
    def defect(self) -> Floats:
        """m/z minus the nearest integer, shape (N,)."""
        return self.run.mz - np.rint(self.run.mz)

    @cached_property
    def channels(self) -> Floats:
        """Summed intensity of each scan and nominal m/z from 0 up, shape (S, M), 0 without ions."""
        nominal = np.rint(self.run.mz).astype(np.int64)
        width = int(nominal.max()) + 1
        cell = self.scan * width + nominal
        total = np.zeros(self.run.n_scans * width)
        np.add.at(total, cell, self.run.intensity)
        return total.reshape(self.run.n_scans, width)

    @cached_property
    def peaks(self) -> Peaks:
        """Peaks that stand out of their channel in three channels or more at the same time."""
        return find_run_peaks(self.channels)

    @cached_property
    def outside_peaks(self) -> np.ndarray:
        """Scans farther than two widths from any peak, shape (S,)."""
        free = np.ones(self.run.n_scans, dtype=bool)
        reach = np.ceil(2 * self.peaks.width_scans).astype(int)
        for apex, scans in zip(self.peaks.apex, reach, strict=True):
            free[max(apex - scans, 0) : apex + scans + 1] = False
        return free


def find_run_peaks(channels: Floats) -> Peaks:
    """Find peaks channel by channel, and join those whose apexes are close.

    Joined in order of height, the highest first. The shape is that of the channels that reach a
    tenth of the highest, of which there must be three: what one or two ions do alone may be noise.

    Parameters
    ----------
    channels : array of shape (S, M)
    """
    apex, height, width, tailing = _channel_peaks(channels)
    free = np.ones(len(apex), dtype=bool)
    joined = []
    for highest in np.argsort(-height, kind="stable"):
        if not free[highest]:
            continue
        together = free & (np.abs(apex - apex[highest]) <= max(1, width[highest] / 4))
        free &= ~together
        shape = together & (height >= height[highest] / 10)
        if shape.sum() >= 3:
            joined.append(
                (apex[highest], height[highest], np.median(width[shape]), np.median(tailing[shape]))
            )
    columns = np.array(sorted(joined), dtype=np.float64).reshape(-1, 4).T
    return Peaks(columns[0].astype(np.int64), *columns[1:])


def _channel_peaks(channels: Floats) -> Floats:
    """Apex, height, width and tailing of the peaks of all channels, shape (4, number of peaks).

    A peak rises by more than ten times the noise around it and half of its height, and is wider
    than one scan: crests of a background, shoulders and single spikes do not count.
    """
    noise = np.maximum(local_noise(channels), np.median(channels[channels > 0]))
    found = [np.empty((4, 0))]
    for channel in np.flatnonzero(channels.any(axis=0)):
        trace = channels[:, channel]
        apex, shape = find_peaks(trace, prominence=10 * noise[:, channel].min())
        base = tuple(shape[key] for key in ("prominences", "left_bases", "right_bases"))
        width, _, left, right = peak_widths(trace, apex, 0.5, prominence_data=base)
        least = np.maximum(10 * noise[apex, channel], 0.5 * trace[apex])
        good = (base[0] > least) & (width > 1.5)
        tailing = (right - apex) / np.maximum(apex - left, 1e-3)
        found.append(np.stack([apex, base[0], width, tailing])[:, good])
    return np.concatenate(found, axis=1)


def local_noise(channels: Floats, n_scans: int = 100) -> Floats:
    """Scan-to-scan deviation of each channel in blocks of scans, shape (S, M).

    A peak is shorter than half a block, so the median does not see it.
    """
    step = np.abs(np.diff(channels, axis=0, prepend=channels[:1]))
    blocks = np.array_split(step, max(1, len(step) // n_scans))
    deviation = [1.4826 / np.sqrt(2) * np.median(block, axis=0) for block in blocks]
    return np.repeat(deviation, [len(block) for block in blocks], axis=0)


def measure(run: Run) -> dict[str, float]:
    """Measure a run; the keys are the rows of the table, NaN is what cannot be measured."""
    measured = Measured(run)
    return {
        **_scans(run),
        **_intensities(run),
        **_defects(measured),
        **_peaks(measured),
        **_background(measured),
    }


def _scans(run: Run) -> dict[str, float]:
    length = float(run.time_min[-1] - run.time_min[0])
    interval = np.diff(run.time_min)
    return {
        "length (min)": length,
        "first scan (min)": float(run.time_min[0]),
        "scans per second": 1 / (60 * float(np.median(interval))),
        "ions": run.n_ions,
        "ions per scan, median": float(np.median(run.ions_per_scan)),
        "ions per scan, 90 %": float(np.quantile(run.ions_per_scan, 0.9)),
        "scans without ions (%)": 100 * float(np.mean(run.ions_per_scan == 0)),
        "scan interval, sd / mean (%)": 100 * float(np.std(interval) / np.mean(interval)),
        "m/z, lowest": float(run.mz.min()),
        "m/z, highest": float(run.mz.max()),
    }


def _intensities(run: Run) -> dict[str, float]:
    positive = run.intensity[run.intensity > 0]
    decades = np.log10(np.quantile(positive, FRACTIONS) / positive.min())
    names = [*(f"decades, {100 * f:g} % over smallest" for f in FRACTIONS[:-1])]
    commonest = np.unique(positive, return_counts=True)[1].max()
    weak = run.mz[run.intensity <= np.median(run.intensity)]
    return {
        "intensity, smallest": float(positive.min()),
        "intensity, largest": float(positive.max()),
        **dict(zip([*names, "decades, largest over smallest"], decades.tolist(), strict=True)),
        "ions of the commonest intensity (%)": 100 * float(commonest / len(positive)),
        "weaker half of ions, median m/z over highest": _median(weak) / float(run.mz.max()),
    }


def _defects(measured: Measured) -> dict[str, float]:
    run, defect = measured.run, measured.defect
    strong = run.intensity >= np.quantile(run.intensity, 0.95)
    channel = np.rint(run.mz).astype(np.int64)
    count = np.bincount(channel)
    mean = np.bincount(channel, defect) / np.maximum(count, 1)
    variance = np.bincount(channel, (defect - mean[channel]) ** 2) / np.maximum(count - 1, 1)
    # neighbours in one channel and consecutive scans: what the compound does not change
    order = np.lexsort((measured.scan, channel))
    near = (np.diff(channel[order]) == 0) & (np.diff(measured.scan[order]) == 1)
    near &= strong[order][1:] & strong[order][:-1]
    step = np.diff(defect[order])[near]
    together = (np.diff(channel[order]) == 0) & (np.diff(measured.scan[order]) == 0)
    return {
        "m/z defect, mean": float(defect.mean()),
        "m/z defect, sd": float(defect.std()),
        "m/z defect of strongest 5 %, mean": float(defect[strong].mean()),
        "m/z defect of strongest 5 %, sd": float(defect[strong].std()),
        "m/z defect, sd in a channel": _median(np.sqrt(variance[count >= 20])),
        "m/z step scan to scan, strongest 5 %": 1.4826 * _median(np.abs(step)) / np.sqrt(2),
        "ions that share scan and nominal m/z (%)": 100 * float(np.mean(together)),
    }


def _peaks(measured: Measured) -> dict[str, float]:
    run, peaks = measured.run, measured.peaks.strongest()
    interval = np.gradient(60 * run.time_min)
    seconds = peaks.width_scans * interval[peaks.apex]
    early, late = np.array_split(seconds, 2)
    return {
        "peaks per minute": len(measured.peaks.apex) / float(run.time_min[-1] - run.time_min[0]),
        "peak width (s)": _median(seconds),
        "peak width, 10 % (s)": float(np.quantile(seconds, 0.1)) if len(seconds) else np.nan,
        "peak width, 90 % (s)": float(np.quantile(seconds, 0.9)) if len(seconds) else np.nan,
        "peak width (scans)": _median(peaks.width_scans),
        "peak width, late over early": _median(late) / _median(early),
        "peak tailing (behind over before)": _median(peaks.tailing),
        "scans outside peaks (%)": 100 * float(np.mean(measured.outside_peaks)),
    }


def _background(measured: Measured) -> dict[str, float]:
    run, free = measured.run, measured.outside_peaks
    quiet = run.intensity[free[measured.scan]]
    tic = run.total_ion_current
    first, *_, last = np.array_split(tic[free], 10) if free.sum() >= 10 else (np.array([]),) * 2
    return {
        "median ion outside peaks / 99.9 % (1e-4)": 1e4
        * _median(quiet)
        / float(np.quantile(run.intensity, 0.999)),
        "steady ions (present in 90 % of scans)": float(len(_steady(measured.channels))),
        "noise of steady ions (sd / mean)": _median(steady_noise(measured.channels)),
        "noise grows with level to the power": noise_power(measured.channels),
        "total ion current, largest / median": float(tic.max() / max(_median(tic), 1e-12)),
        "baseline, last tenth / first": _median(last) / _median(first),
    }


def _steady(channels: Floats) -> Integers:
    return np.flatnonzero(np.mean(channels > 0, axis=0) >= 0.9)


def steady_noise(channels: Floats) -> Floats:
    """Relative scan-to-scan deviation of the channels with ions in nearly every scan.

    From second differences, so that slopes do not count, over the local level.
    """
    traces = channels[:, _steady(channels)]
    level = median_filter(traces, size=(25, 1), mode="nearest")
    relative = np.diff(traces, n=2, axis=0) / np.maximum(level[1:-1], 1e-12)
    noise: Floats = 1.4826 * np.median(np.abs(relative), axis=0) / np.sqrt(6)
    return noise


def noise_power(channels: Floats, n_scans: int = 50) -> float:
    """Slope of log noise over log level: 0.5 where ions are counted, 1 where the gain wavers.

    Over all channels and blocks of scans of which no scan lacks the ion; NaN with fewer than ten.
    """
    blocks = channels[: len(channels) // n_scans * n_scans].reshape(-1, n_scans, channels.shape[1])
    level = np.median(blocks, axis=1)
    noise = np.median(np.abs(np.diff(blocks, n=2, axis=1)), axis=1)
    steady = (blocks > 0).all(axis=1) & (noise > 0)
    if steady.sum() < 10:
        return float("nan")
    return float(np.polyfit(np.log(level[steady]), np.log(noise[steady]), 1)[0])


def _median(values: Floats) -> float:
    return float(np.median(values)) if len(values) else float("nan")
