"""What no memory and no file holds is refused before the work begins."""

from __future__ import annotations

from typing import Any

import pytest

import gale
from gale.errors import RecipeError, TrainingError
from gale.features.elution import ElutionSpec
from gale.features.events import EventSpec
from gale.features.profile import ProfileSpec
from gale.features.summary import SummarySpec
from gale.training.cost import check_features, check_model
from helpers.errors import refused
from helpers.training import Recorder, tiny_recipe


@pytest.mark.parametrize(
    ("section", "key", "value"),
    [
        ("network", "hidden", [10**9]),
        ("network", "hidden", [8] * 1000),
        ("features", "mz_max", 10**9),
        ("fitting", "epochs", 10**9),
        ("soup", "size", 10**9),
        ("folds", "count", 10**9),
        ("folds", "seed", 2**32),
    ],
)
def test_numbers_that_nobody_means(section: str, key: str, value: Any) -> None:
    text = f'name = "extreme"\n[{section}]\n{key} = {value}\n'
    with pytest.raises(RecipeError) as refusal:
        gale.Recipe.parse(text, "extreme.toml")
    assert f"{section}.{key}" in str(refusal.value)


def test_features_of_many_runs() -> None:
    check_features(EventSpec(), 100_000)
    wide = EventSpec(ProfileSpec(ElutionSpec(65_536, 12, 350)), events=65_536)
    with refused(TrainingError, "features"):
        check_features(wide, 1_000)


def test_a_model_is_announced_and_refused() -> None:
    progress = Recorder()
    check_model(tiny_recipe(), SummarySpec(), 9, 10, progress)
    assert progress.notes == []
    check_model(tiny_recipe(network={"hidden": [4_000, 4_000]}), SummarySpec(), 9, 10, progress)
    assert progress.notes == ["the model will take 2,009 MB"]
    with refused(TrainingError, "network.hidden"):
        check_model(
            tiny_recipe(network={"hidden": [60_000, 60_000]}), SummarySpec(), 9, 10, progress
        )


def test_a_soup_is_one_member() -> None:
    """Five members that become one soup are one in the file."""
    recipe = tiny_recipe(network={"hidden": [8_000, 8_000]}, soup={"kind": "uniform", "size": 50})
    progress = Recorder()
    check_model(recipe, SummarySpec(), 9, 1, progress)
    assert progress.notes == ["the model will take 329 MB"]


def test_training_asks_first(campaign: gale.Campaign) -> None:
    with refused(TrainingError, "network.hidden"):
        gale.train(campaign, tiny_recipe(network={"hidden": [60_000, 60_000]}))
