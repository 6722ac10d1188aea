"""What benchmarks share: tables, and results that are kept with what they were made of."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from benchmarks import results
from benchmarks.tables import number, percent, show


def test_tables_on_a_screen_and_in_a_document(capsys: pytest.CaptureFixture[str]) -> None:
    rows = [("", "found"), ("a long name", "1"), ("b", "")]
    show("Title", rows)
    assert capsys.readouterr().out == "\nTitle\n\n             found\na long name  1\nb\n"
    show("Title", iter(rows), markdown=True)
    assert capsys.readouterr().out.splitlines()[-4:] == [
        "|  | found |",
        "| --- | --- |",
        "| a long name | 1 |",
        "| b |  |",
    ]


def test_numbers() -> None:
    assert number(0.25, "{:.2f}") == "0.25"
    assert number(2.0, "{:+.1f}", [1.0, 3.0]) == "+2.0 ± 1.4"
    assert number(float("nan"), "{:.2f}", [1.0, 3.0]) == "-"
    assert percent([True, False, True, True]) == "75 %"
    assert percent(np.array([0.001, 0.002]), "{:.2f} %") == "0.15 %"
    assert percent([]) == "-"


def test_a_result_is_found_by_what_it_was_made_of(tmp_path: Path) -> None:
    file = tmp_path / "folder" / "result.json"
    assert results.find(file, {}) is None
    results.keep(file, {"seeds": (0, 1)}, [0.5])
    assert results.find(file, {"seeds": (0, 1)}) == [0.5]
    assert results.find(file, {"seeds": [0, 2]}) is None
    assert results.fingerprint({"a": 1, "b": 2}) == results.fingerprint({"b": 2, "a": 1})
    assert results.fingerprint({"a": 1}) != results.fingerprint({"a": 2})
