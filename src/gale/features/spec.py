"""What all kinds of features have in common, and their names in model files."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Protocol

from gale.errors import ModelError
from gale.features import apexes, events, given, profile, summary
from gale.run import Floats32, Run


class FeatureSpec(Protocol):
    """Which features of a run are computed.

    A `SummarySpec`, `ProfileSpec`, `EventSpec` or `ApexSpec`.

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


def feature_spec(values: Mapping[str, Any], source: str) -> FeatureSpec:
    """Make the spec that its ``to_dict`` described; `source` is the model it is from.

    Raises
    ------
    ModelError
        If this version of gale does not compute these features.

    Examples
    --------
    >>> from gale.features.summary import SummarySpec
    >>> feature_spec(SummarySpec(mz=(43, 57)).to_dict(), "model.onnx")
    SummarySpec(mz=(43, 57), mz_min=None, mz_max=None)
    """
    match values.get("kind"):
        case summary.KIND | summary.OLD_KIND:
            return summary.SummarySpec.from_dict(values, source)
        case profile.KIND:
            return profile.ProfileSpec.from_dict(values, source)
        case events.KIND:
            return events.EventSpec.from_dict(values, source)
        case apexes.KIND:
            return apexes.ApexSpec.from_dict(values, source)
        case given.KIND:
            return given.GivenSpec.from_dict(values, source)
        case found:
            raise ModelError(
                source,
                f"needs features of kind {found}",
                f"{summary.KIND}, {profile.KIND}, {events.KIND} or {apexes.KIND}, which this gale "
                "computes",
                "install the gale version that the model names",
            )
