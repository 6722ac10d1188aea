"""Every way in which the tables of a competition folder can be wrong."""

from __future__ import annotations

import hashlib
from pathlib import Path

import pytest

from gale.campaign import Campaign
from helpers.campaign_folders import RUN, edit, problems_of, write_competition


@pytest.fixture
def root(tmp_path: Path) -> Path:
    return write_competition(tmp_path)


BAD = [
    (
        "metadata.csv",
        "T2,train",
        "T2,trian",
        "metadata.csv: row 3, column split: found 'trian'; expected train, val or test",
    ),
    (
        "metadata.csv",
        "T2,train,1",
        "T2,train,0",
        "metadata.csv: row 3, column derivatized: found '0'; expected 1, or blank where unknown",
    ),
    (
        "metadata.csv",
        "train_features/T1.csv",
        "train_features/T9.csv",
        "metadata.csv: row 2, column features_path: found 'train_features/T9.csv'; "
        "expected a file that exists in ROOT",
    ),
    (
        "metadata.csv",
        "train_features/T1.csv",
        "train_features/T2.csv",
        "metadata.csv: row 3, column features_path: found 'train_features/T2.csv' as in row 2; "
        "expected every file once",
    ),
    (
        "metadata.csv",
        "train_features/T1.csv",
        "",
        "metadata.csv: row 2, column features_path: found a blank; expected the name of a file",
    ),
    (
        "metadata.csv",
        "sample_id,split,derivatized,",
        "sample_id,split,wet,",
        "metadata.csv: row 1: found no column derivatized; expected sample_id, split, "
        "derivatized, features_path, features_md5_hash; leave cells of derivatized and "
        "features_md5_hash blank where unknown",
    ),
    (
        "metadata.csv",
        f"T1.csv,{hashlib.md5(RUN.format(0).encode()).hexdigest()}",
        "T1.csv,abc",
        "metadata.csv: row 2, column features_md5_hash: found 'abc'; "
        "expected 32 hexadecimal digits, or blank where unknown",
    ),
    (
        "train_labels.csv",
        "T2,0,1",
        "T2,0,1\nT9,0,1",
        "train_labels.csv: row 4, column 1: found 'T9'; expected a sample_id of metadata.csv",
    ),
    (
        "train_labels.csv",
        "T2,0,1",
        "T2,0,1\nX1,0,1",
        "train_labels.csv: row 4, column 1: found 'X1' of split test; expected runs of train",
    ),
    (
        "train_labels.csv",
        "T2,0,1",
        "T2,0,1\nT1,0,1",
        "train_labels.csv: row 4, column sample_id: found 'T1' as in row 2; "
        "expected every run once",
    ),
    (
        "train_labels.csv",
        "T2,0,1",
        "T2,0,-1",
        "train_labels.csv: row 3, column mineral: found '-1'; expected 0, 1 or blank",
    ),
    (
        "train_labels.csv",
        "T2,0,1\n",
        "",
        "metadata.csv: row 3, column sample_id: found 'T2' of split train, which is in no "
        "label table; expected a row for it, blank where unknown",
    ),
    (
        "val_labels.csv",
        "mineral",
        "sulfur",
        "val_labels.csv: row 1: found families sulfur, alcohol; "
        "expected those of train_labels.csv: alcohol, mineral",
    ),
    (
        "submission_format.csv",
        "X2",
        "X9",
        "submission_format.csv: row 2, column sample_id: found 'X9'; "
        "expected a sample_id of metadata.csv",
    ),
    (
        "submission_format.csv",
        "X2",
        "V1",
        "submission_format.csv: row 3, column sample_id: found 'V1' as in row 2; "
        "expected every run once",
    ),
    (
        "submission_format.csv",
        "alcohol,mineral",
        "alcohol,sulfur",
        "submission_format.csv: row 1: found families alcohol, sulfur; "
        "expected those of the labels among them: alcohol, mineral",
    ),
]


@pytest.mark.parametrize(("name", "old", "new", "message"), BAD)
def test_one_problem_is_one_line(root: Path, name: str, old: str, new: str, message: str) -> None:
    edit(root / name, old, new)
    assert problems_of(root, lambda: Campaign.open(root)) == [message]


@pytest.mark.parametrize(
    "cell",
    ["../T1.csv", "a/../../T1.csv", "/etc/hosts", "C:\\T1.csv", "\\\\host\\T1.csv", ".", "./"],
)
def test_paths_stay_inside_the_folder(root: Path, cell: str) -> None:
    edit(root / "metadata.csv", "train_features/T1.csv", cell)
    assert problems_of(root, lambda: Campaign.open(root)) == [
        f"metadata.csv: row 2, column features_path: found {cell!r}; "
        "expected a path inside the folder of this table"
    ]


@pytest.mark.parametrize("cell", ["x" * 5000, "a\0b", "T1.csv/T1.csv"])
def test_paths_that_cannot_be(root: Path, cell: str) -> None:
    edit(root / "metadata.csv", "train_features/T1.csv", cell)
    (line,) = problems_of(root, lambda: Campaign.open(root))
    assert line.endswith("expected a file that exists in ROOT")


def test_all_problems_are_said_at_once(root: Path) -> None:
    edit(root / "metadata.csv", "V1,val", "V1,dev")
    edit(root / "metadata.csv", "X2,test", "X1,test")
    edit(root / "train_labels.csv", "T1,1", "T1,7")
    edit(root / "train_labels.csv", "T3", "T4")
    (root / "test_features" / "X1.csv").unlink()
    (root / "test_labels.csv").write_text("")
    assert problems_of(root, lambda: Campaign.open(root)) == [
        "8 problems were found:",
        "metadata.csv: row 7, column sample_id: found 'X1' as in row 6; expected every run once",
        "metadata.csv: row 6, column features_path: found 'test_features/X1.csv'; "
        "expected a file that exists in ROOT",
        "metadata.csv: row 5, column split: found 'dev'; expected train, val or test",
        "train_labels.csv: row 2, column alcohol: found '7'; expected 0, 1 or blank",
        "test_labels.csv: row 1: found no header; expected the names of the columns",
        "train_labels.csv: row 4, column 1: found 'T4'; expected a sample_id of metadata.csv",
        "metadata.csv: row 4, column sample_id: found 'T3' of split train, which is in no "
        "label table; expected a row for it, blank where unknown",
        "submission_format.csv: row 2, column sample_id: found 'X2'; "
        "expected a sample_id of metadata.csv",
    ]


def test_without_usable_metadata_the_other_tables_are_still_checked(root: Path) -> None:
    (root / "metadata.csv").write_text("")
    edit(root / "val_labels.csv", "V1,1", "V1,2")
    edit(root / "submission_format.csv", "sample_id", "id")
    assert problems_of(root, lambda: Campaign.open(root)) == [
        "3 problems were found:",
        "metadata.csv: row 1: found no header; expected the names of the columns",
        "val_labels.csv: row 2, column mineral: found '2'; expected 0, 1 or blank",
        "submission_format.csv: row 1, column 1: found 'id'; expected run or sample_id, "
        "and commas between the columns",
    ]


def test_train_needs_labels_where_another_split_has_them(root: Path) -> None:
    (root / "train_labels.csv").unlink()
    assert problems_of(root, lambda: Campaign.open(root)) == [
        "metadata.csv: found 3 runs of split train, none in a label table; "
        "expected a row for each in a label table, blank where unknown"
    ]


def test_an_unusable_label_table_is_not_blamed_on_its_runs(root: Path) -> None:
    edit(root / "train_labels.csv", "sample_id", "id")
    assert problems_of(root, lambda: Campaign.open(root)) == [
        "train_labels.csv: row 1, column 1: found 'id'; expected run or sample_id, "
        "and commas between the columns"
    ]


def test_a_label_table_that_is_there_is_complete(root: Path) -> None:
    (root / "test_labels.csv").write_text("sample_id,alcohol,mineral\nX2,1,1\n")
    assert problems_of(root, lambda: Campaign.open(root)) == [
        "metadata.csv: row 6, column sample_id: found 'X1' of split test, which is in no "
        "label table; expected a row for it, blank where unknown"
    ]
