"""Log losses of held-out runs, computed plainly."""

from __future__ import annotations

import numpy as np

from gale.training.folds import stratified_folds
from helpers.training import Array


def log_loss(labels: Array, probability: Array) -> float:
    """As the competition defines it, over known labels."""
    return float(
        np.mean(
            [
                np.mean([-np.log(q if label else 1 - q) for label, q in zip(y, p, strict=True)
                         if np.isfinite(label)])
                for y, p in zip(labels.T, probability.T, strict=True)
            ]
        )
    )  # fmt: skip


def held_out_scores(
    labels: Array, member_probability: Array, families: tuple[str, ...], n_folds: int, seed: int
) -> tuple[float, float]:
    """Log loss of the members and of the prevalence of their training runs, fold by fold."""
    labels32 = labels.astype(np.float32)
    folds = stratified_folds(labels32, families, count=n_folds, by="rarest", seed=seed)
    found, prior = np.empty(labels.shape), np.empty(labels.shape)
    for members, fold in zip(np.split(member_probability, n_folds), folds, strict=True):
        found[fold.validation] = members[:, fold.validation].mean(axis=0)
        training = labels[fold.training]
        known = np.isfinite(training).sum(axis=0)
        prior[fold.validation] = np.clip(np.nansum(training, axis=0), 0.5, known - 0.5) / known
    return log_loss(labels, supported(found, labels)), log_loss(labels, prior)


def supported(probability: Array, training: Array) -> Array:
    """Probabilities (R, K) as training runs support them, with half a run on either side."""
    known = np.isfinite(training).sum(axis=0)
    present, absent = known * probability + 0.5, known * (1 - probability) + 0.5
    return np.asarray(present / (present + absent))
