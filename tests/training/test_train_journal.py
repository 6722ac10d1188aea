"""What a training leaves on its way: its history, and fits to go on from."""

from __future__ import annotations

import errno
import re
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest

import gale
from gale.errors import OutputError, TrainingError
from gale.features.summary import SummarySpec
from gale.plumbing.cache import Cache
from gale.plumbing.work import Work
from gale.training.facts import fingerprint_of
from gale.training.fitting import Fit, Settings, fit
from gale.training.folds import Fold
from gale.training.runs import TrainingRuns
from gale.training.waves import fit_all
from helpers.errors import refused
from helpers.training import Exported, Recorder, Trained, tiny_recipe

pytestmark = pytest.mark.slow

COUNTS = ["fold", "stage", "member", "epoch"]


def test_history(trained: Trained) -> None:
    history = pl.read_csv(trained.history)
    assert history.columns == ["part", *COUNTS, "train_loss", "validation_log_loss"]
    assert history["part"].unique().to_list() == [""]
    expected = [
        (fold, "member", member, epoch)
        for fold in (0, 1) for member in (0, 1) for epoch in range(1, 6)
    ]  # fmt: skip
    assert history.select(COUNTS).rows() == expected
    assert history.null_count().sum_horizontal().item() == 0
    assert history["validation_log_loss"].is_between(0, 5).all()


def test_history_of_fixed_soups(
    campaign: gale.Campaign, exported: Exported, cache: Cache, tmp_path: Path
) -> None:
    recipe = tiny_recipe(
        soup={"kind": "fixed", "size": 2, "iterations": 2}, fitting={"patience": 1, "epochs": 40}
    )
    gale.train(campaign, recipe, history=tmp_path / "history.csv", work=Work(cache=cache))
    history = pl.read_csv(tmp_path / "history.csv")
    fits = history.group_by("fold", "stage", "member").agg(
        pl.col("epoch").sort(), n=pl.len().cast(pl.Int64)
    )
    expected = [
        (fold, stage, number)
        for fold in (0, 1) for stage, count in (("member", 4), ("soup", 2))
        for number in range(count)
    ]  # fmt: skip
    assert sorted(fits.select("fold", "stage", "member").rows()) == expected
    assert all(epochs == list(range(1, n + 1)) for *_, epochs, n in fits.rows())
    assert fits["n"].min() != fits["n"].max()  # some stopped early


def test_a_loss_that_is_no_number(
    campaign: gale.Campaign, cache: Cache, tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    def wild_later(network: Any, *arguments: Any, **more: Any) -> Iterator[tuple[int, Fit]]:
        """Fits fold 1, which is a wave of its own, with a learning rate that bursts."""
        if more["names"] == ["fold 1, member 0", "fold 1, member 1"]:
            arguments = tuple(
                replace(argument, learning_rate=1e30)
                if isinstance(argument, Settings)
                else argument
                for argument in arguments
            )
        return fit(network, *arguments, **more)

    monkeypatch.setattr("gale.training.waves.fit", wild_later)
    odd = campaign.select(range(1, len(campaign)))  # so that folds differ in size
    journal, history = tmp_path / "journal", tmp_path / "history.csv"
    recipe = tiny_recipe(network={"layer_norm": False, "batch_norm": False})
    with refused(TrainingError, found="nan", remedy="fitting.learning_rate") as caught:
        gale.train(odd, recipe, journal=journal, history=history, work=Work(cache=cache))
    assert re.fullmatch(r"fold 1, member 0, epoch \d", caught.value.source)
    kept = sorted(path.name for path in journal.glob("*.npz"))
    assert kept == ["fold0_member0.npz", "fold0_member1.npz"]
    assert pl.read_csv(history).select("fold", "member").unique().sort("member").rows() == [
        (0, 0), (0, 1)
    ]  # fmt: skip


def test_a_learning_rate_beyond_reason(campaign: gale.Campaign, cache: Cache) -> None:
    with refused(TrainingError, found="nan", remedy="fitting.learning_rate") as caught:
        gale.train(campaign, tiny_recipe(fitting={"learning_rate": 1e30}), work=Work(cache=cache))
    assert caught.value.source.startswith("fold 0, member 0, epoch ")


def count_fits(monkeypatch: pytest.MonkeyPatch) -> list[Fit]:
    fitted: list[Fit] = []

    def counted(*arguments: Any) -> Iterator[tuple[int, Fit]]:
        for number, done in fit_all(*arguments):
            fitted.append(done)
            yield number, done

    monkeypatch.setattr("gale.training.members.fit_all", counted)
    return fitted


def test_an_interrupted_training_goes_on(
    trained: Trained, campaign: gale.Campaign, exported: Exported, cache: Cache, tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    journal, history = tmp_path / "journal", tmp_path / "history.csv"
    with pytest.raises(KeyboardInterrupt):
        gale.train(
            campaign, tiny_recipe(), journal=journal, work=Work(cache=cache, progress=Recorder(3))
        )
    assert len(list(journal.glob("*.npz"))) == 3
    fitted = count_fits(monkeypatch)
    model = gale.train(
        campaign,
        tiny_recipe(),
        journal=journal,
        resume=True,
        history=history,
        work=Work(cache=cache),
    )
    assert len(fitted) == 1
    assert model.facts["training"] == trained.model.facts["training"]
    scores = (each.facts["scores"]["log_loss"] for each in (model, trained.model))
    assert next(scores) == pytest.approx(next(scores), abs=1e-3)  # all but rounding is the same
    expected, found = pl.read_csv(trained.history), pl.read_csv(history)
    assert found.select(COUNTS).equals(expected.select(COUNTS))
    np.testing.assert_allclose(found["train_loss"], expected["train_loss"], atol=1e-3)
    assert len(list(journal.glob("*.npz"))) == 4  # the caller deletes it once the model is saved


@pytest.mark.parametrize("n_fits", [1, 5, 12])
def test_an_interrupted_fixed_soup_goes_on(
    campaign: gale.Campaign, exported: Exported, cache: Cache, tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch, n_fits: int,
) -> None:  # fmt: skip
    recipe = tiny_recipe(soup={"kind": "fixed", "size": 2, "iterations": 2})  # 12 fits
    journal = tmp_path / "journal"
    with pytest.raises(KeyboardInterrupt):
        gale.train(
            campaign, recipe, journal=journal, work=Work(cache=cache, progress=Recorder(n_fits))
        )
    fitted = count_fits(monkeypatch)
    gale.train(campaign, recipe, journal=journal, resume=True, work=Work(cache=cache))
    assert len(fitted) == 12 - n_fits
    gale.train(campaign, recipe, work=Work(cache=cache))
    np.testing.assert_allclose(exported.weights(0), exported.weights(1), atol=5e-3)


def test_a_journal_of_another_training_is_refused(
    campaign: gale.Campaign, cache: Cache, tmp_path: Path
) -> None:
    journal = tmp_path / "journal"
    with pytest.raises(KeyboardInterrupt):
        gale.train(
            campaign, tiny_recipe(), journal=journal, work=Work(cache=cache, progress=Recorder(1))
        )
    labels = campaign.labels.copy()
    labels[0, 1] = 1 - labels[0, 1]
    others: list[tuple[gale.Campaign, gale.Recipe, int]] = [
        (campaign, tiny_recipe(), 1),
        (campaign, tiny_recipe(fitting={"epochs": 6}), 0),
        (replace(campaign, labels=labels), tiny_recipe(), 0),
        (campaign.select(range(1, len(campaign))), tiny_recipe(), 0),
    ]
    for other, recipe, seed in others:
        with refused(TrainingError, journal, found="seed", remedy="pass restart=True"):
            gale.train(
                other, recipe, seed=seed, journal=journal, resume=True, work=Work(cache=cache)
            )
    with refused(TrainingError, journal, found="1 finished fit ", remedy="pass resume=True"):
        gale.train(campaign, tiny_recipe(), journal=journal, work=Work(cache=cache))
    assert len(list(journal.glob("*.npz"))) == 1


def test_a_journal_of_other_splits_is_refused(
    campaign: gale.Campaign, cache: Cache, tmp_path: Path
) -> None:
    """The folds depend on them: with train and val swapped, members would be scored on own runs."""
    journal, recipe = tmp_path / "journal", tiny_recipe(folds={"count": 1})
    with pytest.raises(KeyboardInterrupt):
        gale.train(campaign, recipe, journal=journal, work=Work(cache=cache, progress=Recorder(1)))
    other = {"train": "val", "val": "train"}
    swapped = replace(campaign, split=tuple(other.get(name, name) for name in campaign.split))
    for train in (gale.train, gale.ablate):
        with refused(TrainingError, journal, found="splits", remedy="pass restart=True"):
            train(swapped, recipe, journal=journal, resume=True, work=Work(cache=cache))
    with refused(TrainingError, "resume", found="journal"):
        gale.train(campaign, recipe, resume=True)


def test_the_fingerprint_is_of_the_folds(campaign: gale.Campaign) -> None:
    """Whatever they depend on: splits, derivatized samples, seed, or a way of splitting to come."""
    known = campaign.select(range(8))
    runs = TrainingRuns(known, SummarySpec((18,)), np.zeros((8, 7), np.float32), [], ("",) * 8)
    rows = np.arange(8)
    folds = [[Fold(rows[at:], rows[:at])] for at in (2, 3)]
    one, same, other = (
        fingerprint_of(tiny_recipe(), 0, runs, each, {}) for each in (folds[0], folds[0], folds[1])
    )
    assert one == same != other


def test_a_full_disk_keeps_what_is_finished(
    campaign: gale.Campaign, cache: Cache, tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    def full(_: pl.DataFrame, path: Path) -> None:
        path.write_bytes(b"fold")
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr("gale.training.members.write_csv", full)
    history = tmp_path / "history.csv"
    with pytest.raises(OutputError, match=r"history.csv: .*No space left"):
        gale.train(
            campaign,
            tiny_recipe(),
            journal=tmp_path / "journal",
            history=history,
            work=Work(cache=cache),
        )
    assert [path.name for path in tmp_path.iterdir()] == ["journal"]
    kept = sorted(path.name for path in (tmp_path / "journal").glob("*.npz"))
    assert kept == [f"fold{fold}_member{member}.npz" for fold in (0, 1) for member in (0, 1)]
