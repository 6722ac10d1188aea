"""Fitting: it learns, stops in time, and gives the best weights."""

from __future__ import annotations

import math
from itertools import chain
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from gale.errors import TrainingError
from gale.training.fitting import (
    Epoch,
    Examples,
    Fit,
    evaluate,
    get_weights,
    set_weights,
)
from gale.training.losses import Loss, binary_cross_entropy
from gale.training.networks.layers import Dense
from helpers.errors import refused
from helpers.fits import (
    PLAIN,
    assert_same,
    examples,
    fits_of,
    network,
    noisy,
    rows,
    seeded,
)


def by_heart(loss: Loss = PLAIN, n_runs: int = 24, **changes: Any) -> Fit:
    """Fit one member to runs that validate it as well."""
    every = rows(0, n_runs)
    return fits_of(network(), examples(n_runs), every, every, loss, **changes)[0]


@pytest.mark.parametrize("loss", [PLAIN, Loss()], ids=["plain", "published"])
def test_a_tiny_problem_is_learned_by_heart(loss: Loss) -> None:
    done = by_heart(loss, learning_rate=0.03, batch_size=24)
    assert done.validation < 0.05
    assert done.epochs[0].validation > 0.3


@pytest.mark.slow
def test_products_of_lower_precision_learn_as_well() -> None:
    net = network(*seeded(0), products=torch.bfloat16)
    every = rows(0, 24)
    (done,) = fits_of(net, examples(24), every, every, learning_rate=0.03, batch_size=24)
    assert done.validation < 0.05
    assert {value.dtype for value in done.weights.values()} == {np.dtype(np.float32)}
    single = by_heart(learning_rate=0.03, batch_size=24)
    assert done.validation != single.validation
    assert done.epochs[0].train_loss == pytest.approx(single.epochs[0].train_loss, rel=0.02)


def opposite(n_runs: int) -> Examples:
    """Runs, and the same again with the wrong labels, which what is learned makes worse."""
    known = examples(n_runs)
    labels = torch.cat([known.labels, 1 - known.labels])
    return Examples(known.features.repeat(2, 1), labels)


def test_fitting_stops_after_patience_epochs_without_a_better_one() -> None:
    (done,) = fits_of(
        network(), opposite(40), rows(0, 40), rows(40, 80), learning_rate=0.1, patience=7
    )
    assert best_epoch(done) == 1
    assert len(done.epochs) == 1 + 7


def test_fitting_stops_at_the_last_epoch() -> None:
    assert len(by_heart(epochs=3).epochs) == 3


def best_epoch(done: Fit) -> int:
    return min(done.epochs, key=lambda epoch: epoch.validation).number


def test_weights_are_those_of_the_best_epoch_with_their_statistics() -> None:
    runs, training, validation = noisy(55), rows(0, 40), rows(40, 55)
    (done,) = fits_of(network(), runs, training, validation, learning_rate=0.02, patience=5)
    assert 1 < best_epoch(done) < len(done.epochs)
    assert len(done.epochs) == best_epoch(done) + 5
    assert done.validation == min(epoch.validation for epoch in done.epochs)
    again = network(*seeded(1))
    set_weights(again, 0, done.weights)
    assert evaluate(again, runs, validation).tolist() == [done.validation]
    assert_same(get_weights(again, 0), done.weights)
    (shorter,) = fits_of(
        network(), runs, training, validation, learning_rate=0.02, epochs=best_epoch(done)
    )
    assert_same(shorter.weights, done.weights)
    assert {"1.running_mean", "1.running_variance"} < done.weights.keys()


def test_the_seed_decides() -> None:
    runs = noisy(55)
    first, again, other = (
        fits_of(network(), runs, rows(0, 40), rows(40, 55), Loss(), epochs=5, seeds=[seed])[0]
        for seed in (1, 1, 2)
    )
    assert_same(first.weights, again.weights)
    assert first.epochs == again.epochs
    assert first.epochs != other.epochs


def test_the_training_loss_is_the_mean_over_runs_whatever_the_batches() -> None:
    # A network that hardly changes: batches of 16, 16 and 5 have the loss of all 37 runs.
    known, net = examples(37), Dense(3, 2, seeded(0))
    expected = binary_cross_entropy(net(known.features[None]), known.labels[None]).item()
    (done,) = fits_of(net, known, rows(0, 37), rows(0, 37), learning_rate=1e-12, epochs=1)
    assert done.epochs[0].train_loss == pytest.approx(expected, rel=1e-6)


@pytest.mark.parametrize(("epsilon", "decay"), [(1e-7, 0.0), (1.0, 0.0), (1.0, 0.4)])
def test_the_first_step_is_that_of_adamw(epsilon: float, decay: float) -> None:
    known, net = examples(10), Dense(3, 2, seeded(0))
    loss = binary_cross_entropy(net(known.features[None]), known.labels[None]).sum()
    loss.backward()  # type: ignore[no-untyped-call]
    assert net.weight.grad is not None
    gradient, before = net.weight.grad.clone(), net.weight.detach().clone()
    fits_of(
        net, known, rows(0, 10), rows(0, 10),
        learning_rate=0.05, adam_epsilon=epsilon, batch_size=10, epochs=1, weight_decay=decay,
    )  # fmt: skip
    step = before * (1 - 0.05 * decay) - 0.05 * gradient / (gradient.abs() + epsilon)
    torch.testing.assert_close(net.weight.detach(), step)


def test_every_run_trains_once_an_epoch_in_an_order_of_each_member() -> None:
    class Batches(Loss):
        def __call__(self, logits: Tensor, labels: Tensor, noise: Tensor) -> Tensor:
            batches.append(labels[..., 0].tolist())
            return logits.sum((1, 2))

    batches: list[list[list[float]]] = []
    numbers = torch.arange(15.0).repeat(2, 1).T
    numbered = Examples(torch.ones(20, 3), torch.cat([numbers, torch.zeros(5, 2)]))
    training = torch.stack([torch.arange(10), torch.arange(5, 15)])
    net = Dense(3, 2, seeded(0, 1))
    fits_of(net, numbered, training, rows(15, 20, 2), Batches(), batch_size=4, epochs=2)
    assert [len(batch[0]) for batch in batches] == [4, 4, 2, 4, 4, 2]

    def order(member: int, epoch: int) -> list[float]:
        return list(chain(*(batch[member] for batch in batches[3 * epoch : 3 * epoch + 3])))

    for member, expected in enumerate((range(10), range(5, 15))):
        first, second = order(member, 0), order(member, 1)
        assert sorted(first) == sorted(second) == list(expected)
        assert list(expected) != first != second
    assert order(0, 0) != [number - 5 for number in order(1, 0)]


def test_every_epoch_trains_in_training_and_evaluates_in_inference() -> None:
    class Modes(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.dense = Dense(3, 2, seeded(0))
            self.modes: list[bool] = []

        def forward(self, x: Tensor) -> Tensor:
            self.modes.append(self.training)
            return torch.as_tensor(self.dense(x))

    net = Modes().eval()
    fits_of(net, examples(25), rows(0, 20), rows(20, 25), batch_size=10, epochs=2)
    assert net.modes == [True, True, False] * 2


def test_a_training_loss_that_is_no_number_stops_the_fit() -> None:
    class Breaks(Loss):
        calls = 0

        def __call__(self, logits: Tensor, labels: Tensor, noise: Tensor) -> Tensor:
            Breaks.calls += 1
            value = logits.mean((1, 2))
            return value * torch.tensor([1.0, math.nan if Breaks.calls == 5 else 1.0])

    # two batches per epoch: the fifth is in the third
    remedy = "fitting.learning_rate"
    with refused(TrainingError, "member 1, epoch 3", found="loss of nan", remedy=remedy):
        fits_of(network(*seeded(0, 1)), examples(20), rows(0, 20, 2), rows(0, 20, 2), Breaks(),
            batch_size=10)  # fmt: skip


def test_a_validation_loss_that_is_no_number_stops_the_fit() -> None:
    runs = examples(25)
    runs.features[20, 0] = math.inf
    with refused(TrainingError, "member 0, epoch 1", found="log loss of nan", expected="finite"):
        fits_of(network(), runs, rows(0, 20), rows(20, 25))


def test_epochs_are_numbered() -> None:
    done = by_heart(epochs=4)
    assert [epoch.number for epoch in done.epochs] == [1, 2, 3, 4]
    assert all(isinstance(epoch, Epoch) for epoch in done.epochs)
