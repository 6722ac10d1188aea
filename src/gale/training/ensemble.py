"""From fitted members to one ensemble: what they give for held-out runs, and how it is combined."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import polars as pl
import torch
from numpy.typing import NDArray

from gale.campaign import Campaign
from gale.plumbing.files import writing
from gale.training.calibration import Calibration, cross_fitted, fit_calibration
from gale.training.facts import log_loss_of_held_out
from gale.training.fitting import Weights, predict_logits
from gale.training.folds import Fold
from gale.training.members import Array, Trainer
from gale.training.networks.summary import prior_logit
from gale.training.recipe import Recipe


@dataclass(frozen=True)
class PartMembers:
    """The members of a part that enter the ensemble.

    Parameters
    ----------
    fold_of : list of int, length E
        The fold of each.
    weights : list of Weights, length E
    logits : array of shape (R, K)
        Mean over the members that did not train on a run; NaN for runs that validate no fold.
    probability : array of shape (R, K)
        Mean likewise of their probabilities.
    interpolated : float
        How far their weights went from the pre-trained ones to the fitted ones.
    """

    fold_of: list[int]
    weights: list[Weights]
    logits: NDArray[np.float64]
    probability: NDArray[np.float64]
    interpolated: float

    def __len__(self) -> int:
        return len(self.weights)


def fit_part(trainer: Trainer) -> PartMembers:
    """Fit all members of a part, and draw them back towards their start as far as is best.

    The best share of those in ``soup.interpolate`` has the lowest log loss on held-out runs.
    """
    of_folds = trainer.members()
    shares = trainer.part.soup.interpolate if trainer.start is not None else (1.0,)
    tried = [_held_out(trainer, trainer.interpolated(of_folds, share), share) for share in shares]
    if len(tried) == 1:
        return tried[0]

    def score(each: PartMembers) -> float:
        probability = cross_fitted(each.logits[None], trainer.labels, trainer.folds)
        return log_loss_of_held_out(trainer.labels, probability)

    return min(tried, key=score)


def _held_out(trainer: Trainer, of_folds: list[list[Weights]], share: float) -> PartMembers:
    """See what members give for the runs that validated them."""
    logits, probability = (np.full(trainer.labels.shape, np.nan) for _ in range(2))
    for number, (fold, weights) in enumerate(zip(trainer.folds, of_folds, strict=True)):
        network = trainer.network([number] * len(weights), weights)
        given = predict_logits(network, trainer.features[fold.validation])
        logits[fold.validation] = given.mean(0)
        probability[fold.validation] = torch.sigmoid(torch.from_numpy(given)).numpy().mean(0)
    fold_of = [number for number, weights in enumerate(of_folds) for _ in weights]
    members = [each for of_fold in of_folds for each in of_fold]
    return PartMembers(fold_of, members, logits, probability, share)


def combine(
    recipe: Recipe, members: list[PartMembers], labels: Array, folds: list[Fold]
) -> tuple[Calibration | None, NDArray[np.float64]]:
    """Say how parts become probabilities, and give those of each run (R, K) without its own labels.

    The calibration is fitted to the mean over one fold's members and applied to the mean over all
    members, which is slightly less extreme.
    """
    if not (recipe.calibrate or recipe.parts):
        return None, members[0].probability
    logits = np.stack([each.logits for each in members])
    given = [part.share for part in recipe.members_of if part.share is not None]
    shares, way = given or None, recipe.calibration_way
    return (
        fit_calibration(logits, labels, shares=shares, way=way),
        cross_fitted(logits, labels, folds, shares=shares, way=way),
    )


def prior_of_folds(labels: Array, folds: list[Fold]) -> NDArray[np.float64]:
    """The prevalence among the training runs of the fold that each run validates, (R, K)."""
    prior = np.full(labels.shape, np.nan)
    for fold in folds:
        prior[fold.validation] = torch.sigmoid(prior_logit(labels[fold.training])).numpy()
    return prior


def write_held_out(file: Path, campaign: Campaign, probability: NDArray[np.float64]) -> None:
    """Write the probabilities (R, K) of the runs that have them as a table of predictions."""
    known = np.flatnonzero(np.isfinite(probability).all(axis=1))
    table = pl.DataFrame(
        {
            "run": [campaign.runs[at] for at in known],
            "status": ["ok"] * len(known),
            "message": pl.Series([None] * len(known), dtype=pl.String),
            **{
                family: probability[known, at].astype(np.float32)
                for at, family in enumerate(campaign.families)
            },
        }
    )
    with writing(file, force=True) as temporary:
        temporary.write_bytes(table.write_csv().encode())
