"""Ensembles: fitted parts, their held-out predictions, and how they are combined."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import polars as pl
import torch
from numpy.typing import NDArray
from torch import nn

from gale.campaign import Campaign
from gale.model.support import Support
from gale.run import Floats
from gale.training.calibration import Away, Calibration, cross_fitted, fit_calibration
from gale.training.facts import log_loss_of_held_out, scores_of
from gale.training.fitting import Weights, predict_logits
from gale.training.folds import Fold
from gale.training.members import MemberFitter
from gale.training.networks.summary import prior_logit
from gale.training.novelty import Novelty, Spectra, less_sure, novelty_from
from gale.training.recipe import Recipe
from gale.training.shipped import shipped_families
from gale.training.soups import average_weights


@dataclass(frozen=True)
class FittedPart:
    """The members of a part that enter the ensemble, and their held-out predictions.

    Parameters
    ----------
    fitter : MemberFitter
    fold_of : list of int, length E
        The fold of each member; 0 for the average of all.
    weights : list of Weights, length E
    logits : array of shape (R, K)
        Mean over the members that did not train on a run; NaN for runs that no fold validates.
    probability : array of shape (R, K)
        The same mean of probabilities.
    interpolated : float
        Share of the way from the pre-trained weights to the fitted ones.
    """

    fitter: MemberFitter
    fold_of: list[int]
    weights: list[Weights]
    logits: Floats
    probability: Floats
    interpolated: float

    def __len__(self) -> int:
        return len(self.weights)

    @property
    def share(self) -> Floats:
        """Its share of the logit of each family (K,); NaN where it is to be fitted."""
        part, families = self.fitter.part, self.fitter.runs.families
        share = np.nan if part.share is None else part.share
        if part.kind == "matching":
            return np.where(np.isin(families, shipped_families()), share, 0.0)
        return np.full(self.logits.shape[1], share)

    def network(self) -> nn.Module:
        """Build the network of all members."""
        return self.fitter.network(self.fold_of, self.weights)


@dataclass(frozen=True)
class Ensemble:
    """Fitted parts, and how they are combined.

    Parameters
    ----------
    parts : sequence of FittedPart
    folds : sequence of Fold
    calibration : Calibration or None
        Without it, the probability is the mean over all members.
    held_out : array of shape (R, K)
        Probability of each run, obtained without its own labels; NaN for runs that no fold
        validates.
    support : Support, optional
        What limits the probabilities.
    away : Away, optional
        How the parts are combined for runs of other instruments.
    novelty : Novelty, optional
        What makes the probabilities of runs of new compounds less sure.
    """

    parts: Sequence[FittedPart]
    folds: Sequence[Fold]
    calibration: Calibration | None
    held_out: Floats
    support: Support | None = None
    away: Away | None = None
    novelty: Novelty | None = None

    def supported(self, support: Support) -> Ensemble:
        """Limit the probabilities to what the training runs support."""
        return replace(self, held_out=support.apply(self.held_out), support=support)

    def with_novelty(self, spectra: Spectra, labels: NDArray[np.float32]) -> Ensemble:
        """Make the probabilities of runs of new compounds less sure."""
        prior = prior_of_folds(labels, self.folds)
        held_out = less_sure(self.held_out, prior, spectra, self.folds)
        return replace(self, held_out=held_out, novelty=novelty_from(spectra, labels))

    def facts(
        self,
        labels: NDArray[np.float32],
        caution: str,
        *,
        apart: bool = False,
        val: NDArray[np.int64] | None = None,
    ) -> dict[str, Any]:
        """Return what a model says of its members, calibration and scores.

        Parameters
        ----------
        labels : array of shape (R, K)
        caution : str
            How to read the scores.
        apart : bool
            Whether no run is held out from members that saw others of its group.
        val : array of int, optional
            Rows of the val split, if it is a fold of its own.
        """
        prior = prior_of_folds(labels, self.folds)
        facts: dict[str, Any] = {
            "members": sum(map(len, self.parts)),
            "folds": len(self.folds),
            "calibrated": self.calibration is not None,
            "supported": self.support is not None,
            "scores": scores_of(
                labels, self.held_out, prior, len(self.folds), caution, apart=apart, val=val
            ),
        }
        if self.calibration is not None:
            facts["calibration"] = self.calibration.to_dict()
        if self.novelty is not None:
            facts["novelty"] = self.novelty.facts()
        if any(part.fitter.start is not None for part in self.parts):
            facts["interpolated"] = {
                part.fitter.part.name: part.interpolated for part in self.parts
            }
        return facts

    def held_out_table(self, campaign: Campaign) -> pl.DataFrame:
        """Return the probabilities of the held-out runs as a table of predictions."""
        known = np.flatnonzero(np.isfinite(self.held_out).all(axis=1))
        return pl.DataFrame(
            {
                "run": [campaign.runs[row] for row in known],
                "status": ["ok"] * len(known),
                "message": pl.Series([None] * len(known), dtype=pl.String),
                **{
                    family: self.held_out[known, column].astype(np.float32)
                    for column, family in enumerate(campaign.families)
                },
            }
        )


def fit_part(fitter: MemberFitter) -> FittedPart:
    """Fit all members of a part, and draw them back towards their start.

    Of the shares in ``soup.interpolate``, the one with the lowest held-out log loss is used.
    """
    members = fitter.members()
    shares = fitter.part.soup.interpolate if fitter.start is not None else (1.0,)
    candidates = [_held_out(fitter, fitter.interpolated(members, share), share) for share in shares]
    if len(candidates) == 1:
        return candidates[0]

    def score(part: FittedPart) -> float:
        probability = cross_fitted(part.logits[None], fitter.runs.labels, fitter.folds)
        return log_loss_of_held_out(fitter.runs.labels, probability)

    return min(candidates, key=score)


def _held_out(fitter: MemberFitter, members: list[list[Weights]], share: float) -> FittedPart:
    """Let each fold's members predict the fold's validation runs.

    Where the recipe says so, the members of all folds are then averaged into one. Networks that
    begin with the same weights stay close enough for this (Wortsman et al. 2022, arXiv 2203.05482).
    Those of a part that is not fitted are the same.
    """
    logits, probability = (np.full(fitter.runs.labels.shape, np.nan) for _ in range(2))
    for number, (fold, weights) in enumerate(zip(fitter.folds, members, strict=True)):
        network = fitter.network([number] * len(weights), weights)
        predicted = predict_logits(network, fitter.features, fold.validation)
        logits[fold.validation] = predicted.mean(0)
        probability[fold.validation] = torch.sigmoid(torch.from_numpy(predicted)).numpy().mean(0)
    fold_of = [number for number, weights in enumerate(members) for _ in weights]
    flat = [weights for fold_members in members for weights in fold_members]
    if fitter.part.soup.across_folds or fitter.part.kind == "matching":
        fold_of, flat = [0], [average_weights(flat)]
    return FittedPart(fitter, fold_of, flat, logits, probability, share)


def combine(
    recipe: Recipe, parts: Sequence[FittedPart], labels: NDArray[np.float32], folds: Sequence[Fold]
) -> Ensemble:
    """Combine the parts into an ensemble, calibrated if the recipe says so.

    The calibration is fitted to the mean over one fold's members and applied to the mean over all
    members, which is slightly less extreme.
    """
    if not (recipe.calibrate or recipe.parts):
        return Ensemble(parts, folds, None, parts[0].probability)
    logits = np.stack([part.logits for part in parts])
    shares = shares_of(parts)
    strength = recipe.calibration_strength
    calibration = fit_calibration(logits, labels, shares=shares, strength=strength)
    held_out = cross_fitted(logits, labels, folds, shares=shares, strength=strength)
    return Ensemble(parts, folds, calibration, held_out)


def shares_of(parts: Sequence[FittedPart]) -> Floats | None:
    """Return what recipes say of the shares of parts (P, K), NaN where they say nothing.

    A part counts for nothing for families that it does not know. None if nothing is said.
    """
    shares = np.stack([part.share for part in parts])
    return None if np.isnan(shares).all() else shares


def prior_of_folds(labels: NDArray[np.float32], folds: Sequence[Fold]) -> Floats:
    """Return, for each run (R, K), the prevalence in the training runs of the fold it validates."""
    prior = np.full(labels.shape, np.nan)
    for fold in folds:
        prior[fold.validation] = torch.sigmoid(prior_logit(labels[fold.training])).numpy()
    return prior
