"""Predictions against labels: what is scored, what is not, and the baseline."""

from __future__ import annotations

import json
import math
import warnings
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from gale.campaign.labels import LabelTable
from gale.errors import GaleWarning, TableError
from gale.evaluation import Evaluation, compare, evaluate, read_label_tables, training_prevalence
from gale.evaluation.metrics import log_loss
from gale.evaluation.predictions import Predictions
from helpers.errors import Facts, refused

nan = float("nan")

silently = pytest.mark.filterwarnings("ignore::gale.errors.GaleWarning")
"""For tests of something other than what is warned of."""


def labels(**changes: Any) -> LabelTable:
    """Return labels of four runs, the last of which says nothing."""
    values = [[1, 0], [0, nan], [0, 1], [nan, nan]]
    fields = {
        "runs": ("S1", "S2", "S3", "S4"),
        "families": ("alcohol", "mineral"),
        "values": np.array(values, dtype=np.float32),
    }
    return LabelTable(**fields | changes)


def predictions(**changes: Any) -> Predictions:
    """Return predictions in another order, of other families too, and of runs without labels."""
    probability = [[0.1, 0.9, 0.3], [0.2, 0.8, 0.4], [nan, nan, nan], [0.5, 0.5, 0.5]]
    fields = {
        "source": "p.csv",
        "runs": ("data/S3.csv", "data/S1.csv", "data/S2.csv", "data/S9.csv"),
        "families": ("aromatic", "mineral", "alcohol"),
        "probability": np.array(probability),
        "failed": {"data/S2.csv": "no scans"},
    }
    return Predictions(**fields | changes)


def test_what_is_scored_and_what_is_not() -> None:
    with pytest.warns(GaleWarning) as given:
        found = evaluate(predictions(), labels(), resamples=20)
    assert found.source == "p.csv"
    assert found.runs == ("S1", "S3")
    assert found.families == ("alcohol", "mineral")
    assert found.labels.tolist() == [[1, 0], [0, 1]]
    assert found.probability.tolist() == [[0.4, 0.8], [0.3, 0.9]]
    assert found.missing == ()
    assert found.failed == {"S2": "no scans"}
    assert found.unlabelled == ("data/S9.csv",)
    assert found.extra_families == ("aromatic",)
    assert float(found.scores.mean["log_loss"].value) == pytest.approx(
        log_loss(found.labels, found.probability)
    )
    assert list(found.not_scored.values()) == [("S2",), ("data/S9.csv",), ("aromatic",)]
    said = [str(each.message) for each in given]
    assert all(each.startswith("p.csv: ") for each in said)
    for each, fact in zip(said, ("S2", "data/S9.csv", "aromatic", "prevalence="), strict=True):
        assert fact in each


def test_an_evaluation_of_everything_is_silent() -> None:
    everything = predictions(
        runs=("S1", "S2", "S3"), families=("alcohol", "mineral"), failed={},
        probability=np.full((3, 2), 0.5), prevalence={"alcohol": 0.5, "mineral": 0.5},
    )  # fmt: skip
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        found = evaluate(everything, labels(), resamples=20)
    assert found.not_scored == {}


@silently
def test_missing_runs_and_runs_without_a_known_label() -> None:
    read = predictions(
        runs=("S4", "S1"), probability=np.array([[0.1, 0.2, 0.3], [0.4, 0.5, 0.6]]), failed={}
    )
    found = evaluate(read, labels(), resamples=20)
    assert found.runs == ("S1",)
    assert found.missing == ("S2", "S3")
    assert found.unlabelled == ("S4",)


@silently
def test_the_baseline_is_the_prevalence_given_else_the_sidecar_else_the_labels() -> None:
    read = predictions(prevalence={"aromatic": 0.9, "mineral": 0.25, "alcohol": 0.125})
    given = evaluate(
        read, labels(), prevalence={"mineral": 0.75, "x": 2, "alcohol": 0.5}, resamples=20
    )
    assert (given.prevalence_from, given.prevalence.tolist()) == ("argument", [0.5, 0.75])
    sidecar = evaluate(read, labels(), resamples=20)
    assert (sidecar.prevalence_from, sidecar.prevalence.tolist()) == ("sidecar", [0.125, 0.25])
    own = evaluate(predictions(), labels(), resamples=20)
    assert (own.prevalence_from, own.prevalence.tolist()) == ("labels", [0.5, 0.5])

    expected = -(math.log(0.5 * 0.5) / 2 + math.log(0.75 * 0.25) / 2) / 2
    assert float(given.prior.mean["log_loss"].value) == pytest.approx(expected)
    difference = given.scores.mean["log_loss"].value - expected
    assert float(given.difference.value) == pytest.approx(float(difference))


def test_training_prevalence_is_of_the_known_labels_in_the_order_asked_for() -> None:
    found = training_prevalence(labels(), ["mineral", "alcohol"])
    assert found == {"mineral": 1 / 2, "alcohol": 1 / 3}
    blank = labels(values=np.full((4, 2), nan, dtype=np.float32))
    assert math.isnan(training_prevalence(blank, ["alcohol"])["alcohol"])
    with refused(TableError, "training labels", found="sulfur"):
        training_prevalence(labels(), ["sulfur"])


@silently
def test_a_family_of_which_nothing_is_known_needs_no_prevalence() -> None:
    values = np.array([[1, nan], [0, nan], [1, nan], [0, nan]], dtype=np.float32)
    found = evaluate(predictions(), labels(values=values), resamples=20)
    assert np.isnan(found.prevalence[1])
    assert math.isfinite(found.prior.mean["log_loss"].value)
    json.dumps(found.to_dict(), allow_nan=False)


@pytest.mark.parametrize(
    ("changes", "prevalence", "source", "found"),
    [
        ({"families": ("aromatic", "mineral", "x")}, None, "p.csv", "alcohol"),
        ({"runs": ("a", "b", "data/S2.csv", "c")}, None, "p.csv", ["a, b, data/S2.csv", "S1"]),
        (
            {"runs": ("a/S1.csv", "b/S1.csv", "S2", "S3"), "failed": {}},
            None,
            "p.csv",
            "a/S1.csv, b/S1.csv",
        ),
        ({"prevalence": {"alcohol": 0.5}}, None, "p.json", ["nan", "'mineral'"]),
        ({}, {"mineral": 0.5}, "prevalence", ["nan", "'alcohol'"]),
        ({}, {"alcohol": 0.5, "mineral": 1.5}, "prevalence", ["1.5", "'mineral'"]),
    ],
)
def test_what_cannot_be_evaluated_is_refused(
    changes: dict[str, Any], prevalence: dict[str, float] | None, source: str, found: Facts
) -> None:
    with refused(TableError, source, found=found):
        evaluate(predictions(**changes), labels(), prevalence=prevalence)


def test_labels_without_any_known_label_are_refused() -> None:
    blank = labels(values=np.full((4, 2), nan, dtype=np.float32))
    with refused(TableError, "p.csv", found="no run"):
        evaluate(predictions(), blank)


def evaluated(source: str, runs: tuple[str, ...], shift: float) -> Evaluation:
    random = np.random.default_rng(3)
    values = random.integers(0, 2, (30, 2)).astype(np.float32)
    truth = LabelTable(tuple(f"S{i}" for i in range(30)), ("alcohol", "mineral"), values)
    rows = [truth.runs.index(run) for run in runs]
    probability = 0.5 + (values[rows] - 0.5) * shift
    read = Predictions(source, runs, truth.families, probability.astype(np.float64))
    prevalence = dict.fromkeys(truth.families, 0.5)
    return evaluate(read, truth, prevalence=prevalence, resamples=50, seed=1)


@silently
def test_two_predictions_are_compared_on_the_runs_that_both_scored() -> None:
    first = evaluated("a", tuple(f"S{i}" for i in range(20)), 0.5)
    second = evaluated("b", tuple(f"S{i}" for i in reversed(range(10, 30))), 0.25)
    found = compare(first, second)
    assert (found.first, found.second, found.n_runs) == ("a", "b", 10)
    assert float(found.difference.value) == pytest.approx(math.log(0.625) - math.log(0.75))
    assert found.to_dict()["runs"] == 10

    other = evaluated("c", ("S29",), 0.5)
    with refused(TableError, "a and c"):
        compare(first, other)


@silently
def test_an_evaluation_as_json() -> None:
    plain = json.loads(json.dumps(evaluate(predictions(), labels()).to_dict(), allow_nan=False))
    assert plain["failed"] == {"S2": "no scans"}
    assert plain["scores"]["runs"] == 2
    assert plain["prior"]["prevalence"] == [0.5, 0.5]
    assert plain["log_loss_difference_to_prior"]["low"] is not None


def test_label_tables_are_read_as_one(tmp_path: Path) -> None:
    first, second = tmp_path / "train.csv", tmp_path / "val.csv"
    first.write_text("sample_id,alcohol,mineral\nS1,1,0\n", encoding="utf-8")
    second.write_text("run,mineral,alcohol\nS2,1,\n", encoding="utf-8")
    found = read_label_tables([first, second])
    assert (found.runs, found.families) == (("S1", "S2"), ("alcohol", "mineral"))
    np.testing.assert_array_equal(found.values, [[1, 0], [nan, 1]])

    with refused(TableError, f"{first}: row 2", found=["'S1'", str(first)]):
        read_label_tables([first, first])
    second.write_text("run,mineral\nS2,1\n", encoding="utf-8")
    with refused(TableError, second, found="mineral", expected=[str(first), "alcohol, mineral"]):
        read_label_tables([first, second])
