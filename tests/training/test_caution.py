"""The caution beside the scores of a training names the choices that its recipe makes."""

from __future__ import annotations

import pytest

import gale
from gale.training.facts import caution_of
from helpers.stacks import stack_recipe
from helpers.training import tiny_recipe

STOP, KEEP, MZ = "when to stop", "what to keep", "which m/z to learn"
LOGISTIC = {"kind": "logistic"}

RECIPES = {
    "a network": (tiny_recipe(), {STOP}),
    "a soup": (tiny_recipe(soup={"kind": "greedy"}), {STOP, KEEP}),
    "a mean": (tiny_recipe(soup={"kind": "uniform"}), {STOP}),
    "learned m/z": (tiny_recipe(features={"mz": "learned"}), {STOP, MZ}),
    "logistic": (tiny_recipe(**LOGISTIC), set()),
    "logistic of learned m/z": (tiny_recipe(**LOGISTIC, features={"mz": "learned"}), {MZ}),
    "a stack": (stack_recipe(), {STOP}),
    "published": (gale.Recipe.load("published"), {STOP, KEEP}),
}


@pytest.mark.parametrize("name", RECIPES)
def test_only_choices_that_are_made_are_named(name: str) -> None:
    recipe, expected = RECIPES[name]
    caution = caution_of(recipe)
    assert {choice for choice in (STOP, KEEP, MZ) if choice in caution} == expected
    assert ("optimistic" in caution) == bool(expected)
