"""The layers, member by member, against their definitions written in numpy."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from gale.training.networks.layers import (
    BatchNorm,
    Dense,
    Dropout,
    FixedBias,
    LayerNorm,
    Standardise,
    count_members,
)


def random(*shape: int, seed: int = 0) -> Tensor:
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed))


def seeded(*seeds: int) -> list[torch.Generator]:
    return [torch.Generator().manual_seed(seed) for seed in seeds]


def draw_parameters(layer: nn.Module) -> None:
    for seed, parameter in enumerate(layer.parameters()):
        parameter.data.copy_(random(*parameter.shape, seed=seed))


def test_dense_multiplies_each_member_by_its_own_matrix() -> None:
    layer, x = Dense(3, 4, seeded(0, 1)), random(2, 5, 3)
    draw_parameters(layer)
    for member in range(2):
        expected = x[member].numpy() @ layer.weight[member].detach().numpy()
        expected = expected + layer.bias[member].detach().numpy()
        np.testing.assert_allclose(layer(x)[member].detach(), expected, atol=1e-6)


def test_dense_begins_glorot_uniform_each_member_from_its_own_generator() -> None:
    layer, alone = Dense(300, 200, seeded(5, 6)), Dense(300, 200, seeded(6))
    assert torch.equal(layer.weight[1], alone.weight[0])
    limit = math.sqrt(6 / 500)
    for weight in layer.weight.detach():
        assert 0.99 * limit < float(weight.abs().max()) <= limit
        assert float(weight.std()) == pytest.approx(limit / math.sqrt(3), rel=0.03)
    assert not torch.equal(layer.weight[0], layer.weight[1])
    assert not layer.bias.any()


def test_gradients_of_dense_are_those_of_its_definition() -> None:
    layer, x = Dense(3, 4, seeded(0, 1)), random(2, 5, 3).requires_grad_()
    draw_parameters(layer)
    upstream = random(2, 5, 4, seed=1)
    for _ in range(2):  # the second time in the memory of the first
        layer.zero_grad()
        x.grad = None
        layer(x).backward(upstream)
        w, grads = layer.weight.detach(), (x.grad, layer.weight.grad, layer.bias.grad)
        expected = upstream @ w.mT, x.detach().mT @ upstream, upstream.sum(1)
        for found, wanted in zip(grads, expected, strict=True):
            torch.testing.assert_close(found, wanted)
        upstream = upstream + 1
    layer(x).backward(upstream)
    assert layer.weight.grad is not None
    torch.testing.assert_close(layer.weight.grad, x.detach().mT @ (2 * upstream - 1))


def test_lower_precision_is_that_of_the_factors_in_training_alone() -> None:
    layer, x = Dense(3, 4, seeded(0, 1), torch.bfloat16), random(2, 5, 3)
    draw_parameters(layer)
    rounded = x.bfloat16().double() @ layer.weight.bfloat16().double()
    found = layer.train()(x)
    assert found.dtype == torch.float32
    expected = rounded.bfloat16().double() + layer.bias.double().unsqueeze(1)
    torch.testing.assert_close(found.double(), expected, atol=2e-2, rtol=0)
    found.sum().backward()
    assert layer.weight.grad is not None
    assert layer.weight.grad.dtype == torch.float32
    exact = x @ layer.weight + layer.bias.unsqueeze(1)
    torch.testing.assert_close(layer.eval()(x), exact)
    assert not torch.allclose(found, exact, atol=1e-4)


def test_batch_norm_is_that_of_keras() -> None:
    layer = BatchNorm(2, 3)
    draw_parameters(layer)
    gamma, beta = (value.detach().numpy()[:, None] for value in (layer.weight, layer.bias))
    running_mean, running_variance = np.zeros((2, 1, 3)), np.ones((2, 1, 3))
    for step, n_runs in enumerate((5, 2, 128, 1)):
        x = 3 + 2 * random(2, n_runs, 3, seed=step)
        batch = x.numpy().astype(float)
        mean = batch.mean(1, keepdims=True)
        variance = batch.var(1, keepdims=True)  # divided by n
        layer.train()
        expected = gamma * (batch - mean) / np.sqrt(variance + 1e-3) + beta
        np.testing.assert_allclose(layer(x).detach(), expected, atol=1e-4)

        running_mean = 0.99 * running_mean + 0.01 * mean
        running_variance = 0.99 * running_variance + 0.01 * variance
        layer.eval()
        expected = gamma * (batch - running_mean) / np.sqrt(running_variance + 1e-3) + beta
        np.testing.assert_allclose(layer(x).detach(), expected, atol=1e-5)
    np.testing.assert_allclose(layer.running_mean, running_mean[:, 0], atol=1e-6)
    np.testing.assert_allclose(layer.running_variance, running_variance[:, 0], atol=1e-6)


def test_gradients_of_batch_norm_pass_through_the_statistics() -> None:
    x = random(2, 6, 3).double().requires_grad_()
    assert torch.autograd.gradcheck(BatchNorm(2, 3).double(), x)


def test_the_statistics_of_batch_norm_are_state_and_not_trained() -> None:
    layer = BatchNorm(2, 3)
    assert [name for name, _ in layer.named_parameters()] == ["weight", "bias"]
    assert set(layer.state_dict()) == {"weight", "bias", "running_mean", "running_variance"}


def test_layer_norm_is_over_the_features_of_each_run() -> None:
    layer, x = LayerNorm(2, 4), 3 + random(2, 5, 4)
    draw_parameters(layer)
    mean, variance = (of(x.numpy(), axis=2, keepdims=True) for of in (np.mean, np.var))
    normal = (x.numpy() - mean) / np.sqrt(variance + 1e-3)
    gamma, beta = (value.detach().numpy()[:, None] for value in (layer.weight, layer.bias))
    np.testing.assert_allclose(layer(x).detach(), normal * gamma + beta, atol=1e-5)


def test_dropout_leaves_out_a_share_and_keeps_the_mean() -> None:
    layer, x = Dropout(0.3, seeded(0, 1)), torch.ones(2, 400, 50)
    found = layer(x)
    np.testing.assert_allclose(found.unique(), [0, 1 / 0.7], rtol=1e-6)
    np.testing.assert_allclose((found == 0).float().mean((1, 2)), 0.3, atol=0.01)
    assert not torch.equal(found, layer(x)), "each step leaves out others"
    assert layer.eval()(x) is x
    assert list(layer.state_dict()) == []


def test_what_dropout_leaves_out_of_a_member_is_its_own_affair() -> None:
    x = random(2, 7, 5)
    both, alone = Dropout(0.5, seeded(1, 2)), Dropout(0.5, seeded(2))
    for _ in range(3):
        first, second = both(x)
        assert torch.equal(second, alone(x[1:])[0])
        assert not torch.equal(first == 0, second == 0)


def test_standardised_features_have_mean_0_and_deviation_1() -> None:
    x = 50 + torch.tensor([1.0, 7.0])[:, None, None] * random(2, 40, 3)
    scaled = Standardise(x.mean(1), x.std(1, correction=0))(x)
    np.testing.assert_allclose(scaled.mean(1), 0, atol=1e-4)
    np.testing.assert_allclose(scaled.std(1, correction=0), 1, atol=1e-4)


@pytest.mark.parametrize("n_runs", [1, 3, 100, 809])
def test_a_constant_feature_is_only_shifted(n_runs: int) -> None:
    x = torch.tensor([-1.0, 0.0, 0.1, 17.3]).expand(1, n_runs, 4).contiguous()
    layer = Standardise(x.mean(1), x.std(1, correction=0))
    np.testing.assert_allclose(layer(x), 0, atol=1e-5)
    np.testing.assert_allclose(layer(x + 2), 2, atol=1e-5)
    assert list(layer.parameters()) == []


def test_a_fixed_bias_is_added_and_not_trained() -> None:
    layer = FixedBias(torch.tensor([[1.0, -2.0], [3.0, 4.0]]))
    found = layer(torch.tensor([[0.0, 0.0], [1.0, 1.0]]).expand(2, -1, -1))
    assert found.tolist() == [[[1, -2], [2, -1]], [[3, 4], [4, 5]]]
    assert list(layer.parameters()) == []
    assert list(layer.state_dict()) == ["bias"]


def test_members_are_counted() -> None:
    assert count_members(nn.Sequential(nn.ReLU(), Dense(3, 4, seeded(0, 1, 2)))) == 3
