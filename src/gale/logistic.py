"""The baseline: logistic regression on standardised summary features."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from sklearn.linear_model import LogisticRegression

from gale.networks.summary import prior_logit


def fit_logistic(
    features: NDArray[np.float32], labels: NDArray[np.float32], *, c: float, max_iterations: int
) -> dict[str, NDArray[np.float32]]:
    """Fit one L2-penalised logistic regression for each family.

    Parameters
    ----------
    features : array of shape (R, D)
    labels : array of shape (R, K)
        Runs in which a family is unknown (NaN) do not count for it.
    c : float
        Inverse strength of the penalty.
    max_iterations : int

    Returns
    -------
    mapping with ``weight`` (K, D) and ``bias`` (K,)
        For features as they are: the standardisation is folded in. A family that all or none of
        its known runs hold has its prevalence as the only answer.
    """
    mean, deviation = features.mean(0, dtype=np.float64), features.std(0, dtype=np.float64)
    deviation[deviation == 0] = 1.0
    scaled = (features - mean) / deviation
    weight = np.zeros((labels.shape[1], features.shape[1]))
    bias = prior_logit(labels).numpy().astype(np.float64)
    for family in range(labels.shape[1]):
        known = np.isfinite(labels[:, family])
        if len(np.unique(labels[known, family])) < 2:
            continue
        regression = LogisticRegression(C=c, max_iter=max_iterations)
        regression.fit(scaled[known], labels[known, family])
        weight[family] = regression.coef_[0] / deviation
        bias[family] = regression.intercept_[0] - weight[family] @ mean
    return {"weight": weight.astype(np.float32), "bias": bias.astype(np.float32)}
