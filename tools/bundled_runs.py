"""What disturbs the simulated runs that the model that comes with gale is fitted to."""

from __future__ import annotations

import zlib
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from gale.features.events import EventSpec
from gale.run import Floats, Run
from gale.simulation.run import Truth

GASES: tuple[tuple[dict[int, float], float], ...] = (
    ({28: 1, 32: 0.27, 14: 0.06, 16: 0.05, 40: 0.013, 29: 0.008, 44: 0.002}, 0.6),
    ({18: 1, 17: 0.22, 16: 0.02}, 0.6),
    ({44: 1, 28: 0.1, 16: 0.09, 12: 0.08, 45: 0.012, 22: 0.02}, 0.3),
)
"""Air, water and carbon dioxide: relative ions, and in which share of the runs they come and go."""

HUMPS = 0.5
"""Share of the runs with a hump of everything."""

FLOOR_QUANTILE = 0.005
"""Quantile of the intensities of a run that heights of gases are relative to."""


@dataclass(frozen=True)
class Disturbed:
    """Adds to a run what says nothing of a sample, then computes its features.

    Gases come and go with the injection, a valve or a leak; a matrix gives off a broad hump of
    everything, which no chromatography resolves.
    """

    spec: EventSpec

    def __call__(self, run: Run, truth: list[Truth]) -> NDArray[np.float16]:  # noqa: ARG002
        """Return the features (D,) of a run, in half precision."""
        # each run has a number of its own in its name
        rng = np.random.default_rng(zlib.crc32(run.source.encode()))
        return self.spec.features_of(disturbed(run, rng)).astype(np.float16)


def disturbed(run: Run, rng: np.random.Generator) -> Run:
    """Add rises of air, water and carbon dioxide to a run, and what its matrix gives off."""
    time_min = run.time_min
    place = (time_min - time_min[0]) / (time_min[-1] - time_min[0])
    low, high = float(run.mz.min()), float(run.mz.max())
    floor = float(np.quantile(run.intensity, FLOOR_QUANTILE))
    added = [(np.repeat(time_min, run.ions_per_scan), run.mz, run.intensity)]

    def add(height: Floats, ions: Mapping[int, float], scatter: float) -> None:
        for mz, relative in ions.items():
            noise = np.exp(rng.normal(0, scatter, len(place)))
            course = height * relative * noise
            seen = course > 1
            if low - 0.4 <= mz <= high and seen.any():
                masses = np.full(seen.sum(), mz + rng.normal(0, 0.03))
                added.append((time_min[seen], masses, course[seen] * floor))

    for ions, share in GASES:
        for _ in range(rng.poisson(1.5) if rng.random() < share else 0):
            add(_rise(place, rng), ions, 0.05)
    if rng.random() < HUMPS:
        add(_hump(place, rng), _matrix(low, high, rng), 0.3)
    return Run.from_rows(*map(np.concatenate, zip(*added, strict=True)), source=run.source)


def _hump(place: Floats, rng: np.random.Generator) -> Floats:
    """Draw a broad rise over the run, in units of its floor."""
    width, at = rng.uniform(0.05, 0.3), rng.random()
    return np.asarray(10 ** rng.uniform(0.5, 3) * np.exp(-0.5 * ((place - at) / width) ** 2))


def _matrix(low: float, high: float, rng: np.random.Generator) -> dict[int, float]:
    """Draw ions that no compound has together, fewer and smaller ones at high m/z."""
    mz = np.arange(max(int(low), 12), int(high))
    kept = rng.random(len(mz)) < rng.uniform(0.1, 0.5)
    height = np.exp(rng.normal(0, rng.uniform(0.5, 1.5), len(mz)) - mz / rng.uniform(50, 200))
    return dict(zip(mz[kept].tolist(), (height[kept] / height[kept].max()).tolist(), strict=True))


def _rise(place: Floats, rng: np.random.Generator) -> Floats:
    """Draw a rise over the run, in units of its floor, steeper than its fall."""
    at = rng.beta(1, 6) if rng.random() < 0.7 else rng.random()
    after = np.exp(rng.uniform(np.log(0.002), np.log(0.1)))
    width = np.where(place < at, after * np.exp(-rng.uniform(0, 2)), after)
    noise = np.exp(rng.normal(0, 0.05, len(place)))
    return np.asarray(
        10 ** rng.uniform(0.3, 3) * np.exp(-0.5 * ((place - at) / width) ** 2) * noise
    )
