"""Members of the recipe `default`, or of one that differs by an ingredient, fitted and kept.

They are kept apart, not averaged, so that soups, shares and calibrations can be tried on the same
fits. Symbols: R training runs, T test runs, K families.
"""

from __future__ import annotations

import json
import pickle
import sys
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from functools import cached_property, partial
from pathlib import Path
from typing import Any
from unittest.mock import patch

import numpy as np
import torch
from torch import Tensor

import gale.training.members
from gale.campaign import Campaign
from gale.features import compute_features
from gale.features.events import EventSpec
from gale.plumbing.cache import Cache, default_folder
from gale.plumbing.files import writing
from gale.plumbing.progress import Progress
from gale.plumbing.work import Work
from gale.run import Floats
from gale.training.fitting import Weights, predict_logits
from gale.training.folds import Fold, stratified_folds
from gale.training.journal import Journal
from gale.training.losses import Loss, binary_cross_entropy
from gale.training.members import Trainer
from gale.training.networks.build import columns_of
from gale.training.pretraining import pretrain
from gale.training.recipe import Part, Recipe
from gale.training.runs import read_training_runs
from gale.training.soups import Member, average_weights, greedy_soup

CPU = torch.device("cpu")

Change = Callable[[dict[str, Any]], object]
"""Changes the dictionary of a recipe in place."""


def cache() -> Cache:
    """Open gale's own cache: of features, and of the weights of pre-training."""
    return Cache(default_folder())


@dataclass(frozen=True, eq=False)
class Runs:
    """The runs of a campaign, and their event features.

    Parameters
    ----------
    spec : EventSpec
    known, test : Campaign
        The labelled runs of train and val, and the test runs.
    features, test_features : arrays of shapes (R, D) and (T, D)
    """

    spec: EventSpec
    known: Campaign
    test: Campaign
    features: np.ndarray
    test_features: np.ndarray

    @classmethod
    def read(cls, folder: Path) -> Runs:
        """Read a campaign."""
        campaign, settings = Campaign.open(folder), Recipe.load("default").features
        runs = read_training_runs(campaign, settings, Work(strict=True, cache=cache()))
        assert isinstance(runs.spec, EventSpec)
        test = campaign.of_split("test")
        table = compute_features(
            test.paths, runs.spec, work=Work(columns=test.columns, cache=cache())
        )
        return cls(runs.spec, runs.campaign, test, runs.features, table.values)

    def take(self, rows: np.ndarray) -> Runs:
        """Take some of the training runs, by number."""
        return replace(self, known=self.known.select(rows), features=self.features[rows])

    @property
    def labels(self) -> np.ndarray:
        """Labels of the training runs, (R, K)."""
        return self.known.labels


@dataclass(frozen=True, eq=False)
class Fits:
    """The members of all folds of all parts, and what they began with.

    Logits are kept in `folder`, so that they are computed once.
    """

    folder: Path
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

    def logits(self, part: str, soup: str, share: float) -> tuple[Floats, Floats]:
        """Mean logits of runs, (R, K), by members not trained on them, and of test runs, (T, K).

        Parameters
        ----------
        part : str
        soup : str
            ``uniform``, ``greedy``, ``none`` (all members) or ``one`` (the first member of a fold).
        share : float
            Of the way from the weights that members began with to those that they ended with.
        """
        file = self.folder / f"{part}-{soup}-{share}.npz"
        if not file.exists():
            held_out, test = self._logits(part, soup, share)
            self.folder.mkdir(parents=True, exist_ok=True)
            with writing(file, force=True) as temporary, temporary.open("wb") as opened:
                np.savez(opened, held_out=held_out, test=test)
        with np.load(file) as arrays:
            return arrays["held_out"], arrays["test"]

    def _logits(self, part: str, soup: str, share: float) -> tuple[Floats, Floats]:
        builder = self.trainers[part]
        mixed = [self._mix(part, soup, fold) for fold in range(len(self.folds))]
        seen = self.runs.test_features[:, columns_of(builder.part, self.runs.spec)]
        held_out, test = np.full(self.runs.labels.shape, np.nan), []
        for number, weights in enumerate(builder.interpolated(mixed, share)):
            rows = self.folds[number].validation
            network = builder.network([number] * len(weights), weights)
            held_out[rows] = predict_logits(network, builder.features[rows]).mean(0)
            test.append(predict_logits(network, seen).mean(0))
        return held_out, np.mean(test, axis=0)

    def _mix(self, part: str, soup: str, fold: int) -> list[Weights]:
        """Make the members of a fold into those that count."""
        members = self.members[part][fold]
        if soup == "none":
            return members
        if soup == "one":
            return members[:1]
        if soup == "uniform":
            return [average_weights(members)]
        evaluate = partial(self.trainers[part].evaluate, fold)
        scored = [Member(each, evaluate(each)) for each in members]
        return [greedy_soup(scored, average_weights, evaluate).weights]


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


@dataclass(frozen=True, eq=False)
class Wanted:
    """Fits of the recipe `default` with a change, and the file that keeps them.

    With `mixtures` the elution networks also learn from :class:`MixtureLoss`.
    """

    file: Path
    runs: Runs
    seed: int
    change: Change | None = None
    mixtures: bool = False

    @cached_property
    def recipe(self) -> Recipe:
        """The recipe, whose members are kept apart."""
        choices = Recipe.load("default").to_dict()
        for part in choices["parts"]:
            part["soup"]["kind"] = "none"
        if self.change is not None:
            self.change(choices)
        return Recipe.model_validate(choices)

    @property
    def made_of(self) -> str:
        """What the fits depend on, as text."""
        of = [self.recipe.to_dict(), self.runs.known.fingerprint(), self.seed, self.mixtures]
        return json.dumps(of)

    def kept(self) -> Fits | None:
        """Read the fits, unless there are none or they are of another recipe or other runs."""
        if not self.file.exists():
            return None
        folds, starts, members, *made_of = pickle.loads(self.file.read_bytes())
        if made_of and made_of != [self.made_of]:  # files of before it was noted are taken
            return None
        return Fits(self.file.with_suffix(""), self.recipe, self.runs, folds, starts, members)

    def fit(self) -> None:
        """Fit and keep what is not kept yet, and tell."""
        if self.kept() is not None:
            return
        started = time.monotonic()
        made = (*self._fit(), self.made_of)
        self.file.parent.mkdir(parents=True, exist_ok=True)
        for old in self.file.with_suffix("").glob("*.npz"):
            old.unlink()
        with writing(self.file, force=True) as temporary:
            temporary.write_bytes(pickle.dumps(made))
        print(f"{self.file}: {time.monotonic() - started:.0f} s", file=sys.stderr, flush=True)

    def _fit(self) -> tuple[list[Fold], dict[str, Weights], dict[str, list[list[Weights]]]]:
        recipe, runs, seed = self.recipe, self.runs, self.seed
        families = runs.known.families
        folds = stratified_folds(
            runs.labels,
            families,
            count=recipe.folds.count,
            by=recipe.folds.stratify_by,
            seed=seed,
            derivatized=runs.known.derivatized,
        )
        starts = pretrain(
            recipe,
            runs.spec,
            families,
            seed=seed,
            work=Work(device="cpu", workers=2, cache=cache()),
        )
        members = {}
        for part in recipe.members_of:
            mixed = self.mixtures and part.network.kind == "elution"
            with patch.object(gale.training.members, "Loss", MixtureLoss if mixed else Loss):
                members[part.name] = trainer(part, runs, folds, seed, starts).members()
        return folds, starts, members
