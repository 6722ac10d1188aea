"""Tables that people fill in: read as a spreadsheet shows them, all problems reported at once."""

from __future__ import annotations

import codecs
import csv
import io
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from gale.errors import CONTROLS, GaleError
from gale.plumbing.frames import files_of_table
from gale.plumbing.reading import read_bytes
from gale.plumbing.sheets import SheetError, is_sheet, sheet_rows
from gale.plumbing.text import counted, shown

if TYPE_CHECKING:
    import polars as pl

HEADER = ("run", "status", "message")
"""The first columns of a table of predictions."""

OK, DOUBTFUL, FAILED = "ok", "doubtful", "failed"
"""What a table of predictions says of a run as its status."""

UNLIKE = "unlike"
"""The column after them, see `gale.model.unlike`; tables of older versions lack it."""

SUBMISSION_HEADER = ("sample_id",)
"""The first column of a submission."""

SPREAD = "_spread"
"""Suffix of a column of spreads, after the name of its family."""

CALL = "_call"
"""Suffix of a column of calls, after the name of its family."""

YES, NO = "yes", "no"
"""What a column of calls says; it is blank where there is no call."""

TRAINED_ON = "the model was trained on this run, so its numbers are not held out"
"""What the message of a prediction says of a training run."""

MARKS = ",;\t|"
"""What may separate the cells of a table; a comma goes before the others."""

MAX_BYTES, MAX_COLUMNS, MAX_CELLS = 2**26, 10_000, 10**7
"""Limits of a table that people fill in, far above any; its cells are texts in memory."""

PLAIN_NAME = "a name without control characters"
"""What is expected of the names of runs, files and families."""

UTF16 = (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)
"""How text in UTF-16 begins, as spreadsheets write it."""


class Problems:
    """Problems of the input, collected to be reported all at once.

    Parameters
    ----------
    error : type of GaleError
        The kind of error that each problem is.
    """

    def __init__(self, error: type[GaleError]) -> None:
        self._error = error
        self._errors: list[GaleError] = []

    def add(
        self,
        path: Path,
        found: str,
        expected: str = "",
        remedy: str = "",
        *,
        row: int | None = None,
        column: str | None = None,
    ) -> None:
        """Note a problem of a file, at a row and column as a spreadsheet counts and names them.

        `found`, `expected` and `remedy` are fields of :class:`gale.GaleError`; its source is the
        path with the place, such as ``labels.csv: row 3, column alcohol``.
        """
        places = [f"row {row}"] if row is not None else []
        places += [f"column {column}"] if column is not None else []
        source = ": ".join([str(path), *([", ".join(places)] if places else [])])
        self._errors.append(self._error(source, found, expected, remedy))

    def check(self) -> None:
        """Raise :meth:`error` if anything was collected."""
        if self._errors:
            raise self.error()

    def error(self) -> GaleError:
        """Return what was collected, at least one problem, as one error."""
        return self._error.of_several(self._errors)


@dataclass(frozen=True)
class Table:
    """A CSV file as text.

    Parameters
    ----------
    path : Path
        The file; of a table in memory, what messages call it.
    columns : tuple of str
        The cells of the header.
    rows : mapping of int to tuple of str
        The cells of every row by its number in a spreadsheet, where the header is row 1, or in a
        table in memory, where the first row is 0: one cell per column, without surrounding blanks.
    """

    path: Path
    columns: tuple[str, ...]
    rows: Mapping[int, tuple[str, ...]]

    def check_names(self, column: int, problems: Problems, of: str = "run") -> None:
        """Note blank, repeated and unprintable names in a column, by its position from 0."""
        first: dict[str, int] = {}
        for number, cells in self.rows.items():
            name = cells[column]
            if not name:
                self.note(problems, number, column, "found a blank", f"the name of a {of}")
            elif CONTROLS.search(name):
                self.note(problems, number, column, f"found {shown(name)}", PLAIN_NAME)
            elif name in first:
                found = f"found {shown(name)} as in row {first[name]}"
                self.note(problems, number, column, found, f"every {of} once")
            else:
                first[name] = number

    def note(
        self,
        problems: Problems,
        number: int,
        column: int,
        found: str,
        expected: str = "",
        remedy: str = "",
    ) -> None:
        """Note a problem of a cell, by the number of its row and the position of its column."""
        name = self.columns[column] or str(column + 1)
        problems.add(self.path, found, expected, remedy, row=number, column=name)


def read_table(path: Path, problems: Problems) -> Table | None:
    """Read a CSV file, Parquet or a workbook, noting problems; None if there is no table at all.

    A folder of Parquet files, as gale writes it, is one table.

    Cells are separated by the first of :data:`MARKS` that divides the header: spreadsheets write
    semicolons in countries with decimal commas. The text is UTF-8 or UTF-16.
    Rows that contain only blanks, as spreadsheets leave behind, are skipped. A row with too few or
    too many cells is noted, then filled up or cut. A table over the limits of size is no table.
    """
    try:
        lines = _lines_of(path)
    except OSError as error:
        problems.add(path, f"cannot be read ({error.strerror or error})", "a CSV table")
        return None
    except SheetError as error:
        problems.add(path, f"cannot be read ({error})", "a CSV table, Parquet or a workbook")
        return None
    except UnicodeDecodeError as error:
        problems.add(
            path,
            f"found byte {error.object[error.start]:#04x} at {error.start:,}, which is not "
            f"{error.encoding.upper()}",
            "a CSV table",
            "save it as CSV UTF-8",
        )
        return None
    except csv.Error as error:
        problems.add(
            path, f"found broken CSV ({error})", "a table separated by commas, semicolons or tabs"
        )
        return None

    filled = {
        number: [cell.strip() for cell in cells]
        for number, cells in enumerate(lines, start=1)
        if any(cell.strip() for cell in cells)
    }
    if 1 not in filled:
        problems.add(path, "found no header", "the names of the columns", row=1)
        return None
    columns = tuple(filled.pop(1))
    if len(columns) > MAX_COLUMNS or len(columns) * len(filled) > MAX_CELLS:
        problems.add(
            path,
            f"found {counted(len(columns), 'column')} and {counted(len(filled), 'row')}",
            f"at most {MAX_COLUMNS:,} columns, and {MAX_CELLS:,} cells",
        )
        return None
    _check_columns(path, columns, problems)
    if not filled:
        problems.add(path, "found no rows below the header", "one for each run")
    width = len(columns)
    for number, cells in filled.items():
        if len(cells) != width:
            problems.add(path, f"found {counted(len(cells), 'cell')}", f"{width:,}", row=number)
    padding = [""] * width
    rows = {number: tuple((cells + padding)[:width]) for number, cells in filled.items()}
    return Table(path, columns, rows)


def _lines_of(path: Path) -> list[list[str]]:
    """Read the rows of a file, or of the files of a dataset, which have one header."""
    lines: list[list[str]] = []
    for file in files_of_table(path) or [path]:
        data = read_bytes(file, MAX_BYTES)
        more = sheet_rows(data, MAX_CELLS) if is_sheet(data) else _text_rows(data)
        if lines and more[:1] != lines[:1]:
            raise SheetError(f"its file {file.name} has other columns")
        lines += more[1:] if lines else more
        if lines and len(lines) * len(lines[0]) > MAX_CELLS:
            raise SheetError(f"it has more than {MAX_CELLS:,} cells")
    return lines


def text_table(frame: pl.DataFrame, name: str, problems: Problems) -> Table | None:
    """Take a table in memory as if its cells had been read, noting its problems.

    Parameters
    ----------
    frame : DataFrame
    name : str
        What to call it in messages.
    problems : Problems

    Returns
    -------
    Table or None
        Rows are numbered from 0. True is 1, False is 0, null and NaN are blank. None if there are
        no columns.
    """
    path = Path(name)
    if not frame.width:
        problems.add(path, "has no columns", "one for the runs, then one for each family")
        return None
    _check_columns(path, tuple(frame.columns), problems)
    if not len(frame):
        problems.add(path, "has no rows", "one for each run")
    columns = [[_text(value) for value in column.to_list()] for column in frame]
    return Table(path, tuple(frame.columns), dict(enumerate(zip(*columns, strict=True))))


def _text(value: object) -> str:
    """Write a value of a table in memory as the text of a cell."""
    if value is None or value != value:
        return ""
    return str(int(value) if isinstance(value, bool) else value).strip()


def decimal_point(cell: str) -> str:
    """Write a number with a decimal comma, as in tables separated by semicolons, with a point.

    Examples
    --------
    >>> decimal_point("0,85"), decimal_point("0.85"), decimal_point("1,234,567")
    ('0.85', '0.85', '1,234,567')
    """
    return cell.replace(",", ".") if cell.count(",") == 1 and "." not in cell else cell


def _text_rows(data: bytes) -> list[list[str]]:
    """Split text into cells, separated by the first mark that divides its header."""
    text = data.decode("utf-16" if data.startswith(UTF16) else "utf-8-sig")
    mark = next((each for each in MARKS if len(next(_rows(text, each), [])) > 1), MARKS[0])
    if "\0" in text:
        raise csv.Error("it has characters of the code 0")
    return list(_within(_rows(text, mark)))


def _rows(text: str, mark: str) -> Iterator[list[str]]:
    return csv.reader(io.StringIO(text, newline=""), delimiter=mark, strict=True)


def _within(rows: Iterator[list[str]]) -> Iterator[list[str]]:
    n_cells = 0
    for cells in rows:
        n_cells += len(cells)
        if n_cells > MAX_CELLS:
            raise csv.Error(f"it has more than {MAX_CELLS:,} cells")
        yield cells


def _check_columns(path: Path, columns: tuple[str, ...], problems: Problems) -> None:
    first_of: dict[str, int] = {}
    for at, name in enumerate(columns):
        first = first_of.setdefault(name, at)
        if not name:
            problems.add(path, "found a blank", "the name of a column", row=1, column=str(at + 1))
        elif first < at:
            problems.add(
                path,
                f"found in columns {first + 1} and {at + 1}",
                "every column once",
                row=1,
                column=name,
            )
