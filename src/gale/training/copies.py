"""Runs with the same content: what is trained on twice, or trained on and tested with."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from pathlib import Path

import numpy as np

from gale.campaign import Campaign
from gale.errors import CampaignError, ReadError
from gale.features.content import Content, content_of, size_of
from gale.plumbing.progress import Progress
from gale.readers import is_packed
from gale.run import Run


def contents_of(campaign: Campaign, checksums: Sequence[str]) -> list[Content]:
    """Return the content of R runs, of whose files the SHA-256 are known; packed ones are read."""
    return [
        content_of(source, campaign.columns, checksum)
        for source, checksum in zip(campaign.sources, checksums, strict=True)
    ]


def without_copies(
    campaign: Campaign, contents: Sequence[Content], progress: Progress
) -> tuple[list[int], list[str]]:
    """Find the runs to keep, of which no two have the same content.

    A copy would count twice, and one held out would be predicted by members that know it.

    Parameters
    ----------
    campaign : Campaign
        R runs that can be read.
    contents : sequence of Content, length R
        See :func:`contents_of`.

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
    for row, content in enumerate(contents):
        alike.setdefault(content.checksum or f"unknown {row}", []).append(row)
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


def check_not_tested(
    campaign: Campaign,
    training: Campaign,
    contents: Sequence[Content],
    known: Mapping[str, Content] | None = None,
) -> None:
    """Refuse test runs with the content of a run to train on.

    Only test runs are read whose content is not known, and that are packed, folders, or of the size
    of a training run.

    Parameters
    ----------
    campaign : Campaign
        With its test runs.
    training : Campaign
        The R runs to train on.
    contents : sequence of Content, length R
        See :func:`contents_of`.
    known : mapping of str to Content, optional
        The content of test runs, by their names.

    Raises
    ------
    CampaignError
    """
    known = known or {}
    run_of = dict(zip((each.checksum for each in contents), training.runs, strict=True))
    sizes = {each.size for each in contents}
    test = campaign.of_split("test")
    for run, source in zip(test.runs, test.sources, strict=True):
        try:
            if run not in known and _differs(source, sizes):
                continue
            content = known.get(run) or content_of(source, campaign.columns)
            same = run_of.get(content.checksum)
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


def _differs(source: Path | Run, sizes: Collection[int | None]) -> bool:
    """Whether a run is a file that has none of these sizes, and is not packed."""
    return isinstance(source, Path) and not is_packed(source) and size_of(source) not in sizes
