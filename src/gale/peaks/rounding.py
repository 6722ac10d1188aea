"""Nominal m/z: rounding that follows the calibration of a run.

Rounding to the nearest whole number is right as long as the decimals of m/z stay away from a half.
Some files have decimals that grow with m/z, so that octamethylcyclotetrasiloxane, at 281.05, is
written as 281.6. In such a run a straight line is taken away first.
"""

from __future__ import annotations

import numpy as np

from gale.inspection.measures import nominal_mz
from gale.run import Floats, Integers, Run

STRONGEST = 4_000
"""Number of the highest ions that are looked at: low ones may be noise between whole numbers."""

SLOPES = np.linspace(-0.002, 0.008, 101)
"""Decimals per m/z that are tried."""

LEAST_GAIN, LEAST_ORDER = 0.2, 0.75
"""A line is taken away if the decimals then agree so much better, and so well; 1 is perfectly."""


def calibrated_nominal(run: Run) -> Integers:
    """Round the m/z of every ion to the nominal one, shape (N,)."""
    number = min(STRONGEST, run.n_ions)
    top = np.argpartition(-run.intensity, number - 1)[:number]
    offset, slope = _line(run.mz[top])
    if offset == slope == 0:
        return nominal_mz(run)
    return np.rint(run.mz * (1 - slope) - offset).astype(np.int64)


def _line(mz: Floats) -> tuple[float, float]:
    """Offset and slope of the decimals of m/z over m/z; zeros where plain rounding will do."""
    circle = np.exp(2j * np.pi * mz[:, None] * (1 - SLOPES)).mean(axis=0)
    plain = abs(np.exp(2j * np.pi * mz).mean())
    best = int(np.abs(circle).argmax())
    order = float(abs(circle[best]))
    if order < max(plain + LEAST_GAIN, LEAST_ORDER):
        return 0.0, 0.0
    slope = float(SLOPES[best])
    offset = float(np.angle(circle[best]) / (2 * np.pi))
    # offsets of whole numbers look alike: the lowest m/z are the least wrong
    low = float(np.quantile(mz, 0.1))
    return offset - round(offset + slope * low), slope
