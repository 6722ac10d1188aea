"""Losses against numpy, known values, finite differences, and what unknown labels must not do."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor

from gale.training.losses import (
    Loss,
    binary_cross_entropy,
    hinge,
    label_correlation,
    label_correlation_grid,
    log_loss,
)

NAN = math.nan
SILENCE = torch.zeros(())


def seeded(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def noise(*shape: int, seed: int = 0) -> Tensor:
    """Noise of standard deviation 0.5, in float64."""
    return 0.5 * torch.randn(*shape, generator=seeded(seed), dtype=torch.float64)


def logits_and_labels(n_runs: int = 7, n_families: int = 3, seed: int = 0) -> tuple[Tensor, Tensor]:
    """Logits (R, K) and labels (R, K), some unknown, in float64."""
    random = np.random.default_rng(seed)
    labels = random.integers(0, 2, (n_runs, n_families)).astype(float)
    labels[random.random(labels.shape) < 0.25] = np.nan
    logits = random.normal(0, 2, labels.shape)
    return torch.tensor(logits), torch.tensor(labels)


@given(st.integers(0, 2**32), st.integers(1, 9), st.integers(1, 4))
@settings(max_examples=50, deadline=None)
def test_cross_entropy_and_hinge_are_those_of_numpy(
    seed: int, n_runs: int, n_families: int
) -> None:
    logits, labels = logits_and_labels(n_runs, n_families, seed)
    p, y = 1 / (1 + np.exp(-logits.numpy())), labels.numpy()
    known = ~np.isnan(y)
    p, y = p[known], y[known]
    log_loss = -np.where(y == 1, np.log(p), np.log(1 - p)).sum() / max(len(y), 1)
    assert float(binary_cross_entropy(logits, labels)) == pytest.approx(log_loss)
    margins = np.maximum(0, 1 - (2 * y - 1) * p).sum() / max(len(y), 1)
    assert float(hinge(torch.sigmoid(logits), labels)) == pytest.approx(margins)


def test_known_values() -> None:
    even = torch.zeros(2, 2)
    labels = torch.tensor([[0.0, 1.0], [1.0, NAN]])
    assert float(binary_cross_entropy(even, labels)) == pytest.approx(math.log(2))
    # An absent family costs 1 + p, a present one 1 − p.
    assert float(hinge(torch.tensor([[0.2, 0.2]]), torch.tensor([[0.0, 1.0]]))) == pytest.approx(1)
    assert float(hinge(torch.tensor([[0.2]]), torch.tensor([[0.0]]))) == pytest.approx(1.2)
    assert float(hinge(torch.tensor([[1.0]]), torch.tensor([[1.0]]))) == 0


def test_large_logits_stay_finite() -> None:
    logits, labels = torch.tensor([[1e4, -1e4]]), torch.tensor([[0.0, 1.0]])
    assert float(binary_cross_entropy(logits, labels)) == 1e4
    assert math.isfinite(float(Loss()(logits, labels, noise(1, 2, 2, 2))))


def test_grid_is_the_correlation_of_numpy_under_the_same_noise() -> None:
    values = torch.rand(40, 4, generator=seeded(1), dtype=torch.float64)
    epsilon = noise(40, 4, 4, seed=7)
    grid = label_correlation_grid(values, torch.ones(40, 4, dtype=torch.bool), epsilon)
    t = values.numpy()[:, :, None] + epsilon.numpy()
    for a in range(4):
        for b in range(4):
            expected = np.corrcoef(t[:, a, b], t[:, b, a])[0, 1]
            assert float(grid[a, b]) == pytest.approx(expected)
    np.testing.assert_allclose(grid, grid.T)
    np.testing.assert_allclose(np.diag(grid), 1)


def test_without_noise_the_grid_is_the_correlation_matrix() -> None:
    values = torch.rand(40, 4, generator=seeded(1), dtype=torch.float64)
    grid = label_correlation_grid(values, torch.ones(40, 4, dtype=torch.bool), SILENCE)
    np.testing.assert_allclose(grid, np.corrcoef(values.numpy().T))


def test_noise_pulls_correlations_towards_0_as_its_variance_says() -> None:
    values = torch.rand(200_000, 1, generator=seeded(1)).expand(-1, 2)
    grid = label_correlation_grid(values, torch.ones_like(values).bool(), noise(200_000, 2, 2))
    variance = 1 / 12
    assert float(grid[0, 1]) == pytest.approx(variance / (variance + 0.25), abs=0.01)


def test_grid_counts_only_runs_in_which_both_families_are_known() -> None:
    values = torch.rand(30, 3, generator=seeded(1), dtype=torch.float64)
    known = torch.rand(30, 3, generator=seeded(2)) < 0.7
    grid = label_correlation_grid(values, known, SILENCE)
    for a in range(3):
        for b in range(3):
            both = (known[:, a] & known[:, b]).numpy()
            expected = np.corrcoef(values.numpy()[both, a], values.numpy()[both, b])[0, 1]
            assert float(grid[a, b]) == pytest.approx(expected)


def test_values_of_unknown_labels_do_not_matter_to_the_grid() -> None:
    values = torch.rand(30, 3, generator=seeded(1))
    known = torch.rand(30, 3, generator=seeded(2)) < 0.7
    epsilon = noise(30, 3, 3, seed=3).float()
    grid = label_correlation_grid(values, known, epsilon)
    others = torch.where(known, values, 100.0)
    torch.testing.assert_close(grid, label_correlation_grid(others, known, epsilon))


def test_label_correlation_is_the_mean_difference_of_two_grids_each_with_its_noise() -> None:
    logits, labels = logits_and_labels(20)
    p, known, epsilon = torch.sigmoid(logits), ~labels.isnan(), noise(20, 2, 3, 3)
    wanted = label_correlation_grid(labels.nan_to_num(0), known, epsilon[:, 0])
    found = label_correlation_grid(p, known, epsilon[:, 1])
    expected = (wanted - found).abs().sum() / 9
    assert float(label_correlation(p, labels, epsilon)) == pytest.approx(float(expected))


def test_probabilities_that_equal_the_labels_cost_nothing_without_noise() -> None:
    labels, silence = logits_and_labels(20)[1].nan_to_num(0), torch.zeros(20, 2, 3, 3)
    assert float(label_correlation(labels, labels, silence)) == 0
    assert float(label_correlation(labels, labels, noise(20, 2, 3, 3))) > 0
    assert float(label_correlation(1 - labels[:, [1, 0, 2]], labels, silence)) > 0


def test_the_loss_is_the_weighted_sum() -> None:
    logits, labels = logits_and_labels(20)
    p, epsilon = torch.sigmoid(logits), noise(20, 2, 3, 3)
    expected = (
        binary_cross_entropy(logits, labels)
        + 0.3 * hinge(p, labels)
        + 0.7 * label_correlation(p, labels, epsilon)
    )
    loss = Loss(hinge=0.3, label_correlation=0.7, noise=0.2)
    torch.testing.assert_close(loss(logits, labels, epsilon), expected)
    assert Loss() == Loss(hinge=0.1, label_correlation=0.1, noise=0.5)


def test_a_weight_of_0_leaves_a_part_out() -> None:
    logits, labels = logits_and_labels(20)
    without = Loss(hinge=0, label_correlation=0)
    generator = seeded()
    before = generator.get_state()
    epsilon = without.draw_noise(20, 3, [generator])
    assert epsilon.shape == (1, 0, 2, 3, 3)
    assert torch.equal(generator.get_state(), before), "no noise was drawn"
    plain = without(logits, labels, epsilon[0])
    assert torch.equal(plain, binary_cross_entropy(logits, labels))
    with_hinge = Loss(label_correlation=0)(logits, labels, epsilon[0])
    assert float(with_hinge) == float(plain + 0.1 * hinge(torch.sigmoid(logits), labels))


def test_noise_is_normal_and_that_of_each_member() -> None:
    drawn = Loss(noise=0.3).draw_noise(5000, 3, [seeded(1), seeded(2)])
    assert drawn.shape == (2, 5000, 2, 3, 3)
    assert float(drawn.mean()) == pytest.approx(0, abs=0.005)
    assert float(drawn.std()) == pytest.approx(0.3, rel=0.01)
    assert not torch.equal(drawn[0], drawn[1])
    assert torch.equal(drawn[1], Loss(noise=0.3).draw_noise(5000, 3, [seeded(2)])[0])


def test_members_have_losses_of_their_own() -> None:
    pairs = [logits_and_labels(seed=seed) for seed in range(4)]
    logits, labels = (torch.stack(parts) for parts in zip(*pairs, strict=True))
    labels[2, :, 1] = NAN  # nothing is known of a family, and then of any
    labels[3] = NAN
    epsilon = noise(4, 7, 2, 3, 3)
    together = Loss()(logits, labels, epsilon)
    alone = [Loss()(*parts) for parts in zip(logits, labels, epsilon, strict=True)]
    torch.testing.assert_close(together, torch.stack(alone))
    scores = log_loss(logits, labels)
    for member in range(3):
        torch.testing.assert_close(scores[member], log_loss(logits[member], labels[member]))
    assert scores[3].isnan()


def test_log_loss_is_the_mean_over_families_of_which_something_is_known() -> None:
    logits, labels = logits_and_labels(20)
    labels[:, 1] = NAN
    expected = [binary_cross_entropy(logits[:, [family]], labels[:, [family]]) for family in (0, 2)]
    torch.testing.assert_close(log_loss(logits, labels), torch.stack(expected).mean())


@pytest.mark.parametrize("n_runs", [1, 2])
def test_small_batches_have_finite_losses_and_gradients(n_runs: int) -> None:
    logits = torch.randn(n_runs, 3, generator=seeded(1), requires_grad=True)
    labels = torch.zeros(n_runs, 3)
    value = Loss()(logits, labels, noise(len(logits), 2, 3, 3).float())
    value.backward()  # type: ignore[no-untyped-call]
    assert value.isfinite()
    assert logits.grad is not None
    assert logits.grad.isfinite().all()


@pytest.mark.parametrize(
    "loss",
    [Loss(0, 0), Loss(1.0, 0), Loss(0, 1.0), Loss(0, 1.0, noise=0), Loss()],
    ids=["cross-entropy", "hinge", "grid", "grid without noise", "all"],
)
def test_gradients_are_those_of_finite_differences(loss: Loss) -> None:
    logits, labels = logits_and_labels()
    logits.requires_grad_()
    epsilon = noise(7, 2, 3, 3)
    assert torch.autograd.gradcheck(lambda x: loss(x, labels, loss.noise * epsilon), logits)


def test_unknown_labels_give_no_gradient_and_known_ones_do() -> None:
    logits, labels = logits_and_labels()
    labels[2] = NAN
    logits.requires_grad_()
    Loss()(logits, labels, noise(7, 2, 3, 3)).backward()  # type: ignore[no-untyped-call]
    assert logits.grad is not None
    assert torch.equal(logits.grad != 0, ~labels.isnan())


def test_nothing_known_costs_nothing() -> None:
    logits = torch.randn(4, 3, requires_grad=True)
    value = Loss()(logits, torch.full((4, 3), NAN), noise(4, 2, 3, 3).float())
    value.backward()  # type: ignore[no-untyped-call]
    assert value.detach() == 0
    assert logits.grad is not None
    assert not logits.grad.any()
