"""Tables as files: the name says how, texts stay texts, and other names are refused."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import zipfile
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import polars as pl
import pytest
from polars.testing import assert_frame_equal

from gale.errors import MissingExtraError, OutputError, TableError
from gale.plumbing import frames
from gale.plumbing.frames import (
    SUFFIXES,
    check_suffix,
    dataset_files,
    frame_of,
    pieces_of,
    write_frame,
    write_frames,
)
from helpers.commands import without
from helpers.errors import refused
from helpers.tables import LIBRARIES, in_pandas

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


KINDS = pl.DataFrame(
    {
        "text": ["a", None, "c"],
        "number": [0.5, None, 2.0],
        "whole": [1, 2, 3],
        "truth": [True, False, True],
    }
)


@pytest.mark.parametrize("library", LIBRARIES)
def test_a_table_of_any_library(library: str) -> None:
    assert_frame_equal(frame_of(LIBRARIES[library](KINDS), "t"), KINDS)


def test_what_pandas_alone_has() -> None:
    table = pd.DataFrame(
        {
            1: pd.array([1, None], dtype="Int64"),
            "kind": pd.Categorical(["a", "b"]),
            "mixed": np.array([1, 0.5], dtype=object),
        },
        index=pd.MultiIndex.from_tuples([("x", 1), ("y", 2)], names=["run", "day"]),
    )
    assert frame_of(table, "t").to_dict(as_series=False) == {
        "run": ["x", "y"], "day": [1, 2], "1": [1, None], "kind": ["a", "b"], "mixed": [1.0, 0.5],
    }  # fmt: skip
    kept = in_pandas(KINDS)
    assert frame_of(kept[kept["whole"] > 1], "t").rows() == KINDS[1:].rows()


@pytest.mark.parametrize(
    ("table", "fact"),
    [
        (pd.DataFrame({"a": [1]}, index=["run 1"]), "an index without a name"),
        (pd.DataFrame({"a": [1, "b"]}), "cannot be taken as a table"),
        (pd.DataFrame([[1, 2]], columns=["a", "a"]), "cannot be taken as a table"),
        (pd.Series([1]), "one column"),
        ([], "empty list"),
        ([KINDS, TABLE], "different columns"),
    ],
)
def test_what_is_no_table(table: Any, fact: str) -> None:
    with refused(TableError, "t", found=fact):
        frame_of(table, "t")


def test_base_install_takes_tables_without_pandas(tmp_path: Path) -> None:
    code = "import gale, polars as pl, sys; frame = pl.DataFrame({'time': [1, 2], 'mass': [1, 2], "
    code += "'intensity': [3, 4]}); print(gale.read_run(frame).n_scans, 'pandas' in sys.modules)"
    env = {**os.environ, **without(tmp_path, "pandas", "pyarrow")}
    done = subprocess.run([sys.executable, "-c", code], env=env, text=True, capture_output=True,
                          check=True)  # fmt: skip
    assert done.stdout.split() == ["2", "False"]


LONG = pl.concat(
    pl.DataFrame({"run": [f"{at}.csv", "=1+1"], "message": ["=1", None], "share": [at / 8, None]})
    for at in range(30)
)


def cut(table: pl.DataFrame, size: int) -> list[pl.DataFrame]:
    return [table[at : at + size] for at in range(0, max(len(table), 1), size)]


@pytest.fixture
def small(monkeypatch: pytest.MonkeyPatch) -> None:
    """Little is in memory at a time."""
    monkeypatch.setattr("gale.plumbing.frames.pieces_of.__defaults__", (25,))
    monkeypatch.setattr("gale.plumbing.frames.LARGE_WORKBOOK", 25)


@pytest.mark.parametrize("rows", [1, 3, 60, 100])
@pytest.mark.parametrize("size", [1, 7, 60])
def test_pieces(rows: int, size: int) -> None:
    pieces = list(pieces_of(cut(LONG, size), rows))
    assert [len(piece) for piece in pieces[:-1]] == [rows] * (len(pieces) - 1)
    assert_frame_equal(pl.concat(pieces), LONG)
    assert [len(piece) for piece in pieces_of([LONG[:0]], rows)] == [0]


@pytest.mark.parametrize("rows", [0, 20, 25, 50, 60])
@pytest.mark.usefixtures("small")
def test_a_table_in_pieces_is_the_same(rows: int, tmp_path: Path) -> None:
    table = LONG[:rows]
    for name in ("t.csv", "t.parquet", "t", "t.xlsx"):
        write_frames(cut(table, 7), tmp_path / name, texts=["message"])
    write_frame(table, tmp_path / "whole.csv", texts=["message"])
    assert (tmp_path / "t.csv").read_bytes() == (tmp_path / "whole.csv").read_bytes()
    assert_frame_equal(pl.read_parquet(tmp_path / "t.parquet"), table)
    files = dataset_files(tmp_path / "t")
    assert_frame_equal(pl.concat(map(pl.read_parquet, files)), table)
    assert len(files) == max(-(-rows // 25), 1)
    with zipfile.ZipFile(tmp_path / "t.xlsx") as book:
        sheet = book.read("xl/worksheets/sheet1.xml").decode()
        names = sheet + (
            book.read("xl/sharedStrings.xml").decode()
            if "xl/sharedStrings.xml" in book.namelist()
            else ""
        )
    assert len(re.findall("<row", sheet)) == rows + 1
    assert "<f>" not in sheet
    assert all(f">{run}<" in names for run in table["run"])
    found = [float(each) for each in re.findall(r"<v>(0\.\d+|[1-4]\.\d+)</v>", sheet)]
    assert found == [each for each in table["share"].drop_nulls() if each % 1]
    assert not [path for path in tmp_path.iterdir() if path.name.startswith(".")]


@pytest.mark.usefixtures("small")
def test_a_workbook_that_grows_too_long(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(frames, "MOST_ROWS", 40)
    with refused(OutputError, tmp_path / "t.xlsx", found="40", remedy=".parquet"):
        write_frames(cut(LONG, 7), tmp_path / "t.xlsx")
    assert not list(tmp_path.iterdir())


@pytest.mark.skipif(sys.platform == "win32", reason="no limits of files there")
@pytest.mark.usefixtures("small")
def test_a_disk_that_is_full_while_pieces_are_joined(tmp_path: Path) -> None:
    import resource
    import signal

    before, limits = signal.signal(signal.SIGXFSZ, signal.SIG_IGN), resource.RLIMIT_FSIZE
    try:
        resource.setrlimit(limits, (1350, resource.getrlimit(limits)[1]))
        with refused(OutputError, tmp_path / "t.parquet", found="File too large"):
            write_frames(cut(LONG, 7), tmp_path / "t.parquet")
    finally:
        resource.setrlimit(limits, (resource.RLIM_INFINITY, resource.getrlimit(limits)[1]))
        signal.signal(signal.SIGXFSZ, before)
    assert not list(tmp_path.iterdir())
