"""Log losses of the ablation: of networks and of their averages, on val and on test."""

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
from gale.training.members import Trainer
from gale.training.networks.summary import prior_logit
from gale.training.runs import TrainingRuns


@dataclass(frozen=True)
class ScoredRuns:
    """Runs that networks are fitted to and scored on: those of train and val, then those of test.

    Parameters
    ----------
    features : array of shape (R, D)
    labels : array of shape (R, K)
        NaN where unknown.
    fold : Fold
        Rows of train and val.
    test : array of row numbers
        May be empty.
    """

    features: NDArray[np.float32]
    labels: NDArray[np.float32]
    fold: Fold
    test: NDArray[np.int64]

    @classmethod
    def of(cls, runs: TrainingRuns, fold: Fold, test: TrainingRuns | None) -> ScoredRuns:
        """Put runs together; `fold` has rows of the first ones."""
        each = [runs] if test is None else [runs, test]
        features = np.concatenate([some.features for some in each])
        labels = np.concatenate([some.labels for some in each])
        return cls(features, labels, fold, np.arange(len(runs.labels), len(labels)))

    @property
    def rows(self) -> NDArray[np.int64]:
        """The runs that are scored: those of val, then those of test."""
        return np.concatenate([self.fold.validation, self.test])

    def probability(self, trainer: Trainer, training: int, weights: Weights) -> Floats:
        """What a network says of the runs of :attr:`rows`, shape (number of rows, K)."""
        network = trainer.network([training], [weights])
        logits = predict_logits(network, trainer.features[self.rows])[0]
        return sigmoid(logits)

    def scores(self, probability: Floats) -> LogLosses:
        """Score probabilities of the runs of :attr:`rows`."""
        n_val, labels = len(self.fold.validation), self.labels[self.rows]
        parts = (slice(0, n_val), slice(n_val, None))
        return {
            split: metrics.log_loss(labels[part], probability[part]) if len(labels[part]) else None
            for split, part in zip(SPLITS, parts, strict=True)
        }

    def prior(self) -> LogLosses:
        """Score the training prevalence, said of every run."""
        prior = sigmoid(prior_logit(self.labels[self.fold.training]).numpy())
        shape = (len(self.rows), self.labels.shape[1])
        return self.scores(np.broadcast_to(prior, shape))


def mean_of(probabilities: Sequence[Floats]) -> Floats:
    """Average the probabilities of several networks."""
    mean: Floats = np.mean(probabilities, axis=0)
    return mean


def sigmoid(logits: NDArray[np.float32]) -> Floats:
    """Make logits probabilities, in double precision, in which none is exactly 0 or 1."""
    probability: Floats = expit(logits.astype(np.float64))
    return probability
