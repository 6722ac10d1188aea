"""`gale predict FOLDER`: campaigns, submissions, and folders with more in them than runs."""

from __future__ import annotations

import csv
import gzip
import shutil
import warnings
from collections.abc import Callable
from pathlib import Path

import numpy as np
import polars as pl
import pytest
from polars.testing import assert_frame_equal

import gale
from gale.errors import CampaignError, TableError
from helpers.commands import error_of, invoke, printed_failures, succeed
from helpers.errors import check_error
from helpers.model_files import facts_of, restated
from helpers.training import Trained
from helpers.vendor_files import FOLDERS, lay_out, nominal_run

Arguments = Callable[..., list[object]]


@pytest.mark.slow
def test_a_campaign_and_its_splits(
    predict: Arguments, campaign: gale.Campaign, campaign_folder: Path
) -> None:
    succeed(*predict(campaign_folder, "-o", "all.csv"))
    succeed(*predict(campaign_folder, "--split", "val", "--split", "test"))
    everything = pl.read_csv("all.csv")
    assert everything["run"].to_list() == list(campaign.runs)
    assert_frame_equal(pl.read_csv("p.csv"), everything[60:])


@pytest.mark.slow
def test_a_submission_has_the_format_of_the_competition(
    predict: Arguments, campaign_folder: Path, trained: Trained, campaign: gale.Campaign
) -> None:
    result = succeed(*predict(campaign_folder, "--submission"))
    with (campaign_folder / "submission_format.csv").open(newline="") as file:
        asked = list(csv.reader(file))
    with Path("p.csv").open(newline="") as file:
        written = list(csv.reader(file))
    assert written[0] == asked[0]
    assert [row[0] for row in written] == [row[0] for row in asked]
    numbers = np.array([row[1:] for row in written[1:]], dtype=float)
    table = trained.model.predict(campaign.of_split("val", "test"))
    np.testing.assert_allclose(numbers, table.select(asked[0][1:]).to_numpy(), atol=6e-7)
    assert result.stdout.startswith("p.csv: 48 runs predicted, 0 failed\n")


@pytest.fixture
def rearranged(campaign_folder: Path, tmp_path: Path) -> Path:
    """A campaign that asks for its runs backwards, for its families too, and has a bad run."""
    folder = tmp_path / "rearranged"
    folder.mkdir()
    asked = pl.read_csv(campaign_folder / "submission_format.csv").reverse()[:5]
    families = asked.columns[:0:-1]
    asked.select(pl.col("sample_id").alias("run"), *families).write_csv(
        folder / "submission_format.csv"
    )
    metadata = pl.read_csv(campaign_folder / "metadata.csv", schema_overrides={
        "derivatized": pl.String})  # fmt: skip
    metadata.filter(split="test").write_csv(folder / "metadata.csv")
    shutil.copytree(campaign_folder / "test_features", folder / "test_features")
    (folder / "test_features" / f"{asked['sample_id'][1]}.csv").write_text("", "utf-8")
    return folder


def test_a_submission_in_another_order_and_with_a_failed_run(
    predict: Arguments, rearranged: Path, trained: Trained
) -> None:
    result = invoke(*predict(rearranged, "--submission"))
    assert result.exit_code == 1
    asked, written = pl.read_csv(rearranged / "submission_format.csv"), pl.read_csv("p.csv")
    families = asked.columns[1:]
    assert written.columns == ["sample_id", *families]
    assert written["sample_id"].to_list() == asked["run"].to_list()
    prevalence = trained.model.prevalence
    assert written.select(families).row(1) == pytest.approx([prevalence[each] for each in families])
    paths = [rearranged / "test_features" / f"{run}.csv" for run in asked["run"]]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", gale.GaleWarning)
        expected = trained.model.predict(paths).select(families).to_numpy()
    found = written.select(families).to_numpy()
    np.testing.assert_allclose(found[[0, 2, 3, 4]], expected[[0, 2, 3, 4]], atol=6e-7)
    assert "training prevalence" in result.stdout
    assert list(printed_failures(result.stderr)) == [written["sample_id"][1]]


def test_a_submission_of_other_families(predict: Arguments, rearranged: Path) -> None:
    path = rearranged / "submission_format.csv"
    path.write_text(path.read_text("utf-8").replace("mineral", "metal"), "utf-8")
    result = invoke(*predict(rearranged, "--submission"))
    assert result.exit_code == 2
    assert "other families" in result.stderr
    assert not Path("p.csv").exists()


def test_a_model_knows_the_names_of_columns_that_it_was_trained_with(
    predict: Arguments, trained: Trained, runs: list[Path]
) -> None:
    names = {"time_min": "RT", "mz": "m/z", "intensity": "counts"}
    data = trained.path.read_bytes()
    Path("m.onnx").write_bytes(restated(data, {**facts_of(data), "columns": names}))
    Path("folder").mkdir()
    text = runs[0].read_text("utf-8")
    Path("folder/a.csv").write_text(text.replace("time,mass,intensity", "RT,m/z,counts"), "utf-8")
    Path("folder/b.csv").write_text(text, "utf-8")
    Path("folder/c.csv").write_text(text.replace("time,mass,intensity", "t,m/z,counts"), "utf-8")
    Path("folder/d.csv").write_text(text.replace("time,mass,intensity", "a,b,c"), "utf-8")
    Path("folder/e.csv").write_text(text.replace("time,mass,intensity", "time,mass,c"), "utf-8")
    result = invoke(*predict("folder", "--model", "m.onnx"))
    assert result.exit_code == 1
    assert "not runs, left out: d.csv\n" in result.stderr
    failures = printed_failures(result.stderr)
    assert list(failures) == ["c.csv", "e.csv"]
    assert "RT" in failures["c.csv"]
    assert "t, m/z, counts" in failures["c.csv"]
    table = pl.read_csv("p.csv")
    assert table.select("run", "status").rows() == [
        ("a.csv", "ok"), ("b.csv", "ok"), ("c.csv", "failed"), ("e.csv", "failed")
    ]  # fmt: skip
    assert table.drop("run").row(0) == table.drop("run").row(1)


def test_a_folder_of_runs_and_other_things(predict: Arguments, runs: list[Path]) -> None:
    Path("folder/blank.D/AcqData").mkdir(parents=True)
    shutil.copy(runs[0], "folder/a.csv")
    Path("folder/labels.csv").write_text("run,alcohol\nno such run,yes\n", "utf-8")
    Path("folder/cut.csv.gz").write_bytes(gzip.compress(runs[0].read_bytes())[:-100])
    Path("folder/empty.csv").touch()
    Path("folder/garbage.cdf").write_bytes(b"garbage")
    for at in range(10):
        Path(f"folder/notes{at}.txt").write_text("sunny", "utf-8")
    result = invoke(*predict("folder"))
    assert result.exit_code == 1
    assert result.stderr.splitlines()[0] == "not runs, left out: labels.csv, " + ", ".join(
        f"notes{at}.txt" for at in range(9)
    ) + " and 1 more"  # fmt: skip
    table = pl.read_csv("p.csv")
    assert table["run"].to_list() == ["a.csv", "blank.D", "cut.csv.gz", "empty.csv", "garbage.cdf"]
    assert table["status"].to_list() == ["ok", *["failed"] * 4]
    failures = printed_failures(result.stderr)
    assert list(failures) == table["run"].to_list()[1:]
    assert "Agilent" in failures["blank.D"]
    assert "empty" in failures["empty.csv"]


def test_folders_of_instruments_are_runs(predict: Arguments, runs: list[Path]) -> None:
    for name, files in FOLDERS.items():
        lay_out(Path("folder") / "sub" / name, files(nominal_run()))
    shutil.copy(runs[0], "folder/a.csv")
    assert invoke(*predict("folder")).exit_code == 0
    table = pl.read_csv("p.csv")
    assert table["run"].to_list() == ["a.csv", *(f"sub/{name}" for name in sorted(FOLDERS))]
    assert table["status"].to_list() == ["ok", *["doubtful"] * 3]  # they are short
    alone = invoke(*predict("folder/sub/chemstation", "folder/sub/masslynx", "--force"))
    assert alone.exit_code == 0
    assert pl.read_csv("p.csv").row(0)[3:] == table.row(1)[3:]
    assert invoke(*predict("folder/sub/chemstation", "--force")).exit_code == 0


def test_a_run_that_is_missing_fails_alone(predict: Arguments, rearranged: Path) -> None:
    path = next(path for path in (rearranged / "test_features").iterdir() if path.stat().st_size)
    path.unlink()
    (rearranged / "test_labels.csv").write_text("broken", "utf-8")
    result = invoke(*predict(rearranged))
    assert result.exit_code == 1
    assert printed_failures(result.stderr)[path.stem].startswith(f"{path}: ")
    assert pl.read_csv("p.csv").height == 24


@pytest.mark.parametrize("folder_of_runs", [False, True])
def test_a_split_without_runs(
    predict: Arguments, rearranged: Path, runs: list[Path], folder_of_runs: bool
) -> None:
    folder = Path("folder") if folder_of_runs else rearranged
    if folder_of_runs:
        folder.mkdir()
        shutil.copy(runs[0], folder)
    error = error_of(*predict(folder, "--split", "train", "--split", "val"))
    check_error(error, folder, found="train or val", kind=CampaignError)
    assert not Path("p.csv").exists()


def test_a_folder_without_a_submission_format(predict: Arguments, runs: list[Path]) -> None:
    Path("folder").mkdir()
    shutil.copy(runs[0], "folder")
    result = invoke(*predict("folder", "--submission"))
    assert result.exit_code == 2
    assert "folder has no submission_format.csv" in result.stderr


@pytest.mark.parametrize("submission", [False, True])
def test_labels_of_another_campaign_of_the_same_names_are_refused(
    predict: Arguments, campaign_folder: Path, tmp_path: Path, submission: bool
) -> None:
    succeed(*predict(campaign_folder, "--submission" if submission else "--split=test"))
    labels = campaign_folder / "test_labels.csv"
    result = succeed("evaluate", "p.csv", "--labels", labels)
    assert "cannot tell" not in result.output
    assert "comparing runs" in result.stderr
    other = tmp_path / "other"
    shutil.copytree(campaign_folder, other)
    for file in (other / "test_features").iterdir():
        file.write_bytes(file.read_bytes() + b"\n")
    error = error_of("evaluate", "p.csv", "--labels", other / "test_labels.csv", "--quiet")
    check_error(error, "p.csv", found="content", remedy="predict", kind=TableError)
    shutil.rmtree(other / "test_features")
    result = succeed("evaluate", "p.csv", "--labels", other / "test_labels.csv", "--quiet")
    n_runs = len(list((campaign_folder / "test_features").iterdir()))
    assert f"cannot tell whether the labels of {n_runs} runs" in result.output
    assert result.stderr == ""
