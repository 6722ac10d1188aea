"""The journal of a training: kept fits come back, damaged ones do not."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import polars as pl
import pytest

from gale.errors import GaleWarning, TrainingError
from gale.training.fitting import Epoch, Fit
from gale.training.journal import HISTORY_SCHEMA, Journal, Step, count_fits, discard
from helpers.errors import refused

STEP = Step(2, "soup", 7)


def fit_of(score: float, n_epochs: int = 2) -> Fit:
    weights = {
        "0.weight": np.arange(6, dtype=np.float32).reshape(2, 3) * np.float32(score),
        "1.running_mean": np.array([0.1, 0.2], np.float32),
    }
    epochs = (Epoch(number, score + 1 / number, score) for number in range(1, n_epochs + 1))
    return Fit(weights, score, tuple(epochs))


def assert_equal(found: Fit, expected: Fit) -> None:
    assert (found.validation, found.epochs) == (expected.validation, expected.epochs)
    assert found.weights.keys() == expected.weights.keys()
    for name, value in expected.weights.items():
        assert found.weights[name].dtype == value.dtype
        np.testing.assert_array_equal(found.weights[name], value)


def found(journal: Journal, step: Step = STEP) -> Fit:
    fit = journal.find(step)
    assert fit is not None
    return fit


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "runs" / "model.partial"


@pytest.mark.parametrize("n_epochs", [0, 1, 3])
def test_a_finished_fit_is_kept_and_comes_back_equal(folder: Path, n_epochs: int) -> None:
    fit = fit_of(1 / 3, n_epochs)
    journal = Journal.open(folder, "print", resume=False)
    assert journal.find(STEP) is None
    journal.keep(STEP, fit)
    assert_equal(found(journal), fit)
    again = Journal.open(folder, "print", resume=True)
    assert_equal(found(again), fit)
    assert again.history().equals(journal.history())


def test_each_step_has_its_own_fit(folder: Path) -> None:
    journal = Journal.open(folder, "print", resume=False)
    steps = [Step(0, "member", 1), Step(0, "soup", 1), Step(1, "member", 1), Step(0, "member", 11)]
    for score, step in enumerate(steps):
        journal.keep(step, fit_of(score))
    assert [found(journal, step).validation for step in steps] == [0, 1, 2, 3]


@pytest.mark.parametrize("size", [0, 1, 100, -1], ids=["empty", "a byte", "cut", "last byte gone"])
def test_a_damaged_fit_is_not_there(folder: Path, size: int) -> None:
    journal = Journal.open(folder, "print", resume=False)
    journal.keep(STEP, fit_of(1))
    (path,) = folder.glob("*.npz")
    path.write_bytes(path.read_bytes()[:size])
    assert journal.find(STEP) is None
    journal.keep(STEP, fit_of(2))
    assert_equal(found(Journal.open(folder, "print", resume=True)), fit_of(2))


def test_a_changed_byte_is_noticed_or_harmless(folder: Path) -> None:
    journal = Journal.open(folder, "print", resume=False)
    journal.keep(STEP, fit_of(1))
    (path,) = folder.glob("*.npz")
    whole = path.read_bytes()
    for at in range(0, len(whole), 7):
        path.write_bytes(whole[:at] + bytes([whole[at] ^ 0x21]) + whole[at + 1 :])
        fit = journal.find(STEP)
        if fit is not None:
            assert_equal(fit, fit_of(1))


def test_another_training(folder: Path) -> None:
    Journal.open(folder, "print", resume=False).keep(STEP, fit_of(1))
    with refused(TrainingError, folder, found="seed", remedy="pass restart=True"):
        Journal.open(folder, "another", resume=True)


def test_a_journal_is_not_used_unasked(folder: Path) -> None:
    journal = Journal.open(folder, "print", resume=False)
    journal.keep(STEP, fit_of(1))
    remedy = ("pass resume=True", "pass restart=True")
    with refused(TrainingError, folder, found="1 finished fit ", remedy=remedy):
        Journal.open(folder, "print", resume=False)
    journal.keep(Step(0, "member", 0), fit_of(1))
    with refused(TrainingError, folder, found="2 finished fits ", remedy=remedy):
        Journal.open(folder, "print", resume=False)


def test_what_else_is_in_the_folder_stays(folder: Path) -> None:
    folder.mkdir(parents=True)
    (folder / "mine.txt").write_text("mine")
    Journal.open(folder, "print").keep(STEP, fit_of(1))
    discard(folder)
    assert [path.name for path in folder.iterdir()] == ["mine.txt"]
    (folder / "mine.txt").unlink()
    discard(folder)
    assert not folder.exists()
    discard(folder)


def test_resuming_what_never_began_begins_and_says_so(folder: Path) -> None:
    with pytest.warns(GaleWarning, match="no finished fits"):
        journal = Journal.open(folder, "print", resume=True)
    journal.keep(STEP, fit_of(1))
    assert_equal(found(Journal.open(folder, "print", resume=True)), fit_of(1))


@pytest.mark.parametrize("asked", ["resume", "restart"])
def test_without_a_folder_nothing_can_go_on_or_begin_anew(asked: str) -> None:
    with refused(TrainingError, asked, found="no journal", expected="journal="):
        Journal.open(None, "print", **{asked: True})


def test_going_on_and_beginning_anew_exclude_each_other(folder: Path) -> None:
    with refused(TrainingError, "resume", found="restart"):
        Journal.open(folder, "print", resume=True, restart=True)


def test_without_a_folder_fits_are_kept_in_memory() -> None:
    journal = Journal.open(None, "print", resume=False)
    assert journal.find(STEP) is None
    fit = fit_of(1)
    journal.keep(STEP, fit)
    assert journal.find(STEP) is fit
    journal.keep(STEP, fit_of(2))
    assert found(journal).validation == 2
    assert journal.history()["validation_log_loss"].to_list() == [2, 2]


def test_history() -> None:
    journal = Journal()
    assert journal.history().schema == HISTORY_SCHEMA
    journal.keep(STEP, fit_of(1.0, 1))  # in the order of the steps, whichever was finished first
    journal.keep(Step(3, "member", 0), fit_of(1.0, 0))
    journal.keep(Step(0, "member", 4), fit_of(0.5, 2))
    journal.keep(Step(0, "member", 0, "b"), fit_of(0.25, 1))
    journal.keep(Step(1, "member", 0, "a"), fit_of(0.75, 1))
    expected = pl.DataFrame(
        {
            "part": ["", "", "", "a", "b"],
            "fold": [0, 0, 2, 1, 0],
            "stage": ["member", "member", "soup", "member", "member"],
            "member": [4, 4, 7, 0, 0],
            "epoch": [1, 2, 1, 1, 1],
            "train_loss": [1.5, 1.0, 2.0, 1.75, 1.25],
            "validation_log_loss": [0.5, 0.5, 1.0, 0.75, 0.25],
        }
    )
    assert journal.history().equals(expected)


def test_a_training_begun_anew_forgets_what_was_there(folder: Path) -> None:
    Journal.open(folder, "print").keep(STEP, fit_of(1))
    assert count_fits(folder) == 1
    journal = Journal.open(folder, "another", restart=True)
    assert count_fits(folder) == 0
    journal.keep(STEP, fit_of(2))
    assert_equal(found(Journal.open(folder, "another", resume=True)), fit_of(2))


def test_a_journal_without_fits_is_no_journal(folder: Path) -> None:
    Journal.open(folder, "print")
    assert not folder.exists()
    folder.mkdir(parents=True)
    (folder / "fingerprint").write_text("print")
    Journal.open(folder, "another").keep(STEP, fit_of(2))
    assert_equal(found(Journal.open(folder, "another", resume=True)), fit_of(2))


def test_what_a_killed_process_left_does_not_keep_the_folder(folder: Path) -> None:
    journal = Journal.open(folder, "a")
    journal.keep(STEP, fit_of(0.5))
    for left in (".fold0_member1.npz.gale-tmp", ".fold0_member1.npz.gale-lock"):
        (folder / left).write_bytes(b"half")
    assert count_fits(folder) == 1
    discard(folder)
    assert not folder.exists()
