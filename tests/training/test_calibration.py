"""Calibration against synthetic logits of known scale and offset, and what it must never do."""

from __future__ import annotations

import json

import numpy as np
import pytest
from scipy.optimize import approx_fprime
from scipy.special import expit

from gale.training.calibration import (
    PARTS_OF_ONE_FOLD,
    USUAL,
    Calibration,
    _loss,
    cross_fitted,
    fit_calibration,
)
from gale.training.folds import Fold


def logits_and_labels(
    n_runs: int, centre: tuple[float, ...], seed: int = 0
) -> tuple[np.ndarray, np.ndarray]:
    """True logits (R, K) about a centre for each family, and labels drawn from them."""
    random = np.random.default_rng(seed)
    logits = random.normal(centre, 2, (n_runs, len(centre)))
    return logits, (random.random(logits.shape) < expit(logits)).astype(np.float32)


def log_loss(logits: np.ndarray, labels: np.ndarray) -> float:
    """The log loss summed over known labels."""
    known = np.isfinite(labels)
    return float(np.logaddexp(0, np.where(labels == 1, -logits, logits))[known].sum())


def validating(*rows: range) -> list[Fold]:
    every = np.concatenate([np.array(each) for each in rows])
    return [Fold(np.setdiff1d(every, each), np.array(each)) for each in rows]


def assert_same(found: Calibration, expected: Calibration, tolerance: float = 1e-5) -> None:
    np.testing.assert_allclose(found.weight, expected.weight, atol=tolerance)
    np.testing.assert_allclose(found.bias, expected.bias, atol=tolerance)


def test_logits_are_the_weighted_sum_of_the_parts_and_a_bias() -> None:
    calibration = Calibration(np.array([[1.0, 2.0], [0.5, 0.0]]), np.array([0.1, -1.0]))
    parts = np.array([[[1.0, 3.0]], [[4.0, 7.0]]])
    np.testing.assert_allclose(calibration.logits(parts), [[1 + 2 + 0.1, 6 - 1.0]])


def test_a_calibration_as_json() -> None:
    calibration = Calibration(np.array([[1 / 3, 2.0], [0.5, 0.0]]), np.array([0.1, -1 / 7]))
    assert json.loads(json.dumps(calibration.to_dict())) == {
        "weight": [[0.333333, 2.0], [0.5, 0.0]],
        "bias": [0.1, -0.142857],
    }


def test_the_gradient_is_that_of_finite_differences() -> None:
    random = np.random.default_rng(0)
    parts, sign = random.normal(0, 3, (3, 20, 4)), random.integers(-1, 2, (20, 4)).astype(float)
    spread = USUAL.of_each(3, 4)
    for _ in range(3):
        deviates = random.normal(size=len(spread))
        expected = approx_fprime(deviates, lambda x: _loss(x, spread, parts, sign)[0], 1e-7)
        _, gradient = _loss(deviates, spread, parts, sign)
        np.testing.assert_allclose(gradient, expected, rtol=1e-4, atol=1e-4)


def test_the_scale_and_offset_of_the_logits_are_recovered() -> None:
    logits, labels = logits_and_labels(20_000, (0, -1, 1))
    found = fit_calibration([(logits - 0.7) / 2.5], labels)
    np.testing.assert_allclose(found.weight, 2.5, rtol=0.05)
    np.testing.assert_allclose(found.bias, 0.7, atol=0.1)


def test_common_families_go_their_own_way() -> None:
    logits, labels = logits_and_labels(20_000, (0, 0))
    scale, offset = np.array([0.8, 1.6]), np.array([-0.6, 0.6])
    found = fit_calibration([(logits - offset) / scale], labels)
    np.testing.assert_allclose(found.weight, [scale], rtol=0.05)
    np.testing.assert_allclose(found.bias, offset, atol=0.1)


def test_a_rare_family_moves_less_than_a_common_one() -> None:
    """The last two families are both off by an offset of 1, one of them has 5 positives."""
    logits, labels = logits_and_labels(3000, (0, 0, 0, 0, 0))
    positive, negative = (np.flatnonzero(labels[:, 4] == y) for y in (1, 0))
    labels[np.concatenate([positive[5:], negative[5:]]), 4] = np.nan
    found = fit_calibration([logits - np.array([0, 0, 0, 1, 1])], labels)
    shared, common, rare = found.bias[:3].mean(), found.bias[3], found.bias[4]
    assert common - shared > 0.85
    assert abs(rare - shared) < 0.6 * (common - shared)


def test_the_better_part_has_more_weight_and_noise_next_to_none() -> None:
    logits, labels = logits_and_labels(2000, (0, -1, 1))
    random = np.random.default_rng(1)
    good, worse = (logits + random.normal(0, noise, logits.shape) for noise in (1, 2))
    useless = random.normal(0, 2, logits.shape)
    found = fit_calibration([worse, good, useless], labels)
    assert (found.weight >= 0).all()
    share = found.weight / found.weight.sum(axis=0)
    np.testing.assert_allclose(share - share[:, :1], 0, atol=0.05)
    assert (share[1] > share[0]).all()
    assert (share[0] > 0.1).all()
    assert (share[2] < 0.03).all()


@pytest.mark.parametrize(("n_runs", "least", "most"), [(20_000, 0.5, 1.0), (30, 0.0, 0.2)])
def test_families_have_weights_of_their_own_as_far_as_their_runs_support_it(
    n_runs: int, least: float, most: float
) -> None:
    logits, labels = logits_and_labels(n_runs, (0, 0))
    noise = np.random.default_rng(1).normal(0, 2, (2, n_runs))
    first, second = logits.copy(), logits.copy()
    first[:, 1] += noise[0]
    second[:, 0] += noise[1]
    weight = fit_calibration([first, second], labels).weight
    share = weight / weight.sum(axis=0)
    assert least < share[0, 0] - share[0, 1] < most


def test_a_part_that_answers_the_wrong_way_round_has_no_negative_weight() -> None:
    logits, labels = logits_and_labels(2000, (0, 0))
    found = fit_calibration([logits, -logits], labels)
    assert (found.weight >= 0).all()
    np.testing.assert_allclose(found.weight[0] - found.weight[1], 1, atol=0.15)


@pytest.mark.parametrize("seed", range(4))
@pytest.mark.parametrize("n_runs", [1, 10, 300])
def test_the_log_loss_is_never_larger_than_that_of_the_mean_logit(n_runs: int, seed: int) -> None:
    logits, labels = logits_and_labels(n_runs, (0, -3, 1), seed)
    random = np.random.default_rng(seed)
    parts = logits + random.normal(0, seed, (3, *logits.shape))
    found = fit_calibration(parts, labels)
    assert log_loss(found.logits(parts), labels) <= log_loss(parts.mean(axis=0), labels)


def test_without_labels_nothing_changes() -> None:
    found = fit_calibration(np.ones((4, 10, 2)), np.full((10, 2), np.nan))
    assert_same(found, Calibration(np.full((4, 2), 0.25), np.zeros(2)))


def test_unknown_labels_and_missing_logits_do_not_count() -> None:
    logits, labels = logits_and_labels(300, (0, -1))
    parts = np.stack([2 * logits, logits + 1])
    expected = fit_calibration(parts[:, 100:], labels[100:])
    unknown = labels.copy()
    unknown[:100] = np.nan
    assert_same(fit_calibration(parts, unknown), expected)
    missing = parts.copy()
    missing[1, :100] = np.nan
    assert_same(fit_calibration(missing, labels), expected)


def test_a_family_of_which_nothing_is_known_has_the_shared_calibration() -> None:
    logits, labels = logits_and_labels(2000, (0, 0, 0))
    labels[:, 2] = np.nan
    found = fit_calibration([(logits - 1) / 2], labels)
    np.testing.assert_allclose(found.weight[0, 2], 2, rtol=0.15)
    np.testing.assert_allclose(found.bias[2], 1, atol=0.2)


@pytest.mark.parametrize("value", [0, 1])
def test_a_family_of_one_class_stays_near_the_others(value: int) -> None:
    logits, labels = logits_and_labels(500, (0, 0, 0))
    labels[:, 2] = value
    found = fit_calibration([logits], labels)
    assert np.isfinite(found.weight).all()
    assert 0.3 < found.weight[0, 2] < 3
    assert 0 < (found.bias[2] - found.bias[:2].mean()) * (2 * value - 1) < 5


@pytest.mark.parametrize("size", [0.1, 30, 1000])
@pytest.mark.parametrize("right", [1, -1])
def test_separated_labels_and_extreme_logits_stay_finite(size: float, right: int) -> None:
    labels = np.tile([[1, 0], [0, 1]], (200, 1)).astype(np.float32)
    parts = right * size * (2 * labels - 1) * np.array([[[1.0]], [[0.5]]])
    found = fit_calibration(parts, labels)
    assert (found.weight >= 0).all()
    assert found.weight.max() < 200
    assert np.abs(found.bias).max() < 1
    assert log_loss(found.logits(parts), labels) <= log_loss(parts.mean(axis=0), labels)


def test_the_same_runs_give_the_same_calibration() -> None:
    logits, labels = logits_and_labels(100, (0, -1))
    first, second = (fit_calibration([logits, logits**2], labels) for _ in range(2))
    np.testing.assert_array_equal(first.weight, second.weight)
    np.testing.assert_array_equal(first.bias, second.bias)


def test_each_fold_is_calibrated_by_the_others() -> None:
    logits, labels = logits_and_labels(120, (0, -1))
    parts = np.stack([2 * logits, logits + 1])
    found = cross_fitted(parts, labels, validating(range(40), range(40, 80), range(80, 110)))
    others = fit_calibration(parts[:, :80], labels[:80])
    np.testing.assert_allclose(found[80:110], expit(others.logits(parts[:, 80:110])), atol=1e-6)
    assert np.isnan(found[110:]).all()
    assert np.isfinite(found[:110]).all()


def test_no_label_of_a_fold_changes_its_own_probabilities() -> None:
    logits, labels = logits_and_labels(120, (0, -1))
    folds = validating(range(40), range(40, 80), range(80, 120))
    flipped = labels.copy()
    flipped[:40] = 1 - flipped[:40]
    before, after = (cross_fitted([2 * logits], each, folds) for each in (labels, flipped))
    np.testing.assert_array_equal(after[:40], before[:40])
    assert (np.abs(after[40:] - before[40:]) > 1e-3).any(axis=1).all()


def test_a_single_fold_is_calibrated_in_parts_by_its_own_runs() -> None:
    logits, labels = logits_and_labels(100, (0, -1))
    fold = Fold(np.arange(50), np.arange(50, 100))
    parts = (2 * logits)[None]
    parts[:, :50] = np.nan
    before = cross_fitted(parts, labels, [fold])
    assert np.isnan(before[:50]).all()
    assert np.isfinite(before[50:]).all()
    flipped = labels.copy()
    flipped[70] = 1 - flipped[70]
    same = (cross_fitted(parts, flipped, [fold]) == before)[50:].all(axis=1)
    assert same[20]
    assert same.sum() == 50 // PARTS_OF_ONE_FOLD


def test_a_single_fold_of_fewer_runs_than_parts() -> None:
    found = cross_fitted(
        np.zeros((2, 3, 1)), np.ones((3, 1)), [Fold(np.arange(1), np.arange(1, 3))]
    )
    assert np.isnan(found[0])
    assert (found[1:] > 0.5).all()


def test_half_the_strength_halves_what_calibration_changes() -> None:
    logits, labels = logits_and_labels(500, (0, -1))
    parts = [(logits - 0.7) / 2.5]
    whole, half = fit_calibration(parts, labels), fit_calibration(parts, labels, strength=0.5)
    np.testing.assert_allclose(2 * half.logits(parts), whole.logits(parts) + parts[0])
    assert log_loss(whole.logits(parts), labels) < log_loss(half.logits(parts), labels)
    assert log_loss(half.logits(parts), labels) < log_loss(parts[0], labels)


def test_given_shares_weigh_the_parts_whatever_they_are_worth() -> None:
    logits, labels = logits_and_labels(500, (0, -1))
    noise = np.random.default_rng(1).normal(size=logits.shape)
    found = fit_calibration([noise, logits], labels, shares=(3, 1))
    assert_same(
        Calibration(found.weight[:1] / 3, found.bias), Calibration(found.weight[1:], found.bias)
    )
    mean = fit_calibration([0.75 * noise + 0.25 * logits], labels)
    np.testing.assert_allclose(found.weight.sum(axis=0), mean.weight[0])
    fitted = fit_calibration([noise, logits], labels)
    assert (fitted.weight[0] < 0.1 * fitted.weight[1]).all()


def test_a_given_share_is_kept_and_the_others_are_fitted_to_the_rest() -> None:
    logits, labels = logits_and_labels(500, (0, -1))
    noise, other = np.random.default_rng(1).normal(size=(2, *logits.shape))
    given = np.array([[np.nan, np.nan], [0.3, 0.0], [np.nan, np.nan]])
    found = fit_calibration([noise, other, logits], labels, shares=given)
    share = found.weight / found.weight.sum(axis=0)
    np.testing.assert_allclose(share[1], given[1], atol=1e-12)
    assert (share[0] < 0.1 * share[2]).all()
    free = fit_calibration([noise, logits], labels)
    with_nothing = fit_calibration([noise, other, logits], labels, shares=(np.nan, 0, np.nan))
    np.testing.assert_allclose(with_nothing.weight[[0, 2]], free.weight)


def test_cross_fitting_takes_shares_and_the_strength() -> None:
    logits, labels = logits_and_labels(40, (0,))
    parts, folds = np.stack([logits, 2 * logits]), validating(range(20), range(20, 40))
    found = cross_fitted(parts, labels, folds, shares=(1, 1), strength=0.25)
    others = fit_calibration(parts[:, 20:], labels[20:], shares=(1, 1), strength=0.25)
    np.testing.assert_allclose(found[:20], expit(others.logits(parts[:, :20])))
