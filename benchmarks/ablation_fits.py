"""Members of the recipe `default`, or of one that differs by an ingredient, fitted and kept.

They are kept apart, not averaged, so that soups, shares and calibrations can be tried on the same
fits. Symbols: R training runs, T test runs, K families, P parts.
"""

from __future__ import annotations

import pickle
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any
from unittest.mock import patch

import numpy as np
import torch
from torch import Tensor

import gale.trainer
from gale.campaign import Campaign
from gale.features import summarise_runs
from gale.features.cache import Cache, default_folder
from gale.features.events import EventSpec
from gale.fitting import Weights, predict_logits
from gale.folds import Fold, stratified_folds
from gale.journal import Journal
from gale.losses import Loss, binary_cross_entropy
from gale.output import writing
from gale.parts import columns_of
from gale.pretraining import pretrain
from gale.progress import Progress
from gale.recipe import Part, Recipe
from gale.run import Floats
from gale.trainer import Trainer
from gale.training_runs import read_training_runs

CPU = torch.device("cpu")

Change = Callable[[dict[str, Any]], object]
"""Changes the dictionary of a recipe in place."""


@dataclass(frozen=True, eq=False)
class Runs:
    """The runs of a campaign.

    Parameters
    ----------
    spec : EventSpec
    families : tuple of str, length K
    features, test_features : arrays of shapes (R, D) and (T, D)
    labels, test_labels : arrays of shapes (R, K) and (T, K)
    derivatized, test_derivatized : arrays of bool, shapes (R,) and (T,)
    """

    spec: EventSpec
    families: tuple[str, ...]
    features: np.ndarray
    test_features: np.ndarray
    labels: np.ndarray
    test_labels: np.ndarray
    derivatized: np.ndarray
    test_derivatized: np.ndarray

    @classmethod
    def read(cls, folder: Path) -> Runs:
        """Read a campaign; features are kept in gale's cache."""
        campaign, cache = Campaign.open(folder), Cache(default_folder())
        settings = Recipe.load("default").features
        known = read_training_runs(campaign, settings, True, None, cache, Progress())
        assert isinstance(known.spec, EventSpec)
        test = campaign.of_split("test")
        table = summarise_runs(test.paths, known.spec, columns=test.columns, cache=cache)
        return cls(
            known.spec,
            campaign.families,
            known.features,
            table.values,
            known.labels,
            test.labels,
            np.isfinite(known.campaign.derivatized),
            np.isfinite(test.derivatized),
        )

    def take(self, rows: np.ndarray) -> Runs:
        """Take some of the training runs, by number."""
        taken = {name: getattr(self, name)[rows] for name in ("features", "labels", "derivatized")}
        return Runs(**{**vars(self), **taken})


@dataclass(frozen=True, eq=False)
class Fits:
    """The members of all folds of all parts, and what they began with."""

    recipe: Recipe
    runs: Runs
    folds: list[Fold]
    starts: Mapping[str, Weights]
    members: Mapping[str, list[list[Weights]]]

    @cached_property
    def trainers(self) -> dict[str, Trainer]:
        """What builds and evaluates the networks of each part."""
        return {
            part.name: trainer(part, self.runs, self.folds, 0, self.starts)
            for part in self.recipe.members_of
        }

    def logits(self, part: str, of_folds: list[list[Weights]]) -> tuple[Floats, Floats]:
        """Mean logits of runs, (R, K), by members not trained on them, and of test, (T, K)."""
        builder = self.trainers[part]
        seen = self.runs.test_features[:, columns_of(builder.part, self.runs.spec)]
        held_out, test = np.full(self.runs.labels.shape, np.nan), []
        for number, (fold, weights) in enumerate(zip(self.folds, of_folds, strict=True)):
            network = builder.network([number] * len(weights), weights)
            given = predict_logits(network, builder.features[fold.validation])
            held_out[fold.validation] = given.mean(0)
            test.append(predict_logits(network, seen).mean(0))
        return held_out, np.mean(test, axis=0)


def trainer(
    part: Part, runs: Runs, folds: list[Fold], seed: int, starts: Mapping[str, Weights]
) -> Trainer:
    """Make the trainer of a part, which keeps nothing on disk."""
    return Trainer(
        part,
        runs.spec,
        seed,
        folds,
        runs.features,
        runs.labels,
        journal=Journal.open(None, "", resume=False, restart=False),
        history=None,
        progress=Progress(),
        start=starts.get(part.name),
        name=part.name,
    )


class MixtureLoss(Loss):
    """Each run counts mixed with another of its batch, too: what either holds, the mixture holds.

    The logit of an elution network is a log-sum-exp over spectra, so that of all spectra of two
    runs is the log-sum-exp of their logits.
    """

    def __call__(self, logits: Tensor, labels: Tensor, noise: Tensor) -> Tensor:
        """Return the loss of each member, shape (E,)."""
        mixed = torch.logaddexp(logits, logits.roll(1, 1))
        others = labels.roll(1, 1)
        either = torch.where((labels == 1) | (others == 1), 1.0, labels + others)
        return super().__call__(logits, labels, noise) + binary_cross_entropy(mixed, either)


def fitted(
    file: Path, runs: Runs, seed: int, change: Change | None = None, *, mixtures: bool = False
) -> Fits:
    """Fit the recipe `default` with a change, or read what `file` keeps of it.

    With `mixtures` the elution networks also learn from :class:`MixtureLoss`.
    """
    choices = Recipe.load("default").to_dict()
    for part in choices["parts"]:
        part["soup"]["kind"] = "none"
    if change is not None:
        change(choices)
    recipe = Recipe.model_validate(choices)
    if file.exists():
        folds, starts, members = pickle.loads(file.read_bytes())
        return Fits(recipe, runs, folds, starts, members)
    labels = runs.labels
    if recipe.folds.stratify_by == "all":
        labels = np.column_stack([labels, np.where(runs.derivatized, 1, np.nan)])
    folds = stratified_folds(
        labels, runs.families, count=recipe.folds.count, by=recipe.folds.stratify_by, seed=seed
    )
    starts = pretrain(
        recipe,
        runs.spec,
        runs.families,
        seed=seed,
        device=CPU,
        workers=2,
        cache=Cache(default_folder()),
    )
    members = {}
    for part in recipe.members_of:
        mixed = mixtures and part.network.kind == "elution"
        with patch.object(gale.trainer, "Loss", MixtureLoss if mixed else Loss):
            members[part.name] = trainer(part, runs, folds, seed, starts).members()
    file.parent.mkdir(parents=True, exist_ok=True)
    with writing(file, force=True) as temporary:
        temporary.write_bytes(pickle.dumps((folds, starts, members)))
    return Fits(recipe, runs, folds, starts, members)
