"""What all kinds of features have in common."""

from __future__ import annotations

from typing import Any, Protocol

from gale.run import Floats32, Run


class FeatureSpec(Protocol):
    """Which features of a run are computed.

    A `SummarySpec`, `ProfileSpec`, `EventSpec` or `ApexSpec`, or a `JoinedSpec` of several.

    A `GivenSpec` stands for features that are not computed, but given.
    """

    @property
    def mz(self) -> tuple[int, ...]:
        """The m/z that have their own features, increasing."""

    @property
    def n_features(self) -> int:
        """Length of the vector, D."""

    @property
    def blocks(self) -> dict[str, slice]:
        """Position of each block in the vector."""

    @property
    def fingerprint(self) -> str:
        """Hash of everything the numbers depend on besides the run."""

    def to_dict(self) -> dict[str, Any]:
        """Return everything the numbers depend on besides the run, as plain values."""

    def features_of(self, run: Run) -> Floats32:
        """Compute the vector of a run, shape (D,), always finite; may raise ReadError."""
