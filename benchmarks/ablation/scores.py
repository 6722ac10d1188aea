"""Scores of rows on campaigns, baselines, and the tables of both.

Symbols: R runs, K families.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np

from benchmarks import results
from benchmarks.ablation.fits import Runs, cache
from benchmarks.tables import Table, number
from gale.evaluation.metrics import expected_calibration_error, log_loss
from gale.plumbing.work import Work
from gale.run import Floats
from gale.training import train


@dataclass(frozen=True)
class Score:
    """A row on a campaign; NaN where it is not fitted yet."""

    log_loss: float = np.nan
    calibration_error: float = np.nan


OfCampaigns = Mapping[str, list[Score]]
"""By the name of a campaign; one per seed."""

Scores = dict[str, dict[str, list[Score]]]
"""By the name of a row, then as :data:`OfCampaigns`."""


def score(labels: np.ndarray, probability: Floats) -> Score:
    """Score the probabilities of test runs, (R, K)."""
    labels = labels.astype(np.float64)
    return Score(log_loss(labels, probability), expected_calibration_error(labels, probability))


def prior_score(runs: Runs) -> Score:
    """Score the prevalence among the training runs."""
    prevalence = runs.known.prevalence()
    return score(runs.test.labels, np.tile(prevalence, (len(runs.test), 1)))


def logistic_score(file: Path, runs: Runs, seed: int, *, fit: bool = True) -> Score:
    """Train the recipe `logistic` on the training runs and score it, or read what `file` keeps."""
    made_of = [*runs.made_of, seed]
    kept = results.find(file, made_of)
    if kept is None:
        if not fit:
            return Score()
        work = Work(cache=cache())
        table = train(runs.known, "logistic", seed=seed, work=work).predict(runs.test, work=work)
        found = score(runs.test.labels, table.select(runs.test.families).to_numpy())
        kept = asdict(found)
        results.keep(file, made_of, kept)
    return Score(**kept)


def table(scores: Scores) -> Table:
    """Make a table of rows by name; differences are to the first."""
    first, *others = scores
    rows = [header("log loss", scores[first]), [first, *cells(scores[first])]]
    rows += [[name, *cells(scores[name], scores[first])] for name in others]
    return rows


def header(corner: str, of_campaigns: OfCampaigns) -> list[str]:
    """Name the columns of :func:`cells`."""
    return [corner, *of_campaigns, "mean", "difference", "difference, %", "calibration error"]


def cells(of_campaigns: OfCampaigns, reference: OfCampaigns | None = None) -> Iterator[str]:
    """Write a row; a campaign that lacks a seed is "-", and so is what all campaigns make."""
    losses = log_losses(of_campaigns)
    errors = [each.calibration_error for of in of_campaigns.values() for each in of]
    for loss in losses.mean(axis=1):
        yield number(loss, "{:.4f}")
    yield number(losses.mean(), "{:.4f}", losses.mean(axis=0))
    if reference is None:
        yield from ("", "")
    else:
        base = log_losses(reference)
        apart = (losses - base).mean(axis=0)
        ratio = 100 * (losses.mean(axis=1) / base.mean(axis=1) - 1)
        yield number(apart.mean(), "{:+.4f}", apart)
        yield number(ratio.mean(), "{:+.1f}", ratio)
    yield number(float(np.mean(errors)), "{:.3f}")


def log_losses(of_campaigns: OfCampaigns) -> np.ndarray:
    """Log losses, an array of campaigns by seeds."""
    return np.array([[each.log_loss for each in of] for of in of_campaigns.values()])
