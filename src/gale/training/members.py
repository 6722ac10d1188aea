"""All the fits of a training: members of all folds, soups, trainings-on."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn

from gale.features.spec import FeatureSpec
from gale.plumbing.files import writing
from gale.plumbing.progress import Progress, TimeLeft
from gale.training.fitting import (
    Examples,
    Fit,
    Pulse,
    Settings,
    Weights,
    evaluate,
    get_weights,
    set_weights,
)
from gale.training.folds import Fold
from gale.training.journal import Journal, Step
from gale.training.logistic import fit_logistic
from gale.training.losses import Loss
from gale.training.networks.build import build_network, columns_of, scale_of
from gale.training.networks.summary import prior_logit
from gale.training.recipe import Part
from gale.training.settings import FittingSettings
from gale.training.soups import (
    Member,
    average_weights,
    fixed_soups,
    greedy_soup,
    interpolate,
    uniform_soup,
)
from gale.training.waves import Job, fit_all

Array = NDArray[np.float32]

HISTORY_SECONDS = 5.0
"""The history is written at most this often while members are trained."""


def fits_per_fold(part: Part) -> int:
    """Number of fits that one fold of a part needs."""
    if part.kind == "logistic":
        return 1
    soup = part.soup
    return soup.size + 2 * soup.iterations if soup.kind == "fixed" else soup.size


@dataclass
class Trainer:
    """Fits all that the folds of a part of a recipe need, each from a seed of its own.

    Parameters
    ----------
    part : Part
    spec : FeatureSpec
    seed : int
    folds : sequence of Fold, length F
    features : array of shape (R, D)
        All features of the spec; the part sees those that it is given by :func:`columns_of`.
    labels : array of shape (R, K)
    journal : Journal
        Where finished fits are kept, and found.
    history : Path or None
        A CSV file of their epochs.
    progress : Progress
    device : torch.device
    start : mapping of str to array, optional
        Weights that all members begin with, NaN where those of the fold are better; random ones
        otherwise.
    name : str
        What messages and the history call the part; empty if there is no other.
    unit : str
        What messages call a fold.
    clock : TimeLeft, optional
        Of a longer work that these fits belong to; by default one of these fits alone.
    """

    part: Part
    spec: FeatureSpec
    seed: int
    folds: Sequence[Fold]
    features: Array
    labels: Array
    journal: Journal
    history: Path | None
    progress: Progress
    device: torch.device = field(default_factory=lambda: torch.device("cpu"))
    start: Weights | None = None
    name: str = ""
    unit: str = "fold"
    clock: TimeLeft | None = None

    def __post_init__(self) -> None:
        self.features = self.features[:, columns_of(self.part, self.spec)]
        self._scores: dict[Step, float] = {}
        self._history_pause = HISTORY_SECONDS
        self._averaged: tuple[list[Step], Weights] = [], {}
        self._history_written = time.monotonic()
        self._clock = self.clock or TimeLeft(len(self.folds) * fits_per_fold(self.part))
        features, labels = torch.tensor(self.features), torch.tensor(self.labels)
        self._runs = Examples(features.to(self.device), labels.to(self.device))
        self._priors = [prior_logit(self.labels[fold.training]) for fold in self.folds]
        self._scales = [scale_of(self.part, self.features[fold.training]) for fold in self.folds]

    def members(self) -> list[list[Weights]]:
        """Weights of the members with which each fold enters the ensemble."""
        try:
            if self.part.kind == "logistic":
                return [[self._logistic(fold)] for fold in range(len(self.folds))]
            self.fit(self._steps("member"))
            self.fit(self._steps("soup"))
        finally:
            if self._scores:
                self.write_history()
        return [self._mix(fold) for fold in range(len(self.folds))]

    def interpolated(self, of_folds: list[list[Weights]], share: float) -> list[list[Weights]]:
        """Draw the weights of members back to those that they began with; 1 leaves them there."""
        if self.start is None or share == 1:
            return of_folds
        begun = map(self._begin, range(len(of_folds)))
        return [
            [interpolate(start, weights, share) for weights in of_fold]
            for start, of_fold in zip(begun, of_folds, strict=True)
        ]

    def _steps(self, stage: str, fold: int | None = None) -> list[Step]:
        """All steps of a stage, of all folds or of one."""
        soup = self.part.soup
        iterations = soup.iterations if soup.kind == "fixed" else 0
        count = soup.size + iterations if stage == "member" else iterations
        if self.part.kind == "logistic":
            count = int(stage == "member")
        folds = range(len(self.folds)) if fold is None else [fold]
        return [Step(fold, stage, number, self.name) for fold in folds for number in range(count)]

    def fit(self, steps: Sequence[Step]) -> None:
        """Fit, at once, what the journal does not hold of these steps.

        Those of stage ``soup`` train on from the average of members that were fitted before.
        """
        missing = []
        for step in steps:
            found = self.journal.find(step)
            if found is None:
                missing.append(step)
            else:
                self._clock.skip()
                self._finish(step, found)
        fitting = self.part.fitting
        for number, done in fit_all(
            [self._job(step) for step in missing],
            lambda jobs, generators: self._build([missing[job].fold for job in jobs], generators),
            self._runs,
            self.loss(),
            settings_of(fitting, min(len(fold.training) for fold in self.folds)),
            self._report,
        ):
            self.journal.keep(missing[number], done)
            self._clock.add(len(done.epochs))
            self._finish(missing[number], done)

    def loss(self) -> Loss:
        """The loss of the part, which all its fits minimise; a subclass may have another."""
        loss = self.part.loss
        return Loss(loss.hinge, loss.label_correlation, loss.label_correlation_noise)

    def weights(self, step: Step) -> Weights:
        """Weights of a finished fit."""
        fit = self.journal.find(step)
        assert fit is not None
        return fit.weights

    def evaluate(self, fold: int, weights: Weights) -> float:
        """Log loss of given weights on the validation runs of a fold."""
        network = self.network([fold], [weights]).to(self.device)
        rows = torch.from_numpy(self.folds[fold].validation[None]).to(self.device)
        return evaluate(network, self._runs, rows).item()

    def network(self, folds: Sequence[int], weights: Sequence[Weights]) -> nn.Module:
        """Build the network of members with given weights, each of a fold, on the CPU."""
        network = self._build(folds, [torch.Generator() for _ in folds])
        for member, of_member in enumerate(weights):
            set_weights(network, member, of_member)
        return network.eval()

    def write_history(self) -> None:
        """Write the epochs of all finished fits."""
        started = time.monotonic()
        if self.history is not None:
            with writing(self.history, force=True) as temporary:
                self.journal.history().write_csv(temporary)
        self._history_written = time.monotonic()
        self._history_pause = max(HISTORY_SECONDS, 20 * (self._history_written - started))

    def _mix(self, fold: int) -> list[Weights]:
        """Make the members of a fold into those that enter the ensemble."""
        soup = self.part.soup
        if soup.kind == "fixed":
            tuned = self._steps("soup", fold)
            return [self.weights(min(tuned, key=self._scores.__getitem__))]
        steps = self._steps("member", fold)
        if soup.kind == "none":
            return [self.weights(step) for step in steps]
        mix = greedy_soup if soup.kind == "greedy" else uniform_soup
        members = [Member(self.weights(step), self._scores[step]) for step in steps]
        return [mix(members, average_weights, partial(self.evaluate, fold)).weights]

    def _job(self, step: Step) -> Job:
        fold = self.folds[step.fold]
        start: Callable[[], Weights] | None = partial(self._average, step)
        if step.stage == "member":
            start = None if self.start is None else partial(self._begin, step.fold)
        name = describe(step, self.unit)
        return Job(name, fold.training, fold.validation, _seed(self.seed, step), start)

    def _begin(self, fold: int) -> Weights:
        """The weights that members begin with, and the fold's own where there are none."""
        own = get_weights(self._build([fold], [torch.Generator()]), 0)
        start = self.start or {}
        return {name: np.where(np.isnan(start[name]), own[name], start[name]) for name in own}

    def _average(self, step: Step) -> Weights:
        """Average the soup of an iteration."""
        members = self._steps("member", step.fold)
        scores = [self._scores[member] for member in members]
        soup = [members[i] for i in fixed_soups(scores, self.part.soup.size)[step.number]]
        if self._averaged[0] != soup:  # a soup stays as it is where a candidate was not better
            self._averaged = soup, average_weights([self.weights(member) for member in soup])
        return self._averaged[1]

    def _finish(self, step: Step, done: Fit) -> None:
        self._scores[step] = done.validation
        best = f"best validation log loss {done.validation:.4f}"
        name = describe(step, self.unit)
        self.progress.step(f"{name}: {best} of {len(done.epochs)} epochs")
        if time.monotonic() - self._history_written > self._history_pause:
            self.write_history()

    def _report(self, pulse: Pulse) -> None:
        left = math.ceil(self._clock.left(pulse.alive, pulse.epoch) / 60)
        self.progress.status(
            f"{pulse.alive} members, epoch {pulse.epoch}, best {pulse.best:.4f}, {left} min left"
        )

    def _logistic(self, number: int) -> Weights:
        step, fold, settings = (
            self._steps("member", number)[0],
            self.folds[number],
            self.part.logistic,
        )
        done = self.journal.find(step)
        if done is None:
            weights = fit_logistic(
                self.features[fold.training],
                self.labels[fold.training],
                c=settings.c,
                max_iterations=settings.max_iterations,
                scale=settings.standardise == "full",
            )
            done = Fit(weights, self.evaluate(number, weights), ())
            self.journal.keep(step, done)
        self._scores[step] = done.validation
        fold_name = f"{self.name} {self.unit} {number}".lstrip()
        self.progress.step(f"{fold_name}: validation log loss {done.validation:.4f}")
        return done.weights

    def _build(self, folds: Sequence[int], generators: Sequence[torch.Generator]) -> nn.Module:
        return build_network(
            self.part,
            self.spec,
            generators,
            priors=[self._priors[fold] for fold in folds],
            scales=[self._scales[fold] for fold in folds],
        )


def settings_of(fitting: FittingSettings, n_runs: int) -> Settings:
    """How a fit to so many runs is done, as a recipe says it."""
    return Settings(
        fitting.learning_rate,
        fitting.adam_epsilon,
        fitting.batch_size,
        *fitting.lasting(n_runs),
        fitting.weight_decay,
        fitting.schedule,
    )


def _seed(seed: int, step: Step) -> int:
    """The seed of one fit, whatever was fitted before it."""
    stage = ("member", "soup").index(step.stage)
    entropy = (seed, step.fold, stage, step.number, *step.part.encode())
    high, low = np.random.SeedSequence(entropy).generate_state(2)
    return (int(high) << 31) ^ int(low)


def describe(step: Step, unit: str = "fold") -> str:
    """Name a step in messages, which call a fold `unit`."""
    return f"{step.part} {unit} {step.fold}, {step.stage} {step.number}".lstrip()
