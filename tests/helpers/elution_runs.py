"""Runs made in tests: background, noise and peaks that are known."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from gale.features.elution import ElutionSpec, excess, over_noise
from gale.run import Floats, Floats32, Run

Spectrum = Mapping[int, float]
Peaks = Mapping[float, Spectrum]
"""The spectrum that elutes, for each relative time from 0 to 1."""

WIDTH = 0.008
"""Standard deviation of a peak, as a share of the run."""


def signal_of(
    peaks: Peaks, mz: Floats, n_scans: int, background: Mapping[int, float] | None = None
) -> Floats:
    """Intensities without noise, shape (S, M'): peaks on a background that doubles with heat."""
    time = np.linspace(0, 1, n_scans)
    signal = np.zeros((n_scans, len(mz)))
    for level_mz, level in (background or {}).items():
        signal[:, mz == level_mz] += level * (1.5 + 0.5 * np.tanh(10 * (time[:, None] - 0.5)))
    for at, spectrum in peaks.items():
        shape = np.exp(-0.5 * ((time - at) / WIDTH) ** 2)
        for peak_mz, height in spectrum.items():
            signal[:, mz == peak_mz] += height * shape[:, None]
    return signal


def run_of(signal: Floats, mz: Floats, *, threshold: float = 1.0, minutes: float = 20.0) -> Run:
    """A run of what reaches the threshold."""
    kept = signal >= threshold
    return Run.from_scans(
        np.linspace(2, 2 + minutes, len(signal)),
        kept.sum(axis=1),
        np.broadcast_to(mz, signal.shape)[kept],
        signal[kept],
    )


def noisy_run(
    peaks: Peaks,
    *,
    seed: int = 0,
    n_scans: int = 1024,
    mz: Floats | None = None,
    background: Mapping[int, float] | None = None,
    threshold: float = 1.0,
    unit: float = 1.0,
    minutes: float = 20.0,
) -> Run:
    """A run with noise of standard deviation 1, which rises with the signal."""
    mz = np.arange(10.0, 121.0) if mz is None else mz
    signal = signal_of(peaks, mz, n_scans, background)
    noise = np.random.default_rng(seed).standard_normal(signal.shape)
    measured = signal + noise * np.sqrt(1 + 0.1 * signal)
    return run_of(unit * measured, mz, threshold=unit * threshold, minutes=minutes)


def elution_image(run: Run, spec: ElutionSpec) -> Floats32:
    """The elution image of a run, shape (T, M): log(1 + signal over noise)."""
    return over_noise(excess(run, spec))
