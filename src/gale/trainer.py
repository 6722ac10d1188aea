"""All the fits of one fold: members, soups, trainings-on."""

from __future__ import annotations

import time
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn

from gale.errors import TrainingError
from gale.fitting import Epoch, Examples, Fit, Weights, evaluate, fit, set_weights
from gale.folds import Fold
from gale.journal import Journal, Step
from gale.logistic import fit_logistic
from gale.losses import Loss
from gale.networks.summary import prior_logit, summary_network
from gale.output import writing
from gale.progress import Progress
from gale.recipe import Recipe
from gale.soups import Member, average_weights, fixed_soup, greedy_soup, uniform_soup

Array = NDArray[np.float32]

HISTORY_SECONDS = 5.0
"""The history is written at most this often while a fold is trained, and at its end."""


def fits_per_fold(recipe: Recipe) -> int:
    """Number of fits that one fold needs."""
    if recipe.kind == "logistic":
        return 1
    soup = recipe.soup
    return soup.size + 2 * soup.iterations if soup.kind == "fixed" else soup.size


@dataclass
class FoldTrainer:
    """Fits all that one fold needs, each from a seed of its own."""

    recipe: Recipe
    seed: int
    number: int
    fold: Fold
    features: Array
    labels: Array
    journal: Journal
    history: Path | None
    progress: Progress

    def __post_init__(self) -> None:
        self._history_written = time.monotonic()
        self.training = self._examples(self.fold.training)
        self.validation = self._examples(self.fold.validation)

    def members(self) -> list[nn.Module]:
        """Networks with which this fold enters the ensemble."""
        if self.recipe.kind == "logistic":
            return [self.network(self._logistic().weights)]
        soup = self.recipe.soup
        if soup.kind == "fixed":
            mixed = fixed_soup(
                self.train,
                self.tune,
                average_weights,
                size=soup.size,
                iterations=soup.iterations,
            )
            return [self.network(mixed.weights)]
        members = [self.train(number) for number in range(soup.size)]
        if soup.kind == "none":
            return [self.network(member.weights) for member in members]
        mix = greedy_soup if soup.kind == "greedy" else uniform_soup
        return [self.network(mix(members, average_weights, self.evaluate).weights)]

    def train(self, number: int) -> Member[Weights]:
        """Train one member from its own random start."""
        return self._fit(Step(self.number, "member", number), None)

    def tune(self, iteration: int, weights: Weights) -> Member[Weights]:
        """Train on from given weights."""
        return self._fit(Step(self.number, "soup", iteration), weights)

    def evaluate(self, weights: Weights) -> float:
        """Validation log loss of given weights."""
        return evaluate(self.network(weights), self.validation)

    def _fit(self, step: Step, start: Weights | None) -> Member[Weights]:
        done = self.journal.fit(step, partial(self._compute, step, start))
        best = f"best validation log loss {done.validation:.4f}"
        self.progress.step(f"{_describe(step)}: {best} of {len(done.epochs)} epochs")
        if time.monotonic() - self._history_written > HISTORY_SECONDS:
            self.write_history()
        return Member(done.weights, done.validation)

    def _compute(self, step: Step, start: Weights | None) -> Fit:
        generator = _generator(self.seed, step)
        network = self._new_network(generator)
        if start is not None:
            set_weights(network, start)
        loss, fitting = self.recipe.loss, self.recipe.fitting

        def report(epoch: Epoch) -> None:
            self.progress.status(
                f"{_describe(step)}, epoch {epoch.number}: validation {epoch.validation:.4f}"
            )

        try:
            return fit(
                network,
                self.training,
                self.validation,
                Loss(loss.hinge, loss.label_correlation, loss.label_correlation_noise),
                learning_rate=fitting.learning_rate,
                adam_epsilon=fitting.adam_epsilon,
                batch_size=fitting.batch_size,
                epochs=fitting.epochs,
                patience=fitting.patience,
                generator=generator,
                report=report,
            )
        except TrainingError as error:
            raise TrainingError(f"{_describe(step)}, {error}") from None

    def _logistic(self) -> Member[Weights]:
        def compute() -> Fit:
            settings = self.recipe.logistic
            rows = self.fold.training
            weights = fit_logistic(
                self.features[rows],
                self.labels[rows],
                c=settings.c,
                max_iterations=settings.max_iterations,
            )
            return Fit(weights, self.evaluate(weights), ())

        done = self.journal.fit(Step(self.number, "member", 0), compute)
        self.progress.step(f"fold {self.number}: validation log loss {done.validation:.4f}")
        return Member(done.weights, done.validation)

    def _new_network(self, generator: torch.Generator | None = None) -> nn.Module:
        n_features, n_families = self.features.shape[1], self.labels.shape[1]
        if self.recipe.kind == "logistic":
            return nn.Linear(n_features, n_families)
        settings = self.recipe.network
        x = self.training.features
        return summary_network(
            n_features,
            n_families,
            hidden=settings.hidden,
            batch_norm=settings.batch_norm,
            layer_norm=settings.layer_norm,
            prior=prior_logit(self.labels[self.fold.training]) if settings.prior_bias else None,
            scale=(x.mean(0), x.std(0, correction=0)) if settings.standardise else None,
            generator=generator,
        )

    def network(self, weights: Weights) -> nn.Module:
        """Build the network that has given weights, ready to predict."""
        network = self._new_network()
        set_weights(network, weights)
        return network.eval()

    def _examples(self, rows: NDArray[np.int64]) -> Examples:
        return Examples(torch.from_numpy(self.features[rows]), torch.from_numpy(self.labels[rows]))

    def write_history(self) -> None:
        """Write the epochs of all finished fits, of the folds before as well."""
        self._history_written = time.monotonic()
        if self.history is not None:
            with writing(self.history, force=True) as temporary:
                self.journal.history().write_csv(temporary)


def _generator(seed: int, step: Step) -> torch.Generator:
    """A source of random numbers for one fit, whatever was fitted before it."""
    stage = ("member", "soup").index(step.stage)
    high, low = np.random.SeedSequence((seed, step.fold, stage, step.number)).generate_state(2)
    return torch.Generator().manual_seed((int(high) << 31) ^ int(low))


def _describe(step: Step) -> str:
    return f"fold {step.fold}, {step.stage} {step.number}"
