"""Labels that deserve a second look: those that held-out predictions disagree with most.

Suppose that a small share ε of the labels of a family with prevalence π were assigned to the wrong
runs, so that as many are missing as are superfluous. If p is the probability of a run, predicted by
members that did not train on it, the odds that its label is wrong are about ε p / (1 − p) if the
label says absent, and ε π / (1 − π) · (1 − p) / p if it says present. A compound near the detection
limit is labelled but hardly visible, so a present label with a small p needs a second look only if
p is far below π. The logarithm of the odds, without ε, ranks the labels of all families. Judging
labels by predictions that did not see them follows Northcutt, Jiang and Chuang 2021, "Confident
learning", Journal of Artificial Intelligence Research 70, 1373.

Symbols: R runs, K families.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import polars as pl
from numpy.typing import ArrayLike

from gale.errors import TableError
from gale.plumbing.arguments import check_whole
from gale.plumbing.kinds import checked
from gale.plumbing.numeric import logit
from gale.run import Floats

CLIP = 1e-4
"""Distance kept from 0 and 1: probabilities are not known more precisely."""


def disagreement(labels: ArrayLike, probability: ArrayLike, prevalence: ArrayLike) -> Floats:
    """Measure how much predictions disagree with each label.

    Parameters
    ----------
    labels : array of shape (R, K)
        0 or 1; NaN where unknown.
    probability : array of shape (R, K)
        Predicted by members that did not train on the run.
    prevalence : array of shape (K,)
        Training prevalence of each family.

    Returns
    -------
    array of shape (R, K)
        Log odds that the label is wrong, up to a constant; NaN where the label is unknown.
    """
    y = np.asarray(labels, dtype=np.float64)
    z = logit(np.clip(np.asarray(probability, dtype=np.float64), CLIP, 1 - CLIP))
    prior = logit(np.clip(np.asarray(prevalence, dtype=np.float64), CLIP, 1 - CLIP))
    return np.where(np.isnan(y), np.nan, np.where(y == 1, prior - z, z))


@checked
def second_look(
    runs: Sequence[str],
    families: Sequence[str],
    labels: ArrayLike,
    probability: ArrayLike,
    prevalence: ArrayLike,
    *,
    most: int | None = None,
) -> pl.DataFrame:
    """Rank labels by how much held-out predictions disagree with them.

    Parameters
    ----------
    runs, families : sequences of str, of length R and K
    labels, probability, prevalence
        As for :func:`disagreement`.
    most : int, optional
        Number of labels to return; all known ones by default.

    Returns
    -------
    DataFrame
        ``run, family, label, probability, prevalence, disagreement``, the largest disagreement
        first.

    Raises
    ------
    TableError
        If the shapes do not fit.

    Examples
    --------
    >>> from gale import second_look
    >>> table = second_look(
    ...     runs=["S1", "S2"],
    ...     families=["alcohol", "mineral"],
    ...     labels=[[1, 0], [0, 0]],
    ...     probability=[[0.9, 0.2], [0.8, 0.1]],
    ...     prevalence=[0.5, 0.3],
    ...     most=2,
    ... )
    >>> table.select("run", "family", "label", "probability").rows()
    [('S2', 'alcohol', 0, 0.8), ('S1', 'mineral', 0, 0.2)]
    """
    if most is not None:
        check_whole("most", most)
    y, p = np.asarray(labels, dtype=np.float64), np.asarray(probability, dtype=np.float64)
    if not y.shape == p.shape == (len(runs), len(families)):
        raise TableError(
            "labels",
            f"have shape {y.shape}, the probabilities {p.shape}",
            f"{(len(runs), len(families))}: {len(runs):,} runs and {len(families):,} families",
        )
    share = np.asarray(prevalence, dtype=np.float64)
    if share.shape not in ((), (len(families),)):
        raise TableError(
            "prevalence", f"has shape {share.shape}", f"{(len(families),)}: one for each family"
        )
    share = np.broadcast_to(share, y.shape)
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
