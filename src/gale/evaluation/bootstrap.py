"""Percentile bootstrap intervals over runs (Efron & Tibshirani 1993).

A resample draws R of R runs with replacement. It is stored as the number of times that each run was
drawn, so that a weighted statistic can be computed for many resamples at once. Symbols: R runs,
B resamples.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np

from gale.run import Floats

BOUNDS = (2.5, 97.5)
"""Percentiles that bound a 95 % interval."""

BLOCK = 4_000_000
"""Largest number of weights (resamples × runs) in a block; it bounds the memory."""


@dataclass(frozen=True, eq=False)
class Estimate:
    """Values with 95 % bootstrap intervals: three arrays of one shape, NaN where undefined.

    A resample in which a value is undefined (because it drew no positive of a rare family) does not
    count for the interval.
    """

    value: Floats
    low: Floats
    high: Floats

    def to_dict(self) -> dict[str, Any]:
        """Return ``value``, ``low`` and ``high`` as numbers or lists, None where undefined."""
        return {name: _plain(getattr(self, name)) for name in ("value", "low", "high")}


def resampled_weights(n_runs: int, resamples: int, seed: int) -> Iterator[Floats]:
    """Yield how often each resample drew each run, in blocks of shape (at most B, R).

    The same seed gives the same weights, however they are cut into blocks.
    """
    random = np.random.default_rng(seed)
    equal = np.full(n_runs, 1 / n_runs)
    block = max(1, BLOCK // n_runs)
    for start in range(0, resamples, block):
        size = min(block, resamples - start)
        yield random.multinomial(n_runs, equal, size=size).astype(np.float64)


def estimate(value: Floats, draws: Floats) -> Estimate:
    """Make estimates from values and those of the resamples.

    Parameters
    ----------
    value : array of any shape
    draws : array of shape (B, *shape of value)
        Values of each resample, NaN where undefined.
    """
    bounds = np.full((*value.shape, 2), np.nan)
    for at in np.ndindex(value.shape):
        defined = draws[(slice(None), *at)]
        defined = defined[~np.isnan(defined)]
        if len(defined):
            bounds[at] = np.percentile(defined, BOUNDS)
    return Estimate(value, bounds[..., 0], bounds[..., 1])


def _plain(values: Floats) -> Any:
    """Turn an array into a number or a list, NaN into None."""
    plain = values.astype(object)
    plain[np.isnan(values)] = None
    return plain.tolist()
