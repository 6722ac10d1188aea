"""The answer for a run has what the model and the evidence say, as values that JSON can hold."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest

import gale
from gale.evidence import find_attributions, find_windows
from gale.evidence.answer import answer_of
from gale.matching import Matcher
from helpers.training import Trained

pytestmark = pytest.mark.filterwarnings("ignore::gale.errors.GaleWarning")


@pytest.fixture(scope="module")
def run(campaign: gale.Campaign) -> gale.Run:
    return gale.read_run(campaign.of_split("test").paths[0])


def test_windows_and_peaks(stack: gale.Model, run: gale.Run) -> None:
    matcher = Matcher.default()
    row = stack.predict(run, at=dict.fromkeys(stack.families, 0.5)).row(0, named=True)
    answer = answer_of(stack, run, row, matcher)
    assert json.loads(json.dumps(answer, allow_nan=False)) == answer
    shares = [each["probability"] for each in answer["families"]]
    assert shares == sorted(shares, reverse=True)
    windows = find_windows(stack, run, matcher=matcher)
    assert windows
    for family in answer["families"]:
        name = family["family"]
        assert family["probability"] == pytest.approx(row[name], rel=1e-5)
        assert family["prevalence"] == pytest.approx(stack.prevalence[name], rel=1e-5)
        assert family["call"] == row[f"{name}_call"]
        expected = [window for window in windows if window.family == name]
        assert [each["apex_min"] for each in family["evidence"]] == pytest.approx(
            [window.apex_min for window in expected], abs=1e-4
        )
        for said, window in zip(family["evidence"], expected, strict=True):
            assert [ion["mz"] for ion in said["ions"]] == list(window.ions)
            assert [match["inchikey"] for match in said["matches"]] == [
                match.inchikey or None for match in window.matches
            ]


def test_a_model_without_an_elution_network(trained: Trained, run: gale.Run) -> None:
    row = trained.model.predict(run).row(0, named=True)
    answer = answer_of(trained.model, run, row, Matcher.default())
    found = {each.family: each for each in find_attributions(trained.model, run)}
    assert found
    for family in answer["families"]:
        said = [[ion["mz"] for ion in each["ions"]] for each in family["evidence"]]
        assert said == ([list(found[family["family"]].ions)] if family["family"] in found else [])
        assert all("apex_min" not in each for each in family["evidence"])


def test_a_run_that_cannot_be_read(stack: gale.Model, run: gale.Run) -> None:
    row = stack.predict(replace(run, source="a.csv")).row(0, named=True)
    row |= {"status": "failed", "message": "is gone", "unlike": None}
    assert answer_of(stack, None, row, Matcher.default()) == {
        "run": "a.csv", "status": "failed", "message": "is gone", "unlike": None,
        "families": [], "largest_peaks": [],
    }  # fmt: skip
