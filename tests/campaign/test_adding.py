"""Labels of test runs that come in a table of their own."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from gale.campaign import Campaign
from gale.campaign.adding import with_test_labels
from gale.errors import TableError
from helpers.campaign_folders import write_competition


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


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("run,alcohol,mineral\nV1,0,0\n", "row 2, column 1: found 'V1'; expected a run of the tes"),
        ("run,alcohol,mineral\nX1,0,0\nQ,1,0\n", "row 3, column 1: found 'Q'; expected a run of "),
        ("run,alcohol\nX1,0\n", "row 1: found families alcohol; expected those of "),
        ("run,alcohol,mineral\nX1,0,2\n", "found '2'; expected 0, 1 or blank"),
    ],
)
def test_a_table_that_does_not_fit(
    campaign: Campaign, tmp_path: Path, text: str, message: str
) -> None:
    path = table(tmp_path, text)
    with pytest.raises(TableError) as caught:
        with_test_labels(campaign, path)
    assert str(caught.value).startswith(f"{path}: ")
    assert message in str(caught.value)
    assert len(str(caught.value).splitlines()) == 1
