"""Runs with the same content: what is trained on twice, or trained on and tested with."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np

from gale.campaign import Campaign
from gale.errors import CampaignError, ReadError
from gale.plumbing.progress import Progress
from gale.plumbing.text import counted
from gale.readers import checksum_of, load


def first_of_each(
    campaign: Campaign, checksums: Sequence[str], progress: Progress
) -> tuple[list[int], list[str]]:
    """Find the runs to keep, of which no two have the same content.

    A copy would count twice, and one held out would be predicted by members that know it.

    Parameters
    ----------
    campaign : Campaign
        R runs that can be read.
    checksums : sequence of str, length R
        SHA-256 of the content of each, or empty.

    Returns
    -------
    rows : list of int
        The first run of each content.
    copies : list of str
        Names of the others.

    Raises
    ------
    CampaignError
        If two labels of the same content contradict each other.
    """
    rows: list[int] = []
    copies: list[str] = []
    first: dict[str, int] = {}
    for row, checksum in enumerate(checksums):
        before = first.setdefault(checksum, row) if checksum else row
        if before == row:
            rows.append(row)
            continue
        _check_same_labels(campaign, before, row)
        if not copies:
            progress.note(
                f"run {campaign.runs[row]} has the same content as run {campaign.runs[before]}: "
                "of runs with the same content, only the first is trained on"
            )
        copies.append(campaign.runs[row])
    if len(copies) > 1:
        progress.note(f"{counted(len(copies), 'run')} left out as copies of others")
    return rows, copies


def _check_same_labels(campaign: Campaign, first: int, second: int) -> None:
    ours, theirs = campaign.labels[first], campaign.labels[second]
    contradict = np.isfinite(ours) & np.isfinite(theirs) & (ours != theirs)
    if contradict.any():
        family = campaign.families[int(np.argmax(contradict))]
        raise CampaignError(
            campaign.root,
            f"found the same content in the runs {campaign.runs[first]} and "
            f"{campaign.runs[second]}, but another label of {family}",
            "one label for one content",
            "correct the labels, or remove one of the runs",
        )


def check_not_tested(campaign: Campaign, training: Mapping[str, Path]) -> None:
    """Refuse test runs with the content of a run to train on.

    Only test files of the size of a training file are read.

    Parameters
    ----------
    campaign : Campaign
        With its test runs.
    training : mapping of str to Path
        Path of each run to train on, by the SHA-256 of its content.

    Raises
    ------
    CampaignError
    """
    sizes = {_size(path) for path in training.values()} - {None}
    test = campaign.of_split("test")
    for run, path in zip(test.runs, test.paths, strict=True):
        if _size(path) not in sizes:
            continue
        try:
            same = training.get(checksum_of(load(path)))
        except ReadError:
            continue  # whoever predicts it says so
        if same is not None:
            raise CampaignError(
                campaign.root,
                f"found the same content in the test run {run} and in {same.name}, which is "
                "trained on, so that scores on the test runs would flatter",
                "no run in two splits",
                "remove it from one of them",
            )


def _size(path: Path) -> int | None:
    """The size of a file; None for a folder, or if it is not there."""
    return path.stat().st_size if path.is_file() else None
