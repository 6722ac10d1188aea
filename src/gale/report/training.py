"""The report of a training: what it is made from, and the baseline. It needs the extra to train."""

from __future__ import annotations

import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl

from gale.campaign import Campaign
from gale.errors import TableError
from gale.model import Model
from gale.plumbing.arguments import check_kind
from gale.plumbing.kinds import checked
from gale.plumbing.progress import Progress
from gale.plumbing.tables import FAILED
from gale.plumbing.work import Work
from gale.report.folder import check_pages_free, page_names, run_pages
from gale.report.scored import BASELINE, MODEL, Scored
from gale.report.training_files import TrainingFiles, read_predicted, read_truth
from gale.report.training_page import MakePages, training_page
from gale.training import Recipe, train
from gale.training.folds import held_out_by
from gale.training.groups import runs_of_shared_groups


@dataclass(frozen=True)
class Baseline:
    """A logistic regression to compare with, and its held-out predictions."""

    model: Model
    out_of_fold: pl.DataFrame


@checked
def training_report(
    campaign: Campaign,
    model: str | Path | TrainingFiles,
    *,
    pages: str | Path | None = None,
    force: bool = False,
    provenance: Mapping[str, str] | None = None,
    work: Work | None = None,
) -> str:
    """Make the page of a training, as `gale train` writes it beside the model.

    A logistic regression is trained as the baseline, unless the model is one. If the labels of test
    runs are known, they are predicted and scored. A simulated campaign has the truth, which shows
    what is found by abundance.

    Parameters
    ----------
    campaign : Campaign
        With the labels that the model was trained with.
    model : str, Path or TrainingFiles
        The model file, beside which the held-out predictions (``mine.out_of_fold.csv`` for
        ``mine.onnx``) and the history (``mine.history.csv``) are; or where all these are.
    pages : str or Path, optional
        A folder to make of pages of the runs that are listed as worst predicted or for a second
        look, see :func:`gale.run_pages`. The page of the training, to be put beside the folder,
        links to them.
    force : bool
        Whether such a folder is replaced if it holds nothing but such pages.
    provenance : mapping of str to str, optional
        More to say of where the page comes from, such as the command that made it.
    work : Work, optional
        How and where runs are read.

    Returns
    -------
    str
        HTML.

    Raises
    ------
    ModelError
        If the file is not a model.
    RecipeError
        If the folds of the model are such as no recipe has.
    TableError
        If there are no held-out predictions, or the labels or the files beside the model are not
        those of its training.
    OutputError
        If something is at `pages` that may not be replaced.

    Examples
    --------
    In a folder with the campaign, the model and the files that its training wrote beside it:

    >>> import gale
    >>> page = gale.training_report(gale.Campaign.open("campaign"), "model.onnx")
    >>> page.splitlines()[0]
    '<!DOCTYPE html>'
    """
    check_kind("model", model, str, Path, TrainingFiles)
    work = work or Work()
    if pages is not None:
        check_pages_free(Path(pages), force=force)
    files = model if isinstance(model, TrainingFiles) else TrainingFiles.of(model)
    loaded = Model.load(files.model)
    known = _known(campaign, loaded, work.progress)
    predictions = files.read_out_of_fold(loaded)
    history = files.read_history(loaded, work.progress)
    truth = read_truth(campaign.root, work.progress)
    is_baseline = loaded.facts["recipe"]["kind"] == "logistic"
    baseline = None if is_baseline else _train_baseline(campaign, loaded, work)
    held_out = _score_held_out(loaded, known, predictions, baseline)
    val = _score_val(loaded, known, predictions, baseline)
    test = _score_test(loaded, campaign, baseline, work)
    work.progress.begin("making the report", 1)
    page = training_page(
        campaign,
        loaded,
        held_out,
        val=val,
        test=test,
        history=history,
        truth=truth,
        make_pages=_page_maker(campaign, loaded, Path(pages), work, force) if pages else None,
        provenance=provenance,
    )
    work.progress.step()
    return page


def _page_maker(
    campaign: Campaign, model: Model, folder: Path, work: Work, force: bool
) -> MakePages:
    """Make pages of runs in a folder; their addresses are seen from beside it."""

    def make(runs: Sequence[str]) -> dict[str, str]:
        if not runs:
            return {}
        chosen = campaign.select(np.isin(campaign.runs, runs))
        table = run_pages(model, chosen, folder, force=force, work=work)
        made = table.filter(pl.col("status") != FAILED)["run"]
        return {run: f"{folder.name}/{name}" for run, name in page_names(made).items()}

    return make


def _known(campaign: Campaign, model: Model, progress: Progress) -> Campaign:
    """Select the runs that the model was trained and validated with."""
    facts = model.facts["training"]
    known = campaign.of_split("train", "val")
    left_out = [*facts["unreadable"], *facts.get("copies", ())]
    known = known.select(known.labelled & ~np.isin(known.runs, left_out))
    learned = known.of_split("train") if model.facts["folds"] == 1 else known
    positive = (learned.labels == 1).sum(axis=0).tolist()
    fits = (known.families, positive) == (model.families, facts["positive"])
    if not fits or known.labels_fingerprint() != facts.get("labels", known.labels_fingerprint()):
        raise TableError(
            campaign.root,
            f"has other labels than those that {model.source} was trained with "
            f"({facts['runs']:,} runs of {facts['campaign']})",
            "the same labels",
            "open the campaign of the training, or pass labels=... with the table of its labels",
        )
    if "labels" not in facts:
        progress.note(
            f"{model.source}: is of an older gale, so it is not certain that the labels and the "
            "files beside it are those of its training; only counts were compared"
        )
    return known


def baseline_recipe(folds: Mapping[str, Any], source: str) -> Recipe:
    """Make the recipe of a logistic regression with the folds of a model.

    It holds no groups out elsewhere: those are for a calibration, and the baseline has none.
    """
    kept = {name: value for name, value in folds.items() if name != "elsewhere"}
    return Recipe.of(Recipe.load("logistic").to_dict() | {"folds": kept}, source)


def _train_baseline(campaign: Campaign, model: Model, work: Work) -> Baseline:
    """Train a logistic regression on the same runs, in the same folds."""
    work.progress.note("training a logistic regression, the baseline of the report")
    recipe = baseline_recipe(model.facts["recipe"]["folds"], f"{model.source}: recipe")
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "out_of_fold.csv"
        baseline = train(
            campaign,
            recipe,
            seed=model.facts["seed"],
            out_of_fold=file,
            work=work,
        )
        return Baseline(baseline, read_predicted(file))


def _score_held_out(
    model: Model, known: Campaign, predictions: pl.DataFrame, baseline: Baseline | None
) -> Scored:
    """Score the runs that validated, each by members that did not train on it."""
    n_folds, scores = model.facts["folds"], model.facts["scores"]
    apart = model.facts.get("groups", {}).get("apart", False)
    of_folds = (
        ""
        if _val_is_apart(model)
        else f"; that of the other folds alone has a log loss of {scores['prior_log_loss']:.3f}"
    )
    return Scored.of(
        f"{{n_runs}} runs, {held_out_by(n_folds, apart=apart)}",
        f"{scores['caution']}. The training prevalence here is that of all training runs, these "
        f"included{of_folds}",
        known.of_split("val") if n_folds == 1 else known,
        _held_out_tables(predictions, baseline),
        model.prevalence,
    )


def _score_val(
    model: Model, known: Campaign, predictions: pl.DataFrame, baseline: Baseline | None
) -> Scored | None:
    """Score the val split by members that trained on the train split alone, if there are such."""
    if not _val_is_apart(model):
        return None
    return Scored.of(
        "{n_runs} runs of the val split, by members that trained on the train split alone",
        model.facts["scores"]["caution"],
        known.of_split("val"),
        _held_out_tables(predictions, baseline),
        model.prevalence,
    )


def _val_is_apart(model: Model) -> bool:
    return "pooled_log_loss" in model.facts["scores"]


def _held_out_tables(
    predictions: pl.DataFrame, baseline: Baseline | None
) -> dict[str, pl.DataFrame]:
    return {MODEL: predictions} | ({BASELINE: baseline.out_of_fold} if baseline else {})


def _score_test(
    model: Model, campaign: Campaign, baseline: Baseline | None, work: Work
) -> Scored | None:
    """Score the labelled test runs, if there are any."""
    runs = campaign.of_split("test")
    runs = runs.select(runs.labelled)
    if not len(runs):
        return None
    shared = runs_of_shared_groups(campaign, ("train", "val"), "test")
    n_shared = len(set(shared) & set(runs.runs))
    models = {MODEL: model} | ({BASELINE: baseline.model} if baseline else {})
    return Scored.of(
        "{n_runs} test runs",
        "they were not used for any choice"
        + (f", but {n_shared:,} are of groups that are trained on" if n_shared else ""),
        runs,
        {name: each.predict(runs, work) for name, each in models.items()},
        model.prevalence,
    )
