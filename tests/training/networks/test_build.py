"""What the members of each kind of part see, and the networks that are built of them."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch
from torch import nn

from gale.features.elution import ElutionSpec
from gale.features.events import EventSpec
from gale.features.profile import ProfileSpec
from gale.features.spec import FeatureSpec
from gale.features.summary import SummarySpec
from gale.training.networks.build import blocks_of, build_network, columns_of, scale_of
from gale.training.networks.elution import ElutionNetwork
from gale.training.networks.layers import (
    BatchNorm,
    Dense,
    Dropout,
    FixedBias,
    LayerNorm,
    Standardise,
)
from gale.training.recipe import Part

SUMMARY = SummarySpec((18, 28, 44))
PROFILE = ProfileSpec(ElutionSpec(bins=8, mz_first=20, mz_last=29), losses=5)
EVENTS = EventSpec(PROFILE, events=3)

THREE = ProfileSpec(ElutionSpec(bins=8, mz_first=20, mz_last=20), losses=1)
"""Three features, each a block."""

FEATURES = np.array([[1, 5, 2], [3, 5, 2], [8, 5, 8]], dtype=np.float32)
PRIORS = [torch.tensor([0.5, -1.0]), torch.tensor([1.0, -3.0])]


def part(**choices: Any) -> Part:
    return Part.model_validate({"name": "one", **choices})


def seeded(*seeds: int) -> list[torch.Generator]:
    return [torch.Generator().manual_seed(seed) for seed in seeds]


def build(one: Part, spec: FeatureSpec, features: np.ndarray | None = None) -> nn.Module:
    scales = [None if features is None else scale_of(one, spec, features)] * 2
    return build_network(one, spec, seeded(0, 1), priors=PRIORS, scales=scales)


NETWORK, LOGISTIC = part(network={"hidden": [4]}), part(kind="logistic")
ELUTION = part(network={"kind": "elution", "hidden": [4]})
ALL_EVENTS = 25 + 3 * 10


@pytest.mark.parametrize(
    ("one", "spec", "columns"),
    [
        (NETWORK, SUMMARY, (0, SUMMARY.n_features)),
        (LOGISTIC, SUMMARY, (0, SUMMARY.n_features)),
        (NETWORK, PROFILE, (0, 25)),
        (LOGISTIC, PROFILE, (0, 25)),
        (NETWORK, EVENTS, (0, 25)),
        (LOGISTIC, EVENTS, (0, 25)),
        (ELUTION, EVENTS, (25, ALL_EVENTS)),
        # of a logistic regression, the settings of networks do not count
        (part(kind="logistic", network={"kind": "elution"}), EVENTS, (0, 25)),
    ],
)
def test_features_that_a_part_sees(one: Part, spec: FeatureSpec, columns: tuple[int, int]) -> None:
    assert columns_of(one, spec) == slice(*columns)
    n_seen = columns[1] - columns[0]
    network = build(one, spec).eval()
    assert network(torch.ones(2, 6, n_seen)).shape == (2, 6, 2)
    with pytest.raises(RuntimeError):
        network(torch.ones(2, 6, n_seen + 1))


@pytest.mark.parametrize(
    ("standardise", "mean", "deviation"),
    [
        ("centre", [4, 5, 4], [1, 1, 1]),
        ("full", [4, 5, 4], [np.std([1, 3, 8]), 0, np.std([2, 2, 8])]),
    ],
)
def test_how_features_are_scaled(
    standardise: str, mean: list[float], deviation: list[float]
) -> None:
    scale = scale_of(part(network={"standardise": standardise}), THREE, FEATURES)
    assert scale is not None
    np.testing.assert_allclose(scale[0], mean)
    np.testing.assert_allclose(scale[1], deviation, rtol=1e-6)


def test_features_that_are_not_scaled() -> None:
    assert scale_of(part(), THREE, FEATURES) is None
    one = part(kind="logistic", network={"standardise": "full"})
    assert scale_of(one, THREE, FEATURES) is None


def test_features_are_scaled_with_those_of_their_block() -> None:
    random = np.random.default_rng(0)
    features = random.normal(size=(50, 25)).astype(np.float32)
    rare = [3, 14, 23]  # one in each block
    features[:, rare] *= 1e-3
    full = part(network={"standardise": "full"})
    for spec in (PROFILE, EVENTS):
        scale = scale_of(full, spec, features)
        assert scale is not None
        deviation = scale[1].numpy()
        assert scale[1].dtype == torch.float32
        np.testing.assert_allclose(deviation[rare], 0.5, atol=0.1)
        others = np.delete(np.arange(25), rare)
        np.testing.assert_array_equal(
            deviation[others], torch.from_numpy(features).std(0, correction=0).numpy()[others]
        )
    assert blocks_of(ELUTION, EVENTS) == ()


@pytest.mark.slow
def test_each_member_is_scaled_by_its_own_runs() -> None:
    one = part(network={"hidden": [], "standardise": "full", "prior_bias": False})
    scales = [scale_of(one, THREE, FEATURES), scale_of(one, THREE, 10 * FEATURES)]
    built = build_network(one, THREE, seeded(3, 3), priors=PRIORS, scales=scales)
    x = torch.from_numpy(FEATURES)
    found = built.eval()(torch.stack([x, 10 * x]))
    torch.testing.assert_close(found[0], found[1])


def test_the_layers_of_a_summary_network() -> None:
    one = part(
        network={"hidden": [6, 4], "standardise": "centre", "batch_norm": False, "dropout": 0.3},
        fitting={"products": "bfloat16"},
    )
    built = build(one, EVENTS, np.ones((3, 25), dtype=np.float32))
    assert isinstance(built, nn.Sequential)
    block = [Dense, LayerNorm, nn.ReLU, Dropout]
    assert [type(layer) for layer in built] == [Standardise, *block, *block, Dense, FixedBias]
    assert {layer.products for layer in built if isinstance(layer, Dense)} == {torch.bfloat16}
    assert torch.equal(built.state_dict()["10.bias"], torch.stack(PRIORS))
    plain = build(part(network={"hidden": [], "prior_bias": False}), PROFILE)
    assert [type(layer) for layer in plain.children()] == [Dense]


def test_the_layers_of_an_elution_network() -> None:
    one = part(
        network={"kind": "elution", "hidden": [6], "layer_norm": False, "dropout": 0.3},
        augment={"abundance": 0.4, "mz_cut": 0.1},
        fitting={"products": "bfloat16"},
    )
    built = build(one, EVENTS)
    assert isinstance(built, ElutionNetwork)
    assert built.shape == (3, 10)
    assert (built.augment.abundance, built.augment.mz_cut) == (0.4, 0.1)
    kinds = [type(layer) for layer in built.dense]
    assert kinds == [Dense, BatchNorm, nn.ReLU, Dropout, Dense, FixedBias]
    dense = [layer for layer in built.dense if isinstance(layer, Dense)]
    assert [(layer.n_in, layer.n_out) for layer in dense] == [(20, 6), (6, 2)]
    assert {layer.products for layer in dense} == {torch.bfloat16}
    prior = torch.stack(PRIORS) - np.log(3)
    torch.testing.assert_close(built.state_dict()["dense.5.bias"], prior)
    without = part(network={"kind": "elution", "hidden": [6], "prior_bias": False})
    assert not any(isinstance(layer, FixedBias) for layer in build(without, EVENTS).modules())


def test_a_logistic_regression_is_one_matrix() -> None:
    built = build(LOGISTIC, EVENTS)
    assert isinstance(built, Dense)
    assert built.weight.shape == (2, 25, 2)
