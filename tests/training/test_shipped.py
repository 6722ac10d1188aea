"""Pre-trained weights that come with gale: which parts they fit, and for which families."""

from __future__ import annotations

import json
from importlib import resources

import numpy as np
import pytest

import gale
from gale import Recipe
from gale.errors import GaleWarning, RecipeError, TrainingError
from gale.features.events import EventSpec
from gale.plumbing.arrays import load_arrays
from gale.training.pretraining import pretrain
from gale.training.recipe import Part
from gale.training.shipped import (
    FACTS,
    choices_of,
    shipped_families,
    shipped_source,
    shipped_weights,
    to_bytes,
)
from helpers.errors import refused

SPEC = EventSpec()
DEFAULT = Recipe.load("default")
PARTS = [part for part in DEFAULT.parts if part.pretrain is not None]
SEEN = [(part, SPEC) for part in PARTS]


def test_default_has_weights_for_each_part_that_is_pre_trained() -> None:
    weights, source = pretrain(DEFAULT, SPEC, shipped_families(), seed=0)
    assert source == shipped_source(SEEN)
    assert list(weights) == [part.name for part in PARTS]
    assert all(np.isfinite(array).all() for of in weights.values() for array in of.values())


def test_the_nine_families_are_known() -> None:
    assert shipped_families() == tuple(gale.default_family_table())


@pytest.mark.parametrize("part", PARTS, ids=lambda part: part.name)
def test_families_are_found_by_name_and_unknown_ones_are_left_to_the_runs(part: Part) -> None:
    known = shipped_families()
    all_of, some = (
        shipped_weights(part, SPEC, families)
        for families in (known, (known[3], "nitriles", known[0]))
    )
    of_families = [name for name, array in some.items() if array.shape != all_of[name].shape]
    assert len(of_families) == 3, "weights, biases and fixed biases of the last layer"
    for name, array in all_of.items():
        if name in of_families:
            np.testing.assert_array_equal(some[name][..., 0], array[..., 3])
            np.testing.assert_array_equal(some[name][..., 2], array[..., 0])
            assert np.isnan(some[name][..., 1]).all()
        else:
            np.testing.assert_array_equal(some[name], array)


def test_without_a_known_family_nothing_is_pre_trained() -> None:
    with pytest.warns(GaleWarning) as warned:
        assert not pretrain(DEFAULT, SPEC, ("nitriles", "esters"), seed=0).weights
    assert any("esters, nitriles" in str(each.message) for each in warned)


def test_another_network_has_no_weights() -> None:
    elution = PARTS[0]
    other = elution.model_copy(
        update={"network": elution.network.model_copy(update={"hidden": (64,)})}
    )
    with refused(TrainingError, "pretraining.shipped, part elution", remedy="shipped = false"):
        shipped_weights(other, SPEC, shipped_families())


def test_how_it_is_fitted_and_mixed_later_does_not_matter() -> None:
    elution = PARTS[0]
    later = elution.model_copy(
        update={
            "fitting": elution.fitting.model_copy(update={"epochs": 1}),
            "augment": elution.augment.model_copy(update={"mixture": 0.0}),
        }
    )
    assert choices_of(later, SPEC) == choices_of(elution, SPEC)


def test_what_is_simulated_contradicts_shipped_weights() -> None:
    text = "name = 'a'\n[pretraining]\nshipped = true\nruns = 100"
    with refused(RecipeError, "a.toml: pretraining.runs", found="shipped"):
        Recipe.parse(text, "a.toml")


def test_files_say_what_made_them_and_are_small() -> None:
    for file in (resources.files("gale") / "data" / "pretrained").iterdir():
        data = file.read_bytes()
        assert len(data) < 500_000
        arrays = load_arrays(data)
        assert arrays is not None
        facts = json.loads(arrays[FACTS].tobytes())
        assert facts.keys() == {"choices", "families", "libraries", "simulated", "versions"}
        assert "massbank_ei.msp.gz" not in facts["libraries"], "its licences forbid it"


def test_the_source_of_the_weights() -> None:
    source = shipped_source(SEEN)
    assert source["runs"] > 1000
    assert source["libraries"][0] == "gale"
    assert len(source["libraries"]) > 1


def test_weights_and_facts_go_through_a_file() -> None:
    data = to_bytes({"0.weight": np.array([[0.1, 2.0]], np.float32)}, {"families": ["a"]})
    arrays = load_arrays(data)
    assert arrays is not None
    assert json.loads(arrays[FACTS].tobytes()) == {"families": ["a"]}
    np.testing.assert_allclose(arrays["0.weight"], [[0.1, 2.0]], rtol=1e-3)
