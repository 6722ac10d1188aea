"""Labels of test runs that came later than the campaign, as those of a competition do."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np

from gale.campaign import Campaign
from gale.campaign.labels import LabelTable, read_label_table
from gale.errors import TableError
from gale.plumbing.tables import Problems
from gale.plumbing.text import shown


def with_test_labels(campaign: Campaign, path: Path | str) -> Campaign:
    """Give the campaign with the labels that a table has of runs of its test split.

    Parameters
    ----------
    campaign : Campaign
    path : Path
        A label table; test runs that it does not name have no known label.

    Raises
    ------
    TableError
        With all that is wrong with the table, also if it names a run that is none of the test
        split, or other families than the campaign has.
    """
    table = read_label_table(path)
    _check(campaign, Path(path), table)
    labels = np.array(campaign.labels)
    test = np.array(campaign.split) == "test"
    labels[test] = np.nan
    at = {run: position for position, run in enumerate(campaign.runs)}
    order = [table.families.index(family) for family in campaign.families]
    labels[[at[run] for run in table.runs]] = table.values[:, order]
    return replace(campaign, labels=labels)


def _check(campaign: Campaign, path: Path, table: LabelTable) -> None:
    problems = Problems(TableError)
    if set(table.families) != set(campaign.families):
        problems.add(
            path,
            f"found families {', '.join(table.families)}",
            f"those of {campaign.root}: {', '.join(campaign.families)}",
            row=1,
        )
    split_of = dict(zip(campaign.runs, campaign.split, strict=True))
    for run, row in zip(table.runs, table.rows, strict=True):
        if split_of.get(run) != "test":
            expected = f"a run of the test split of {campaign.root}"
            problems.add(path, f"found {shown(run)}", expected, row=row, column="1")
    problems.check()
