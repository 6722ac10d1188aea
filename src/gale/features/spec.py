"""What all features of fixed length have in common, and how a model file names them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from gale.errors import ModelError
from gale.features import events, profile, summary
from gale.run import Run


class FeatureSpec(Protocol):
    """What the features of a run are: `SummarySpec`, `ProfileSpec` or `EventSpec`."""

    @property
    def mz(self) -> tuple[int, ...]:
        """The m/z that have features of their own, increasing."""

    @property
    def n_features(self) -> int:
        """Length of the vector, D."""

    @property
    def blocks(self) -> dict[str, slice]:
        """Where each block lies in the vector."""

    @property
    def fingerprint(self) -> str:
        """Hash of everything that the numbers depend on besides the run."""

    def to_dict(self) -> dict[str, Any]:
        """Return all that the numbers depend on besides the run, as plain values."""

    def features_of(self, run: Run) -> NDArray[np.float32]:
        """Compute the vector of a run, shape (D,), always finite; may raise ReadError."""


def feature_spec(values: Mapping[str, Any], source: str) -> FeatureSpec:
    """Take what ``to_dict`` of any spec gave; `source` is named in messages.

    Raises
    ------
    ModelError
        If it is of features that this version of gale does not compute.
    """
    match values.get("kind"):
        case summary.KIND:
            return summary.SummarySpec.from_dict(values, source)
        case profile.KIND:
            return profile.ProfileSpec.from_dict(values, source)
        case events.KIND:
            return events.EventSpec.from_dict(values, source)
        case found:
            raise ModelError(
                f"{source}: needs features {found}; this version of gale computes {summary.KIND}, "
                f"{profile.KIND} and {events.KIND}; install the version that the model names"
            )
