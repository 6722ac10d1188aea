"""Labels that deserve a second look: those that predictions disagree with most.

Suppose that a small share ε of the labels of a family with prevalence π was put down at the wrong
runs, so that as many are missing as are too many. Of a run with probability p of being labelled, by
members that did not train on it, the label is then wrong with odds of about ε p / (1 − p) if it
says absent, and ε π / (1 − π) · (1 − p) / p if it says present. A compound near the detection limit
is labelled and hardly seen, so a present label with a small p is worth a look only if p is far
below π. The logarithm of the odds, without ε, ranks labels of all families. That labels are judged
by predictions that did not see them is after Northcutt, Jiang and Chuang 2021, "Confident
learning", Journal of Artificial Intelligence Research 70, 1373.

Symbols: R runs, K families.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import polars as pl
from numpy.typing import ArrayLike
from scipy.special import logit

from gale.errors import TableError
from gale.run import Floats

CLIP = 1e-4
"""Probabilities are kept this far from 0 and 1: closer, they are not known so well."""


def disagreement(labels: ArrayLike, probability: ArrayLike, prevalence: ArrayLike) -> Floats:
    """Say how much a prediction disagrees with each label.

    Parameters
    ----------
    labels : array of shape (R, K)
        0 or 1; NaN where unknown.
    probability : array of shape (R, K)
        By members that did not train on the run.
    prevalence : array of shape (K,)

    Returns
    -------
    array of shape (R, K)
        Logarithm of the odds that the label is wrong, but for the same addend everywhere; NaN where
        it is unknown.
    """
    y = np.asarray(labels, dtype=np.float64)
    z = logit(np.clip(np.asarray(probability, dtype=np.float64), CLIP, 1 - CLIP))
    prior = logit(np.clip(np.asarray(prevalence, dtype=np.float64), CLIP, 1 - CLIP))
    return np.where(np.isnan(y), np.nan, np.where(y == 1, prior - z, z))


def second_look(
    runs: Sequence[str],
    families: Sequence[str],
    labels: ArrayLike,
    probability: ArrayLike,
    prevalence: ArrayLike,
    *,
    most: int | None = None,
) -> pl.DataFrame:
    """Rank labels by how much predictions disagree with them.

    Parameters
    ----------
    runs, families : sequences of str, of length R and K
    labels, probability, prevalence
        As for :func:`disagreement`.
    most : int, optional
        How many to give; all known labels by default.

    Returns
    -------
    DataFrame
        ``run, family, label, probability, prevalence, disagreement``, the most doubtful first.

    Raises
    ------
    TableError
        If the shapes do not fit.
    """
    y, p = np.asarray(labels, dtype=np.float64), np.asarray(probability, dtype=np.float64)
    if not y.shape == p.shape == (len(runs), len(families)):
        raise TableError(
            f"labels of shape {y.shape} and probabilities of shape {p.shape} were found; expected "
            f"{(len(runs), len(families))} for {len(runs)} runs and {len(families)} families"
        )
    share = np.broadcast_to(np.asarray(prevalence, dtype=np.float64), y.shape)
    found = disagreement(y, p, share)
    order = np.argsort(-found, axis=None, kind="stable")  # NaN last
    order = order[: int(np.isfinite(found).sum())][:most]
    row, column = np.unravel_index(order, y.shape)
    return pl.DataFrame(
        {
            "run": [runs[at] for at in row],
            "family": [families[at] for at in column],
            "label": y[row, column].astype(np.int64),
            "probability": p[row, column],
            "prevalence": share[row, column],
            "disagreement": found[row, column],
        }
    )
