"""Every way in which the tables of a competition folder can be wrong."""

from __future__ import annotations

import hashlib
import sys
from pathlib import Path

import pytest

from gale.campaign import Campaign
from gale.campaign.competition import COLUMNS
from gale.errors import CampaignError
from helpers.campaign_folders import RUN, Problem, check_problems, edit, write_competition
from helpers.errors import refused


@pytest.fixture
def root(tmp_path: Path) -> Path:
    return write_competition(tmp_path)


def check_campaign(root: Path, *problems: Problem) -> None:
    check_problems(root, lambda: Campaign.open(root), *problems)


BAD = [
    (
        "metadata.csv",
        "T2,train",
        "T2,trian",
        Problem("row 3, column split", "'trian'", ("train", "val", "test")),
    ),
    (
        "metadata.csv",
        "T2,train,1",
        "T2,train,0",
        Problem("row 3, column derivatized", "'0'", ("1", "blank")),
    ),
    (
        "metadata.csv",
        "train_features/T1.csv",
        "train_features/T9.csv",
        Problem("row 2, column features_path", "'train_features/T9.csv'", "exists"),
    ),
    (
        "metadata.csv",
        "train_features/T1.csv",
        "train_features/T2.csv",
        Problem("row 3, column features_path", ("'train_features/T2.csv'", "row 2"), "once"),
    ),
    (
        "metadata.csv",
        "train_features/T1.csv",
        "",
        Problem("row 2, column features_path", "blank", "file"),
    ),
    (
        "metadata.csv",
        "sample_id,split,derivatized,",
        "sample_id,split,wet,",
        Problem("row 1", "derivatized", COLUMNS, ("derivatized", "features_md5_hash", "blank")),
    ),
    (
        "metadata.csv",
        f"T1.csv,{hashlib.md5(RUN.format(0).encode()).hexdigest()}",
        "T1.csv,abc",
        Problem("row 2, column features_md5_hash", "'abc'", ("32", "blank")),
    ),
    (
        "train_labels.csv",
        "T2,0,1",
        "T2,0,1\nT9,0,1",
        Problem("row 4, column 1", "'T9'", ("sample_id", "metadata.csv")),
    ),
    (
        "train_labels.csv",
        "T2,0,1",
        "T2,0,1\nX1,0,1",
        Problem("row 4, column 1", ("'X1'", "split test"), "train"),
    ),
    (
        "train_labels.csv",
        "T2,0,1",
        "T2,0,1\nT1,0,1",
        Problem("row 4, column sample_id", ("'T1'", "row 2"), "once"),
    ),
    (
        "train_labels.csv",
        "T2,0,1",
        "T2,0,-1",
        Problem("row 3, column mineral", "'-1'", ("0", "1", "blank")),
    ),
    (
        "train_labels.csv",
        "T2,0,1\n",
        "",
        Problem(
            "metadata.csv: row 3, column sample_id", ("'T2'", "split train", "label table"), "blank"
        ),
    ),
    (
        "val_labels.csv",
        "mineral",
        "sulfur",
        Problem("row 1", "sulfur, alcohol", ("train_labels.csv", "alcohol, mineral")),
    ),
    (
        "submission_format.csv",
        "X2",
        "X9",
        Problem("row 2, column sample_id", "'X9'", ("sample_id", "metadata.csv")),
    ),
    (
        "submission_format.csv",
        "X2",
        "V1",
        Problem("row 3, column sample_id", ("'V1'", "row 2"), "once"),
    ),
    (
        "submission_format.csv",
        "alcohol,mineral",
        "alcohol,sulfur",
        Problem("row 1", "alcohol, sulfur", "alcohol, mineral"),
    ),
]


@pytest.mark.parametrize(("name", "old", "new", "problem"), BAD)
def test_one_problem(root: Path, name: str, old: str, new: str, problem: Problem) -> None:
    edit(root / name, old, new)
    source = problem.source if ".csv" in problem.source else f"{name}: {problem.source}"
    check_campaign(root, problem._replace(source=source))


@pytest.mark.parametrize(
    "cell",
    ["../T1.csv", "a/../../T1.csv", "/etc/hosts", "C:\\T1.csv", "\\\\host\\T1.csv", ".", "./"],
)
def test_paths_stay_inside_the_folder(root: Path, cell: str) -> None:
    edit(root / "metadata.csv", "train_features/T1.csv", cell)
    check_campaign(root, Problem("metadata.csv: row 2, column features_path", repr(cell), "inside"))


@pytest.mark.parametrize("cell", ["x" * 5000, "T1.csv/T1.csv"])
def test_paths_that_cannot_be(root: Path, cell: str) -> None:
    edit(root / "metadata.csv", "train_features/T1.csv", cell)
    expected = ("exists", str(root))
    check_campaign(root, Problem("metadata.csv: row 2, column features_path", (), expected))


@pytest.mark.parametrize("name", ["metadata.csv", "train_labels.csv", "submission_format.csv"])
def test_a_table_with_a_nul(root: Path, name: str) -> None:
    (root / name).write_bytes((root / name).read_bytes().replace(b"T", b"\0", 1) + b"\0")
    for with_labels in (True, False) if name == "metadata.csv" else (True,):
        with pytest.raises(CampaignError, match="code 0"):
            Campaign.open(root, with_labels=with_labels)


@pytest.mark.skipif(sys.platform == "win32", reason="links need a privilege on Windows")
@pytest.mark.parametrize("with_labels", [True, False])
def test_a_run_outside_the_folder(root: Path, tmp_path: Path, with_labels: bool) -> None:
    (root / "train_features" / "T1.csv").unlink()
    (root / "train_features" / "T1.csv").symlink_to("/etc/passwd")
    source = f"{root / 'metadata.csv'}: row 2, column features_path"
    with refused(CampaignError, source, found="T1.csv", expected="link"):
        Campaign.open(root, with_labels=with_labels)


def test_all_problems_are_reported_at_once(root: Path) -> None:
    edit(root / "metadata.csv", "V1,val", "V1,dev")
    edit(root / "metadata.csv", "X2,test", "X1,test")
    edit(root / "train_labels.csv", "T1,1", "T1,7")
    edit(root / "train_labels.csv", "T3", "T4")
    (root / "test_features" / "X1.csv").unlink()
    (root / "test_labels.csv").write_text("")
    check_campaign(
        root,
        Problem("metadata.csv: row 7, column sample_id", ("'X1'", "row 6"), "once"),
        Problem("metadata.csv: row 6, column features_path", "'test_features/X1.csv'", "exists"),
        Problem("metadata.csv: row 5, column split", "'dev'", "val"),
        Problem("train_labels.csv: row 2, column alcohol", "'7'", "blank"),
        Problem("test_labels.csv: row 1", "header"),
        Problem("train_labels.csv: row 4, column 1", "'T4'", "metadata.csv"),
        Problem("metadata.csv: row 4, column sample_id", ("'T3'", "split train")),
        Problem("submission_format.csv: row 2, column sample_id", "'X2'", "metadata.csv"),
    )


def test_without_usable_metadata_the_other_tables_are_still_checked(root: Path) -> None:
    (root / "metadata.csv").write_text("")
    edit(root / "val_labels.csv", "V1,1", "V1,2")
    edit(root / "submission_format.csv", "sample_id", "id")
    check_campaign(
        root,
        Problem("metadata.csv: row 1", "header"),
        Problem("val_labels.csv: row 2, column mineral", "'2'", "blank"),
        Problem("submission_format.csv: row 1, column 1", "'id'", ("run", "sample_id", "commas")),
    )


def test_train_needs_labels_where_another_split_has_them(root: Path) -> None:
    (root / "train_labels.csv").unlink()
    check_campaign(root, Problem("metadata.csv", ("3 runs", "split train"), "blank"))


def test_an_unusable_label_table_is_not_blamed_on_its_runs(root: Path) -> None:
    edit(root / "train_labels.csv", "sample_id", "id")
    check_campaign(root, Problem("train_labels.csv: row 1, column 1", "'id'", "sample_id"))


def test_an_existing_label_table_is_complete(root: Path) -> None:
    (root / "test_labels.csv").write_text("sample_id,alcohol,mineral\nX2,1,1\n")
    check_campaign(root, Problem("metadata.csv: row 6, column sample_id", ("'X1'", "split test")))
