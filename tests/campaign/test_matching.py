"""Which run is which."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gale.campaign.matching import match_runs
from gale.errors import TableError
from gale.plumbing.text import listed
from helpers.errors import refused


@pytest.mark.parametrize(
    ("labelled", "predicted"),
    [
        ("S1", "S1"),
        ("S1.csv", "data/S1.csv"),
        ("S1", "data/raw/S1.csv"),
        ("S1", "C:\\data\\S1.CDF"),
        ("S1", "S1.csv.gz"),
        ("S1", "runs/S1.D/"),
        ("a/S1.mzML", "b/S1.csv"),
        ("S1.5", "data/S1.5.csv"),
        ("caf\u00e9", "cafe\u0301"),
        ("cafe\u0301", "data/caf\u00e9.csv"),
    ],
)
def test_names_of_one_run(labelled: str, predicted: str) -> None:
    assert match_runs([labelled], ["other", predicted], "p") == {labelled: predicted}


@pytest.mark.parametrize(
    ("labelled", "predicted"),
    [("S1", "S10"), ("S1", "s1"), ("S1.5", "S1.6"), (".a", ".b"), ("S1", "S1/data.csv")],
)
def test_names_of_two_runs(labelled: str, predicted: str) -> None:
    assert match_runs([labelled], [predicted], "p") == {}


def test_the_exact_name_comes_first() -> None:
    predicted = ["b/S1.csv", "a/S1.csv", "S1"]
    assert match_runs(["S1", "a/S1.csv"], predicted, "p") == {"S1": "S1", "a/S1.csv": "a/S1.csv"}
    assert match_runs(["S1.csv"], ["a/S1.csv", "a/S1.D"], "p") == {"S1.csv": "a/S1.csv"}


@pytest.mark.parametrize(
    ("labelled", "predicted"),
    [
        (["S1"], ["a/S1.csv", "b/S1.csv"]),
        (["S1"], ["S1.csv", "S1.D"]),
        (["a/S1", "b/S1"], ["S1"]),
    ],
)
def test_what_could_be_several_is_refused(labelled: list[str], predicted: list[str]) -> None:
    with refused(TableError, "p", found=[*labelled, *predicted], expected="'S1'"):
        match_runs(labelled, predicted, "p")


@given(st.sets(st.text("ab./", min_size=1), max_size=6), st.sets(st.text("ab./", min_size=1)))
def test_no_prediction_serves_two_runs(labelled: set[str], predicted: set[str]) -> None:
    try:
        match = match_runs(labelled, predicted, "p")
    except TableError:
        return
    assert match.keys() <= labelled
    assert len(set(match.values())) == len(match)
    assert all(match[run] == run for run in labelled & predicted)


def test_long_lists_are_cut() -> None:
    assert listed(["a", "b"]) == "a, b"
    assert listed(["a", "b", "c", "d"], most=2) == "a, b and 2 more"
    assert listed([]) == ""
