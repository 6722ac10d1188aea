"""The tables of a competition folder: metadata, labels of each split, submission format.

A function ``collect_…`` reads tables and notes the problems of each; ``compare_…`` notes what does
not match the metadata.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path, PureWindowsPath

import numpy as np
from numpy.typing import NDArray

from gale.campaign.labels import (
    IN_MEMORY,
    LabelTable,
    check_run_column,
    collect_label_table,
    order_of,
)
from gale.plumbing.files import exists
from gale.plumbing.frames import Tabular
from gale.plumbing.reading import is_within
from gale.plumbing.tables import Problems, Table, read_table
from gale.plumbing.text import counted, shown

SPLITS = ("train", "val", "test")

COLUMNS = ("sample_id", "split", "derivatized", "features_path", "features_md5_hash")
"""Required columns of metadata.csv; it may have others."""

DERIVATIZED = {"": np.nan, "1": 1.0, "1.0": 1.0}


@dataclass(frozen=True)
class Metadata:
    """The columns of ``metadata.csv`` for R runs; each tuple has length R."""

    path: Path
    rows: tuple[int, ...]
    runs: tuple[str, ...]
    paths: tuple[Path, ...]
    split: tuple[str, ...]
    derivatized: tuple[float, ...]
    checksums: tuple[str | None, ...]


@dataclass(frozen=True)
class LabelSource:
    """A label table (None if it could not be read) and the splits whose runs it may label."""

    path: Path
    splits: tuple[str, ...]
    table: LabelTable | None


def collect_metadata(
    path: Path, problems: Problems, *, check_files: bool = True
) -> Metadata | None:
    """Read ``metadata.csv``; with `check_files`, check that the file of each run exists."""
    table = read_table(path, problems)
    if table is None:
        return None
    if missing := [name for name in COLUMNS if name not in table.columns]:
        problems.add(
            path,
            f"has no column {', '.join(missing)}",
            f"the columns {', '.join(COLUMNS)}",
            "leave cells of derivatized and features_md5_hash blank where unknown",
            row=1,
        )
        return None
    table.check_names(table.columns.index("sample_id"), problems)
    table.check_names(table.columns.index("features_path"), problems, of="file")
    rows = [_Row(table, number, problems, check_files) for number in table.rows]
    return Metadata(
        path=path,
        rows=tuple(table.rows),
        runs=tuple(row.cell("sample_id") for row in rows),
        paths=tuple(row.path() for row in rows),
        split=tuple(row.split() for row in rows),
        derivatized=tuple(row.derivatized() for row in rows),
        checksums=tuple(row.checksum() for row in rows),
    )


@dataclass(frozen=True)
class _Row:
    """A row of metadata.csv; a cell with a wrong value is noted when it is read."""

    table: Table
    number: int
    problems: Problems
    check_files: bool

    def cell(self, column: str) -> str:
        return self.table.rows[self.number][self.table.columns.index(column)]

    def wrong(self, column: str, expected: str) -> None:
        found = f"found {shown(self.cell(column))}"
        self.problems.add(self.table.path, found, expected, row=self.number, column=column)

    def split(self) -> str:
        split = self.cell("split")
        if split not in SPLITS:
            self.wrong("split", "train, val or test")
        return split

    def derivatized(self) -> float:
        cell = self.cell("derivatized")
        if cell not in DERIVATIZED:
            self.wrong("derivatized", "1, or blank where unknown")
        return DERIVATIZED.get(cell, np.nan)

    def path(self) -> Path:
        cell, root = self.cell("features_path"), self.table.path.parent
        # Some tables are made on Windows, whose rules cover both separators, drives and shares.
        relative = PureWindowsPath(cell)
        path = root.joinpath(*relative.parts)
        if relative.anchor or ".." in relative.parts or (cell and path == root):
            self.wrong("features_path", "a path inside the folder of this table")
        elif not is_within(path, root):
            self.wrong("features_path", "a path that no link leads out of the folder of this table")
        elif self.check_files and not exists(path):
            self.wrong("features_path", f"a file that exists in {root}")
        return path

    def checksum(self) -> str | None:
        cell = self.cell("features_md5_hash").lower()
        if cell and not re.fullmatch("[0-9a-f]{32}", cell):
            self.wrong("features_md5_hash", "32 hexadecimal digits, or blank where unknown")
        return cell or None


def collect_labels(
    root: Path, given: Path | Tabular | None, problems: Problems
) -> list[LabelSource]:
    """Read the label tables in the folder, or instead of them the given one."""
    if given is not None:
        path = given if isinstance(given, Path) else Path(IN_MEMORY)
        return [LabelSource(path, SPLITS, collect_label_table(given, problems))]
    paths = {split: root / f"{split}_labels.csv" for split in SPLITS}
    return [
        LabelSource(path, (split,), collect_label_table(path, problems))
        for split, path in paths.items()
        if exists(path)
    ]


def compare_labels(
    metadata: Metadata, sources: Sequence[LabelSource], problems: Problems
) -> tuple[tuple[str, ...], NDArray[np.float32], tuple[str | None, ...]]:
    """Put the labels and groups into the order of the metadata.

    Returns
    -------
    families : tuple of str, length K
        In the order of the first table; empty without tables.
    labels : array of shape (R, K), float32
        NaN where unknown.
    group : tuple of str or None, length R
    """
    at = {run: position for position, run in enumerate(metadata.runs)}
    families: tuple[str, ...] = ()
    labels = np.empty((len(metadata.runs), 0), dtype=np.float32)
    labelled: set[str] = set()
    group_of: dict[str, str | None] = {}
    for source in sources:
        if (table := source.table) is None:
            continue
        if not families:
            families, first = table.families, source.path
            labels = np.full((len(metadata.runs), len(families)), np.nan, dtype=np.float32)
        matching = _compare_runs(metadata, source, table, problems)
        labelled |= matching
        group_of |= dict(zip(table.runs, table.group, strict=False))  # it may have no groups
        if set(table.families) != set(families):
            problems.add(
                source.path,
                f"found the families {', '.join(table.families)}",
                f"those of {first}: {', '.join(families)}",
                row=1,
            )
            continue
        order = order_of(table.families, families)
        for run, values in zip(table.runs, table.values[:, order], strict=True):
            if run in matching:
                labels[at[run]] = values
    _check_complete(metadata, sources, labelled, problems)
    return families, labels, tuple(map(group_of.get, metadata.runs))


def _compare_runs(
    metadata: Metadata, source: LabelSource, table: LabelTable, problems: Problems
) -> set[str]:
    """Return the runs that a label table may label, and note the others."""
    split_of = dict(zip(metadata.runs, metadata.split, strict=True))
    matching = set()
    for run, row in zip(table.runs, table.rows, strict=True):
        split = split_of.get(run)
        if split is None:
            found, expected = shown(run), f"a sample_id of {metadata.path}"
        elif split in SPLITS and split not in source.splits:
            found, expected = f"{shown(run)} of split {split}", f"runs of {source.splits[0]}"
        else:
            matching.add(run)
            continue
        if run:  # a blank is noted already
            problems.add(source.path, f"found {found}", expected, row=row, column="1")
    return matching


def _check_complete(
    metadata: Metadata, sources: Sequence[LabelSource], labelled: set[str], problems: Problems
) -> None:
    """Note unlabelled runs of train, and of every split that has a labelled run, if any has."""
    split_of = dict(zip(metadata.runs, metadata.split, strict=True))
    due = {"train", *(split_of[run] for run in labelled)} if sources else set()
    due -= {split for source in sources if source.table is None for split in source.splits}
    without: dict[str, list[tuple[int, str]]] = {}
    for row, run, split in zip(metadata.rows, metadata.runs, metadata.split, strict=True):
        if split in due and run and run not in labelled:
            without.setdefault(split, []).append((row, run))
    for split, runs in without.items():
        if len(runs) == metadata.split.count(split):
            problems.add(
                metadata.path,
                f"found {counted(len(runs), 'run')} of split {split}, none in a label table",
                "a row for each in a label table, blank where unknown",
            )
            continue
        for row, run in runs:
            problems.add(
                metadata.path,
                f"found {shown(run)} of split {split}, which is in no label table",
                "a row for it, blank where unknown",
                row=row,
                column="sample_id",
            )


def collect_submission(path: Path, problems: Problems) -> Table | None:
    """Read ``submission_format.csv`` if it exists; only its runs and families matter."""
    if not exists(path):
        return None
    table = read_table(path, problems)
    return table if table is not None and check_run_column(table, problems) else None


def compare_submission(
    metadata: Metadata, families: Sequence[str], table: Table | None, problems: Problems
) -> tuple[str, ...] | None:
    """Return the runs of the submission format in its order, and note what does not match."""
    if table is None:
        return None
    known = set(metadata.runs)
    for row, (run, *_) in table.rows.items():
        if run and run not in known:
            expected = f"a sample_id of {metadata.path}"
            problems.add(
                table.path, f"found {shown(run)}", expected, row=row, column=table.columns[0]
            )
    if not set(families) <= set(table.columns[1:]):
        problems.add(
            table.path,
            f"found the families {', '.join(table.columns[1:])}",
            f"at least those of the labels: {', '.join(families)}",
            row=1,
        )
    return tuple(cells[0] for cells in table.rows.values())
