"""Fitting many members at once; each has its own epochs, early stopping and best weights."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal, NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from gale.errors import TrainingError
from gale.training.losses import Loss, log_loss
from gale.training.mixtures import Mixture
from gale.training.networks.layers import Random, count_members
from gale.training.optimiser import AdamW

Weights = dict[str, NDArray[np.float32]]
"""The whole state of one member, batch statistics included."""

ROWS_AT_ONCE = 256
"""Most runs of a member that are evaluated at once, which bounds memory."""

RISE = 0.1
"""Share of the steps over which the cosine schedule raises the learning rate."""


@dataclass(frozen=True)
class Examples:
    """Runs that members are fitted to and validated on; each member has rows of its own.

    Parameters
    ----------
    features : Tensor of shape (R, D)
    labels : Tensor of shape (R, K)
        0, 1 or NaN.
    """

    features: Tensor
    labels: Tensor

    def features_of(self, rows: Tensor) -> Tensor:
        """Return the features of rows (E, n), shape (E, n, D)."""
        # Twice as fast on a CPU as features[rows].
        return self.features.index_select(0, rows.flatten()).view(*rows.shape, -1)


@dataclass(frozen=True)
class Epoch:
    """One pass over the training runs: mean training loss, and validation log loss after it."""

    number: int
    train_loss: float
    validation: float


@dataclass(frozen=True)
class Fit:
    """A fitted member.

    Parameters
    ----------
    weights : Weights
        Those of the best epoch.
    validation : float
        Validation log loss of these weights.
    epochs : tuple of Epoch
    """

    weights: Weights
    validation: float
    epochs: tuple[Epoch, ...]


class FittingStatus(NamedTuple):
    """How far members that train together are.

    Parameters
    ----------
    active : int
        Members that still train.
    epoch : int
        Epoch that they have finished.
    lowest : float
        Lowest validation log loss so far of any member, finished ones included.
    """

    active: int
    epoch: int
    lowest: float


@dataclass(frozen=True)
class Settings:
    """How each member is trained, for at most `epochs` epochs.

    With the schedule ``cosine`` the learning rate rises over the first tenth of all steps, then
    falls along half a cosine, to 0 at the end.
    """

    learning_rate: float
    adam_epsilon: float
    batch_size: int
    epochs: int
    patience: int
    weight_decay: float = 0.0
    schedule: Literal["constant", "cosine"] = "constant"

    def learning_rate_at(self, done: float) -> float:
        """Return the learning rate after a share `done` of the steps of all epochs."""
        if self.schedule == "constant":
            return self.learning_rate
        rise = min((done + RISE / 10) / RISE, 1)  # the first step learns something, too
        fall = math.cos(math.pi / 2 * max(done - RISE, 0) / (1 - RISE)) ** 2
        return self.learning_rate * rise * fall


@dataclass
class _MemberHistory:
    """The epochs of one member so far."""

    member: int
    epochs: list[Epoch] = field(default_factory=list)
    best: Epoch = Epoch(0, math.inf, math.inf)

    def add(self, epoch: Epoch) -> None:
        """Add an epoch, which may be the best one."""
        self.epochs.append(epoch)
        if epoch.validation < self.best.validation:
            self.best = epoch

    def ended(self, settings: Settings) -> bool:
        """Return whether the member has reached the last epoch or run out of patience."""
        number = self.epochs[-1].number
        return number == settings.epochs or number - self.best.number >= settings.patience


def fit(
    network: nn.Module,
    runs: Examples,
    training: Tensor,
    validation: Tensor,
    loss: Loss,
    settings: Settings,
    generators: Sequence[torch.Generator],
    *,
    names: Sequence[str],
    mixture: Mixture | None = None,
    report: Callable[[FittingStatus], object] = lambda _: None,
) -> Iterator[tuple[int, Fit]]:
    """Train members with AdamW until `patience` epochs have not lowered their validation log loss.

    But for rounding, no member's training depends on the others: each has its own batches, noise,
    statistics, optimiser state and end.

    Parameters
    ----------
    network : nn.Module
        E members, features (E, R, D) to logits (E, R, K). It is trained in place, and finished
        members are removed, so it is of no use afterwards.
    runs : Examples
        On the device of the network, as are rows and generators.
    training, validation : int64 Tensors of shape (E, number of rows)
        Rows of `runs`.
    loss : Loss
    settings : Settings
    generators : sequence of torch.Generator, length E
        Sources of each member's shuffles and noise; its random layers use the same ones.
    names : sequence of str, length E
        Names of the members in messages.
    mixture : Mixture, optional
        Makes mixtures of the runs of each batch.
    report : callable
        Called after each epoch.

    Yields
    ------
    pair of int and Fit
        The number of a member and its fit, as soon as it has finished.

    Raises
    ------
    TrainingError
        If a loss is not a finite number; the other members' unfinished fits are then lost.
    """
    active = _ActiveMembers(
        network, runs, training, validation, loss, settings, generators, mixture
    )
    histories = [_MemberHistory(member) for member in range(len(names))]
    lowest = math.inf
    for number in range(1, settings.epochs + 1):
        losses = zip(active.train().tolist(), active.validate().tolist(), strict=True)
        for history, (train_loss, validation_loss) in zip(histories, losses, strict=True):
            _check_finite(names[history.member], number, train_loss, validation_loss)
            history.add(Epoch(number, train_loss, validation_loss))
            lowest = min(lowest, validation_loss)
        improved = [at for at, history in enumerate(histories) if history.best.number == number]
        active.save_best(improved)
        ended = [at for at, history in enumerate(histories) if history.ended(settings)]
        report(FittingStatus(len(histories) - len(ended), number, lowest))
        for at in ended:
            history = histories[at]
            best = history.best.validation
            yield history.member, Fit(active.best_weights(at), best, tuple(history.epochs))
        if len(ended) == len(histories):
            return
        if ended:
            remaining = [at for at in range(len(histories)) if at not in ended]
            histories = [histories[at] for at in remaining]
            active.keep_only(remaining)


def _check_finite(name: str, epoch: int, train_loss: float, validation_loss: float) -> None:
    if not (math.isfinite(train_loss) and math.isfinite(validation_loss)):
        raise TrainingError(
            f"{name}, epoch {epoch}",
            f"has a training loss of {train_loss} and a validation log loss of {validation_loss}",
            "finite numbers",
            "lower fitting.learning_rate in the recipe",
        )


@dataclass
class _ActiveMembers:
    """The members that still train; for the fields, see :func:`fit`."""

    network: nn.Module
    runs: Examples
    training: Tensor
    validation: Tensor
    loss: Loss
    settings: Settings
    generators: Sequence[torch.Generator]
    mixture: Mixture | None

    def __post_init__(self) -> None:
        self.optimiser = AdamW(
            self.network.parameters(),
            epsilon=self.settings.adam_epsilon,
            weight_decay=self.settings.weight_decay,
        )
        self.best = {name: value.clone() for name, value in self.network.state_dict().items()}
        self.steps = 0

    def train(self) -> Tensor:
        """Pass once over each member's runs in random order; return mean losses, shape (E,)."""
        self.network.train()
        n_runs, batch_size = self.training.shape[1], self.settings.batch_size
        order = self._shuffle()
        noise = self.loss.draw_noise(n_runs, self.runs.labels.shape[1], self.generators)
        total = torch.zeros(len(order), device=order.device)
        for start in range(0, n_runs, batch_size):
            batch = slice(start, start + batch_size)
            rows = order[:, batch]
            features, labels = self.runs.features_of(rows), self.runs.labels[rows]
            if self.mixture is not None:
                features, labels = self.mixture(features, labels, self.generators)
            losses = self.loss(self.network(features), labels, noise[:, batch])
            self.optimiser.zero_grad()
            # No two members share a weight, so each weight gets its own member's gradient.
            losses.sum().backward()  # type: ignore[no-untyped-call]
            self._step(math.ceil(n_runs / batch_size))
            total += losses.detach() * rows.shape[1]
        return total / n_runs

    def _step(self, steps_per_epoch: int) -> None:
        done = self.steps / (steps_per_epoch * self.settings.epochs)
        self.optimiser.step(self.settings.learning_rate_at(done))
        self.steps += 1

    def _shuffle(self) -> Tensor:
        # Sorting random keys shuffles all members at once.
        keys = torch.empty(self.training.shape, device=self.training.device)
        for of_member, generator in zip(keys, self.generators, strict=True):
            of_member.uniform_(generator=generator)
        return self.training.gather(1, keys.argsort(dim=1, stable=True))

    def validate(self) -> Tensor:
        """Return the validation log loss of each member, shape (E,)."""
        return evaluate(self.network, self.runs, self.validation)

    def save_best(self, members: list[int]) -> None:
        """Save the present weights of some members as their best ones."""
        if not members:
            return
        improved = torch.zeros(len(self.generators), dtype=torch.bool, device=self.training.device)
        improved[members] = True
        for name, value in self.network.state_dict().items():
            best, mask = self.best[name], improved.view(-1, *[1] * (value.dim() - 1))
            torch.where(mask, value, best, out=best)  # one pass, without new memory

    def best_weights(self, member: int) -> Weights:
        """Copy the best weights of a member."""
        return _copy(self.best, member)

    def keep_only(self, members: list[int]) -> None:
        """Remove all other members, so that they cost nothing any more."""
        self.optimiser.keep_only(members)
        for module in self.network.modules():
            for name, value in module.named_buffers(recurse=False):
                setattr(module, name, value[members])
            if isinstance(module, Random):
                module.generators = [module.generators[member] for member in members]
        self.best = {name: value[members] for name, value in self.best.items()}
        self.training, self.validation = self.training[members], self.validation[members]
        self.generators = [self.generators[member] for member in members]


@torch.no_grad()
def evaluate(network: nn.Module, runs: Examples, rows: Tensor) -> Tensor:
    """Return each member's log loss on its rows: the mean over families, over known labels.

    Parameters
    ----------
    network : nn.Module
        E members.
    runs : Examples
    rows : int64 Tensor of shape (E, number of rows)

    Returns
    -------
    Tensor of shape (E,)
    """
    network.eval()
    logits = [network(runs.features_of(part)) for part in torch.split(rows, ROWS_AT_ONCE, 1)]
    return log_loss(torch.cat(logits, dim=1), runs.labels[rows])


@torch.no_grad()
def predict_logits(
    network: nn.Module, features: NDArray[np.float32], rows: NDArray[np.int64] | None = None
) -> NDArray[np.float32]:
    """Return each member's logits: features (R, D), or some of their rows, to (E, R, K)."""
    network.eval()
    members = count_members(network)
    rows = np.arange(len(features)) if rows is None else rows
    parts = (
        torch.from_numpy(features[rows[start : start + ROWS_AT_ONCE]])
        for start in range(0, max(len(rows), 1), ROWS_AT_ONCE)
    )
    return torch.cat([network(part.expand(members, -1, -1)) for part in parts], 1).numpy()


def get_weights(network: nn.Module, member: int) -> Weights:
    """Copy the whole state of one member of a network."""
    return _copy(network.state_dict(), member)


def set_weights(network: nn.Module, member: int, weights: Weights) -> None:
    """Set the whole state of one member of a network, as :func:`get_weights` returned it."""
    for name, value in network.state_dict().items():
        value[member].copy_(torch.from_numpy(weights[name]))


def _copy(state: Mapping[str, Tensor], member: int) -> Weights:
    return {name: value[member].numpy(force=True).copy() for name, value in state.items()}
