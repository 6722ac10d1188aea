"""From the signal to what is recorded: noise, saturation, threshold, centroids."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from gale.run import Floats
from gale.simulation.chromatogram import Signal
from gale.simulation.instrument import Instrument

LIMIT_DEVIATIONS = 3.0
"""An ion is detected where it adds so many standard deviations of the noise (IUPAC's limit)."""

MASS_DEFECT = 4e-4
"""For each m/z, between those of siloxanes (281.05) and of hydrocarbons (281.32)."""


@dataclass(frozen=True)
class Recorded:
    """N ions as the instrument writes them.

    Parameters
    ----------
    time_min : array of shape (N,)
    mz : array of shape (N,)
        Centroids; in order within a scan.
    intensity : array of shape (N,), of int64 or float64
    """

    time_min: Floats
    mz: Floats
    intensity: NDArray[np.int64] | Floats


def noise_deviation(signal: Signal, instrument: Instrument) -> Signal:
    """Standard deviation of the noise of a signal, shot and electronic, the same shape."""
    return np.asarray(np.sqrt(1 + np.float32(instrument.detector_shot) * signal))


def measure(signal: Signal, instrument: Instrument, rng: np.random.Generator) -> Signal:
    """Add the noise of source and detector, up to the full scale, shape (S, M)."""
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
    """Keep the ions above the threshold, and find their centroids.

    Parameters
    ----------
    measured : array of shape (S, M)
    threshold : float
        In units of the noise.
    instrument : Instrument
    drift : float
        m/z by which this run is off.
    rng : numpy.random.Generator
    """
    kept = measured >= threshold
    kept[rng.random(len(measured)) < instrument.scan_dropped] = False
    scan, channel = np.divmod(np.flatnonzero(kept), kept.shape[1])  # faster than np.nonzero
    intensity = measured[scan, channel].astype(np.float64)
    if step := instrument.detector_step:
        intensity = step * np.maximum(np.rint(intensity / step), 1)
    nominal = channel + instrument.mz.start
    error = MASS_DEFECT * nominal + drift
    error += instrument.calibration_offset + instrument.calibration_slope * nominal / 100
    jitter = instrument.calibration_jitter * rng.standard_normal(len(nominal))
    # the centroid of many ions is known better than that of a few
    jitter *= np.maximum((threshold / intensity) ** 0.5, 0.2)
    mz = nominal + (error + jitter).clip(-0.49, 0.49)  # in order, as channels are
    written = intensity * 10**instrument.unit_decades
    return Recorded(
        instrument.time_min.round(6)[scan],
        mz.round(6),
        np.rint(written).astype(np.int64) if instrument.writes_integers else written.round(2),
    )


def detection_limit(background: Signal, threshold: float, instrument: Instrument) -> Signal:
    """What an ion must add to a background (M,) to be detected, in each channel."""
    deviation = noise_deviation(background, instrument)
    limit = np.maximum(LIMIT_DEVIATIONS * deviation, np.float32(threshold) - background)
    return np.asarray(limit)
