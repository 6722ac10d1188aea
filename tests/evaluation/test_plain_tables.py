"""Predictions and labels as tables of any library."""

from __future__ import annotations

import numpy as np
import polars as pl
import pytest

import gale
from gale.errors import TableError
from gale.model.cutoffs import Cutoffs
from helpers.errors import Facts, refused
from helpers.tables import LIBRARIES, in_pandas

PREDICTIONS = pl.DataFrame(
    {"run": ["a", "b", "c"], "alcohol": [0.9, 0.2, 0.4], "acid": [0.1, 0.5, None]}
)
LABELS = pl.DataFrame({"run": ["c", "b", "a"], "alcohol": [1, 0, None], "acid": [None, 1, 0]})
PREVALENCE = {"alcohol": 0.5, "acid": 0.5}


@pytest.mark.parametrize("library", LIBRARIES)
def test_tables_of_any_library_give_the_same_scores(library: str) -> None:
    def scored(predictions: object, labels: object) -> object:
        return gale.evaluate(predictions, labels, prevalence=PREVALENCE).to_dict()  # type: ignore[arg-type]

    of_library = LIBRARIES[library]
    assert scored(of_library(PREDICTIONS), of_library(LABELS)) == scored(PREDICTIONS, LABELS)


def test_the_log_loss_is_that_of_the_known_labels() -> None:
    found = gale.evaluate(PREDICTIONS, LABELS, prevalence=PREVALENCE)
    of_alcohol, of_acid = (-np.log(right).mean() for right in ([0.8, 0.4], [0.5, 0.9]))
    assert found.scores.mean["log_loss"].value == pytest.approx((of_alcohol + of_acid) / 2)


def test_the_repr_is_one_line() -> None:
    shown = repr(gale.evaluate(PREDICTIONS, LABELS, prevalence=PREVALENCE))
    assert shown.startswith("<Evaluation predictions: 3 runs, 2 families, log loss 0.")
    assert len(shown) < 120


@pytest.mark.parametrize("library", LIBRARIES)
def test_a_whole_table_of_predictions_keeps_what_it_says(library: str) -> None:
    table = PREDICTIONS.with_columns(
        status=pl.Series(["ok", "doubtful", "failed"]), message=pl.Series([None, None, "no scans"])
    )
    read = gale.read_predictions(LIBRARIES[library](table))
    assert (read.runs, dict(read.failed)) == (("a", "b", "c"), {"c": "no scans"})
    cutoffs = Cutoffs("mine", {"alcohol": 0.4, "acid": None}, {})
    called = cutoffs.call(LIBRARIES[library](table))
    assert called["alcohol_call"].to_list() == ["yes", None, "yes"]


@pytest.mark.parametrize(
    ("table", "source", "fact"),
    [
        (PREDICTIONS.drop("run"), "predictions", "no column of runs"),
        (PREDICTIONS.with_columns(sample_id=pl.lit("x")), "predictions", "several columns"),
        (PREDICTIONS.with_columns(run=pl.lit("a")), "predictions: row 0", "'a'"),
        (PREDICTIONS.with_columns(run=pl.lit(None)), "predictions: row 0", "no name"),
        (PREDICTIONS.with_columns(run=pl.lit(0.5)), "predictions", "Float64"),
        (PREDICTIONS.with_columns(status=pl.lit("fine")), "predictions", "'fine'"),
        (PREDICTIONS.with_columns(acid=pl.lit(1.5)), "predictions", "'acid'"),
    ],
)
def test_other_tables_are_refused(table: pl.DataFrame, source: str, fact: Facts) -> None:
    for each in (table, in_pandas(table)):
        with refused(TableError, source, found=fact):
            gale.evaluate(each, LABELS)


def test_what_calls_need() -> None:
    cutoffs = Cutoffs("mine", {"alcohol": 0.4}, {})
    with refused(TableError, "predictions", found="status"):
        cutoffs.call(PREDICTIONS)
