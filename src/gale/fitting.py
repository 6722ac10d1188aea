"""Fitting one network to one split: epochs, early stopping, best weights."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from gale.errors import TrainingError
from gale.losses import Loss, log_loss

Weights = dict[str, NDArray[np.float32]]


@dataclass(frozen=True)
class Examples:
    """Runs to fit to, or to validate on.

    Parameters
    ----------
    features : Tensor of shape (R, D)
    labels : Tensor of shape (R, K)
        0, 1 or NaN.
    """

    features: Tensor
    labels: Tensor


@dataclass(frozen=True)
class Epoch:
    """What one pass over the training runs came to: mean training loss, validation log loss."""

    number: int
    train_loss: float
    validation: float


@dataclass(frozen=True)
class Fit:
    """A fitted network.

    Parameters
    ----------
    weights : mapping of str to array
        The whole state of the best epoch, batch statistics included.
    validation : float
        Validation log loss of these weights.
    epochs : tuple of Epoch
    """

    weights: Weights
    validation: float
    epochs: tuple[Epoch, ...]


def fit(
    network: nn.Module,
    training: Examples,
    validation: Examples,
    loss: Loss,
    *,
    learning_rate: float,
    adam_epsilon: float,
    batch_size: int,
    epochs: int,
    patience: int,
    generator: torch.Generator,
    report: Callable[[Epoch], object] = lambda _: None,
) -> Fit:
    """Train with Adam until the validation log loss has not improved for `patience` epochs.

    Parameters
    ----------
    network : nn.Module
        Features (R, D) to logits (R, K); trained in place.
    training, validation : Examples
    loss : Loss
    learning_rate, adam_epsilon : float
    batch_size, epochs, patience : int
        `epochs` is the largest number of them.
    generator : torch.Generator
        Source of the shuffles and of the loss's noise.
    report : callable
        Called after each epoch.

    Raises
    ------
    TrainingError
        If a loss is not a finite number.
    """
    optimiser = torch.optim.Adam(network.parameters(), lr=learning_rate, eps=adam_epsilon)
    history: list[Epoch] = []
    best, best_weights = math.inf, get_weights(network)
    best_epoch = 0
    for number in range(1, epochs + 1):
        train_loss = _train_epoch(network, training, loss, optimiser, batch_size, generator)
        epoch = Epoch(number, train_loss, evaluate(network, validation))
        if not (math.isfinite(epoch.train_loss) and math.isfinite(epoch.validation)):
            raise TrainingError(
                f"epoch {number}: the training loss is {epoch.train_loss} and the validation log "
                f"loss {epoch.validation}; expected finite numbers; lower fitting.learning_rate"
            )
        history.append(epoch)
        report(epoch)
        if epoch.validation < best:
            best, best_weights, best_epoch = epoch.validation, get_weights(network), number
        elif number - best_epoch >= patience:
            break
    set_weights(network, best_weights)
    return Fit(best_weights, best, tuple(history))


def _train_epoch(
    network: nn.Module,
    training: Examples,
    loss: Loss,
    optimiser: torch.optim.Optimizer,
    batch_size: int,
    generator: torch.Generator,
) -> float:
    """Pass once over the runs in random order; mean loss over the runs."""
    network.train()
    total = 0.0
    order = torch.randperm(len(training.labels), generator=generator)
    for rows in torch.split(order, batch_size):
        value = loss(network(training.features[rows]), training.labels[rows], generator)
        optimiser.zero_grad()
        value.backward()  # type: ignore[no-untyped-call]
        optimiser.step()
        total += value.item() * len(rows)
    return total / len(order)


@torch.no_grad()
def evaluate(network: nn.Module, examples: Examples) -> float:
    """Mean over families of the log loss over the known labels of the examples."""
    network.eval()
    return float(log_loss(network(examples.features), examples.labels))


@torch.no_grad()
def mean_probability(
    networks: Sequence[nn.Module], features: NDArray[np.float32]
) -> NDArray[np.float32]:
    """Mean over networks, ready to predict, of the probabilities: features (R, D) to (R, K)."""
    x = torch.from_numpy(features)
    return torch.stack([torch.sigmoid(network(x)) for network in networks]).mean(0).numpy()


def get_weights(network: nn.Module) -> Weights:
    """Copy the whole state of a network, batch statistics included."""
    return {name: value.numpy(force=True).copy() for name, value in network.state_dict().items()}


def set_weights(network: nn.Module, weights: Weights) -> None:
    """Put back what :func:`get_weights` gave."""
    network.load_state_dict({name: torch.from_numpy(value) for name, value in weights.items()})
