"""Soups and an ensemble against the iterations of a FixedSoup, made of the same networks.

After i iterations of a soup of n members, n + i networks have been fitted.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property, partial

from gale.ablation.results import ENSEMBLE, LogLosses, Point, Training
from gale.ablation.scoring import ScoredRuns, mean_of
from gale.ablation.steps import SOUP
from gale.run import Floats
from gale.training.fitting import Fit, Weights
from gale.training.members import MemberFitter
from gale.training.soups import Member, average_weights, fixed_soups, greedy_soup


@dataclass(frozen=True)
class Soup:
    """The fits of one FixedSoup.

    Parameters
    ----------
    training : int
        Number of the training.
    members : sequence of Fit
        The first members of the soup, then one for each iteration.
    tuned : sequence of Fit
        The fit of each iteration that trains on from the soup's average.
    fitter : MemberFitter
        It made all the fits.
    scored : ScoredRuns
    """

    training: int
    members: Sequence[Fit]
    tuned: Sequence[Fit]
    fitter: MemberFitter
    scored: ScoredRuns

    def points(self) -> Iterator[Point]:
        """Score each method after each iteration, from 0; FixedSoup from 1."""
        for iteration in range(len(self.tuned) + 1):
            scores = {
                "greedy_soup": self._scores(self._greedy(iteration)),
                "ensemble": self.scored.scores(mean_of(self._best(iteration))),
                "soup_average": self._scores(self._average(iteration)),
            }
            if iteration:
                scores["fixed_soup"] = self._scores(self._fixed(iteration))
            for method, log_losses in scores.items():
                yield Point(method, iteration, self.training, log_losses)

    def result(self) -> Training:
        """Score the FixedSoup after all iterations, and count the epochs of all its fits."""
        epochs = sum(len(fit.epochs) for fit in (*self.members, *self.tuned))
        return Training(SOUP, self.training, self._scores(self._fixed(len(self.tuned))), epochs)

    @property
    def _size(self) -> int:
        return len(self.members) - len(self.tuned)

    def _scores(self, weights: Weights) -> LogLosses:
        return self.scored.scores(self._probability(weights))

    def _probability(self, weights: Weights) -> Floats:
        return self.scored.probability(self.fitter, self.training, weights)

    def _fixed(self, iteration: int) -> Weights:
        return min(self.tuned[:iteration], key=_validation).weights

    def _greedy(self, iteration: int) -> Weights:
        fits = self.members[: self._size + iteration]
        members = [Member(fit.weights, fit.validation) for fit in fits]
        evaluate = partial(self.fitter.evaluate, self.training)
        return greedy_soup(members, average_weights, evaluate).weights

    def _best(self, iteration: int) -> list[Floats]:
        order = range(self._size + iteration)
        best = sorted(order, key=lambda number: self.members[number].validation)[:ENSEMBLE]
        return [self._member_probabilities[number] for number in best]

    def _average(self, iteration: int) -> Weights:
        soups = [tuple(range(self._size)), *fixed_soups(self._validations, self._size)]
        return average_weights([self.members[number].weights for number in soups[iteration]])

    @cached_property
    def _member_probabilities(self) -> list[Floats]:
        return [self._probability(fit.weights) for fit in self.members]

    @property
    def _validations(self) -> list[float]:
        return [fit.validation for fit in self.members]


def _validation(fit: Fit) -> float:
    return fit.validation
