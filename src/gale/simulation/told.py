"""What is told of a simulated run to networks that learn from it; nothing here needs torch."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from gale.features.events import EventSpec
from gale.run import Run
from gale.simulation.contents import COMPOUND, EVOLVED_GAS

TOLD_ROLES = (COMPOUND, EVOLVED_GAS)
"""Roles in the truth of a run that make its labels."""


@dataclass(frozen=True)
class Describe:
    """Makes of a simulated run what pre-training needs; picklable.

    Parameters
    ----------
    spec : EventSpec
    families : tuple of str, length K
    """

    spec: EventSpec
    families: tuple[str, ...]

    def __call__(
        self, run: Run, truth: Sequence[Mapping[str, Any]]
    ) -> tuple[NDArray[np.float16], NDArray[np.bool_]]:
        """Features (D,), half as precise, and which family elutes at which spectrum, (N, K)."""
        features, times = self.spec.describe(run)
        half_bin = (run.time_min[-1] - run.time_min[0]) / self.spec.profile.elution.bins / 2
        events = np.zeros((len(times), len(self.families)), dtype=bool)
        for each in truth:
            if each["role"] not in TOLD_ROLES or each["abundance"] < 1:
                continue
            at = np.abs(times - each["retention_time_min"]) <= each["width_min"] + half_bin
            for family in set(each["families"]) & set(self.families):
                events[at, self.families.index(family)] = True
        return features.astype(np.float16), events
