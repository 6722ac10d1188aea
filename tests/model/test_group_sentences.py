"""What is said of groups: each finding has its sentence, with its figures and what to do."""

from __future__ import annotations

from typing import Any

import pytest

from gale.model.groups import group_sentences

BASELINE = {
    "by_group": 0.21,
    "random": 0.15,
    "prior": 0.30,
    "factor": {"value": 1.4, "low": 1.2, "high": 1.7},
}
TOLD = {"groups": 3, "right": 0.94, "largest": 0.41, "explained": 0.8, "by_labels": 0.05}
GROUPS: dict[str, Any] = {
    "count": 4,
    "largest": 9,
    "apart": True,
    "mixed": 0.5,
    "single": [],
    "baseline": BASELINE,
    "told": TOLD,
}


def said(**changes: Any) -> list[str]:
    return group_sentences(GROUPS | changes)


def test_the_figures_side_by_side() -> None:
    groups, flattery, _ = said()
    assert "4 groups, the largest of 9 runs" in groups
    assert "saw no run of the same group" in groups
    for figure in ("0.210", "0.150", "0.300", "1.40", "1.20 to 1.70"):
        assert figure in flattery
    assert "look better" in flattery
    factor = {"factor": {"value": 1.01, "low": 0.9, "high": 1.2}}
    assert "hardly flatter" in said(baseline=BASELINE | factor)[1]
    assert "figures flatter" in said(apart=False)[0]


@pytest.mark.parametrize(
    ("told", "conclusion"),
    [
        ({}, "this is a batch effect"),
        ({"by_labels": 0.5}, "go together"),
        ({"explained": 0.2, "by_labels": -0.1}, "little sign of a batch effect"),
        ({"explained": 0.2, "by_labels": 0.2}, "go together"),
    ],
)
def test_whether_groups_can_be_told(told: dict[str, float], conclusion: str) -> None:
    effect = said(told=TOLD | told)[2]
    assert conclusion in effect
    assert ("better than the families" in effect) == (told.get("explained", 1) > 0.3)
    assert "against 30 %" in effect
    assert "94 % of the runs" in effect
    assert "41 % if all" in effect
    assert ("Measure" in effect) == ("little" not in conclusion)


def test_repeats_of_samples_and_families_of_one_group() -> None:
    assert len(said()) == 3
    repeats = said(mixed=0.0)[-1]
    assert "4 samples" in repeats
    single = said(single=["sulfur_bearing_compound", "alcohol"])[-1]
    assert "sulfur-bearing compound, alcohol are of one group" in single
    bare = {name: GROUPS[name] for name in ("count", "largest", "apart", "mixed", "single")}
    assert len(group_sentences(bare)) == 1
