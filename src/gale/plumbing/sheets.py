"""Tables of Parquet files and of workbooks as rows of texts, as a spreadsheet shows them."""

from __future__ import annotations

import io
import re
import zipfile
import zlib
from collections.abc import Mapping
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from lxml import etree

PARQUET, ZIP = b"PAR1", b"PK\x03\x04"
"""How these files begin."""

STRINGS, SHEET = "xl/sharedStrings.xml", re.compile(r"xl/worksheets/sheet\d+\.xml")

MAX_SHEET_BYTES = 2**28
"""Largest size to which the part of a workbook may unpack."""

_MAIN = "{http://schemas.openxmlformats.org/spreadsheetml/2006/main}"
_COLUMN = re.compile(r"[A-Z]{1,3}")
_BOOLEANS = {"1": "true", "0": "false"}


DAMAGED = (
    zipfile.BadZipFile, zlib.error, EOFError, OSError, NotImplementedError, RuntimeError,
    SyntaxError,
)  # fmt: skip
"""What the libraries raise of damaged archives, or encrypted ones, and of XML."""


class SheetError(ValueError):
    """A file that begins like such a table but cannot be read as one."""


def is_sheet(data: bytes) -> bool:
    """Whether these bytes begin like a Parquet file or a workbook."""
    return data.startswith((PARQUET, ZIP))


def sheet_rows(data: bytes, most_cells: int) -> list[list[str]]:
    """Read the header and the rows of a Parquet file, or of the first sheet of a workbook.

    Raises
    ------
    SheetError
        If it is damaged, or has more than `most_cells` cells.
    """
    read = _parquet if data.startswith(PARQUET) else _workbook
    try:
        return read(data, most_cells)
    except DAMAGED as error:
        raise SheetError(f"it is damaged: {error}") from error


def _parquet(data: bytes, most_cells: int) -> list[list[str]]:
    import polars as pl

    try:
        lazy = pl.scan_parquet(io.BytesIO(data))
        columns = lazy.collect_schema().names()
        _check_size(lazy.select(pl.len()).collect().item() * len(columns), most_cells)
        rows = lazy.select(pl.all().cast(pl.String)).collect().rows()
    except (pl.exceptions.PolarsError, pl.exceptions.PanicException) as error:
        raise SheetError(
            f"it is no table of plain columns: {str(error).splitlines()[0]}"
        ) from error
    return [columns, *(["" if cell is None else cell for cell in row] for row in rows)]


def _workbook(data: bytes, most_cells: int) -> list[list[str]]:
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        parts = {each.filename: each for each in archive.infolist()}
        sheets = sorted(name for name in parts if SHEET.fullmatch(name))
        if not sheets:
            raise SheetError("it is an archive, and no workbook")
        strings = _strings(_part(archive, parts, STRINGS)) if STRINGS in parts else []
        rows, n_cells = [], 0
        for row in _tree(_part(archive, parts, sheets[0])).iter(f"{_MAIN}row"):
            rows.append(_cells(row, strings))
            n_cells += len(rows[-1])
            _check_size(n_cells, most_cells)
    width = max(map(len, rows), default=0)
    return [row + [""] * (width - len(row)) for row in rows]


def _part(archive: zipfile.ZipFile, parts: Mapping[str, zipfile.ZipInfo], name: str) -> bytes:
    """Unpack a part, which declares no entities and is no bomb."""
    if parts[name].file_size > MAX_SHEET_BYTES:
        raise SheetError(f"its part {name} is too large")
    with archive.open(name) as file:
        content = file.read(MAX_SHEET_BYTES + 1)
    if len(content) > MAX_SHEET_BYTES or b"<!DOCTYPE" in content:
        raise SheetError(f"its part {name} is not of a workbook")
    return content


def _tree(content: bytes) -> etree._Element:
    from lxml import etree  # slow to import, and every verb imports this module

    parser = etree.XMLParser(resolve_entities=False, no_network=True, huge_tree=False)
    return etree.fromstring(content, parser)


def _strings(content: bytes) -> list[str]:
    items = _tree(content).iter(f"{_MAIN}si")
    return ["".join(text.text or "" for text in item.iter(f"{_MAIN}t")) for item in items]


def _cells(row: etree._Element, strings: list[str]) -> list[str]:
    """The texts of a row; cells that are left out are blank."""
    cells: list[str] = []
    for cell in row.iter(f"{_MAIN}c"):
        letters = _COLUMN.match(cell.get("r", ""))
        at = _number(letters[0]) if letters else len(cells)
        cells += [""] * (at - len(cells))
        cells.append(_text(cell, strings))
    return cells


def _number(letters: str) -> int:
    """Position of a column from 0: A, B, ..., Z, AA.

    Examples
    --------
    >>> _number("A"), _number("Z"), _number("AB")
    (0, 25, 27)
    """
    number = 0
    for letter in letters:
        number = 26 * number + ord(letter) - ord("A") + 1
    return number - 1


def _text(cell: etree._Element, strings: list[str]) -> str:
    kind, value = cell.get("t", "n"), cell.findtext(f"{_MAIN}v") or ""
    if kind == "s":
        if not value.isdecimal() or int(value) >= len(strings):
            raise SheetError("it refers to a text that it lacks")
        return strings[int(value)]
    if kind == "inlineStr":
        return "".join(text.text or "" for text in cell.iter(f"{_MAIN}t"))
    return _BOOLEANS.get(value, value) if kind == "b" else value


def _check_size(cells: int, most_cells: int) -> None:
    if cells > most_cells:
        raise SheetError(f"it has more than {most_cells:,} cells")
