"""Recipes: the published numbers, defaults, old keys, and what is refused."""

from __future__ import annotations

from pathlib import Path

import pytest
from pydantic import ValidationError

from gale.errors import GaleWarning, RecipeError
from gale.features.profile import ProfileSpec
from gale.training.recipe import Recipe, recipe_names
from gale.training.settings import ApexSettings, EventSettings, SummarySettings
from helpers.errors import check_error, refused


def test_recipes_that_come_with_gale() -> None:
    assert recipe_names() == ["default", "flight", "logistic", "published", "quick"]
    for name in recipe_names():
        assert Recipe.load(name).name == name


def test_the_published_recipe_is_the_published_system() -> None:
    published = Recipe.load("published").to_dict()
    assert published.pop("logistic").keys() == {"standardise", "c", "max_iterations"}  # not used
    assert published.pop("features")["mz"] == "published"
    assert published == {
        "name": "published",
        "kind": "network",
        "calibrate": False,
        "weights": "float32",
        "augment": {"abundance": 0.0, "mz_cut": 0.0, "mixture": 0.0},
        "network": {
            "kind": "summary",
            "hidden": [1024, 512],
            "batch_norm": True,
            "layer_norm": True,
            "prior_bias": True,
            "standardise": "none",
            "dropout": 0.0,
        },
        "loss": {"hinge": 0.1, "label_correlation": 0.1, "label_correlation_noise": 0.5},
        "fitting": {
            "learning_rate": 1e-5,
            "adam_epsilon": 1e-7,
            "batch_size": 128,
            "epochs": 2000,
            "patience": 30,
            "least_steps": 0,
            "weight_decay": 0.0,
            "schedule": "constant",
            "products": "float32",
        },
        "soup": {
            "kind": "fixed",
            "size": 5,
            "iterations": 40,
            "interpolate": [1.0],
            "across_folds": False,
        },
        "folds": {
            "count": 10,
            "val": "mixed",
            "stratify_by": "chlorine_bearing_compound",
            "elsewhere": 0,
            "seed": 758625225,
        },
    }


@pytest.mark.parametrize(
    ("n_runs", "epochs", "patience"),
    [(897, 24, 24), (160, 112, 112), (64, 336, 336), (1, 336, 336), (10_000, 24, 24)],
)
def test_few_runs_are_looked_at_more_often(n_runs: int, epochs: int, patience: int) -> None:
    """The recipe default takes as many steps as with the runs of the competition, or a few more."""
    fitting = Recipe.load("default").parts[0].fitting
    assert fitting.epochs_and_patience(n_runs) == (epochs, patience)
    assert fitting.epochs_and_patience(n_runs)[0] * -(-n_runs // 64) >= 336
    impatient = fitting.model_copy(update={"patience": 3})
    assert impatient.epochs_and_patience(160) == (112, 14)
    assert Recipe.load("published").fitting.epochs_and_patience(10) == (2000, 30)


def test_the_other_recipes() -> None:
    logistic, quick = Recipe.load("logistic"), Recipe.load("quick")
    assert (logistic.kind, logistic.logistic.c) == ("logistic", 0.003)
    assert (quick.kind, quick.network.standardise) == ("network", "full")
    assert (quick.soup.kind, quick.soup.size) == ("none", 1)
    default = Recipe.load("default")
    assert isinstance(default.features, ApexSettings)
    *fitted, matching = default.parts
    assert (matching.kind, matching.share) == ("matching", 0.2)
    assert [part.network.kind for part in fitted] == ["elution", "elution", "summary", "summary"]
    assert all(part.share is None for part in fitted)
    for part in fitted:
        expected = "centre" if part.network.kind == "summary" else "none"
        assert part.network.standardise == expected, "other instruments have other deviations"
    assert all(part.augment.mz_cut for part in fitted), "or other ranges of m/z"


def test_flight_has_the_pretrained_networks_of_default_once() -> None:
    flight, default = Recipe.load("flight"), Recipe.load("default")
    assert flight.weights == "int8"
    assert isinstance(flight.features, EventSettings), "which take a small computer less time"
    assert flight.folds == default.folds
    trained = [part for part in default.parts if part.pretrain is not None]
    for own, theirs in zip(flight.parts, trained, strict=True):
        assert own.soup.across_folds
        assert own.model_copy(update={"soup": theirs.soup}) == theirs


def test_a_missing_key_has_its_default() -> None:
    recipe = Recipe.parse('name = "mine"\n[fitting]\nepochs = 7', "mine.toml")
    expected = Recipe(name="mine").to_dict()
    expected["fitting"]["epochs"] = 7
    assert recipe.to_dict() == expected
    assert isinstance(recipe.features, SummarySettings)
    assert (recipe.features.mz, recipe.features.dropped) == ("published", 10)
    assert (recipe.features.mz_min, recipe.features.mz_max) == (None, None)
    assert recipe.folds.seed is None


@pytest.mark.parametrize("name", recipe_names())
def test_a_recipe_goes_through_its_dictionary(name: str) -> None:
    recipe = Recipe.load(name)
    assert Recipe.model_validate(recipe.to_dict()) == recipe


def test_profile_features_have_the_defaults_of_their_spec() -> None:
    features = Recipe.parse('name = "mine"\n[features]\nkind = "profile"', "mine.toml").features
    spec = ProfileSpec()
    assert features.model_dump() == {
        "kind": "profile",
        "bins": spec.elution.bins,
        "mz_first": spec.elution.mz_first,
        "mz_last": spec.elution.mz_last,
        "baseline": spec.elution.baseline,
        "losses": spec.losses,
    }


def test_a_recipe_cannot_be_changed() -> None:
    with pytest.raises(ValidationError):
        Recipe.load("quick").fitting.epochs = 3


def test_a_file_has_its_own_name_or_that_of_the_file(tmp_path: Path) -> None:
    path = tmp_path / "mine.toml"
    path.write_text("\ufeff[features]\nmz = [50, 60]\n", "utf-8")
    for source in (path, str(path)):
        recipe = Recipe.load(source)
        assert isinstance(recipe.features, SummarySettings)
        assert (recipe.name, recipe.features.mz) == ("mine", (50, 60))
    path.write_text('name = "another"\n')
    assert Recipe.load(path).name == "another"


CASES: list[tuple[str, str, str, str, str]] = [
    # text, place, found, expected, remedy
    ("fiting = 1", "fiting", "known", "", "fitting"),
    ("[fitting]\nlearning_rat = 1", "fitting.learning_rat", "known", "", "learning_rate"),
    ("[fitting]\nlearning-rate = 1", "fitting.learning-rate", "known", "", "learning_rate"),
    ("x-y = 1", "x-y", "known", "name, share, kind, network, loss, augment, pretrain, fitting, "
     "soup, logistic, features, folds, calibrate, calibration_strength, weights, pretraining, "
     "parts", ""),
    ("[soup.x]\na = 1", "soup.x", "known", "kind, size, iterations, interpolate", ""),
    ("kind = 'forest'", "kind", "'forest'", "'network', 'logistic' or 'stack'", ""),
    ("[features]\nmzz = 3", "features.mzz (of summary features)", "known", "", "mz"),
    ("[features]\nbins = 3", "features.bins (of summary features)", "known",
     "kind, mz, dropped, mz_min, mz_max", ""),
    ("[features]\nkind = 'profile'\nmz = [18]", "features.mz (of profile features)", "known",
     "kind, bins, mz_first, mz_last, baseline, losses", ""),
    ("[features]\nkind = 'x'", "features", "{'kind': 'x'}", "'profile', 'events' or 'apexes'", ""),
    ("features = 3", "features", "3", "'summary', 'profile', 'events' or 'apexes'", ""),
    ("kind = 'stack'\n[[parts]]\nname = 'a'\nkind = 'stack'", "parts.a.kind", "'stack'",
     "'network', 'logistic' or 'matching'", ""),
    ("[features]\nkind = 'profile'\nmz_first = 400", "features.mz_last", "350", "mz_first, 400",
     ""),
    ("[network]\nstandardise = true", "network.standardise", "True", "'none', 'centre' or 'full'",
     ""),
    ("[network]\ndropout = 1.0", "network.dropout", "1.0", "less than 1", ""),
    ("[network]\nbatch_norm = 1", "network.batch_norm", "1", "true or false", ""),
    ("[network]\nhidden = [8, 0]", "network.hidden", "0", "greater than 0", ""),
    ("[network]\nhidden = ['8']", "network.hidden", "'8'", "integer", ""),
    ("[fitting]\nepochs = 2.0", "fitting.epochs", "2.0", "integer", ""),
    ("[fitting]\nepochs = true", "fitting.epochs", "True", "integer", ""),
    ("[fitting]\nlearning_rate = '1'", "fitting.learning_rate", "'1'", "a valid number", ""),
    ("[fitting]\nlearning_rate = nan", "fitting.learning_rate", "nan", "finite", ""),
    ("[loss]\nhinge = -1", "loss.hinge", "-1", "greater than or equal to 0", ""),
    ("[loss]\nhinge = inf", "loss.hinge", "inf", "finite", ""),
    ("[features]\nmz = 'lerned'", "features.mz", "'lerned'", "'published' or 'learned' or a list",
     ""),
    ("network = 3", "network", "3", "a table", ""),
]  # fmt: skip


@pytest.mark.parametrize(("text", "place", "found", "expected", "remedy"), CASES)
def test_what_is_wrong_with_a_key(
    tmp_path: Path, text: str, place: str, found: str, expected: str, remedy: str
) -> None:
    path = tmp_path / "mine.toml"
    path.write_text(text)
    with refused(
        RecipeError, f"{path}: {place}", found=found, expected=expected, remedy=remedy
    ) as caught:
        Recipe.load(path)
    assert bool(caught.value.expected) == bool(expected)
    assert bool(caught.value.remedy) == bool(remedy)


def test_all_that_is_wrong_is_said_at_once() -> None:
    with pytest.raises(RecipeError) as caught:
        Recipe.parse("name = 'a'\nkind = 3\n[folds]\ncount = 0", "a.toml")
    kind, count = caught.value.problems
    check_error(kind, "a.toml: kind", found="3", expected="'stack'", kind=RecipeError)
    check_error(count, "a.toml: folds.count", found="0", expected="greater", kind=RecipeError)


def test_text_without_a_name_and_without_a_file() -> None:
    with refused(RecipeError, "here: name", found="missing"):
        Recipe.parse("", "here")


def test_files_that_are_no_recipes(tmp_path: Path) -> None:
    missing, no_toml, no_text, deep = (tmp_path / f"{name}.toml" for name in "abcd")
    no_toml.write_text("x =")
    deep.write_text("x = " + 5000 * "[" + 5000 * "]")
    no_text.write_bytes(b"\xff\xfe\x00")
    for path, fact in (
        (missing, "No such file"), (no_toml, "Invalid value"), (no_text, "text"), (deep, "deep"),
    ):  # fmt: skip
        with pytest.raises(RecipeError, match=fact) as caught:
            Recipe.load(path)
        assert str(caught.value).startswith(f"{path}: ")
    with refused(RecipeError, "publisht", expected=(*recipe_names(), ".toml")):
        Recipe.load("publisht")


OLD = "name = 'old'\ncalibrate = true\ncalibration_way = 0.5"


def test_an_old_key_is_read_and_the_new_one_named(tmp_path: Path) -> None:
    path = tmp_path / "old.toml"
    path.write_text(OLD)
    with pytest.warns(GaleWarning) as warned:
        recipe = Recipe.load(path)
    (text,) = (str(each.message) for each in warned)
    assert text.startswith(f"{path}: calibration_way ")
    assert "calibration_strength" in text
    assert recipe.calibration_strength == 0.5
    assert recipe.to_dict()["calibration_strength"] == 0.5
    assert "calibration_way" not in recipe.to_dict()


def test_the_facts_of_an_old_model_are_read_without_a_word() -> None:
    new = Recipe.parse(OLD.replace("way", "strength"), "new.toml")
    facts = new.to_dict()
    facts["calibration_way"] = facts.pop("calibration_strength")
    assert Recipe.model_validate(facts) == new


def test_an_old_key_beside_the_new_one_is_refused() -> None:
    both = f"{OLD}\ncalibration_strength = 0.5"
    with refused(
        RecipeError, "a: calibration_way", found="calibration_strength", remedy="calibration_way"
    ):
        Recipe.parse(both, "a")
