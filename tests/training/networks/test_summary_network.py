"""The network on summary features: its layers, their order, and how it begins."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch
from torch import nn

from gale.training.networks.layers import (
    BatchNorm,
    Dense,
    Dropout,
    FixedBias,
    LayerNorm,
    Standardise,
)
from gale.training.networks.summary import prior_logit, summary_network


def seeded(*seeds: int) -> list[torch.Generator]:
    return [torch.Generator().manual_seed(seed) for seed in seeds]


@pytest.mark.parametrize("batch_norm", [False, True])
@pytest.mark.parametrize("layer_norm", [False, True])
@pytest.mark.parametrize("prior", [False, True])
@pytest.mark.parametrize("standardise", [False, True])
@pytest.mark.parametrize("dropout", [0.0, 0.4])
def test_order_of_layers(
    batch_norm: bool, layer_norm: bool, prior: bool, standardise: bool, dropout: float
) -> None:
    network = summary_network(
        6,
        2,
        seeded(0, 1),
        hidden=(5, 4, 3),
        batch_norm=batch_norm,
        layer_norm=layer_norm,
        dropout=dropout,
        prior=torch.zeros(2, 2) if prior else None,
        scale=(torch.zeros(2, 6), torch.ones(2, 6)) if standardise else None,
    )
    switched = [(BatchNorm, batch_norm), (LayerNorm, layer_norm)]
    block = [Dense, *(kind for kind, there in switched if there), nn.ReLU]
    block += [Dropout] * (dropout > 0)
    expected = [Standardise] * standardise + block * 3 + [Dense] + [FixedBias] * prior
    assert [type(layer) for layer in network] == expected
    dense = [layer for layer in network if isinstance(layer, Dense)]
    widths = [(layer.n_in, layer.n_out) for layer in dense]
    assert widths == [(6, 5), (5, 4), (4, 3), (3, 2)]
    assert network(torch.ones(2, 7, 6)).shape == (2, 7, 2)


def test_logits_are_those_of_a_forward_pass_in_numpy() -> None:
    prior, mean, deviation = torch.tensor([[1.0, -2.0]] * 2), torch.ones(2, 6), torch.ones(2, 6)
    mean[1], deviation[1] = 3, 2
    network = summary_network(
        6, 2, seeded(0, 1), hidden=(5,), prior=prior, scale=(mean, deviation)
    ).eval()
    x = torch.randn(2, 4, 6, generator=seeded(1)[0])
    for member in range(2):
        first, last = (network.state_dict()[f"{at}.weight"][member].numpy() for at in (1, 5))
        h = (x[member].numpy() - mean[member].numpy()) / deviation[member].numpy() @ first
        h /= math.sqrt(1 + 1e-3)  # BatchNorm's statistics are 0 and 1
        h = (h - h.mean(1, keepdims=True)) / np.sqrt(h.var(1, keepdims=True) + 1e-3)
        expected = np.maximum(h, 0) @ last + prior[member].numpy()
        np.testing.assert_allclose(network(x)[member].detach(), expected, atol=1e-5)


def test_published_size_and_settings() -> None:
    network = summary_network(2268, 9, seeded(0), prior=torch.zeros(1, 9))
    n_weights = sum(parameter.numel() for parameter in network.parameters())
    dense = 2268 * 1024 + 1024 + 1024 * 512 + 512 + 512 * 9 + 9
    assert n_weights == dense + 4 * (1024 + 512)  # scale and shift of two normalisations
    assert round(n_weights / 1e6, 2) == 2.86
    assert round((2268 * 1024 + 1024 * 512 + 512 * 9) / 1e6, 2) == 2.85
    for layer in network:
        if isinstance(layer, BatchNorm):
            assert (layer.momentum, layer.epsilon) == (0.99, 1e-3)
        if isinstance(layer, LayerNorm):
            assert layer.epsilon == 1e-3


def test_the_generators_alone_decide_how_members_begin() -> None:
    first, again = (summary_network(6, 2, seeded(1, 2)).state_dict() for _ in range(2))
    alone = summary_network(6, 2, seeded(2)).state_dict()
    for name, value in first.items():
        assert torch.equal(value, again[name])
        assert torch.equal(value[1], alone[name][0])
    assert not torch.equal(first["0.weight"][0], first["0.weight"][1])


def test_the_prior_is_the_log_odds_of_the_prevalence() -> None:
    labels = np.array([[0, 0, 1], [1, 0, 1], [0, 0, 1], [0, np.nan, 1], [np.nan] * 3], np.float32)
    expected = [math.log(1 / 3), math.log((0.5 / 3) / (2.5 / 3)), math.log(3.5 / 0.5)]
    np.testing.assert_allclose(prior_logit(labels), expected, rtol=1e-6)


def test_a_family_of_which_nothing_is_known_has_even_odds() -> None:
    assert prior_logit(np.full((3, 1), np.nan, np.float32)).tolist() == [0]


@pytest.mark.slow
def test_the_prior_is_not_trained() -> None:
    prior = torch.tensor([[1.0, -2.0]])
    network = summary_network(6, 2, seeded(0), hidden=(4,), prior=prior.clone())
    optimiser = torch.optim.Adam(network.parameters(), lr=0.1)
    network(torch.ones(1, 3, 6)).sum().backward()
    optimiser.step()
    after = network.state_dict()
    assert torch.equal(after["5.bias"], prior)
    assert after["4.bias"].all()
