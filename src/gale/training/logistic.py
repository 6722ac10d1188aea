"""The baseline: logistic regression on the features of a run."""

from __future__ import annotations

import warnings
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from sklearn.exceptions import ConvergenceWarning
from sklearn.linear_model import LogisticRegression
from threadpoolctl import threadpool_limits

from gale.errors import TrainingError
from gale.training.networks.summary import prior_logit
from gale.training.scaling import floored


def fit_logistic(
    features: NDArray[np.float32],
    labels: NDArray[np.float32],
    *,
    c: float,
    max_iterations: int,
    scale: bool = True,
    blocks: Sequence[slice] = (slice(None),),
) -> dict[str, NDArray[np.float32]]:
    """Fit one L2-penalised logistic regression for each family.

    Parameters
    ----------
    features : array of shape (R, D)
    labels : array of shape (R, K)
        0 or 1; a run in which a family is unknown (NaN) does not count for it.
    c : float
        Inverse strength of the penalty.
    max_iterations : int
    scale : bool
        Whether each feature is divided by its standard deviation, so that the penalty is the same
        for all; not by much less than is usual in its block, see `gale.training.scaling`.
    blocks : sequence of slices
        The features that have one unit; by default all.

    Returns
    -------
    mapping with ``weight`` (D, K) and ``bias`` (K,)
        For the original features: centring and scaling are folded in. For a family that all or none
        of its known runs hold, the probability is always its prevalence.

    Raises
    ------
    TrainingError
        If a regression does not converge.
    """
    mean = features.mean(0, dtype=np.float64)
    deviation = floored(features.std(0, dtype=np.float64), blocks)
    deviation[(deviation == 0) | (not scale)] = 1.0
    scaled = (features - mean) / deviation
    weight = np.zeros((labels.shape[1], features.shape[1]))
    bias = prior_logit(labels).numpy().astype(np.float64)
    for family in range(labels.shape[1]):
        known = np.isfinite(labels[:, family])
        if len(np.unique(labels[known, family])) < 2:
            continue
        regression = LogisticRegression(C=c, max_iter=max_iterations)
        _fit(regression, scaled[known], labels[known, family])
        weight[family] = regression.coef_[0] / deviation
        bias[family] = regression.intercept_[0] - weight[family] @ mean
    return {"weight": weight.T.astype(np.float32), "bias": bias.astype(np.float32)}


def _fit(
    regression: LogisticRegression, features: NDArray[np.float64], labels: NDArray[np.float32]
) -> None:
    # The products are so small that a second thread makes them two to six times slower.
    with warnings.catch_warnings(), threadpool_limits(1):
        warnings.simplefilter("error", ConvergenceWarning)
        try:
            regression.fit(features, labels)
        except ConvergenceWarning:
            raise TrainingError(
                "logistic regression",
                f"does not converge in {regression.max_iter} iterations",
                remedy="raise logistic.max_iterations or lower logistic.c in the recipe",
            ) from None
