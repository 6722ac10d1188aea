"""Features of several specs one after another."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from gale.errors import ModelError, ReadError
from gale.features.apexes import ApexSpec
from gale.features.elution import ElutionSpec
from gale.features.joined import MOST, JoinedSpec, kinds_of, specs_of
from gale.features.kinds import feature_spec
from gale.features.profile import ProfileSpec
from gale.features.summary import SummarySpec
from gale.model.unlike import fit_unlike
from gale.run import Run
from helpers.errors import refused

PROFILE = ProfileSpec(ElutionSpec(8, 20, 60), losses=4)
APEXES, SUMMARY = ApexSpec(PROFILE, events=3), SummarySpec((18, 43, 57), 18, None)
SPEC = JoinedSpec((APEXES, SUMMARY, PROFILE))


def run_of(*mz: float) -> Run:
    """A run of 30 scans of some m/z, each highest in a scan of its own."""
    scan, ion = np.divmod(np.arange(30 * len(mz)), len(mz))
    height = 10 + 5000 * np.exp(-0.5 * (scan - 6 * ion - 6.0) ** 2)
    return Run.from_rows(scan / 10, np.tile(mz, 30), height, source="r.csv")


def test_the_vector_is_that_of_each_spec_one_after_another() -> None:
    run = run_of(18, 43, 57)
    vector = SPEC.features_of(run)
    assert vector.shape == (SPEC.n_features,)
    assert vector.dtype == np.float32
    for spec, columns in zip(SPEC.specs, SPEC.columns, strict=True):
        np.testing.assert_array_equal(vector[columns], spec.features_of(run))
    assert SPEC.columns[-1].stop == SPEC.n_features


def test_a_run_that_any_spec_leaves_out_has_no_features() -> None:
    SUMMARY.features_of(run_of(18))
    with refused(ReadError, "r.csv", found="20 to 60"):
        SPEC.features_of(run_of(18))


def test_blocks_are_those_of_each_spec_by_names_of_their_own() -> None:
    blocks = SPEC.blocks
    assert len(blocks) == 3 + 7 + 3
    vector = np.arange(SPEC.n_features)
    for number, (spec, columns) in enumerate(zip(SPEC.specs, SPEC.columns, strict=True), 1):
        for name, block in spec.blocks.items():
            own = blocks[name if number == 1 else f"{number}.{name}"]
            np.testing.assert_array_equal(vector[own], vector[columns][block])
    seen = np.concatenate([vector[block] for block in blocks.values()])
    spectra = vector[PROFILE.n_features : APEXES.n_features]
    np.testing.assert_array_equal(np.setdiff1d(vector, seen), spectra)
    assert len(fit_unlike(np.zeros((3, SPEC.n_features), np.float32), blocks)) == len(blocks)


def test_the_mz_are_those_of_any_spec() -> None:
    assert SPEC.mz == (18, *range(20, 61))


def test_what_features_are_joined_of() -> None:
    assert specs_of(SPEC) == SPEC.specs
    assert specs_of(SUMMARY) == (SUMMARY,)
    assert kinds_of(SPEC) == "apexes + summary + profile"
    assert kinds_of(SUMMARY) == "summary"


def test_the_spec_comes_back_and_the_order_matters() -> None:
    assert feature_spec(SPEC.to_dict(), "m.onnx") == SPEC
    turned = JoinedSpec(SPEC.specs[::-1])
    assert turned.fingerprint != SPEC.fingerprint


STATED = [spec.to_dict() for spec in SPEC.specs]


@pytest.mark.parametrize(
    ("change", "found"),
    [
        ({"specs": STATED[:1]}, "specs"),
        ({"specs": STATED * MOST}, "specs"),
        ({"specs": STATED[0]}, "specs"),
        ({"specs": [*STATED, 7]}, "specs"),
        ({"specs": [*STATED, SPEC.to_dict()]}, "specs"),
        ({"specs": [*STATED, {"kind": "image", "version": 1}]}, "image"),
        ({"specs": [*STATED, {**STATED[1], "version": 99}]}, "99"),
        ({"specs": [*STATED, {**STATED[1], "mz": []}]}, "mz"),
        ({"version": 99}, "99"),
    ],
)
def test_what_a_model_states_wrongly(change: dict[str, Any], found: str) -> None:
    with refused(ModelError, "m.onnx", found=found):
        feature_spec({**SPEC.to_dict(), **change}, "m.onnx")


def test_features_without_specs() -> None:
    with refused(ModelError, "m.onnx", found="specs"):
        feature_spec({"kind": "joined", "version": 1}, "m.onnx")
