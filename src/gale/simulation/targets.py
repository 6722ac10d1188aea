"""Features of a simulated run and what pre-training learns from them; nothing here needs torch."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from gale.features.events import EventSpec
from gale.run import Run
from gale.simulation.compounds import Booleans
from gale.simulation.peaks import LABEL_ROLES

ROUNDING = 1e-9
"""Minutes by which equal times may differ."""


@dataclass(frozen=True)
class FeaturesAndTargets:
    """Turns a simulated run into features and the targets of pre-training; picklable.

    Parameters
    ----------
    spec : EventSpec
        The features: D numbers, which describe N spectra.
    families : tuple of str, length K
    """

    spec: EventSpec
    families: tuple[str, ...]

    def __call__(
        self, run: Run, truth: Sequence[Mapping[str, Any]]
    ) -> tuple[NDArray[np.float16], Booleans]:
        """Return the features (D,), in half precision, and which family elutes when, (N, K).

        A family elutes at a spectrum if one of its compounds does that is part of the sample and
        reaches the detection limit.
        """
        events = self.spec.events_of(run)
        targets = np.zeros((self.spec.shape[0], len(self.families)), dtype=bool)
        for substance in truth:
            if substance["role"] not in LABEL_ROLES or substance["abundance"] < 1:
                continue
            time, reach = substance["retention_time_min"], substance["width_min"]
            away = np.maximum(events.start_min - time, time - events.end_min)
            eluting = np.flatnonzero(away <= reach + ROUNDING)
            for family in set(substance["families"]) & set(self.families):
                targets[eluting, self.families.index(family)] = True
        return events.vector.astype(np.float16), targets
