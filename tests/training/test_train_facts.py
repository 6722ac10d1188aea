"""What a trained model says of itself, and how good it is."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import polars as pl
import pytest

import gale
from gale.model.support import Support
from gale.plumbing.cache import Cache
from gale.plumbing.work import Work
from helpers.held_out import held_out_scores, log_loss, supported
from helpers.predictions import probability_of
from helpers.training import Array, Exported, Trained, relabelled, tiny_recipe


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


def test_cutoffs_are_those_of_the_held_out_runs(
    campaign: gale.Campaign, cache: Cache, tmp_path: Path
) -> None:
    file = tmp_path / "held_out.csv"
    model = gale.train(campaign, tiny_recipe(), out_of_fold=file, work=Work(cache=cache))
    held_out = pl.read_csv(file)
    labels = dict(zip(campaign.runs, campaign.labels.astype(float), strict=True))
    for at, (family, found) in enumerate(zip(model.families, model.facts["cutoffs"], strict=True)):
        y = np.array([labels[run][at] for run in held_out["run"]])
        assert (found["positive"], found["negative"]) == ((y == 1).sum(), (y == 0).sum())
        assert bool(found["measured"]) == (found["positive"] >= 10)
        for each in found["measured"]:
            called = held_out[family].to_numpy() >= each["threshold"]
            if each["at"] == "recall=0.9":
                assert y[called].sum() >= 0.9 * y.sum()
            if each["at"] == "precision=0.9":
                assert y[called].mean() >= 0.9


@pytest.mark.slow
def test_no_probability_is_nearer_to_0_or_1_than_the_runs_support(
    campaign: gale.Campaign, cache: Cache, tmp_path: Path
) -> None:
    file = tmp_path / "held_out.csv"
    recipe = tiny_recipe(kind="logistic", folds={"count": 3}, logistic={"c": 1e4})
    model = gale.train(campaign, recipe, out_of_fold=file, work=Work(cache=cache))
    support = Support.of_facts(model.facts)
    assert support is not None
    np.testing.assert_allclose(support.least, 0.5 / 85)
    held_out = pl.read_csv(file).select(model.families).to_numpy()
    far = 100 * np.random.default_rng(0).normal(size=(50, model.spec.n_features))
    predicted, of_members = model.predict_features(far.astype(np.float32))
    for probability in (held_out, predicted):
        assert probability.min() == pytest.approx(0.5 / 85, rel=1e-3)
        assert probability.max() == pytest.approx(1 - 0.5 / 85, rel=1e-3)
    assert of_members.min() < 1e-6


@pytest.mark.slow
def test_one_fold_is_scored_on_the_val_split(
    campaign: gale.Campaign, exported: Exported, cache: Cache, features: Array
) -> None:
    model = gale.train(campaign, tiny_recipe(folds={"count": 1}), work=Work(cache=cache))
    chosen = campaign.of_split("train", "val")
    is_val = np.array(chosen.split) == "val"
    found = probability_of(exported.networks[-1], features)[:, is_val].mean(axis=0)
    found = supported(found, chosen.labels[~is_val])
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


@pytest.mark.slow
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
    member_probability = probability_of(exported.networks[0], features[rows])
    expected = held_out_scores(known, member_probability, campaign.families, n_folds=2, seed=0)
    scores = model.facts["scores"]
    assert (scores["log_loss"], scores["prior_log_loss"]) == pytest.approx(expected, abs=1e-6)


@pytest.mark.slow
def test_obvious_families_are_learned(exported: Exported, tmp_path: Path) -> None:
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
    features = np.stack([model.spec.features_of(gale.read_run(path)) for path in campaign.paths])
    probability = probability_of(exported.networks[0], features).mean(axis=0)
    assert log_loss(held.astype(float), probability) < 0.1
    assert model.facts["scores"]["log_loss"] < 0.2
    assert model.facts["scores"]["prior_log_loss"] == pytest.approx(np.log(2), abs=1e-6)


@pytest.mark.slow
def test_logistic(
    campaign: gale.Campaign, exported: Exported, cache: Cache, tmp_path: Path,
    features: Array,
) -> None:  # fmt: skip
    recipe = tiny_recipe(kind="logistic", folds={"count": 3}, logistic={"c": 0.01})
    model = gale.train(campaign, recipe, history=tmp_path / "history.csv", work=Work(cache=cache))
    assert (model.facts["members"], model.facts["folds"]) == (3, 3)
    labels = campaign.of_split("train", "val").labels.astype(float)
    member_probability = probability_of(exported.networks[0], features)
    expected = held_out_scores(labels, member_probability, campaign.families, n_folds=3, seed=0)
    assert model.facts["scores"]["log_loss"] == pytest.approx(expected[0], abs=1e-6)
    assert model.facts["scores"]["log_loss"] < model.facts["scores"]["prior_log_loss"]
    assert pl.read_csv(tmp_path / "history.csv").height == 0  # it has no epochs
