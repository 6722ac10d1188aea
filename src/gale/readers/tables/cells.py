"""The numbers in a table of text: decimal marks, and which cell is wrong."""

from __future__ import annotations

import csv
import io
import math
import re
from array import array
from collections.abc import Collection, Sequence
from dataclasses import replace

import numpy as np
import polars as pl

from gale.errors import ReadError
from gale.plumbing.text import counted, shown
from gale.readers.limits import FREE_CELLS
from gale.readers.tables.headers import N_COLUMNS, count_roles
from gale.readers.tables.text import Text

MAX_ROW = 2**22
"""Characters of a row read cell by cell: 80 for each of the columns that a run may have."""

_LINE = re.compile(rb"[^\r\n]+")
_NUMBER = r"^\s*[+-]?[\d.,]+(?:[eE][+-]?\d+)?\s*$"
_THOUSANDS = re.compile(r"\s*[+-]?\d{1,3}(?:[.,' \u00a0\u202f\u2019]\d{3})+(?:[.,]\d*)?\s*")
_DECIMAL_COMMA = r"^\s*[+-]?(?:0\d*,|\d{4,},|\d*,(?:\d{0,2}|\d{4,})(?:[eE]|\s*$))"
"""Commas that cannot separate thousands: after a 0 or four digits, or not before three digits."""


def read_cells(
    text: Text,
    positions: Sequence[int],
    source: str,
    *,
    may_be_blank: Collection[int] = (),
    most: int = FREE_CELLS,
) -> pl.DataFrame:
    """Read columns of a table of text as numbers.

    Parameters
    ----------
    text : Text
        The table.
    positions : sequence of int
        Positions of the columns, from 0.
    source : str
        Name of the file in messages.
    may_be_blank : collection of int
        Positions of the columns whose cells may be blank; a blank cell becomes null or NaN.
    most : int
        How many cells may be read; a row of a single cell counts as a whole one.

    Returns
    -------
    DataFrame
        Float64 columns, named by their positions, in the order of `positions`.

    Raises
    ------
    ReadError
        If a cell is not a number, a row has more or fewer cells than the header, or commas may be
        decimal marks or separate thousands. If there are more than `most` cells.
    """
    n_rows = (len(text.data) - text.start + 1) // 2  # if each has one character
    if n_rows * len(positions) > most:
        n_rows = sum(1 for _ in _LINE.finditer(text.data, text.start))
    if n_rows * len(positions) > most:
        raise ReadError(
            source,
            f"has {n_rows:,} rows of {counted(len(positions), 'column')}",
            f"a run, which has far fewer cells than {most:,}",
            "check that it is a run",
        )
    plain = text if text.data.find(b"\r", text.start) < 0 else _with_plain_lines(text)
    decimal = _decimal_mark(plain, positions, source)
    frame = _read_fast(plain, positions, pl.Float64, decimal)
    if not _is_whole(frame, plain, may_be_blank) and plain is text:  # a blank line is not whole
        plain = _with_plain_lines(text)
        frame = _read_fast(plain, positions, pl.Float64, decimal)
    if frame is None or not _is_whole(frame, plain, may_be_blank):
        return _read_slowly(text, positions, decimal, source, may_be_blank)
    return frame


def _with_plain_lines(text: Text) -> Text:
    """End all lines below the header with a line feed, and leave blank ones out."""
    rows = text.data[text.start :].replace(b"\r\n", b"\n").replace(b"\r", b"\n").rstrip(b"\n")
    while b"\n\n" in rows:
        rows = rows.replace(b"\n\n", b"\n")
    return replace(text, data=b"".join((text.data[: text.start], rows, b"\n")))


def _read_fast(
    text: Text, positions: Sequence[int], dtype: type[pl.DataType], decimal: str
) -> pl.DataFrame | None:
    """Read columns with polars; None if it refuses.

    The header is replaced by positions, which are unique and independent of the encoding.
    """
    header = text.mark.join(map(str, range(len(text.header))))
    data = b"".join((header.encode(), memoryview(text.data)[text.start :]))
    wanted = [str(position) for position in positions]
    try:
        frame = pl.read_csv(
            data,
            columns=wanted,
            schema_overrides=dict.fromkeys(wanted, dtype),
            infer_schema=False,
            separator=text.mark,
            decimal_comma=decimal == ",",
            encoding="utf8-lossy",
            truncate_ragged_lines=dtype == pl.String,
        )
    except (pl.exceptions.PolarsError, pl.exceptions.PanicException):
        return None
    return frame[wanted]


def _is_whole(frame: pl.DataFrame | None, text: Text, may_be_blank: Collection[int]) -> bool:
    """Whether there is a table, and no cell of it is missing.

    polars reads both a blank cell and one that a short row lacks as null. Where cells may be blank,
    the marks are counted instead; a mark within quotes only leads to the slow reader.
    """
    if frame is None:
        return False
    has_null = any(column.null_count() for column in frame if int(column.name) not in may_be_blank)
    n_marks = len(frame) * (len(text.header) - 1)
    return not has_null and (
        not may_be_blank or text.data.count(text.mark.encode(), text.start) == n_marks
    )


def _read_slowly(
    text: Text, positions: Sequence[int], decimal: str, source: str, may_be_blank: Collection[int]
) -> pl.DataFrame:
    """Read what the fast reader refused row by row, to find the cell that is wrong."""
    file = io.BytesIO(text.data)
    file.seek(text.start)
    given = _Lines(io.TextIOWrapper(file, encoding="utf-8", errors="replace", newline=""))
    lines = csv.reader(given, delimiter=text.mark, skipinitialspace=True)
    rows = (line for line in lines if given.in_one_row(line))
    n_before = len(re.findall(rb"\r\n|\r|\n", text.data[: text.start]))
    n_cells = len(text.header)
    values = array("d")
    try:
        for number, row in enumerate(rows, start=1):
            place = f"{source}: row {number:,} (line {n_before + lines.line_num:,})"
            if _is_header(row, text.header):
                raise ReadError(
                    place,
                    f"is the header of another table ({shown(text.mark.join(row))})",
                    "one run per file",
                    "divide the file there, and read each part by itself",
                )
            if len(row) != n_cells:
                raise ReadError(
                    place,
                    f"has {counted(len(row), 'field')}",
                    f"{n_cells}, as in the header",
                    "copy or export the file again: it may be cut short"
                    if len(row) < n_cells and next(rows, None) is None
                    else "check the row for decimal commas",
                )
            for position in positions:
                cell = row[position].strip()
                if not cell and position in may_be_blank:
                    values.append(math.nan)
                else:
                    values.append(_number(cell, decimal, place, text.header[position]))
    except csv.Error as error:
        raise ReadError(
            f"{source}: line {n_before + lines.line_num:,}",
            f"is not CSV ({error})",
            "one row per ion",
            "check the quotes in it",
        ) from error
    table = np.frombuffer(values, dtype=np.float64).reshape(-1, len(positions))
    return pl.DataFrame(table, schema=[str(position) for position in positions])


class _Lines:
    """The lines of a file, of which one row of a table may take :data:`MAX_ROW` characters."""

    def __init__(self, file: io.TextIOWrapper) -> None:
        self._file, self._length = file, 0

    def __iter__(self) -> _Lines:
        return self

    def __next__(self) -> str:
        line = self._file.readline(MAX_ROW + 1)
        self._length += len(line)
        if self._length > MAX_ROW:
            raise csv.Error(f"a row of more than {MAX_ROW:,} characters")
        if not line:
            raise StopIteration
        return line

    def in_one_row(self, cells: Sequence[str]) -> bool:
        """Count from here, where a row has ended; return whether it is not blank."""
        self._length = 0
        return any(map(str.strip, cells))


def _is_header(row: Sequence[str], header: Sequence[str]) -> bool:
    """Whether a row is a header, rather than the values of a scan or an ion."""
    names = [cell.strip() for cell in row]
    return names == list(header) or count_roles(names) == N_COLUMNS


def _number(cell: str, decimal: str, place: str, name: str) -> float:
    try:
        if "_" in cell:  # Python reads 1_000 as a number
            raise ValueError
        return float(cell.replace(decimal, "."))
    except ValueError:
        remedy = "correct or remove the row"
        if _THOUSANDS.fullmatch(cell) or re.fullmatch(r"[+-]?\d+,\d+", cell):
            remedy = "write it with a decimal point and without thousands separators"
        raise ReadError(
            f"{place}, column {shown(name)}",
            f"holds {shown(cell)}" if cell else "is blank",
            "a number",
            remedy,
        ) from None


def _decimal_mark(text: Text, positions: Sequence[int], source: str) -> str:
    """Return the decimal mark of the numbers: a point or a comma.

    Raises
    ------
    ReadError
        If commas may as well separate thousands, or numbers have both commas and points.
    """
    if text.mark == "," or text.data.find(b",", text.start) < 0:
        return "."
    frame = _read_fast(text, positions, pl.String, ".")
    if frame is None:
        return "."  # the slow reader finds the reason
    numbers = [column.filter(column.str.contains(_NUMBER)) for column in frame.iter_columns()]
    comma = _first_with(numbers, ",")
    point = _first_with(numbers, ".")
    if comma is None:
        return "."
    if point is not None:
        examples = ", ".join(map(shown, dict.fromkeys((comma, point))))
        raise ReadError(
            source,
            f"has numbers with commas and points ({examples})",
            "one decimal mark and no thousands separators",
            "export it again without thousands separators",
        )
    if not any(column.str.contains(_DECIMAL_COMMA).any() for column in numbers):
        raise ReadError(
            source,
            f"has numbers such as {shown(comma)}, whose comma may be a decimal mark or separate "
            "thousands",
            "a decimal mark and no thousands separators",
            "export it with a decimal point",
        )
    return ","


def _first_with(columns: Sequence[pl.Series], mark: str) -> str | None:
    """Return the first number with a mark in it."""
    for column in columns:
        found = column.filter(column.str.contains(mark, literal=True))
        if len(found):
            return str(found[0])
    return None
