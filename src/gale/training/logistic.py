"""The baseline: logistic regression on the features of a run.

Features are converted to float64 and scaled block by block, as each step of the solver passes over
them, so that no second copy of them is in memory. A block stays in the processor's cache for both
of its products, so that this takes no longer than products with a copy.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cache

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import minimize
from scipy.special import expit
from threadpoolctl import ThreadpoolController

from gale.errors import TrainingError
from gale.run import Floats
from gale.training.networks.summary import prior_logit
from gale.training.scaling import floored

BLOCK_VALUES = 2**19
"""Values of a block: 4 MB, which caches hold."""

TOLERANCE = 1e-4
"""The solver stops where no component of the gradient of the mean loss is larger."""

SOLVER = {"gtol": TOLERANCE, "ftol": 64 * np.finfo(float).eps, "maxls": 50}
"""As scikit-learn sets it for its solver lbfgs, whose objective and start are the same, too."""


def fit_logistic(
    features: NDArray[np.float32],
    labels: NDArray[np.float32],
    *,
    c: float,
    max_iterations: int,
    scale: bool = True,
    blocks: Sequence[slice] = (slice(None),),
    rows: NDArray[np.int64] | None = None,
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
    rows : array of int, optional
        The runs to fit to; by default all.

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
    rows = np.arange(len(features)) if rows is None else rows
    labels = labels[rows]
    mean, spread = _moments(features, rows)
    deviation = floored(spread, blocks)
    deviation[(deviation == 0) | (not scale)] = 1.0
    weight = np.zeros((labels.shape[1], features.shape[1]))
    bias = prior_logit(labels).numpy().astype(np.float64)
    for family in range(labels.shape[1]):
        known = np.isfinite(labels[:, family])
        if len(np.unique(labels[known, family])) < 2:
            continue
        target = labels[known, family].astype(np.float64)
        objective = _Objective(features, rows[known], target, mean, deviation, c)
        solution = _solve(objective, max_iterations)
        weight[family] = solution[:-1] / deviation
        bias[family] = solution[-1] - weight[family] @ mean
    return {"weight": weight.T.astype(np.float32), "bias": bias.astype(np.float32)}


@dataclass(frozen=True)
class _Objective:
    """The penalised mean loss of one family, with its gradient, in scaled features.

    Parameters
    ----------
    features : array of shape (R, D)
    rows : array of int, shape (R',)
        The runs that count.
    target : array of shape (R',)
        0 or 1.
    mean, deviation : array of shape (D,)
    c : float
    """

    features: NDArray[np.float32]
    rows: NDArray[np.int64]
    target: Floats
    mean: Floats
    deviation: Floats
    c: float

    def __call__(self, solution: Floats) -> tuple[float, Floats]:
        """Return the loss and its gradient (D + 1,) for weights and an intercept."""
        scaled, n_rows = solution[:-1], len(self.rows)
        weight = scaled / self.deviation
        intercept = solution[-1] - weight @ self.mean
        loss, gradient, excess = 0.0, np.zeros(len(weight)), 0.0
        for place, block in _blocks(self.features, self.rows):
            logits, target = block @ weight + intercept, self.target[place]
            loss += float(np.sum(np.logaddexp(0, logits) - target * logits))
            residual = expit(logits) - target
            gradient += residual @ block
            excess += float(residual.sum())
        penalty = 1 / (self.c * n_rows)
        slope = (gradient - excess * self.mean) / (self.deviation * n_rows) + penalty * scaled
        total = loss / n_rows + penalty / 2 * float(scaled @ scaled)
        return total, np.append(slope, excess / n_rows)


def _solve(objective: _Objective, max_iterations: int) -> Floats:
    """Minimise by L-BFGS (Liu and Nocedal 1989), from zero."""
    start = np.zeros(objective.features.shape[1] + 1)
    # The products are so small that a second thread makes them two to six times slower.
    with _libraries().limit(limits=1):
        found = minimize(
            objective,
            start,
            jac=True,
            method="L-BFGS-B",
            options={**SOLVER, "maxiter": max_iterations, "maxfun": 50 * max_iterations},
        )
    if found.status == 1:  # the limit of iterations
        raise TrainingError(
            "logistic regression",
            f"does not converge in {max_iterations} iterations",
            remedy="raise logistic.max_iterations or lower logistic.c in the recipe",
        )
    return np.asarray(found.x)


@cache
def _libraries() -> ThreadpoolController:
    """Libraries that have threads: to find them takes as long as a small regression."""
    return ThreadpoolController()


def _moments(features: NDArray[np.float32], rows: NDArray[np.int64]) -> tuple[Floats, Floats]:
    """Mean and standard deviation of each feature, both (D,)."""
    total, squares = (np.zeros(features.shape[1]) for _ in range(2))
    for _, block in _blocks(features, rows):
        total += block.sum(0)
    mean = total / len(rows)
    for _, block in _blocks(features, rows):
        squares += np.square(block - mean).sum(0)
    return mean, np.sqrt(squares / len(rows))


def _blocks(
    features: NDArray[np.float32], rows: NDArray[np.int64]
) -> Iterator[tuple[slice, Floats]]:
    """Yield the places in `rows`, and their features (n, D) in float64."""
    size = max(BLOCK_VALUES // max(features.shape[1], 1), 1)
    for start in range(0, len(rows), size):
        place = slice(start, start + size)
        yield place, features[rows[place]].astype(np.float64)
