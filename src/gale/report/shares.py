"""Shares of runs with intervals: the calibration of probabilities, and what is found by abundance.

Symbols: R runs, K families.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import polars as pl
from scipy.special import ndtri

from gale.report.charts import Band
from gale.run import Floats, Integers
from gale.simulation.peaks import LABEL_ROLES

BINS = 10
"""Bins of probability, of equal width, for all families together."""

FAMILY_BINS = 5
"""Bins for a single family, which has fewer labels."""

TRUTH = ("run", "families", "role", "abundance")
"""Columns of the truth of a simulated campaign that are used."""

ABUNDANCES = (1.0, 3.0, 10.0, 30.0, 100.0)
"""Where ranges of abundance begin, in multiples of the detection limit; the last has no end."""


def reliability_bands(
    families: Sequence[str], labels: Floats, probability: Floats
) -> dict[str, Band]:
    """Compute the share of positive runs by predicted probability, for all families and for each.

    Parameters
    ----------
    families : sequence of K str
    labels, probability : arrays of shape (R, K)
    """
    bands = {"all families": _reliability(labels.ravel(), probability.ravel(), BINS)}
    for at, family in enumerate(families):
        bands[family] = _reliability(labels[:, at], probability[:, at], FAMILY_BINS)
    return bands


def _reliability(labels: Floats, probability: Floats, bins: int) -> Band:
    known = np.isfinite(labels)
    y, p = labels[known], probability[known]
    of_bin = np.searchsorted(np.arange(1, bins) / bins, p, side="right")
    count = np.bincount(of_bin, minlength=bins)
    used = count > 0
    mean = np.bincount(of_bin, p, minlength=bins)[used] / count[used]
    return band(mean, np.bincount(of_bin, y, minlength=bins)[used].astype(np.int64), count[used])


def band(x: Floats, hits: Integers, count: Integers) -> Band:
    """Compute shares with 95 % intervals (Wilson 1927, J. Am. Stat. Assoc. 22, 209)."""
    share, z = hits / count, ndtri(0.975)
    centre = (2 * count * share + z**2) / (2 * (count + z**2))
    half = z * np.sqrt(4 * count * share * (1 - share) + z**2) / (2 * (count + z**2))
    low = np.where(hits == 0, 0.0, centre - half)
    high = np.where(hits == count, 1.0, centre + half)
    return Band(np.asarray(x, dtype=np.float64), share, low, high, np.asarray(count))


def strongest(truth: pl.DataFrame, runs: Sequence[str], families: Sequence[str]) -> Floats:
    """Look up the abundance of each family's most abundant compound in each run.

    Parameters
    ----------
    truth : DataFrame
        That of a simulated campaign: ``run``, ``families``, ``role`` and ``abundance``, in
        multiples of the detection limit.

    Returns
    -------
    array of shape (R, K)
        0 where a family is absent.
    """
    most = (
        truth.filter(pl.col("role").is_in(LABEL_ROLES))
        .select(TRUTH)
        .explode("families")
        .group_by("run", "families")
        .agg(pl.col("abundance").max())
    )
    row = {run: at for at, run in enumerate(runs)}
    column = {family: at for at, family in enumerate(families)}
    found = np.zeros((len(runs), len(families)))
    for run, family, abundance in most.iter_rows():
        if run in row and family in column:
            found[row[run], column[family]] = abundance
    return found


def by_abundance(
    abundance: Floats, labels: Floats, probability: Floats
) -> tuple[Band, Floats, list[str]]:
    """Compute the share of positive labels that are found, by abundance.

    Returns
    -------
    Band
        Share with a probability of 0.5 or more.
    array
        Mean probability.
    list of str
        Names of the ranges.
    """
    present = (labels == 1) & (abundance >= ABUNDANCES[0])
    of_range = np.searchsorted(ABUNDANCES, abundance[present], side="right") - 1
    p = probability[present]
    count = np.bincount(of_range, minlength=len(ABUNDANCES))
    used = np.flatnonzero(count)
    hits = np.bincount(of_range, p >= 0.5, minlength=len(ABUNDANCES)).astype(np.int64)
    mean = np.bincount(of_range, p, minlength=len(ABUNDANCES))[used] / count[used]
    ends = [f" to {end:g}" for end in ABUNDANCES[1:]] + [" and more"]
    names = [f"{ABUNDANCES[at]:g}{ends[at]}" for at in used]
    return band(used.astype(np.float64), hits[used], count[used]), mean, names
