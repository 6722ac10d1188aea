"""Labels of test runs that come later than the campaign, as in a competition."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np

from gale.campaign import Campaign
from gale.campaign.labels import LabelTable, order_of, read_label_table
from gale.errors import TableError
from gale.plumbing.tables import Problems
from gale.plumbing.text import shown


def with_test_labels(campaign: Campaign, path: Path | str) -> Campaign:
    """Return the campaign with the labels and groups of its test runs taken from a table.

    Parameters
    ----------
    campaign : Campaign
    path : Path
        A label table; test runs that it does not name have no known label, and keep their group.

    Raises
    ------
    TableError
        Lists all problems of the table, such as runs outside the test split or families that
        differ from those of the campaign.
    """
    table = read_label_table(path)
    _check(campaign, Path(path), table)
    labels = np.array(campaign.labels)
    labels[np.array(campaign.split) == "test"] = np.nan
    position = {run: at for at, run in enumerate(campaign.runs)}
    order = order_of(table.families, campaign.families)
    labels[[position[run] for run in table.runs]] = table.values[:, order]
    group_of = dict(zip(campaign.runs, campaign.group, strict=True))
    group_of |= dict(zip(table.runs, table.group, strict=False))  # it may have no groups
    return replace(campaign, labels=labels, group=tuple(group_of.values()))


def _check(campaign: Campaign, path: Path, table: LabelTable) -> None:
    problems = Problems(TableError)
    if set(table.families) != set(campaign.families):
        problems.add(
            path,
            f"found the families {', '.join(table.families)}",
            f"those of {campaign.root}: {', '.join(campaign.families)}",
            row=1,
        )
    split_of = dict(zip(campaign.runs, campaign.split, strict=True))
    for run, row in zip(table.runs, table.rows, strict=True):
        if split_of.get(run) != "test":
            expected = f"a run of the test split of {campaign.root}"
            problems.add(path, f"found {shown(run)}", expected, row=row, column="1")
    problems.check()
