"""The author's ablation: what each ingredient of the published system contributes on a campaign.

Each step switches on one more ingredient. It is trained several times, since the validation log
loss of one recipe scatters as much as ingredients differ. All trainings of a step are fitted at
once. The last step is a FixedSoup, whose networks also make other soups and an ensemble.
"""

from __future__ import annotations

import time
from pathlib import Path

import numpy as np
import polars as pl

from gale.ablation.facts import facts_of
from gale.ablation.fits import Fits
from gale.ablation.results import CURVES_SCHEMA, TRAININGS_SCHEMA, Ablation, Point
from gale.ablation.scoring import ScoredRuns
from gale.ablation.steps import ablation_steps
from gale.campaign import Campaign
from gale.errors import CampaignError
from gale.plumbing.arguments import check_kind, check_whole
from gale.plumbing.kinds import checked
from gale.plumbing.outputs import claiming
from gale.plumbing.work import Work
from gale.training.facts import fingerprint_of
from gale.training.folds import split_fold
from gale.training.groups import note_shared_groups
from gale.training.journal import Journal, check_journal
from gale.training.members import FitWork
from gale.training.products import settled
from gale.training.recipe import Recipe
from gale.training.runs import TrainingRuns, read_runs, read_training_runs
from gale.training.waves import find_device

__all__ = ["Ablation", "ablate"]


@checked
@claiming(folder="journal")
def ablate(
    campaign: Campaign,
    recipe: Recipe | str | Path = "published",
    *,
    trainings: int = 10,
    iterations: int = 5,
    seed: int = 0,
    journal: str | Path | None = None,
    resume: bool = False,
    restart: bool = False,
    work: Work | None = None,
) -> Ablation:
    r"""Train a recipe without its ingredients, then with one more of them at each step.

    Networks train on the train split; the val split stops them and chooses the soups. If labels of
    the test split are known, its log loss is reported, too.

    Parameters
    ----------
    campaign : Campaign
        With labelled runs of train and val; see also
        :func:`gale.campaign.test_labels.with_test_labels`.
    recipe : Recipe, str or Path
        A recipe of kind ``network``, the name of one that comes with gale, or a TOML file.
    trainings : int
        Trainings of each step, which differ in their random numbers; also soups of the last step.
        The author had 10.
    iterations : int
        Iterations of each FixedSoup; the published system has 40.
    seed : int
        The same seed, runs and recipe give the same log losses on the same machine. Each training
        has its own random numbers, whatever the number of trainings.
    journal : str or Path, optional
        Folder that keeps finished fits, by default memory.
    resume : bool
        Whether to continue from the finished fits in `journal`, perhaps with more trainings or
        iterations.
    restart : bool
        Whether to delete the finished fits in `journal`.
    work : Work, optional
        How and where, as for :func:`gale.train`.

    Returns
    -------
    Ablation

    Raises
    ------
    CampaignError
        If the train or the val split has no labelled run, or a family has no positive or no
        negative run.
    RecipeError
        If the recipe is not of kind ``network``, or is pre-trained.
    TrainingError
        If no run can be read, a loss is not finite, the journal belongs to another training, or
        there is no such device.

    Examples
    --------
    In a folder with a campaign:

    >>> import gale
    >>> text = "features.mz = [57, 91]\nnetwork.hidden = [4]\nfitting.epochs = 2\nsoup.size = 2"
    >>> recipe = gale.Recipe.parse(text, "small.toml", default_name="small")
    >>> campaign = gale.Campaign.open("campaign")
    >>> ablation = gale.ablate(campaign, recipe, trainings=1, iterations=1)
    >>> ablation.table()["step"].to_list()
    ['base', 'hinge', 'prior bias', 'BatchNorm', 'LayerNorm', 'LCG loss', 'FixedSoup']
    """
    check_kind("recipe", recipe, Recipe, str, Path)
    check_whole("trainings", trainings, 1)
    check_whole("iterations", iterations, 1)
    check_whole("seed", seed)
    started = time.monotonic()
    recipe = recipe if isinstance(recipe, Recipe) else Recipe.load(recipe)
    work = work or Work()
    device = find_device(work.device)
    recipe = settled(recipe, device, work.progress)
    check_journal(journal, resume=resume, restart=restart)
    steps = ablation_steps(recipe, iterations)
    _check_splits(campaign)
    runs = read_training_runs(campaign, recipe.all_features, work)
    note_shared_groups(runs.campaign, ("train",), "val", work.progress)
    fold = split_fold(runs.campaign.split)
    runs.campaign.select(fold.training).check_trainable()
    test = _read_test_runs(campaign, runs, work)
    scored = ScoredRuns.of(runs, fold, test)
    # A fit depends neither on the number of trainings nor on the number of iterations.
    fingerprint = fingerprint_of(ablation_steps(recipe, 1)[-1].recipe, seed, runs, [fold], {})
    book = Journal.open(journal, fingerprint, resume=resume, restart=restart)

    fits = Fits(
        steps, scored, trainings, seed, FitWork(book, work.progress, device, executor=work.executor)
    )
    rows = list(fits.networks())
    points: list[Point] = []
    for soup in fits.soups():
        points += soup.points()
        rows.append(soup.result())
    return Ablation(
        steps=tuple(steps),
        trainings=pl.DataFrame([row.row() for row in rows], TRAININGS_SCHEMA, orient="row"),
        curves=pl.DataFrame([point.row() for point in points], CURVES_SCHEMA, orient="row"),
        prior=scored.prior(),
        facts={
            **facts_of(recipe, runs, fold, test, device),
            "seed": seed,
            "trainings": trainings,
            "iterations": iterations,
            "seconds": round(time.monotonic() - started, 1),
        },
    )


def _check_splits(campaign: Campaign) -> None:
    """Refuse a campaign without runs to learn from, or to stop by."""
    for split in ("train", "val"):
        if not np.any(campaign.of_split(split).labelled):
            raise CampaignError(
                campaign.root,
                f"has no labelled run in the {split} split",
                "labelled runs in train, to learn from, and in val, to stop by",
                "give a folder in the competition's layout, with metadata.csv and labels of both",
            )


def _read_test_runs(campaign: Campaign, runs: TrainingRuns, work: Work) -> TrainingRuns | None:
    """Read the labelled runs of the test split, if there are any."""
    test = campaign.of_split("test")
    test = test.select(test.labelled)
    if len(test) == 0:
        return None
    return read_runs(test, runs.spec, work)
