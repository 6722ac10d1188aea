"""Tables as files: the name says how, texts stay texts, and other names are refused."""

from __future__ import annotations

import re
import sys
import zipfile
from pathlib import Path

import polars as pl
import pytest
from polars.testing import assert_frame_equal

from gale.errors import MissingExtraError, OutputError
from gale.plumbing import frames
from gale.plumbing.frames import SUFFIXES, check_suffix, write_frame
from helpers.errors import refused

TABLE = pl.DataFrame(
    {
        "run": ["=1+1.csv", "b"],
        "message": ["=HYPERLINK(1)", None],
        "share": [0.25, None],
        "match": [1, None],
    }
)


@pytest.mark.parametrize("name", ["t.CSV", "t.csv", "t.parquet"])
def test_a_table_reads_back(name: str, tmp_path: Path) -> None:
    path = tmp_path / name
    write_frame(TABLE, path, texts=["message", "absent"])
    read = pl.read_parquet(path) if path.suffix == ".parquet" else pl.read_csv(path)
    message = "=HYPERLINK(1)" if path.suffix == ".parquet" else "'=HYPERLINK(1)"
    assert_frame_equal(read, TABLE.with_columns(message=pl.Series([message, None])))
    with refused(OutputError, path, found="exists"):
        write_frame(TABLE, path)


def test_a_workbook_has_texts_and_numbers_but_no_formulas(tmp_path: Path) -> None:
    path = tmp_path / "t.xlsx"
    write_frame(TABLE, path, texts=["message"])
    with zipfile.ZipFile(path) as book:
        sheet = book.read("xl/worksheets/sheet1.xml").decode()
        texts = re.findall(r"<t[^>]*>([^<]*)</t>", book.read("xl/sharedStrings.xml").decode())
    assert "<f>" not in sheet
    assert "<v>0.25</v>" in sheet
    assert {"run", "share", "=1+1.csv", "=HYPERLINK(1)"} <= set(texts)


@pytest.mark.parametrize("name", ["t", "t.txt", "t.xls", "t.csv.gz", ".csv"])
def test_other_names_are_refused(name: str, tmp_path: Path) -> None:
    with refused(OutputError, tmp_path / name, expected=", ".join(SUFFIXES[:-1])):
        write_frame(TABLE, tmp_path / name)
    assert not list(tmp_path.iterdir())


def test_a_workbook_needs_what_writes_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "xlsxwriter", None)
    check_suffix(Path("t.csv"))
    with refused(MissingExtraError, "t.xlsx", remedy="gale-ms[xlsx]"):
        check_suffix(Path("t.xlsx"))


def test_a_sheet_has_so_many_rows(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(frames, "MOST_ROWS", 1)
    with refused(OutputError, tmp_path / "t.xlsx", found="2 rows", remedy=".parquet"):
        write_frame(TABLE, tmp_path / "t.xlsx")
    write_frame(TABLE, tmp_path / "t.csv")
