"""All the fits of a training, on made-up features."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import onnxruntime
import polars as pl
import pytest
from sklearn.linear_model import LogisticRegression
from sklearn.preprocessing import StandardScaler
from torch import nn

from gale.errors import TrainingError
from gale.features.summary import SummarySpec
from gale.plumbing.progress import Progress, TimeLeft
from gale.training.export import Members, to_onnx
from gale.training.fitting import Fit, Weights, predict
from gale.training.folds import Fold
from gale.training.journal import Journal, Step
from gale.training.members import Trainer, fits_per_fold
from gale.training.networks.layers import (
    BatchNorm,
    Dense,
    Dropout,
    FixedBias,
    LayerNorm,
    Standardise,
)
from gale.training.networks.summary import prior_logit
from gale.training.recipe import Recipe
from gale.training.soups import average_weights
from helpers.training import tiny_recipe

SPEC = SummarySpec((10, 12))
N_RUNS, N_FEATURES, N_FAMILIES = 60, SPEC.n_features, 3
RANDOM = np.random.default_rng(0)
FEATURES = RANDOM.normal(3, 2, (N_RUNS, N_FEATURES)).astype(np.float32)
LABELS = (FEATURES[:, :N_FAMILIES] + RANDOM.normal(0, 1, (N_RUNS, N_FAMILIES)) > 4).astype(
    np.float32
)
FOLDS = [Fold(np.arange(40), np.arange(40, N_RUNS)), Fold(np.arange(20, N_RUNS), np.arange(20)),
         Fold(np.arange(10, N_RUNS), np.arange(10))]  # fmt: skip

STEADY = {"adam_epsilon": 1e-4}
"""The bias of a layer before BatchNorm has a gradient of 0 but for rounding, which Adam blows up to
a step of any size unless its epsilon is larger than that."""

SWITCHES: dict[str, dict[str, Any]] = {
    "as it is": {},
    "no batch norm": {"network": {"batch_norm": False}},
    "no layer norm": {"network": {"layer_norm": False}},
    "neither": {"network": {"batch_norm": False, "layer_norm": False}},
    "no prior bias": {"network": {"prior_bias": False}},
    "not standardised": {"network": {"standardise": "none"}},
    "centred": {"network": {"standardise": "centre"}},
    "dropout": {"network": {"dropout": 0.5}},
    "weight decay": {"fitting": {"weight_decay": 5.0}},
    "no hidden layer": {"network": {"hidden": []}},
    "no hinge": {"loss": {"hinge": 0.0}},
    "no grid": {"loss": {"label_correlation": 0.0}},
    "grid without noise": {"loss": {"label_correlation_noise": 0.0}},
    "small batches": {"fitting": {"batch_size": 3}},
    "logistic": {"kind": "logistic"},
    "logistic, centred": {"kind": "logistic", "logistic": {"standardise": "centre"}},
}


class Steps(Progress):
    def __init__(self) -> None:
        self.texts: list[str] = []
        self.states: list[str] = []

    def step(self, text: str = "") -> None:
        self.texts.append(text)

    def status(self, text: str) -> None:
        self.states.append(text)


def trainer(
    recipe: Recipe, *, seed: int = 0, folds: Sequence[Fold] = FOLDS[:1], labels: Any = LABELS,
    journal: Journal | None = None, history: Path | None = None,
) -> Trainer:  # fmt: skip
    return Trainer(
        recipe, SPEC, seed, folds, FEATURES, labels, journal or Journal(), history, Steps()
    )


def flat(weights: Weights) -> Any:
    return np.concatenate([value.ravel() for value in weights.values()])


def fitted(one: Trainer, step: Step) -> Fit:
    """The fit of a step, after it has been fitted if it was not yet."""
    if one.journal.find(step) is None:
        one.fit([step])
    done = one.journal.find(step)
    assert done is not None
    return done


def member(one: Trainer, number: int) -> Fit:
    return fitted(one, Step(0, "member", number))


@pytest.mark.parametrize(
    ("soup", "fits", "members"),
    [
        ({"kind": "none", "size": 3}, 3, 3),
        ({"kind": "uniform", "size": 3}, 3, 1),
        ({"kind": "greedy", "size": 3}, 3, 1),
        ({"kind": "fixed", "size": 2, "iterations": 3}, 8, 1),
    ],
)
def test_fits_and_members(soup: dict[str, Any], fits: int, members: int) -> None:
    recipe = tiny_recipe(soup=soup)
    one = trainer(recipe, folds=FOLDS)
    found = one.members()
    assert isinstance(one.progress, Steps)
    assert fits == fits_per_fold(recipe)
    assert len(one.progress.texts) == 3 * fits
    assert [len(of_fold) for of_fold in found] == [members] * 3
    n_first = 2 * (5 if soup["kind"] == "fixed" else 3)  # two folds are of one size
    state = rf"^{n_first} members, epoch 1, best \d\.\d{{4}}, \d+ min left$"
    assert re.match(state, one.progress.states[0])
    assert one.progress.texts[0].startswith("fold 0, member 0: best validation log loss ")


def test_a_fold_does_not_depend_on_the_others() -> None:
    soup = {"kind": "fixed", "size": 2, "iterations": 2}
    recipe = tiny_recipe(soup=soup, fitting=STEADY)
    together = trainer(recipe, folds=FOLDS).members()
    alone = trainer(recipe, folds=FOLDS[:1]).members()
    np.testing.assert_allclose(flat(together[0][0]), flat(alone[0][0]), atol=1e-4)
    assert len({flat(of_fold).tobytes() for (of_fold,) in together}) == 3


def test_each_member_has_the_network_of_its_own_fold() -> None:
    recipe = tiny_recipe(soup={"kind": "none", "size": 1}, fitting=STEADY)
    together = trainer(recipe, folds=FOLDS)
    steps = [Step(fold, "member", 0) for fold in range(len(FOLDS))]
    together.fit(steps)
    for step in steps:
        alone = trainer(recipe, folds=FOLDS)
        alone.fit([step])
        np.testing.assert_allclose(
            flat(together.weights(step)), flat(alone.weights(step)), atol=1e-4
        )


def test_logistic_is_one_fit() -> None:
    assert fits_per_fold(tiny_recipe(kind="logistic", soup={"size": 9})) == 1


def test_a_uniform_soup_averages_its_members() -> None:
    one = trainer(tiny_recipe(soup={"kind": "uniform", "size": 3}))
    ((soup,),) = one.members()
    members = [flat(member(one, number).weights) for number in range(3)]
    np.testing.assert_allclose(flat(soup), np.mean(members, axis=0), atol=1e-7)


def test_a_greedy_soup_is_no_worse_than_its_best_member() -> None:
    one = trainer(tiny_recipe(soup={"kind": "greedy", "size": 4}))
    ((soup,),) = one.members()
    best = min(member(one, number).validation for number in range(4))
    assert one.evaluate(0, soup) <= best + 1e-9


def test_a_fixed_soup_is_that_of_the_sequential_definition() -> None:
    """Train two; then one more at a time, average, and train on, as if each fit were the first."""
    soups = {"kind": "fixed", "size": 2, "iterations": 4}
    recipe = tiny_recipe(soup=soups, fitting=STEADY)
    ((found,),) = trainer(recipe).members()
    soup = [member(trainer(recipe), number) for number in range(2)]
    best: Fit | None = None
    for iteration in range(4):
        candidate = member(trainer(recipe), 2 + iteration)
        worst = max(range(2), key=lambda at: soup[at].validation)
        if candidate.validation < soup[worst].validation:
            soup[worst] = candidate
        tuned = train_on(recipe, iteration, average_weights([each.weights for each in soup]))
        if best is None or tuned.validation < best.validation:
            best = tuned
    assert best is not None
    np.testing.assert_allclose(flat(found), flat(best.weights), rtol=1e-4, atol=1e-5)
    assert np.abs(flat(found) - flat(average_weights([each.weights for each in soup]))).max() > 1e-4


def train_on(recipe: Recipe, iteration: int, start: Weights) -> Fit:
    """Train on from given weights: the soup of members that are all these."""
    one = trainer(recipe)
    steps = [Step(0, "member", i) for i in range(recipe.soup.size + recipe.soup.iterations)]
    for step in steps:
        one.journal.keep(step, Fit(start, 0.5, ()))
    one.fit(steps)
    return fitted(one, Step(0, "soup", iteration))


def test_the_score_of_a_member_is_that_of_its_weights() -> None:
    one = trainer(tiny_recipe())
    done = member(one, 0)
    assert one.evaluate(0, done.weights) == pytest.approx(done.validation, abs=1e-7)
    p = predict(one.network([0], [done.weights]), FEATURES[40:])[0].astype(float)
    expected = -np.mean(np.where(LABELS[40:] == 1, np.log(p), np.log1p(-p)))
    assert done.validation == pytest.approx(expected, abs=1e-6)


def test_a_fit_depends_on_nothing_fitted_before_or_beside() -> None:
    recipe = tiny_recipe(fitting=STEADY)
    whole = trainer(recipe)
    whole.fit([Step(0, "member", number) for number in range(3)])
    for number in (2, 0):
        alone = member(trainer(recipe), number)
        np.testing.assert_allclose(
            flat(alone.weights), flat(member(whole, number).weights), atol=1e-4
        )


def test_seed_fold_and_member_each_give_another_fit() -> None:
    recipe = tiny_recipe(
        network={"standardise": "none"}, soup={"kind": "fixed", "size": 1, "iterations": 2}
    )
    fits = []
    for seed in (0, 1):
        one = trainer(recipe, seed=seed, folds=[FOLDS[0]] * 2)
        steps = [Step(fold, "member", number) for fold in (0, 1) for number in range(2)]
        fits += [fitted(one, step).weights for step in steps]
    start = fits[0]
    fits += [train_on(recipe, iteration, start).weights for iteration in (0, 1)]
    assert len({flat(weights).tobytes() for weights in fits}) == 10


def test_training_on_begins_at_the_weights_given_and_shuffles_anew() -> None:
    network = {"batch_norm": False}  # whose statistics move at any learning rate
    soup = {"kind": "fixed", "size": 1, "iterations": 2}
    recipe = tiny_recipe(network=network, fitting={"learning_rate": 1e-30}, soup=soup)
    start = member(trainer(recipe), 0).weights
    other = member(trainer(recipe), 1).weights
    assert other["1.weight"].tobytes() != start["1.weight"].tobytes()
    tuned = train_on(recipe, 1, start)
    np.testing.assert_allclose(flat(tuned.weights), flat(start), atol=1e-20)
    recipe = tiny_recipe(network=network, soup=soup)
    tuned, trained = train_on(recipe, 0, start), member(trainer(recipe), 0)  # from the same start
    assert np.any(flat(tuned.weights) != flat(trained.weights))


def network_of(recipe: Recipe) -> nn.Module:
    one = trainer(recipe)
    ((weights,),) = one.members()
    return one.network([0], [weights])


def test_the_switches_of_the_network() -> None:
    def of(**network: Any) -> list[type[nn.Module]]:
        made = network_of(tiny_recipe(soup={"size": 1}, network=network))
        return [type(layer) for layer in made.children()]

    hidden = [Dense, BatchNorm, LayerNorm, nn.ReLU]
    whole = [Standardise, *hidden, *hidden, Dense, FixedBias]
    assert of() == whole
    assert of(batch_norm=False) == [layer for layer in whole if layer is not BatchNorm]
    assert of(layer_norm=False) == [layer for layer in whole if layer is not LayerNorm]
    assert of(prior_bias=False) == whole[:-1]
    assert of(standardise="none") == whole[1:]
    hidden_and_dropout = [*hidden, Dropout]
    assert of(dropout=0.2) == [Standardise, *hidden_and_dropout * 2, Dense, FixedBias]
    assert of(hidden=[5]) == [Standardise, *hidden, Dense, FixedBias]


def test_what_is_fixed_comes_from_the_training_runs_of_each_fold() -> None:
    one = trainer(tiny_recipe(), folds=FOLDS)
    first, *_, last = one.network([0, 2], []).children()
    assert isinstance(first, Standardise)
    assert isinstance(last, FixedBias)
    for at, rows in enumerate((FOLDS[0].training, FOLDS[2].training)):
        np.testing.assert_allclose(first.mean[at], FEATURES[rows].mean(axis=0), rtol=1e-5)
        np.testing.assert_allclose(1 / first.scale[at], FEATURES[rows].std(axis=0), rtol=1e-5)
        np.testing.assert_array_equal(last.bias[at], prior_logit(LABELS[rows]))


def test_centring_leaves_deviations_as_they_are() -> None:
    one = trainer(tiny_recipe(network={"standardise": "centre"}), folds=FOLDS)
    first = next(one.network([2], []).children())
    assert isinstance(first, Standardise)
    np.testing.assert_allclose(first.mean[0], FEATURES[FOLDS[2].training].mean(axis=0), rtol=1e-5)
    np.testing.assert_array_equal(first.scale, np.ones((1, N_FEATURES)))


def test_each_switch_gives_other_weights_and_the_same_in_onnx() -> None:
    networks = [
        network_of(tiny_recipe(**{"soup": {"size": 1}, **changes})) for changes in SWITCHES.values()
    ]
    x = RANDOM.normal(3, 2, (7, N_FEATURES)).astype(np.float32)
    expected = np.concatenate([predict(network, x) for network in networks])
    parts = [Members(network) for network in networks]
    session = onnxruntime.InferenceSession(to_onnx(parts, N_FEATURES, {"format": 0}))
    mean, each = session.run(["probability", "member_probability"], {"summary": x})
    np.testing.assert_allclose(each, expected, atol=1e-5)
    np.testing.assert_allclose(mean, expected.mean(0), atol=1e-5)
    assert len({answer.tobytes() for answer in each}) == len(SWITCHES)


def test_blank_labels_do_not_count() -> None:
    labels = LABELS.copy()
    labels[::3, 1] = np.nan
    one = trainer(tiny_recipe(), labels=labels)
    done = member(one, 0)
    p = predict(one.network([0], [done.weights]), FEATURES[40:])[0].astype(float)
    y = labels[40:]
    terms = -np.where(y == 1, np.log(p), np.log1p(-p))
    expected = np.where(np.isfinite(y), terms, np.nan)
    assert done.validation == pytest.approx(np.nanmean(expected, axis=0).mean(), abs=1e-6)


def test_logistic_is_that_of_scikit_learn() -> None:
    labels = LABELS.copy()
    labels[:5, 0] = np.nan
    one = trainer(tiny_recipe(kind="logistic", logistic={"c": 0.1}), labels=labels)
    ((weights,),) = one.members()
    found = predict(one.network([0], [weights]), FEATURES[40:])[0]
    scaler = StandardScaler().fit(FEATURES[:40])
    for family, rows in enumerate((slice(5, 40), slice(0, 40), slice(0, 40))):
        oracle = LogisticRegression(C=0.1).fit(
            scaler.transform(FEATURES[rows]), labels[rows, family]
        )
        expected = oracle.predict_proba(scaler.transform(FEATURES[40:]))[:, 1]
        np.testing.assert_allclose(found[:, family], expected, atol=1e-4)


def test_an_error_says_which_fit_it_was() -> None:
    one = trainer(tiny_recipe(fitting={"learning_rate": 1e30}), folds=FOLDS)
    with pytest.raises(TrainingError, match=r"^fold 2, member 7, epoch \d+: "):
        one.fit([Step(2, "member", 7)])


def test_messages_call_a_fold_as_they_are_told() -> None:
    one = replace(trainer(tiny_recipe()), unit="training", name="hinge")
    one.fit([Step(0, "member", 1, "hinge")])
    assert isinstance(one.progress, Steps)
    assert one.progress.texts[0].startswith("hinge training 0, member 1: best validation log loss")


def test_the_clock_may_be_that_of_a_longer_work() -> None:
    clock = TimeLeft(fits=2)
    one = replace(trainer(tiny_recipe(soup={"size": 1})), clock=clock)
    one.fit([Step(0, "member", 0)])
    assert clock.left(alive=0, epoch=0) > 0
    one.fit([Step(0, "member", 1)])
    assert clock.left(alive=0, epoch=0) == 0


def test_the_history_grows_with_every_fit(tmp_path: Path) -> None:
    path = tmp_path / "history.csv"
    soup = {"kind": "fixed", "size": 1, "iterations": 1}
    one = trainer(tiny_recipe(soup=soup), folds=FOLDS, history=path)
    start = fitted(one, Step(2, "member", 0))
    one.write_history()
    assert pl.read_csv(path).select("fold", "stage", "member", "epoch").rows() == [
        (2, "member", 0, epoch) for epoch in range(1, 6)
    ]
    fitted(one, Step(2, "member", 1))
    fitted(one, Step(2, "soup", 0))
    one.write_history()
    history = pl.read_csv(path)
    assert history["stage"].to_list() == ["member"] * 10 + ["soup"] * 5
    assert history["member"].to_list() == [0] * 5 + [1] * 5 + [0] * 5
    assert history["validation_log_loss"][:5].min() == pytest.approx(start.validation, abs=1e-12)


def test_fits_that_the_journal_holds_are_not_made_again() -> None:
    recipe = tiny_recipe(soup={"kind": "fixed", "size": 2, "iterations": 2})
    first = trainer(recipe, folds=FOLDS)
    expected = first.members()
    again = trainer(recipe, folds=FOLDS, journal=first.journal)
    found = again.members()
    assert isinstance(again.progress, Steps)
    assert (len(again.progress.texts), again.progress.states) == (3 * 6, [])
    for left, right in zip(expected, found, strict=True):
        np.testing.assert_array_equal(flat(left[0]), flat(right[0]))


def test_least_steps_count_with_the_smallest_fold() -> None:
    """Of folds of 40, 40 and 50 runs in batches of 16, epochs have 3 steps, or 4."""
    recipe = tiny_recipe(fitting={"epochs": 2, "batch_size": 16, "least_steps": 9, "patience": 9})
    done = trainer(recipe, folds=FOLDS)
    done.members()
    history = done.journal.history()
    assert (
        history.group_by("fold", "member").agg(pl.col("epoch").max())["epoch"].to_list() == [3] * 6
    )
