"""Event features: the profile of a run, and the spectra of the moments at which most elutes.

One vector: the profile (`gale.features.profile`), then the rows of the elution image of the busiest
time bins, in the order of time. A network looks at each of these spectra by itself, so that what it
finds in a run it finds at a time; most of the other bins hold nothing but background.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from gale.features.elution import Image, excess, over_noise
from gale.features.profile import ProfileSpec
from gale.features.versions import check_version, fingerprint_of
from gale.run import Floats, Integers, Run

KIND, VERSION = "events", 1
"""What a model file calls these features. The version is raised when the numbers change."""


@dataclass(frozen=True)
class EventSpec:
    """What the event features of a run are.

    Parameters
    ----------
    profile : ProfileSpec
        Of the profile, and of the elution image.
    events : int
        How many time bins, N, are looked at; all of them if the image has no more.
    """

    profile: ProfileSpec = field(default_factory=ProfileSpec)
    events: int = 96

    @property
    def mz(self) -> tuple[int, ...]:
        """The m/z that have features of their own, increasing."""
        return self.profile.mz

    @property
    def shape(self) -> tuple[int, int]:
        """Shape of the spectra, (N, M)."""
        elution = self.profile.elution
        return min(self.events, elution.bins), elution.n_mz

    @property
    def n_features(self) -> int:
        """Length of the vector, D."""
        rows, columns = self.shape
        return self.profile.n_features + rows * columns

    @property
    def blocks(self) -> dict[str, slice]:
        """Where each block of the profile lies in the vector."""
        return self.profile.blocks

    def to_dict(self) -> dict[str, Any]:
        """Return all that the numbers depend on besides the run, as plain values."""
        profile = self.profile.to_dict()
        return {"kind": KIND, "version": VERSION, "profile": profile, "events": self.events}

    @classmethod
    def from_dict(cls, values: Mapping[str, Any], source: str) -> EventSpec:
        """Take what :meth:`to_dict` gave; `source` is named in messages.

        Raises
        ------
        ModelError
            If it is of features that this version of gale does not compute.
        """
        check_version(values, KIND, VERSION, source)
        return cls(ProfileSpec.from_dict(values["profile"], source), values["events"])

    @property
    def fingerprint(self) -> str:
        """Hash of everything that the numbers depend on besides the run."""
        return fingerprint_of(self.to_dict())

    def features_of(self, run: Run) -> NDArray[np.float32]:
        """Compute the vector of a run, shape (D,), float32, always finite.

        Raises
        ------
        ReadError
            If no ion of the run has an m/z that counts.
        """
        return self.describe(run)[0]

    def describe(self, run: Run) -> tuple[NDArray[np.float32], Floats]:
        """Compute the vector of a run, and the times of its N spectra in minutes.

        A spectrum's time is the middle of its time bin.

        Raises
        ------
        ReadError
            If no ion of the run has an m/z that counts.
        """
        elution = self.profile.elution
        signal = excess(run, elution)
        image = over_noise(signal)
        rows = busiest(image, self.events)
        vector = np.concatenate([self.profile.of_signal(signal, image), image[rows].ravel()])
        start, end = run.time_min[0], run.time_min[-1]
        return vector, start + (rows + 0.5) / elution.bins * (end - start)


def busiest(image: Image, number: int) -> Integers:
    """Time bins of an elution image (T, M) in which most elutes, `number` or T, increasing."""
    order = np.argsort(-image.sum(axis=1, dtype=np.float64), kind="stable")
    return np.sort(order[:number])
