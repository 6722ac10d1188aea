"""Both layouts of predictions, the sidecar, and everything that is neither."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest

from gale.errors import TableError
from gale.evaluation.predictions import Predictions, read_predictions, sidecar
from helpers.errors import check_error, refused

TABLE = """\
run,status,message,alcohol,mineral,alcohol_spread,mineral_spread
data/S1.csv,ok,,0.25,1,0.1,0.2
S2,failed,"no scans, none",,,,
S3,ok,2 ions were dropped,0,1e-3,0.1,0.2
"""
SUBMISSION = "sample_id,alcohol,mineral\nS1,0.25,0.5\nS2,0.125,0\n"


def written(path: Path, text: str) -> Path:
    path.write_text(text, encoding="utf-8")
    return path


def test_a_table(tmp_path: Path) -> None:
    path = written(tmp_path / "p.csv", TABLE)
    found = read_predictions(path)
    assert found.source == str(path)
    assert found.runs == ("data/S1.csv", "S2", "S3")
    assert found.families == ("alcohol", "mineral")
    np.testing.assert_array_equal(found.probability, [[0.25, 1], [np.nan, np.nan], [0, 1e-3]])
    assert found.failed == {"S2": "no scans, none"}
    assert found.prevalence is None


def test_a_table_without_spreads(tmp_path: Path) -> None:
    path = written(tmp_path / "p.csv", "run,status,message,alcohol\nS1,ok,,0.5\n")
    assert read_predictions(path).probability.tolist() == [[0.5]]


def test_a_table_with_unlike(tmp_path: Path) -> None:
    """It is skipped, whatever it holds, as spreads are, from files and from frames."""
    text = TABLE.replace("message,", "message,unlike,").replace("ok,,", "ok,,1.5,")
    text = text.replace('none",', 'none",,').replace("dropped,", "dropped,,")
    found = read_predictions(written(tmp_path / "p.csv", text))
    expected = read_predictions(written(tmp_path / "without.csv", TABLE))
    assert found.families == expected.families
    assert found.failed == expected.failed
    np.testing.assert_array_equal(found.probability, expected.probability)
    from_frame = Predictions.from_frame(pl.read_csv(tmp_path / "p.csv"))
    assert from_frame.families == expected.families
    np.testing.assert_array_equal(from_frame.probability, expected.probability)


def test_a_table_saved_with_decimal_commas(tmp_path: Path) -> None:
    text = "run;status;message;alcohol\na;ok;1,5 min lost;0,8\nb;ok;;1\n"
    read = read_predictions(written(tmp_path / "a.csv", text))
    assert read.probability.tolist() == [[0.8], [1.0]]


def test_a_submission(tmp_path: Path) -> None:
    found = read_predictions(str(written(tmp_path / "p.csv", SUBMISSION)))
    assert found.runs == ("S1", "S2")
    assert found.probability.tolist() == [[0.25, 0.5], [0.125, 0]]
    assert found.failed == {}


def test_a_table_in_which_every_run_failed(tmp_path: Path) -> None:
    found = read_predictions(
        written(tmp_path / "p.csv", "run,status,message,alcohol\nS1,failed,why,\n")
    )
    assert np.isnan(found.probability).all()


def test_the_sidecar_gives_the_prevalence(tmp_path: Path) -> None:
    facts = {"families": ["mineral", "alcohol"], "prevalence": [0.5, 0], "model": "m.onnx"}
    written(tmp_path / "p.json", json.dumps(facts))
    found = read_predictions(written(tmp_path / "p.csv", SUBMISSION))
    assert found.prevalence == {"mineral": 0.5, "alcohol": 0.0}


def test_a_column_that_is_no_family_is_refused(tmp_path: Path) -> None:
    """In a file if its sidecar names the families, in a table by its spreads or its values."""
    facts = {"families": ["alcohol", "mineral"], "prevalence": [0.5, 0]}
    written(tmp_path / "p.json", json.dumps(facts))
    more = SUBMISSION.replace("mineral", "mineral,batch_number").replace("\n", ",1\n")
    more = more.replace("batch_number,1", "batch_number")
    path = written(tmp_path / "p.csv", more)
    with refused(TableError, f"{path}: row 1", found="batch_number", expected="p.json"):
        read_predictions(path)
    frame = pl.DataFrame({"run": ["a"], "status": ["ok"], "message": [""], "alcohol": [0.5]})
    of_spread = frame.with_columns(alcohol_spread=0.1, batch_number=1)
    for table in (of_spread, frame.with_columns(batch_number=3)):
        with refused(TableError, "predictions", found="batch_number", remedy="drop"):
            Predictions.from_frame(table)


def test_a_sidecar_of_another_table_is_refused(tmp_path: Path) -> None:
    path = written(tmp_path / "p.csv", SUBMISSION)
    facts = {
        "families": ["mineral", "alcohol"],
        "prevalence": [0.5, 0],
        "model_sha256": "ab",
        "table_sha256": hashlib.sha256(path.read_bytes()).hexdigest(),
    }
    written(tmp_path / "p.json", json.dumps(facts))
    assert read_predictions(path).model_sha256 == "ab"
    written(path, SUBMISSION.replace("0.25", "0.5"))
    with refused(TableError, tmp_path / "p.json", found="p.csv", remedy="predict again"):
        read_predictions(path)


@pytest.mark.parametrize(
    ("name", "expected"),
    [("p.csv", "p.json"), ("m.1", "m.1.json"), ("m.2", "m.2.json"), ("p", "p.json")],
)
def test_the_name_of_the_sidecar(name: str, expected: str) -> None:
    assert sidecar(Path("a.csv") / name) == Path("a.csv") / expected


TWICE = "run,status,message,a,b,a_spread\nS1,ok,,0.1,0.1,0.1\n"


@pytest.mark.parametrize(
    ("text", "place", "facts"),
    [
        (TABLE.replace("0.25", "high"), "row 2, column alcohol", {"found": "'high'"}),
        (TABLE.replace("0.25", "1.25"), "row 2, column alcohol", {"found": "'1.25'"}),
        (TABLE.replace("0.25", "-0.1"), "row 2, column alcohol", {"found": "'-0.1'"}),
        (TABLE.replace("0.25", "nan"), "row 2, column alcohol", {"found": "'nan'"}),
        (TABLE.replace("1e-3", ""), "row 4, column mineral", {"found": "''"}),
        (
            TABLE.replace('none",,', 'none",,0.5'),
            "row 3, column mineral",
            {"found": "'0.5'", "expected": "blank"},
        ),
        (TABLE.replace("S3", "S2"), "row 4, column run", {"found": ["'S2'", "row 3"]}),
        (TABLE.replace("S3", ""), "row 4, column run", {"found": "blank"}),
        (
            TABLE.replace("failed", "bad"),
            "row 3, column status",
            {"found": "'bad'", "expected": ["ok", "failed"]},
        ),
        (
            TABLE.replace("status", "state"),
            "row 1",
            {"found": "state", "expected": ["run,status,message", "sample_id"]},
        ),
        (TABLE.replace("alcohol_spread", "mineral_spread", 1), "row 1, column mineral_spread", {}),
        (
            TABLE.replace("alcohol_spread,mineral_spread", "mineral_spread,alcohol_spread"),
            "row 1",
            {"found": "mineral_spread,alcohol_spread"},
        ),
        (TWICE, "row 1", {"found": "a_spread"}),
        ("run,status,message\nS1,ok,\n", "row 1", {"found": "famil"}),
        (SUBMISSION.replace("S2", "S1"), "row 3, column sample_id", {"found": ["'S1'", "row 2"]}),
        (SUBMISSION.replace("0.125", "?"), "row 3, column alcohol", {"found": "'?'"}),
        (SUBMISSION.replace("mineral", "alcohol"), "row 1, column alcohol", {}),
        (
            SUBMISSION.replace(",", ":"),
            "row 1",
            {"found": "sample_id:alcohol", "expected": "sample_id"},
        ),
        (SUBMISSION.replace(",0.5", ""), "row 2", {"found": "2 cells", "expected": "3"}),
        ("sample_id,alcohol\n", "", {"found": "row"}),
        ("", "row 1", {"found": "header"}),
    ],
)
def test_anything_else_is_refused(
    tmp_path: Path, text: str, place: str, facts: dict[str, Any]
) -> None:
    path = written(tmp_path / "p.csv", text)
    source = f"{path}: {place}" if place else path
    with pytest.raises(TableError) as caught:
        read_predictions(path)
    (problem,) = [
        each
        for each in caught.value.problems or (caught.value,)
        if isinstance(each, TableError) and each.source == str(source)
    ]
    check_error(problem, source, found=facts.get("found", ()), expected=facts.get("expected", ()))


def test_a_missing_file(tmp_path: Path) -> None:
    with refused(TableError, tmp_path / "nowhere.csv", expected="CSV"):
        read_predictions(tmp_path / "nowhere.csv")


@pytest.mark.parametrize(
    "text",
    [
        "{",
        "[1]",
        '{"scores": 1}',
        '{"families": ["alcohol"], "prevalence": [0.1, 0.2]}',
        '{"families": ["alcohol"], "prevalence": [null]}',
        '{"families": ["alcohol"], "prevalence": [1.5]}',
        '{"families": ["alcohol"], "prevalence": [NaN]}',
        '{"families": [["alcohol"]], "prevalence": [0.5]}',
    ],
)
def test_a_file_that_is_no_sidecar_is_refused(tmp_path: Path, text: str) -> None:
    with refused(TableError, written(tmp_path / "p.json", text), remedy="move the file away"):
        read_predictions(written(tmp_path / "p.csv", SUBMISSION))
