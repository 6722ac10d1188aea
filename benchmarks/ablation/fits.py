"""Fits of a recipe, or of one that differs by an ingredient, with every member kept.

Members are kept one by one, not averaged, so that soups, shares and calibrations can be tried on
the same fits. Symbols: R training runs, T test runs, K families.
"""

from __future__ import annotations

import shutil
import time
from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cached_property, partial
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from benchmarks import campaigns, results
from benchmarks.options import tell
from gale.campaign import Campaign
from gale.features import compute_features
from gale.features.events import EventSpec
from gale.plumbing.cache import Cache
from gale.plumbing.files import writing
from gale.plumbing.progress import Progress
from gale.plumbing.work import Work
from gale.run import Floats
from gale.training.fitting import Weights, predict_logits
from gale.training.folds import Fold, folds_of
from gale.training.journal import STAMP, Journal, count_fits
from gale.training.losses import Loss, binary_cross_entropy
from gale.training.members import FitWork, MemberFitter, fits_per_fold
from gale.training.networks.build import columns_of
from gale.training.pretraining import pretrain
from gale.training.recipe import Part, Recipe
from gale.training.runs import LabelledRuns, read_training_runs
from gale.training.soups import Member, average_weights, greedy_soup


def cache() -> Cache:
    """Open gale's own cache of features and of pre-trained weights."""
    return Cache.default()


@dataclass(frozen=True, eq=False)
class Runs:
    """The runs of a campaign, and their event features.

    Parameters
    ----------
    spec : EventSpec
    known, test : Campaign
        The labelled runs of train and val, and the test runs.
    features, test_features : arrays of shapes (R, D) and (T, D)
    identity : str
        Hash of the campaign's tables.
    """

    spec: EventSpec
    known: Campaign
    test: Campaign
    features: np.ndarray
    test_features: np.ndarray
    identity: str

    @classmethod
    def read(cls, folder: Path, recipe: Recipe) -> Runs:
        """Read a campaign, with the features of a recipe."""
        campaign = Campaign.open(folder)
        work = Work(strict=True, cache=cache())
        runs = read_training_runs(campaign, recipe.all_features, work)
        assert isinstance(runs.spec, EventSpec)
        test = campaign.of_split("test")
        table = compute_features(
            test.paths, runs.spec, work=Work(columns=test.columns, cache=cache())
        )
        identity = campaigns.identity(folder)
        return cls(runs.spec, runs.campaign, test, runs.features, table.values, identity)

    def take(self, rows: np.ndarray) -> Runs:
        """Take some of the training runs, by number."""
        return replace(self, known=self.known.select(rows), features=self.features[rows])

    @property
    def labels(self) -> np.ndarray:
        """Labels of the training runs, (R, K)."""
        return self.known.labels

    @property
    def made_of(self) -> list[str]:
        """What tells these runs, and those to train on among them, from any others."""
        return [self.identity, self.known.fingerprint()]


class MixtureLoss(Loss):
    """Each run also counts mixed with another of its batch: a mixture holds what either run holds.

    The logit of an elution network is a log-sum-exp over spectra, so that of all spectra of two
    runs is the log-sum-exp of their logits.
    """

    def __call__(self, logits: Tensor, labels: Tensor, noise: Tensor) -> Tensor:
        """Return the loss of each member, shape (E,)."""
        mixed = torch.logaddexp(logits, logits.roll(1, 1))
        others = labels.roll(1, 1)
        either = torch.where((labels == 1) | (others == 1), 1.0, labels + others)
        return super().__call__(logits, labels, noise) + binary_cross_entropy(mixed, either)


class MixtureFitter(MemberFitter):
    """Fits members with :class:`MixtureLoss`."""

    def loss(self) -> Loss:
        """The loss of the part, with mixtures."""
        loss = super().loss()
        return MixtureLoss(loss.hinge, loss.label_correlation, loss.noise)


@dataclass(frozen=True, eq=False)
class Fits:
    """The members of all folds of all parts of a recipe, kept in a folder.

    Parameters
    ----------
    folder : Path
        Has the journal of the fits with the fingerprint of what they depend on, the weights that
        members start from, and logits, so that each is computed once.
    recipe : Recipe
        Its soups are of kind ``none``, so that members stay apart.
    runs : Runs
    seed : int
    mixtures : bool
        Whether elution networks also learn from mixtures of two runs.
    """

    folder: Path
    recipe: Recipe
    runs: Runs
    seed: int
    mixtures: bool = False

    @cached_property
    def fingerprint(self) -> str:
        """Hash of all that the fits depend on."""
        choices = [self.recipe.to_dict(), self.runs.made_of, self.seed, self.mixtures]
        return results.fingerprint(choices)

    @cached_property
    def folds(self) -> list[Fold]:
        """The folds of the training runs."""
        return folds_of(self.runs.known, self.recipe.folds, self.seed, Progress())

    @property
    def finished(self) -> bool:
        """Whether all fits are kept, and are of this recipe and these runs."""
        n_fits = len(self.folds) * sum(map(fits_per_fold, self.recipe.members_of))
        return self._are_these and count_fits(self._journal) == n_fits

    def fit(self) -> None:
        """Fit and keep what is not kept yet."""
        if self.finished:
            return
        if not self._are_these:
            shutil.rmtree(self.folder, ignore_errors=True)
        started = time.monotonic()
        work = Work(device="cpu", workers=2, cache=cache())
        families = self.runs.known.families
        starts = pretrain(self.recipe, self.runs.spec, families, seed=self.seed, work=work).weights
        for part, weights in starts.items():
            _save(self._start(part), weights)
        for fitter in self.fitters.values():
            fitter.members()
        tell(f"{self.folder}: {time.monotonic() - started:.0f} s")

    @cached_property
    def starts(self) -> dict[str, Weights]:
        """The weights that the members of each pre-trained part start from."""
        files = {part.name: self._start(part.name) for part in self.recipe.members_of}
        return {part: _load(file) for part, file in files.items() if file.exists()}

    @cached_property
    def fitters(self) -> dict[str, MemberFitter]:
        """What fits, builds and evaluates the networks of each part."""
        resume = count_fits(self._journal) > 0
        journal = Journal.open(self._journal, self.fingerprint, resume=resume)
        starts = self.starts
        return {
            part.name: self._fitter(part, journal, starts.get(part.name))
            for part in self.recipe.members_of
        }

    @cached_property
    def members(self) -> dict[str, list[list[Weights]]]:
        """The weights of the members of each fold, by part."""
        return {name: fitter.members() for name, fitter in self.fitters.items()}

    def logits(self, part: str, soup: str, share: float) -> tuple[Floats, Floats]:
        """Mean logits of runs, (R, K), by members not trained on them, and of test runs, (T, K).

        Parameters
        ----------
        part : str
        soup : str
            ``uniform``, ``greedy``, ``none`` (all members) or ``one`` (the first member of a fold).
        share : float
            How far members go from the weights that they started from (0) to those that they
            were fitted to (1).
        """
        file = self.folder / "logits" / f"{part}-{soup}-{share}.npz"
        if not file.exists():
            held_out, test = self._logits(part, soup, share)
            _save(file, {"held_out": held_out, "test": test})
        arrays = _load(file)
        return arrays["held_out"], arrays["test"]

    def _logits(self, part: str, soup: str, share: float) -> tuple[Floats, Floats]:
        fitter = self.fitters[part]
        mixed = [self._mix(part, soup, fold) for fold in range(len(self.folds))]
        seen = self.runs.test_features[:, columns_of(fitter.part, self.runs.spec)]
        held_out, test = np.full(self.runs.labels.shape, np.nan), []
        for number, weights in enumerate(fitter.interpolated(mixed, share)):
            rows = self.folds[number].validation
            network = fitter.network([number] * len(weights), weights)
            held_out[rows] = predict_logits(network, fitter.features[rows]).mean(0)
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
        evaluate = partial(self.fitters[part].evaluate, fold)
        scored = [Member(each, evaluate(each)) for each in members]
        return [greedy_soup(scored, average_weights, evaluate).weights]

    def _fitter(self, part: Part, journal: Journal, start: Weights | None) -> MemberFitter:
        mixtures = self.mixtures and part.network.kind == "elution"
        return (MixtureFitter if mixtures else MemberFitter)(
            part,
            LabelledRuns(self.runs.spec, self.runs.features, self.runs.labels),
            self.folds,
            self.seed,
            FitWork(journal),
            start=start,
            name=part.name,
        )

    @property
    def _journal(self) -> Path:
        return self.folder / "journal"

    @property
    def _are_these(self) -> bool:
        stamp = self._journal / STAMP
        return stamp.exists() and stamp.read_text("utf-8") == self.fingerprint

    def _start(self, part: str) -> Path:
        return self.folder / "starts" / f"{part}.npz"


def _save(file: Path, arrays: Mapping[str, np.ndarray]) -> None:
    file.parent.mkdir(parents=True, exist_ok=True)
    with writing(file, force=True) as temporary, temporary.open("wb") as opened:
        np.savez(opened, **arrays)  # type: ignore[arg-type]


def _load(file: Path) -> dict[str, np.ndarray]:
    with np.load(file, allow_pickle=False) as arrays:
        return dict(arrays)
