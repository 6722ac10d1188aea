"""Runs that are gathered in Python, and their labels: by name, or in the order of the runs."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import polars as pl
from numpy.typing import ArrayLike, NDArray

from gale.campaign.labels import (
    GROUP,
    IN_MEMORY,
    LabelTable,
    is_run_column,
    read_label_table,
)
from gale.campaign.matching import match_runs
from gale.errors import CampaignError, TableError, warn
from gale.plumbing.frames import ArrowTable, Tabular, frame_of
from gale.plumbing.tables import Problems
from gale.plumbing.text import counted, display_name, listed, shown
from gale.run import Run

Labels = ArrayLike | Tabular | str | Path
"""Labels of runs: an array (R, K), a table in memory, a list of tables, or a file."""

IN_PYTHON = Path("memory")
"""The folder of runs that are in none."""


def names_of(runs: Sequence[str | Path | Run], names: Sequence[str] | None) -> tuple[str, ...]:
    """Name runs as :meth:`gale.Model.predict` does, or as given.

    Raises
    ------
    CampaignError
        If there are no runs, not as many names as runs, or two runs of one name.
    """
    if not runs:
        raise CampaignError("runs", "has no run", "one at least")
    if names is not None and len(names) != len(runs):
        raise CampaignError(
            "names", f"has {counted(len(names), 'name')}", f"one for each of {len(runs):,} runs"
        )
    found = (
        tuple(run.source if isinstance(run, Run) else display_name(run) for run in runs)
        if names is None
        else tuple(names)
    )
    problems = Problems(CampaignError)
    for name, number in Counter(found).items():
        if number > 1:
            problems.add(
                Path("runs"),
                f"found {number:,} called {shown(name)}",
                "every run once",
                "give each a name of its own in names=[...] if they are different runs",
            )
    problems.check()
    return found


def folder_of(runs: Sequence[str | Path | Run]) -> Path:
    """Return the folder that holds all runs, `IN_PYTHON` if some are in memory."""
    if any(isinstance(run, Run) for run in runs):
        return IN_PYTHON
    folders = [Path(run).absolute().parent for run in runs if not isinstance(run, Run)]
    try:
        return Path(os.path.commonpath(folders))
    except ValueError:  # on several drives
        return IN_PYTHON


def labels_of(
    names: Sequence[str],
    labels: Labels | None,
    families: Sequence[str] | None,
    groups: Sequence[str | None] | None,
) -> LabelTable:
    """Put labels into the order of R runs.

    Parameters
    ----------
    names : sequence of str, length R
    labels : array of shape (R, K), table, list of tables, or file
        A table without a column of runs has a row for each run, in their order.
    families : sequence of str, length K, optional
        Those of an array; of a table, the columns to take.
    groups : sequence of str or None, length R, optional

    Raises
    ------
    TableError, CampaignError
        If they cannot be read, a value is not 0, 1 or unknown, or a run has no labels.
    """
    if labels is None:
        table = LabelTable(tuple(names), (), np.empty((len(names), 0), np.float32))
    elif isinstance(labels, str | Path):
        table = _by_name(names, read_label_table(labels))
    elif _is_tabular(labels):
        table = _of_frame(names, frame_of(labels, IN_MEMORY))  # type: ignore[arg-type]
    else:
        table = _of_array(names, np.asarray(labels, dtype=np.float64), families)
    if families is not None and labels is not None:
        table = _of_families(table, families)
    return table if groups is None else replace(table, group=_groups(groups, len(names)))


def _is_tabular(labels: object) -> bool:
    several = isinstance(labels, Sequence) and bool(labels)
    first = labels[0] if several else labels  # type: ignore[index]
    return isinstance(first, ArrowTable)


def _of_frame(names: Sequence[str], frame: pl.DataFrame) -> LabelTable:
    if any(map(is_run_column, frame.columns)):
        return _by_name(names, read_label_table(frame))
    _check_length(len(frame), names)
    return read_label_table(pl.DataFrame({"run": names}).hstack(frame))


def _of_array(
    names: Sequence[str], values: NDArray[np.float64], families: Sequence[str] | None
) -> LabelTable:
    values = values[:, None] if values.ndim == 1 else values
    if families is None or values.ndim != 2 or values.shape[1] != len(families):
        raise TableError(
            IN_MEMORY,
            f"is an array of shape {values.shape}",
            f"one of shape (R, {len(families)})" if families else "the names of its K columns",
            "pass families=[...], a name for each column",
        )
    _check_length(len(values), names)
    wrong = [each for each in families if is_run_column(each) or list(families).count(each) > 1]
    if wrong:
        raise TableError("families", f"has {listed(wrong)}", "names of families, every one once")
    frame = pl.DataFrame(values, schema=list(families), orient="row", nan_to_null=True)
    return read_label_table(pl.DataFrame({"run": names}).hstack(frame))


def _check_length(n_rows: int, names: Sequence[str]) -> None:
    if n_rows != len(names):
        raise TableError(
            IN_MEMORY,
            f"has {counted(n_rows, 'row')} and no column of runs",
            f"one for each of {counted(len(names), 'run')}, in their order",
            "add a column run with the names of the runs",
        )


def _by_name(names: Sequence[str], table: LabelTable) -> LabelTable:
    """Put a table into the order of the runs that its rows name."""
    match = match_runs(table.runs, names, IN_MEMORY)
    row_of = {match[run]: row for row, run in enumerate(table.runs) if run in match}
    problems = Problems(CampaignError)
    for name in names:
        if name not in row_of:
            problems.add(Path(name), "has no label", "a row for it, blank where unknown")
    problems.check()
    if others := [run for run in table.runs if run not in match]:
        warn(
            f"labels: {counted(len(others), 'row names', 'rows name')} no run that is given: "
            f"{listed(others, 3)}"
        )
    rows = [row_of[name] for name in names]
    group = tuple(table.group[row] for row in rows) if table.group else ()
    return LabelTable(tuple(names), table.families, table.values[rows], group=group)


def _of_families(table: LabelTable, families: Sequence[str]) -> LabelTable:
    if lacking := [family for family in families if family not in table.families]:
        raise TableError(
            IN_MEMORY,
            f"has no column for {listed(lacking)}",
            f"some of {listed(table.families)}",
        )
    columns = [table.families.index(family) for family in families]
    return replace(table, families=tuple(families), values=table.values[:, columns])


def _groups(groups: Sequence[str | None], n_runs: int) -> tuple[str | None, ...]:
    if len(groups) != n_runs:
        found = f"has {counted(len(groups), 'name')}"
        raise CampaignError(GROUP + "s", found, f"one for each of {n_runs:,} runs, or None")
    return tuple(_named(groups))


def _named(groups: Sequence[object]) -> Iterator[str | None]:
    """Write groups as texts; nothing, NaN and a blank are no group."""
    for group in groups:
        known = group is not None and group == group
        yield str(group) or None if known else None
