"""Fitting: it learns, stops in time, gives the best epoch's weights, and does so again."""

from __future__ import annotations

import math
from itertools import chain

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from gale.errors import TrainingError
from gale.fitting import Epoch, Examples, Fit, evaluate, fit, get_weights, set_weights
from gale.losses import Loss, binary_cross_entropy, log_loss
from gale.networks.summary import summary_network

PLAIN = Loss(hinge=0, label_correlation=0)


def seeded(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def examples(n_runs: int, seed: int = 0) -> Examples:
    """Runs of three features and two families: the first is positive, and the opposite."""
    x = torch.randn(n_runs, 3, generator=seeded(seed))
    positive = (x[:, :1] > 0).float()
    return Examples(x, torch.cat([positive, 1 - positive], dim=1))


def opposite(known: Examples) -> Examples:
    """The same runs with the wrong labels, so that what is learned makes them worse."""
    return Examples(known.features, 1 - known.labels)


def network(seed: int = 0) -> nn.Sequential:
    return summary_network(3, 2, hidden=(8,), generator=seeded(seed))


def run(
    net: nn.Module,
    training: Examples,
    validation: Examples,
    loss: Loss = PLAIN,
    *,
    learning_rate: float = 0.01,
    adam_epsilon: float = 1e-7,
    batch_size: int = 16,
    epochs: int = 100,
    patience: int = 10,
    seed: int = 0,
    seen: list[Epoch] | None = None,
) -> Fit:
    return fit(
        net,
        training,
        validation,
        loss,
        learning_rate=learning_rate,
        adam_epsilon=adam_epsilon,
        batch_size=batch_size,
        epochs=epochs,
        patience=patience,
        generator=seeded(seed),
        report=lambda epoch: None if seen is None else seen.append(epoch),
    )


@pytest.mark.parametrize("loss", [PLAIN, Loss()], ids=["plain", "published"])
def test_a_tiny_problem_is_learned_by_heart(loss: Loss) -> None:
    known = examples(24)
    done = run(network(), known, known, loss, learning_rate=0.03, batch_size=24)
    assert done.validation < 0.05
    assert done.epochs[0].validation > 0.3


def test_fitting_stops_after_patience_epochs_without_a_better_one() -> None:
    known = examples(40)
    done = run(network(), known, opposite(known), learning_rate=0.1, patience=7)
    assert best_epoch(done) == 1
    assert len(done.epochs) == 1 + 7


def test_fitting_stops_at_the_last_epoch() -> None:
    known = examples(40)
    assert len(run(network(), known, known, epochs=3).epochs) == 3


def best_epoch(done: Fit) -> int:
    return min(done.epochs, key=lambda epoch: epoch.validation).number


def test_weights_are_those_of_the_best_epoch_with_their_statistics() -> None:
    training, validation = examples(40), examples(15, seed=1)
    validation.labels[:5] = 1 - validation.labels[:5]
    net = network()
    done = run(net, training, validation, learning_rate=0.02, patience=5)
    assert 1 < best_epoch(done) < len(done.epochs)
    assert len(done.epochs) == best_epoch(done) + 5
    assert done.validation == min(epoch.validation for epoch in done.epochs)
    assert evaluate(net, validation) == done.validation
    again = network(1)
    set_weights(again, done.weights)
    assert evaluate(again, validation) == done.validation
    shorter = run(network(), training, validation, learning_rate=0.02, epochs=best_epoch(done))
    assert_same(shorter.weights, done.weights)
    assert {"1.running_mean", "1.running_variance"} < done.weights.keys()


def assert_same(left: dict[str, np.ndarray], right: dict[str, np.ndarray]) -> None:
    assert left.keys() == right.keys()
    for name, value in left.items():
        np.testing.assert_array_equal(value, right[name], err_msg=name)


def test_the_seed_decides() -> None:
    known, validation = examples(40), examples(15, seed=1)
    first, again, other = (
        run(network(), known, validation, Loss(), epochs=5, seed=seed) for seed in (1, 1, 2)
    )
    assert_same(first.weights, again.weights)
    assert first.epochs == again.epochs
    assert first.epochs != other.epochs


def test_each_epoch_is_reported_and_kept() -> None:
    seen: list[Epoch] = []
    known = examples(40)
    done = run(network(), known, known, epochs=4, seen=seen)
    assert tuple(seen) == done.epochs
    assert [epoch.number for epoch in seen] == [1, 2, 3, 4]


def test_the_training_loss_is_the_mean_over_runs_whatever_the_batches() -> None:
    # A network that hardly changes: batches of 16, 16 and 5 have the loss of all 37 runs.
    known, net = examples(37), nn.Linear(3, 2)
    expected = binary_cross_entropy(net(known.features), known.labels).item()
    done = run(net, known, known, learning_rate=1e-12, epochs=1)
    assert done.epochs[0].train_loss == pytest.approx(expected, rel=1e-6)


@pytest.mark.parametrize("epsilon", [1e-7, 1.0])
def test_the_first_step_is_that_of_adam(epsilon: float) -> None:
    known, net = examples(10), nn.Linear(3, 2)
    binary_cross_entropy(net(known.features), known.labels).backward()  # type: ignore[no-untyped-call]
    assert net.weight.grad is not None
    gradient, before = net.weight.grad.clone(), net.weight.detach().clone()
    run(net, known, known, learning_rate=0.05, adam_epsilon=epsilon, batch_size=10, epochs=1)
    step = before - 0.05 * gradient / (gradient.abs() + epsilon)
    torch.testing.assert_close(net.weight.detach(), step)


def test_every_run_trains_once_an_epoch_in_an_order_of_its_own() -> None:
    class Batches(Loss):
        def __call__(
            self, logits: Tensor, labels: Tensor, generator: torch.Generator | None = None
        ) -> Tensor:
            batches.append(labels[:, 0].tolist())
            return logits.sum()

    batches: list[list[float]] = []
    numbered = Examples(torch.ones(10, 3), torch.arange(10.0).repeat(2, 1).T)
    run(nn.Linear(3, 2), numbered, examples(5), Batches(), batch_size=4, epochs=2)
    assert [len(batch) for batch in batches] == [4, 4, 2, 4, 4, 2]
    first, second = list(chain(*batches[:3])), list(chain(*batches[3:]))
    assert sorted(first) == sorted(second) == list(range(10))
    assert list(range(10)) != first != second


def test_evaluation_is_the_log_loss_in_inference() -> None:
    net, known = network(), examples(12)
    known.labels[0] = math.nan
    before = get_weights(net)
    found = evaluate(net.train(), known)
    expected = log_loss(net.eval()(known.features), known.labels)
    assert found == expected.item()
    assert_same(get_weights(net), before)


def test_every_epoch_trains_in_training_and_evaluates_in_inference() -> None:
    class Modes(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.dense = nn.Linear(3, 2)
            self.modes: list[bool] = []

        def forward(self, x: Tensor) -> Tensor:
            self.modes.append(self.training)
            return torch.as_tensor(self.dense(x))

    net = Modes().eval()
    run(net, examples(20), examples(5), batch_size=10, epochs=2)
    assert net.modes == [True, True, False] * 2


def test_weights_are_copies() -> None:
    net = network()
    before = get_weights(net)
    kept = {name: value.copy() for name, value in before.items()}
    run(net, examples(20), examples(20), epochs=1)
    assert_same(before, kept)


def test_a_training_loss_that_is_no_number_stops_the_fit() -> None:
    class Breaks(Loss):
        calls = 0

        def __call__(
            self, logits: Tensor, labels: Tensor, generator: torch.Generator | None = None
        ) -> Tensor:
            Breaks.calls += 1
            return logits.mean() * (math.nan if Breaks.calls == 5 else 1.0)

    with pytest.raises(TrainingError) as caught:  # two batches an epoch: the fifth is in the third
        run(network(), examples(20), examples(20), Breaks(), batch_size=10)
    assert str(caught.value).startswith("epoch 3: the training loss is nan and the validation ")
    assert str(caught.value).endswith("expected finite numbers; lower fitting.learning_rate")


def test_a_validation_loss_that_is_no_number_stops_the_fit() -> None:
    bad = examples(5)
    bad.features[0, 0] = math.inf
    with pytest.raises(TrainingError, match=r"^epoch 1: .* the validation log loss nan; expected"):
        run(network(), examples(20), bad)
