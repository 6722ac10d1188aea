"""Calibration: from the logits of an ensemble's parts to probabilities.

A part is one kind of network; its logit z for a run and a family is the mean over its members.
The calibrated logit of family k is::

    exp(s + u_k) · Σ_p softmax(v + w_k)_p z_pk + c + o_k

The weights of the parts are never negative and are learned from held-out runs: stacking (Wolpert
1992, Neural Networks 5, 241; Breiman 1996, Machine Learning 24, 49). Scale and offset of the logit
are Platt's (1999, Advances in Large Margin Classifiers, 61). Gaussian priors pool each family's
deviations u_k, o_k and w_k from the shared scale, offset and weights: a family with few positive
runs stays near the shared calibration, one with many departs from it. All priors are centred at
equal weights, scale 1 and offset 0. The fit starts there without a penalty, so its log loss on its
own runs never rises.

A calibration holds for runs like the held-out ones. Applying it at half strength keeps most of the
gain there, and costs less on runs from another instrument.

P is the number of parts.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from numpy.typing import ArrayLike
from scipy.optimize import minimize
from scipy.special import expit, softmax

from gale.run import Floats

if TYPE_CHECKING:  # gale.training.folds imports scikit-learn, which a calibration does not need
    from gale.training.folds import Fold

FARTHEST = 10.0
"""Limit of a parameter in prior standard deviations, so that no trial overflows."""

PARTS_OF_ONE_FOLD = 5
"""Number of random parts into which cross-fitting divides the runs of a single fold."""


class Deviations(NamedTuple):
    """Prior standard deviations of the parameters.

    Parameters
    ----------
    part : float
        Of v: wide, since it only breaks ties between parts.
    scale : float
        Of s; keeps the scale finite where the logits separate the labels.
    offset : float
        Of c, log-odds.
    family_scale : float
        Of u: how far the log scales of families differ.
    family_offset : float
        Of o, log-odds.
    family_part : float
        Of w: how far the weights of parts differ among families.
    """

    part: float = 2.0
    scale: float = 1.0
    offset: float = 2.0
    family_scale: float = 0.3
    family_offset: float = 0.5
    family_part: float = 0.4

    def of_each(self, n_parts: int, n_families: int) -> Floats:
        """Return the deviation of each parameter: v (P,), s, c, u (K,), o (K,), w (P · K,)."""
        return np.repeat(self, [n_parts, 1, 1, n_families, n_families, n_parts * n_families])


USUAL = Deviations()


@dataclass(frozen=True, eq=False)
class Calibration:
    """Weights and biases that turn the logits of P parts into one calibrated logit.

    Parameters
    ----------
    weight : array of shape (P, K)
        Weight of each part's logit, never negative.
    bias : array of shape (K,)
        Log-odds.
    """

    weight: Floats
    bias: Floats

    def logits(self, parts: ArrayLike) -> Floats:
        """Calibrate the parts' logits, (P, R, K) to (R, K)."""
        z = np.asarray(parts, dtype=np.float64)
        return np.asarray(np.einsum("pk,prk->rk", self.weight, z) + self.bias)

    def to_dict(self) -> dict[str, list[object]]:
        """Return weights and biases as lists, rounded to six decimals."""
        return {"weight": self.weight.round(6).tolist(), "bias": self.bias.round(6).tolist()}


class Away(NamedTuple):
    """A second calibration, for runs that are far from the training runs.

    Parameters
    ----------
    calibration : Calibration
    far : float
        See :func:`gale.model.unlike.share_elsewhere`.
    """

    calibration: Calibration
    far: float


def fit_calibration(
    parts: ArrayLike,
    labels: ArrayLike,
    *,
    shares: ArrayLike | None = None,
    strength: float = 1.0,
    deviations: Deviations = USUAL,
) -> Calibration:
    """Fit a calibration to known labels: log loss plus the priors of the parameters.

    Parameters
    ----------
    parts : array of shape (P, R, K)
        Held-out logits; NaN where there are none.
    labels : array of shape (R, K)
        0 or 1; NaN where unknown. A family without a known label gets the shared calibration.
    shares : array of shape (P,) or (P, K), optional
        Weights of the parts' logits. Those of parts with NaN are fitted for all families, and have
        what the others leave; if there is none, all are divided by their sum. By default all are
        fitted.
    strength : float
        Share of the fitted scale and offset that is applied, from 0 (none) to 1.
    deviations : Deviations
        Of the priors.
    """
    z, y = np.asarray(parts, dtype=np.float64), np.asarray(labels, dtype=np.float64)
    if shares is not None:
        return _fit_with_shares(shares, z, y, strength, deviations)
    known = np.isfinite(y) & np.isfinite(z).all(axis=0)
    z, sign = np.where(known, z, 0), np.where(known, 2 * y - 1, 0)
    spread = deviations.of_each(len(z), y.shape[1])
    solution = minimize(
        _loss,
        np.zeros_like(spread),
        args=(spread, z, sign),
        method="L-BFGS-B",
        jac=True,
        bounds=[(-FARTHEST, FARTHEST)] * len(spread),
        options={"maxiter": 1000, "ftol": 1e-13, "gtol": 1e-6},
    )
    share, scale, bias = _unpack(solution.x * spread, len(z))
    return Calibration(share * (1 + strength * (scale - 1)), strength * bias)


def cross_fitted(
    parts: ArrayLike,
    labels: ArrayLike,
    folds: Sequence[Fold],
    *,
    shares: ArrayLike | None = None,
    strength: float = 1.0,
    deviations: Deviations = USUAL,
) -> Floats:
    """Calibrate the probabilities of held-out runs without using their own labels.

    The validation runs of each fold are calibrated by those of all other folds. A single fold is
    divided at random, always in the same way, into :data:`PARTS_OF_ONE_FOLD` parts.

    Parameters
    ----------
    parts : array of shape (P, R, K)
        Held-out logits.
    labels : array of shape (R, K)
        NaN where unknown.
    folds : sequence of Fold
    shares, strength, deviations
        As in :func:`fit_calibration`.

    Returns
    -------
    array of shape (R, K)
        NaN for runs that no fold validates.
    """
    z, y = np.asarray(parts, dtype=np.float64), np.asarray(labels, dtype=np.float64)
    groups = [fold.validation for fold in folds]
    if len(groups) == 1:
        groups = np.array_split(np.random.default_rng(0).permutation(groups[0]), PARTS_OF_ONE_FOLD)
    validated = np.concatenate(groups)
    probability = np.full(y.shape, np.nan)
    for group in groups:
        others = np.setdiff1d(validated, group)
        calibration = fit_calibration(
            z[:, others], y[others], shares=shares, strength=strength, deviations=deviations
        )
        probability[group] = expit(calibration.logits(z[:, group]))
    return probability


def _fit_with_shares(
    shares: ArrayLike, z: Floats, y: Floats, strength: float, deviations: Deviations
) -> Calibration:
    """Fit a calibration to what the given shares mix already."""
    given: Floats = np.asarray(shares, dtype=np.float64).reshape(len(z), -1)
    free = np.array([bool(np.isnan(of_part).any()) for of_part in given])
    share: Floats = np.where(free[:, None], 0.0, given) * np.ones(y.shape[1])
    if not free.any():
        share /= share.sum(axis=0)
    left = 1 - share.sum(axis=0)
    mean = np.einsum("pk,prk->rk", share, z)
    mixed = left * z[free] + mean if free.any() else mean[None]
    fitted = fit_calibration(mixed, y, strength=strength, deviations=deviations)
    weight = share * fitted.weight.sum(axis=0)
    weight[free] = left * fitted.weight
    return Calibration(weight, fitted.bias)


class _Parameters(NamedTuple):
    """Share of each part (P, K), and scale and bias of each family, both (K,)."""

    share: Floats
    scale: Floats
    bias: Floats


def _unpack(values: Floats, n_parts: int) -> _Parameters:
    v, (s, c), rest = np.split(values, [n_parts, n_parts + 2])
    u, o, w = np.split(rest.reshape(n_parts + 2, -1), [1, 2])
    return _Parameters(softmax(v[:, None] + w, axis=0), np.exp(s + u[0]), c + o[0])


def _loss(deviates: Floats, spread: Floats, parts: Floats, sign: Floats) -> tuple[float, Floats]:
    """Log loss summed over known labels plus the priors' penalty, with its gradient.

    Parameters
    ----------
    deviates, spread : arrays of shape (P + 2 + 2 K + P K,)
        The parameters in prior standard deviations, and the standard deviations.
    parts : array of shape (P, R, K)
    sign : array of shape (R, K)
        1 where the label is positive, -1 where it is negative, 0 where it is unknown.
    """
    share, scale, bias = _unpack(deviates * spread, len(parts))
    mixed = np.einsum("pk,prk->rk", share, parts)
    margin = sign * (scale * mixed + bias)
    loss = np.logaddexp(0, -margin[sign != 0]).sum() + deviates @ deviates / 2

    slope = -sign * expit(-margin)  # derivative of the loss with respect to the logit
    of_share = scale * np.einsum("prk,rk->pk", parts, slope)
    of_w = share * (of_share - (share * of_share).sum(axis=0))
    of_u = scale * (slope * mixed).sum(axis=0)
    of_o = slope.sum(axis=0)
    of_v = of_w.sum(axis=1)
    gradient = np.concatenate([of_v, [of_u.sum(), of_o.sum()], of_u, of_o, of_w.ravel()])
    return float(loss), gradient * spread + deviates
