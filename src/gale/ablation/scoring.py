"""The log losses of an ablation: networks and their averages, on val and on test."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.special import expit

from gale.ablation.results import SPLITS, LogLosses
from gale.evaluation import metrics
from gale.run import Floats
from gale.training.fitting import Weights, predict_logits
from gale.training.folds import Fold
from gale.training.members import MemberFitter
from gale.training.networks.summary import prior_logit
from gale.training.runs import LabelledRuns, TrainingRuns


@dataclass(frozen=True)
class ScoredRuns:
    """Runs that networks are fitted to and scored on: train and val, then test.

    Parameters
    ----------
    runs : LabelledRuns
    fold : Fold
        Rows of train and val.
    test : array of int
        Rows of test; may be empty.
    """

    runs: LabelledRuns
    fold: Fold
    test: NDArray[np.int64]

    @classmethod
    def of(cls, runs: TrainingRuns, fold: Fold, test: TrainingRuns | None) -> ScoredRuns:
        """Join the runs of train and val, whose rows `fold` has, with those of test."""
        both = [runs] if test is None else [runs, test]
        features = np.concatenate([each.features for each in both])
        labels = np.concatenate([each.labels for each in both])
        joined = LabelledRuns(runs.spec, features, labels)
        return cls(joined, fold, np.arange(len(runs.labels), len(labels)))

    @property
    def rows(self) -> NDArray[np.int64]:
        """Rows that are scored: those of val, then those of test."""
        return np.concatenate([self.fold.validation, self.test])

    def probability(self, fitter: MemberFitter, training: int, weights: Weights) -> Floats:
        """Predict the runs of :attr:`rows` with a network, shape (number of rows, K)."""
        network = fitter.network([training], [weights])
        logits = predict_logits(network, fitter.features, self.rows)[0]
        return sigmoid(logits)

    def scores(self, probability: Floats) -> LogLosses:
        """Score probabilities of the runs of :attr:`rows`."""
        n_val, labels = len(self.fold.validation), self.runs.labels[self.rows]
        parts = (slice(0, n_val), slice(n_val, None))
        return {
            split: metrics.log_loss(labels[part], probability[part]) if len(labels[part]) else None
            for split, part in zip(SPLITS, parts, strict=True)
        }

    def prior(self) -> LogLosses:
        """Score the training prevalence as the prediction of every run."""
        prior = sigmoid(prior_logit(self.runs.labels[self.fold.training]).numpy())
        shape = (len(self.rows), self.runs.labels.shape[1])
        return self.scores(np.broadcast_to(prior, shape))


def mean_of(probabilities: Sequence[Floats]) -> Floats:
    """Average the probabilities of several networks."""
    mean: Floats = np.mean(probabilities, axis=0)
    return mean


def sigmoid(logits: NDArray[np.float32]) -> Floats:
    """Turn logits into probabilities, in double precision so that none is exactly 0 or 1."""
    probability: Floats = expit(logits.astype(np.float64))
    return probability
