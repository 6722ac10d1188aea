"""Event features: the profile of a run, and its spectra at the times when most elutes.

The vector is the profile (`gale.features.profile`), then the rows of the elution image of the
busiest time bins, in order of time. A network looks at each of these spectra separately, so it can
say when a family elutes. Most of the other bins hold only background.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, ClassVar, Self

import numpy as np

from gale.errors import ModelError
from gale.features.elution import MOST_CELLS, excess, over_noise
from gale.features.profile import ProfileSpec
from gale.features.versions import check_version, fingerprint_of
from gale.plumbing.schema import PLAIN_TABLE, Table, whole
from gale.run import Floats, Floats32, Integers, Run

KIND, VERSION = "events", 1
"""Name of these features in a model file. The version rises when the numbers change."""


SCHEMA = Table({"profile": PLAIN_TABLE, "events": whole(1)})
"""What a model file states of these features."""


@dataclass(frozen=True)
class EventSpec:
    """Profile and number of spectra of event features.

    Parameters
    ----------
    profile : ProfileSpec
        Spec of the profile, and of the elution image.
    events : int
        Number of spectra, N; at most the number of time bins.
    """

    profile: ProfileSpec = field(default_factory=ProfileSpec)
    events: int = 96

    kind: ClassVar[str] = KIND
    version: ClassVar[int] = VERSION

    @property
    def mz(self) -> tuple[int, ...]:
        """The m/z that have their own features, increasing."""
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
        """Position of each block of the profile in the vector."""
        return self.profile.blocks

    def to_dict(self) -> dict[str, Any]:
        """Return everything the numbers depend on besides the run, as plain values."""
        profile = self.profile.to_dict()
        return {
            "kind": self.kind,
            "version": self.version,
            "profile": profile,
            "events": self.events,
        }

    @classmethod
    def from_dict(cls, values: Mapping[str, Any], source: str) -> Self:
        """Make the spec that :meth:`to_dict` described; `source` is the model it is from.

        Raises
        ------
        ModelError
            If this version of gale does not compute these features.
        """
        check_version(values, cls.kind, cls.version, SCHEMA, source)
        spec = cls(ProfileSpec.from_dict(values["profile"], source), values["events"])
        rows, columns = spec.shape
        if rows * columns > MOST_CELLS:
            raise ModelError(
                source,
                f"is damaged: its events are {rows:,} spectra of {columns:,} m/z",
                f"at most {MOST_CELLS:,} in all",
            )
        return spec

    @property
    def fingerprint(self) -> str:
        """Hash of everything the numbers depend on besides the run."""
        return fingerprint_of(self.to_dict())

    def features_of(self, run: Run) -> Floats32:
        """Compute the vector of a run, shape (D,), float32, always finite.

        Raises
        ------
        ReadError
            If the features leave out every ion of the run.
        """
        return self.describe(run)[0]

    def describe(self, run: Run) -> tuple[Floats32, Floats]:
        """Compute the vector of a run, (D,), and the times of its spectra in minutes, (N',).

        Raises
        ------
        ReadError
            If the features leave out every ion of the run.
        """
        events = self.events_of(run)
        return events.vector, events.time_min

    def events_of(self, run: Run) -> Events:
        """Compute the vector of a run, and its N busiest time bins.

        The time of a spectrum is the middle of its time bin.

        Raises
        ------
        ReadError
            If the features leave out every ion of the run.
        """
        elution = self.profile.elution
        signal = excess(run, elution)
        image = over_noise(signal)
        rows = busiest(image, self.events)
        vector = np.concatenate([self.profile.of_signal(signal, image), image[rows].ravel()])
        start, end = run.time_min[0], run.time_min[-1]
        middle, first, last = (
            start + (rows + place) / elution.bins * (end - start) for place in (0.5, 0, 1)
        )
        return Events(vector, middle, first, last, signal[rows])


@dataclass(frozen=True, eq=False)
class Events:
    """The features of a run, and when its N' spectra are; N' is at most N.

    Parameters
    ----------
    vector : array of shape (D,)
    time_min, start_min, end_min : arrays of shape (N',)
        Increasing, in minutes.
    signal : array of shape (N', M)
        The spectra in units of the run's floor.
    """

    vector: Floats32
    time_min: Floats
    start_min: Floats
    end_min: Floats
    signal: Floats32


def busiest(image: Floats32, number: int) -> Integers:
    """The `number` time bins (at most T) of an image (T, M) when most elutes, increasing."""
    order = np.argsort(-image.sum(axis=1, dtype=np.float64), kind="stable")
    return np.sort(order[:number])
