"""What verbs are given: runs, or a folder of them."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

import click

from gale.cli.printing import echo
from gale.plumbing.reading import is_folder

if TYPE_CHECKING:
    import gale


def open_runs(
    paths: tuple[Path, ...],
    splits: tuple[str, ...],
    columns: Mapping[str, str] | None,
    model: gale.Model | None = None,
    *,
    submission: bool = False,
) -> gale.Campaign | tuple[Path, ...]:
    """Open one folder as a campaign, unless it is the folder of a run; all else are runs.

    Raises
    ------
    UsageError
        If `splits` or `submission` need a campaign and there is none.
    CampaignError
        If the folder is not a campaign, or has no run of these splits.
    """
    if len(paths) == 1 and is_folder(paths[0]) and not is_run(paths[0]):
        return _open_campaign(paths[0], splits, submission, columns, model)
    if splits or submission:
        option = "--split" if splits else "--submission"
        raise click.UsageError(f"{option} needs one campaign folder")
    return paths


def is_run(path: Path) -> bool:
    """Whether a folder is that of a run."""
    from gale.readers.instrument_folders import is_run_folder

    return is_run_folder(path)


def _open_campaign(
    path: Path,
    splits: tuple[str, ...],
    submission: bool,
    columns: Mapping[str, str] | None,
    model: gale.Model | None,
) -> gale.Campaign:
    """Open a campaign and select its runs."""
    import gale
    from gale.campaign.folder import left_out_name
    from gale.errors import CampaignError
    from gale.plumbing.text import listed

    if columns is None and model is not None:
        columns = model.remembered_columns
    campaign = gale.Campaign.open(path, columns=columns, with_labels=False)
    if campaign.left_out:
        names = [left_out_name(file, path) for file in campaign.left_out]
        echo(f"not runs, left out: {listed(names)}", err=True)
    if splits:
        campaign = campaign.of_split(*splits)
    if submission and model is not None:
        campaign = _select_submission(campaign, model)
    if not len(campaign):
        raise CampaignError(
            path,
            f"has no run of the split {' or '.join(splits)}",
            "at least one",
            "choose another split",
        )
    return campaign


def _select_submission(campaign: gale.Campaign, model: gale.Model) -> gale.Campaign:
    """Select the runs that the competition asks for, in its order."""
    if campaign.submission is None:
        raise click.UsageError(f"{campaign.root} has no submission_format.csv")
    if not set(campaign.submission_families) <= set(model.families):
        raise click.UsageError(
            f"{campaign.root} asks for other families than {model.source} predicts "
            f"({', '.join(model.families)})"
        )
    place = {run: at for at, run in enumerate(campaign.runs)}
    return campaign.select([place[run] for run in campaign.submission])
