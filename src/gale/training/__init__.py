"""Training: from a campaign and a recipe to a model.

The way of a campaign: :mod:`gale.training.runs` reads its labelled runs, `folds` splits them,
`pretraining` finds a start, `members` fits the networks of every fold (`fitting`, `waves`,
`journal`), `ensemble` makes one of them, and `export` writes the graph with its `facts`.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np

from gale.campaign import Campaign
from gale.features.events import EventSpec
from gale.model import Model
from gale.model.unlike import fit_unlike
from gale.plumbing.work import Work
from gale.training.ensemble import combine, fit_part, prior_of_folds, write_held_out
from gale.training.export import Members, to_onnx
from gale.training.facts import facts_of, fingerprint_of, scores_of
from gale.training.fitting import Weights
from gale.training.folds import folds_of
from gale.training.journal import Journal
from gale.training.members import Trainer, fits_per_fold
from gale.training.networks.build import columns_of
from gale.training.networks.unlike import Unlike
from gale.training.pretraining import pretrain
from gale.training.recipe import Recipe
from gale.training.runs import read_training_runs
from gale.training.waves import find_device

__all__ = ["Recipe", "train"]


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
    work: Work | None = None,
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
    work : Work, optional
        How and where: what reads runs, what keeps features, what shows progress, on which device.

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
    work = work or Work()
    recipe = recipe if isinstance(recipe, Recipe) else Recipe.load(recipe)
    device = find_device(work.device)
    runs = read_training_runs(campaign, recipe.features, work)
    folds = folds_of(runs.campaign, recipe.folds, seed, work.progress)
    learned_from = runs.campaign.select(np.unique(np.concatenate([f.training for f in folds])))
    learned_from.check_trainable()
    starts: dict[str, Weights] = {}
    if isinstance(runs.spec, EventSpec):
        starts = pretrain(recipe, runs.spec, runs.campaign.families, seed=seed, work=work)
    fingerprint = fingerprint_of(recipe, seed, runs, starts)
    book = Journal.open(journal, fingerprint, resume=resume, restart=restart)

    parts = recipe.members_of
    work.progress.begin("training", len(folds) * sum(map(fits_per_fold, parts)))
    trainers = [
        Trainer(
            part,
            runs.spec,
            seed,
            folds,
            runs.features,
            runs.labels,
            journal=book,
            history=history,
            progress=work.progress,
            device=device,
            start=starts.get(part.name),
            name=part.name if recipe.parts else "",
        )
        for part in parts
    ]
    members = [fit_part(trainer) for trainer in trainers]
    calibration, held_out = combine(recipe, members, runs.labels, folds)
    if out_of_fold is not None:
        write_held_out(out_of_fold, runs.campaign, held_out)

    work.progress.begin("writing the model", 1)
    facts = {
        **facts_of(recipe, seed, runs, learned_from),
        "members": sum(map(len, members)),
        "folds": len(folds),
        "calibrated": calibration is not None,
        "scores": scores_of(runs.labels, held_out, prior_of_folds(runs.labels, folds), len(folds)),
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
    model = Model(to_onnx(networks, runs.spec.n_features, facts, calibration, unlike))
    work.progress.step()
    return model
