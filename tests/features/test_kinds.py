"""Specs of features by the name that a model file gives them."""

from __future__ import annotations

import pytest

from gale.errors import ModelError
from gale.features.elution import ElutionSpec
from gale.features.kinds import feature_spec
from gale.features.profile import ProfileSpec
from gale.features.spec import FeatureSpec
from gale.features.summary import SummarySpec
from helpers.errors import refused

SPECS: list[FeatureSpec] = [
    SummarySpec((10, 12), 5, None),
    ProfileSpec(ElutionSpec(bins=8, mz_first=20, mz_last=22), losses=4),
]


@pytest.mark.parametrize("spec", SPECS, ids=lambda spec: type(spec).__name__)
def test_a_spec_comes_back_by_its_kind(spec: FeatureSpec) -> None:
    assert feature_spec(spec.to_dict(), "m.onnx") == spec


def test_summary_features_of_older_model_files() -> None:
    spec = SummarySpec((10, 12), 5, None)
    assert spec.to_dict()["kind"] == "summary"
    assert feature_spec({**spec.to_dict(), "kind": "published"}, "m.onnx") == spec


def test_the_mz_of_a_spec() -> None:
    assert [spec.mz for spec in SPECS] == [(10, 12), (20, 21, 22)]


def test_kinds_of_features_never_share_what_the_cache_keeps() -> None:
    assert len({spec.fingerprint for spec in SPECS}) == len(SPECS)


@pytest.mark.parametrize("values", [{"kind": "image", "version": 1}, {}])
def test_features_that_this_version_does_not_know(values: dict[str, object]) -> None:
    kind, known = str(values.get("kind")), ("summary", "profile", "events")
    with refused(ModelError, "m.onnx", found=kind, expected=known):
        feature_spec(values, "m.onnx")
