"""Features of a campaign as a dataset, from which trainings read without opening a run."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np

from gale.campaign import Campaign
from gale.errors import TrainingError
from gale.features.dataset import NAMES, Facts, write_dataset
from gale.plumbing.files import writing_folder
from gale.plumbing.kinds import checked
from gale.plumbing.outputs import check_no_input
from gale.plumbing.work import Work
from gale.training.recipe import Recipe
from gale.training.runs import files_of, learned_from, spec_for


@checked
def write_features(
    campaign: Campaign,
    folder: str | Path,
    recipe: Recipe | str | Path = "default",
    *,
    force: bool = False,
    work: Work | None = None,
) -> dict[str, str]:
    """Write the features of a campaign's R runs, from which :func:`gale.train` reads them.

    Parameters
    ----------
    campaign : Campaign
        All its runs are read, whatever their split, labelled or not.
    folder : str or Path
        Folder to write, also at an address: a Parquet dataset, ``part-00000.parquet`` and so on,
        with one row per run; ``features`` is a fixed-size list of D float32. No more than a part is
        in memory.
    recipe : Recipe, str or Path
        Says which features; one that learns m/z learns them from the labelled runs of the splits
        train and val, as a training does.
    force : bool
        Whether a folder that has only such files may be replaced.
    work : Work, optional
        How and where: an executor's processes compute a part each, and write it themselves.

    Returns
    -------
    dict of str to str
        Why runs could not be read, by their names; their rows in the dataset say so, too.

    Raises
    ------
    TrainingError
        If no run can be read, or one cannot and `work.strict` is true.
    CampaignError
        If m/z are to be learned, and a family has no positive or no negative run.
    RecipeError
        If the recipe cannot be read.
    OutputError
        If `folder` exists, or cannot be written.

    Examples
    --------
    In a folder with a campaign:

    >>> import gale, polars as pl
    >>> campaign = gale.Campaign.open("campaign")
    >>> gale.write_features(campaign, "features", "quick")
    {}
    >>> table = pl.read_parquet("features")
    >>> table.height == len(campaign), table.schema["features"]
    (True, Array(Float32, shape=(2268,)))
    """
    work = work or Work()
    recipe = recipe if isinstance(recipe, Recipe) else Recipe.load(recipe)
    check_no_input([Path(folder)], campaign.files)
    with writing_folder(Path(folder), replaces=[NAMES] if force else None) as unfinished:
        labelled = campaign.select((np.array(campaign.split) != "test") & campaign.labelled)
        learned = learned_from(labelled, recipe.all_features)
        if learned:
            labelled.check_trainable()
        columns = campaign.columns
        spec = spec_for(labelled, recipe.all_features, work)
        work.progress.begin("reading runs", len(campaign))
        facts = Facts(spec, None if columns is None else dict(columns), learned)
        failed = write_dataset(
            unfinished, files_of(campaign), facts, replace(work, columns=columns)
        )
        if failed and (work.strict or len(failed) == len(campaign)):
            run, why = next(iter(failed.items()))
            raise TrainingError(
                campaign.root,
                f"{len(failed):,} of its {len(campaign):,} runs cannot be read; the first is {run} "
                f"({why})",
                "all of them readable" if work.strict else "at least one that can",
            )
    return failed
