"""Training as a whole: what a model says of itself, what it was made of, what stops it."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest

import gale
from gale.errors import CampaignError, TrainingError
from gale.features.elution import ElutionSpec
from gale.features.profile import ProfileSpec
from gale.features.summary import PUBLISHED_MZ, SummarySpec
from gale.plumbing.cache import Cache
from gale.plumbing.work import Work
from gale.training.fitting import predict
from gale.training.folds import folds_of, stratified_folds
from gale.training.networks.layers import count_members
from helpers.model_files import undated
from helpers.training import Array, Exported, Recorder, Trained, tiny_recipe

COUNTS = ["fold", "stage", "member", "epoch"]


def relabelled(campaign: gale.Campaign, labels: Array) -> gale.Campaign:
    return replace(campaign, labels=labels.astype(np.float32))


def spoil(campaign: gale.Campaign, folder: Path, rows: list[int]) -> gale.Campaign:
    """The campaign in which the files of some runs are empty."""
    paths = list(campaign.paths)
    for row in rows:
        paths[row] = folder / f"{campaign.runs[row]}.csv"
        paths[row].touch()
    return replace(campaign, paths=tuple(paths))


def log_loss(labels: Array, probability: Array) -> float:
    """As the competition defines it, over known labels."""
    return float(
        np.mean(
            [
                np.mean([-np.log(q if label else 1 - q) for label, q in zip(y, p, strict=True)
                         if np.isfinite(label)])
                for y, p in zip(labels.T, probability.T, strict=True)
            ]
        )
    )  # fmt: skip


def held_out_scores(
    labels: Array, member_probability: Array, families: tuple[str, ...], n_folds: int, seed: int
) -> tuple[float, float]:
    """Log loss of the members and of the prevalence of their training runs, fold by fold."""
    labels32 = labels.astype(np.float32)
    folds = stratified_folds(labels32, families, count=n_folds, by="rarest", seed=seed)
    found, prior = np.empty(labels.shape), np.empty(labels.shape)
    for members, fold in zip(np.split(member_probability, n_folds), folds, strict=True):
        found[fold.validation] = members[:, fold.validation].mean(axis=0)
        training = labels[fold.training]
        known = np.isfinite(training).sum(axis=0)
        prior[fold.validation] = np.clip(np.nansum(training, axis=0), 0.5, known - 0.5) / known
    return log_loss(labels, found), log_loss(labels, prior)


def test_the_facts_of_a_model(trained: Trained, campaign: gale.Campaign) -> None:
    facts = trained.model.facts
    chosen = campaign.of_split("train", "val")
    positive = chosen.labels.sum(axis=0)
    assert (facts["members"], facts["folds"], facts["seed"], facts["calibrated"]) == (
        4,
        2,
        0,
        False,
    )
    assert trained.model.families == campaign.families
    np.testing.assert_allclose(facts["prevalence"], positive / len(chosen), atol=1e-6)
    assert facts["recipe"] == tiny_recipe().to_dict()
    assert facts["columns"] is None
    training = facts["training"]
    assert (training["campaign"], training["runs"], training["unreadable"]) == ("campaign", 84, [])
    assert training["positive"] == positive.tolist()
    assert training["known"] == [84] * 9


def test_scores_are_those_of_runs_held_out(
    trained: Trained, campaign: gale.Campaign, features: Array
) -> None:
    labels = campaign.of_split("train", "val").labels.astype(float)
    _, member_probability = trained.model.predict_features(features.astype(np.float32))
    expected = held_out_scores(labels, member_probability, campaign.families, n_folds=2, seed=0)
    scores = trained.model.facts["scores"]
    assert scores["log_loss"] == pytest.approx(expected[0], abs=1e-6)
    assert scores["prior_log_loss"] == pytest.approx(expected[1], abs=1e-6)
    assert "84 runs" in scores["measured_on"]


def test_one_fold_is_scored_on_the_val_split(
    campaign: gale.Campaign, exported: Exported, cache: Cache, features: Array
) -> None:
    model = gale.train(campaign, tiny_recipe(folds={"count": 1}), work=Work(cache=cache))
    chosen = campaign.of_split("train", "val")
    is_val = np.array(chosen.split) == "val"
    found = predict(exported.networks[-1], features)[:, is_val].mean(axis=0)
    scores = model.facts["scores"]
    assert scores["log_loss"] == pytest.approx(log_loss(chosen.labels[is_val], found), abs=1e-6)
    assert scores["measured_on"].startswith("24 runs")
    assert "val split" in scores["measured_on"]
    train = campaign.of_split("train")  # only its runs are learned from
    facts = model.facts
    assert facts["training"]["runs"] == len(train) == 60
    np.testing.assert_allclose(facts["prevalence"], train.prevalence(), atol=1e-6)
    prior = np.broadcast_to(facts["prevalence"], found.shape)
    assert scores["prior_log_loss"] == pytest.approx(
        log_loss(chosen.labels[is_val], prior), rel=0.1
    )


def test_a_family_without_a_positive_run_in_train_is_refused_though_val_has_one(
    campaign: gale.Campaign, cache: Cache
) -> None:
    labels = np.array(campaign.labels)
    labels[np.array(campaign.split) == "train", 1] = 0
    with pytest.raises(CampaignError, match="hydrocarbon: found 0 positive"):
        gale.train(
            relabelled(campaign, labels), tiny_recipe(folds={"count": 1}), work=Work(cache=cache)
        )


def test_what_is_odd_or_unknown_is_told(campaign: gale.Campaign, exported: Exported) -> None:
    labels = np.array(campaign.labels)
    labels[[3, 7]] = np.nan
    told = Recorder()
    gale.train(relabelled(campaign, labels), tiny_recipe(), work=Work(progress=told))
    assert "2 runs are left out, since no label of theirs is known" in told.notes


def test_notes_of_runs_are_told_once(
    campaign: gale.Campaign, exported: Exported, tmp_path: Path
) -> None:
    paths = list(campaign.paths)
    for at in (0, 5):
        paths[at] = tmp_path / f"{at}.csv"
        frame = pl.read_csv(campaign.paths[at]).with_columns(pl.col("intensity") - 1e9)
        frame.write_csv(paths[at])
    told = Recorder()
    gale.train(replace(campaign, paths=tuple(paths)), tiny_recipe(), work=Work(progress=told))
    (note,) = told.notes
    assert note.startswith(f"2 runs are odd, for instance {campaign.runs[0]}: ")
    assert "negative intensities were set to 0" in note


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


def test_the_same_seed_gives_the_same_bytes(trained: Trained, campaign: gale.Campaign) -> None:
    model = gale.train(campaign, tiny_recipe())  # and without cache, history and journal
    assert undated(model._data) == undated(trained.path.read_bytes())


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


def test_a_range_of_mz(campaign: gale.Campaign, exported: Exported, cache: Cache) -> None:
    within = {"mz": "published", "mz_min": 40, "mz_max": 100}
    spec = gale.train(campaign, tiny_recipe(features=within), work=Work(cache=cache)).spec
    assert isinstance(spec, SummarySpec)
    assert (spec.mz_min, spec.mz_max) == (40, 100)
    assert spec.mz == tuple(mz for mz in PUBLISHED_MZ if 40 <= mz <= 100)
    with pytest.raises(TrainingError, match=r"keeps no m/z between 700 and 800; expected"):
        gale.train(
            campaign, tiny_recipe(features={"mz_min": 700, "mz_max": 800}), work=Work(cache=cache)
        )


PROFILE = {"kind": "profile", "bins": 32, "mz_first": 18, "mz_last": 120, "losses": 20}


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
    assert table["message"][5].startswith("far: has no ion at m/z 18 to 120 ")


def test_a_run_without_profile_is_left_out(
    campaign: gale.Campaign, exported: Exported, cache: Cache, tmp_path: Path
) -> None:
    far = tmp_path / "far.csv"
    far.write_text("time,mass,intensity\n1,500,3\n2,501,4\n")
    spoiled = replace(campaign, paths=(far, *campaign.paths[1:]))
    progress = Recorder()
    model = gale.train(
        spoiled, tiny_recipe(features=PROFILE), work=Work(cache=cache, progress=progress)
    )
    assert model.facts["training"]["unreadable"] == [campaign.runs[0]]
    assert f"{far}: has no ion at m/z 18 to 120 " in progress.notes[0]


@pytest.mark.parametrize("value", [0, 1])
def test_a_family_of_one_kind_only(campaign: gale.Campaign, value: int) -> None:
    labels = campaign.labels.copy()
    labels[:, 3] = value
    with pytest.raises(CampaignError, match=r"column nitrogen.*expected both pos") as caught:
        gale.train(relabelled(campaign, labels), tiny_recipe())
    assert str(caught.value).startswith(f"{campaign.root}: ")
    assert "\n" not in str(caught.value)


def test_a_family_whose_positive_runs_cannot_be_read(
    campaign: gale.Campaign, tmp_path: Path, cache: Cache
) -> None:
    rarest = int(np.argmin(campaign.of_split("train", "val").labels.sum(axis=0)))
    positive = np.flatnonzero(campaign.labels[:, rarest] == 1)
    with pytest.raises(CampaignError, match=r"0 positive"):
        gale.train(
            spoil(campaign, tmp_path, positive.tolist()),
            tiny_recipe(),
            work=Work(cache=cache, progress=Recorder()),
        )


def test_blank_labels(
    campaign: gale.Campaign, exported: Exported, cache: Cache, features: Array
) -> None:
    labels = campaign.labels.copy()
    blank = np.random.default_rng(0).random(labels.shape) < 0.2
    blank[:, 4] = False  # chlorine: too rare to lose
    labels[blank] = np.nan
    labels[5] = np.nan  # nothing is known of this run
    with pytest.warns(gale.GaleWarning, match="1 runs? .*left out"):
        model = gale.train(relabelled(campaign, labels), tiny_recipe(), work=Work(cache=cache))

    rows = np.flatnonzero(np.isfinite(labels[:84]).any(axis=1))
    assert len(rows) == 83 == model.facts["training"]["runs"]
    known = labels[rows]
    assert model.facts["training"]["known"] == np.isfinite(known).sum(axis=0).tolist()
    np.testing.assert_allclose(model.facts["prevalence"], np.nanmean(known, axis=0), atol=1e-6)
    member_probability = predict(exported.networks[0], features[rows])
    expected = held_out_scores(known, member_probability, campaign.families, n_folds=2, seed=0)
    scores = model.facts["scores"]
    assert (scores["log_loss"], scores["prior_log_loss"]) == pytest.approx(expected, abs=1e-6)


def test_what_an_unreadable_run_does(
    campaign: gale.Campaign, exported: Exported, cache: Cache, tmp_path: Path
) -> None:
    spoiled, progress = spoil(campaign, tmp_path, [2]), Recorder()
    name = campaign.runs[2]
    model = gale.train(spoiled, tiny_recipe(), work=Work(cache=cache, progress=progress))
    assert model.facts["training"]["unreadable"] == [name]
    assert model.facts["training"]["runs"] == 83
    assert progress.notes == [
        f"run {name} is left out: {spoiled.paths[2]}: is empty; expected a run; copy or export it "
        "again"
    ]
    without = campaign.select(row for row in range(len(campaign)) if row != 2)
    gale.train(without, tiny_recipe(), work=Work(cache=cache))
    np.testing.assert_array_equal(exported.weights(0), exported.weights(1))
    with pytest.raises(TrainingError, match=rf"1 of 84 runs .* {name} \(.*empty.*strict") as caught:
        gale.train(spoiled, tiny_recipe(), work=Work(cache=cache, strict=True, progress=progress))
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("mz", ["published", "learned"])
def test_no_run_can_be_read(campaign: gale.Campaign, tmp_path: Path, mz: str) -> None:
    spoiled = spoil(campaign, tmp_path, list(range(len(campaign))))
    with pytest.raises(TrainingError, match=r"84 .*runs can.* be read.*expected at least some"):
        gale.train(spoiled, tiny_recipe(features={"mz": mz}), work=Work(progress=Recorder()))


@pytest.mark.parametrize(
    ("count", "message"),
    [
        (85, "84 labelled runs for 85 folds; expected at least as many"),
        (1, "no labelled run is in"),
    ],
)
def test_too_few_runs(campaign: gale.Campaign, cache: Cache, count: int, message: str) -> None:
    chosen = campaign if count > 1 else campaign.of_split("train")
    with pytest.raises(TrainingError, match=message):
        gale.train(chosen, tiny_recipe(folds={"count": count}), work=Work(cache=cache))


def test_an_unknown_family_to_stratify_by_is_noted(
    campaign: gale.Campaign, exported: Exported, cache: Cache
) -> None:
    progress = Recorder()
    gale.train(
        campaign,
        tiny_recipe(folds={"stratify_by": "gold"}),
        work=Work(cache=cache, progress=progress),
    )
    assert progress.notes == ["no family is called gold; folds keep the share of the rarest family"]


def test_folds_of_all_families(campaign: gale.Campaign, cache: Cache) -> None:
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


def test_obvious_families_are_learned(tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    held = np.array([[a, b] for a in (0, 1) for b in (0, 1)] * 8)
    labels = "run,aromatic,hydrocarbon\n"
    for number, (aromatic, hydrocarbon) in enumerate(held):
        rows = "time,mass,intensity\n"
        for scan in range(30):
            for mz, height in ((18, 100), (57, 1e5 * hydrocarbon), (91, 1e5 * aromatic)):
                rows += f"{scan / 10},{mz},{height + 10 * rng.random():.2f}\n"
        (tmp_path / f"r{number:02}.csv").write_text(rows)
        labels += f"r{number:02},{aromatic},{hydrocarbon}\n"
    (tmp_path / "labels.csv").write_text(labels)
    campaign = gale.Campaign.open(tmp_path)
    recipe = tiny_recipe(fitting={"learning_rate": 1e-2, "epochs": 100}, soup={"size": 1})
    model = gale.train(campaign, recipe)
    probability = model.predict(campaign).select(model.families).to_numpy()
    assert log_loss(held.astype(float), probability) < 0.1
    assert model.facts["scores"]["log_loss"] < 0.2
    assert model.facts["scores"]["prior_log_loss"] == pytest.approx(np.log(2), abs=1e-6)


def test_logistic(
    campaign: gale.Campaign, exported: Exported, cache: Cache, tmp_path: Path,
    features: Array,
) -> None:  # fmt: skip
    recipe = tiny_recipe(kind="logistic", folds={"count": 3}, logistic={"c": 0.01})
    model = gale.train(campaign, recipe, history=tmp_path / "history.csv", work=Work(cache=cache))
    assert (model.facts["members"], model.facts["folds"]) == (3, 3)
    labels = campaign.of_split("train", "val").labels.astype(float)
    member_probability = predict(exported.networks[0], features)
    expected = held_out_scores(labels, member_probability, campaign.families, n_folds=3, seed=0)
    assert model.facts["scores"]["log_loss"] == pytest.approx(expected[0], abs=1e-6)
    assert model.facts["scores"]["log_loss"] < model.facts["scores"]["prior_log_loss"]
    assert pl.read_csv(tmp_path / "history.csv").height == 0  # it has no epochs


def test_a_device_that_is_not_there(
    campaign: gale.Campaign, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("torch.cuda.is_available", lambda: False)
    with pytest.raises(TrainingError, match=r"^device cuda: PyTorch finds no GPU .*; use cpu, or"):
        gale.train(campaign, tiny_recipe(), work=Work(device="cuda"))


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
