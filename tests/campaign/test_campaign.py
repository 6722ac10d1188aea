"""Campaigns in a competition's layout: opened, cut, counted, verified."""

from __future__ import annotations

import errno
import hashlib
import os
import shutil
from collections.abc import Callable
from concurrent.futures import Executor, ProcessPoolExecutor, ThreadPoolExecutor
from contextlib import nullcontext
from dataclasses import replace
from multiprocessing import get_context
from pathlib import Path

import numpy as np
import pytest
from numpy.testing import assert_array_equal

from gale.campaign import Campaign
from gale.errors import CampaignError
from helpers.campaign_folders import RUN, RUNS, Problem, check_problems, edit, write_competition


@pytest.fixture
def root(tmp_path: Path) -> Path:
    return write_competition(tmp_path)


def test_opens_a_competition_folder(root: Path) -> None:
    campaign = Campaign.open(root, columns={"mz": "m/z"})
    assert campaign.root == root
    assert campaign.runs == tuple(RUNS)
    assert campaign.split == tuple(RUNS.values())
    assert campaign.paths[0] == root / "train_features" / "T1.csv"
    assert campaign.families == ("alcohol", "mineral")
    assert campaign.labels.dtype == campaign.derivatized.dtype == np.float32
    nan = np.nan
    assert_array_equal(campaign.labels, [[1, 0], [0, 1], [nan, 1], [0, 1], [nan, nan], [nan, nan]])
    assert_array_equal(campaign.derivatized, [nan, 1, nan, nan, 1, nan])
    assert campaign.checksums[0] == hashlib.md5(campaign.paths[0].read_bytes()).hexdigest()
    assert campaign.columns == {"mz": "m/z"}
    assert campaign.submission == ("X2", "V1", "X1")
    assert campaign.submission_families == ("alcohol", "mineral")
    assert len(campaign) == 6
    assert repr(campaign) == (
        f"<Campaign {root}: 6 runs (3 train, 1 val, 2 test), 2 families, 4 labelled, "
        "0 without checksum>"
    )


def test_label_tables_and_submission_format_may_be_missing(root: Path) -> None:
    for name in ("train_labels.csv", "val_labels.csv", "submission_format.csv"):
        (root / name).unlink()
    campaign = Campaign.open(str(root))
    assert campaign.families == ()
    assert campaign.labels.shape == (6, 0)
    assert campaign.submission is None
    assert campaign.submission_families == ()
    assert not campaign.labelled.any()


def test_test_labels_are_read_where_they_are(root: Path) -> None:
    (root / "test_labels.csv").write_text("sample_id,alcohol,mineral\nX2,1,1\nX1,,\n")
    assert_array_equal(Campaign.open(root).labels[4:], [[np.nan, np.nan], [1, 1]])


def test_a_given_label_table_takes_the_place_of_the_others(root: Path, tmp_path: Path) -> None:
    other = tmp_path / "other.csv"
    other.write_text("run,sulfur\nX2,1\nX1,0\nT1,0\nT2,0\nT3,1\n")
    (root / "submission_format.csv").unlink()
    campaign = Campaign.open(root, labels=other)
    assert campaign.families == ("sulfur",)
    assert_array_equal(campaign.labels[:, 0], [0, 0, 1, np.nan, 0, 1])


def test_labels_may_know_fewer_families_than_the_competition(root: Path, tmp_path: Path) -> None:
    other = tmp_path / "other.csv"
    other.write_text("run,mineral\nT1,1\nT2,0\nT3,1\n")
    campaign = Campaign.open(root, labels=other)
    assert campaign.families == ("mineral",)
    assert campaign.submission_families == ("alcohol", "mineral")
    other.write_text("run,mineral,sulfur\nT1,1,1\nT2,0,0\nT3,1,1\n")
    check_problems(
        root,
        lambda: Campaign.open(root, labels=other),
        Problem("submission_format.csv: row 1", "alcohol, mineral", "mineral, sulfur"),
    )


def test_to_predict_neither_labels_nor_every_file_is_needed(root: Path) -> None:
    edit(root / "train_labels.csv", "T2,0,1", "T9,7")
    (root / "train_features" / "T1.csv").unlink()
    with pytest.raises(CampaignError) as caught:
        Campaign.open(root)
    assert len(caught.value.problems) == 5
    campaign = Campaign.open(root, labels=root / "none.csv", with_labels=False)
    assert campaign.runs == tuple(RUNS)
    assert (campaign.families, campaign.labels.shape) == ((), (6, 0))
    assert campaign.submission == ("X2", "V1", "X1")
    assert campaign.submission_families == ("alcohol", "mineral")
    edit(root / "metadata.csv", "train_features/T2.csv", "../T2.csv")
    check_problems(
        root,
        lambda: Campaign.open(root, with_labels=False),
        Problem("metadata.csv: row 3, column features_path", "'../T2.csv'", "inside"),
    )


def test_metadata_may_have_more_columns_windows_paths_and_numbers_as_floats(root: Path) -> None:
    path = root / "metadata.csv"
    lines = [f"note,{line}" for line in path.read_text().splitlines()]
    path.write_text("\r\n".join(lines).replace("train,1,", "train,1.0,").replace("s/", "s\\"))
    campaign = Campaign.open(root)
    assert campaign.derivatized[1] == 1
    assert campaign.paths == tuple(
        root / f"{split}_features/{run}.csv" for run, split in RUNS.items()
    )


@pytest.mark.parametrize("name", ["none", "metadata.csv"])
def test_a_folder_is_needed(root: Path, name: str) -> None:
    check_problems(root, lambda: Campaign.open(root / name), Problem(name, "folder"))


def test_select_keeps_everything_together(root: Path) -> None:
    campaign = Campaign.open(root)
    cut = campaign.select([4, 0])
    assert cut.runs == ("X1", "T1")
    assert cut.split == ("test", "train")
    assert cut.paths == (campaign.paths[4], campaign.paths[0])
    assert cut.checksums == (campaign.checksums[4], campaign.checksums[0])
    assert_array_equal(cut.labels, campaign.labels[[4, 0]])
    assert_array_equal(cut.derivatized, [1, np.nan])
    assert cut.submission == ("X1",)
    assert cut.submission_families == campaign.submission_families
    assert cut.families == campaign.families


def test_select_takes_positions_masks_and_nothing(root: Path) -> None:
    campaign = Campaign.open(root)
    assert campaign.select(campaign.labelled).runs == ("T1", "T2", "T3", "V1")
    assert campaign.select(np.array([-1, 1])).runs == ("X2", "T2")
    assert campaign.select(range(2)).runs == ("T1", "T2")
    nothing = campaign.select([])
    assert len(nothing) == 0
    assert nothing.labels.shape == (0, 2)
    assert np.isnan(nothing.prevalence()).all()
    with pytest.raises(IndexError):
        campaign.select([6])
    with pytest.raises(IndexError):
        campaign.select([True])


def test_of_split(root: Path) -> None:
    campaign = Campaign.open(root)
    assert campaign.of_split("train").runs == ("T1", "T2", "T3")
    assert campaign.of_split("test", "val").runs == ("V1", "X1", "X2")
    assert len(campaign.of_split("train").of_split("val")) == 0
    check_problems(
        root,
        lambda: campaign.of_split("dev", "train"),
        Problem("ROOT", "'dev'", ("train", "val", "test")),
    )


def test_arrays_are_read_only(root: Path) -> None:
    campaign = Campaign.open(root)
    for array in (campaign.labels, campaign.derivatized, campaign.select([0]).labels):
        with pytest.raises(ValueError, match="read-only"):
            array[0] = 0


def test_prevalence_is_over_known_labels(root: Path) -> None:
    assert_array_equal(Campaign.open(root).prevalence(), [1 / 3, 3 / 4])
    assert_array_equal(Campaign.open(root).of_split("train").prevalence(), [1 / 2, 2 / 3])


def test_family_table(root: Path) -> None:
    assert Campaign.open(root).family_table().rows() == [
        ("train", "alcohol", 1, 1, 1, 1 / 2),
        ("train", "mineral", 2, 1, 0, 2 / 3),
        ("val", "alcohol", 0, 1, 0, 0.0),
        ("val", "mineral", 1, 0, 0, 1.0),
        ("test", "alcohol", 0, 0, 2, None),
        ("test", "mineral", 0, 0, 2, None),
    ]
    empty = Campaign.open(root).select([]).family_table()
    assert empty.columns == ["split", "family", "positive", "negative", "unknown", "prevalence"]


def test_check_trainable(root: Path) -> None:
    campaign = Campaign.open(root)
    campaign.check_trainable()
    check_problems(
        root,
        campaign.of_split("val").check_trainable,
        Problem("ROOT: column alcohol", ("0 positive", "1 negative", "0 unknown"), "positive"),
        Problem("ROOT: column mineral", ("1 positive", "0 negative", "0 unknown"), "positive"),
    )
    for name in ("train_labels.csv", "val_labels.csv"):
        (root / name).unlink()
    check_problems(
        root, Campaign.open(root).check_trainable, Problem("ROOT", "labels", remedy="pass labels=")
    )


def spawn() -> Executor:
    return ProcessPoolExecutor(1, mp_context=get_context("spawn"))


@pytest.mark.parametrize("make", [None, ThreadPoolExecutor, spawn])
def test_verify_checksums(root: Path, make: Callable[[], Executor] | None) -> None:
    large = b"0123456789abcdef" * (1 << 17)  # two blocks
    (root / "train_features" / "T1.csv").write_bytes(large)
    was = [hashlib.md5(RUN.format(at).encode()).hexdigest() for at in range(6)]
    edit(root / "metadata.csv", was[0], hashlib.md5(large).hexdigest().upper())
    edit(root / "metadata.csv", was[5], "")
    campaign = Campaign.open(root)
    with make() if make else nullcontext() as executor:
        assert campaign.verify_checksums(executor) == 5

        (root / "train_features" / "T2.csv").write_bytes(b"other")
        (root / "test_features" / "X1.csv").unlink()
        check_problems(
            root,
            lambda: campaign.verify_checksums(executor),
            Problem("ROOT", "1 run without a checksum"),
            Problem("train_features/T2.csv", hashlib.md5(b"other").hexdigest(), was[1]),
            Problem("test_features/X1.csv", os.strerror(errno.ENOENT), was[4]),
        )


def test_fingerprint_is_of_what_training_depends_on(root: Path, tmp_path: Path) -> None:
    campaign = Campaign.open(root)
    moved = shutil.copytree(root, tmp_path / "moved", ignore=shutil.ignore_patterns("moved"))
    assert Campaign.open(moved).fingerprint() == campaign.fingerprint()
    assert campaign.select([0, 1]).fingerprint() != campaign.fingerprint()
    changes = [("T1,1,0", "T1,1,"), ("T1,1,0", "T1,0,0"), ("T1,1,", "T1,,"), ("alcohol", "sulfur")]
    found = {campaign.fingerprint()}
    for old, new in changes:
        shutil.copy(root / "train_labels.csv", moved)
        edit(moved / "train_labels.csv", old, new)
        (moved / "val_labels.csv").unlink(missing_ok=True)
        (moved / "submission_format.csv").unlink(missing_ok=True)
        found.add(Campaign.open(moved).fingerprint())
    assert len(found) == 5


def test_groups_come_from_the_label_tables(root: Path) -> None:
    edit(root / "train_labels.csv", "alcohol,mineral\nT1,1,0", "alcohol,group,mineral\nT1,1,a,0")
    edit(root / "train_labels.csv", "T2,0,1\nT3,,1", "T2,0,b,1\nT3,,a,1")
    campaign = Campaign.open(root)
    assert campaign.families == ("alcohol", "mineral")
    assert campaign.group == ("a", "b", "a", None, None, None)
    assert campaign.select([2, 3]).group == ("a", None)
    assert (campaign.n_groups, campaign.select([2, 3]).n_groups) == (2, 1)
    assert campaign.of_split("test").group == (None, None)
    assert "2 families, 2 groups, 4 labelled" in repr(campaign)
    assert " group" not in repr(campaign.select([3]))
    assert Campaign.open(root, with_labels=False).group == (None,) * 6


def test_groups_of_a_folder_of_runs(root: Path) -> None:
    (root / "metadata.csv").unlink()
    names = [f"{split}_features/{run}.csv" for run, split in RUNS.items()]
    rows = [f"{name},{at % 2},day {at % 2 + 1}\n" for at, name in enumerate(names)]
    (root / "labels.csv").write_text("run,alcohol,group\n" + "".join(rows))
    assert Campaign.open(root).group == ("day 1", "day 2") * 3
    (root / "labels.csv").write_text("run,alcohol\n" + "".join(f"{name},1\n" for name in names))
    assert Campaign.open(root).group == (None,) * 6


@pytest.mark.parametrize("name", ["fingerprint", "labels_fingerprint"])
def test_groups_are_part_of_the_fingerprints(root: Path, name: str) -> None:
    campaign = Campaign.open(root)
    groups = [(None,) * 6, ("a", *campaign.group[1:]), ("a", "a", None, "b", None, None)]
    found = [getattr(replace(campaign, group=group), name)() for group in groups]
    assert found[0] == getattr(campaign, name)()
    assert len({*found}) == 3


def test_fingerprint_is_the_same_everywhere(root: Path) -> None:
    labels = [[1, 0], [0, 1], [-1, 1], [0, 1], [-1, -1], [-1, -1]]
    text = f'["T1", "T2", "T3", "V1", "X1", "X2"], ["alcohol", "mineral"], {labels}'
    expected = hashlib.sha256(f"[{text}]".encode()).hexdigest()
    assert Campaign.open(root).fingerprint() == expected
