"""Tables of text: their encoding, their header, what separates their cells, and the numbers."""

from __future__ import annotations

import codecs
import csv
import io
import math
import re
from array import array
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
import polars as pl

from gale.errors import ReadError
from gale.readers.tables.headers import N_COLUMNS, TIME_UNITS, count_meant, meaning

HEADER_WITHIN = 65_536
"""A header begins within these first bytes of a file."""

MAX_PREAMBLE = 200
"""So many lines may come before the header."""

UTF16 = (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)

MARKS = ",;\t|"
"""What may separate cells, blanks aside."""

_LINE = re.compile(rb"[^\r\n]+")
_NUMBER = r"^\s*[+-]?[\d.,]+(?:[eE][+-]?\d+)?\s*$"
_THOUSANDS = re.compile(r"\s*[+-]?\d{1,3}(?:[.,' \u00a0\u202f\u2019]\d{3})+(?:[.,]\d*)?\s*")
_DECIMAL_COMMA = r"^\s*[+-]?(?:0\d*,|\d{4,},|\d*,(?:\d{0,2}|\d{4,})(?:[eE]|\s*$))"
"""No thousands separator stands behind a 0 or four digits, nor before other than three."""


@dataclass(frozen=True)
class Text:
    """A table of text.

    Parameters
    ----------
    data : bytes
        The whole file, in an encoding that has the digits of ASCII.
    header : tuple of str
        Names of the columns.
    start : int
        Where in `data` the rows begin.
    mark : str
        What separates the cells.
    """

    data: bytes
    header: tuple[str, ...]
    start: int
    mark: str


def as_utf8(data: bytes) -> bytes:
    """Give text that is in UTF-16 in UTF-8, and all else as it is.

    A half of a character at the end is left out: `data` may be the beginning of a file.
    """
    if not data.startswith(UTF16):
        return data
    decoder = codecs.getincrementaldecoder("utf-16")(errors="replace")
    return decoder.decode(data).encode()


def find_table(data: bytes, columns: Mapping[str, str] | None = None) -> Text | None:
    """Find the header of a table of text, or what is most like one.

    The header is the first line with the columns of a run, for any of the marks. Where no line has
    them it is one that has two of the three, else the first with more than one cell.

    Parameters
    ----------
    data : bytes
        The file or its beginning, as from :func:`as_utf8`.
    columns : mapping, optional
        Names of the columns, see :func:`gale.read_run`.

    Returns
    -------
    Text or None
        None if no line has more than one cell.
    """
    best, most = None, 0
    for line in _first_lines(data):
        for mark in MARKS:
            if mark.encode() not in line[0]:
                continue
            found = Text(data, _cells(line[0], mark), line.end(), mark)
            n_meant = count_meant(found.header, columns)
            if n_meant == N_COLUMNS:
                return _with_units(found, columns)
            if best is None or n_meant > max(most, 1):
                best, most = found, n_meant
        words = tuple(_decode(line[0]).split())
        if count_meant(words, columns) == N_COLUMNS:
            return _with_units(_blanks_as_tabs(Text(data, words, line.end(), " ")), columns)
    return best


def read_cells(
    text: Text, places: Sequence[int], source: str, *, may_be_blank: Collection[int] = ()
) -> pl.DataFrame:
    """Read columns of a table of text as numbers.

    Parameters
    ----------
    text : Text
    places : sequence of int
        Which columns.
    source : str
        Name of the file in messages.
    may_be_blank : collection of int
        Those of them in which a cell may be blank, which gives null or NaN.

    Returns
    -------
    DataFrame
        Float64 columns, named by their places, in order of `places`.

    Raises
    ------
    ReadError
        If a cell is not a number, a row has not as many cells as the header, or it cannot be told
        whether a comma is a decimal one.
    """
    decimal = _decimal_mark(text, places, source)
    frame = _read_fast(text, places, pl.Float64, decimal)
    if frame is None or not _is_whole(frame, text, may_be_blank):
        return _read_slowly(text, places, decimal, source, may_be_blank)
    return frame.rechunk()


def _first_lines(data: bytes) -> Iterator[re.Match[bytes]]:
    """Give the lines among which the header is."""
    for number, line in enumerate(_LINE.finditer(data)):
        if number > MAX_PREAMBLE or line.start() > HEADER_WITHIN:
            return
        yield line


def _decode(line: bytes) -> str:
    """Decode a line that is in UTF-8 or else in Latin-1, without what makes it a comment."""
    try:
        text = line.decode("utf-8-sig")
    except UnicodeDecodeError:
        text = line.decode("latin-1")
    return text.lstrip("# ") if text.startswith("#") else text


def _cells(line: bytes, mark: str) -> tuple[str, ...]:
    try:
        cells = next(csv.reader([_decode(line)], delimiter=mark, skipinitialspace=True), [])
    except csv.Error:  # a cell without end
        return ()
    return tuple(cell.strip() for cell in cells)


def _with_units(text: Text, columns: Mapping[str, str] | None) -> Text:
    """Take units that are in a row of their own below the header into the names."""
    row = _LINE.search(text.data, text.start)
    if row is None or row.start() > text.start + 1000 * len(text.header):
        return text
    units = _cells(row[0], text.mark)
    is_unit_row = (
        len(units) == len(text.header)
        and any(unit.strip("()[]").casefold() in TIME_UNITS for unit in units)
        and not any(character.isdigit() for unit in units for character in unit)
    )
    if not is_unit_row:
        return text
    given = set((columns or {}).values())
    header = tuple(
        name
        if name in given or not unit or meaning(name) is None
        else f"{name} ({unit.strip('()[]')})"
        for name, unit in zip(text.header, units, strict=True)
    )
    return replace(text, header=header, start=row.end())


def _blanks_as_tabs(text: Text) -> Text:
    """Give a table whose cells are separated by any number of blanks as one with tabs."""
    rows = text.data[text.start :].replace(b" ", b"\t")
    while b"\t\t" in rows:
        rows = rows.replace(b"\t\t", b"\t")
    for end in (b"\n", b"\r"):
        rows = rows.replace(b"\t" + end, end).replace(end + b"\t", end)
    return replace(text, data=text.data[: text.start] + rows.strip(b"\t"), mark="\t")


def _read_fast(
    text: Text, places: Sequence[int], dtype: type[pl.DataType], decimal: str
) -> pl.DataFrame | None:
    """Read columns with polars; None where it refuses.

    The header is written anew, in names that are there once and whatever the encoding.
    """
    rows = text.data[text.start :].rstrip(b"\r\n")
    if b"\r" in rows:
        rows = rows.replace(b"\r\n", b"\n").replace(b"\r", b"\n")
    while b"\n\n" in rows:
        rows = rows.replace(b"\n\n", b"\n")
    header = text.mark.join(map(str, range(len(text.header))))
    data = b"".join((header.encode(), rows, b"\n"))
    del rows  # they are as large as the file
    wanted = [str(place) for place in places]
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
    except pl.exceptions.PolarsError:
        return None
    return frame.select(wanted)


def _is_whole(frame: pl.DataFrame, text: Text, may_be_blank: Collection[int]) -> bool:
    """Whether every cell was there that must be.

    polars gives null for what a short row lacks as for a blank cell, so where a cell may be blank
    the marks are counted; a mark within quotes only costs the time of the slow reader.
    """
    has_null = any(column.null_count() for column in frame if int(column.name) not in may_be_blank)
    n_marks = len(frame) * (len(text.header) - 1)
    return not has_null and (
        not may_be_blank or text.data.count(text.mark.encode(), text.start) == n_marks
    )


def _read_slowly(
    text: Text, places: Sequence[int], decimal: str, source: str, may_be_blank: Collection[int]
) -> pl.DataFrame:
    """Read what the fast reader refused, row by row, and say which cell is wrong."""
    file = io.BytesIO(text.data)
    file.seek(text.start)
    lines = csv.reader(
        io.TextIOWrapper(file, encoding="utf-8", errors="replace", newline=""),
        delimiter=text.mark,
        skipinitialspace=True,
    )
    rows = (line for line in lines if any(map(str.strip, line)))
    n_before = len(re.findall(rb"\r\n|\r|\n", text.data[: text.start]))
    n_cells = len(text.header)
    values = array("d")
    try:
        for number, row in enumerate(rows, start=1):
            where = f"{source}: row {number:,} (line {n_before + lines.line_num:,})"
            if len(row) != n_cells:
                is_last = len(row) < n_cells and next(rows, None) is None
                hint = "the file may be cut short" if is_last else "look for decimal commas"
                raise ReadError(
                    f"{where} has {len(row)} fields; expected {n_cells}, as the header; {hint}"
                )
            for place in places:
                cell = row[place].strip()
                if not cell and place in may_be_blank:
                    values.append(math.nan)
                else:
                    values.append(_number(cell, decimal, where, text.header[place]))
    except csv.Error as error:
        raise ReadError(
            f"{source}: line {n_before + lines.line_num:,} is not CSV ({error}); expected one row "
            "an ion"
        ) from error
    table = np.frombuffer(values, dtype=np.float64).reshape(-1, len(places))
    return pl.DataFrame(table, schema=[str(place) for place in places])


def _number(cell: str, decimal: str, where: str, name: str) -> float:
    try:
        if "_" in cell:  # Python takes 1_000 for a number
            raise ValueError
        return float(cell.replace(decimal, "."))
    except ValueError:
        found = f"holds {cell[:40]!r}" if cell else "is blank"
        remedy = "correct or remove the row"
        if _THOUSANDS.fullmatch(cell) or re.fullmatch(r"[+-]?\d+,\d+", cell):
            remedy = "write it with a decimal point and without thousands separators"
        raise ReadError(f"{where}, column {name!r} {found}; expected a number; {remedy}") from None


def _decimal_mark(text: Text, places: Sequence[int], source: str) -> str:
    """Say whether numbers are written with a decimal point or a decimal comma.

    Raises
    ------
    ReadError
        If commas may just as well separate thousands, or numbers have points as well.
    """
    if text.mark == "," or text.data.find(b",", text.start) < 0:
        return "."
    frame = _read_fast(text, places, pl.String, ".")
    if frame is None:
        return "."  # the slow reader says why
    numbers = [column.filter(column.str.contains(_NUMBER)) for column in frame.iter_columns()]
    comma = _first_with(numbers, ",")
    point = _first_with(numbers, ".")
    if comma is None:
        return "."
    if point is not None:
        raise ReadError(
            f"{source}: numbers have commas and points ({comma!r}, {point!r}); expected one "
            "decimal mark and no thousands separators; export it again without them"
        )
    if not any(column.str.contains(_DECIMAL_COMMA).any() for column in numbers):
        raise ReadError(
            f"{source}: the comma of numbers such as {comma!r} may be a decimal one or separate "
            "thousands; expected a decimal mark and no thousands separators; export it with a "
            "decimal point"
        )
    return ","


def _first_with(columns: Sequence[pl.Series], mark: str) -> str | None:
    """Give the first number that has a mark in it."""
    for column in columns:
        found = column.filter(column.str.contains(mark, literal=True))
        if len(found):
            return str(found[0])
    return None
