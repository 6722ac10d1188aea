"""Campaigns of runs gathered in Python: labels by name, or in their order."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import polars as pl
import pytest

import gale
from gale.errors import CampaignError, TableError
from gale.run import Run
from helpers.errors import refused
from helpers.run_files import csv, small_run
from helpers.tables import LIBRARIES

RUNS = [Run.from_rows([1, 2], [43, 57], [9, 4], source=name) for name in ("a", "b", "c")]
LABELS = pl.DataFrame({"run": ["c", "a", "b"], "alcohol": [1, 0, None], "acid": [1, 0, 1]})


def labels_of(campaign: gale.Campaign) -> list[list[float | None]]:
    return [[None if np.isnan(cell) else cell for cell in row] for row in campaign.labels.tolist()]


@pytest.mark.parametrize("library", LIBRARIES)
def test_a_table_of_any_library_labels_by_name(library: str) -> None:
    campaign = gale.Campaign.from_runs(RUNS, LIBRARIES[library](LABELS))
    assert campaign.runs == ("a", "b", "c")
    assert campaign.families == ("alcohol", "acid")
    assert labels_of(campaign) == [[0, 0], [None, 1], [1, 1]]
    assert campaign.split == ("train",) * 3
    assert campaign.sources == tuple(RUNS)
    assert campaign.select([2]).sources == (RUNS[2],)


def test_labels_in_the_order_of_the_runs() -> None:
    values = [[1, 0], [np.nan, 1], [0, 0]]
    of_array = gale.Campaign.from_runs(RUNS, np.array(values), families=["x", "y"])
    of_table = gale.Campaign.from_runs(RUNS, pd.DataFrame(values, columns=["x", "y"]))
    for campaign in (of_array, of_table):
        assert campaign.families == ("x", "y")
        assert labels_of(campaign) == [[1, 0], [None, 1], [0, 0]]
    (only,) = gale.Campaign.from_runs(RUNS[:1], [[1, 0]], families=["x", "y"]).labels.tolist()
    assert only == [1, 0]
    one = gale.Campaign.from_runs(RUNS, of_table.labels[:, :1], families=["x"], split=["", "", ""])
    assert (one.families, one.split) == (("x",), ("", "", ""))
    chosen = gale.Campaign.from_runs(RUNS, LABELS, families=["acid"])
    assert (chosen.families, labels_of(chosen)) == (("acid",), [[0], [1], [1]])


def test_files_as_the_predictions_call_them(tmp_path: Path) -> None:
    paths = [tmp_path / "day" / f"{name}.csv" for name in "ab"]
    paths[0].parent.mkdir()
    for path in paths:
        path.write_bytes(csv(small_run()))
    (tmp_path / "labels.csv").write_text("run,acid,group\na,1,monday\nb,,\n")
    campaign = gale.Campaign.from_runs(paths, str(tmp_path / "labels.csv"))
    assert campaign.runs == tuple(map(str, paths))
    assert campaign.sources == campaign.paths == tuple(paths)
    assert campaign.root == paths[0].parent
    assert campaign.group == ("monday", None)
    assert campaign.split == ("train", "")
    mixed = gale.Campaign.from_runs([str(paths[0]), RUNS[0]], groups=[1, np.nan])
    assert (mixed.files, mixed.group) == ((paths[0],), ("1", None))


def test_rows_of_other_runs_are_warned_of() -> None:
    with pytest.warns(gale.GaleWarning, match="1 row names no run that is given: c"):
        gale.Campaign.from_runs(RUNS[:2], LABELS)


@pytest.mark.parametrize(
    ("arguments", "kind", "source", "fact"),
    [
        ({"labels": LABELS[:2]}, CampaignError, "b", "no label"),
        ({"labels": LABELS.with_columns(acid=2)}, TableError, "labels", "problems"),
        ({"labels": LABELS.drop("run")[:2]}, TableError, "labels", "2 rows"),
        ({"labels": [[1], [0], [1]]}, TableError, "labels", "(3, 1)"),
        ({"labels": LABELS, "families": ["x"]}, TableError, "labels", "x"),
        ({"runs": []}, CampaignError, "runs", "no run"),
        ({"runs": [RUNS[0]] * 2}, CampaignError, "runs", "'a'"),
        ({"names": ["x"]}, CampaignError, "names", "1 name"),
        ({"groups": ["x"]}, CampaignError, "groups", "1 name"),
        ({"split": ["train", "dev", "test"]}, CampaignError, "split", ""),
    ],
)
def test_what_does_not_fit_together(
    arguments: dict[str, Any], kind: type[gale.GaleError], source: str, fact: str
) -> None:
    with pytest.raises(kind) as caught:
        gale.Campaign.from_runs(**{"runs": RUNS, **arguments})
    assert caught.value.source.startswith(source)
    assert fact in caught.value.found


def test_a_folder_with_labels_in_memory(tmp_path: Path) -> None:
    for name in "ab":
        (tmp_path / f"{name}.csv").write_bytes(csv(small_run()))
    campaign = gale.Campaign.open(tmp_path, labels=pd.DataFrame({"x": [0, 1], "Run": ["b", "a"]}))
    assert (campaign.runs, campaign.labels.tolist()) == (("b", "a"), [[0], [1]])
    with refused(TableError, "labels: row 1, column x", found="'2'"):
        gale.Campaign.from_runs(RUNS[:2], pl.DataFrame({"run": ["a", "b"], "x": [1, 2]}))
