"""Recipes of several parts: what is refused, and that they can be read again."""

from __future__ import annotations

import json
from typing import Any

import pytest

from gale.errors import RecipeError
from gale.plumbing.toml import toml_lines
from gale.training.recipe import Recipe, recipe_names
from gale.training.settings import EventSettings
from helpers.errors import refused

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


def check_refused(text: str, place: str, *facts: str) -> None:
    """Check that a recipe is refused for a key, with facts in the rest of the message."""
    with refused(RecipeError, f"mine.toml: {place}") as caught:
        Recipe.parse(text, "mine.toml")
    error = caught.value
    rest = "; ".join([error.found, error.expected, error.remedy])
    for fact in facts:
        assert fact in rest


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


ELUTION = "network.kind = 'elution'\n"
ON_EVENTS = "[features]\nkind = 'events'\n"
OTHER = "[[parts]]\nname = 'b'\n"
PARTS = "kind = 'stack'\n[[parts]]\nname = 'a'\n"


@pytest.mark.parametrize(
    ("text", "place", "facts"),
    [
        ("kind = 'stack'", "kind", ["'stack'", "no parts", "[[parts]]"]),
        ("kind = 'stack'\nparts = []", "kind", ["'stack'", "no parts", "[[parts]]"]),
        ("[[parts]]\nname = 'a'", "parts", ["kind = 'stack'"]),
        ("kind = 'logistic'\n[[parts]]\nname = 'a'", "parts", ["kind = 'stack'"]),
        ("soup.size = 3\n" + PARTS, "soup", ["outside the parts"]),
        (f"{PARTS}[[parts]]\nname = 'a'", "parts.name", ["'a'", "of its own"]),
        (f"{PARTS}[[parts]]\nname = 'A'", "parts.name", ["'A'", "of its own"]),
        ("kind = 'stack'\n[[parts]]\nname = 'a/b'", "parts.name", ["'a/b'", "letters"]),
        ("kind = 'stack'\n[[parts]]\nname = ''", "parts.name", ["''", "letters"]),
        ("kind = 'stack'\n[[parts]]\nsoup.size = 3", "parts.1.name", ["missing"]),
        (f"{PARTS}kind = 'stack'", "parts.a.kind", ["'stack'", "'logistic' or 'matching'"]),
        (ELUTION, "network.kind", ["'elution'", "features.kind = 'apexes'"]),
        (f"{ELUTION}[features]\nkind = 'profile'", "network.kind", ["'elution'",
         "features.kind = 'apexes'"]),
        (f"{PARTS}{ELUTION}", "parts.a.network.kind", ["'elution'", "features.kind = 'apexes'"]),
        (f"{ELUTION}network.standardise = 'centre'\n{ON_EVENTS}", "network.standardise",
         ["'centre'", "elution", "'none'"]),
        ("[pretrain]\nepochs = 3", "pretrain", ["features.kind = 'apexes'"]),
        (f"{PARTS}{ELUTION}features = {{}}\n{OTHER}{ON_EVENTS}", "parts.a.network.kind",
         ["'elution'", "parts.a.features.kind = 'apexes'"]),
        (f"{PARTS}pretrain = {{}}\nfeatures.kind = 'profile'\n{OTHER}{ON_EVENTS}",
         "parts.a.pretrain", ["parts.a.features.kind = 'apexes'"]),
        (f"{PARTS}features = {{}}\n{ON_EVENTS}", "features", ["all parts", "of their own"]),
        ("kind = 'stack'\n" + "".join(
            f"[[parts]]\nname = 'p{mz}'\nfeatures.mz = [{mz}]\n" for mz in range(1, 66)),
         "parts.features", ["65 different", "at most 64"]),
        (f"{PARTS}features = {{}}\naugment.mz_cut = 0.1\n{OTHER}{ON_EVENTS}",
         "parts.a.augment", ["parts.a.features.kind = 'apexes' or 'profile'"]),
        (f"kind = 'logistic'\npretrain = {{}}\n{ON_EVENTS}", "pretrain", ["logistic", "remove"]),
        (f"{PARTS}kind = 'logistic'\naugment.mixture = 0.5\n{ON_EVENTS}", "parts.a.augment",
         ["logistic", "remove"]),
        ("features.mz = []", "features.mz", ["[]", "a list of at least 1"]),
        ("features = { mz_min = 50, mz_max = 40 }", "features.mz_max", ["40", "mz_min, 50"]),
        ("kind = 'forest'", "kind", ["'forest'", "'network', 'logistic' or 'stack'"]),
        ("[pretraining]\nruns = 1", "pretraining.runs", ["1", "greater than or equal to 2"]),
        ("[augment]\nmz_cut = 1.0", "augment.mz_cut", ["1.0", "less than 1"]),
        ("[soup]\ninterpolate = [0.5, 1.0]", "soup.interpolate", ["not pre-trained", "pretrain"]),
        ("[soup]\nacross_folds = true", "soup.across_folds", ["not pre-trained", "pretrain"]),
        ("[soup]\ninterpolate = []", "soup.interpolate", ["empty", "at least one"]),
        ("share = 0.5", "share", ["no stack"]),
        ("calibrate = true\n[folds]\nelsewhere = 1", "folds.elsewhere", ["1", "2 or more"]),
        ("[folds]\nelsewhere = 2", "folds.elsewhere", ["calibrated", "calibrate = true"]),
        (f"{PARTS}share = 1.5\n[[parts]]\nname = 'b'", "parts.share", ["1.5", "less than 1"]),
        (f"{PARTS}kind = 'matching'\nshare = 0.2", "parts.a.kind",
         ["no events", "features.kind = 'apexes'"]),
        (f"{PARTS}kind = 'matching'\n{ON_EVENTS}", "parts.a.share", ["missing", "0.2"]),
        (f"{PARTS}kind = 'matching'\npretrain = {{}}\n{ON_EVENTS}", "parts.a.pretrain",
         ["not fitted", "remove"]),
        ("[fitting]\nschedule = 'linear'", "fitting.schedule", ["'linear'",
         "'constant' or 'cosine'"]),
    ],
)  # fmt: skip
def test_what_does_not_fit_together(text: str, place: str, facts: list[str]) -> None:
    check_refused(f"name = 'mine'\n{text}", place, *facts)


def test_features_of_their_own_are_all_there_is_where_every_part_has_some() -> None:
    text = f"name = 'mine'\n{PARTS}{ELUTION}features.kind = 'events'"
    recipe = Recipe.parse(text, "mine.toml")
    assert recipe.all_features == (recipe.parts[0].features,)
    choices = recipe.to_dict()
    assert "features" not in choices
    assert choices["parts"][0]["features"]["events"] == 96
    assert Recipe.model_validate(choices) == recipe


def test_what_a_logistic_regression_ignores_is_not_looked_at() -> None:
    recipe = Recipe.parse(f"name = 'mine'\nkind = 'logistic'\n{ELUTION}", "mine.toml")
    assert recipe.features.kind == "summary"


@pytest.mark.parametrize(
    ("line", "place", "facts"),
    [
        ("netwrok = {}", "netwrok", ["known", "network"]),
        ("network = { hiden = [3] }", "network.hiden", ["known", "hidden"]),
        ("pretrain = { epoch = 3 }", "pretrain.epoch", ["known", "epochs"]),
        ("augment = { mzcut = 0.1 }", "augment.mzcut", ["known", "mz_cut"]),
        ("folds = { count = 3 }", "folds", ["known", "name, share, kind, network, loss, augment, "
         "pretrain, fitting, soup, logistic, features"]),
        ("network = { hidden = [0] }", "network.hidden", ["0", "greater than 0"]),
        ("pretrain = { epochs = 0 }", "pretrain.epochs", ["0", "greater than 0"]),
        ("features.kind = 'image'", "features", ["'image'", "'events' or 'apexes'"]),
        ("features = 3", "features", ["3", "a table"]),
        ("features = { kind = 'events', event = 3 }", "features.event (of events features)",
         ["known", "events"]),
    ],
)  # fmt: skip
def test_what_is_wrong_in_a_part(line: str, place: str, facts: list[str]) -> None:
    check_refused(f"name = 'mine'\n{PARTS}{line}", f"parts.a.{place}", *facts)


def test_unknown_keys_of_tables() -> None:
    check_refused("name = 'mine'\n[pretraining]\nrun = 3", "pretraining.run", "known", "runs")
    text = "name = 'mine'\n[features]\nkind = 'events'\nevent = 3"
    check_refused(text, "features.event (of events features)", "known", "events")


def test_the_dictionary_of_a_stack_leaves_out_what_does_not_count() -> None:
    choices = Recipe.parse(STACK, "mine.toml").to_dict()
    assert choices.keys() == {
        "name", "kind", "features", "folds", "calibrate", "calibration_strength", "weights",
        "pretraining", "parts",
    }  # fmt: skip
    assert "pretrain" in choices["parts"][0]
    assert "pretrain" not in choices["parts"][1]
    without = STACK.replace('pretrain = { epochs = 3, schedule = "cosine" }', "")
    assert "pretraining" not in Recipe.parse(without, "mine.toml").to_dict()


def test_the_dictionary_of_a_single_network_says_nothing_of_parts() -> None:
    choices = Recipe.load("quick").to_dict()
    assert not choices.keys() & {"parts", "pretrain", "pretraining"}
    alone = "name = 'mine'\n[features]\nkind = 'events'\n[pretrain]\nepochs = 3"
    choices = Recipe.parse(alone, "mine.toml").to_dict()
    assert choices["pretrain"]["epochs"] == 3
    assert choices["pretraining"]["runs"] == 3840


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
