"""What verbs that predict are given: files of runs, or a folder of them."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from gale.plumbing.workers import worker_pool

if TYPE_CHECKING:
    import polars as pl

    import gale
    from gale.cli.progress import ConsoleProgress


def open_runs(
    paths: tuple[Path, ...],
    splits: tuple[str, ...],
    submission: bool,
    columns: dict[str, str] | None,
    model: gale.Model,
) -> gale.Campaign | tuple[Path, ...]:
    """One folder is a campaign, unless it is the folder of one run; all else are files of runs.

    Raises
    ------
    UsageError
        If `splits` or `submission` are asked for and there is no campaign.
    CampaignError
        If the folder is no campaign, or has no run that is asked for.
    """
    from gale.readers.instrument_folders import is_run_folder

    if len(paths) == 1 and paths[0].is_dir() and not is_run_folder(paths[0]):
        return _open_campaign(paths[0], splits, submission, columns, model)
    if splits or submission:
        asked = "--split" if splits else "--submission"
        raise click.UsageError(f"{asked} needs one campaign folder")
    return paths


def predict_all(
    model: gale.Model,
    sources: gale.Campaign | tuple[Path, ...],
    progress: ConsoleProgress,
    columns: dict[str, str] | None,
    workers: int,
    no_cache: bool,
) -> pl.DataFrame:
    """Predict what was opened, and show how far that is."""
    from gale.plumbing.cache import Cache, default_folder
    from gale.plumbing.work import Work

    with worker_pool(workers) as executor:
        return model.predict(
            sources,
            work=Work(
                columns=columns,
                executor=executor,
                cache=None if no_cache else Cache(default_folder()),
                progress=progress,
            ),
        )


def tell_failed(failed: pl.DataFrame) -> None:
    """Say on standard error why predictions failed."""
    for run, message in failed.select("run", "message").iter_rows():
        prefix = "" if message.startswith(run) else f"{run}: "
        click.echo(f"failed: {prefix}{message}", err=True)


def _open_campaign(
    path: Path,
    splits: tuple[str, ...],
    submission: bool,
    columns: dict[str, str] | None,
    model: gale.Model,
) -> gale.Campaign:
    """The runs of a folder that are asked for."""
    import gale
    from gale.campaign.folder import run_name
    from gale.errors import CampaignError
    from gale.plumbing.text import listed

    named = columns or model.facts["columns"]
    campaign = gale.Campaign.open(path, columns=named, with_labels=False)
    if campaign.left_out:
        names = [run_name(file, path) for file in campaign.left_out]
        click.echo(f"not runs, left out: {listed(names)}", err=True)
    if splits:
        campaign = campaign.of_split(*splits)
    if submission:
        campaign = _select_submission(campaign, model)
    if not len(campaign):
        raise CampaignError(
            f"{path}: found no run of split {' or '.join(splits)}; expected some; choose another"
        )
    return campaign


def _select_submission(campaign: gale.Campaign, model: gale.Model) -> gale.Campaign:
    """The runs that the competition asks for, in its order."""
    if campaign.submission is None:
        raise click.UsageError(f"{campaign.root} has no submission_format.csv")
    if not set(campaign.submission_families) <= set(model.families):
        raise click.UsageError(
            f"{campaign.root} asks for other families than {model.source} predicts "
            f"({', '.join(model.families)})"
        )
    place = {run: at for at, run in enumerate(campaign.runs)}
    return campaign.select([place[run] for run in campaign.submission])
