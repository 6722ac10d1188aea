"""Retention indices from tables of times."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from gale.errors import TableError
from gale.evidence import IndexTable


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
    ("text", "message"),
    [
        ("time_min,ri\n1,800\n", "column index is missing; found time_min, ri; expected time_min"),
        ("time_min,index\n1,800\n", "has 1 rows; expected two or more"),
        ("time_min,index\n1,800\n1,900\n", "that increase in both time_min and index"),
        ("time_min,index\n1,800\n2,700\n", "that increase in both"),
        ("time_min,index\n1,800\n2,\n", "of numbers that increase"),
        ("time_min,index\n1,C8\n", "cannot be read as a table of retention indices"),
        ("", "cannot be read as a table of retention indices"),
    ],
)
def test_what_is_wrong_with_a_table(text: str, message: str, tmp_path: Path) -> None:
    with pytest.raises(TableError, match=message) as raised:
        IndexTable.read(written(tmp_path, text))
    assert "alkanes.csv" in str(raised.value)
    assert "\n" not in str(raised.value)


def test_a_table_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(TableError, match=r"no\.csv: cannot be read"):
        IndexTable.read(tmp_path / "no.csv")
