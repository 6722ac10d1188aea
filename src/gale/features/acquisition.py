"""How a run was acquired, as its scans show it: what tells instruments and methods apart."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from gale.features.spec import FeatureSpec
from gale.features.versions import fingerprint_of
from gale.run import Floats, Floats32, Run

FACTS = ("start_min", "length_min", "interval_s", "lowest_mz", "floor")
"""What :func:`acquisition_of` gives. ``floor`` is the decadic logarithm of the intensity that 1 %
of the ions do not exceed. The highest m/z is left out: it depends on the sample."""

FLOOR_QUANTILE = 0.01

VERSION = 1
"""Raised when the facts change, so that a cache does not give older ones."""


@dataclass(frozen=True)
class WithAcquisition:
    """Features of another kind, and behind them how the run was acquired (:data:`FACTS`).

    Parameters
    ----------
    spec : FeatureSpec
        The other kind, of D features.
    """

    spec: FeatureSpec

    @property
    def mz(self) -> tuple[int, ...]:
        """The m/z that have their own features, increasing."""
        return self.spec.mz

    @property
    def n_features(self) -> int:
        """Length of the vector, D and the number of facts."""
        return self.spec.n_features + len(FACTS)

    @property
    def blocks(self) -> dict[str, slice]:
        """Position of each block of the other features in the vector."""
        return self.spec.blocks

    @property
    def fingerprint(self) -> str:
        """Hash of everything the numbers depend on besides the run."""
        return fingerprint_of(self.to_dict())

    def to_dict(self) -> dict[str, Any]:
        """Return everything the numbers depend on besides the run, as plain values."""
        return {**self.spec.to_dict(), "acquisition": VERSION}

    def features_of(self, run: Run) -> Floats32:
        """Compute the vector of a run, always finite.

        Raises
        ------
        ReadError
            If the features leave out every ion of the run.
        """
        of_run = self.spec.features_of(run), acquisition_of(run)
        return np.concatenate(of_run, dtype=np.float32)


def acquisition_of(run: Run) -> Floats:
    """Say how a run was acquired, see :data:`FACTS`.

    Examples
    --------
    >>> run = Run.from_scans([1.0, 1.5, 2.0], [1, 0, 1], [43.0, 57.0], [100.0, 1000.0])
    >>> acquisition_of(run).round(2).tolist()
    [1.0, 1.0, 30.0, 43.0, 2.0]
    """
    time_min, mz = run.time_min, run.mz
    positive = run.intensity[run.intensity > 0]
    floor = np.quantile(positive, FLOOR_QUANTILE, method="lower") if len(positive) else 1.0
    interval = 60 * np.median(np.diff(time_min)) if len(time_min) > 1 else 0.0
    length = time_min[-1] - time_min[0]
    return np.array([time_min[0], length, interval, mz.min(), np.log10(floor)])
