"""Runs of peaks whose times, heights and spectra are chosen."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import NamedTuple

import numpy as np

from gale.run import Run

STEP_S = 0.6
"""Time from scan to scan."""

FIRST_MIN = 2.0


class Eluting(NamedTuple):
    """A Gaussian peak: scan of its apex, height of its base peak, ions, and sigma in scans."""

    scan: float
    height: float
    ions: Mapping[int, float]
    sigma: float = 3.0

    @property
    def area(self) -> float:
        """Area of all its ions, times seconds."""
        total = sum(self.ions.values()) / max(self.ions.values())
        return self.height * total * self.sigma * float(np.sqrt(2 * np.pi)) * STEP_S


def run_of(
    peaks: Sequence[Eluting],
    *,
    scans: int = 400,
    background: Mapping[int, float] | None = None,
    rise: float = 0.0,
    flicker: float = 0.0,
    noise: float = 3.0,
    floor: float = 5.0,
    limit: float = np.inf,
    seed: int = 0,
) -> Run:
    """A run of peaks on a background (which may rise), with noise; cells below `floor` are lost."""
    rng = np.random.default_rng(seed)
    signal = np.zeros((scans, 400))
    time = np.arange(scans)
    for mz, level in (background or {}).items():
        signal[:, mz] += level * (1 + rise * time / scans)
    for peak in peaks:
        course = peak.height * np.exp(-0.5 * ((time - peak.scan) / peak.sigma) ** 2)
        base = max(peak.ions.values())
        for ion, height in peak.ions.items():
            signal[:, ion] += course * height / base
    signal *= 1 + flicker * rng.standard_normal((scans, 1))
    signal += rng.standard_normal(signal.shape) * np.sqrt(noise**2 + 2 * np.maximum(signal, 0))
    signal = np.minimum(signal, limit)
    scan, channel = np.nonzero(signal > floor)
    return Run.from_scans(
        FIRST_MIN + time * STEP_S / 60,
        np.bincount(scan, minlength=scans),
        channel + 0.0,
        signal[scan, channel],
        source="eluting.csv",
    )


def at_min(scan: float) -> float:
    """The time of a scan."""
    return FIRST_MIN + scan * STEP_S / 60
