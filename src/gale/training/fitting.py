"""Fitting many members at once: epochs, early stopping, best weights, each member for itself."""

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
from gale.training.networks.layers import Random, count_members

Weights = dict[str, NDArray[np.float32]]
"""The whole state of one member, batch statistics included."""

ROWS_AT_ONCE = 256
"""Most runs of a member that are evaluated at once, so that memory has a bound."""


RISE = 0.1
"""Share of the steps in which the learning rate of the cosine schedule rises."""


@dataclass(frozen=True)
class Examples:
    """Runs that members are fitted to and validated on, each by the rows that it is given.

    Parameters
    ----------
    features : Tensor of shape (R, D)
    labels : Tensor of shape (R, K)
        0, 1 or NaN.
    """

    features: Tensor
    labels: Tensor

    def features_of(self, rows: Tensor) -> Tensor:
        """Features of rows (E, n), shape (E, n, D)."""
        # Twice as fast on a CPU as features[rows].
        return self.features.index_select(0, rows.flatten()).view(*rows.shape, -1)


@dataclass(frozen=True)
class Epoch:
    """What one pass over the training runs came to: mean training loss, validation log loss."""

    number: int
    train_loss: float
    validation: float


@dataclass(frozen=True)
class Fit:
    """A fitted member.

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


class Pulse(NamedTuple):
    """How members that train together are doing: how many still train, their epoch, and the least
    validation log loss of any of them, finished ones included."""  # noqa: D205, D209

    alive: int
    epoch: int
    best: float


@dataclass(frozen=True)
class Settings:
    """How each member is trained; `epochs` is the largest number of them.

    With the schedule ``cosine`` the learning rate rises over the first tenth of the steps of all
    epochs, then falls along half a cosine, to 0 at the end.
    """

    learning_rate: float
    adam_epsilon: float
    batch_size: int
    epochs: int
    patience: int
    weight_decay: float = 0.0
    schedule: Literal["constant", "cosine"] = "constant"

    def learning_rate_at(self, done: float) -> float:
        """The learning rate once a share of the steps of all epochs is done."""
        if self.schedule == "constant":
            return self.learning_rate
        rise = min((done + RISE / 10) / RISE, 1)  # no step is for nothing
        fall = math.cos(math.pi / 2 * max(done - RISE, 0) / (1 - RISE)) ** 2
        return self.learning_rate * rise * fall


@dataclass
class _Course:
    """What has become of one member so far."""

    member: int
    epochs: list[Epoch] = field(default_factory=list)
    best: Epoch = Epoch(0, math.inf, math.inf)

    def add(self, epoch: Epoch) -> None:
        """Note an epoch, and whether it is the best."""
        self.epochs.append(epoch)
        if epoch.validation < self.best.validation:
            self.best = epoch

    def ended(self, settings: Settings) -> bool:
        """Say whether this is enough."""
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
    report: Callable[[Pulse], object] = lambda _: None,
) -> Iterator[tuple[int, Fit]]:
    """Train members with AdamW until their validation log loss has not improved for long enough.

    No member's training depends on the others but for rounding: each has its own batches, noise,
    statistics, optimiser state and end.

    Parameters
    ----------
    network : nn.Module
        Of E members, features (E, R, D) to logits (E, R, K); trained in place. Members that have
        finished are taken out of it, so that it is of no use afterwards.
    runs : Examples
        On the device of the network, as are the rows and generators.
    training, validation : int64 Tensors of shape (E, number of rows)
        Rows of `runs`.
    loss : Loss
    settings : Settings
    generators : sequence of torch.Generator, length E
        Source of each member's shuffles and of its loss's noise; those of its random layers.
    names : sequence of str, length E
        What messages call the members.
    report : callable
        Called after each epoch.

    Yields
    ------
    pair of the number of a member and its Fit, as soon as it has finished

    Raises
    ------
    TrainingError
        If a loss is not a finite number; what other members have come to is then lost.
    """
    wave = _Wave(network, runs, training, validation, loss, settings, generators)
    courses = [_Course(member) for member in range(len(names))]
    lowest = math.inf
    for number in range(1, settings.epochs + 1):
        losses = zip(wave.train().tolist(), wave.validate().tolist(), strict=True)
        for course, (train_loss, score) in zip(courses, losses, strict=True):
            _check_finite(names[course.member], number, train_loss, score)
            course.add(Epoch(number, train_loss, score))
            lowest = min(lowest, score)
        wave.note_best([at for at, course in enumerate(courses) if course.best.number == number])
        ended = [at for at, course in enumerate(courses) if course.ended(settings)]
        report(Pulse(len(courses) - len(ended), number, lowest))
        for at in ended:
            member, epochs, best = courses[at].member, courses[at].epochs, courses[at].best
            yield member, Fit(wave.best_weights(at), best.validation, tuple(epochs))
        if len(ended) == len(courses):
            return
        if ended:
            going = [at for at in range(len(courses)) if at not in ended]
            courses = [courses[at] for at in going]
            wave.keep_only(going)


def _check_finite(name: str, number: int, train_loss: float, score: float) -> None:
    if not (math.isfinite(train_loss) and math.isfinite(score)):
        raise TrainingError(
            f"{name}, epoch {number}: the training loss is {train_loss} and the validation log "
            f"loss {score}; expected finite numbers; lower fitting.learning_rate"
        )


@dataclass
class _Wave:
    """Members that are still being fitted; for the fields, see :func:`fit`."""

    network: nn.Module
    runs: Examples
    training: Tensor
    validation: Tensor
    loss: Loss
    settings: Settings
    generators: Sequence[torch.Generator]

    def __post_init__(self) -> None:
        self.optimiser = torch.optim.AdamW(
            self.network.parameters(),
            self.settings.learning_rate,
            eps=self.settings.adam_epsilon,
            weight_decay=self.settings.weight_decay,
            fused=True,  # one pass over memory, which is what limits it
        )
        self.best = {name: value.clone() for name, value in self.network.state_dict().items()}
        self.steps = 0

    def train(self) -> Tensor:
        """Pass once over each member's runs in random order; mean loss over them, shape (E,)."""
        self.network.train()
        n_runs, batch_size = self.training.shape[1], self.settings.batch_size
        order = self._shuffle()
        noise = self.loss.draw_noise(n_runs, self.runs.labels.shape[1], self.generators)
        total = torch.zeros(len(order), device=order.device)
        for start in range(0, n_runs, batch_size):
            batch = slice(start, start + batch_size)
            rows = order[:, batch]
            logits = self.network(self.runs.features_of(rows))
            losses = self.loss(logits, self.runs.labels[rows], noise[:, batch])
            self.optimiser.zero_grad()
            # No weight is in the loss of two members, so this gives each its own gradient.
            losses.sum().backward()  # type: ignore[no-untyped-call]
            self._step(math.ceil(n_runs / batch_size))
            total += losses.detach() * rows.shape[1]
        return total / n_runs

    def _step(self, steps_per_epoch: int) -> None:
        done = self.steps / (steps_per_epoch * self.settings.epochs)
        for group in self.optimiser.param_groups:
            group["lr"] = self.settings.learning_rate_at(done)
        self.optimiser.step()
        self.steps += 1

    def _shuffle(self) -> Tensor:
        # Sorting random keys, since it takes all members at once.
        keys = torch.empty(self.training.shape, device=self.training.device)
        for of_member, generator in zip(keys, self.generators, strict=True):
            of_member.uniform_(generator=generator)
        return self.training.gather(1, keys.argsort(dim=1, stable=True))

    def validate(self) -> Tensor:
        """Validation log loss of each member, shape (E,)."""
        return evaluate(self.network, self.runs, self.validation)

    def note_best(self, members: list[int]) -> None:
        """Keep the present weights of some members as their best ones."""
        if not members:
            return
        noted = torch.zeros(len(self.generators), dtype=torch.bool, device=self.training.device)
        noted[members] = True
        for name, value in self.network.state_dict().items():
            best, mask = self.best[name], noted.view(-1, *[1] * (value.dim() - 1))
            torch.where(mask, value, best, out=best)  # one pass, and no memory but what is there

    def best_weights(self, member: int) -> Weights:
        """Copy the best weights of a member."""
        return _copy(self.best, member)

    def keep_only(self, members: list[int]) -> None:
        """Take all other members out, so that they cost nothing any more."""
        for parameter in self.network.parameters():
            parameter.data, parameter.grad = parameter.data[members], None
            state = self.optimiser.state[parameter]
            for name in ("exp_avg", "exp_avg_sq"):
                state[name] = state[name][members]
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
    """Mean over families of the log loss over the known labels of each member's rows.

    Parameters
    ----------
    network : nn.Module
        Of E members.
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
def predict_logits(network: nn.Module, features: NDArray[np.float32]) -> NDArray[np.float32]:
    """Logits that each member of a network gives: features (R, D) to (E, R, K)."""
    network.eval()
    members = count_members(network)
    parts = torch.split(torch.from_numpy(features), ROWS_AT_ONCE)
    return torch.cat([network(part.expand(members, -1, -1)) for part in parts], 1).numpy()


def predict(network: nn.Module, features: NDArray[np.float32]) -> NDArray[np.float32]:
    """Probabilities that each member of a network gives: features (R, D) to (E, R, K)."""
    return torch.sigmoid(torch.from_numpy(predict_logits(network, features))).numpy()


def get_weights(network: nn.Module, member: int) -> Weights:
    """Copy the whole state of one member of a network."""
    return _copy(network.state_dict(), member)


def set_weights(network: nn.Module, member: int, weights: Weights) -> None:
    """Put back what :func:`get_weights` gave, into any member of a network of the same kind."""
    for name, value in network.state_dict().items():
        value[member].copy_(torch.from_numpy(weights[name]))


def _copy(state: Mapping[str, Tensor], member: int) -> Weights:
    return {name: value[member].numpy(force=True).copy() for name, value in state.items()}
