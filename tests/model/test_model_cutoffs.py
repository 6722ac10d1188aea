"""Cut-offs of a model: what can be asked for, and the calls that follow."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest

import gale
from gale.errors import GaleError, GaleWarning, ModelError, TableError
from gale.evaluation.cutoffs import LEAST_RUNS, fit_cutoffs, threshold_of
from gale.evaluation.predictions import Predictions
from gale.model.cutoffs import Cutoffs, find_cutoffs, measured_cutoffs
from helpers.errors import refused
from helpers.model_files import facts_of, restated
from helpers.training import Trained

pytestmark = pytest.mark.filterwarnings("ignore::gale.errors.GaleWarning")

FAMILIES = ["good", "useless", "rare"]


@pytest.fixture(scope="module")
def facts() -> dict[str, Any]:
    """Of a model with a good family, one of which it knows nothing, and one of 3 runs."""
    random = np.random.default_rng(0)
    labels = (random.random((200, 3)) < [0.4, 0.3, 0.0]).astype(float)
    labels[:3, 2] = 1
    probability = random.random((200, 3))
    probability[:, 0] = np.clip(0.2 + 0.6 * labels[:, 0] + 0.15 * random.normal(size=200), 0, 1)
    parts = np.array_split(random.permutation(200), 5)
    return {"families": FAMILIES, "cutoffs": fit_cutoffs(labels, probability, parts)}


def test_any_aim_can_be_asked_for(facts: dict[str, Any]) -> None:
    found = {at: find_cutoffs(facts, at, "m") for at in ("recall=0.9", "recall = 0.5", "f1")}
    thresholds = [each.thresholds["good"] for each in found.values()]
    assert None not in thresholds
    assert thresholds[0] < thresholds[1]  # type: ignore[operator]
    assert found["recall=0.9"].at == "recall=0.9"
    assert found["recall = 0.5"].at == "recall=0.5"
    for each in found.values():
        assert each.thresholds["rare"] is None
        assert each.missing == {"rare": "no threshold: 3 positive runs"}


def test_families_without_a_threshold_are_named_by_the_reason(facts: dict[str, Any]) -> None:
    cutoffs = find_cutoffs(facts, "precision=0.9", "m")
    assert cutoffs.notes() == [
        "no calls of useless: no threshold: precision 0.9 is not reached",
        "no calls of rare: no threshold: 3 positive runs",
    ]
    assert find_cutoffs(facts, {"good": 0.5}, "m").notes() == [
        "no calls of useless, rare: no threshold in the mapping at"
    ]


OWN = """
good = 0.25
useless = { recall = 0.8 }
rare = "f1"
"""


def test_thresholds_of_ones_own(facts: dict[str, Any], tmp_path: Path) -> None:
    file = tmp_path / "own.toml"
    file.write_text(OWN, "utf-8")
    mapping: dict[str, Any] = {"good": 0.25, "useless": {"recall": 0.8}, "rare": "f1"}
    ways: list[Any] = [file, str(file), mapping]
    for at in ways:
        found = find_cutoffs(facts, at, "m")
        aim = find_cutoffs(facts, "recall=0.8", "m")
        assert found.thresholds == {
            "good": 0.25,
            "useless": aim.thresholds["useless"],
            "rare": None,
        }
        assert list(found.missing) == ["rare"]
    assert find_cutoffs(facts, {"good": 1}, "m").thresholds["good"] == 1.0


@pytest.mark.parametrize("at", ["precision", "precision=2", "own.csv", ""])
def test_what_cannot_be_asked_for(facts: dict[str, Any], at: str) -> None:
    with refused(GaleError, "at", found=repr(at), expected="precision=0.9"):
        find_cutoffs(facts, at, "m")


@pytest.mark.parametrize(
    "wish", [1.5, -0.1, True, "often", [0.5], {"recall": 2}, {}, {"recall": 0.5, "precision": 0.5}]
)
def test_wishes_that_are_none(facts: dict[str, Any], wish: Any) -> None:
    with refused(TableError, "the mapping at: 'good'", expected="a number from 0 to 1"):
        find_cutoffs(facts, {"good": wish}, "m")


def test_unknown_families_and_empty_files(facts: dict[str, Any], tmp_path: Path) -> None:
    with refused(TableError, "the mapping at: 'goood'", remedy="did you mean good?"):
        find_cutoffs(facts, {"goood": 0.5}, "m")
    file = tmp_path / "own.toml"
    file.write_text("", "utf-8")
    with refused(TableError, file, found="no cut-offs"):
        find_cutoffs(facts, file, "m")
    absent = tmp_path / "absent.toml"
    with refused(TableError, absent, found="cannot be read"):
        find_cutoffs(facts, absent, "m")


def test_a_model_without_cutoffs(facts: dict[str, Any]) -> None:
    old = {"families": FAMILIES}
    with refused(ModelError, "old.onnx", found="older gale", remedy="pass at='cutoffs.toml'"):
        find_cutoffs(old, "f1", "old.onnx")
    assert find_cutoffs(old, {"good": 0.5}, "old.onnx").thresholds["good"] == 0.5
    assert list(measured_cutoffs(old)) == []


def test_calls() -> None:
    cutoffs = Cutoffs("mine", {"a": 0.5, "b": None}, {"b": "no threshold in mine"})
    table = pl.DataFrame(
        {
            "status": ["ok", "ok", "ok", "doubtful", "failed"],
            "a": [0.5, 0.4999, 1.0, 1.0, None],
            "b": [0.1, 0.9, 0.1, 0.9, None],
        }
    )
    called = cutoffs.call(table)
    assert called.columns == [*table.columns, "a_call", "b_call"]
    assert called["a_call"].to_list() == ["yes", "no", "yes", None, None]
    assert called["b_call"].to_list() == [None] * 5
    assert called.schema["b_call"] == pl.String
    assert called.select(table.columns).equals(table)


def test_rows_for_cards_and_reports(facts: dict[str, Any]) -> None:
    rows = list(measured_cutoffs(facts))
    assert [(row.family, row.aim) for row in rows] == [
        *(
            (name, aim)
            for name in FAMILIES[:2]
            for aim in ("precision 0.9", "recall 0.9", "best F1")
        ),
        ("rare", ""),
    ]
    first, *_, last = rows
    assert first.threshold is not None
    assert first.precision is not None
    assert first.precision[1] < first.precision[0] < first.precision[2]
    assert (last.threshold, last.positive, last.why) == (None, 3, "no threshold: 3 positive runs")


def test_a_model_predicts_with_calls(trained: Trained, campaign: gale.Campaign) -> None:
    model, runs = trained.model, campaign.of_split("test")
    plain = model.predict(runs)
    with pytest.warns(GaleWarning, match="no calls of"):
        table = model.predict(runs, at="f1")
    assert table.select(plain.columns).equals(plain)
    cutoffs = model.cutoffs("f1")
    assert table.columns[len(plain.columns) :] == [f"{name}_call" for name in model.families]
    usual = (plain["status"] == "ok").to_numpy()
    enough = 0
    for family, positive in zip(model.families, model.facts["training"]["positive"], strict=True):
        threshold = cutoffs.thresholds[family]
        assert (threshold is None) == (positive < LEAST_RUNS)
        calls = table[f"{family}_call"].to_list()
        expected = [
            None if threshold is None or not ok else "yes" if p >= threshold else "no"
            for p, ok in zip(plain[family].to_list(), usual, strict=True)
        ]
        assert calls == expected
        enough += threshold is not None
    assert 0 < enough < len(model.families)
    assert Predictions.from_frame(table).families == model.families


def test_cutoffs_that_are_asked_for_are_checked_before_runs_are_read(trained: Trained) -> None:
    with refused(GaleError, "at", found="'often'"):
        trained.model.predict("absent.csv", at="often")


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("positive", -1),
        ("measured", [{"at": "f1", "threshold": 2, "precision": None, "recall": None}]),
        (
            "measured",
            [{"at": "f1", "threshold": 0.5, "precision": [0.5, 0.6, 0.7], "recall": None}],
        ),
        ("curve", {"threshold": [0.5], "called": [1, 2], "found": [1]}),
        ("curve", {"threshold": [0.5], "called": [1], "found": [2]}),
        ("curve", {"threshold": [0.5], "called": [0], "found": [0]}),
        ("curve", [0.5]),
    ],
)
def test_damaged_cutoffs_are_found(trained: Trained, key: str, value: Any) -> None:
    data = trained.path.read_bytes()
    facts = facts_of(data)
    facts["cutoffs"][0][key] = value
    with refused(ModelError, "memory", found="cutoffs"):
        gale.Model(restated(data, facts))


def test_a_curve_without_steps_has_no_threshold() -> None:
    family = {"positive": 20, "negative": 20, "measured": []}
    curves: list[dict[str, Any]] = [
        {},
        {"curve": {"threshold": [], "called": [], "found": []}},
    ]
    for steps in curves:
        cutoffs = find_cutoffs({"families": ["a"], "cutoffs": [family | steps]}, "f1", "m")
        assert cutoffs.missing == {"a": "no threshold: best F1 is not reached"}
    assert threshold_of(family, gale.evaluation.cutoffs.Aim("f1")) is None
