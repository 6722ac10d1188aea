"""Folds against scikit-learn, and what happens where they cannot be stratified."""

from __future__ import annotations

import warnings
from statistics import NormalDist

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from sklearn.model_selection import KFold, StratifiedKFold

from gale.errors import TrainingError
from gale.training.folds import folds_of_kinds, split_fold, stratified_folds
from helpers.errors import refused

FAMILIES = ("common", "rare", "middle")
PUBLISHED_SEED = 758625225
PUBLISHED_PREVALENCE = (0.098, 0.328, 0.142, 0.119, 0.022, 0.038, 0.032, 0.026, 0.145)


def labels_of(n_runs: int, positive: tuple[int, ...], seed: int = 0) -> np.ndarray:
    """Labels (R, K) with so many positive runs of each family."""
    random = np.random.default_rng(seed)
    labels = np.zeros((n_runs, len(positive)), np.float32)
    for family, count in enumerate(positive):
        labels[random.choice(n_runs, count, replace=False), family] = 1
    return labels


def test_folds_are_those_of_scikit_learn() -> None:
    labels = labels_of(1121, (300, 25, 100))
    folds = stratified_folds(labels, FAMILIES, count=10, by="rare", seed=PUBLISHED_SEED)
    splitter = StratifiedKFold(10, shuffle=True, random_state=PUBLISHED_SEED)
    expected = list(splitter.split(labels, labels[:, 1]))
    assert len(folds) == len(expected) == 10
    for fold, (training, validation) in zip(folds, expected, strict=True):
        np.testing.assert_array_equal(fold.training, training)
        np.testing.assert_array_equal(fold.validation, validation)
        assert labels[fold.validation, 1].sum() in (2, 3)


@pytest.mark.parametrize("positive", [(300, 25, 100), (20, 2, 9)])
@pytest.mark.parametrize("count", [2, 5])
def test_every_run_validates_once_and_trains_in_all_other_folds(
    positive: tuple[int, ...], count: int
) -> None:
    labels = labels_of(311, positive)
    folds = stratified_folds(labels, FAMILIES, count=count, by="rarest", seed=1)
    assert len(folds) == count
    assert sorted(np.concatenate([fold.validation for fold in folds])) == list(range(311))
    for fold in folds:
        assert sorted([*fold.training, *fold.validation]) == list(range(311))


def validations(labels: np.ndarray, by: str, seed: int = 0, count: int = 5) -> list[list[int]]:
    folds = stratified_folds(labels, FAMILIES, count=count, by=by, seed=seed)
    return [fold.validation.tolist() for fold in folds]


@pytest.mark.parametrize("by", ["rarest", "no such family"])
def test_the_rarest_family_is_the_one_of_fewest_positive_runs(by: str) -> None:
    labels = labels_of(100, (40, 10, 20))
    assert validations(labels, by) == validations(labels, "rare")
    assert validations(labels, by) != validations(labels, "common")


def test_the_seed_decides() -> None:
    labels = labels_of(100, (40, 10, 20))
    assert validations(labels, "rare", seed=1) == validations(labels, "rare", seed=1)
    assert validations(labels, "rare", seed=1) != validations(labels, "rare", seed=2)


def test_unknown_counts_as_not_holding_the_family() -> None:
    labels = labels_of(100, (40, 10, 20))
    unknown = np.where(labels == 0, np.float32(np.nan), labels)
    assert validations(unknown, "rare") == validations(labels, "rare")


def test_a_family_rarer_than_the_folds_is_in_as_many_of_them_as_can_be() -> None:
    labels = labels_of(30, (12, 3, 8))
    found = validations(labels, "rare", count=5)
    assert [len(part) for part in found] == [6] * 5
    assert sorted(int(labels[part, 1].sum()) for part in found) == [0, 0, 1, 1, 1]
    mostly_positive = validations(1 - labels, "rare", count=5)
    assert [len(part) for part in mostly_positive] == [6] * 5


def test_folds_are_random_where_both_kinds_of_runs_are_too_few() -> None:
    labels = labels_of(6, (3, 3, 3))
    found = validations(labels, "rare", count=6)
    assert sorted(run for part in found for run in part) == list(range(6))


def test_fewer_runs_than_folds() -> None:
    with refused(TrainingError, "folds.count", found=("is 5", " 4 labelled runs")):
        stratified_folds(labels_of(4, (2, 1, 1)), FAMILIES, count=5, by="rare", seed=0)
    assert len(validations(labels_of(5, (2, 1, 1)), "rare")) == 5


def test_the_fold_of_the_splits() -> None:
    fold = split_fold(("val", "train", "test", "train", "val"))
    assert fold.training.tolist() == [1, 3]
    assert fold.validation.tolist() == [0, 4]


@pytest.mark.parametrize(("split", "missing"), [("train", "val"), ("val", "train")])
def test_an_empty_split(split: str, missing: str) -> None:
    with refused(TrainingError, "folds.count", found=("is 1", f"the {missing} split")):
        split_fold((split, "test"))


def correlated_labels(n_runs: int, prevalence: tuple[float, ...], seed: int) -> np.ndarray:
    """Labels (R, K) of families that go together, or avoid each other, by a factor they share."""
    random = np.random.default_rng(seed)
    n_families = len(prevalence)
    loading = np.sqrt(0.6) * random.choice([-1, 1], n_families, p=[0.3, 0.7])
    own = np.sqrt(0.4) * random.normal(size=(n_runs, n_families))
    threshold = [NormalDist().inv_cdf(1 - share) for share in prevalence]
    labels = random.normal(size=(n_runs, 1)) * loading + own > np.array(threshold)
    return np.where(labels, np.float32(1), np.float32(0))


def parts_of(labels: np.ndarray, by: str, count: int, seed: int) -> list[np.ndarray]:
    families = tuple(f"family {number}" for number in range(labels.shape[1]))
    folds = stratified_folds(labels, families, count=count, by=by, seed=seed)
    return [fold.validation for fold in folds]


def worst_deviation(labels: np.ndarray, by: str, count: int, seed: int) -> float:
    """Positive runs by which a part is off the mean, for the worst part and family."""
    held = np.array([labels[part].sum(axis=0) for part in parts_of(labels, by, count, seed)])
    return float(np.abs(held - held.mean(axis=0)).max())


def worst_share(labels: np.ndarray, by: str, count: int, seed: int) -> float:
    """How far the share of a family among known labels is off, for the worst part and family."""
    parts = parts_of(labels, by, count, seed)
    share = np.array([np.nanmean(labels[part], axis=0) for part in parts])
    return float(np.abs(share - np.nanmean(labels, axis=0)).max())


@pytest.mark.slow
@given(
    n_runs=st.integers(1, 120),
    prevalence=st.lists(st.floats(0.01, 0.99), min_size=1, max_size=8),
    unknown=st.floats(0, 1),
    count=st.integers(2, 9),
    seed=st.integers(0, 2**32 - 1),
)
@settings(max_examples=200, deadline=None)
def test_folds_by_all_are_equal_parts_for_any_labels(
    n_runs: int, prevalence: list[float], unknown: float, count: int, seed: int
) -> None:
    labels = correlated_labels(n_runs, tuple(prevalence), seed)
    labels[np.random.default_rng(seed).random(labels.shape) < unknown] = np.nan
    runs = list(range(n_runs))
    families = tuple(f"family {number}" for number in range(len(prevalence)))
    if n_runs < count:
        facts = (f"is {count}", f" {n_runs} labelled runs")
        with refused(TrainingError, "folds.count", found=facts):
            stratified_folds(labels, families, count=count, by="all", seed=seed)
        return
    folds = stratified_folds(labels, families, count=count, by="all", seed=seed)
    again = stratified_folds(labels, families, count=count, by="all", seed=seed)
    assert len(folds) == count
    assert sorted(np.concatenate([fold.validation for fold in folds])) == runs
    sizes = [len(fold.validation) for fold in folds]
    assert max(sizes) - min(sizes) <= 1
    for fold, same in zip(folds, again, strict=True):
        assert sorted([*fold.training, *fold.validation]) == runs
        np.testing.assert_array_equal(fold.validation, same.validation)
        np.testing.assert_array_equal(fold.training, same.training)


@given(
    positive=st.integers(0, 60),
    unknown=st.integers(0, 60),
    count=st.integers(2, 7),
    seed=st.integers(0, 99),
)
@settings(max_examples=100, deadline=None)
def test_by_all_spreads_a_single_family_as_evenly_as_can_be(
    positive: int, unknown: int, count: int, seed: int
) -> None:
    labels = np.repeat(np.array([1, np.nan, 0], np.float32), [positive, unknown, 60])[:, None]
    rarer = 1 if positive <= 60 else 0
    held = [int((labels[part] == rarer).sum()) for part in parts_of(labels, "all", count, seed)]
    assert max(held) - min(held) <= 1


@pytest.mark.parametrize("count", [5, 10])
def test_by_all_keeps_the_share_of_every_family(count: int) -> None:
    by_all, by_rarest = [], []
    for seed in range(8):
        labels = correlated_labels(1121, PUBLISHED_PREVALENCE, seed)
        by_all.append(worst_deviation(labels, "all", count, seed))
        by_rarest.append(worst_deviation(labels, "rarest", count, seed))
    assert max(by_all) < 1.5
    assert max(by_all) < min(by_rarest) / 3


def test_by_all_keeps_the_share_of_common_families_and_among_known_labels() -> None:
    for seed in range(4):
        labels = correlated_labels(1000, (0.1, 0.67, 0.9, 0.97, 0.5), seed)
        assert worst_deviation(labels, "all", 5, seed) <= 2
        labels[np.random.default_rng(seed).random(labels.shape) < 0.3] = np.nan
        assert worst_share(labels, "all", 5, seed) < worst_share(labels, "rarest", 5, seed) / 2


def test_by_all_depends_on_the_seed() -> None:
    labels = labels_of(100, (40, 10, 20))
    assert validations(labels, "all", seed=1) != validations(labels, "all", seed=2)
    one, same = np.eye(10, 1, dtype=np.float32), np.ones((10, 1), np.float32)
    holder_first = {0 in parts_of(one, "all", 2, seed)[0] for seed in range(20)}
    unknown = np.full((10, 1), np.float32(np.nan))
    unlabelled_first = {0 in parts_of(unknown, "all", 2, seed)[0] for seed in range(20)}
    neighbours_together = {{0, 1} <= {*parts_of(same, "all", 2, seed)[0]} for seed in range(20)}
    assert holder_first == neighbours_together == unlabelled_first == {False, True}


def test_by_all_prefers_parts_that_want_more_runs() -> None:
    labels = np.zeros((20, 2), np.float32)
    labels[:2, 0] = labels[2:4, 1] = 1
    for seed in range(10):
        held = [int(labels[part].sum()) for part in parts_of(labels, "all", 4, seed)]
        assert held == [1, 1, 1, 1]


def test_by_all_takes_no_note_of_a_family_known_of_no_run() -> None:
    labels = labels_of(100, (40, 10, 20))
    unknown = labels.copy()
    unknown[:, 1] = np.nan
    known = np.delete(labels, 1, axis=1)
    for found, expected in zip(
        parts_of(unknown, "all", 5, seed=3), parts_of(known, "all", 5, seed=3), strict=True
    ):
        np.testing.assert_array_equal(found, expected)


def test_by_all_spreads_families_with_fewer_positives_than_folds() -> None:
    labels = labels_of(60, (25, 3, 2))
    found = parts_of(labels, "all", 5, seed=0)
    assert sorted(int(labels[part, 1].sum()) for part in found) == [0, 0, 1, 1, 1]
    assert sorted(int(labels[part, 2].sum()) for part in found) == [0, 0, 0, 1, 1]
    assert [int(labels[part, 0].sum()) for part in found] == [5] * 5


def test_by_all_with_fewer_runs_than_folds() -> None:
    with refused(TrainingError, "folds.count", found=("is 5", " 4 labelled runs")):
        validations(labels_of(4, (2, 1, 1)), "all")
    assert len(validations(labels_of(5, (2, 1, 1)), "all")) == 5


@pytest.mark.parametrize("word", ["all", "rarest"])
def test_the_words_win_over_families_of_that_name(word: str) -> None:
    labels = labels_of(100, (40, 10, 20))
    named = stratified_folds(labels, (word, "rare", "middle"), count=5, by=word, seed=0)
    assert [fold.validation.tolist() for fold in named] == validations(labels, word)
    assert validations(labels, word) != validations(labels, "common")


@given(st.lists(st.integers(0, 3), min_size=6, max_size=40), st.integers(2, 6), st.integers(0, 99))
def test_parts_of_kinds_are_those_of_scikit_learn(kinds: list[int], count: int, seed: int) -> None:
    kind = np.array(kinds)
    assume(np.bincount(kind).max() >= count)
    splitter = StratifiedKFold(count, shuffle=True, random_state=seed)
    with warnings.catch_warnings():  # a rare kind may be missing from some parts
        warnings.simplefilter("ignore", UserWarning)
        expected = [validation.tolist() for _, validation in splitter.split(kind, kind)]
    assert [fold.validation.tolist() for fold in folds_of_kinds(kind, count, seed)] == expected


def test_too_few_of_every_kind_are_dealt_out_as_by_scikit_learn() -> None:
    labels = labels_of(7, (3, 3, 3))
    expected = KFold(5, shuffle=True, random_state=4).split(labels)
    assert validations(labels, "rare", seed=4) == [held_out.tolist() for _, held_out in expected]
