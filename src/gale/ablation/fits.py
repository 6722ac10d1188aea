"""All fits of an ablation; those of a step are fitted at once."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

from gale.ablation.curves import Soup
from gale.ablation.results import Training
from gale.ablation.scoring import ScoredRuns
from gale.ablation.steps import AblationStep
from gale.plumbing.progress import TimeLeft
from gale.training.cost import epoch_cost
from gale.training.fitting import Fit
from gale.training.journal import Step
from gale.training.members import FitWork, MemberFitter, fits_per_fold
from gale.training.recipe import Recipe


@dataclass
class Fits:
    """Fits and scores networks and soups; each training is a fold of its own, with the same runs.

    So each training has its own random numbers, whatever is fitted beside it. The network of the
    last step but one is also the first member of the training's soup, which has the same recipe.

    Parameters
    ----------
    steps : sequence of AblationStep
    scored : ScoredRuns
    trainings : int
    seed : int
    work : FitWork
    """

    steps: Sequence[AblationStep]
    scored: ScoredRuns
    trainings: int
    seed: int
    work: FitWork

    def __post_init__(self) -> None:
        *self._singles, self._soup = self.steps
        per_training = len(self._singles) - 1 + fits_per_fold(self._soup.recipe)
        clock = TimeLeft()
        self.work = replace(self.work, unit="training", clock=clock)
        self.work.progress.begin("training", self.trainings * per_training)
        self._soup_fitter = self._fitter(self._singles[-1].slug, self._soup.recipe)
        epochs, runs = self._soup.recipe.fitting.epochs, self.scored.runs
        cost = epoch_cost(self._soup.recipe, runs.spec, runs.labels.shape[1])
        for step in self._singles[:-1]:
            clock.expect(step.slug, self.trainings, epochs, cost)
        self._soup_fitter.announce(clock)

    def networks(self) -> Iterator[Training]:
        """Fit the networks of all steps but the last, those of a step at once, and score them."""
        for step in self._singles:
            last = step is self._singles[-1]
            fitter = self._soup_fitter if last else self._fitter(step.slug, step.recipe)
            members = self._steps(fitter, "member", range(1))
            fitter.fit(members)
            for member in members:
                fit = self._fit_of(member)
                probability = self.scored.probability(fitter, member.fold, fit.weights)
                scores = self.scored.scores(probability)
                yield Training(step.name, member.fold, scores, len(fit.epochs))

    def soups(self) -> Iterator[Soup]:
        """Fit the soups after the networks; only one soup at a time is in memory."""
        fitter, soup = self._soup_fitter, self._soup.recipe.soup
        members, tuned = range(soup.size + soup.iterations), range(soup.iterations)
        fitter.fit(self._steps(fitter, "member", members[1:]))
        fitter.fit(self._steps(fitter, "soup", tuned))
        self.work.progress.begin("scoring soups", self.trainings)
        for training in range(self.trainings):
            yield Soup(
                training,
                [self._fit_of(Step(training, "member", n, fitter.name)) for n in members],
                [self._fit_of(Step(training, "soup", n, fitter.name)) for n in tuned],
                fitter,
                self.scored,
            )
            self.work.progress.step()

    def _fitter(self, name: str, recipe: Recipe) -> MemberFitter:
        folds = [self.scored.fold] * self.trainings
        return MemberFitter(recipe, self.scored.runs, folds, self.seed, self.work, name=name)

    def _steps(self, fitter: MemberFitter, stage: str, numbers: range) -> list[Step]:
        """List fits of all trainings."""
        trainings = range(self.trainings)
        return [Step(training, stage, n, fitter.name) for training in trainings for n in numbers]

    def _fit_of(self, step: Step) -> Fit:
        fit = self.work.journal.find(step)
        assert fit is not None
        return fit
