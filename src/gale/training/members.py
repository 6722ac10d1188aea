"""Members: all fits of a part of a recipe, over all folds, and the soups made of them."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from concurrent.futures import Executor
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

import numpy as np
import torch
from torch import nn

from gale.plumbing.files import write_csv, writing
from gale.plumbing.progress import Progress, TimeLeft
from gale.plumbing.text import counted
from gale.plumbing.workers import Beginning
from gale.training.cost import epoch_cost
from gale.training.fitting import (
    Examples,
    Fit,
    FittingStatus,
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
from gale.training.networks.build import (
    blocks_of,
    build_network,
    columns_of,
    mixture_of,
    scale_of,
)
from gale.training.networks.summary import prior_logit
from gale.training.recipe import Part
from gale.training.runs import LabelledRuns
from gale.training.settings import FittingSettings
from gale.training.shipped import shipped_weights
from gale.training.soups import (
    Member,
    average_weights,
    fixed_soups,
    greedy_soup,
    interpolate,
    uniform_soup,
)
from gale.training.waves import Job, fit_all

HISTORY_SECONDS = 5.0
"""Shortest time between two writings of the history while members train."""


def fits_per_fold(part: Part) -> int:
    """Count the fits that one fold of a part needs."""
    if part.kind != "network":
        return int(part.kind == "logistic")
    soup = part.soup
    return soup.size + 2 * soup.iterations if soup.kind == "fixed" else soup.size


@dataclass(frozen=True)
class FitWork:
    """How and where fits are done, as `gale.Work` is for runs.

    Parameters
    ----------
    journal : Journal
        Has the finished fits.
    progress : Progress
    device : torch.device
    history : str or Path, optional
        A CSV file of the epochs of all finished fits.
    unit : str
        What messages call a fold.
    clock : TimeLeft, optional
        Estimates the time left of the longer work these fits belong to; by default, of these fits.
    executor : Executor, optional
        Fits networks on a CPU in its workers if it is a `gale.plumbing.workers.Beginning`.
    """

    journal: Journal = field(default_factory=Journal)
    progress: Progress = field(default_factory=Progress)
    device: torch.device = field(default_factory=lambda: torch.device("cpu"))
    history: str | Path | None = None
    unit: str = "fold"
    clock: TimeLeft | None = None
    executor: Executor | None = None


@dataclass
class MemberFitter:
    """Fits the members of a part of a recipe; each fit has a seed of its own.

    Parameters
    ----------
    part : Part
    runs : LabelledRuns
        With all features; the members see those of :func:`columns_of`, in `features`.
    folds : sequence of Fold, length F
        With rows of `runs`.
    seed : int
    work : FitWork
    start : mapping of str to array, optional
        Weights that all members begin with; NaN stands for the fold's own. By default, initial
        weights are random.
    name : str
        Name of the part in messages and the history; empty if it is the only one.
    """

    part: Part
    runs: LabelledRuns
    folds: Sequence[Fold]
    seed: int
    work: FitWork
    start: Weights | None = None
    name: str = ""

    def __post_init__(self) -> None:
        self.features = self.runs.features[:, columns_of(self.part, self.runs.spec)]
        self._scores: dict[Step, float] = {}
        self._history_pause = HISTORY_SECONDS
        self._averaged: tuple[list[Step], Weights] = [], {}
        self._history_written = time.monotonic()
        self.clock = self.work.clock or TimeLeft()
        if self.work.clock is None:
            self.announce(self.clock)
        # on the CPU, tensors of features share the memory of the array
        features, labels = torch.from_numpy(self.features), torch.tensor(self.runs.labels)
        self._examples = Examples(features.to(self.work.device), labels.to(self.work.device))
        self._priors = [prior_logit(self.runs.labels[fold.training]) for fold in self.folds]
        self._scales = [
            scale_of(self.part, self.runs.spec, self.features, fold.training) for fold in self.folds
        ]

    @property
    def n_fits(self) -> int:
        """Count the fits that all folds need."""
        return len(self.folds) * fits_per_fold(self.part)

    def announce(self, clock: TimeLeft) -> None:
        """Tell a clock how many fits there will be, how long they may be, and what they cost."""
        n_runs = min(len(fold.training) for fold in self.folds)
        epochs, _ = self.part.fitting.epochs_and_patience(n_runs)
        if self.part.kind == "network":
            cost = epoch_cost(self.part, self.runs.spec, self.runs.labels.shape[1])
            clock.expect(self.name, self.n_fits, epochs, cost)

    def members(self) -> list[list[Weights]]:
        """Fit everything, and return the weights of each fold's members of the ensemble."""
        if self.part.kind == "matching":
            shipped = shipped_weights(self.part, self.runs.spec, self.runs.families)
            weights = {name: np.nan_to_num(array) for name, array in shipped.items()}
            return [[weights] for _ in self.folds]
        try:
            if self.part.kind == "logistic":
                return [[self._logistic(fold)] for fold in range(len(self.folds))]
            self.fit(self._steps("member"))
            self.fit(self._steps("soup"))
        finally:
            if self._scores:
                self.write_history()
        return [self._mix(fold) for fold in range(len(self.folds))]

    def interpolated(self, members: list[list[Weights]], share: float) -> list[list[Weights]]:
        """Draw the weights of each fold's members back to their start; share 1 changes nothing."""
        if self.start is None or share == 1:
            return members
        starts = map(self._start_weights, range(len(members)))
        return [
            [interpolate(start, weights, share) for weights in fold_members]
            for start, fold_members in zip(starts, members, strict=True)
        ]

    def fit(self, steps: Sequence[Step]) -> None:
        """Fit at once all of these steps that the journal does not have.

        Steps of stage ``soup`` train on from the average of members that must be fitted already.
        """
        missing = []
        for step in steps:
            fit = self.work.journal.find(step)
            if fit is None:
                missing.append(step)
            else:
                self.clock.skip(self.name)
                self._finish(step, fit)
        fitting = self.part.fitting
        for number, fit in fit_all(
            [self._job(step) for step in missing],
            lambda jobs, generators: self._build([missing[job].fold for job in jobs], generators),
            self._examples,
            self.loss(),
            settings_of(fitting, min(len(fold.training) for fold in self.folds)),
            self._report,
            mixture_of(self.part, self.runs.spec),
            self.work.executor.begun if isinstance(self.work.executor, Beginning) else None,
        ):
            self.work.journal.keep(missing[number], fit)
            self.clock.add(self.name, len(fit.epochs))
            self._finish(missing[number], fit)

    def loss(self) -> Loss:
        """Return the loss that all fits of the part minimise; a subclass may have another."""
        loss = self.part.loss
        return Loss(loss.hinge, loss.label_correlation, loss.label_correlation_noise)

    def weights(self, step: Step) -> Weights:
        """Return the weights of a finished fit."""
        fit = self.work.journal.find(step)
        assert fit is not None
        return fit.weights

    def evaluate(self, fold: int, weights: Weights) -> float:
        """Return the log loss of weights on the validation runs of a fold."""
        network = self.network([fold], [weights]).to(self.work.device)
        rows = torch.from_numpy(self.folds[fold].validation[None]).to(self.work.device)
        return evaluate(network, self._examples, rows).item()

    def network(self, folds: Sequence[int], weights: Sequence[Weights]) -> nn.Module:
        """Build the network of members with these weights and of these folds, on the CPU."""
        network = self._build(folds, [torch.Generator() for _ in folds])
        for member, member_weights in enumerate(weights):
            set_weights(network, member, member_weights)
        return network.eval()

    def write_history(self) -> None:
        """Write the epochs of all finished fits."""
        started = time.monotonic()
        if self.work.history is not None:
            with writing(Path(self.work.history), force=True) as temporary:
                write_csv(self.work.journal.history(), temporary)
        self._history_written = time.monotonic()
        self._history_pause = max(HISTORY_SECONDS, 20 * (self._history_written - started))

    def _steps(self, stage: str, fold: int | None = None) -> list[Step]:
        """List all steps of a stage, of all folds or of one."""
        soup = self.part.soup
        iterations = soup.iterations if soup.kind == "fixed" else 0
        count = soup.size + iterations if stage == "member" else iterations
        if self.part.kind == "logistic":
            count = int(stage == "member")
        folds = range(len(self.folds)) if fold is None else [fold]
        return [Step(fold, stage, number, self.name) for fold in folds for number in range(count)]

    def _mix(self, fold: int) -> list[Weights]:
        """Make the fitted members of a fold into those of the ensemble."""
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
            start = None if self.start is None else partial(self._start_weights, step.fold)
        name = _describe(step, self.work.unit)
        return Job(name, fold.training, fold.validation, _seed(self.seed, step), start)

    def _start_weights(self, fold: int) -> Weights:
        """Return the weights that members begin with; those of the fold where `start` is NaN."""
        own = get_weights(self._build([fold], [torch.Generator()]), 0)
        start = self.start or {}
        return {name: np.where(np.isnan(start[name]), own[name], start[name]) for name in own}

    def _average(self, step: Step) -> Weights:
        """Average the soup of an iteration."""
        members = self._steps("member", step.fold)
        scores = [self._scores[member] for member in members]
        soup = [members[i] for i in fixed_soups(scores, self.part.soup.size)[step.number]]
        if self._averaged[0] != soup:  # consecutive iterations often have the same soup
            self._averaged = soup, average_weights([self.weights(member) for member in soup])
        return self._averaged[1]

    def _finish(self, step: Step, fit: Fit) -> None:
        self._scores[step] = fit.validation
        epochs = counted(len(fit.epochs), "epoch")
        name = _describe(step, self.work.unit)
        self.work.progress.step(
            f"{name}: lowest validation log loss {fit.validation:.4f} in {epochs}"
        )
        if time.monotonic() - self._history_written > self._history_pause:
            self.write_history()

    def _report(self, status: FittingStatus) -> None:
        left = self.clock.text(self.name, status.active, status.epoch)
        members = counted(status.active, "member")
        self.work.progress.status(
            f"{members}, epoch {status.epoch}, lowest log loss {status.lowest:.4f}, {left}"
        )

    def _logistic(self, number: int) -> Weights:
        (step,) = self._steps("member", number)
        fold, settings = self.folds[number], self.part.logistic
        fit = self.work.journal.find(step)
        if fit is None:
            weights = fit_logistic(
                self.features,
                self.runs.labels,
                rows=fold.training,
                c=settings.c,
                max_iterations=settings.max_iterations,
                scale=settings.standardise == "full",
                blocks=blocks_of(self.part, self.runs.spec),
            )
            fit = Fit(weights, self.evaluate(number, weights), ())
            self.work.journal.keep(step, fit)
        self._scores[step] = fit.validation
        name = f"{self.name} {self.work.unit} {number}".lstrip()
        self.work.progress.step(f"{name}: validation log loss {fit.validation:.4f}")
        return fit.weights

    def _build(self, folds: Sequence[int], generators: Sequence[torch.Generator]) -> nn.Module:
        return build_network(
            self.part,
            self.runs.spec,
            generators,
            priors=[self._priors[fold] for fold in folds],
            scales=[self._scales[fold] for fold in folds],
            families=self.runs.families,
        )


def announce(fitters: Sequence[MemberFitter], progress: Progress) -> None:
    """Tell progress and clock of all fits of a training, before the first."""
    progress.begin("training", sum(fitter.n_fits for fitter in fitters))
    for fitter in fitters:
        fitter.announce(fitter.clock)


def settings_of(fitting: FittingSettings, n_runs: int) -> Settings:
    """Make the settings of a fit to `n_runs` runs from those of a recipe."""
    return Settings(
        fitting.learning_rate,
        fitting.adam_epsilon,
        fitting.batch_size,
        *fitting.epochs_and_patience(n_runs),
        fitting.weight_decay,
        fitting.schedule,
    )


def _seed(seed: int, step: Step) -> int:
    """Return the seed of a fit, which does not depend on other fits."""
    stage = ("member", "soup").index(step.stage)
    entropy = (seed, step.fold, stage, step.number, *step.part.encode())
    high, low = np.random.SeedSequence(entropy).generate_state(2)
    return (int(high) << 31) ^ int(low)


def _describe(step: Step, unit: str = "fold") -> str:
    """Name a step in messages, which call a fold `unit`."""
    return f"{step.part} {unit} {step.fold}, {step.stage} {step.number}".lstrip()
