"""Folds against scikit-learn, and what happens where they cannot be stratified."""

from __future__ import annotations

import numpy as np
import pytest
from sklearn.model_selection import StratifiedKFold

from gale.errors import TrainingError
from gale.folds import split_fold, stratified_folds

FAMILIES = ("common", "rare", "middle")
PUBLISHED_SEED = 758625225


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
    with pytest.raises(TrainingError) as caught:
        stratified_folds(labels_of(4, (2, 1, 1)), FAMILIES, count=5, by="rare", seed=0)
    assert str(caught.value) == (
        "4 labelled runs for 5 folds; expected at least as many runs as folds; "
        "lower folds.count in the recipe"
    )
    assert len(validations(labels_of(5, (2, 1, 1)), "rare")) == 5


def test_the_fold_of_the_splits() -> None:
    fold = split_fold(("val", "train", "test", "train", "val"))
    assert fold.training.tolist() == [1, 3]
    assert fold.validation.tolist() == [0, 4]


@pytest.mark.parametrize(("split", "missing"), [("train", "val"), ("val", "train")])
def test_an_empty_split(split: str, missing: str) -> None:
    with pytest.raises(TrainingError) as caught:
        split_fold((split, "test"))
    assert str(caught.value) == (
        f"no labelled run is in the {missing} split; expected some, since the recipe has "
        "folds.count = 1; use 2 or more folds"
    )
