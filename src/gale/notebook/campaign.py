"""A campaign in a notebook: its families in its splits, and what is wrong with them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

import numpy as np

from gale.campaign import Campaign
from gale.errors import CampaignError
from gale.notebook.parts import block, sentences, table
from gale.plumbing.files import exists
from gale.plumbing.text import counted, listed


def campaign_html(campaign: Campaign) -> str:
    """Draw a campaign."""
    splits = Counter(campaign.split)
    facts = [counted(len(campaign), "run")]
    facts += [f"{count:,} {split or 'without labels'}" for split, count in splits.items()]
    facts += [counted(len(campaign.families), "family", "families")]
    facts += [counted(campaign.n_groups, "group")] if campaign.n_groups else []
    labelled = [each for each in splits if each and _known(campaign, each).any()]
    header = ["family", *(f"{split}: positive of known" for split in labelled), "prevalence"]
    rows = [
        [family, *(_share(campaign, split, at) for split in labelled), _prevalence(share)]
        for at, (family, share) in enumerate(
            zip(campaign.families, campaign.prevalence(), strict=True)
        )
    ]
    return block(
        f"Campaign {campaign.root}",
        facts,
        table(header, rows) if rows else sentences("", []),
        sentences("to know:", list(_problems(campaign))),
    )


def _known(campaign: Campaign, split: str) -> np.ndarray[tuple[int, ...], np.dtype[np.bool_]]:
    known: np.ndarray[tuple[int, ...], np.dtype[np.bool_]] = np.isfinite(
        campaign.labels[np.array(campaign.split) == split]
    )
    return known


def _share(campaign: Campaign, split: str, family: int) -> str:
    labels = campaign.labels[np.array(campaign.split) == split, family]
    return f"{int((labels == 1).sum()):,} of {int(np.isfinite(labels).sum()):,}"


def _prevalence(share: float) -> str:
    return "unknown" if np.isnan(share) else f"{share:.2f}"


def _problems(campaign: Campaign) -> Iterator[str]:
    """Say what stands in the way of training, and which files do not count."""
    learned = campaign.select(np.array([split != "test" for split in campaign.split], dtype=bool))
    try:
        learned.check_trainable()
    except CampaignError as error:
        for each in error.problems or (error,):
            place = each.source.removeprefix(str(campaign.root)).lstrip(": ")
            yield f"{place or 'runs to learn from'}: {each.found}; expected {each.expected}"
    files = zip(campaign.runs, campaign.paths, strict=True)
    away = [run for run, path in files if not exists(path)]
    if missing := [run for run in away if run not in campaign.in_memory]:
        yield f"{counted(len(missing), 'file')} of runs missing: {listed(missing, 3)}"
    if campaign.left_out:
        names = listed((path.name for path in campaign.left_out), 3)
        yield f"{counted(len(campaign.left_out), 'file')} left out, which are no runs: {names}"
