"""Recipes: the published numbers, what is refused and in which words, defaults."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError

from gale.errors import RecipeError
from gale.features.profile import ProfileSpec
from gale.training.recipe import Recipe, recipe_names
from gale.training.settings import EventSettings, SummarySettings


def test_recipes_that_gale_brings_along() -> None:
    assert recipe_names() == ["default", "logistic", "published", "quick"]
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
        "augment": {"abundance": 0.0, "mz_cut": 0.0},
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
        "soup": {"kind": "fixed", "size": 5, "iterations": 40, "interpolate": [1.0]},
        "folds": {
            "count": 10,
            "stratify_by": "chlorine_bearing_compound",
            "seed": 758625225,
        },
    }


@pytest.mark.parametrize(
    ("n_runs", "epochs", "patience"),
    [(897, 8, 8), (896, 8, 8), (160, 38, 38), (64, 112, 112), (1, 112, 112), (10_000, 8, 8)],
)
def test_few_runs_are_looked_at_more_often(n_runs: int, epochs: int, patience: int) -> None:
    """The recipe default takes as many steps as with the runs of the competition, or a few more."""
    fitting = Recipe.load("default").parts[0].fitting
    assert fitting.lasting(n_runs) == (epochs, patience)
    assert fitting.lasting(n_runs)[0] * -(-n_runs // 64) >= 112
    impatient = fitting.model_copy(update={"patience": 3})
    assert impatient.lasting(160) == (38, 15)
    assert Recipe.load("published").fitting.lasting(10) == (2000, 30)


def test_the_other_recipes() -> None:
    logistic, quick = Recipe.load("logistic"), Recipe.load("quick")
    assert (logistic.kind, logistic.logistic.c) == ("logistic", 0.003)
    assert (quick.kind, quick.network.standardise) == ("network", "full")
    assert (quick.soup.kind, quick.soup.size) == ("none", 1)
    default = Recipe.load("default")
    assert isinstance(default.features, EventSettings)
    elution, profile = default.members_of
    assert (elution.network.kind, profile.network.kind) == ("elution", "summary")
    assert profile.network.standardise == "centre", "other instruments have other deviations"


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


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("fiting = 1", "fiting is not known; did you mean fitting?"),
        ("[fitting]\nlearning_rat = 1", "fitting.learning_rat is not known; did you mean "
         "learning_rate?"),
        ("[fitting]\nlearning-rate = 1", "fitting.learning-rate is not known; did you mean "
         "learning_rate?"),
        ("x-y = 1", "x-y is not known; expected one of name, share, kind, network, loss, "
         "augment, pretrain, fitting, soup, logistic, features, folds, calibrate, "
         "calibration_way, pretraining, parts"),
        ("[soup.x]\na = 1", "soup.x is not known; expected one of kind, size, iterations, "
         "interpolate"),
        ("kind = 'forest'", "kind = 'forest': input should be 'network', 'logistic' or 'stack'"),
        ("[features]\nmzz = 3", "features.mzz (of summary features) is not known; did you "
         "mean mz?"),
        ("[features]\nbins = 3", "features.bins (of summary features) is not known; expected one "
         "of kind, mz, dropped, mz_min, mz_max"),
        ("[features]\nkind = 'profile'\nmz = [18]", "features.mz (of profile features) is not "
         "known; expected one of kind, bins, mz_first, mz_last, baseline, losses"),
        ("[features]\nkind = 'x'", "features = {'kind': 'x'}: input should be a table of kind "
         "'summary', 'profile' or 'events'"),
        ("features = 3", "features = 3: input should be a table of kind 'summary', 'profile' "
         "or 'events'"),
        ("kind = 'stack'\n[[parts]]\nname = 'a'\nkind = 'stack'", "parts.kind = 'stack': input "
         "should be 'network' or 'logistic'"),
        ("[features]\nkind = 'profile'\nmz_first = 400", "features.mz_last = 350: input should be "
         "at least mz_first, 400"),
        ("[network]\nstandardise = true", "network.standardise = True: input should be 'none', "
         "'centre' or 'full'"),
        ("[network]\ndropout = 1.0", "network.dropout = 1.0: input should be less than 1"),
        ("[network]\nbatch_norm = 1", "network.batch_norm = 1: input should be a valid boolean"),
        ("[network]\nhidden = [8, 0]", "network.hidden = 0: input should be greater than 0"),
        ("[network]\nhidden = ['8']", "network.hidden = '8': input should be a valid integer"),
        ("[fitting]\nepochs = 2.0", "fitting.epochs = 2.0: input should be a valid integer"),
        ("[fitting]\nepochs = true", "fitting.epochs = True: input should be a valid integer"),
        ("[fitting]\nlearning_rate = '1'", "fitting.learning_rate = '1': input should be a valid "
         "number"),
        ("[fitting]\nlearning_rate = nan", "fitting.learning_rate = nan: input should be a finite "
         "number"),
        ("[loss]\nhinge = -1", "loss.hinge = -1: input should be greater than or equal to 0"),
        ("[loss]\nhinge = inf", "loss.hinge = inf: input should be a finite number"),
        ("[features]\nmz = 'lerned'", "features.mz = 'lerned': input should be 'published' or "
         "'learned'; features.mz = 'lerned': input should be a valid tuple"),
        ("kind = 3\n[folds]\ncount = 0", "kind = 3: input should be 'network', 'logistic' or "
         "'stack'; folds.count = 0: input should be greater than 0"),
    ],
)  # fmt: skip
def test_what_is_wrong_is_said_in_one_line(tmp_path: Path, text: str, complaint: str) -> None:
    path = tmp_path / "mine.toml"
    path.write_text(text)
    assert complaint_of(path) == f"{path}: {complaint}"


def complaint_of(source: Any) -> str:
    with pytest.raises(RecipeError) as caught:
        Recipe.load(source)
    return str(caught.value)


def test_text_without_a_name_and_without_a_file() -> None:
    with pytest.raises(RecipeError) as caught:
        Recipe.parse("", "here")
    assert str(caught.value) == "here: name is missing"


def test_a_section_is_a_table(tmp_path: Path) -> None:
    path = tmp_path / "mine.toml"
    path.write_text("network = 3")
    assert complaint_of(path).startswith(f"{path}: network = 3: input should be a valid dictionary")


def test_files_that_are_no_recipes(tmp_path: Path) -> None:
    missing, no_toml, no_text = (tmp_path / f"{name}.toml" for name in "abc")
    no_toml.write_text("x =")
    no_text.write_bytes(b"\xff\xfe\x00")
    assert complaint_of(missing) == (
        f"{missing}: cannot be read (No such file or directory); expected a recipe"
    )
    assert complaint_of(no_toml) == (
        f"{no_toml}: is not TOML: Invalid value (at end of document); expected a recipe in TOML"
    )
    assert complaint_of(no_text) == f"{no_text}: is not text; expected a recipe in TOML"
    assert complaint_of("publisht") == (
        "publisht: no recipe of this name; expected one of default, logistic, published, "
        "quick, or a file ending in .toml"
    )
