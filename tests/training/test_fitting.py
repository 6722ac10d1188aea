"""Fitting: each member as if it were alone; it learns, stops in time, gives the best weights."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import replace
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
    Pulse,
    Settings,
    Weights,
    evaluate,
    fit,
    get_weights,
    predict,
    set_weights,
)
from gale.training.losses import Loss, binary_cross_entropy, log_loss
from gale.training.networks.layers import Dense
from gale.training.networks.summary import summary_network
from helpers.one_at_a_time import fit_one, plain_network

PLAIN = Loss(hinge=0, label_correlation=0)
SETTINGS = Settings(learning_rate=0.01, adam_epsilon=1e-7, batch_size=16, epochs=100, patience=10)


def seeded(*seeds: int) -> list[torch.Generator]:
    return [torch.Generator().manual_seed(seed) for seed in seeds]


def examples(n_runs: int, seed: int = 0) -> Examples:
    """Runs of three features and two families: the first is positive, and the opposite."""
    x = torch.randn(n_runs, 3, generator=seeded(seed)[0])
    positive = (x[:, :1] > 0).float()
    return Examples(x, torch.cat([positive, 1 - positive], dim=1))


def noisy(n_runs: int, seed: int = 0) -> Examples:
    """Runs whose labels cannot all be learned, some of them unknown."""
    known = examples(n_runs, seed)
    random = torch.rand(known.labels.shape, generator=seeded(seed + 1)[0])
    labels = torch.where(random < 0.25, 1 - known.labels, known.labels)
    return Examples(known.features, torch.where(random > 0.9, math.nan, labels))


def rows(start: int, stop: int, members: int = 1) -> Tensor:
    return torch.arange(start, stop).expand(members, -1)


def network(*generators: torch.Generator, **switches: Any) -> nn.Sequential:
    return summary_network(3, 2, generators or seeded(0), hidden=(8,), **switches)


def run(
    net: nn.Module,
    runs: Examples,
    training: Tensor,
    validation: Tensor,
    loss: Loss = PLAIN,
    *,
    seeds: Sequence[int] | None = None,
    generators: Sequence[torch.Generator] | None = None,
    pulses: list[Pulse] | None = None,
    **changes: Any,
) -> list[Fit]:
    """Fit, and give the fits in the order of the members."""
    members = len(training)
    done = dict(
        fit(
            net, runs, training, validation, loss, replace(SETTINGS, **changes),
            generators or seeded(*(seeds or range(members))),
            names=[f"member {number}" for number in range(members)],
            report=lambda pulse: None if pulses is None else pulses.append(pulse),
        )
    )  # fmt: skip
    assert sorted(done) == list(range(members))
    return [done[member] for member in range(members)]


def by_heart(loss: Loss = PLAIN, n_runs: int = 24, **changes: Any) -> Fit:
    """Fit one member to runs that validate it as well."""
    return run(network(), examples(n_runs), rows(0, n_runs), rows(0, n_runs), loss, **changes)[0]


def assert_same(left: Weights, right: Weights) -> None:
    assert left.keys() == right.keys()
    for name, value in left.items():
        np.testing.assert_array_equal(value, right[name], err_msg=name)


def assert_close(left: Fit, right: Fit, atol: float = 2e-5) -> None:
    """The same training but for rounding."""
    assert len(left.epochs) == len(right.epochs)
    for name in ("train_loss", "validation"):
        found, expected = (
            [getattr(epoch, name) for epoch in each.epochs] for each in (left, right)
        )
        np.testing.assert_allclose(found, expected, atol=atol, err_msg=name)
    assert left.validation == pytest.approx(right.validation, abs=atol)
    assert left.weights.keys() == right.weights.keys()
    for name, value in left.weights.items():
        np.testing.assert_allclose(value, right.weights[name], atol=10 * atol, err_msg=name)


FOLDS = [(0, 37), (13, 50), (5, 42), (0, 37)]
"""First and last training run of each of four members; the other 13 runs validate."""

SWITCHES: list[dict[str, Any]] = [
    {},
    {"dropout": 0.3},
    {"batch_norm": False},
    {"layer_norm": False},
    {"batch_norm": False, "layer_norm": False},
]


def four_members() -> tuple[Examples, Tensor, Tensor]:
    training = torch.stack([torch.arange(*fold) for fold in FOLDS])
    validation = [[row for row in range(50) if row not in range(*fold)] for fold in FOLDS]
    return noisy(50), training, torch.tensor(validation)


@pytest.mark.parametrize("loss", [PLAIN, Loss()], ids=["plain", "published"])
@pytest.mark.parametrize("switches", SWITCHES, ids=str)
def test_each_member_is_fitted_as_if_it_were_alone(switches: dict[str, Any], loss: Loss) -> None:
    # The bias of a layer before BatchNorm has a gradient of 0 but for rounding, which Adam blows up
    # to a step of any size unless its epsilon is larger than that.
    changes: dict[str, Any] = {
        "epochs": 12,
        "patience": 3,
        "adam_epsilon": 1e-4,
        "weight_decay": 0.2,
    }
    runs, training, validation = four_members()
    prior = torch.tensor([[0.1, -0.2], [0.2, 0.3], [0.0, 0.1], [0.1, 0.1]])
    mean, deviation = torch.randn(4, 3, generator=seeded(9)[0]), torch.ones(4, 3) * 1.5
    generators = seeded(*range(4))
    net = network(*generators, prior=prior, scale=(mean, deviation), **switches)
    found = run(net, runs, training, validation, loss, generators=generators, **changes)
    for member, generator in enumerate(seeded(*range(4))):
        plain = plain_network(
            3, 2, generator, hidden=(8,), prior=prior[member],
            scale=(mean[member], deviation[member]), **switches,
        )  # fmt: skip
        learned, held_out = (
            (runs.features[of], runs.labels[of]) for of in (training[member], validation[member])
        )
        settings = replace(SETTINGS, **changes)
        assert_close(found[member], fit_one(plain, learned, held_out, loss, settings, generator))


def test_members_end_at_different_times_and_the_others_go_on_as_if_alone() -> None:
    runs, training, validation = four_members()
    pulses: list[Pulse] = []
    changes: dict[str, Any] = {
        "learning_rate": 0.05,
        "epochs": 40,
        "patience": 4,
        "adam_epsilon": 1e-4,
    }
    generators = seeded(*range(4))
    together = run(
        network(*generators, dropout=0.2), runs, training, validation, Loss(),
        generators=generators, pulses=pulses, **changes,
    )  # fmt: skip
    lengths = [len(done.epochs) for done in together]
    assert len(set(lengths)) > 2
    assert [pulse.alive for pulse in pulses] == [
        sum(length > number for length in lengths) for number in range(1, max(lengths) + 1)
    ]
    assert [pulse.epoch for pulse in pulses] == list(range(1, max(lengths) + 1))
    assert pulses[-1].best == min(done.validation for done in together)
    for member in range(4):
        one = slice(member, member + 1)
        (alone,) = run(
            network(*(own := seeded(member)), dropout=0.2), runs, training[one], validation[one],
            Loss(), generators=own, **changes,
        )  # fmt: skip
        assert_close(together[member], alone, atol=1e-4)


def test_members_are_handed_over_when_they_finish() -> None:
    runs, training, validation = four_members()
    seen: list[int] = []
    settings = replace(SETTINGS, learning_rate=0.05, epochs=40, patience=4)
    order = []
    for _, done in fit(
        network(*seeded(*range(4))), runs, training, validation, Loss(), settings,
        seeded(*range(4)), names=list("abcd"), report=lambda pulse: seen.append(pulse.epoch),
    ):  # fmt: skip
        assert len(done.epochs) == seen[-1]
        order.append(len(done.epochs))
    assert order == sorted(order)


@pytest.mark.parametrize("loss", [PLAIN, Loss()], ids=["plain", "published"])
def test_a_tiny_problem_is_learned_by_heart(loss: Loss) -> None:
    done = by_heart(loss, learning_rate=0.03, batch_size=24)
    assert done.validation < 0.05
    assert done.epochs[0].validation > 0.3


def test_products_of_lower_precision_learn_as_well() -> None:
    net = network(*seeded(0), products=torch.bfloat16)
    (done,) = run(net, examples(24), rows(0, 24), rows(0, 24), learning_rate=0.03, batch_size=24)
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
    (done,) = run(network(), opposite(40), rows(0, 40), rows(40, 80), learning_rate=0.1, patience=7)
    assert best_epoch(done) == 1
    assert len(done.epochs) == 1 + 7


def test_fitting_stops_at_the_last_epoch() -> None:
    assert len(by_heart(epochs=3).epochs) == 3


def best_epoch(done: Fit) -> int:
    return min(done.epochs, key=lambda epoch: epoch.validation).number


def test_weights_are_those_of_the_best_epoch_with_their_statistics() -> None:
    runs, training, validation = noisy(55), rows(0, 40), rows(40, 55)
    (done,) = run(network(), runs, training, validation, learning_rate=0.02, patience=5)
    assert 1 < best_epoch(done) < len(done.epochs)
    assert len(done.epochs) == best_epoch(done) + 5
    assert done.validation == min(epoch.validation for epoch in done.epochs)
    again = network(*seeded(1))
    set_weights(again, 0, done.weights)
    assert evaluate(again, runs, validation).tolist() == [done.validation]
    assert_same(get_weights(again, 0), done.weights)
    (shorter,) = run(
        network(), runs, training, validation, learning_rate=0.02, epochs=best_epoch(done)
    )
    assert_same(shorter.weights, done.weights)
    assert {"1.running_mean", "1.running_variance"} < done.weights.keys()


def test_the_seed_decides() -> None:
    runs = noisy(55)
    first, again, other = (
        run(network(), runs, rows(0, 40), rows(40, 55), Loss(), epochs=5, seeds=[seed])[0]
        for seed in (1, 1, 2)
    )
    assert_same(first.weights, again.weights)
    assert first.epochs == again.epochs
    assert first.epochs != other.epochs


def test_the_training_loss_is_the_mean_over_runs_whatever_the_batches() -> None:
    # A network that hardly changes: batches of 16, 16 and 5 have the loss of all 37 runs.
    known, net = examples(37), Dense(3, 2, seeded(0))
    expected = binary_cross_entropy(net(known.features[None]), known.labels[None]).item()
    (done,) = run(net, known, rows(0, 37), rows(0, 37), learning_rate=1e-12, epochs=1)
    assert done.epochs[0].train_loss == pytest.approx(expected, rel=1e-6)


@pytest.mark.parametrize(("epsilon", "decay"), [(1e-7, 0.0), (1.0, 0.0), (1.0, 0.4)])
def test_the_first_step_is_that_of_adamw(epsilon: float, decay: float) -> None:
    known, net = examples(10), Dense(3, 2, seeded(0))
    loss = binary_cross_entropy(net(known.features[None]), known.labels[None]).sum()
    loss.backward()  # type: ignore[no-untyped-call]
    assert net.weight.grad is not None
    gradient, before = net.weight.grad.clone(), net.weight.detach().clone()
    run(
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
    run(net, numbered, training, rows(15, 20, 2), Batches(), batch_size=4, epochs=2)
    assert [len(batch[0]) for batch in batches] == [4, 4, 2, 4, 4, 2]

    def order(member: int, epoch: int) -> list[float]:
        return list(chain(*(batch[member] for batch in batches[3 * epoch : 3 * epoch + 3])))

    for member, expected in enumerate((range(10), range(5, 15))):
        first, second = order(member, 0), order(member, 1)
        assert sorted(first) == sorted(second) == list(expected)
        assert list(expected) != first != second
    assert order(0, 0) != [number - 5 for number in order(1, 0)]


def test_evaluation_is_the_log_loss_in_inference() -> None:
    net, known = network(*seeded(0, 1)), noisy(700)
    before = get_weights(net, 1)
    of = torch.stack([torch.arange(600), torch.arange(100, 700)])
    found = evaluate(net.train(), known, of)
    assert found.shape == (2,)
    net.eval()
    for member in range(2):
        logits = net(known.features.expand(2, -1, -1))[member, of[member]]
        expected = log_loss(logits, known.labels[of[member]])
        assert found[member].item() == pytest.approx(expected.item(), rel=1e-6)
    assert_same(get_weights(net, 1), before)


def test_prediction_is_the_probability_of_each_member_in_inference() -> None:
    net, x = network(*seeded(0, 1)), examples(12).features
    found = predict(net.train(), x.numpy())
    expected = torch.sigmoid(net.eval()(x.expand(2, -1, -1))).detach()
    np.testing.assert_allclose(found, expected, rtol=1e-6)


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
    run(net, examples(25), rows(0, 20), rows(20, 25), batch_size=10, epochs=2)
    assert net.modes == [True, True, False] * 2


def test_weights_are_copies() -> None:
    net = network()
    before = get_weights(net, 0)
    kept = {name: value.copy() for name, value in before.items()}
    run(net, examples(20), rows(0, 20), rows(0, 20), epochs=1)
    assert_same(before, kept)


def test_weights_of_one_member_go_into_any_other() -> None:
    left, right = network(*seeded(0, 1)), network(*seeded(2, 3, 4))
    others = get_weights(right, 0), get_weights(right, 1)
    set_weights(right, 2, get_weights(left, 1))
    assert_same(get_weights(right, 2), get_weights(left, 1))
    assert_same(get_weights(right, 0), others[0])
    assert_same(get_weights(right, 1), others[1])


def test_a_training_loss_that_is_no_number_stops_the_fit() -> None:
    class Breaks(Loss):
        calls = 0

        def __call__(self, logits: Tensor, labels: Tensor, noise: Tensor) -> Tensor:
            Breaks.calls += 1
            value = logits.mean((1, 2))
            return value * torch.tensor([1.0, math.nan if Breaks.calls == 5 else 1.0])

    with pytest.raises(TrainingError) as caught:  # two batches an epoch: the fifth is in the third
        run(network(*seeded(0, 1)), examples(20), rows(0, 20, 2), rows(0, 20, 2), Breaks(),
            batch_size=10)  # fmt: skip
    message = "member 1, epoch 3: the training loss is nan and the validation "
    assert str(caught.value).startswith(message)
    assert str(caught.value).endswith("expected finite numbers; lower fitting.learning_rate")


def test_a_validation_loss_that_is_no_number_stops_the_fit() -> None:
    runs = examples(25)
    runs.features[20, 0] = math.inf
    expected = r"^member 0, epoch 1: .* the validation log loss nan; expected"
    with pytest.raises(TrainingError, match=expected):
        run(network(), runs, rows(0, 20), rows(20, 25))


def test_epochs_are_numbered() -> None:
    done = by_heart(epochs=4)
    assert [epoch.number for epoch in done.epochs] == [1, 2, 3, 4]
    assert all(isinstance(epoch, Epoch) for epoch in done.epochs)
