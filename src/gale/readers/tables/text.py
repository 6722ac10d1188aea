"""Tables of text: their encoding, their header, and what separates their cells."""

from __future__ import annotations

import codecs
import csv
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace

from gale.plumbing.tables import MARKS, UTF16
from gale.readers.tables.headers import N_COLUMNS, count_roles
from gale.readers.tables.names import TIME_UNITS, meaning

HEADER_WITHIN = 65_536
"""Bytes at the beginning of a file within which a header begins."""

MAX_HEADER = 2**22
"""Bytes of a header: 80 for each of the columns that a run may have."""

MAX_PREAMBLE = 200
"""Lines that may come before the header."""

BLANK = " "

_LINE = re.compile(rb"[^\r\n]+")


@dataclass(frozen=True)
class Text:
    """A table of text.

    Parameters
    ----------
    data : bytes
        The whole file, in an encoding that extends ASCII.
    header : tuple of str
        Names of the columns.
    start : int
        Position in `data` at which the rows begin.
    mark : str
        What separates the cells.
    """

    data: bytes
    header: tuple[str, ...]
    start: int
    mark: str


def as_utf8(data: bytes) -> bytes:
    """Convert text from UTF-16 to UTF-8; return other data unchanged.

    Half a character at the end is left out, since `data` may be the beginning of a file.
    """
    if not data.startswith(UTF16):
        return data
    decoder = codecs.getincrementaldecoder("utf-16")(errors="replace")
    return decoder.decode(data).encode()


def find_table(data: bytes, columns: Mapping[str, str] | None = None) -> Text | None:
    """Find the header of a table of text, or the line most like one.

    The header is the first line with the columns of a run, for any of the marks. If there is none,
    it is the first line with two of the three columns, otherwise the first with several cells.

    Parameters
    ----------
    data : bytes
        The file or its beginning, as from :func:`as_utf8`.
    columns : mapping, optional
        Names of the columns, see :func:`gale.read_run`.

    Returns
    -------
    Text or None
        None if no line has several cells.
    """
    best, most = None, 0
    for found in possible_tables(data):
        n_roles = count_roles(found.header, columns)
        if n_roles == N_COLUMNS:
            return with_units(found, columns)
        if found.mark != BLANK and (best is None or n_roles > max(most, 1)):
            best, most = found, n_roles
    return best


def possible_tables(data: bytes) -> Iterator[Text]:
    """Yield a table for each line that may be the header and each mark that may separate cells.

    Pass the right one to :func:`with_units` before its rows are read.
    """
    for line in _first_lines(data):
        for mark in MARKS:
            if mark.encode() in line[0]:
                yield Text(data, _cells(line[0], mark), line.end(), mark)
        yield Text(data, tuple(_decode(line[0]).split()), line.end(), BLANK)


def _first_lines(data: bytes) -> Iterator[re.Match[bytes]]:
    """Yield the lines that may be the header."""
    for number, line in enumerate(_LINE.finditer(data)):
        if number > MAX_PREAMBLE or line.start() > HEADER_WITHIN:
            return
        if line.end() - line.start() <= MAX_HEADER:
            yield line


def _decode(line: bytes) -> str:
    """Decode a line in UTF-8, or otherwise in Latin-1, without the mark of a comment."""
    try:
        text = line.decode("utf-8-sig")
    except UnicodeDecodeError:
        text = line.decode("latin-1")
    return text.lstrip("# ") if text.startswith("#") else text


def _cells(line: bytes, mark: str) -> tuple[str, ...]:
    try:
        cells = next(csv.reader([_decode(line)], delimiter=mark, skipinitialspace=True), [])
    except csv.Error:  # an endless cell
        return ()
    return tuple(cell.strip() for cell in cells)


def with_units(text: Text, columns: Mapping[str, str] | None = None) -> Text:
    """Add the units in a row below the header, if there is one, to the names."""
    text = _blanks_as_tabs(text) if text.mark == BLANK else text
    row = _LINE.search(text.data, text.start)
    if row is None or row.end() > text.start + 1000 * len(text.header):
        return text
    units = _cells(row[0], text.mark)
    is_unit_row = (
        len(units) == len(text.header)
        and any(unit.strip("()[]").casefold() in TIME_UNITS for unit in units)
        and not any(character.isdigit() for unit in units for character in unit)
    )
    if not is_unit_row:
        return text
    callers = {name.casefold() for name in (columns or {}).values()}
    header = tuple(
        name
        if name.casefold() in callers or not unit or meaning(name) is None
        else f"{name} ({unit.strip('()[]')})"
        for name, unit in zip(text.header, units, strict=True)
    )
    return replace(text, header=header, start=row.end())


def _blanks_as_tabs(text: Text) -> Text:
    """Convert a table whose cells are separated by one or more blanks to one with tabs."""
    rows = text.data[text.start :].replace(b" ", b"\t")
    while b"\t\t" in rows:
        rows = rows.replace(b"\t\t", b"\t")
    for end in (b"\n", b"\r"):
        rows = rows.replace(b"\t" + end, end).replace(end + b"\t", end)
    return replace(text, data=text.data[: text.start] + rows.strip(b"\t"), mark="\t")
