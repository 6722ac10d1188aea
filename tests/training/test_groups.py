"""Groups of runs: what no fold parts, how evenly they are dealt out, and what is told of them."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import gale
from gale.errors import TrainingError
from gale.training.folds import folds_of, stratified_folds
from gale.training.groups import numbered, runs_of_shared_groups
from gale.training.settings import FoldSettings
from helpers.errors import refused
from helpers.training import Array, Recorder

FAMILIES = ("one", "two", "three")


def parts(labels: Array, group: Array, count: int, by: str = "all", seed: int = 0) -> list[Array]:
    folds = stratified_folds(labels, FAMILIES, count=count, by=by, seed=seed, group=group)
    return [fold.validation for fold in folds]


def test_groups_are_numbered_in_order_of_their_first_runs() -> None:
    found = numbered(["b", None, "a", "b", None, "a"])
    assert found is not None
    assert found.tolist() == [0, 1, 2, 0, 3, 2]
    for alone in ([], ["a"], [None, None], ["a", None, "b"]):
        assert numbered(alone) is None


@pytest.mark.slow
@given(
    sizes=st.lists(st.integers(1, 12), min_size=1, max_size=20),
    unknown=st.floats(0, 1),
    count=st.integers(2, 7),
    by=st.sampled_from(["all", "rarest", "two"]),
    seed=st.integers(0, 99),
)
@settings(max_examples=200, deadline=None)
def test_folds_never_part_a_group(
    sizes: list[int], unknown: float, count: int, by: str, seed: int
) -> None:
    random = np.random.default_rng(seed)
    group = random.permutation(np.repeat(np.arange(len(sizes)), sizes))
    labels = (random.random((len(group), 3)) < (0.05, 0.3, 0.9)).astype(np.float32)
    labels[random.random(labels.shape) < unknown] = np.nan
    if len(group) < count or len(sizes) < count:
        with refused(TrainingError, "folds.count", found=(f"is {count}", str(len(group)))):
            parts(labels, group, count, by, seed)
        return
    folds = stratified_folds(labels, FAMILIES, count=count, by=by, seed=seed, group=group)
    again = parts(labels, group, count, by, seed)
    assert sorted(np.concatenate([fold.validation for fold in folds])) == list(range(len(group)))
    for fold, same in zip(folds, again, strict=True):
        assert sorted([*fold.training, *fold.validation]) == list(range(len(group)))
        assert not {*group[fold.training]} & {*group[fold.validation]}
        assert 0 < len(fold.validation) < len(group) / count + max(sizes)
        np.testing.assert_array_equal(fold.validation, same)


def test_repeats_are_dealt_out_as_evenly_as_runs() -> None:
    """550 samples measured twice: sizes are equal, and the shares of families far from chance."""
    prevalence = (0.03, 0.1, 0.3)
    deviations: list[float] = []
    by_chance: list[float] = []
    for seed in range(5):
        random = np.random.default_rng(seed)
        group = np.repeat(np.arange(550), 2)
        labels = (random.random((550, 3)) < prevalence).astype(np.float32)[group]
        found = parts(labels, group, 10, seed=seed)
        assert {len(part) for part in found} == {110}
        chance = np.array_split(random.permutation(550), 10)
        for into, each in ((deviations, found), (by_chance, [2 * part for part in chance])):
            held = np.array([labels[part].mean(axis=0) for part in each])
            into.append(np.abs(held - labels.mean(axis=0)).max())
    assert max(deviations) < 0.03
    assert max(deviations) < min(by_chance)


def test_one_big_group_fills_a_fold_and_the_others_share_the_rest() -> None:
    group = np.r_[np.zeros(60, int), 1 + np.arange(40) // 2]
    labels = np.tile(np.eye(2, 3, dtype=np.float32), (50, 1))
    sizes = sorted(len(part) for part in parts(labels, group, 5))
    assert sizes == [10, 10, 10, 10, 60]


@pytest.mark.parametrize("by", ["two", "rarest", "all"])
def test_a_family_is_spread_over_the_folds_that_its_groups_allow(by: str) -> None:
    group = np.arange(60) // 3
    labels = np.zeros((60, 3), np.float32)
    labels[:, 0], labels[:12, 1], labels[::2, 2] = 1, 1, 1
    assert [int(labels[part, 1].sum()) for part in parts(labels, group, 4, by)] == [3] * 4
    assert (
        parts(labels, group, 4, by, seed=1)[0].tolist() != parts(labels, group, 4, by)[0].tolist()
    )


@pytest.mark.parametrize("by", ["all", "rarest"])
def test_folds_of_a_campaign(campaign: gale.Campaign, by: str) -> None:
    """Runs on their own are held out as ever; pairs are held out together."""
    known = campaign.of_split("train", "val")
    own = replace(known, group=tuple(f"sample {at}" for at in range(len(known))))
    pairs = replace(known, group=tuple(f"sample {at // 2}" for at in range(len(known))))
    choices = FoldSettings(count=3, stratify_by=by)
    plain, alone, together = (
        folds_of(each, choices, 0, Recorder()) for each in (known, own, pairs)
    )
    for fold, same in zip(plain, alone, strict=True):
        np.testing.assert_array_equal(fold.validation, same.validation)
        np.testing.assert_array_equal(fold.training, same.training)
    for fold in together:
        assert set(fold.validation // 2).isdisjoint(fold.training // 2)
    two = replace(known, group=tuple("ab"[at % 2] for at in range(len(known))))
    with refused(
        TrainingError,
        "folds.count",
        found=("is 3", "84 labelled runs", "2 groups"),
        remedy=("lower it", "column group"),
    ):
        folds_of(two, choices, 0, Recorder())


def test_groups_on_both_sides_of_a_split_are_told(campaign: gale.Campaign) -> None:
    known = campaign.of_split("train", "val")
    group: list[str | None] = [None] * len(known)
    of_val = [at for at, split in enumerate(known.split) if split == "val"]
    group[0] = group[of_val[1]] = group[of_val[3]] = "monday"
    group[1] = "tuesday"
    group[of_val[0]] = "friday"
    shared = replace(known, group=tuple(group))
    found = runs_of_shared_groups(shared, ("train",), "val")
    assert found == (known.runs[of_val[1]], known.runs[of_val[3]])
    told = Recorder()
    folds_of(shared, FoldSettings(count=1), 0, told)
    (note,) = told.notes
    assert "2 val runs are" in note
    assert "(monday)" in note
    silent = Recorder()
    folds_of(known, FoldSettings(count=1), 0, silent)
    assert silent.notes == []
