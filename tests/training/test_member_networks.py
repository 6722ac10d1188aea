"""The networks of members: switches of the recipe, what is fixed, scores, and ONNX."""

from __future__ import annotations

from typing import Any

import numpy as np
import onnxruntime
import pytest
from sklearn.linear_model import LogisticRegression
from sklearn.preprocessing import StandardScaler
from torch import nn

from gale.training.export import PartGraph, to_onnx
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
from helpers.members import (
    FEATURES,
    FOLDS,
    LABELS,
    N_FEATURES,
    RANDOM,
    fitter,
    member,
)
from helpers.predictions import probability_of
from helpers.training import tiny_recipe


def network_of(recipe: Recipe) -> nn.Module:
    one = fitter(recipe)
    ((weights,),) = one.members()
    return one.network([0], [weights])


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
    one = fitter(tiny_recipe(), folds=FOLDS)
    first, *_, last = one.network([0, 2], []).children()
    assert isinstance(first, Standardise)
    assert isinstance(last, FixedBias)
    for at, rows in enumerate((FOLDS[0].training, FOLDS[2].training)):
        np.testing.assert_allclose(first.mean[at], FEATURES[rows].mean(axis=0), rtol=1e-5)
        np.testing.assert_allclose(1 / first.scale[at], FEATURES[rows].std(axis=0), rtol=1e-5)
        np.testing.assert_array_equal(last.bias[at], prior_logit(LABELS[rows]))


def test_centring_leaves_deviations_as_they_are() -> None:
    one = fitter(tiny_recipe(network={"standardise": "centre"}), folds=FOLDS)
    first = next(one.network([2], []).children())
    assert isinstance(first, Standardise)
    np.testing.assert_allclose(first.mean[0], FEATURES[FOLDS[2].training].mean(axis=0), rtol=1e-5)
    np.testing.assert_array_equal(first.scale, np.ones((1, N_FEATURES)))


@pytest.mark.slow
def test_each_switch_gives_other_weights_and_the_same_in_onnx() -> None:
    networks = [
        network_of(tiny_recipe(**{"soup": {"size": 1}, **changes})) for changes in SWITCHES.values()
    ]
    x = RANDOM.normal(3, 2, (7, N_FEATURES)).astype(np.float32)
    answers = [probability_of(network, x) for network in networks]
    assert len({answer.tobytes() for answer in answers}) == len(SWITCHES)
    kinds = {repr(network): number for number, network in enumerate(networks)}  # layers and sizes
    assert len(kinds) == 9
    expected = np.concatenate([answers[number] for number in kinds.values()])
    parts = [PartGraph(networks[number]) for number in kinds.values()]
    session = onnxruntime.InferenceSession(to_onnx(parts, N_FEATURES, {"format": 0}))
    mean, each = session.run(["probability", "member_probability"], {"summary": x})
    np.testing.assert_allclose(each, expected, atol=1e-5)
    np.testing.assert_allclose(mean, expected.mean(0), atol=1e-5)


def test_the_score_of_a_member_is_that_of_its_weights() -> None:
    one = fitter(tiny_recipe())
    done = member(one, 0)
    assert one.evaluate(0, done.weights) == pytest.approx(done.validation, abs=1e-7)
    p = probability_of(one.network([0], [done.weights]), FEATURES[40:])[0].astype(float)
    expected = -np.mean(np.where(LABELS[40:] == 1, np.log(p), np.log1p(-p)))
    assert done.validation == pytest.approx(expected, abs=1e-6)


def test_blank_labels_do_not_count() -> None:
    labels = LABELS.copy()
    labels[::3, 1] = np.nan
    one = fitter(tiny_recipe(), labels=labels)
    done = member(one, 0)
    p = probability_of(one.network([0], [done.weights]), FEATURES[40:])[0].astype(float)
    y = labels[40:]
    terms = -np.where(y == 1, np.log(p), np.log1p(-p))
    expected = np.where(np.isfinite(y), terms, np.nan)
    assert done.validation == pytest.approx(np.nanmean(expected, axis=0).mean(), abs=1e-6)


def test_logistic_is_that_of_scikit_learn() -> None:
    labels = LABELS.copy()
    labels[:5, 0] = np.nan
    one = fitter(tiny_recipe(kind="logistic", logistic={"c": 0.1}), labels=labels)
    ((weights,),) = one.members()
    found = probability_of(one.network([0], [weights]), FEATURES[40:])[0]
    scaler = StandardScaler().fit(FEATURES[:40])
    for family, rows in enumerate((slice(5, 40), slice(0, 40), slice(0, 40))):
        oracle = LogisticRegression(C=0.1).fit(
            scaler.transform(FEATURES[rows]), labels[rows, family]
        )
        expected = oracle.predict_proba(scaler.transform(FEATURES[40:]))[:, 1]
        np.testing.assert_allclose(found[:, family], expected, atol=1e-4)
