"""Trainings with other recipes: soups, features, folds, precision, device."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest

import gale
from gale.errors import TrainingError
from gale.features.elution import ElutionSpec
from gale.features.profile import ProfileSpec
from gale.features.summary import PUBLISHED_MZ, SummarySpec
from gale.plumbing.cache import Cache
from gale.plumbing.work import Work
from gale.training.folds import folds_of
from gale.training.networks.layers import count_members
from helpers.errors import refused
from helpers.training import Exported, Recorder, tiny_recipe

PROFILE = {"kind": "profile", "bins": 32, "mz_first": 18, "mz_last": 120, "losses": 20}


@pytest.mark.slow
@pytest.mark.parametrize(
    ("soup", "count", "members", "fits"),
    [
        ({"kind": "none", "size": 3}, 2, 6, 6),
        ({"kind": "uniform", "size": 3}, 2, 2, 6),
        ({"kind": "greedy", "size": 2}, 3, 3, 6),
        ({"kind": "fixed", "size": 2, "iterations": 3}, 2, 2, 16),
        ({"kind": "none", "size": 2}, 1, 2, 2),
    ],
)
def test_members_and_folds_of_each_soup(
    campaign: gale.Campaign, exported: Exported, cache: Cache,
    soup: dict[str, Any], count: int, members: int, fits: int,
) -> None:  # fmt: skip
    progress = Recorder()
    recipe = tiny_recipe(soup=soup, folds={"count": count})
    model = gale.train(campaign, recipe, work=Work(cache=cache, progress=progress))
    assert (model.facts["members"], model.facts["folds"]) == (members, count)
    assert count_members(exported.networks[0]) == members
    assert progress.totals["training"] == progress.steps["training"] == fits
    assert progress.steps == progress.totals
    assert progress.notes == []


@pytest.mark.slow
def test_mz_learned_from_the_runs(
    campaign: gale.Campaign, exported: Exported, cache: Cache
) -> None:
    recipe = tiny_recipe(features={"mz": "learned", "dropped": 40})
    model = gale.train(campaign, recipe, work=Work(cache=cache))
    ions = pl.concat(
        pl.read_csv(path, schema_overrides={"intensity": pl.Float64})
        for path in campaign.of_split("train", "val").paths
    )
    variance = (
        ions.group_by(mz=pl.col("mass").round().cast(pl.Int64))
        .agg(variance=pl.col("intensity").var(ddof=0))
        .filter(pl.col("mz") != 4)
        .sort("variance", "mz")
    )
    assert model.spec.mz == tuple(sorted(variance["mz"].to_list()[40:]))


@pytest.mark.slow
def test_a_range_of_mz(campaign: gale.Campaign, exported: Exported, cache: Cache) -> None:
    within = {"mz": "published", "mz_min": 40, "mz_max": 100}
    spec = gale.train(campaign, tiny_recipe(features=within), work=Work(cache=cache)).spec
    assert isinstance(spec, SummarySpec)
    assert (spec.mz_min, spec.mz_max) == (40, 100)
    assert spec.mz == tuple(mz for mz in PUBLISHED_MZ if 40 <= mz <= 100)
    with refused(TrainingError, "features.mz", found="between 700 and 800", remedy="mz_min"):
        gale.train(
            campaign, tiny_recipe(features={"mz_min": 700, "mz_max": 800}), work=Work(cache=cache)
        )


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore::gale.GaleWarning")  # of the run that fails
@pytest.mark.parametrize("kind", ["network", "logistic"])
def test_profile_features_from_recipe_to_prediction(
    campaign: gale.Campaign, cache: Cache, tmp_path: Path, kind: str
) -> None:
    recipe = tiny_recipe(
        kind=kind, features=PROFILE, network={"standardise": "centre", "dropout": 0.1},
        logistic={"standardise": "centre", "c": 0.1},
    )  # fmt: skip
    gale.train(campaign, recipe, work=Work(cache=cache)).save(tmp_path / "model.onnx")
    model = gale.Model.load(tmp_path / "model.onnx")
    spec = ProfileSpec(ElutionSpec(32, 18, 120), losses=20)
    assert model.spec == spec
    features = np.stack([spec.features_of(gale.read_run(path)) for path in campaign.paths[:5]])
    empty = gale.Run.from_rows([1, 2], [500, 501], [3, 4], source="far")
    with pytest.warns(gale.GaleWarning, match="1 of 6 runs"):
        table = model.predict([*campaign.paths[:5], empty], work=Work(cache=cache))
    expected, _ = model.predict_features(features)
    np.testing.assert_allclose(table.select(model.families).to_numpy()[:5], expected, atol=1e-6)
    assert table["status"].to_list() == ["ok"] * 5 + ["failed"]
    assert table["message"][5].startswith("far: ")
    assert "18 to 120" in table["message"][5]


@pytest.mark.parametrize(
    ("count", "facts"), [(85, ("is 85", " 84 labelled runs")), (1, ("is 1", "val split"))]
)
def test_too_few_runs(
    campaign: gale.Campaign, cache: Cache, count: int, facts: tuple[str, ...]
) -> None:
    chosen = campaign if count > 1 else campaign.of_split("train")
    with refused(TrainingError, "folds.count", found=facts):
        gale.train(chosen, tiny_recipe(folds={"count": count}), work=Work(cache=cache))


@pytest.mark.slow
def test_an_unknown_family_to_stratify_by_is_noted(
    campaign: gale.Campaign, exported: Exported, cache: Cache
) -> None:
    progress = Recorder()
    gale.train(
        campaign,
        tiny_recipe(folds={"stratify_by": "gold"}),
        work=Work(cache=cache, progress=progress),
    )
    (note,) = progress.notes
    assert note.startswith("folds.stratify_by: ")
    assert "gold" in note
    assert "rarest" in note


@pytest.mark.slow
def test_folds_of_all_families(campaign: gale.Campaign, exported: Exported, cache: Cache) -> None:
    progress = Recorder()
    recipe = tiny_recipe(folds={"stratify_by": "all"})
    model = gale.train(campaign, recipe, work=Work(cache=cache, progress=progress))
    assert progress.notes == []
    assert model.facts["recipe"]["folds"]["stratify_by"] == "all"


def test_folds_of_all_families_spread_derivatized_samples_evenly(campaign: gale.Campaign) -> None:
    derivatized = np.full(len(campaign), np.nan, np.float32)
    derivatized[: len(campaign) // 4] = 1
    flagged = replace(campaign, derivatized=derivatized)
    recipe = tiny_recipe(folds={"stratify_by": "all", "count": 4})
    for seed in range(3):
        held = [
            np.nansum(derivatized[fold.validation])
            for fold in folds_of(flagged, recipe.folds, seed, Recorder())
        ]
        assert max(held) - min(held) <= 2


def test_a_device_that_is_not_there(
    campaign: gale.Campaign, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("torch.cuda.is_available", lambda: False)
    remedy = "pass device='cpu'"
    with refused(TrainingError, "device", found=("'cuda'", "PyTorch"), remedy=remedy):
        gale.train(campaign, tiny_recipe(), work=Work(device="cuda"))


@pytest.mark.slow
def test_products_of_lower_precision(
    campaign: gale.Campaign, exported: Exported, cache: Cache
) -> None:
    recipes = [tiny_recipe(fitting={"products": name}) for name in ("float32", "bfloat16")]
    losses = [
        gale.train(campaign, recipe, work=Work(cache=cache, device="cpu")).facts["scores"][
            "log_loss"
        ]
        for recipe in recipes
    ]
    assert losses[0] != losses[1]
    assert losses[0] == pytest.approx(losses[1], abs=0.03)
