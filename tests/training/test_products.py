"""Recipes that leave the precision of products open."""

from __future__ import annotations

import math

import pytest
import torch

import gale
from gale.plumbing.cache import Cache
from gale.plumbing.work import Work
from gale.training import products
from gale.training.products import settled
from gale.training.recipe import Recipe
from helpers.training import Recorder, tiny_recipe

CPU = torch.device("cpu")


@pytest.mark.parametrize(
    ("times", "chosen"), [(0.3, "float32"), (1.1, "float32"), (2.0, "bfloat16")]
)
def test_bfloat16_must_be_clearly_faster(
    monkeypatch: pytest.MonkeyPatch, times: float, chosen: str
) -> None:
    monkeypatch.setattr(products, "speedup", lambda _: times)
    told = Recorder()
    recipe = settled(tiny_recipe(fitting={"products": "fastest"}), CPU, told)
    assert recipe.fitting.products == chosen
    (note,) = told.notes
    assert chosen in note
    assert f"{times:.1f} times" in note


def test_only_parts_that_leave_it_open_change(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(products, "speedup", lambda _: 5.0)
    text = """
    kind = "stack"
    [features]
    kind = "events"
    [[parts]]
    name = "open"
    fitting.products = "fastest"
    [[parts]]
    name = "single"
    fitting.products = "float32"
    """
    recipe = Recipe.parse(text, "two.toml", default_name="two")
    found = settled(recipe, CPU, Recorder())
    assert [part.fitting.products for part in found.parts] == ["bfloat16", "float32"]
    assert found.parts[1] == recipe.parts[1]
    assert settled(found, CPU, Recorder()) is found


@pytest.mark.slow
def test_the_measurement_times_both(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(products, "SHAPE", (2, 32, 1000, 64))
    assert 0 < products.speedup(CPU) < math.inf


def test_a_training_says_what_it_took(
    campaign: gale.Campaign, cache: Cache, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(products, "speedup", lambda _: 5.0)
    told = Recorder()
    recipe = tiny_recipe(fitting={"products": "fastest"})
    model = gale.train(campaign, recipe, work=Work(cache=cache, progress=told))
    assert model.facts["recipe"]["fitting"]["products"] == "bfloat16"
    assert any("bfloat16" in note for note in told.notes)
