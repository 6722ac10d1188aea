"""Metrics of probabilities: four for each family, their means, intervals, and calibration.

With labels y in {0, 1}, probabilities p and weights w of the runs whose label is known:

- log loss: the weighted mean of -log p where y = 1 and -log(1 - p) where y = 0 (natural logarithm,
  p kept :data:`CLIP` away from 0 and 1). Its mean over families is the competition's score.
- Brier score: the weighted mean of (p - y)² (Brier 1950).
- ROC AUC: the probability that a positive has a larger p than a negative, ties counting half
  (Hanley & McNeil 1982): Σ_g P_g (N_<g + N_g / 2) / (P N), where P_g and N_g are the weights of the
  positives and negatives of tie group g, and N_<g that of the negatives below it.
- average precision: Σ_g (P_g / P) precision_g, where precision_g counts the runs of tie group g and
  above as found; the step-wise sum of scikit-learn's ``average_precision_score``.

:func:`expected_calibration_error` is a fifth metric, of all families together.

A bootstrap resample is a weight for every run, so intervals are computed by the same formulae, for
all resamples at once. Symbols: R runs, K families, B resamples, G tie groups.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import polars as pl
from numpy.typing import ArrayLike, NDArray

from gale.errors import TableError
from gale.evaluation.bootstrap import Estimate, estimate, resampled_weights
from gale.run import Floats, Integers

METRICS = ("log_loss", "brier", "roc_auc", "average_precision")
"""Names of the metrics, in the order of every table."""

CALIBRATION_BINS = 15
"""Number of bins of probability for the calibration error."""

CLIP = 1e-15
"""Distance that the log loss keeps probabilities from 0 and 1, to stay finite."""


@dataclass(frozen=True, eq=False)
class Scores:
    """The four metrics of probabilities against labels, and their calibration.

    Parameters
    ----------
    families : tuple of str
        The K families.
    n_runs : int
        Number of runs, R.
    known, positives : arrays of shape (K,)
        Number of runs whose label is known, and of those that hold the family.
    per_family : mapping of str to Estimate
        For each name in :data:`METRICS`, arrays of shape (K,). ROC AUC and average precision are
        NaN for a family without both a positive and a negative; all four are NaN for a family
        without known labels.
    mean : mapping of str to Estimate
        For each name in :data:`METRICS`, arrays of shape (): the mean over the families for which
        the metric is defined.
    calibration_error : float
        :func:`expected_calibration_error` of all runs and families. It has no interval, since
        resamples are less calibrated than the runs they are drawn from.
    resamples, seed : int
        Number of resamples and seed of the intervals.
    """

    families: tuple[str, ...]
    n_runs: int
    known: Integers
    positives: Integers
    per_family: Mapping[str, Estimate]
    mean: Mapping[str, Estimate]
    calibration_error: float
    resamples: int
    seed: int

    def to_frame(self) -> pl.DataFrame:
        """Return one row per family: ``family, positives, known``, each metric with its bounds."""
        columns: dict[str, Any] = {
            "family": self.families,
            "positives": self.positives,
            "known": self.known,
        }
        for metric, values in self.per_family.items():
            columns[metric] = values.value
            columns[f"{metric}_low"] = values.low
            columns[f"{metric}_high"] = values.high
        return pl.DataFrame(columns, nan_to_null=True)

    def to_dict(self) -> dict[str, Any]:
        """Return everything as values that JSON can hold, None where a metric is undefined."""
        return {
            "runs": self.n_runs,
            "resamples": self.resamples,
            "seed": self.seed,
            "mean": {metric: mean.to_dict() for metric, mean in self.mean.items()},
            "calibration_error": self.calibration_error,
            "families": self.to_frame().to_dicts(),
        }


def log_loss(labels: ArrayLike, probability: ArrayLike) -> float:
    """Return the competition's score: the mean over families of the log loss over known labels.

    Parameters
    ----------
    labels : array of shape (R, K)
        0 or 1; NaN where unknown.
    probability : array of shape (R, K)

    Raises
    ------
    TableError
        If the shapes differ, no label is known, or a value is out of range.
    """
    y, p = _checked(labels, probability)
    return float(_mean_over_families(_log_losses(y, p, np.ones(len(y)))))


def expected_calibration_error(
    labels: ArrayLike, probability: ArrayLike, bins: int = CALIBRATION_BINS
) -> float:
    """Return the distance of probabilities from the share of positives, over run-family pairs.

    Pairs are put into bins of probability of equal width, [b / bins, (b + 1) / bins), the last one
    including its upper end. The error is Σ_b (n_b / n) |mean of p - mean of y| over the pairs of
    bin b, as in Guo et al. 2017 (On calibration of modern neural networks, ICML), for the positive
    class.

    Parameters
    ----------
    labels : array of shape (R, K)
        0 or 1; NaN where unknown, which is ignored.
    probability : array of shape (R, K)
    bins : int
        At least 1.

    Raises
    ------
    TableError
        If the shapes differ, no label is known, or a value is out of range.
    """
    y, p = _checked(labels, probability)
    known = ~np.isnan(y)
    y, p = y[known], p[known]
    # comparison with the edges, since the product 15 p may round up to the next whole number
    bin_of = np.searchsorted(np.arange(1, bins) / bins, p, side="right")
    gap = np.bincount(bin_of, weights=p - y, minlength=bins)
    return float(np.abs(gap).sum() / len(p))


def family_scores(
    labels: ArrayLike, probability: ArrayLike, weights: ArrayLike | None = None
) -> dict[str, Floats]:
    """Return the four metrics of every family.

    Parameters
    ----------
    labels : array of shape (R, K)
        0 or 1; NaN where unknown.
    probability : array of shape (R, K)
    weights : array of shape (R,) or (B, R), optional
        Weight of every run, not negative; 1 by default.

    Returns
    -------
    dict of str to array of shape (K,) or (B, K)
        For each name in :data:`METRICS`; NaN where undefined.

    Raises
    ------
    TableError
        If the shapes differ, no label is known, or a value is out of range.
    """
    y, p = _checked(labels, probability)
    w = np.ones(len(y)) if weights is None else np.asarray(weights, dtype=np.float64)
    ranked = [_rank_scores(y[:, k], p[:, k], w) for k in range(y.shape[1])]
    return {
        "log_loss": _log_losses(y, p, w),
        "brier": _weighted_mean((p - y) ** 2, ~np.isnan(y), w),
        "roc_auc": np.stack([auc for auc, _ in ranked], axis=-1),
        "average_precision": np.stack([precision for _, precision in ranked], axis=-1),
    }


def score(
    labels: ArrayLike,
    probability: ArrayLike,
    families: tuple[str, ...],
    *,
    resamples: int = 1000,
    seed: int = 0,
) -> Scores:
    """Return the four metrics per family and their means, with bootstrap intervals over runs.

    Parameters
    ----------
    labels : array of shape (R, K)
        0 or 1; NaN where unknown.
    probability : array of shape (R, K)
    families : tuple of K str
    resamples : int
        Number of bootstrap resamples; each is used for all families.
    seed : int
        The same seed gives the same intervals.

    Raises
    ------
    TableError
        If the shapes differ, no label is known, or a value is out of range.
    """
    y, p = _checked(labels, probability)
    if len(families) != y.shape[1]:
        raise TableError(
            "families",
            f"has length {len(families)} for {y.shape[1]} columns of labels",
            "one name per column",
        )
    values = family_scores(y, p)
    blocks = [
        family_scores(y, p, weights) for weights in resampled_weights(len(y), resamples, seed)
    ]
    draws = {metric: np.concatenate([block[metric] for block in blocks]) for metric in METRICS}
    return Scores(
        families=tuple(families),
        n_runs=len(y),
        known=(~np.isnan(y)).sum(axis=0),
        positives=(y == 1).sum(axis=0),
        per_family={metric: estimate(values[metric], draws[metric]) for metric in METRICS},
        mean={
            metric: estimate(
                _mean_over_families(values[metric]), _mean_over_families(draws[metric])
            )
            for metric in METRICS
        },
        calibration_error=expected_calibration_error(y, p),
        resamples=resamples,
        seed=seed,
    )


def log_loss_difference(
    labels: ArrayLike,
    probability: ArrayLike,
    other: ArrayLike,
    *,
    resamples: int = 1000,
    seed: int = 0,
) -> Estimate:
    """Return the score of `probability` minus that of `other`, with a paired bootstrap interval.

    Each resample is used for both, so the difficulty of a run that they share cancels out.

    Parameters
    ----------
    labels, probability, other : arrays of shape (R, K)

    Raises
    ------
    TableError
        If the shapes differ, no label is known, or a value is out of range.
    """
    y, p = _checked(labels, probability)
    _, q = _checked(labels, other)

    def difference(w: Floats) -> Floats:
        return _mean_over_families(_log_losses(y, p, w) - _log_losses(y, q, w))

    blocks = [difference(w) for w in resampled_weights(len(y), resamples, seed)]
    return estimate(difference(np.ones(len(y))), np.concatenate(blocks))


def _checked(labels: ArrayLike, probability: ArrayLike) -> tuple[Floats, Floats]:
    """Return both as float64; probabilities count only where the label is known."""
    y = np.asarray(labels, dtype=np.float64)
    p = np.asarray(probability, dtype=np.float64)
    if y.ndim != 2 or y.shape != p.shape:
        raise TableError(
            "labels",
            f"have shape {y.shape}, the probabilities {p.shape}",
            "both of shape (runs, families)",
        )
    known = ~np.isnan(y)
    if not known.any():
        raise TableError("labels", "have no known value", "at least one 0 or 1")
    for name, values, good in (
        ("labels", y, (y == 0) | (y == 1)),
        ("probability", p, (p >= 0) & (p <= 1)),
    ):
        bad = np.argwhere(known & ~good)
        if len(bad):
            run, family = bad[0]
            raise TableError(
                f"{name}: row {run + 1:,}, column {family + 1}",
                f"is {values[run, family]:g}",
                "0, 1 or NaN" if name == "labels" else "a number from 0 to 1",
            )
    return y, p


def _log_losses(y: Floats, p: Floats, weights: Floats) -> Floats:
    """Return the log loss of every family, shape (K,) or (B, K)."""
    p = np.clip(p, CLIP, 1 - CLIP)
    return _weighted_mean(-np.where(y == 1, np.log(p), np.log1p(-p)), ~np.isnan(y), weights)


def _weighted_mean(values: Floats, known: NDArray[np.bool_], weights: Floats) -> Floats:
    """Return the mean of the known `values` (R, K) over runs, NaN where there is none."""
    return _ratio(weights @ np.where(known, values, 0.0), weights @ known.astype(np.float64))


def _rank_scores(y: Floats, p: Floats, weights: Floats) -> tuple[Floats, Floats]:
    """Return ROC AUC and average precision of one family, shape () or (B,) each."""
    known = np.flatnonzero(~np.isnan(y))
    order = known[np.argsort(-p[known], kind="stable")]
    y, p, w = y[order], p[order], weights[..., order]
    first = np.flatnonzero(np.diff(p, prepend=np.inf))  # (G,), of each tie group, largest p first
    positive = np.add.reduceat(w * y, first, axis=-1)  # (..., G)
    negative = np.add.reduceat(w * (1 - y), first, axis=-1)
    positives, negatives = positive.sum(axis=-1), negative.sum(axis=-1)

    below = negatives[..., None] - np.cumsum(negative, axis=-1)
    auc = _ratio((positive * (below + negative / 2)).sum(axis=-1), positives * negatives)

    # 0 / 0 in groups above the first run with a weight, which add nothing
    precision = _ratio(np.cumsum(positive, axis=-1), np.cumsum(positive + negative, axis=-1))
    found = (positive * np.nan_to_num(precision)).sum(axis=-1)
    return auc, _ratio(found, np.where(negatives > 0, positives, 0.0))


def _mean_over_families(values: Floats) -> Floats:
    """Return the mean of the defined values over the last axis, NaN where there is none."""
    defined = ~np.isnan(values)
    return _ratio(np.where(defined, values, 0.0).sum(axis=-1), defined.sum(axis=-1))


def _ratio(numerator: ArrayLike, denominator: ArrayLike) -> Floats:
    """Divide; NaN where the denominator is 0."""
    a, b = np.asarray(numerator, dtype=np.float64), np.asarray(denominator, dtype=np.float64)
    ratio: Floats = np.divide(a, b, out=np.full(a.shape, np.nan), where=b > 0)
    return ratio
