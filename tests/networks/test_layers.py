"""The layers against their definitions, written in numpy."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from torch import Tensor

from gale.networks.layers import BatchNorm, FixedBias, Standardise


def random(*shape: int, seed: int = 0) -> Tensor:
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed))


def test_batch_norm_is_that_of_keras() -> None:
    layer = BatchNorm(3)
    with torch.no_grad():
        layer.weight.copy_(torch.tensor([1.0, 2.0, -1.0]))
        layer.bias.copy_(torch.tensor([0.0, 0.5, 1.0]))
    gamma, beta = np.array([1.0, 2.0, -1.0]), np.array([0.0, 0.5, 1.0])
    running_mean, running_variance = np.zeros(3), np.ones(3)
    for step, n_runs in enumerate((5, 2, 128, 1)):
        x = 3 + 2 * random(n_runs, 3, seed=step)
        batch = x.numpy().astype(float)
        mean, variance = batch.mean(0), batch.var(0)  # divided by n
        layer.train()
        expected = gamma * (batch - mean) / np.sqrt(variance + 1e-3) + beta
        np.testing.assert_allclose(layer(x).detach(), expected, atol=1e-5)

        running_mean = 0.99 * running_mean + 0.01 * mean
        running_variance = 0.99 * running_variance + 0.01 * variance
        np.testing.assert_allclose(layer.running_mean, running_mean, atol=1e-6)
        np.testing.assert_allclose(layer.running_variance, running_variance, atol=1e-6)
        layer.eval()
        expected = gamma * (batch - running_mean) / np.sqrt(running_variance + 1e-3) + beta
        np.testing.assert_allclose(layer(x).detach(), expected, atol=1e-5)
    np.testing.assert_allclose(layer.running_variance, running_variance, atol=1e-6)


def test_gradients_of_batch_norm_pass_through_the_statistics() -> None:
    x = random(6, 3).double().requires_grad_()
    assert torch.autograd.gradcheck(BatchNorm(3).double(), x)


def test_the_statistics_of_batch_norm_are_state_and_not_trained() -> None:
    layer = BatchNorm(3)
    assert [name for name, _ in layer.named_parameters()] == ["weight", "bias"]
    assert set(layer.state_dict()) == {"weight", "bias", "running_mean", "running_variance"}


def test_standardised_features_have_mean_0_and_deviation_1() -> None:
    x = 50 + 7 * random(40, 3)
    scaled = Standardise(x.mean(0), x.std(0, correction=0))(x)
    np.testing.assert_allclose(scaled.mean(0), 0, atol=1e-5)
    np.testing.assert_allclose(scaled.std(0, correction=0), 1, atol=1e-5)


@pytest.mark.parametrize("n_runs", [1, 3, 100, 809])
def test_a_constant_feature_is_only_shifted(n_runs: int) -> None:
    x = torch.tensor([-1.0, 0.0, 0.1, 17.3]).expand(n_runs, 4).contiguous()
    layer = Standardise(x.mean(0), x.std(0, correction=0))
    np.testing.assert_allclose(layer(x), 0, atol=1e-5)
    np.testing.assert_allclose(layer(x + 2), 2, atol=1e-5)
    assert list(layer.parameters()) == []


def test_a_fixed_bias_is_added_and_not_trained() -> None:
    layer = FixedBias(torch.tensor([1.0, -2.0]))
    assert layer(torch.tensor([[0.0, 0.0], [1.0, 1.0]])).tolist() == [[1, -2], [2, -1]]
    assert list(layer.parameters()) == []
    assert list(layer.state_dict()) == ["bias"]
