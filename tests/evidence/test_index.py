"""Retention indices from tables of times."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from gale.errors import TableError
from gale.evidence import IndexTable
from helpers.errors import Facts, refused


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
        ("time_min,ri\n1,800\n", "", {"found": ["index", "time_min, ri"], "expected": "time_min"}),
        ("time_min,index\n1,800\n", "", {"found": "1 row"}),
        ("time_min,index\n1,800\n1,900\n", "row 3", {"found": ["time_min 1 ", "900"]}),
        ("time_min,index\n1,800\n2,700\n3,900\n", "row 3", {"found": "index 700"}),
        ("time_min,index\n1,800\n2,\n3,900\n", "row 3", {"found": "index nan"}),
        ("time_min,index\n1,C8\n", "", {"found": "C8", "expected": "CSV"}),
        ("", "", {"found": "empty", "expected": "CSV"}),
    ],
)
def test_what_is_wrong_with_a_table(
    text: str, place: str, facts: dict[str, Facts], tmp_path: Path
) -> None:
    path = written(tmp_path, text)
    with refused(TableError, f"{path}: {place}" if place else path, **facts):
        IndexTable.read(path)


def test_a_table_that_is_not_there(tmp_path: Path) -> None:
    with refused(TableError, tmp_path / "no.csv", found="No such file", expected="CSV"):
        IndexTable.read(tmp_path / "no.csv")
