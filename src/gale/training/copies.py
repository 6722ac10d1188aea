"""Runs with the same content: what is trained on twice, or trained on and tested with."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from gale.campaign import Campaign
from gale.errors import CampaignError, ReadError
from gale.plumbing.progress import Progress
from gale.readers import checksum_of, load


def without_copies(
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
        The run of each content that has the most known labels, in order.
    copies : list of str
        Names of the others.

    Raises
    ------
    CampaignError
        If labels of the same content contradict each other, or no copy has all of them.
    """
    alike: dict[str, list[int]] = {}
    for row, checksum in enumerate(checksums):
        alike.setdefault(checksum or f"unknown {row}", []).append(row)
    kept = {_best_labelled(campaign, rows): rows for rows in alike.values()}
    copies = [row for first, rows in kept.items() for row in rows if row != first]
    for first, rows in kept.items():
        if len(rows) > 1:
            names = ", ".join(campaign.runs[row] for row in rows if row != first)
            progress.note(
                f"left out, since run {campaign.runs[first]} has the same content: {names}"
            )
    return sorted(kept), [campaign.runs[row] for row in sorted(copies)]


def _best_labelled(campaign: Campaign, rows: Sequence[int]) -> int:
    """Choose the copy with the most known labels, which has to have those of all others."""
    labels = campaign.labels[list(rows)]
    known = np.isfinite(labels)
    best = int(np.argmax(known.sum(axis=1)))
    unlike = known & (labels != labels[best])  # also where the best one is blank
    if unlike.any():
        other, family = np.argwhere(unlike)[0]
        raise CampaignError(
            campaign.root,
            f"found the same content in the runs {campaign.runs[rows[best]]} and "
            f"{campaign.runs[rows[other]]}, but another label of {campaign.families[family]}",
            "the same labels for the same content",
            "correct the labels, or remove one of the runs",
        )
    return rows[best]


def check_not_tested(campaign: Campaign, training: Campaign, checksums: Sequence[str]) -> None:
    """Refuse test runs with the content of a run to train on.

    Only test files of the size of a training file are read.

    Parameters
    ----------
    campaign : Campaign
        With its test runs.
    training : Campaign
        The R runs to train on.
    checksums : sequence of str, length R
        SHA-256 of their content.

    Raises
    ------
    CampaignError
    """
    run_of = dict(zip(checksums, training.runs, strict=True))
    sizes = {_size(path) for path in training.paths} - {None}
    test = campaign.of_split("test")
    for run, path in zip(test.runs, test.paths, strict=True):
        if _size(path) not in sizes:
            continue
        try:
            same = run_of.get(checksum_of(load(path)))
        except ReadError:
            continue  # whoever predicts it says so
        if same is not None:
            raise CampaignError(
                campaign.root,
                f"found the same content in the test run {run} and in run {same}, which is "
                "trained on, so that scores on the test runs would flatter",
                "no run in two splits",
                "remove it from one of them",
            )


def _size(path: Path) -> int | None:
    """The size of a file; None for a folder, or if it is not there."""
    return path.stat().st_size if path.is_file() else None
