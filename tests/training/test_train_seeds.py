"""The same seed gives the same model, another seed another one."""

from __future__ import annotations

import numpy as np
import pytest

import gale
from gale.plumbing.cache import Cache
from gale.plumbing.work import Work
from helpers.model_files import undated
from helpers.training import Exported, Trained, tiny_recipe


@pytest.mark.slow
def test_the_same_seed_gives_the_same_bytes(trained: Trained, campaign: gale.Campaign) -> None:
    model = gale.train(campaign, tiny_recipe())  # and without cache, history and journal
    assert undated(model._data) == undated(trained.path.read_bytes())


@pytest.mark.slow
def test_another_seed_gives_other_weights_and_folds(
    campaign: gale.Campaign, exported: Exported, cache: Cache
) -> None:
    models = [
        gale.train(campaign, tiny_recipe(), seed=seed, work=Work(cache=cache)) for seed in (0, 0, 1)
    ]
    first, again, other = (exported.weights(at) for at in range(3))
    np.testing.assert_array_equal(first, again)
    assert not np.any(np.all(first == other, axis=1))
    fingerprints = [model.facts["training"]["fingerprint"] for model in models]
    assert fingerprints[0] == fingerprints[1] != fingerprints[2]
    priors = [model.facts["scores"]["prior_log_loss"] for model in models]
    assert priors[0] == priors[1] != priors[2]


@pytest.mark.slow
def test_a_seed_of_the_folds_keeps_them(
    campaign: gale.Campaign, exported: Exported, cache: Cache
) -> None:
    recipe = tiny_recipe(folds={"seed": 7})
    scores = [
        gale.train(campaign, recipe, seed=seed, work=Work(cache=cache)).facts["scores"]
        for seed in (1, 2)
    ]
    assert scores[0]["prior_log_loss"] == scores[1]["prior_log_loss"]
    assert scores[0]["log_loss"] != scores[1]["log_loss"]
