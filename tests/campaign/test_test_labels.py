"""Labels of test runs that come in a table of their own."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from gale.campaign import Campaign
from gale.campaign.test_labels import with_test_labels
from gale.errors import TableError
from helpers.campaign_folders import Problem, check_problems, write_competition


@pytest.fixture
def campaign(tmp_path: Path) -> Campaign:
    return Campaign.open(write_competition(tmp_path))


def table(tmp_path: Path, text: str) -> Path:
    path = tmp_path / "later.csv"
    path.write_text(text)
    return path


def test_labels_are_brought_into_the_order_of_the_campaign(
    campaign: Campaign, tmp_path: Path
) -> None:
    path = table(tmp_path, "run,mineral,alcohol\nX2,1,\nX1,0,1\n")
    labelled = with_test_labels(campaign, path)
    assert labelled.runs[-2:] == ("X1", "X2")
    np.testing.assert_array_equal(labelled.labels[-2:], [[1, 0], [np.nan, 1]])
    np.testing.assert_array_equal(labelled.labels[:-2], campaign.labels[:-2])
    assert not np.isfinite(campaign.labels[-2:]).any()


def test_they_are_all_that_is_known_of_test(campaign: Campaign, tmp_path: Path) -> None:
    first = with_test_labels(campaign, table(tmp_path, "run,alcohol,mineral\nX1,0,0\nX2,1,1\n"))
    again = with_test_labels(first, table(tmp_path, "run,alcohol,mineral\nX2,0,1\n"))
    np.testing.assert_array_equal(again.labels[-2:], [[np.nan, np.nan], [0, 1]])


def test_groups_come_with_them(campaign: Campaign, tmp_path: Path) -> None:
    text = "run,mineral,alcohol,group\nX2,1,,second\n"
    labelled = with_test_labels(campaign, table(tmp_path, text))
    assert labelled.group == (*campaign.group[:-1], "second")
    plain = with_test_labels(labelled, table(tmp_path, "run,mineral,alcohol\nX2,1,\n"))
    assert plain.group == labelled.group


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("run,alcohol,mineral\nV1,0,0\n", Problem("row 2, column 1", "'V1'", "test split")),
        ("run,alcohol,mineral\nX1,0,0\nQ,1,0\n", Problem("row 3, column 1", "'Q'", "test split")),
        ("run,alcohol\nX1,0\n", Problem("row 1", "alcohol", "alcohol, mineral")),
        ("run,alcohol,mineral\nX1,0,2\n", Problem("row 2, column mineral", "'2'", ("0", "1"))),
    ],
)
def test_a_table_that_does_not_match(
    campaign: Campaign, tmp_path: Path, text: str, problem: Problem
) -> None:
    path = table(tmp_path, text)
    expected = problem._replace(source=f"later.csv: {problem.source}")
    check_problems(
        campaign.root, lambda: with_test_labels(campaign, path), expected, kind=TableError
    )
