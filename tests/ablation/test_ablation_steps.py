"""The recipes of the steps: each the one before with one more ingredient."""

from __future__ import annotations

from itertools import pairwise
from typing import Any

import pytest

import gale
from gale.ablation.steps import ablation_steps
from gale.errors import RecipeError
from helpers.errors import refused
from helpers.training import tiny_recipe

OFF = {"hinge": 0.0, "label_correlation": 0.0, "prior_bias": False, "batch_norm": False,
       "layer_norm": False}  # fmt: skip


def switches(recipe: gale.Recipe) -> dict[str, Any]:
    """Every value of a recipe by the path of its keys, a soup as one value."""
    flat: dict[str, Any] = {}
    for section, values in recipe.to_dict().items():
        nested = isinstance(values, dict) and section != "soup"
        for key, value in values.items() if nested else [("", values)]:
            flat[f"{section}.{key}".rstrip(".")] = value
    return flat


def test_each_step_differs_from_the_one_before_by_one_switch() -> None:
    published = gale.Recipe.load("published")
    steps = ablation_steps(published, 40)
    flat = [switches(step.recipe) for step in steps]
    changed = [
        [key for key in after if after[key] != before[key]] for before, after in pairwise(flat)
    ]
    assert changed == [
        ["loss.hinge"], ["network.prior_bias"], ["network.batch_norm"], ["network.layer_norm"],
        ["loss.label_correlation"], ["soup"],
    ]  # fmt: skip
    assert {key.split(".")[1]: flat[0][key] for (key,) in changed[:-1]} == OFF
    last = steps[-1].recipe
    assert (last.network, last.loss, last.soup) == (
        published.network, published.loss, published.soup,
    )  # fmt: skip
    assert [each.recipe.folds.count for each in steps] == [1] * 7


def test_what_a_recipe_does_without_is_no_step() -> None:
    recipe = tiny_recipe(loss={"hinge": 0.0}, network={"batch_norm": False})
    names = [step.name for step in ablation_steps(recipe, 1)]
    assert names == ["base", "prior bias", "LayerNorm", "LCG loss", "FixedSoup"]


def test_names_of_fits_are_names_of_files() -> None:
    slugs = [step.slug for step in ablation_steps(tiny_recipe(), 1)]
    assert len({*slugs}) == 7
    assert all(slug.isidentifier() for slug in slugs)


@pytest.mark.parametrize(
    ("soup", "size"), [({"kind": "none", "size": 2}, 5), ({"kind": "greedy", "size": 3}, 3)]
)
def test_the_soup_is_as_large_as_that_of_the_recipe_or_the_published_one(
    soup: dict[str, Any], size: int
) -> None:
    last = ablation_steps(tiny_recipe(soup=soup), 7)[-1].recipe.soup
    assert (last.kind, last.size, last.iterations) == ("fixed", size, 7)


def test_only_networks_that_begin_with_random_weights_have_steps() -> None:
    for name, kind in (("logistic", "logistic"), ("default", "stack")):
        with refused(RecipeError, f"recipe {name}: kind", found=repr(kind), expected="'network'"):
            ablation_steps(gale.Recipe.load(name), 1)
    trained = 'name = "t"\n[features]\nkind = "events"\n[pretrain]\nepochs = 1\n'
    with refused(RecipeError, "recipe t: pretrain"):
        ablation_steps(gale.Recipe.parse(trained, "t"), 1)
