"""A stack from recipe to prediction: its model, calibration, evidence, journal and history."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import onnxruntime
import polars as pl
import pytest
import torch
from scipy.special import expit, logit

import gale
from gale.campaign import Campaign
from gale.errors import ModelError, ReadError
from gale.evaluation import metrics
from gale.features import compute_features
from gale.features.elution import ElutionSpec
from gale.features.events import EventSpec
from gale.features.profile import ProfileSpec
from gale.model.file import EVIDENCE
from gale.model.support import Support
from gale.plumbing.cache import Cache
from gale.plumbing.work import Work
from gale.training.calibration import cross_fitted, fit_calibration
from gale.training.fitting import Fit, get_weights
from gale.training.folds import Fold, stratified_folds
from gale.training.members import FitWork, MemberFitter
from gale.training.networks.layers import fixed_biases
from gale.training.recipe import OF_PARTS
from gale.training.runs import LabelledRuns
from gale.training.waves import fit_all
from helpers.held_out import supported
from helpers.model_files import undated
from helpers.predictions import calibration_of
from helpers.stacks import stack_recipe
from helpers.training import Array, Exported, Recorder, Trained, tiny_recipe

SPEC = EventSpec(ProfileSpec(ElutionSpec(24, 26, 95), losses=10), events=6)


@pytest.fixture
def stack(stack_file: Path) -> Trained:
    history = stack_file.with_name("stack.history.csv")
    return Trained(gale.Model.load(stack_file), stack_file, history)


@pytest.fixture(scope="module")
def events(campaign: Campaign) -> Array:
    """Event features of the runs of train and val, (R, D)."""
    paths = campaign.of_split("train", "val").paths
    return compute_features(paths, SPEC, work=Work(cache=Cache.default())).values


def folds_of(campaign: Campaign) -> list[Fold]:
    labels = campaign.of_split("train", "val").labels
    return stratified_folds(labels, campaign.families, count=2, by="rarest", seed=0)


def member_logits(model: gale.Model, features: Array) -> Array:
    """Logits of the members before calibration, (E, R, K): a member alone is all the weight."""
    facts = calibration_of(model.facts)
    _, probability = model.predict_features(features)
    calibrated = logit(probability.astype(float))
    return np.asarray((calibrated - facts.bias) / facts.weight.sum(axis=0))


def test_what_a_stack_says_of_itself(stack: Trained, campaign: Campaign) -> None:
    facts = stack.model.facts
    assert facts["calibrated"] is True
    assert (facts["members"], facts["folds"]) == (2 * 2 + 2 * 1, 2)
    assert facts["recipe"] == stack_recipe().to_dict()
    assert stack.model.spec == SPEC
    calibration = calibration_of(facts)
    assert calibration.weight.shape == (2, 9)
    assert calibration.bias.shape == (9,)
    assert (calibration.weight >= 0).all()
    assert stack.model.families == campaign.families


def test_the_probability_is_the_calibrated_mean_of_the_members_of_each_part(
    stack: Trained, events: Array
) -> None:
    probability, members = stack.model.predict_features(events)
    assert probability.shape == (84, 9)
    assert members.shape == (6, 84, 9)
    calibration = calibration_of(stack.model.facts)
    logits = member_logits(stack.model, events)
    parts = np.stack([logits[:4].mean(axis=0), logits[4:].mean(axis=0)])
    support = Support.of_facts(stack.model.facts)
    assert support is not None
    expected = support.apply(expit(calibration.logits(parts)))
    np.testing.assert_allclose(probability, expected, atol=1e-4)


def test_the_score_and_the_calibration_are_of_runs_that_were_held_out(
    stack: Trained, events: Array, campaign: Campaign
) -> None:
    labels, folds = campaign.of_split("train", "val").labels, folds_of(campaign)
    logits = member_logits(stack.model, events)
    held_out = np.empty((2, *labels.shape))
    for number, fold in enumerate(folds):  # members of a part follow each other fold by fold
        rows = fold.validation
        held_out[0, rows] = logits[2 * number : 2 * number + 2, rows].mean(axis=0)
        held_out[1, rows] = logits[4 + number, rows]
    expected = metrics.log_loss(labels, supported(cross_fitted(held_out, labels, folds), labels))
    scores = stack.model.facts["scores"]
    assert scores["log_loss"] == pytest.approx(expected, abs=1e-4)
    found = calibration_of(stack.model.facts)
    fitted = fit_calibration(held_out, labels)
    np.testing.assert_allclose(found.weight, fitted.weight, atol=1e-3)
    np.testing.assert_allclose(found.bias, fitted.bias, atol=1e-3)
    own = metrics.log_loss(labels, expit(fitted.logits(held_out)))
    assert own < scores["log_loss"] - 1e-3, "not of the runs that calibrated"


@pytest.mark.filterwarnings("ignore::gale.GaleWarning")  # of the run that fails
def test_prediction_of_files(stack: Trained, campaign: Campaign, cache: Cache) -> None:
    test = campaign.of_split("test")
    far = gale.Run.from_rows([1, 2], [500, 501], [3, 4], source="far")
    with pytest.warns(gale.GaleWarning, match="1 of 5 runs"):
        table = stack.model.predict([*test.paths[:4], far], work=Work(cache=cache))
    assert table["status"].to_list() == ["ok"] * 4 + ["failed"]
    features = np.stack([SPEC.features_of(gale.read_run(path)) for path in test.paths[:4]])
    expected, members = stack.model.predict_features(features)
    found = table.select(stack.model.families).to_numpy()[:4]
    np.testing.assert_allclose(found, expected, atol=1e-5)
    spreads = table.select(f"{name}_spread" for name in stack.model.families).to_numpy()[:4]
    np.testing.assert_allclose(spreads, members.std(axis=0), atol=1e-5)
    assert (spreads > 0).all()


def test_evidence_is_what_each_spectrum_says(stack: Trained, campaign: Campaign) -> None:
    run = gale.read_run(campaign.paths[0])
    table = stack.model.evidence(run)
    assert table.columns == ["time_min", *campaign.families]
    features, times = SPEC.describe(run)
    np.testing.assert_allclose(table["time_min"], times)
    scores = table.select(campaign.families).to_numpy()
    assert scores.shape == (6, 9)
    assert ((scores > 0) & (scores < 1)).all()
    # the spectra's logits are means over members; the log-sum-exp of means is not above the mean
    # of log-sum-exps, which is the logit of the part
    of_run = member_logits(stack.model, features[None])[:4, 0].mean(axis=0)
    pooled = np.log(np.exp(logit(scores.astype(float))).sum(axis=0))
    assert (pooled <= of_run + 1e-3).all()
    np.testing.assert_allclose(pooled, of_run, atol=1.0)


def test_evidence_of_a_run_without_ions_that_count(stack: Trained) -> None:
    far = gale.Run.from_rows([1, 2], [500, 501], [3, 4], source="far")
    with pytest.raises(ReadError, match=r"^far: .*\b26 to 95\b"):
        stack.model.evidence(far)


def test_a_model_without_elution_network_has_no_evidence(
    trained: Trained, campaign: Campaign
) -> None:
    with pytest.raises(ModelError, match=r"model.onnx: .*elution network"):
        trained.model.evidence(gale.read_run(campaign.paths[0]))
    session = onnxruntime.InferenceSession(trained.path, providers=["CPUExecutionProvider"])
    assert EVIDENCE not in {output.name for output in session.get_outputs()}


@pytest.mark.slow
def test_the_same_seed_gives_the_same_bytes_but_for_the_date(
    stack: Trained, campaign: Campaign
) -> None:
    model = gale.train(campaign, stack_recipe())  # without a cache: simulated anew
    assert undated(model._data) == undated(stack.path.read_bytes())


def test_history_names_the_parts(stack: Trained) -> None:
    history = pl.read_csv(stack.history)
    columns = ["part", "fold", "stage", "member", "epoch"]
    assert history.select(columns).rows() == [
        (part, fold, "member", member, epoch)
        for part in ("elution", "profile") for fold in (0, 1) for member in (0, 1)
        for epoch in range(1, 5)
    ]  # fmt: skip


@pytest.mark.slow
@pytest.mark.parametrize("n_fits", [1, 5])
def test_an_interrupted_stack_goes_on(
    stack: Trained, campaign: Campaign, cache: Cache, exported: Exported, tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch, n_fits: int,
) -> None:  # fmt: skip
    fitted: list[Fit] = []

    def counted(*arguments: Any) -> Iterator[tuple[int, Fit]]:
        for number, done in fit_all(*arguments):
            fitted.append(done)
            yield number, done

    journal, history = tmp_path / "journal", tmp_path / "history.csv"
    with pytest.raises(KeyboardInterrupt):
        gale.train(
            campaign,
            stack_recipe(),
            journal=journal,
            work=Work(cache=cache, progress=Recorder(n_fits)),
        )
    monkeypatch.setattr("gale.training.members.fit_all", counted)
    model = gale.train(
        campaign,
        stack_recipe(),
        journal=journal,
        resume=True,
        history=history,
        work=Work(cache=cache),
    )
    assert len(fitted) == 8 - n_fits
    assert model.facts["training"] == stack.model.facts["training"]
    for of in ("scores", "calibration"):
        assert model.facts[of].keys() == stack.model.facts[of].keys()
    found = model.facts["scores"]["log_loss"]
    assert found == pytest.approx(stack.model.facts["scores"]["log_loss"], abs=1e-3)
    columns = ["part", "fold", "stage", "member", "epoch"]
    expected = pl.read_csv(stack.history).select(columns)
    assert pl.read_csv(history).select(columns).equals(expected)


@pytest.mark.slow
def test_progress_is_of_all_parts(
    stack: Trained, campaign: Campaign, cache: Cache, exported: Exported
) -> None:
    progress = Recorder()
    gale.train(campaign, stack_recipe(), work=Work(cache=cache, progress=progress))
    assert progress.steps["training"] == progress.totals["training"] == 8
    assert "pre-training" not in progress.steps, "the weights are in the cache"
    assert progress.notes == []


def test_members_begin_with_what_was_pre_trained(
    campaign: Campaign, cache: Cache, exported: Exported, tmp_path: Path
) -> None:
    recipe = stack_recipe().to_dict()
    for part in recipe["parts"]:
        part["fitting"] |= {"learning_rate": 1e-12, "epochs": 1}
    gale.train(campaign, gale.Recipe.model_validate(recipe), work=Work(cache=cache))
    elution = exported.weights(0)
    assert elution.shape[0] == 4
    np.testing.assert_allclose(elution, elution[[0]].repeat(4, axis=0), atol=1e-6)


@pytest.mark.slow
def test_members_are_drawn_back_to_where_they_began_as_far_as_is_best(
    campaign: Campaign, cache: Cache, exported: Exported
) -> None:
    def train(shares: list[float], learning_rate: float = 1e-2) -> gale.Model:
        recipe = stack_recipe().to_dict()
        recipe["parts"] = recipe["parts"][:1]
        recipe["parts"][0]["soup"]["interpolate"] = shares
        recipe["parts"][0]["fitting"]["learning_rate"] = learning_rate
        return gale.train(campaign, gale.Recipe.model_validate(recipe), work=Work(cache=cache))

    models = {share: train([share]) for share in (0.25, 1.0)}
    start = train([1.0], learning_rate=1e-12)
    quarter, whole, begun = (exported.weights(number) for number in range(3))
    np.testing.assert_allclose(quarter, 0.75 * begun + 0.25 * whole, atol=1e-5)
    assert start.facts["interpolated"] == {"elution": 1.0}

    best = min(models, key=lambda share: models[share].facts["scores"]["log_loss"])
    for shares in ([0.25, 1.0], [1.0, 0.25]):
        chosen = train(shares)
        assert chosen.facts["interpolated"] == {"elution": best}
        scores = chosen.facts["scores"]
        assert "what to keep" in scores["caution"]
        assert scores == models[best].facts["scores"] | {"caution": scores["caution"]}


@pytest.mark.slow
def test_members_of_all_folds_become_one(
    campaign: Campaign, cache: Cache, exported: Exported
) -> None:
    recipe = stack_recipe().to_dict()
    several = gale.train(campaign, stack_recipe(), work=Work(cache=cache))
    for part in recipe["parts"]:
        part["soup"]["across_folds"] = True
    one = gale.train(campaign, gale.Recipe.model_validate(recipe), work=Work(cache=cache))
    for part, n_members in enumerate((4, 2)):
        members, average = exported.weights(part), exported.weights(part + 2)
        assert (len(members), len(average)) == (n_members, 1)
        np.testing.assert_allclose(average[0], members.mean(axis=0), atol=1e-6)
    assert (several.facts["members"], one.facts["members"]) == (6, 2)
    assert one.facts["scores"] == several.facts["scores"], "each fold has its own members still"
    assert one.facts["calibration"] == several.facts["calibration"]


@pytest.mark.slow
def test_families_that_cannot_be_simulated_are_left_to_the_labelled_runs(
    campaign: Campaign, cache: Cache, exported: Exported
) -> None:
    families = ("wax", *campaign.families[1:])
    renamed = replace(campaign, families=families, submission=None)
    progress = Recorder()
    model = gale.train(renamed, stack_recipe(), work=Work(cache=cache, progress=progress))
    (note,) = progress.notes
    assert "pre-train" in note
    assert note.endswith(": wax")
    assert np.isfinite(model.facts["scores"]["log_loss"])


@pytest.mark.slow
def test_a_stack_of_a_network_and_a_logistic_regression(
    campaign: Campaign, cache: Cache, exported: Exported, tmp_path: Path
) -> None:
    choices = tiny_recipe().to_dict()
    of_part = {name: choices.pop(name) for name in OF_PARTS & choices.keys()}
    network = {name: of_part[name] for name in ("network", "loss", "fitting", "soup")}
    parts = [{"name": "net", **network}, {"name": "baseline", "kind": "logistic"}]
    recipe = gale.Recipe.model_validate({**choices, "kind": "stack", "parts": parts})
    history = tmp_path / "history.csv"
    model = gale.train(
        campaign, recipe, history=history, journal=tmp_path / "j", work=Work(cache=cache)
    )
    assert model.facts["members"] == 2 * 2 + 2
    assert calibration_of(model.facts).weight.shape == (2, 9)
    assert set(pl.read_csv(history)["part"]) == {"net"}, "a regression has no epochs"
    kept = sorted(path.name for path in (tmp_path / "j").glob("baseline*"))
    assert kept == ["baselinefold0_member0.npz", "baselinefold1_member0.npz"]


@pytest.mark.slow
@pytest.mark.parametrize("count", [1, 2])
def test_a_single_network_may_be_calibrated(
    campaign: Campaign, cache: Cache, exported: Exported, count: int
) -> None:
    choices: dict[str, Any] = {"folds": {"count": count}}
    plain = gale.train(campaign, tiny_recipe(**choices), work=Work(cache=cache))
    model = gale.train(campaign, tiny_recipe(calibrate=True, **choices), work=Work(cache=cache))
    assert (plain.facts["calibrated"], model.facts["calibrated"]) == (False, True)
    assert "calibration" not in plain.facts
    calibration = calibration_of(model.facts)
    assert calibration.weight.shape == (1, 9)
    np.testing.assert_array_equal(exported.weights(0), exported.weights(1))
    scores = plain.facts["scores"], model.facts["scores"]
    assert scores[0]["log_loss"] != scores[1]["log_loss"]
    assert scores[0]["prior_log_loss"] == scores[1]["prior_log_loss"]
    assert scores[0]["measured_on"] == scores[1]["measured_on"]


def test_families_that_cannot_be_simulated_begin_with_the_prevalence_of_the_fold() -> None:
    part = gale.Recipe.load("default").parts[1]
    features = np.random.default_rng(0).normal(size=(40, 738)).astype(np.float32)
    labels = np.zeros((40, 2), np.float32)
    labels[:4] = 1
    fold = Fold(np.arange(30), np.arange(30, 40))
    spec = EventSpec(events=1)
    features = np.concatenate([features, np.zeros((40, 339), np.float32)], axis=1)

    runs, work = LabelledRuns(spec, features, labels), FitWork()
    network = MemberFitter(part, runs, [fold], 0, work)._build([0], [torch.Generator()])
    (name,), own = fixed_biases(network), get_weights(network, 0)
    start = {key: value + 1 for key, value in own.items()}
    start[name] = np.array([5.0, np.nan], np.float32)
    found = MemberFitter(part, runs, [fold], 0, work, start=start)._start_weights(0)
    np.testing.assert_allclose(found[name], [5.0, np.log(4 / 26)], rtol=1e-5)
    assert all((found[key] == start[key]).all() for key in own if key != name)
