"""The val split as a fold of its own: which folds there are, and what a training says then."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import polars as pl
import pytest

import gale
from gale.evaluation import metrics
from gale.plumbing.cache import Cache
from gale.plumbing.work import Work
from gale.report import TrainingFiles
from gale.report.training import training_report
from gale.training.folds import Fold, folds_of, val_of
from gale.training.settings import FoldSettings
from helpers.html_pages import parsed
from helpers.training import Recorder, tiny_recipe

N_TRAIN, N_VAL = 60, 25


def rows_of(campaign: gale.Campaign, split: str) -> list[int]:
    return np.flatnonzero(np.array(campaign.split) == split).tolist()


@pytest.fixture
def runs(campaign: gale.Campaign) -> gale.Campaign:
    """Made-up runs of two families, in two splits."""
    n_runs = N_TRAIN + N_VAL
    labels = (np.random.default_rng(2).random((n_runs, 2)) < 0.4).astype(np.float32)
    split = np.array(["train"] * N_TRAIN + ["val"] * N_VAL)
    return gale.Campaign(
        root=campaign.root,
        runs=tuple(map(str, range(n_runs))),
        paths=campaign.paths[:1] * n_runs,
        split=tuple(np.random.default_rng(3).permutation(split).tolist()),
        families=("alcohol", "mineral"),
        labels=labels,
        derivatized=np.full(n_runs, np.nan, np.float32),
        group=(None,) * n_runs,
        checksums=(None,) * n_runs,
    )


def folds_and_notes(runs: gale.Campaign, count: int = 5) -> tuple[list[Fold], list[str]]:
    told = Recorder()
    choices = FoldSettings(count=count, val="apart", stratify_by="all")
    return folds_of(runs, choices, 0, told), told.notes


@pytest.mark.parametrize("count", [2, 3, 5])
def test_val_is_one_of_the_folds(runs: gale.Campaign, count: int) -> None:
    folds, notes = folds_and_notes(runs, count)
    assert notes == []
    assert len(folds) == count
    assert folds[-1].validation.tolist() == rows_of(runs, "val")
    assert folds[-1].training.tolist() == rows_of(runs, "train")
    of_train = [fold.validation for fold in folds[:-1]]
    assert sorted(np.concatenate(of_train)) == rows_of(runs, "train")
    assert max(map(len, of_train)) - min(map(len, of_train)) <= 1
    for fold in folds:
        assert sorted([*fold.training, *fold.validation]) == list(range(len(runs)))
    found = val_of(runs.split, folds)
    assert found is not None
    assert found.tolist() == rows_of(runs, "val")


def test_without_a_val_split_folds_are_as_ever(runs: gale.Campaign) -> None:
    train = runs.of_split("train")
    folds, notes = folds_and_notes(train)
    mixed = folds_of(train, FoldSettings(count=5, stratify_by="all"), 0, Recorder())
    assert notes == []
    assert [fold.validation.tolist() for fold in folds] == [
        fold.validation.tolist() for fold in mixed
    ]
    assert val_of(train.split, folds) is None


def small(runs: gale.Campaign) -> gale.Campaign:
    return runs.select(np.array(sorted(rows_of(runs, "train") + rows_of(runs, "val")[:5])))


def large(runs: gale.Campaign) -> gale.Campaign:
    return runs.select(np.array(sorted(rows_of(runs, "train")[:20] + rows_of(runs, "val"))))


def without_positive(runs: gale.Campaign) -> gale.Campaign:
    labels = runs.labels.copy()
    labels[rows_of(runs, "train"), 1] = 0
    return replace(runs, labels=labels)


def of_shared_groups(runs: gale.Campaign) -> gale.Campaign:
    group: list[str | None] = [None] * len(runs)
    group[rows_of(runs, "train")[0]] = group[rows_of(runs, "val")[3]] = "monday"
    return replace(runs, group=tuple(group))


@pytest.mark.parametrize(
    ("changed", "why"),
    [
        (small, "5 runs"),
        (large, "56%"),
        (without_positive, "mineral"),
        (of_shared_groups, "1 of its runs is of groups of train"),
    ],
)
def test_a_val_split_that_must_be_mixed(runs: gale.Campaign, changed: object, why: str) -> None:
    assert callable(changed)
    folds, notes = folds_and_notes(changed(runs))
    assert len(folds) == 5
    assert val_of(changed(runs).split, folds) is None
    (note,) = notes
    assert why in note


@pytest.mark.slow
@pytest.mark.usefixtures("few_listed")
def test_what_a_training_says(campaign: gale.Campaign, cache: Cache, tmp_path: Path) -> None:
    files = TrainingFiles.of(tmp_path / "model.onnx")
    recipe = tiny_recipe(folds={"count": 3, "val": "apart"})
    work = Work(cache=cache, progress=Recorder())
    model = gale.train(
        campaign,
        recipe,
        history=files.history,
        out_of_fold=files.out_of_fold,
        work=work,
    )
    model.save(files.model)
    val = campaign.of_split("val")
    held_out = pl.read_csv(files.out_of_fold)
    scores, loss = model.facts["scores"], {}
    for name, runs in (("val", val), ("all", campaign.of_split("train", "val"))):
        table = pl.DataFrame({"run": runs.runs}).join(held_out, on="run", maintain_order="left")
        loss[name] = metrics.log_loss(runs.labels, table.select(runs.families).to_numpy())
    assert scores["log_loss"] == pytest.approx(loss["val"], abs=1e-6)
    assert scores["pooled_log_loss"] == pytest.approx(loss["all"], abs=1e-6)
    assert scores["log_loss"] != pytest.approx(scores["pooled_log_loss"], abs=1e-4)
    assert scores["measured_on"].startswith(f"{len(val)} runs of the val split, by members that")
    page = parsed(training_report(campaign, files, work=work)).text_content()
    assert f"{len(val)} runs of the val split, by members that trained on the train split" in page
