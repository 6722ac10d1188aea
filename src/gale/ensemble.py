"""Training: from a campaign and a recipe to a model."""

from __future__ import annotations

import datetime
import hashlib
import json
from collections.abc import Mapping
from concurrent.futures import Executor
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import torch
from numpy.typing import NDArray

from gale import metrics
from gale.calibration import Calibration, cross_fitted, fit_calibration
from gale.campaign import Campaign
from gale.errors import TrainingError
from gale.export import Members, export
from gale.features.cache import Cache
from gale.features.events import EventSpec
from gale.fitting import Weights, predict_logits
from gale.folds import Fold, held_out_by, split_fold, stratified_folds
from gale.journal import Journal
from gale.model import Model
from gale.model_file import FORMAT
from gale.networks.summary import prior_logit
from gale.networks.unlike import Unlike
from gale.output import writing
from gale.parts import columns_of
from gale.pretraining import pretrain
from gale.progress import Progress
from gale.recipe import Recipe
from gale.trainer import Array, Trainer, fits_per_fold
from gale.training_runs import TrainingRuns, read_training_runs
from gale.unlike import fit_unlike
from gale.waves import find_device


def train(
    campaign: Campaign,
    recipe: Recipe | str = "default",
    *,
    seed: int = 0,
    journal: Path | None = None,
    resume: bool = False,
    restart: bool = False,
    history: Path | None = None,
    out_of_fold: Path | None = None,
    strict: bool = False,
    executor: Executor | None = None,
    cache: Cache | None = None,
    progress: Progress | None = None,
    device: str | None = None,
    workers: int = 1,
) -> Model:
    """Train a model on the labelled runs of a campaign's train and val splits.

    Parameters
    ----------
    campaign : Campaign
    recipe : Recipe or str
        A recipe, the name of one that gale brings along, or a TOML file.
    seed : int
        The same seed, runs and recipe give the same model on the same machine.
    journal : Path, optional
        Folder in which finished fits are kept, rather than in memory; delete it once the model is
        saved.
    resume : bool
        Whether to go on from the fits that `journal` holds.
    restart : bool
        Whether to delete the fits that `journal` holds, once all else is found to be right.
    history : Path, optional
        A CSV file of every epoch of every finished fit, written anew after each.
    out_of_fold : Path, optional
        A CSV file of predictions, as `gale predict` writes them: those of each run that validated,
        by members that did not train on it.
    strict : bool
        Whether a run that cannot be read stops the training; otherwise it is left out, which
        `progress` is told and the model's facts record.
    executor : concurrent.futures.Executor, optional
        Where runs are read; in this process by default.
    cache : Cache, optional
        Where features are kept, and the weights of pre-training.
    progress : Progress, optional
    device : str, optional
        Where networks are trained, ``cpu`` or ``cuda``; a GPU by default, where there is one.
    workers : int
        Processes that simulate the runs of pre-training, see :func:`gale.simulate`.

    Raises
    ------
    CampaignError
        If a family has no positive or no negative run.
    TrainingError
        If there are too few runs, if a loss is not finite, if the journal belongs to another
        training, or if there is no such device.
    SimulationError
        If runs of pre-training cannot be simulated.
    """
    recipe = recipe if isinstance(recipe, Recipe) else Recipe.load(recipe)
    progress = progress or Progress()
    trained_on = find_device(device)
    runs = read_training_runs(campaign, recipe.features, strict, executor, cache, progress)
    folds = _folds(runs.campaign, recipe, seed, progress)
    learned_from = runs.campaign.select(np.unique(np.concatenate([f.training for f in folds])))
    learned_from.check_trainable()
    starts: dict[str, Weights] = {}
    if isinstance(runs.spec, EventSpec):
        starts = pretrain(
            recipe,
            runs.spec,
            runs.campaign.families,
            seed=seed,
            device=trained_on,
            workers=workers,
            cache=cache,
            progress=progress,
        )
    fingerprint = fingerprint_of(recipe, seed, runs, starts)
    book = Journal.open(journal, fingerprint, resume=resume, restart=restart)

    parts = recipe.members_of
    progress.begin("training", len(folds) * sum(map(fits_per_fold, parts)))
    trainers: list[Trainer] = []
    members: list[PartMembers] = []
    for part in parts:
        trainer = Trainer(
            part,
            runs.spec,
            seed,
            folds,
            runs.features,
            runs.labels,
            journal=book,
            history=history,
            progress=progress,
            device=trained_on,
            start=starts.get(part.name),
            name=part.name if recipe.parts else "",
        )
        trainers.append(trainer)
        members.append(_members(trainer))
    calibration, held_out = _combine(recipe, members, runs.labels, folds)
    if out_of_fold is not None:
        _write_held_out(out_of_fold, runs.campaign, held_out)

    progress.begin("writing the model", 1)
    facts = {
        **_facts(recipe, seed, runs, learned_from),
        "members": sum(map(len, members)),
        "folds": len(folds),
        "calibrated": calibration is not None,
        "scores": _scores(runs.labels, held_out, _prior(runs.labels, folds), len(folds)),
    }
    if calibration is not None:
        facts["calibration"] = calibration.to_dict()
    if starts:
        facts["interpolated"] = {
            trainer.part.name: each.interpolated
            for trainer, each in zip(trainers, members, strict=True)
        }
    facts["training"]["fingerprint"] = fingerprint
    networks = [
        Members(trainer.network(each.fold_of, each.weights), columns_of(trainer.part, runs.spec))
        for trainer, each in zip(trainers, members, strict=True)
    ]
    unlike = Unlike(fit_unlike(runs.features, runs.spec.blocks))
    model = Model(export(networks, runs.spec.n_features, facts, calibration, unlike))
    progress.step()
    return model


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


def _members(trainer: Trainer) -> PartMembers:
    """Fit all members of a part, and draw them back to where they began as far as is best."""
    of_folds = trainer.members()
    shares = trainer.part.soup.interpolate if trainer.start is not None else (1.0,)
    tried = [_held_out(trainer, trainer.interpolated(of_folds, share), share) for share in shares]
    if len(tried) == 1:
        return tried[0]

    def score(each: PartMembers) -> float:
        probability = cross_fitted(each.logits[None], trainer.labels, trainer.folds)
        return _log_loss(trainer.labels, probability)

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


def _combine(
    recipe: Recipe, members: list[PartMembers], labels: Array, folds: list[Fold]
) -> tuple[Calibration | None, NDArray[np.float64]]:
    """How parts become probabilities, and those of each run (R, K) without its own labels.

    Calibrated are the means over the members of one fold, and applied it is to those over the
    members of all folds, which are a little less extreme.
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


def _write_held_out(file: Path, campaign: Campaign, probability: NDArray[np.float64]) -> None:
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


def _prior(labels: Array, folds: list[Fold]) -> NDArray[np.float64]:
    """The prevalence among the training runs of the fold that each run validates, (R, K)."""
    prior = np.full(labels.shape, np.nan)
    for fold in folds:
        prior[fold.validation] = torch.sigmoid(prior_logit(labels[fold.training])).numpy()
    return prior


def _folds(campaign: Campaign, recipe: Recipe, seed: int, progress: Progress) -> list[Fold]:
    settings = recipe.folds
    if settings.count == 1:
        return [split_fold(campaign.split)]
    by = settings.stratify_by
    if by not in ("all", "rarest", *campaign.families):
        progress.note(f"no family is called {by}; folds keep the share of the rarest family")
    try:
        return stratified_folds(
            campaign.labels,
            campaign.families,
            count=settings.count,
            by=by,
            seed=seed if settings.seed is None else settings.seed,
            derivatized=campaign.derivatized,
        )
    except TrainingError as error:
        raise TrainingError(f"{campaign.root}: {error}") from None


def fingerprint_of(
    recipe: Recipe, seed: int, runs: TrainingRuns, starts: Mapping[str, Weights]
) -> str:
    """Hash all that a training depends on; `starts` are the pre-trained weights of each part."""
    choices = [recipe.to_dict(), seed, runs.campaign.fingerprint(), torch.__version__]
    digest = hashlib.sha256(json.dumps(choices).encode() + runs.features.tobytes())
    for weights in starts.values():
        for value in weights.values():
            digest.update(value.tobytes())
    return digest.hexdigest()


def _facts(recipe: Recipe, seed: int, runs: TrainingRuns, learned_from: Campaign) -> dict[str, Any]:
    """What a model says of its making, and all that prediction needs besides the graph."""
    labels = learned_from.labels
    return {
        "format": FORMAT,
        "gale_version": version("gale-ms"),
        "created": datetime.datetime.now(datetime.UTC).isoformat(timespec="seconds"),
        "recipe": recipe.to_dict(),
        "seed": seed,
        "families": list(learned_from.families),
        "prevalence": [round(float(share), 6) for share in learned_from.prevalence()],
        "features": runs.spec.to_dict(),
        "columns": dict(learned_from.columns) if learned_from.columns else None,
        "training": {
            "campaign": learned_from.root.resolve().name,
            "runs": len(learned_from),
            "unreadable": runs.unreadable,
            "positive": np.nansum(labels, axis=0).astype(int).tolist(),
            "known": np.isfinite(labels).sum(axis=0).tolist(),
        },
    }


def _scores(
    labels: Array, held_out: NDArray[np.float64], prior: NDArray[np.float64], n_folds: int
) -> dict[str, Any]:
    """Log loss on the runs that validated, beside that of the training prevalence."""
    n_runs = np.isfinite(held_out).all(axis=1).sum()
    return {
        "measured_on": f"{n_runs:,} runs, {held_out_by(n_folds)}",
        "caution": "these runs helped to choose (when to stop, what to keep, learned m/z), so the "
        "figures are optimistic",
        "log_loss": _log_loss(labels, held_out),
        "prior_log_loss": _log_loss(labels, prior),
    }


def _log_loss(labels: Array, probability: NDArray[np.float64]) -> float:
    """Log loss on the runs that validated; the others have no probability."""
    held_out = np.isfinite(probability).all(axis=1)
    return metrics.log_loss(labels[held_out], probability[held_out])
