"""Cut-offs: from which probability on a run counts as one that holds a family.

A cut-off has an aim: a precision (share of the runs called positive that are), a recall (share of
the positive runs that are called so), or the highest F1, their harmonic mean. Of the thresholds
that reach a precision, it is the one that finds most; of those that reach a recall, the highest.
Precision does not always rise with the threshold, so there may be lower precisions in
between. Runs of the same probability are called alike. Thresholds lie halfway between two
probabilities.

The precision of the runs on which a threshold was chosen flatters it: of many thresholds, one was
taken that did well on them. What is reported is cross-fitted: each part of the runs is called by
the threshold that all others chose, and the calls of all parts are counted together (as Stone 1974,
Journal of the Royal Statistical Society B 36, 111); a part for which the others have no threshold
does not count. So it may miss the aim. Its interval is the
score interval of a share (Wilson 1927, Journal of the American Statistical Association 22, 209),
which holds for few runs, too (Brown, Cai & DasGupta 2001, Statistical Science 16, 101).

Symbols: R runs, K families, T steps of a curve.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from gale.errors import TableError
from gale.plumbing.text import counted
from gale.run import Floats, Integers

LEAST_RUNS = 10
"""Positive runs, and negative ones, that a family needs to have cut-offs: of fewer, each would move
recall or precision by more than a tenth."""

LEAST_CALLS = 5
"""Runs that a threshold has to call positive; of fewer, a high precision is chance."""

MOST_STEPS = 100
"""Steps of a curve that are kept: one for each hundredth of the recall."""

PARTS_OF_ALL = 5
"""Random parts into which the runs are divided for cross-fitting if they are not already."""

NORMAL = 1.959963984540054
"""Standard deviations to either side that hold 95 % of a normal distribution."""


@dataclass(frozen=True)
class Aim:
    """What a cut-off is to reach.

    Parameters
    ----------
    measure : str
        ``precision``, ``recall`` or ``f1``.
    value : float or None
        Above 0, at most 1; for ``f1`` there is none, since it is to be as high as possible.

    Examples
    --------
    >>> aim = Aim.parse("precision = 0.90")
    >>> print(aim, aim.in_words)
    precision=0.9 precision 0.9
    """

    measure: str
    value: float | None = None

    @classmethod
    def parse(cls, text: str) -> Aim | None:
        """Read an aim such as ``precision=0.9``, ``recall=0.9`` or ``f1``; None if it is none."""
        measure, equals, number = (part.strip() for part in text.partition("="))
        if measure == "f1" and not equals:
            return cls(measure)
        try:
            value = float(number)
        except ValueError:
            return None
        return (
            cls(measure, value) if measure in ("precision", "recall") and 0 < value <= 1 else None
        )

    def __str__(self) -> str:
        return self.measure if self.value is None else f"{self.measure}={self.value:g}"

    @property
    def in_words(self) -> str:
        """What is to be reached, in words."""
        return "best F1" if self.value is None else f"{self.measure} {self.value:g}"


AIMS = (Aim("precision", 0.9), Aim("recall", 0.9), Aim("f1"))
"""The aims whose cut-offs are measured; thresholds can be asked for any."""


@dataclass(frozen=True, eq=False)
class Curve:
    """What thresholds call, from high to low: those below which a positive run follows.

    Parameters
    ----------
    threshold : array of shape (T,)
        Runs of this probability and above are called.
    called, found : arrays of shape (T,)
        Number of runs called positive, and of those that are.
    positive : int
        Number of all positive runs.
    """

    threshold: Floats
    called: Integers
    found: Integers
    positive: int

    @classmethod
    def of(cls, probability: Floats, labels: Floats) -> Curve:
        """Try all thresholds on runs whose labels (R,) of one family are 0 or 1.

        Thresholds just below a negative run are left out: the next one above is better in all. Of
        more than :data:`MOST_STEPS`, as many are kept, evenly.
        """
        values, group = np.unique(-probability, return_inverse=True)
        values = -values
        called = np.cumsum(np.bincount(group, minlength=len(values)))
        found = np.cumsum(np.bincount(group, weights=labels, minlength=len(values))).astype(int)
        steps = np.flatnonzero(np.diff(found, prepend=0))
        if len(steps) > MOST_STEPS:
            steps = steps[np.linspace(0, len(steps) - 1, MOST_STEPS).round().astype(int)]
        below = np.append(values[1:], 0.0)
        threshold = [_between(float(below[at]), float(values[at])) for at in steps]
        return cls(np.array(threshold), called[steps], found[steps], int(labels.sum()))

    @property
    def precision(self) -> Floats:
        """Share of the called runs that are positive, (T,)."""
        return self.found / self.called

    @property
    def recall(self) -> Floats:
        """Share of the positive runs that are called, (T,)."""
        return self.found / self.positive

    @property
    def f1(self) -> Floats:
        """Harmonic mean of precision and recall, (T,)."""
        return 2 * self.found / (self.called + self.positive)

    def choose(self, aim: Aim) -> float | None:
        """Return the threshold for an aim; None if none reaches it.

        Examples
        --------
        >>> labels = np.array([1.0] * 9 + [0.0, 1.0] + [0.0] * 9)
        >>> curve = Curve.of(np.arange(20, 0, -1) / 20, labels)
        >>> [curve.choose(aim) for aim in AIMS]
        [0.475, 0.575, 0.475]
        """
        usual, least = self.called >= LEAST_CALLS, aim.value or 0.0
        if aim.measure == "f1":
            best = np.flatnonzero(usual & (self.f1 == np.max(self.f1, where=usual, initial=-1)))
        elif aim.measure == "recall":
            best = np.flatnonzero(usual & (self.recall >= least))
        else:
            best = np.flatnonzero(usual & (self.precision >= least))[::-1]
        return float(self.threshold[best[0]]) if len(best) else None


def _between(low: float, high: float) -> float:
    """Return about the middle of two numbers, with as few digits as separate them."""
    middle = (low + high) / 2
    rounded = (round(middle, digits) for digits in range(3, 17))
    return next((value for value in rounded if low < value <= high), high)


def fit_cutoffs(
    labels: ArrayLike, probability: ArrayLike, parts: Sequence[Integers]
) -> list[dict[str, Any]]:
    """Find the cut-offs of each family on held-out runs, and measure them.

    Parameters
    ----------
    labels : array of shape (R, K)
        0 or 1; NaN where unknown.
    probability : array of shape (R, K)
        Predicted without the run's own label; NaN for runs that are not held out.
    parts : sequence of arrays
        Rows of the parts for cross-fitting, such as the validation runs of each fold; a single one
        is divided at random, always in the same way.

    Returns
    -------
    list of dict, length K
        As a model file has them, see :data:`gale.model.facts.CUTOFFS`. A family of too few
        runs has no curve and no measured cut-offs.

    Raises
    ------
    TableError
        If the shapes differ.
    """
    y, p = np.asarray(labels, dtype=np.float64), np.asarray(probability, dtype=np.float64)
    if y.ndim != 2 or y.shape != p.shape:
        raise TableError(
            "labels", f"have shape {y.shape}, the probabilities {p.shape}", "both of shape (R, K)"
        )
    groups = list(parts)
    if len(groups) == 1:
        groups = np.array_split(np.random.default_rng(0).permutation(groups[0]), PARTS_OF_ALL)
    part_of = np.full(len(y), -1)
    for number, rows in enumerate(groups):
        part_of[rows] = number
    return [_of_family(y[:, k], p[:, k], part_of) for k in range(y.shape[1])]


def _of_family(labels: Floats, probability: Floats, part_of: Integers) -> dict[str, Any]:
    known = np.isfinite(labels) & np.isfinite(probability) & (part_of >= 0)
    y, p, part = labels[known], probability[known], part_of[known]
    found: dict[str, Any] = {"positive": int((y == 1).sum()), "negative": int((y == 0).sum())}
    found["measured"] = []
    if why_none(found):
        return found
    curve = Curve.of(p, y)
    found["curve"] = {
        "threshold": curve.threshold.tolist(),
        "called": curve.called.tolist(),
        "found": curve.found.tolist(),
    }
    for aim in AIMS:
        if (threshold := curve.choose(aim)) is not None:
            counts = _cross_fitted(p, y, part, aim)
            found["measured"].append({"at": str(aim), "threshold": threshold, **counts})
    return found


def _cross_fitted(p: Floats, y: Floats, part: Integers, aim: Aim) -> dict[str, Any]:
    """Count what thresholds call that were chosen on the other parts, (R,) each."""
    called, found, positive = 0, 0, 0
    for number in np.unique(part):
        here = part == number
        others = Curve.of(p[~here], y[~here])
        threshold = others.choose(aim) if others.positive else None
        if threshold is not None:
            calls = p[here] >= threshold
            called += int(calls.sum())
            found += int(y[here][calls].sum())
            positive += int(y[here].sum())
    return {"precision": share(found, called), "recall": share(found, positive)}


def share(part: int, whole: int) -> list[float] | None:
    """Return a share and the bounds of its 95 % interval, to four decimals; None of nothing.

    Examples
    --------
    >>> share(9, 10)
    [0.9, 0.5958, 0.9821]
    """
    if not whole:
        return None
    value, square = part / whole, NORMAL**2 / whole
    middle = (value + square / 2) / (1 + square)
    half = NORMAL / (1 + square) * math.sqrt((value * (1 - value) + square / 4) / whole)
    bounds = (max(middle - half, 0.0), min(middle + half, 1.0))
    return [round(each, 4) for each in (value, *bounds)]


def why_none(family: Mapping[str, Any], aim: Aim | None = None) -> str:
    """Say why a family has no cut-offs, or none for an aim; empty if it has.

    Parameters
    ----------
    family : mapping
        Of :func:`fit_cutoffs`.
    aim : Aim, optional

    Examples
    --------
    >>> why_none({"positive": 8, "negative": 300})
    'no threshold: 8 positive runs'
    """
    for kind in ("positive", "negative"):
        if family[kind] < LEAST_RUNS:
            return f"no threshold: {counted(family[kind], f'{kind} run')}"
    if aim is not None and threshold_of(family, aim) is None:
        return f"no threshold: {aim.in_words} is not reached"
    return ""


def threshold_of(family: Mapping[str, Any], aim: Aim) -> float | None:
    """Return the threshold of a family for any aim; None if it has none."""
    if (curve := family.get("curve")) is None:
        return None
    threshold, called, found = (np.array(curve[name]) for name in ("threshold", "called", "found"))
    return Curve(threshold, called, found, family["positive"]).choose(aim)
