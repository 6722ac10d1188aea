"""benchmarks.trust: its measures on numbers known, and one of its tables on a campaign."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest

import gale
from benchmarks.trust import label_noise, unlike
from benchmarks.trust.evidence import Found, table
from benchmarks.trust.truth import by_abundance, carriers, runs_of_test
from helpers.benchmark_runs import rows_of


@dataclass(frozen=True)
class Seen:
    abundance: float


def test_parts_by_abundance_are_half_open() -> None:
    parts = dict(by_abundance([Seen(each) for each in (1, 2.9, 3, 99, 100, 1e6)]))
    assert {name: len(part) for name, part in parts.items()} == {
        "1 to 3": 2,
        "3 to 10": 1,
        "10 to 100": 1,
        "100 and more": 2,
    }


def test_compounds_to_be_found_make_labels_and_can_be_seen(
    campaign: gale.Campaign, campaign_folder: Path
) -> None:
    test = campaign.of_split("test")
    found = list(runs_of_test(campaign_folder, 5))
    assert len(found) == 5
    for labels, (_, compounds) in zip(test.labels, found, strict=False):
        assert (compounds["abundance"] >= 1).all()
        held = [f for f, label in zip(test.families, labels, strict=True) if label == 1]
        for family in test.families:
            if len(carriers(compounds, family)):
                assert family in held


def test_names_count_where_the_apex_is_in_a_peak() -> None:
    right, wrong = frozenset({"a"}), frozenset({"b"})
    found = [
        Found(200.0, "alcohol", True, True, ("a", "c"), right),
        Found(200.0, "alcohol", True, True, ("c", "a"), right),
        Found(200.0, "alcohol", True, True, (), wrong),
        Found(200.0, "mineral", True, True, (), wrong),
        Found(200.0, "alcohol", True, False, ("a",), right),
        Found(200.0, "alcohol"),
    ]
    assert table(found)[-1] == ["100 and more", "6", "83 %", "80 %", "3", "33 %", "67 %", "33 %"]


def test_the_roc_auc_counts_ties_half() -> None:
    low, high = np.array([1.0, 2.0, 3.0]), np.array([2.0, 4.0])
    assert unlike.roc_auc(low, high) == pytest.approx((1 + 0.5 + 3) / 6)


@pytest.mark.slow
def test_distances_of_a_campaign(
    campaign_folder: Path, campaign: gale.Campaign, capsys: pytest.CaptureFixture[str]
) -> None:
    file = campaign.of_split("test").paths[0]
    unlike.main([str(campaign_folder), "--features", "summary", "--files", str(file)])
    rows = rows_of(capsys.readouterr().out)
    assert {name: cells[0] for name, cells in rows.items() if name.startswith("campaign")} == {
        "campaign, train and val": "84",
        "campaign, test": "24",
        "campaign, files": "1",
    }


def test_precision_of_a_ranking_that_knows_the_truth() -> None:
    rng = np.random.default_rng(0)
    right = rng.random((200, 3)) < 0.4
    noisy = right ^ (rng.random(right.shape) < 0.05)
    probability = np.where(right, 0.9, 0.1)
    figures = label_noise.figures_of(right, noisy, probability, np.full(right.shape, 100.0))
    n_wrong = int((right != noisy).sum())
    assert figures[:3] == [f"{n_wrong}", "100 %", "100 %"]
    assert figures[4:] == ["100 %"] * 3


def test_the_highest_are_marked() -> None:
    values = np.array([[1.0, 5.0], [3.0, 4.0]])
    assert label_noise.highest(values, 2).tolist() == [[False, True], [False, True]]
