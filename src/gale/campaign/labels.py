"""Label tables: which runs are known to contain which families."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from gale.errors import CONTROLS, TableError
from gale.plumbing.frames import Tabular, frame_of
from gale.plumbing.tables import (
    CALL,
    HEADER,
    PLAIN_NAME,
    SPREAD,
    SUBMISSION_HEADER,
    UNLIKE,
    Problems,
    Table,
    decimal_point,
    read_table,
    text_table,
)
from gale.plumbing.text import shown

RUN_COLUMNS = ("run", "sample_id")
"""Names that the first column of a table of runs may have, whatever the case of their letters."""

GROUP = "group"
"""Name of the column that says which runs belong together, see :func:`read_label_table`."""

IN_MEMORY = "labels"
"""What messages call a label table in memory."""

RESERVED = {*HEADER, UNLIKE, *SUBMISSION_HEADER, "split", "time_min"}
"""Names that no family may have, since other columns of tables have them."""

VALUES = {"": np.nan, "0": 0.0, "1": 1.0, "0.0": 0.0, "1.0": 1.0}
"""The texts that a cell of a label table may contain, and their values."""


@dataclass(frozen=True, eq=False)
class LabelTable:
    """Known labels of R runs for K families.

    Parameters
    ----------
    runs : tuple of str, length R
        Names of the runs.
    families : tuple of str, length K
        Names of the families.
    values : array of shape (R, K), float32
        1 where the run contains the family, 0 where it does not, NaN where that is unknown.
    rows : tuple of int, length R or 0
        Row of each run in the file; the header is row 1.
    group : tuple of str or None, length R or 0
        Name of the group of each run, None where it has none; empty without such a column.
    """

    runs: tuple[str, ...]
    families: tuple[str, ...]
    values: NDArray[np.float32]
    rows: tuple[int, ...] = ()
    group: tuple[str | None, ...] = ()

    @property
    def labelled(self) -> NDArray[np.bool_]:
        """Whether at least one label of each run is known, shape (R,)."""
        known: NDArray[np.bool_] = np.any(np.isfinite(self.values), axis=1)
        return known


def read_label_table(source: Path | str | Tabular) -> LabelTable:
    r"""Read a label table: a column ``run`` or ``sample_id``, then one per family.

    It is a CSV file, a table in memory (see :func:`gale.plumbing.frames.frame_of`), whose column of
    runs may be anywhere, or a list of such tables.

    Cells are 0, 1, or blank for unknown. A column ``group``, anywhere after the first, is not a
    family: its cells name what runs have in common besides what they contain (a sample that was
    measured again, a batch, a day, an instrument), blank for a run on its own.

    Raises
    ------
    TableError
        Lists all problems: a repeated or blank run, a cell with another value, a repeated or blank
        family or a reserved name, groups that may be labels (no other names than 0 and 1), another
        first column, no families, no rows, a row of another length, or a file that cannot be read
        as CSV.

    Examples
    --------
    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     path = Path(folder, "labels.csv")
    ...     _ = path.write_text("run,alcohol,mineral\na,1,0\nb,0,\n")
    ...     table = read_label_table(path)
    >>> table.families
    ('alcohol', 'mineral')
    >>> prevalence_of(table.values)
    array([0.5, 0. ])
    """
    problems = Problems(TableError)
    table = collect_label_table(Path(source) if isinstance(source, str) else source, problems)
    if table is None:
        raise problems.error()
    problems.check()
    return table


def collect_label_table(source: Path | Tabular, problems: Problems) -> LabelTable | None:
    """Read a label table, a file or in memory, noting its problems; None if it labels no run.

    A table with problems contains what could be read, so that it can still be compared with others.
    """
    table = _cells(source, problems)
    if table is None:
        return None
    path = table.path
    named = check_run_column(table, problems)
    of_families = [at for at, name in enumerate(table.columns) if at and name != GROUP]
    families = tuple(table.columns[at] for at in of_families)
    if not families:
        problems.add(path, "found no family columns", "one for each family", row=1)
    known = frozenset(families)
    for at, family in zip(of_families, families, strict=True):
        if CONTROLS.search(family):
            problems.add(path, f"found {shown(family)}", PLAIN_NAME, row=1, column=str(at + 1))
        if is_reserved(family, known):
            problems.add(
                path,
                "is a reserved name",
                "another name for the family",
                "rename it",
                row=1,
                column=family,
            )
    values = [
        [_value(table, number, column, problems) for column in of_families] for number in table.rows
    ]
    group = _groups(table, problems)
    if not (named and families):
        return None
    return LabelTable(
        runs=tuple(cells[0] for cells in table.rows.values()),
        families=families,
        values=np.array(values, dtype=np.float32).reshape(len(table.rows), len(families)),
        rows=tuple(table.rows),
        group=group,
    )


def _cells(source: Path | Tabular, problems: Problems) -> Table | None:
    """Read a label table as text; a table in memory may have the column of the runs anywhere."""
    if isinstance(source, Path):
        return read_table(source, problems)
    frame = frame_of(source, IN_MEMORY)
    of_runs = [name for name in frame.columns if is_run_column(name)]
    others = [name for name in frame.columns if name not in of_runs[:1]]
    return text_table(frame.select(of_runs[:1] + others), IN_MEMORY, problems)


def order_of(names: Sequence[str], wanted: Iterable[str]) -> list[int]:
    """Return the position in `names` of each wanted one.

    Examples
    --------
    >>> order_of(("alcohol", "mineral", "sulfur"), ("sulfur", "alcohol"))
    [2, 0]
    """
    at = {name: position for position, name in enumerate(names)}
    return [at[name] for name in wanted]


def is_reserved(family: str, families: Collection[str]) -> bool:
    """Whether other columns of tables with these families have or could have the family's name."""
    stems = {family.removesuffix(suffix) for suffix in (SPREAD, CALL)} - {family}
    return family in RESERVED or not stems.isdisjoint(families)


def is_run_column(name: str) -> bool:
    """Whether a first column of this name has the names of runs.

    Examples
    --------
    >>> is_run_column("Run"), is_run_column("sample")
    (True, False)
    """
    return name.strip().casefold() in RUN_COLUMNS


def check_run_column(table: Table, problems: Problems) -> bool:
    """Note problems of the first column, and return whether it contains names of runs."""
    if not is_run_column(table.columns[0]):
        problems.add(
            table.path,
            f"found {shown(table.columns[0])}",
            f"{' or '.join(RUN_COLUMNS)}, and commas, semicolons or tabs between the columns",
            row=1,
            column="1",
        )
        return False
    table.check_names(0, problems)
    return True


def prevalence_of(values: NDArray[np.float32]) -> NDArray[np.float64]:
    """Return the share of each family's known labels that are positive.

    Parameters
    ----------
    values : array of shape (R, K)
        As in a :class:`LabelTable`.

    Returns
    -------
    array of shape (K,)
        NaN where no label of a family is known.
    """
    known = np.isfinite(values).sum(axis=0)
    share = np.full(values.shape[1], np.nan)
    np.divide((values == 1).sum(axis=0), known, out=share, where=known > 0)
    return share


def _groups(table: Table, problems: Problems) -> tuple[str | None, ...]:
    """Return the group of each run; empty if there is no such column."""
    if GROUP not in table.columns[1:]:
        return ()
    column = table.columns.index(GROUP, 1)
    for number, cells in table.rows.items():
        if CONTROLS.search(cells[column]):
            table.note(problems, number, column, f"found {shown(cells[column])}", PLAIN_NAME)
    group = tuple(cells[column] or None for cells in table.rows.values())
    if any(group) and all(decimal_point(each or "") in VALUES for each in group):
        problems.add(
            table.path,
            "found no other cells than 0, 1 and blank, which may be labels of a family",
            "names of groups, such as batch 0 and batch 1",
            "name the groups so, or the family otherwise",
            row=1,
            column=GROUP,
        )
    return group


def _value(table: Table, number: int, column: int, problems: Problems) -> float:
    cell = table.rows[number][column]
    value = VALUES.get(decimal_point(cell))
    if value is None:
        table.note(problems, number, column, f"found {shown(cell)}", "0, 1 or blank")
    return np.nan if value is None else value
