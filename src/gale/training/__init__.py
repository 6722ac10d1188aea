"""Training: from a campaign and a recipe to a model.

:mod:`gale.training.runs` reads the labelled runs of the campaign, `folds` splits them,
`pretraining` finds weights to begin with, `members` fits the members of every fold (with `fitting`,
`waves` and `journal`), `ensemble` combines them, and `export` writes the graph with its `facts`.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import polars as pl

from gale.campaign import Campaign
from gale.evaluation.cutoffs import fit_cutoffs
from gale.features.dataset import FeatureDataset
from gale.model import Model
from gale.model.support import Support
from gale.model.unlike import fit_unlike
from gale.plumbing.arguments import check_kind, check_whole
from gale.plumbing.files import writing
from gale.plumbing.kinds import checked_but
from gale.plumbing.outputs import claiming, plan_outputs
from gale.plumbing.progress import TimeLeft
from gale.plumbing.work import Work
from gale.training.cost import check_model
from gale.training.elsewhere import fit_elsewhere, folds_elsewhere, parts_elsewhere
from gale.training.ensemble import Ensemble, combine, fit_part
from gale.training.export import PartGraph, to_onnx
from gale.training.facts import caution_of, facts_of, fingerprint_of
from gale.training.fitting import Weights
from gale.training.folds import Fold, folds_of, val_of
from gale.training.group_effect import group_facts
from gale.training.journal import Journal, check_journal
from gale.training.members import FitWork, MemberFitter, announce
from gale.training.networks.build import place_of
from gale.training.novelty import spectra_of
from gale.training.pretraining import pretrain
from gale.training.products import settled
from gale.training.recipe import Part, Recipe
from gale.training.runs import TrainingRuns, read_training_runs
from gale.training.shipped import without_strangers
from gale.training.waves import find_device

__all__ = ["Recipe", "train"]

MOST_SEED = 2**32 - 1
"""Largest seed that what splits the folds takes."""


@checked_but("seed")
@claiming("history", "out_of_fold", folder="journal")
def train(
    campaign: Campaign,
    recipe: Recipe | str | Path = "default",
    *,
    seed: int = 0,
    journal: str | Path | None = None,
    resume: bool = False,
    restart: bool = False,
    history: str | Path | None = None,
    out_of_fold: str | Path | None = None,
    features: str | Path | None = None,
    work: Work | None = None,
) -> Model:
    r"""Train a model on the labelled runs of a campaign's train and val splits.

    Parameters
    ----------
    campaign : Campaign
    recipe : Recipe, str or Path
        A recipe, the name of one that comes with gale, or a TOML file.
    seed : int
        From 0 to :data:`MOST_SEED`. The same seed, runs and recipe give the same model on the same
        machine.
    journal : str or Path, optional
        Folder that keeps finished fits, by default memory. Delete it once the model is saved.
    resume : bool
        Whether to continue from the finished fits in `journal`; warns if there are none.
    restart : bool
        Whether to delete the finished fits in `journal`, once everything else has been checked.
    history : str or Path, optional
        CSV file with every epoch of every finished fit; rewritten as fits finish.
    out_of_fold : str or Path, optional
        CSV file with the held-out predictions: each run that a fold validates, by members that did
        not train on it. It is written as `Model.predict` gives a table. The model has the SHA-256
        of both files, so that they are not taken for those of another model.
    features : str or Path, optional
        Folder that :func:`gale.write_features` wrote for this campaign and recipe. No run is opened
        then, unless its file has another size or time than it had.
    work : Work, optional
        How and where: what reads runs, caches features and shows progress, and on which device.

    Returns
    -------
    Model
        Not saved yet.

    Raises
    ------
    CampaignError
        If a family has no positive or no negative run.
    TrainingError
        If there are too few runs, a loss is not finite, the journal belongs to another training or
        is missing where `resume` or `restart` need it, or there is no such device.
    RecipeError
        If the recipe cannot be read.
    SimulationError
        If the runs of pre-training cannot be simulated.
    OutputError
        If `history` or `out_of_fold` cannot be written.
    TableError
        If `features` are others than those of the recipe, or of other runs.
    GaleError
        If an argument is of another type, such as the path of a campaign.

    Warns
    -----
    GaleWarning
        If runs are left out or odd, or networks cannot be pre-trained for a family.

    Examples
    --------
    In a folder with a campaign:

    >>> import gale
    >>> text = "kind = 'logistic'\nfeatures.mz = [28, 57, 91]\nfolds.count = 2"
    >>> recipe = gale.Recipe.parse(text, "small.toml", default_name="small")
    >>> model = gale.train(gale.Campaign.open("campaign"), recipe)
    >>> len(model.families), model.facts["training"]["runs"], model.facts["members"]
    (9, 84, 2)
    """
    check_kind("recipe", recipe, Recipe, str, Path)
    check_whole("seed", seed, most=MOST_SEED)
    tables = [Path(table) for table in (history, out_of_fold) if table is not None]
    plan_outputs(tables, campaign.files, force=True)
    work = work or Work()
    recipe = recipe if isinstance(recipe, Recipe) else Recipe.load(recipe)
    find_device(work.device)
    check_journal(journal, resume=resume, restart=restart)
    recipe = without_strangers(recipe, campaign.families, work.progress)
    dataset = None if features is None else FeatureDataset.open(Path(features))
    acquired = recipe.folds.elsewhere > 0
    runs = read_training_runs(campaign, recipe.all_features, work, dataset, acquired=acquired)
    keep = Kept(journal, resume, restart, history, out_of_fold)
    return fit_model(runs, recipe, seed, work, keep)


class Kept(NamedTuple):
    """What a training keeps of its work in files, see :func:`train`."""

    journal: str | Path | None = None
    resume: bool = False
    restart: bool = False
    history: str | Path | None = None
    out_of_fold: str | Path | None = None


def fit_model(
    runs: TrainingRuns, recipe: Recipe, seed: int, work: Work, keep: Kept | None = None
) -> Model:
    """Fit a model to runs whose features are there, as :func:`train` does."""
    keep = keep or Kept()
    device = find_device(work.device)
    recipe = settled(recipe, device, work.progress)
    folds = folds_of(runs.campaign, recipe.folds, seed, work.progress)
    others = folds_elsewhere(runs, recipe.folds.elsewhere, seed)
    learned_from = _learned_from(runs, folds)
    check_model(recipe, runs.spec, len(runs.campaign.families), len(folds), work.progress)
    groups = group_facts(runs.campaign, runs.features, runs.spec, folds, seed)
    starts, source = pretrain(recipe, runs.spec, runs.campaign.families, seed=seed, work=work)
    fingerprint = fingerprint_of(recipe, seed, runs, [*folds, *others], starts)
    book = Journal.open(keep.journal, fingerprint, resume=keep.resume, restart=keep.restart)
    fit_work = FitWork(
        book, work.progress, device, keep.history, clock=TimeLeft(), executor=work.executor
    )
    named = {part.name if recipe.parts else "": part for part in recipe.members_of}
    fitters = _fitters(recipe, named, runs, folds, seed, starts, fit_work)
    further = _fitters(recipe, parts_elsewhere(named), runs, others, seed, starts, fit_work)
    announce([*fitters, *further], work.progress)
    parts = [fit_part(each) for each in fitters]
    facts = facts_of(recipe, seed, runs, learned_from, fingerprint)
    support = Support.of(facts["training"]["known"])
    ensemble = combine(recipe, parts, runs.labels, folds)
    spectra = spectra_of(recipe, runs.spec, runs.features)
    if spectra is not None:
        ensemble = ensemble.with_novelty(spectra, runs.labels)
    ensemble = ensemble.supported(support)
    if further:
        away, facts["elsewhere"] = fit_elsewhere(ensemble, further, runs, spectra)
        ensemble = replace(ensemble, away=away)
    apart = groups is not None and groups["apart"]
    if starts:
        facts["pretrained"] = source
    val = val_of(runs.campaign.split, folds)
    facts |= ensemble.facts(runs.labels, caution_of(recipe), apart=apart, val=val)
    facts |= {"groups": groups} if groups else {}
    parts_of_runs = [fold.validation for fold in folds]
    facts["cutoffs"] = fit_cutoffs(runs.labels, ensemble.held_out, parts_of_runs)
    facts["files"] = {
        "history": _write(book.history(), keep.history),
        "out_of_fold": _write(ensemble.held_out_table(runs.campaign), keep.out_of_fold),
    }
    return _export(recipe, ensemble, runs, facts, work)


def _write(table: pl.DataFrame, file: str | Path | None) -> str:
    """Write a table, if there is a file for it, and return the SHA-256 of what is in the file."""
    data = table.write_csv().encode()
    if file is not None:
        with writing(Path(file), force=True) as temporary:
            temporary.write_bytes(data)
    return hashlib.sha256(data).hexdigest()


def _learned_from(runs: TrainingRuns, folds: Sequence[Fold]) -> Campaign:
    """Return the runs that train in any fold; every family must be among them."""
    rows = np.unique(np.concatenate([fold.training for fold in folds]))
    learned_from = runs.campaign.select(rows)
    learned_from.check_trainable()
    return learned_from


def _fitters(
    recipe: Recipe,
    parts: Mapping[str, Part],
    runs: TrainingRuns,
    folds: Sequence[Fold],
    seed: int,
    starts: Mapping[str, Weights],
    work: FitWork,
) -> list[MemberFitter]:
    """Make the fitter of each part; the names are those that messages give them."""
    return [
        MemberFitter(
            part, runs.seen_by(part, recipe), folds, seed, work, starts.get(part.name), name
        )
        for name, part in parts.items()
        if folds
    ]


def _export(
    recipe: Recipe, ensemble: Ensemble, runs: TrainingRuns, facts: Mapping[str, Any], work: Work
) -> Model:
    """Make the model of an ensemble."""
    work.progress.begin("writing the model", 1)
    graphs = [
        PartGraph(part.network(), place_of(part.fitter.part, recipe, runs.spec))
        for part in ensemble.parts
    ]
    unlike = fit_unlike(runs.features, runs.spec.blocks)
    how = (ensemble.calibration, unlike, ensemble.support)
    model = Model(
        to_onnx(
            graphs,
            runs.spec.n_features,
            facts,
            *how,
            away=ensemble.away,
            novelty=ensemble.novelty,
            precision=facts["recipe"]["weights"],
        )
    )
    work.progress.step()
    return model
