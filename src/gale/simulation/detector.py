"""From the signal to recorded ions: noise, saturation, threshold, centroids."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from gale.run import Floats
from gale.simulation.chromatogram import Signal
from gale.simulation.instrument import Instrument

LIMIT_DEVIATIONS = 3.0
"""Detection limit of an ion, in standard deviations of the noise (IUPAC)."""

MASS_DEFECT = 4e-4
"""Per unit of m/z, between those of siloxanes (281.05) and of hydrocarbons (281.32)."""


@dataclass(frozen=True)
class Recorded:
    """N ions as an instrument writes them.

    Parameters
    ----------
    time_min : array of shape (N,)
    mz : array of shape (N,)
        Centroids, increasing within a scan.
    intensity : array of shape (N,), of int64 or float64
    """

    time_min: Floats
    mz: Floats
    intensity: NDArray[np.int64] | Floats


def noise_deviation(signal: Signal, instrument: Instrument) -> Signal:
    """Return the standard deviation of a signal's shot and electronic noise, the same shape."""
    return np.asarray(np.sqrt(1 + np.float32(instrument.detector_shot) * signal))


def measure(signal: Signal, instrument: Instrument, rng: np.random.Generator) -> Signal:
    """Add the noise of source and detector to a signal, (S, M), and cut it at full scale."""
    flicker = 1 + instrument.detector_flicker * rng.standard_normal((len(signal), 1))
    measured = signal * flicker.astype(np.float32)
    measured += noise_deviation(signal, instrument) * rng.standard_normal(
        signal.shape, dtype=np.float32
    )
    full_scale = 10**instrument.detector_full_scale_decades
    return np.minimum(measured, np.float32(full_scale), out=measured)


def record(
    measured: Signal,
    threshold: float,
    instrument: Instrument,
    drift: float,
    rng: np.random.Generator,
) -> Recorded:
    """Record the ions that reach the threshold, with their centroids.

    Parameters
    ----------
    measured : array of shape (S, M)
    threshold : float
        In units of the noise.
    instrument : Instrument
    drift : float
        Error of m/z in this run, beside the instrument's own.
    rng : numpy.random.Generator
    """
    recorded = measured >= threshold
    recorded[rng.random(len(measured)) < instrument.scan_dropped] = False
    # faster than np.nonzero
    scan, channel = np.divmod(np.flatnonzero(recorded), recorded.shape[1])
    intensity = measured[scan, channel].astype(np.float64)
    if step := instrument.detector_step:
        intensity = step * np.maximum(np.rint(intensity / step), 1)
    nominal = channel + instrument.mz.start
    error = MASS_DEFECT * nominal + drift
    error += instrument.calibration_offset + instrument.calibration_slope * nominal / 100
    jitter = instrument.calibration_jitter * rng.standard_normal(len(nominal))
    # the centroid of an intense ion is more precise
    jitter *= np.maximum((threshold / intensity) ** 0.5, 0.2)
    mz = nominal + (error + jitter).clip(-0.49, 0.49)  # in order, as channels are
    written = intensity * 10**instrument.unit_decades
    return Recorded(
        instrument.time_min.round(6)[scan],
        mz.round(6),
        np.rint(written).astype(np.int64) if instrument.writes_integers else written.round(2),
    )


def detection_limit(background: Signal, threshold: float, instrument: Instrument) -> Signal:
    """Return what a peak must add to a background, (M,), to be detected in each channel."""
    deviation = noise_deviation(background, instrument)
    limit = np.maximum(LIMIT_DEVIATIONS * deviation, np.float32(threshold) - background)
    return np.asarray(limit)
