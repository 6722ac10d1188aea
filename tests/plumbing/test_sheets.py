"""Parquet files and workbooks are read as the CSV file of the same table is."""

from __future__ import annotations

import io
import zipfile
from pathlib import Path

import polars as pl
import pytest

import gale
from gale.errors import TableError
from gale.plumbing.frames import frame_bytes
from gale.plumbing.sheets import SheetError, is_sheet, sheet_rows
from gale.plumbing.tables import Problems, read_table
from helpers.errors import refused

FRAME = pl.DataFrame(
    {
        "run": ["a.csv", "b & <c>.csv", "Ä"],
        "n": [0.25, None, 1e-7],
        "yes": [True, False, None],
        "note": [None, " two  spaces", "x"],
    }
)


def rows(data: bytes) -> list[list[str]]:
    return sheet_rows(data, 100)


@pytest.mark.parametrize("suffix", [".parquet", ".xlsx"])
def test_what_is_written_is_read(suffix: str, tmp_path: Path) -> None:
    data = frame_bytes(FRAME, suffix)
    assert is_sheet(data)
    head, *others = rows(data)
    assert head == FRAME.columns
    assert [row[0] for row in others] == FRAME["run"].to_list()
    assert [float(row[1] or "nan") for row in others] == pytest.approx(
        [0.25, float("nan"), 1e-7], nan_ok=True
    )
    assert [row[2].lower() for row in others] == ["true", "false", ""]
    assert [row[3] for row in others] == ["", " two  spaces", "x"]
    (tmp_path / "t").write_bytes(data)  # whatever its name
    problems = Problems(TableError)
    table = read_table(tmp_path / "t", problems)
    problems.check()
    assert table is not None
    assert table.rows[3][0] == "b & <c>.csv"


def archive(**parts: str) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as file:
        for name, text in parts.items():
            path = {"sheet": "xl/worksheets/sheet1.xml", "strings": "xl/sharedStrings.xml"}
            file.writestr(path.get(name, name), text)
    return buffer.getvalue()


def sheet(cells: str) -> str:
    space = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
    return f'<worksheet xmlns="{space}"><sheetData><row>{cells}</row></sheetData></worksheet>'


def test_cells_of_other_software() -> None:
    cells = '<c r="A1" t="inlineStr"><is><t>a</t><t>b</t></is></c><c r="C1"><v>2</v></c>'
    assert rows(archive(sheet=sheet(cells + '<c r="AB1" t="str"><v>x</v></c>'))) == [
        ["ab", "", "2", *[""] * 24, "x"]
    ]


DAMAGED = {
    "cut workbook": frame_bytes(FRAME, ".xlsx")[:-30],
    "cut parquet": frame_bytes(FRAME, ".parquet")[:-9],
    "an archive": archive(other="x"),
    "no XML": archive(sheet="<worksheet"),
    "a text that is not there": archive(sheet=sheet('<c t="s"><v>7</v></c>')),
    "entities": archive(sheet="<!DOCTYPE x [<!ENTITY a 'b'>]><worksheet/>"),
    "lists": frame_bytes(pl.DataFrame({"a": [[1], [2]]}), ".parquet"),
    "too many cells": frame_bytes(pl.DataFrame({"a": range(101)}), ".parquet"),
    "too many cells of a sheet": frame_bytes(pl.DataFrame({"a": range(101)}), ".xlsx"),
}


@pytest.mark.parametrize("what", DAMAGED)
def test_what_is_no_table(what: str, tmp_path: Path) -> None:
    with pytest.raises(SheetError):
        rows(DAMAGED[what])
    if "too many" not in what:
        (tmp_path / "p.parquet").write_bytes(DAMAGED[what])
        with refused(TableError, tmp_path / "p.parquet"):
            gale.read_predictions(tmp_path / "p.parquet")
