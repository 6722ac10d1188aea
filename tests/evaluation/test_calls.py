"""Calls in tables of predictions: how they are read, and how good they are."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import polars as pl
import pytest

from gale.campaign.labels import LabelTable
from gale.errors import TableError
from gale.evaluation import evaluate
from gale.evaluation.calls import Calls
from gale.evaluation.cutoffs import share
from gale.evaluation.predictions import Predictions, read_predictions
from gale.evaluation.text import evaluation_text, share_text
from helpers.errors import refused

nan = float("nan")
TABLE = """\
run,status,message,alcohol,mineral,alcohol_spread,mineral_spread,alcohol_call,mineral_call
S1,ok,,0.7,0.2,0.1,0.2,yes,
S2,failed,no scans,,,,,,
S3,ok,,0.3,0.6,0.1,0.2,no,
S4,ok,,0.8,0.6,0.1,0.2,yes,
S5,doubtful,far,0.8,0.6,0.1,0.2,,
"""
CALLS = [[1, nan], [nan, nan], [0, nan], [1, nan], [nan, nan]]
LABELS = LabelTable(
    ("S1", "S2", "S3", "S4", "S5"),
    ("mineral", "alcohol"),
    np.array([[1, 1], [0, 1], [0, 1], [0, 0], [0, 1]], dtype=np.float32),
)


def read(tmp_path: Path, text: str) -> Predictions:
    path = tmp_path / "p.csv"
    path.write_text(text, "utf-8")
    return read_predictions(path)


@pytest.mark.parametrize("spreads", [True, False])
def test_calls_are_read_from_files_and_frames(tmp_path: Path, spreads: bool) -> None:
    frame = pl.read_csv(TABLE.encode(), schema_overrides={"mineral_call": pl.String})
    if not spreads:
        frame = frame.drop("alcohol_spread", "mineral_spread")
    found = [read(tmp_path, frame.write_csv()), Predictions.from_frame(frame)]
    for each in found:
        assert each.families == ("alcohol", "mineral")
        assert each.calls is not None
        np.testing.assert_array_equal(each.calls, CALLS)
        np.testing.assert_array_equal(each.probability[0], [0.7, 0.2])


def test_a_table_without_calls_has_none(tmp_path: Path) -> None:
    lines = [line.rsplit(",", 2)[0] for line in TABLE.splitlines()]
    assert read(tmp_path, "\n".join(lines)).calls is None


@pytest.mark.parametrize(
    ("old", "new", "found"),
    [
        (",yes,", ",maybe,", "found 'maybe'"),
        ("alcohol_call,mineral_call", "mineral_call,alcohol_call", "among the families"),
        ("mineral_call", "sulfur_call", "among the families"),
    ],
)
def test_other_calls_are_refused(tmp_path: Path, old: str, new: str, found: str) -> None:
    with pytest.raises(TableError, match=found):
        read(tmp_path, TABLE.replace(old, new, 1))


def test_other_calls_in_frames_are_refused() -> None:
    frame = pl.read_csv(TABLE.encode()).with_columns(alcohol_call=pl.lit(1))
    with refused(TableError, "predictions", found="alcohol_call"):
        Predictions.from_frame(frame)


def test_runs_without_a_call_or_a_label_do_not_count() -> None:
    labels = np.array([[1.0], [0], [1], [1], [nan], [0]])
    calls = np.array([[1.0], [1], [0], [nan], [1], [0]])
    (row,) = Calls.of(labels, calls, ("a",)).to_dicts()
    assert row == {
        "family": "a",
        "yes": 2,
        "found": 1,
        "positive": 2,
        "blank": 1,
        "precision": share(1, 2),
        "recall": share(1, 2),
    }


@pytest.mark.filterwarnings("ignore::gale.errors.GaleWarning")
def test_calls_are_evaluated_where_there_are_any(tmp_path: Path) -> None:
    prevalence = {"alcohol": 0.5, "mineral": 0.5}
    found = evaluate(read(tmp_path, TABLE), LABELS, prevalence=prevalence, resamples=5)
    assert found.calls is not None
    mineral, alcohol = found.to_dict()["calls"]
    assert (mineral["family"], mineral["precision"], mineral["blank"]) == ("mineral", None, 4)
    counts = [alcohol[name] for name in ("yes", "found", "positive", "blank")]
    assert counts == [2, 1, 2, 1]
    text = evaluation_text([found], [], [Path("labels.csv")])
    (line,) = [line for line in text.splitlines() if line.split()[:2] == ["alcohol", "2"]]
    assert line.count(share_text(share(1, 2))) == 2
    assert "Wilson" in text
    without = Predictions(
        "p", LABELS.runs, ("alcohol", "mineral"), np.full((5, 2), 0.5), model_sha256=None
    )
    plain = evaluate(without, LABELS, prevalence=prevalence, resamples=5)
    assert "calls" not in plain.to_dict()
    assert "Wilson" not in evaluation_text([plain], [], [Path("labels.csv")])
