"""A campaign: how many runs have which family, split by split."""

from __future__ import annotations

from typing import Any

from gale.campaign import Campaign
from gale.campaign.folder import left_out_name, run_name
from gale.plumbing.text import listed


def values(campaign: Campaign, verify: bool) -> dict[str, Any]:
    """Give the properties of a campaign as values that JSON can hold."""
    return {
        "runs": len(campaign),
        "groups": campaign.n_groups,
        "families": campaign.family_table().to_dicts(),
        "left_out": [run_name(file, campaign.root) for file in campaign.left_out],
        "checksums_compared": campaign.verify_checksums() if verify else None,
    }


def training_lines(campaign: Campaign) -> list[str]:
    """Describe a campaign before a training: its labels in train and val."""
    chosen = campaign.of_split("train", "val")
    text = [_head(campaign), f"  {'family':<32}{'positive':>9}{'negative':>9}{'unknown':>9}"]
    for family, labels in zip(chosen.families, chosen.labels.T, strict=True):
        positive, negative = int((labels == 1).sum()), int((labels == 0).sum())
        unknown = len(chosen) - positive - negative
        text.append(f"  {family:<32}{positive:>9,}{negative:>9,}{unknown:>9,}")
    return text


def _head(campaign: Campaign) -> str:
    """Say what its `repr` says, without the signs of Python."""
    return repr(campaign).removeprefix("<Campaign ").removesuffix(">")


def lines(campaign: Campaign, verify: bool) -> list[str]:
    """Describe a campaign for people: its labels, split by split."""
    text = [_head(campaign)]
    header = f"  {'family':<32}{'positive':>9}{'negative':>9}{'unknown':>9}{'prevalence':>12}"
    for (split,), table in campaign.family_table().group_by("split", maintain_order=True):
        text += [f"\n  {split or 'unlabelled'}", header]
        for family, positive, negative, unknown, prevalence in table.drop("split").iter_rows():
            share = "" if prevalence is None else f"{prevalence:.3f}"
            text.append(f"  {family:<32}{positive:>9,}{negative:>9,}{unknown:>9,}{share:>12}")
    if campaign.left_out:
        names = listed(left_out_name(file, campaign.root) for file in campaign.left_out)
        text.append(f"\n  not runs, left out: {names}")
    if verify:
        n_compared = campaign.verify_checksums()
        result = "all agree" if n_compared else "so nothing was compared"
        text.append(f"\n  checksums: {n_compared:,} of {len(campaign):,} files have one, {result}")
    return text
