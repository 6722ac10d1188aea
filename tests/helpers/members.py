"""Fits of a part of a recipe, on made-up features."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from gale.features.summary import SummarySpec
from gale.plumbing.progress import Progress
from gale.training.fitting import Fit, Weights
from gale.training.folds import Fold
from gale.training.journal import Journal, Step
from gale.training.members import FitWork, MemberFitter
from gale.training.recipe import Recipe
from gale.training.runs import LabelledRuns

SPEC = SummarySpec((10, 12))
N_RUNS, N_FEATURES, N_FAMILIES = 60, SPEC.n_features, 3
RANDOM = np.random.default_rng(0)
FEATURES = RANDOM.normal(3, 2, (N_RUNS, N_FEATURES)).astype(np.float32)
LABELS = (FEATURES[:, :N_FAMILIES] + RANDOM.normal(0, 1, (N_RUNS, N_FAMILIES)) > 4).astype(
    np.float32
)
FOLDS = [Fold(np.arange(40), np.arange(40, N_RUNS)), Fold(np.arange(20, N_RUNS), np.arange(20)),
         Fold(np.arange(10, N_RUNS), np.arange(10))]  # fmt: skip

STEADY = {"adam_epsilon": 1e-4}
"""The bias of a layer before BatchNorm has a gradient of 0 but for rounding, which Adam blows up to
a step of any size unless its epsilon is larger than that."""


class Steps(Progress):
    """Records the texts of steps and statuses."""

    def __init__(self) -> None:
        self.texts: list[str] = []
        self.states: list[str] = []

    def step(self, text: str = "") -> None:
        self.texts.append(text)

    def status(self, text: str) -> None:
        self.states.append(text)


def fitter(
    recipe: Recipe, *, seed: int = 0, folds: Sequence[Fold] = FOLDS[:1], labels: Any = LABELS,
    journal: Journal | None = None, name: str = "", **work: Any,
) -> MemberFitter:  # fmt: skip
    """The fitter of a recipe, and a recorder of its progress; `work` has more of `FitWork`."""
    fit_work = FitWork(journal or Journal(), Steps(), **work)
    runs = LabelledRuns(SPEC, FEATURES, labels)
    return MemberFitter(recipe, runs, folds, seed, fit_work, name=name)


def flat(weights: Weights) -> Any:
    return np.concatenate([value.ravel() for value in weights.values()])


def fitted(one: MemberFitter, step: Step) -> Fit:
    """The fit of a step, after it has been fitted if it was not yet."""
    if one.work.journal.find(step) is None:
        one.fit([step])
    done = one.work.journal.find(step)
    assert done is not None
    return done


def member(one: MemberFitter, number: int) -> Fit:
    return fitted(one, Step(0, "member", number))


def train_on(recipe: Recipe, iteration: int, start: Weights) -> Fit:
    """Train on from given weights: the soup of members that are all these."""
    one = fitter(recipe)
    steps = [Step(0, "member", i) for i in range(recipe.soup.size + recipe.soup.iterations)]
    for step in steps:
        one.work.journal.keep(step, Fit(start, 0.5, ()))
    one.fit(steps)
    return fitted(one, Step(0, "soup", iteration))
