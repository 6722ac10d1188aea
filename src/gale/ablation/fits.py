"""All the fits of an ablation, those of a step at once."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import torch

from gale.ablation.curves import Soup
from gale.ablation.results import Training
from gale.ablation.scoring import ScoredRuns
from gale.ablation.steps import AblationStep
from gale.features.spec import FeatureSpec
from gale.plumbing.progress import Progress, TimeLeft
from gale.training.fitting import Fit
from gale.training.journal import Journal, Step
from gale.training.members import Trainer, fits_per_fold
from gale.training.recipe import Recipe


@dataclass
class Fits:
    """Fits and scores networks and soups; each training is a fold of its own, of the same runs.

    So each has its own random numbers, whatever else is fitted beside it. The network that a
    training of the last step but one comes to is the first member of the soup of this training,
    whose recipe it has.

    Parameters
    ----------
    steps : sequence of AblationStep
    spec : FeatureSpec
    scored : ScoredRuns
    trainings : int
    seed : int
    journal : Journal
    progress : Progress
    device : torch.device
    """

    steps: Sequence[AblationStep]
    spec: FeatureSpec
    scored: ScoredRuns
    trainings: int
    seed: int
    journal: Journal
    progress: Progress
    device: torch.device

    def __post_init__(self) -> None:
        *self._singles, self._soup = self.steps
        per_training = len(self._singles) - 1 + fits_per_fold(self._soup.recipe)
        self._clock = TimeLeft(self.trainings * per_training)
        self.progress.begin("training", self.trainings * per_training)
        self._of_soup = self._trainer(self._singles[-1].slug, self._soup.recipe)

    def networks(self) -> Iterator[Training]:
        """Fit the networks of all steps but the last, those of a step at once, and score them."""
        for step in self._singles:
            last = step is self._singles[-1]
            trainer = self._of_soup if last else self._trainer(step.slug, step.recipe)
            members = self._steps(trainer, "member", range(1))
            trainer.fit(members)
            for member in members:
                fit = self._found(member)
                probability = self.scored.probability(trainer, member.fold, fit.weights)
                scores = self.scored.scores(probability)
                yield Training(step.name, member.fold, scores, len(fit.epochs))

    def soups(self) -> Iterator[Soup]:
        """Fit the soups, once the networks are fitted; one is in memory at a time."""
        trainer, soup = self._of_soup, self._soup.recipe.soup
        members, tuned = range(soup.size + soup.iterations), range(soup.iterations)
        trainer.fit(self._steps(trainer, "member", members[1:]))
        trainer.fit(self._steps(trainer, "soup", tuned))
        self.progress.begin("scoring soups", self.trainings)
        for training in range(self.trainings):
            yield Soup(
                training,
                [self._found(Step(training, "member", n, trainer.name)) for n in members],
                [self._found(Step(training, "soup", n, trainer.name)) for n in tuned],
                trainer,
                self.scored,
            )
            self.progress.step()

    def _trainer(self, name: str, recipe: Recipe) -> Trainer:
        return Trainer(
            recipe,
            self.spec,
            self.seed,
            [self.scored.fold] * self.trainings,
            self.scored.features,
            self.scored.labels,
            self.journal,
            None,
            self.progress,
            self.device,
            name=name,
            unit="training",
            clock=self._clock,
        )

    def _steps(self, trainer: Trainer, stage: str, numbers: range) -> list[Step]:
        """Fits of all trainings."""
        trainings = range(self.trainings)
        return [Step(training, stage, n, trainer.name) for training in trainings for n in numbers]

    def _found(self, step: Step) -> Fit:
        fit = self.journal.find(step)
        assert fit is not None
        return fit
