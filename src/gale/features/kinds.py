"""The kinds of features, by the names that model files give them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from gale.errors import ModelError
from gale.features import apexes, events, given, joined, profile, summary
from gale.features.spec import FeatureSpec


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
    if values.get("kind") == joined.KIND:
        return joined.JoinedSpec.from_dict(values, source, _of_one_kind)
    return _of_one_kind(values, source)


def _of_one_kind(values: Mapping[str, Any], source: str) -> FeatureSpec:
    """Make a spec that is not joined."""
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
