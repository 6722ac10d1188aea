"""Recipes of several parts: what is refused and in which words, and that they can be read again."""

from __future__ import annotations

import json
from typing import Any

import pytest

from gale.errors import RecipeError
from gale.plumbing.toml import toml_lines
from gale.training.recipe import Recipe, recipe_names
from gale.training.settings import EventSettings

STACK = """
name = "mine"
kind = "stack"

[features]
kind = "events"
events = 5

[[parts]]
name = "spectra"
network = { kind = "elution", hidden = [8] }
augment = { abundance = 0.5 }
pretrain = { epochs = 3, schedule = "cosine" }

[[parts]]
name = "profile"
network = { hidden = [8], standardise = "centre" }
fitting = { epochs = 7 }

[[parts]]
name = "baseline"
kind = "logistic"
"""


def complaint_of(text: str) -> str:
    with pytest.raises(RecipeError) as caught:
        Recipe.parse(text, "mine.toml")
    message = str(caught.value)
    assert message.startswith("mine.toml: ")
    assert "\n" not in message
    return message.removeprefix("mine.toml: ")


def test_a_stack_has_its_parts() -> None:
    recipe = Recipe.parse(STACK, "mine.toml")
    assert isinstance(recipe.features, EventSettings)
    assert recipe.features.events == 5
    assert recipe.members_of == recipe.parts
    assert [part.name for part in recipe.parts] == ["spectra", "profile", "baseline"]
    spectra, profile, baseline = recipe.parts
    assert spectra.pretrain is not None
    assert (spectra.pretrain.epochs, spectra.pretrain.schedule) == (3, "cosine")
    assert (profile.fitting.epochs, profile.pretrain) == (7, None)
    assert (baseline.kind, baseline.logistic.c) == ("logistic", 0.003)


def test_without_parts_the_recipe_is_its_only_part() -> None:
    quick = Recipe.load("quick")
    assert quick.members_of == (quick,)


NEEDS_PARTS = "a recipe of kind 'stack', and no other, has parts"
PLAIN_NAMES = "each part should have a plain name of its own"
ELUTION = "network.kind = 'elution'\n"
ON_EVENTS = "[features]\nkind = 'events'\n"


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("kind = 'stack'", NEEDS_PARTS),
        ("kind = 'stack'\nparts = []", NEEDS_PARTS),
        ("[[parts]]\nname = 'a'", NEEDS_PARTS),
        ("kind = 'logistic'\n[[parts]]\nname = 'a'", NEEDS_PARTS),
        ("kind = 'stack'\n[[parts]]\nname = 'a'\n[[parts]]\nname = 'a'", PLAIN_NAMES),
        ("kind = 'stack'\n[[parts]]\nname = 'a/b'", PLAIN_NAMES),
        ("kind = 'stack'\n[[parts]]\nname = ''", PLAIN_NAMES),
        ("kind = 'stack'\n[[parts]]\nsoup.size = 3", "parts.name is missing"),
        ("kind = 'stack'\n[[parts]]\nname = 'a'\nkind = 'stack'", "parts.kind = 'stack': input "
         "should be 'network' or 'logistic'"),
        (ELUTION, "an elution network needs features of kind 'events'"),
        (f"{ELUTION}[features]\nkind = 'profile'", "an elution network needs features of kind "
         "'events'"),
        (f"kind = 'stack'\n[[parts]]\nname = 'a'\n{ELUTION}", "an elution network needs features "
         "of kind 'events'"),
        (f"{ELUTION}network.standardise = 'centre'\n{ON_EVENTS}", "an elution network looks at "
         "spectra as they are: standardise = 'none'"),
        ("[pretrain]\nepochs = 3", "pre-training needs features of kind 'events'"),
        (f"kind = 'logistic'\npretrain = {{}}\n{ON_EVENTS}", "only networks can be pre-trained"),
        ("kind = 'forest'", "kind = 'forest': input should be 'network', 'logistic' or 'stack'"),
        ("[pretraining]\nruns = 1", "pretraining.runs = 1: input should be greater than or equal "
         "to 2"),
        ("[augment]\nmz_cut = 1.0", "augment.mz_cut = 1.0: input should be less than 1"),
        ("[soup]\ninterpolate = [0.5, 1.0]", "only what is pre-trained can be interpolated: "
         "soup.interpolate needs pretrain"),
        ("[soup]\ninterpolate = []", "soup.interpolate should name at least one share"),
        ("share = 0.5", "only parts of a stack have a share"),
        ("kind = 'stack'\n[[parts]]\nname = 'a'\nshare = 0.5\n[[parts]]\nname = 'b'",
         "either all parts of a stack or none have a share"),
        ("[fitting]\nschedule = 'linear'", "fitting.schedule = 'linear': input should be "
         "'constant' or 'cosine'"),
    ],
)  # fmt: skip
def test_what_does_not_fit_together_is_said_in_one_line(text: str, complaint: str) -> None:
    assert complaint_of(f"name = 'mine'\n{text}") == complaint


def test_what_a_logistic_regression_ignores_is_not_looked_at() -> None:
    recipe = Recipe.parse(f"name = 'mine'\nkind = 'logistic'\n{ELUTION}", "mine.toml")
    assert recipe.features.kind == "summary"


@pytest.mark.parametrize(
    ("line", "complaint"),
    [
        ("netwrok = {}", "parts.netwrok is not known; did you mean network?"),
        ("network = { hiden = [3] }", "parts.network.hiden is not known; did you mean hidden?"),
        ("pretrain = { epoch = 3 }", "parts.pretrain.epoch is not known; did you mean epochs?"),
        ("augment = { mzcut = 0.1 }", "parts.augment.mzcut is not known; did you mean mz_cut?"),
        ("folds = { count = 3 }", "parts.folds is not known; expected one of name, share, kind, "
         "network, loss, augment, pretrain, fitting, soup, logistic"),
        ("network = { hidden = [0] }", "parts.network.hidden = 0: input should be greater than 0"),
        ("pretrain = { epochs = 0 }", "parts.pretrain.epochs = 0: input should be greater than 0"),
    ],
)  # fmt: skip
def test_what_is_wrong_in_a_part(line: str, complaint: str) -> None:
    text = f"name = 'mine'\nkind = 'stack'\n[[parts]]\nname = 'a'\n{line}"
    assert complaint_of(text) == complaint


def test_unknown_keys_of_the_new_tables() -> None:
    assert complaint_of("name = 'mine'\n[pretraining]\nrun = 3") == (
        "pretraining.run is not known; did you mean runs?"
    )
    assert complaint_of("name = 'mine'\n[features]\nkind = 'events'\nevent = 3") == (
        "features.event (of events features) is not known; did you mean events?"
    )


def test_the_dictionary_of_a_stack_leaves_out_what_does_not_count() -> None:
    told = Recipe.parse(STACK, "mine.toml").to_dict()
    assert told.keys() == {
        "name", "kind", "features", "folds", "calibrate", "calibration_way", "pretraining", "parts"
    }  # fmt: skip
    assert "pretrain" in told["parts"][0]
    assert "pretrain" not in told["parts"][1]
    without = STACK.replace('pretrain = { epochs = 3, schedule = "cosine" }', "")
    assert "pretraining" not in Recipe.parse(without, "mine.toml").to_dict()


def test_the_dictionary_of_a_single_network_says_nothing_of_parts() -> None:
    told = Recipe.load("quick").to_dict()
    assert not told.keys() & {"parts", "pretrain", "pretraining"}
    alone = "name = 'mine'\n[features]\nkind = 'events'\n[pretrain]\nepochs = 3"
    told = Recipe.parse(alone, "mine.toml").to_dict()
    assert told["pretrain"]["epochs"] == 3
    assert told["pretraining"]["runs"] == 3840


def recipes() -> dict[str, Recipe]:
    named = {name: Recipe.load(name) for name in recipe_names()}
    return {**named, "a stack": Recipe.parse(STACK, "mine.toml")}


@pytest.mark.parametrize("name", recipes())
def test_a_recipe_is_the_same_after_a_model_file_and_inspect(name: str) -> None:
    recipe = recipes()[name]
    # the order of a model file, in which "parts" comes before "pretraining"
    stored: dict[str, Any] = json.loads(json.dumps(recipe.to_dict(), sort_keys=True))
    assert Recipe.model_validate(stored) == recipe
    printed = "\n".join(toml_lines(stored))
    assert Recipe.parse(printed, "printed.toml") == recipe


def test_two_stacks_that_differ_in_a_part_are_told_apart() -> None:
    one = Recipe.parse(STACK, "mine.toml")
    other = Recipe.parse(STACK.replace("epochs = 7", "epochs = 8"), "mine.toml")
    assert one.to_dict() != other.to_dict()
