"""The fits of one fold, on made-up features."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import onnxruntime
import polars as pl
import pytest
import torch
from sklearn.linear_model import LogisticRegression
from sklearn.preprocessing import StandardScaler
from torch import nn

from gale.errors import TrainingError
from gale.export import export
from gale.fitting import Weights
from gale.folds import Fold
from gale.journal import Journal
from gale.networks.layers import BatchNorm, FixedBias, Standardise
from gale.networks.summary import prior_logit
from gale.progress import Progress
from gale.recipe import Recipe
from gale.trainer import FoldTrainer, fits_per_fold
from training import tiny_recipe

N_RUNS, N_FEATURES, N_FAMILIES = 60, 12, 3
RANDOM = np.random.default_rng(0)
FEATURES = RANDOM.normal(3, 2, (N_RUNS, N_FEATURES)).astype(np.float32)
LABELS = (FEATURES[:, :N_FAMILIES] + RANDOM.normal(0, 1, (N_RUNS, N_FAMILIES)) > 4).astype(
    np.float32
)
FOLD = Fold(np.arange(40), np.arange(40, N_RUNS))

SWITCHES: dict[str, dict[str, Any]] = {
    "as it is": {},
    "no batch norm": {"network": {"batch_norm": False}},
    "no layer norm": {"network": {"layer_norm": False}},
    "neither": {"network": {"batch_norm": False, "layer_norm": False}},
    "no prior bias": {"network": {"prior_bias": False}},
    "not standardised": {"network": {"standardise": False}},
    "no hidden layer": {"network": {"hidden": []}},
    "no hinge": {"loss": {"hinge": 0.0}},
    "no grid": {"loss": {"label_correlation": 0.0}},
    "grid without noise": {"loss": {"label_correlation_noise": 0.0}},
    "small batches": {"fitting": {"batch_size": 3}},
    "logistic": {"kind": "logistic"},
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
    recipe: Recipe, *, seed: int = 0, number: int = 0, labels: Any = LABELS,
    history: Path | None = None,
) -> FoldTrainer:  # fmt: skip
    return FoldTrainer(recipe, seed, number, FOLD, FEATURES, labels, Journal(), history, Steps())


def flat(weights: Weights) -> Any:
    return np.concatenate([value.ravel() for value in weights.values()])


def state(network: nn.Module) -> Any:
    return flat({name: value.numpy() for name, value in network.state_dict().items()})


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
    one = trainer(recipe)
    found = one.members()
    assert isinstance(one.progress, Steps)
    assert len(one.progress.texts) == fits == fits_per_fold(recipe)
    assert len(found) == members
    assert not any(member.training for member in found)
    assert one.progress.states[0].startswith("fold 0, member 0, epoch 1: validation ")
    assert one.progress.texts[0].startswith("fold 0, member 0: best validation log loss ")


def test_logistic_is_one_fit() -> None:
    assert fits_per_fold(tiny_recipe(kind="logistic", soup={"size": 9})) == 1


def test_a_uniform_soup_averages_its_members() -> None:
    recipe = tiny_recipe(soup={"kind": "uniform", "size": 3})
    (soup,) = trainer(recipe).members()
    members = [flat(trainer(recipe).train(number).weights) for number in range(3)]
    np.testing.assert_allclose(state(soup), np.mean(members, axis=0), atol=1e-7)


def test_a_greedy_soup_is_no_worse_than_its_best_member() -> None:
    one = trainer(tiny_recipe(soup={"kind": "greedy", "size": 4}))
    (soup,) = one.members()
    weights = {name: value.numpy() for name, value in soup.state_dict().items()}
    assert one.evaluate(weights) <= min(one.train(number).validation for number in range(4)) + 1e-9


def test_a_fixed_soup_is_trained_on_from_the_average() -> None:
    recipe = tiny_recipe(soup={"kind": "fixed", "size": 2, "iterations": 1})
    one = trainer(recipe)
    (found,) = one.members()
    first, second, third = (one.train(number) for number in range(3))
    kept = sorted([first, second], key=lambda member: member.validation)
    if third.validation < kept[1].validation:
        kept[1] = third
    average: Weights = {
        name: np.mean([member.weights[name] for member in kept], axis=0, dtype=np.float32)
        for name in first.weights
    }
    tuned = one.tune(0, average)
    np.testing.assert_allclose(state(found), flat(tuned.weights), rtol=1e-4, atol=1e-5)
    assert np.abs(state(found) - flat(average)).max() > 1e-4


def test_the_score_of_a_member_is_that_of_its_weights() -> None:
    one = trainer(tiny_recipe())
    member = one.train(0)
    assert one.evaluate(member.weights) == member.validation
    network = one.network(member.weights)
    with torch.no_grad():
        p = torch.sigmoid(network(torch.from_numpy(FEATURES[40:]))).double().numpy()
    expected = -np.mean(np.where(LABELS[40:] == 1, np.log(p), np.log1p(-p)))
    assert member.validation == pytest.approx(expected, abs=1e-6)


def test_a_fit_depends_on_nothing_fitted_before() -> None:
    whole, alone = trainer(tiny_recipe()), trainer(tiny_recipe())
    together = [flat(whole.train(number).weights) for number in range(3)]
    np.testing.assert_array_equal(flat(alone.train(2).weights), together[2])
    np.testing.assert_array_equal(flat(alone.train(0).weights), together[0])


def test_seed_fold_and_member_each_give_another_fit() -> None:
    recipe = tiny_recipe(network={"standardise": False})
    fits = [
        trainer(recipe, seed=seed, number=number).train(member).weights
        for seed in (0, 1) for number in (0, 1) for member in (0, 1)
    ]  # fmt: skip
    start = trainer(recipe).train(0).weights
    fits += [trainer(recipe).tune(iteration, start).weights for iteration in (0, 1)]
    assert len({flat(weights).tobytes() for weights in fits}) == 10


def test_training_on_begins_at_the_weights_given_and_shuffles_anew() -> None:
    network = {"batch_norm": False}  # whose statistics move at any learning rate
    still = trainer(tiny_recipe(network=network, fitting={"learning_rate": 1e-30}))
    start = still.train(0).weights
    assert still.train(1).weights["1.weight"].tobytes() != start["1.weight"].tobytes()
    np.testing.assert_allclose(flat(still.tune(1, start).weights), flat(start), atol=1e-20)
    moving = trainer(tiny_recipe(network=network))
    tuned, trained = moving.tune(0, start), moving.train(0)  # from the same start
    assert np.any(flat(tuned.weights) != flat(trained.weights))


def layers(recipe: Recipe) -> list[type[nn.Module]]:
    (member,) = trainer(recipe).members()
    return [type(layer) for layer in member.children()]


def test_the_switches_of_the_network() -> None:
    def of(**network: Any) -> list[type[nn.Module]]:
        return layers(tiny_recipe(soup={"size": 1}, network=network))

    hidden = [nn.Linear, BatchNorm, nn.LayerNorm, nn.ReLU]
    whole = [Standardise, *hidden, *hidden, nn.Linear, FixedBias]
    assert of() == whole
    assert of(batch_norm=False) == [layer for layer in whole if layer is not BatchNorm]
    assert of(layer_norm=False) == [layer for layer in whole if layer is not nn.LayerNorm]
    assert of(prior_bias=False) == whole[:-1]
    assert of(standardise=False) == whole[1:]
    assert of(hidden=[5]) == [Standardise, *hidden, nn.Linear, FixedBias]


def test_what_is_fixed_comes_from_the_training_runs() -> None:
    (member,) = trainer(tiny_recipe(soup={"size": 1})).members()
    first, *_, last = member.children()
    assert isinstance(first, Standardise)
    assert isinstance(last, FixedBias)
    np.testing.assert_allclose(first.mean, FEATURES[:40].mean(axis=0), rtol=1e-5)
    np.testing.assert_allclose(1 / first.scale, FEATURES[:40].std(axis=0), rtol=1e-5)
    np.testing.assert_array_equal(last.bias, prior_logit(LABELS[:40]))


def test_each_switch_gives_other_weights_and_the_same_in_onnx() -> None:
    members = [
        member
        for changes in SWITCHES.values()
        for member in trainer(tiny_recipe(**{"soup": {"size": 1}, **changes})).members()
    ]
    assert len(members) == len(SWITCHES)
    x = RANDOM.normal(3, 2, (7, N_FEATURES)).astype(np.float32)
    with torch.no_grad():
        expected = torch.stack([torch.sigmoid(member(torch.from_numpy(x))) for member in members])
    session = onnxruntime.InferenceSession(export(members, N_FEATURES, {"format": 0}))
    mean, each = session.run(["probability", "member_probability"], {"summary": x})
    np.testing.assert_allclose(each, expected, atol=1e-5)
    np.testing.assert_allclose(mean, expected.mean(0), atol=1e-5)
    assert len({answer.tobytes() for answer in each}) == len(SWITCHES)


def test_blank_labels_do_not_count() -> None:
    labels = LABELS.copy()
    labels[::3, 1] = np.nan
    one = trainer(tiny_recipe(), labels=labels)
    member = one.train(0)
    network = one.network(member.weights)
    with torch.no_grad():
        p = torch.sigmoid(network(torch.from_numpy(FEATURES[40:]))).double().numpy()
    y = labels[40:]
    terms = -np.where(y == 1, np.log(p), np.log1p(-p))
    expected = np.where(np.isfinite(y), terms, np.nan)
    assert member.validation == pytest.approx(np.nanmean(expected, axis=0).mean(), abs=1e-6)


def test_logistic_is_that_of_scikit_learn() -> None:
    labels = LABELS.copy()
    labels[:5, 0] = np.nan
    (member,) = trainer(tiny_recipe(kind="logistic", logistic={"c": 0.1}), labels=labels).members()
    with torch.no_grad():
        found = torch.sigmoid(member(torch.from_numpy(FEATURES[40:]))).numpy()
    scaler = StandardScaler().fit(FEATURES[:40])
    for family, rows in enumerate((slice(5, 40), slice(0, 40), slice(0, 40))):
        oracle = LogisticRegression(C=0.1).fit(
            scaler.transform(FEATURES[rows]), labels[rows, family]
        )
        expected = oracle.predict_proba(scaler.transform(FEATURES[40:]))[:, 1]
        np.testing.assert_allclose(found[:, family], expected, atol=1e-4)


def test_an_error_says_which_fit_it_was() -> None:
    labels = LABELS.copy()
    one = trainer(tiny_recipe(fitting={"learning_rate": 1e30}), number=4, labels=labels)
    with pytest.raises(TrainingError, match=r"^fold 4, member 7, epoch \d+: "):
        one.train(7)
    start = trainer(tiny_recipe()).train(0).weights
    with pytest.raises(TrainingError, match=r"^fold 4, soup 1, epoch \d+: "):
        one.tune(1, start)


def test_the_history_grows_with_every_fit(tmp_path: Path) -> None:
    one = trainer(tiny_recipe(), number=2, history=tmp_path / "history.csv")
    start = one.train(0)
    one.write_history()
    assert pl.read_csv(one.history or "").select("fold", "stage", "member", "epoch").rows() == [
        (2, "member", 0, epoch) for epoch in range(1, 6)
    ]
    one.tune(3, start.weights)
    one.write_history()
    history = pl.read_csv(one.history or "")
    assert history["stage"].to_list() == ["member"] * 5 + ["soup"] * 5
    assert history["member"].to_list() == [0] * 5 + [3] * 5
    assert history["validation_log_loss"][:5].min() == pytest.approx(start.validation, abs=1e-12)
