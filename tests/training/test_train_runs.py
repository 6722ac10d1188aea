"""The runs of a training: which are left out, which are odd, and which are too few."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import polars as pl
import pytest

import gale
from gale.errors import CampaignError, TrainingError
from gale.plumbing.cache import Cache
from gale.plumbing.work import Work
from gale.training.runs import read_training_runs
from helpers.errors import refused
from helpers.training import Exported, Recorder, relabelled, spoil, tiny_recipe


def test_a_family_without_a_positive_run_in_train_is_refused_though_val_has_one(
    campaign: gale.Campaign, cache: Cache
) -> None:
    labels = np.array(campaign.labels)
    labels[np.array(campaign.split) == "train", 1] = 0
    with pytest.raises(CampaignError, match=r"column hydrocarbon: .*\b0 positive"):
        gale.train(
            relabelled(campaign, labels), tiny_recipe(folds={"count": 1}), work=Work(cache=cache)
        )


@pytest.mark.slow
@pytest.mark.parametrize(("rows", "count"), [([3], "1 run is"), ([3, 7], "2 runs are")])
def test_runs_without_labels_are_noted(
    campaign: gale.Campaign, exported: Exported, cache: Cache, rows: list[int], count: str
) -> None:
    labels = np.array(campaign.labels)
    labels[rows] = np.nan
    with pytest.warns(gale.GaleWarning, match=f"^{count} left out: .*label") as warned:
        gale.train(relabelled(campaign, labels), tiny_recipe(), work=Work(cache=cache))
    assert len(warned) == 1


@pytest.mark.slow
def test_notes_of_runs_are_given_once(
    campaign: gale.Campaign, exported: Exported, tmp_path: Path
) -> None:
    paths = list(campaign.paths)
    for at in (0, 5):
        paths[at] = tmp_path / f"{at}.csv"
        frame = pl.read_csv(campaign.paths[at]).with_columns(pl.col("intensity") - 1e9)
        frame.write_csv(paths[at])
    spoiled = replace(campaign, paths=tuple(paths))
    with pytest.warns(gale.GaleWarning) as warned:
        gale.train(spoiled, tiny_recipe())
    (note,) = (str(each.message) for each in warned)
    assert note.startswith("2 runs are odd")
    (example,) = gale.read_run(paths[0]).notes
    assert note.endswith(f"{campaign.runs[0]}: {example}")


PROFILE = {"kind": "profile", "bins": 32, "mz_first": 18, "mz_last": 120, "losses": 20}


def test_a_run_without_profile_is_left_out(
    campaign: gale.Campaign, exported: Exported, cache: Cache, tmp_path: Path
) -> None:
    far = tmp_path / "far.csv"
    far.write_text("time,mass,intensity\n1,500,3\n2,501,4\n")
    spoiled = replace(campaign, paths=(far, *campaign.paths[1:]))
    progress = Recorder()
    model = gale.train(
        spoiled, tiny_recipe(features=PROFILE), work=Work(cache=cache, progress=progress)
    )
    assert model.facts["training"]["unreadable"] == [campaign.runs[0]]
    (note,) = progress.notes
    assert note.startswith(f"run {campaign.runs[0]} is left out: {far}: ")
    assert "18 to 120" in note


@pytest.mark.parametrize("value", [0, 1])
def test_a_family_of_one_kind_only(campaign: gale.Campaign, value: int) -> None:
    labels = campaign.labels.copy()
    labels[:, 3] = value
    positive, negative = (84, 0) if value else (0, 84)
    with pytest.raises(CampaignError, match=f"\\b{positive} positive, {negative} neg") as caught:
        gale.train(relabelled(campaign, labels), tiny_recipe())
    assert str(caught.value).startswith(f"{campaign.root}: column {campaign.families[3]}: ")
    assert "\n" not in str(caught.value)


def test_a_family_whose_positive_runs_cannot_be_read(
    campaign: gale.Campaign, tmp_path: Path, cache: Cache
) -> None:
    rarest = int(np.argmin(campaign.of_split("train", "val").labels.sum(axis=0)))
    positive = np.flatnonzero(campaign.labels[:, rarest] == 1)
    family = campaign.families[rarest]
    with pytest.raises(CampaignError, match=rf"column {family}: .*\b0 positive"):
        gale.train(
            spoil(campaign, tmp_path, positive.tolist()),
            tiny_recipe(),
            work=Work(cache=cache, progress=Recorder()),
        )


@pytest.mark.slow
def test_what_an_unreadable_run_does(
    campaign: gale.Campaign, exported: Exported, cache: Cache, tmp_path: Path
) -> None:
    spoiled, progress = spoil(campaign, tmp_path, [2]), Recorder()
    name = campaign.runs[2]
    model = gale.train(spoiled, tiny_recipe(), work=Work(cache=cache, progress=progress))
    assert model.facts["training"]["unreadable"] == [name]
    assert model.facts["training"]["runs"] == 83
    (note,) = progress.notes
    assert note.startswith(f"run {name} is left out: {spoiled.paths[2]}: ")
    assert "empty" in note
    without = campaign.select(row for row in range(len(campaign)) if row != 2)
    gale.train(without, tiny_recipe(), work=Work(cache=cache))
    np.testing.assert_array_equal(exported.weights(0), exported.weights(1))
    facts = ("1 of its 84 labelled runs", name, "empty")
    path = repr(str(spoiled.paths[2]))
    with refused(TrainingError, campaign.root, found=facts, expected="all", remedy=path):
        gale.train(spoiled, tiny_recipe(), work=Work(cache=cache, strict=True, progress=progress))


@pytest.mark.parametrize("mz", ["published", "learned"])
def test_no_run_can_be_read(campaign: gale.Campaign, tmp_path: Path, mz: str) -> None:
    spoiled = spoil(campaign, tmp_path, list(range(len(campaign))))
    path = repr(str(spoiled.paths[0]))
    with refused(TrainingError, campaign.root, found="84 labelled runs", remedy=path):
        gale.train(spoiled, tiny_recipe(features={"mz": mz}), work=Work(progress=Recorder()))


@pytest.mark.parametrize(("n_runs", "few"), [(12, True), (30, False)])
def test_what_can_be_expected_of_few_runs_is_said(
    campaign: gale.Campaign, n_runs: int, few: bool
) -> None:
    chosen = campaign.of_split("train").select(range(n_runs))
    positive = np.nansum(chosen.labels, axis=0)
    kept = np.flatnonzero((positive > 0) & (positive < n_runs))
    families = tuple(chosen.families[at] for at in kept)
    chosen = replace(chosen, families=families, labels=chosen.labels[:, kept])
    progress = Recorder()
    read_training_runs(chosen, tiny_recipe().all_features, Work(progress=progress))
    told = [note for note in progress.notes if note.startswith(f"there are only {n_runs} labelled")]
    assert bool(told) is few
    assert all("gale.recalibrate" in note for note in told)
