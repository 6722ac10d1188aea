"""All fits of a part: folds, soups, seeds, on made-up features."""

from __future__ import annotations

import re
from typing import Any

import numpy as np
import polars as pl
import pytest

from gale.training.fitting import Fit
from gale.training.journal import Step
from gale.training.members import fits_per_fold
from gale.training.soups import average_weights
from helpers.members import (
    FOLDS,
    STEADY,
    Steps,
    fitted,
    fitter,
    flat,
    member,
    train_on,
)
from helpers.training import tiny_recipe


@pytest.mark.parametrize(
    ("soup", "fits", "members"),
    [
        ({"kind": "none", "size": 3}, 3, 3),
        ({"kind": "uniform", "size": 3}, 3, 1),
        ({"kind": "greedy", "size": 3}, 3, 1),
        ({"kind": "fixed", "size": 2, "iterations": 3}, 8, 1),
    ],
)
def test_fits_and_members(soup: dict[str, Any], fits: int, members: int) -> None:
    recipe = tiny_recipe(soup=soup)
    one = fitter(recipe, folds=FOLDS)
    found = one.members()
    assert isinstance(one.work.progress, Steps)
    assert fits == fits_per_fold(recipe)
    assert len(one.work.progress.texts) == 3 * fits
    assert [len(of_fold) for of_fold in found] == [members] * 3
    n_first = 2 * (5 if soup["kind"] == "fixed" else 3)  # two folds are of one size
    state = rf"^{n_first} members, epoch 1, lowest log loss \d\.\d{{4}}, at most \d+ min left$"
    assert re.match(state, one.work.progress.states[0])
    assert one.work.progress.texts[0].startswith("fold 0, member 0: ")


def test_a_fold_does_not_depend_on_the_others() -> None:
    soup = {"kind": "fixed", "size": 2, "iterations": 2}
    recipe = tiny_recipe(soup=soup, fitting=STEADY)
    together = fitter(recipe, folds=FOLDS).members()
    alone = fitter(recipe, folds=FOLDS[:1]).members()
    np.testing.assert_allclose(flat(together[0][0]), flat(alone[0][0]), atol=1e-4)
    assert len({flat(of_fold).tobytes() for (of_fold,) in together}) == 3


def test_each_member_has_the_network_of_its_own_fold() -> None:
    recipe = tiny_recipe(soup={"kind": "none", "size": 1}, fitting=STEADY)
    together = fitter(recipe, folds=FOLDS)
    steps = [Step(fold, "member", 0) for fold in range(len(FOLDS))]
    together.fit(steps)
    for step in steps:
        alone = fitter(recipe, folds=FOLDS)
        alone.fit([step])
        np.testing.assert_allclose(
            flat(together.weights(step)), flat(alone.weights(step)), atol=1e-4
        )


def test_logistic_is_one_fit() -> None:
    assert fits_per_fold(tiny_recipe(kind="logistic", soup={"size": 9})) == 1


def test_a_uniform_soup_averages_its_members() -> None:
    one = fitter(tiny_recipe(soup={"kind": "uniform", "size": 3}))
    ((soup,),) = one.members()
    members = [flat(member(one, number).weights) for number in range(3)]
    np.testing.assert_allclose(flat(soup), np.mean(members, axis=0), atol=1e-7)


def test_a_greedy_soup_is_no_worse_than_its_best_member() -> None:
    one = fitter(tiny_recipe(soup={"kind": "greedy", "size": 4}))
    ((soup,),) = one.members()
    best = min(member(one, number).validation for number in range(4))
    assert one.evaluate(0, soup) <= best + 1e-9


def test_a_fixed_soup_is_that_of_the_sequential_definition() -> None:
    """Train two; then one more at a time, average, and train on, as if each fit were the first."""
    soups = {"kind": "fixed", "size": 2, "iterations": 4}
    recipe = tiny_recipe(soup=soups, fitting=STEADY)
    ((found,),) = fitter(recipe).members()
    soup = [member(fitter(recipe), number) for number in range(2)]
    best: Fit | None = None
    for iteration in range(4):
        candidate = member(fitter(recipe), 2 + iteration)
        worst = max(range(2), key=lambda at: soup[at].validation)
        if candidate.validation < soup[worst].validation:
            soup[worst] = candidate
        tuned = train_on(recipe, iteration, average_weights([each.weights for each in soup]))
        if best is None or tuned.validation < best.validation:
            best = tuned
    assert best is not None
    np.testing.assert_allclose(flat(found), flat(best.weights), rtol=1e-4, atol=1e-5)
    assert np.abs(flat(found) - flat(average_weights([each.weights for each in soup]))).max() > 1e-4


def test_a_fit_depends_on_nothing_fitted_before_or_beside() -> None:
    recipe = tiny_recipe(fitting=STEADY)
    whole = fitter(recipe)
    whole.fit([Step(0, "member", number) for number in range(3)])
    for number in (2, 0):
        alone = member(fitter(recipe), number)
        np.testing.assert_allclose(
            flat(alone.weights), flat(member(whole, number).weights), atol=1e-4
        )


def test_seed_fold_and_member_each_give_another_fit() -> None:
    recipe = tiny_recipe(
        network={"standardise": "none"}, soup={"kind": "fixed", "size": 1, "iterations": 2}
    )
    fits = []
    for seed in (0, 1):
        one = fitter(recipe, seed=seed, folds=[FOLDS[0]] * 2)
        steps = [Step(fold, "member", number) for fold in (0, 1) for number in range(2)]
        fits += [fitted(one, step).weights for step in steps]
    start = fits[0]
    fits += [train_on(recipe, iteration, start).weights for iteration in (0, 1)]
    assert len({flat(weights).tobytes() for weights in fits}) == 10


def test_training_on_begins_at_the_weights_given_and_shuffles_anew() -> None:
    network = {"batch_norm": False}  # whose statistics move at any learning rate
    soup = {"kind": "fixed", "size": 1, "iterations": 2}
    recipe = tiny_recipe(network=network, fitting={"learning_rate": 1e-30}, soup=soup)
    start = member(fitter(recipe), 0).weights
    other = member(fitter(recipe), 1).weights
    assert other["1.weight"].tobytes() != start["1.weight"].tobytes()
    tuned = train_on(recipe, 1, start)
    np.testing.assert_allclose(flat(tuned.weights), flat(start), atol=1e-20)
    recipe = tiny_recipe(network=network, soup=soup)
    tuned, trained = train_on(recipe, 0, start), member(fitter(recipe), 0)  # from the same start
    assert np.any(flat(tuned.weights) != flat(trained.weights))


def test_least_steps_count_with_the_smallest_fold() -> None:
    """Of folds of 40, 40 and 50 runs in batches of 16, epochs have 3 steps, or 4."""
    recipe = tiny_recipe(fitting={"epochs": 2, "batch_size": 16, "least_steps": 9, "patience": 9})
    done = fitter(recipe, folds=FOLDS)
    done.members()
    history = done.work.journal.history()
    assert (
        history.group_by("fold", "member").agg(pl.col("epoch").max())["epoch"].to_list() == [3] * 6
    )
