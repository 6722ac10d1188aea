"""What the fits of members leave on their way: messages, history, journal."""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np
import polars as pl
import pytest

from gale.errors import TrainingError
from gale.plumbing.progress import TimeLeft
from gale.training.journal import Step
from helpers.errors import refused
from helpers.members import (
    FOLDS,
    Steps,
    fitted,
    fitter,
    flat,
)
from helpers.training import tiny_recipe


def test_an_error_says_which_fit_it_was() -> None:
    one = fitter(tiny_recipe(fitting={"learning_rate": 1e30}), folds=FOLDS)
    with refused(TrainingError, found="nan", remedy="fitting.learning_rate") as caught:
        one.fit([Step(2, "member", 7)])
    assert re.fullmatch(r"fold 2, member 7, epoch \d+", caught.value.source)


def test_a_fold_may_have_another_name_in_messages() -> None:
    one = fitter(tiny_recipe(), unit="training", name="hinge")
    one.fit([Step(0, "member", 1, "hinge")])
    assert isinstance(one.work.progress, Steps)
    (text,) = one.work.progress.texts
    assert text.startswith("hinge training 0, member 1: ")
    fit = fitted(one, Step(0, "member", 1, "hinge"))
    assert f"{fit.validation:.4f}" in text
    assert "5 epochs" in text


def test_the_clock_may_be_that_of_a_longer_work() -> None:
    clock = TimeLeft()
    clock.expect("", fits=2, epochs=5)
    one = fitter(tiny_recipe(soup={"size": 1}), clock=clock)
    one.fit([Step(0, "member", 0)])
    assert clock.left("", alive=0, epoch=0) > 0
    one.fit([Step(0, "member", 1)])
    assert clock.left("", alive=0, epoch=0) == 0


def test_the_history_grows_with_every_fit(tmp_path: Path) -> None:
    path = tmp_path / "history.csv"
    soup = {"kind": "fixed", "size": 1, "iterations": 1}
    one = fitter(tiny_recipe(soup=soup), folds=FOLDS, history=path)
    start = fitted(one, Step(2, "member", 0))
    one.write_history()
    assert pl.read_csv(path).select("fold", "stage", "member", "epoch").rows() == [
        (2, "member", 0, epoch) for epoch in range(1, 6)
    ]
    fitted(one, Step(2, "member", 1))
    fitted(one, Step(2, "soup", 0))
    one.write_history()
    history = pl.read_csv(path)
    assert history["stage"].to_list() == ["member"] * 10 + ["soup"] * 5
    assert history["member"].to_list() == [0] * 5 + [1] * 5 + [0] * 5
    assert history["validation_log_loss"][:5].min() == pytest.approx(start.validation, abs=1e-12)


def test_fits_that_the_journal_holds_are_not_made_again() -> None:
    recipe = tiny_recipe(soup={"kind": "fixed", "size": 2, "iterations": 2})
    first = fitter(recipe, folds=FOLDS)
    expected = first.members()
    again = fitter(recipe, folds=FOLDS, journal=first.work.journal)
    found = again.members()
    assert isinstance(again.work.progress, Steps)
    assert (len(again.work.progress.texts), again.work.progress.states) == (3 * 6, [])
    for left, right in zip(expected, found, strict=True):
        np.testing.assert_array_equal(flat(left[0]), flat(right[0]))
