"""Retention indices from tables of times."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import polars as pl
import pytest

from gale.errors import TableError
from gale.matching import IndexTable
from gale.run import Run
from helpers.errors import Facts, refused
from helpers.tables import LIBRARIES


def written(folder: Path, text: str) -> Path:
    path = folder / "alkanes.csv"
    path.write_text(text, "utf-8")
    return path


def test_between_two_times_the_index_is_linear(tmp_path: Path) -> None:
    table = IndexTable.read(written(tmp_path, "name,index,time_min\na,800,2\nb,900,4\nc,1000,9\n"))
    assert [table.at(time) for time in (2, 3, 4, 6.5, 9)] == [800, 850, 900, 950, 1000]
    assert np.isnan(table.at(1.99))
    assert np.isnan(table.at(9.01))


@pytest.mark.parametrize(
    ("text", "place", "facts"),
    [
        ("time_min,c\n1,800\n", "", {"found": ["index", "time_min, c"], "expected": "time_min"}),
        ("RT,Carbon_Number\n253,8\n", "", {"found": ["index", "Carbon_Number"]}),
        ("RT,time_s,RI\n4,240,8\n", "", {"found": "several columns, RT, time_s"}),
        ("time_min,index\n1,800\n", "", {"found": "1 row"}),
        ("time_min,index\n1,800\n1,900\n", "row 3", {"found": ["time_min 1 ", "900"]}),
        ("time_min,index\n1,800\n2,700\n3,900\n", "row 3", {"found": "index 700"}),
        ("time_min,index\n1,800\n2,\n3,900\n", "row 2 (line 3)", {"found": "blank"}),
        ("time_min,index\n1,800\n2,nan\n3,900\n", "row 3", {"found": "index nan"}),
        ("time_min,index\n1,C8\n", "row 1 (line 2)", {"found": "C8", "expected": "number"}),
        ("", "", {"found": "empty", "expected": "CSV"}),
        (
            "time_min,index\n253.92,800\n380.46,900\n",
            "column time_min",
            {"found": "380 min", "expected": "300 min", "remedy": "time_s"},
        ),
        (
            "RT;RI\n4,31;8\n6,02;9\n",
            "column RI",
            {"found": "index 8", "expected": "800 for n-octane", "remedy": "multiply"},
        ),
    ],
)
def test_what_is_wrong_with_a_table(
    text: str, place: str, facts: dict[str, Facts], tmp_path: Path
) -> None:
    path = written(tmp_path, text)
    with pytest.raises(TableError) as caught:
        IndexTable.read(path)
    assert caught.value.source.startswith(f"{path}: {place}" if place else str(path))
    with refused(TableError, caught.value.source, **facts):
        IndexTable.read(path)


TEXT = "time_min,index\n4.31,800\n6.02,900\n7.55,1000\n"


@pytest.mark.parametrize(
    "data",
    [
        TEXT,
        TEXT.replace(",", ";").replace(".", ","),
        TEXT.replace(",", "\t"),
        TEXT.replace(",", " "),
        TEXT.replace("time_min,index", "RT (min),RI"),
        TEXT.replace("time_min,index", "Time,Retention Index"),
        "column: DB-5\n" + TEXT.replace("\n", "\r\n"),
        "RT,time_min,index\n9,4.31,800\n9,6.02,900\n9,7.55,1000\n",
        "compound,RT (s),index\na,258.6,800\nb,361.2,900\nc,453,1000\n",
        "time,index\nmin,\n4.31,800\n6.02,900\n7.55,1000\n",
    ],
)
@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16"])
def test_dialects(data: str, encoding: str, tmp_path: Path) -> None:
    path = tmp_path / "alkanes.csv"
    path.write_bytes(data.encode(encoding))
    table = IndexTable.read(path)
    np.testing.assert_allclose(table.time_min, [4.31, 6.02, 7.55])
    assert table.index.tolist() == [800, 900, 1000]
    assert table.source == str(path)


@pytest.mark.parametrize(
    ("times", "noted"),
    [([4, 5], False), ([2, 9], False), ([2, 3.5], False), ([60, 90], True), ([1, 2], True)],
)
def test_a_table_outside_a_run_is_noted(times: list[float], noted: bool) -> None:
    run = Run.from_scans([3.0, 6.0], [1, 1], [50.0, 60.0], [7.0, 8.0], source="run.csv")
    table = IndexTable(np.array(times, dtype=np.float64), np.array([800.0, 900.0]), "alkanes.csv")
    notes = list(table.note_outside(run))
    assert bool(notes) == noted
    if noted:
        assert notes[0].startswith("alkanes.csv: none of its times")
        assert "run.csv" in notes[0]


def test_a_table_that_is_not_there(tmp_path: Path) -> None:
    with refused(TableError, tmp_path / "no.csv", found="No such file", expected="CSV"):
        IndexTable.read(tmp_path / "no.csv")


@pytest.mark.parametrize("library", LIBRARIES)
def test_a_table_in_memory(library: str) -> None:
    frame = pl.DataFrame({"RT (s)": [120.0, 240.0, 540.0], "RI": [800, 900, 1000]})
    table = IndexTable.read(LIBRARIES[library](frame))
    assert (table.time_min.tolist(), table.index.tolist()) == ([2, 4, 9], [800, 900, 1000])
    with refused(TableError, "table", found="index"):
        IndexTable.read(LIBRARIES[library](frame.rename({"RI": "x"})))
