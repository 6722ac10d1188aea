"""`gale labels`: a table that can be filled in and trained with."""

from __future__ import annotations

import shutil
from pathlib import Path

import polars as pl
import pytest

import gale
from gale.errors import CampaignError, TableError
from helpers.commands import error_of, succeed
from helpers.errors import refused


@pytest.fixture
def runs(campaign: gale.Campaign, tmp_path: Path) -> Path:
    folder = tmp_path / "runs"
    (folder / "monday").mkdir(parents=True)
    for number, path in enumerate(campaign.paths[:6]):
        shutil.copy(path, folder / ("monday" if number % 2 else "") / f"sample{number}.csv")
    return folder


def test_a_table_that_is_filled_in_labels_the_runs(runs: Path) -> None:
    printed = succeed("labels", runs).stdout
    assert "6 runs, 9 families" in printed
    table = pl.read_csv(runs / "labels.csv")
    assert table.columns == ["run", *gale.default_family_table()]
    assert table.drop("run").null_count().row(0) == (6,) * 9
    assert gale.Campaign.open(runs).runs == tuple(table["run"])
    filled = table.with_columns(alcohol=pl.Series([0, 1] * 3), mineral=pl.Series([1] * 6))
    filled.select("run", "alcohol", "mineral").write_csv(runs / "labels.csv")
    assert gale.Campaign.open(runs).labels[:, 0].tolist() == [0, 1] * 3


def test_it_is_not_replaced_unasked(runs: Path) -> None:
    (runs / "labels.csv").write_text("run,alcohol\n")
    assert error_of("labels", runs).source.endswith("labels.csv")
    assert (runs / "labels.csv").read_text() == "run,alcohol\n"
    succeed("labels", runs, "--force", "--family", "gold")
    assert pl.read_csv(runs / "labels.csv").columns == ["run", "gold"]


def test_names_that_a_spreadsheet_computes_are_said(runs: Path) -> None:
    (runs / "sample0.csv").rename(runs / "=cmd.csv")
    printed = succeed("labels", runs, "--family", "@gold").stdout
    assert "for a formula" in printed
    assert "'=cmd.csv'" in printed
    assert "'@gold'" in printed
    assert "formula" not in succeed("labels", runs / "monday").stdout


def test_no_run_is_overwritten(runs: Path) -> None:
    before = (runs / "sample0.csv").read_bytes()
    error_of("labels", runs, "-o", runs / "sample0.csv", "--force")
    assert (runs / "sample0.csv").read_bytes() == before


@pytest.mark.parametrize("names", [["run"], [""], ["a", "a"], ["a", "a_call"]])
def test_names_that_no_family_may_have(runs: Path, names: list[str]) -> None:
    campaign = gale.Campaign.open(runs, with_labels=False)
    with refused(TableError, repr(names[-1])):
        campaign.label_template(names)


@pytest.mark.parametrize("head", ["Run", "RUN", "Sample_ID", " run"])
def test_the_case_of_the_first_heading_does_not_count(runs: Path, head: str) -> None:
    names = ["sample0", "sample1", "sample2", "sample3", "sample4", "sample5"]
    (runs / "labels.csv").write_text(f"{head};alcohol\n" + "".join(f"{n};1\n" for n in names))
    assert set(gale.Campaign.open(runs).runs) == set(names)


def test_blanks_that_were_meant_as_0(runs: Path) -> None:
    names = [f"sample{number},{'1' if number % 2 else ''}\n" for number in range(6)]
    (runs / "labels.csv").write_text("run,alcohol\n" + "".join(names))
    with pytest.raises(CampaignError) as error:
        gale.Campaign.open(runs).check_trainable()
    assert error.value.remedy.startswith("write 0 where the family is known to be absent")


def test_a_workbook_is_named(runs: Path) -> None:
    (runs / "labels.xlsx").write_bytes(b"PK\x03\x04")
    with pytest.raises(CampaignError) as error:
        gale.Campaign.open(runs).check_trainable()
    assert "labels.xlsx" in error.value.found
    assert error.value.remedy == "save labels.xlsx as labels.csv"
