"""From the logits of an ensemble's parts to probabilities: their weights, and a scale and offset.

A part is one kind of network, whose logit z of a run and family is the mean over its members.
The calibrated logit of family k is::

    exp(s + u_k) · Σ_p softmax(v)_p z_pk + c + o_k

Parts are combined by weights that are never negative, learned from answers to runs that their
members did not train on: stacking (Wolpert 1992, Neural Networks 5, 241; Breiman 1996, Machine
Learning 24, 49). Scale and offset of the logit are Platt's (1999, Advances in Large Margin
Classifiers, 61). Each family's deviations u_k and o_k from the shared scale and offset are pooled
by Gaussian priors: a family with few positive runs stays with the shared calibration, one with
many goes its own way. All priors are centred at equal weights, scale 1 and offset 0, so the fit
starts there without a penalty, and never has a larger log loss on its own runs.

What is fitted holds for runs like those that were held out. Going only half of the way from scale 1
and offset 0 gives most of it there, and costs less on runs of another instrument.

P is the number of parts.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
from numpy.typing import ArrayLike
from scipy.optimize import minimize
from scipy.special import expit, softmax

from gale.run import Floats

if TYPE_CHECKING:  # gale.training.folds needs scikit-learn, which applying a calibration does not
    from gale.training.folds import Fold

PART_DEVIATION = 2.0
"""Prior standard deviation of v: wide, since it only breaks ties between parts."""

SCALE_DEVIATION = 1.0
"""Prior standard deviation of s, which keeps the scale finite where the labels are separated."""

OFFSET_DEVIATION = 2.0
"""Prior standard deviation of c, log-odds."""

FAMILY_SCALE_DEVIATION = 0.3
"""Prior standard deviation of u: how far families differ in the logarithm of the scale."""

FAMILY_OFFSET_DEVIATION = 0.5
"""Prior standard deviation of o, log-odds."""

FARTHEST = 10.0
"""Largest deviation of a parameter, in prior standard deviations, so that no trial overflows."""

PARTS_OF_ONE_FOLD = 5
"""Into how many random parts the runs of a single fold are divided to cross-fit."""


@dataclass(frozen=True, eq=False)
class Calibration:
    """What turns the logits of P parts into one calibrated logit.

    Parameters
    ----------
    weight : array of shape (P, K)
        Of each part's logit, never negative.
    bias : array of shape (K,)
        Log-odds.
    """

    weight: Floats
    bias: Floats

    def logits(self, parts: ArrayLike) -> Floats:
        """Return calibrated logits, shape (R, K), of the parts' logits, shape (P, R, K)."""
        z = np.asarray(parts, dtype=np.float64)
        return np.asarray(np.einsum("pk,prk->rk", self.weight, z) + self.bias)

    def to_dict(self) -> dict[str, Any]:
        """Return JSON-friendly values, to six decimals."""
        return {"weight": self.weight.round(6).tolist(), "bias": self.bias.round(6).tolist()}

    @classmethod
    def from_dict(cls, values: dict[str, Any]) -> Calibration:
        """Make one of what :meth:`to_dict` returned."""
        return cls(*(np.array(values[name], dtype=np.float64) for name in ("weight", "bias")))


def fit_calibration(
    parts: ArrayLike,
    labels: ArrayLike,
    *,
    shares: Sequence[float] | None = None,
    way: float = 1.0,
) -> Calibration:
    """Fit a calibration by the log loss over known labels and the priors of its parameters.

    Parameters
    ----------
    parts : array of shape (P, R, K)
        Logits of members that did not train on the run; NaN where there are none.
    labels : array of shape (R, K)
        0 or 1; NaN where unknown. A family of which nothing is known has the shared calibration.
    shares : sequence of float, length P, optional
        Weights of the parts' logits, divided by their sum; fitted, if they are not given.
    way : float
        How much of the way to the fitted scale and offset is gone.
    """
    if shares is not None:
        share = np.array(shares) / np.sum(shares)
        mean = np.einsum("p,prk->rk", share, np.asarray(parts, dtype=np.float64))
        of_mean = fit_calibration(mean[None], labels, way=way)
        return Calibration(np.outer(share, of_mean.weight), of_mean.bias)
    z, y = np.asarray(parts, dtype=np.float64), np.asarray(labels, dtype=np.float64)
    known = np.isfinite(y) & np.isfinite(z).all(axis=0)
    z, sign = np.where(known, z, 0), np.where(known, 2 * y - 1, 0)
    spread = _prior_deviations(len(z), y.shape[1])
    found = minimize(
        _loss,
        np.zeros_like(spread),
        args=(spread, z, sign),
        method="L-BFGS-B",
        jac=True,
        bounds=[(-FARTHEST, FARTHEST)] * len(spread),
        options={"maxiter": 1000, "ftol": 1e-13, "gtol": 1e-6},
    )
    share, scale, bias = _unpack(found.x * spread, len(z))
    return Calibration(np.outer(share, 1 + way * (scale - 1)), way * bias)


def cross_fitted(
    parts: ArrayLike,
    labels: ArrayLike,
    folds: Sequence[Fold],
    *,
    shares: Sequence[float] | None = None,
    way: float = 1.0,
) -> Floats:
    """Return calibrated probabilities of runs whose own labels did not calibrate them.

    Each fold's validation runs are calibrated by those of all other folds; a single fold's are
    divided at random, always in the same way, into :data:`PARTS_OF_ONE_FOLD`.

    Parameters
    ----------
    parts : array of shape (P, R, K)
        Logits of members that did not train on the run.
    labels : array of shape (R, K)
        NaN where unknown.
    folds : sequence of Fold
    shares, way
        As :func:`fit_calibration` takes them.

    Returns
    -------
    array of shape (R, K)
        NaN for runs that validate no fold.
    """
    z, y = np.asarray(parts, dtype=np.float64), np.asarray(labels, dtype=np.float64)
    groups = [fold.validation for fold in folds]
    if len(groups) == 1:
        groups = np.array_split(np.random.default_rng(0).permutation(groups[0]), PARTS_OF_ONE_FOLD)
    validated = np.concatenate(groups)
    probability = np.full(y.shape, np.nan)
    for group in groups:
        others = np.setdiff1d(validated, group)
        calibration = fit_calibration(z[:, others], y[others], shares=shares, way=way)
        probability[group] = expit(calibration.logits(z[:, group]))
    return probability


class _Unpacked(NamedTuple):
    """Share of each part (P,), scale (K,) and bias (K,) of each family."""

    share: Floats
    scale: Floats
    bias: Floats


def _prior_deviations(n_parts: int, n_families: int) -> Floats:
    """Prior standard deviation of each parameter, in the order v (P,), s, c, u (K,), o (K,)."""
    return np.repeat(
        [
            PART_DEVIATION,
            SCALE_DEVIATION,
            OFFSET_DEVIATION,
            FAMILY_SCALE_DEVIATION,
            FAMILY_OFFSET_DEVIATION,
        ],
        [n_parts, 1, 1, n_families, n_families],
    )


def _unpack(values: Floats, n_parts: int) -> _Unpacked:
    v, (s, c), rest = np.split(values, [n_parts, n_parts + 2])
    u, o = np.split(rest, 2)
    return _Unpacked(softmax(v), np.exp(s + u), c + o)


def _loss(deviates: Floats, spread: Floats, parts: Floats, sign: Floats) -> tuple[float, Floats]:
    """Log loss summed over known labels, and the priors' penalty, with their gradient.

    Parameters
    ----------
    deviates, spread : arrays of shape (P + 2 + 2 K,)
        The parameters in prior standard deviations, and these.
    parts : array of shape (P, R, K)
    sign : array of shape (R, K)
        1 where the label is positive, -1 where it is negative, 0 where it is unknown.
    """
    share, scale, bias = _unpack(deviates * spread, len(parts))
    mixed = np.einsum("p,prk->rk", share, parts)
    margin = sign * (scale * mixed + bias)
    loss = np.logaddexp(0, -margin[sign != 0]).sum() + deviates @ deviates / 2

    slope = -sign * expit(-margin)  # of the loss over the logit
    of_share = np.einsum("prk,rk,k->p", parts, slope, scale)
    of_v = share * (of_share - share @ of_share)
    of_u = scale * (slope * mixed).sum(axis=0)
    of_o = slope.sum(axis=0)
    gradient = np.concatenate([of_v, [of_u.sum(), of_o.sum()], of_u, of_o])
    return float(loss), gradient * spread + deviates
