"""Metrics against scikit-learn, values by hand, and what is undefined or refused."""

from __future__ import annotations

import json
import math
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn import metrics as oracle

from gale.errors import TableError
from gale.evaluation.bootstrap import resampled_weights
from gale.evaluation.metrics import (
    METRICS,
    expected_calibration_error,
    family_scores,
    log_loss,
    log_loss_difference,
    score,
)
from helpers.errors import Facts, refused

Arrays = tuple[np.ndarray[Any, Any], np.ndarray[Any, Any], np.ndarray[Any, Any]]


def sklearn_log_loss(y: Any, p: Any, w: Any) -> float:
    return float(oracle.log_loss(y, p, sample_weight=w, labels=[0, 1]))


ORACLES: dict[str, Callable[[Any, Any, Any], float]] = {
    "log_loss": sklearn_log_loss,
    "brier": lambda y, p, w: float(oracle.brier_score_loss(y, p, sample_weight=w)),
    "roc_auc": lambda y, p, w: float(oracle.roc_auc_score(y, p, sample_weight=w)),
    "average_precision": lambda y, p, w: float(
        oracle.average_precision_score(y, p, sample_weight=w)
    ),
}


@st.composite
def problems(draw: st.DrawFn) -> Arrays:
    """Labels (R, K) with a mask, probabilities with ties, and integer weights, some 0."""
    random = np.random.default_rng(draw(st.integers(0, 2**32)))
    n_runs, n_families = draw(st.integers(6, 40)), draw(st.integers(1, 4))
    levels = draw(st.sampled_from([2, 5, 1000]))
    labels = random.integers(0, 2, (n_runs, n_families)).astype(float)
    labels[0], labels[1] = 0, 1
    labels[2:][random.random((n_runs - 2, n_families)) < draw(st.sampled_from([0, 0.4]))] = np.nan
    probability = random.integers(1, levels, (n_runs, n_families), endpoint=True) / (levels + 1)
    weights = random.integers(0, 4, n_runs).astype(float)
    weights[:2] += 1
    return labels, probability, weights


@pytest.mark.slow
@given(problems())
@settings(max_examples=60, deadline=None)
def test_every_metric_is_that_of_scikit_learn(problem: Arrays) -> None:
    labels, probability, weights = problem
    found = family_scores(labels, probability, weights)
    for k in range(labels.shape[1]):
        known = ~np.isnan(labels[:, k])
        for metric, expected in ORACLES.items():
            value = expected(labels[known, k], probability[known, k], weights[known])
            assert found[metric][k] == pytest.approx(value, abs=1e-12), metric


@given(problems())
@settings(max_examples=30, deadline=None)
def test_a_weight_is_a_number_of_copies(problem: Arrays) -> None:
    labels, probability, weights = problem
    copies = weights.astype(int)
    weighted = family_scores(labels, probability, np.stack([weights, np.ones_like(weights)]))
    repeated = family_scores(np.repeat(labels, copies, 0), np.repeat(probability, copies, 0))
    plain = family_scores(labels, probability)
    for metric in METRICS:
        np.testing.assert_allclose(weighted[metric][0], repeated[metric], atol=1e-12)
        np.testing.assert_allclose(weighted[metric][1], plain[metric], atol=1e-12)


def test_values_by_hand() -> None:
    labels = np.array([[1.0], [0], [1], [0], [np.nan]])
    probability = np.array([[0.8], [0.5], [0.5], [0.1], [0.99]])
    found = {metric: value[0] for metric, value in family_scores(labels, probability).items()}
    assert found["log_loss"] == pytest.approx(-math.log(0.8 * 0.5 * 0.5 * 0.9) / 4)
    assert found["brier"] == pytest.approx((0.04 + 0.25 + 0.25 + 0.01) / 4)
    assert found["roc_auc"] == pytest.approx(3.5 / 4)
    assert found["average_precision"] == pytest.approx(1 / 2 * 1 + 1 / 2 * 2 / 3)


def test_the_score_is_the_mean_over_families_of_unequal_numbers_of_known_labels() -> None:
    labels = np.array([[1, 0], [np.nan, 0], [np.nan, 1]])
    probability = np.array([[0.5, 0.1], [0.5, 0.1], [0.5, 0.1]])
    second = -(2 * math.log(0.9) + math.log(0.1)) / 3
    assert log_loss(labels, probability) == pytest.approx((math.log(2) + second) / 2)
    estimate = score(labels, probability, ("a", "b"), resamples=3).mean["log_loss"]
    assert float(estimate.value) == pytest.approx(log_loss(labels, probability))


def test_a_certain_error_costs_a_finite_loss() -> None:
    assert log_loss([[1.0]], [[0.0]]) == pytest.approx(-math.log(1e-15))
    assert log_loss([[0.0]], [[1.0]]) == pytest.approx(-math.log(1e-15), rel=2e-3)
    assert log_loss([[1.0]], [[1.0]]) == pytest.approx(0, abs=1e-14)


def test_what_is_undefined_is_nan_and_left_out_of_the_means() -> None:
    labels = np.array([[1, 1, 0, np.nan], [0, 1, 0, np.nan]])
    scores = score(labels, np.full((2, 4), 0.25), ("both", "all", "none", "unknown"), resamples=20)
    auc = scores.per_family["roc_auc"].value
    np.testing.assert_array_equal(auc, [0.5, np.nan, np.nan, np.nan])
    precision = scores.per_family["average_precision"].value
    np.testing.assert_array_equal(precision, [0.5, np.nan, np.nan, np.nan])
    np.testing.assert_array_equal(
        np.isnan(scores.per_family["log_loss"].value), [False, False, False, True]
    )
    assert float(scores.mean["roc_auc"].value) == 0.5
    assert float(scores.mean["brier"].value) == pytest.approx((0.3125 + 0.5625 + 0.0625) / 3)
    assert scores.known.tolist() == [2, 2, 2, 0]
    assert scores.positives.tolist() == [1, 2, 0, 0]


def slow_calibration_error(labels: Any, probability: Any, bins: int) -> float:
    """Bin by bin, pair by pair."""
    pairs = [(y, p) for y, p in zip(labels.flat, probability.flat, strict=True) if y in (0, 1)]
    total = 0.0
    for b in range(bins):
        inside = [
            (y, p) for y, p in pairs if b / bins <= p < (b + 1) / bins or (p == 1 and b == bins - 1)
        ]
        if inside:
            said = sum(p for _, p in inside) / len(inside)
            found = sum(y for y, _ in inside) / len(inside)
            total += len(inside) / len(pairs) * abs(said - found)
    return total


@pytest.mark.slow
@given(problems(), st.sampled_from([1, 3, 5, 6, 10, 15]))
@settings(max_examples=60, deadline=None)
def test_calibration_error_is_that_of_a_slow_oracle(problem: Arrays, bins: int) -> None:
    labels, probability, _ = problem
    probability[0], probability[1] = 0, 1  # the two ends; levels fall on edges of bins as well
    expected = slow_calibration_error(labels, probability, bins)
    assert expected_calibration_error(labels, probability, bins) == pytest.approx(expected)


def test_calibration_error_by_hand() -> None:
    labels = np.array([[1.0, 0], [0, 0], [np.nan, 1]])
    probability = np.array([[0.9, 0.3], [0.6, 0.2], [0.0, 0.4]])
    # below a half: 0.3, 0.2, 0.4 beside 1 of 3; above: 0.9, 0.6 beside 1 of 2
    expected = 3 / 5 * (1 / 3 - 0.3) + 2 / 5 * (0.75 - 0.5)
    assert expected_calibration_error(labels, probability, 2) == pytest.approx(expected)
    assert expected_calibration_error(labels, labels) == 0
    assert expected_calibration_error(labels, 1 - labels) == 1


def test_right_probabilities_have_a_small_calibration_error() -> None:
    random = np.random.default_rng(5)
    probability = random.random((20_000, 3))
    labels = (random.random(probability.shape) < probability).astype(float)
    assert expected_calibration_error(labels, probability) < 0.01
    assert expected_calibration_error(labels, probability**2) > 0.1


@pytest.fixture
def drawn() -> Arrays:
    random = np.random.default_rng(1)
    probability = random.random((150, 3)).round(1)
    labels = (random.random((150, 3)) < probability).astype(float)
    labels[random.random((150, 3)) < 0.2] = np.nan
    return labels, probability, np.clip(probability + 0.1, 0, 1)


@pytest.mark.parametrize("metric", METRICS)
def test_intervals_are_percentiles_over_resamples_of_the_runs(drawn: Arrays, metric: str) -> None:
    labels, probability, _ = drawn
    labels, probability = labels[:, :1], probability[:, :1]
    probability = probability.clip(0.01, 0.99)
    (weights,) = resampled_weights(150, 50, seed=4)
    known = ~np.isnan(labels[:, 0])
    values = [ORACLES[metric](labels[known, 0], probability[known, 0], w[known]) for w in weights]
    low, high = np.percentile(values, [2.5, 97.5])
    scores = score(labels, probability, ("a",), resamples=50, seed=4)
    assert scores.per_family[metric].low[0] == pytest.approx(low)
    assert scores.per_family[metric].high[0] == pytest.approx(high)
    assert float(scores.mean[metric].low) == pytest.approx(low)


def test_the_interval_of_a_mean_is_the_analytic_one(drawn: Arrays) -> None:
    labels, probability, _ = (array[:, :1] for array in drawn)
    known = ~np.isnan(labels)
    losses = (probability - labels)[known] ** 2
    half = 1.96 * losses.std() / math.sqrt(known.sum())
    brier = score(labels, probability, ("a",), resamples=4000).per_family["brier"]
    assert brier.low[0] == pytest.approx(losses.mean() - half, abs=0.1 * half)
    assert brier.high[0] == pytest.approx(losses.mean() + half, abs=0.1 * half)


@pytest.mark.slow
def test_about_95_percent_of_the_intervals_hold_the_truth() -> None:
    random = np.random.default_rng(2)
    probability = np.tile([[0.2], [0.5], [0.9]], (40, 1))
    truth = float(np.mean(probability * (1 - probability)))
    hits = 0
    for _ in range(300):
        labels = random.random(probability.shape) < probability
        seed = int(random.integers(1 << 30))
        brier = score(labels, probability, ("a",), resamples=200, seed=seed).mean["brier"]
        hits += bool(brier.low <= truth <= brier.high)
    assert 0.90 < hits / 300 < 0.985


def test_a_difference_is_paired(drawn: Arrays) -> None:
    labels, probability, other = drawn
    found = log_loss_difference(labels, probability, other, resamples=300)
    expected = log_loss(labels, probability) - log_loss(labels, other)
    assert float(found.value) == pytest.approx(expected)
    assert found.low < found.value < found.high

    same = log_loss_difference(labels, probability, probability, resamples=300)
    assert (float(same.low), float(same.high)) == (0, 0)


def test_a_paired_interval_is_narrower_than_that_of_either(drawn: Arrays) -> None:
    labels, probability, _ = drawn
    probability = probability.clip(0.05, 0.95)
    difference = log_loss_difference(labels, probability, probability * 0.99)
    alone = score(labels, probability, ("a", "b", "c")).mean["log_loss"]
    assert difference.high - difference.low < 0.2 * (alone.high - alone.low)


def test_the_same_seed_gives_the_same_scores(drawn: Arrays) -> None:
    labels, probability, _ = drawn
    families = ("a", "b", "c")
    first = score(labels, probability, families, resamples=100, seed=3).to_dict()
    assert first == score(labels, probability, families, resamples=100, seed=3).to_dict()
    other = score(labels, probability, families, resamples=100, seed=4).to_dict()
    assert first["mean"]["brier"]["value"] == other["mean"]["brier"]["value"]
    assert first["mean"]["brier"]["low"] != other["mean"]["brier"]["low"]


def test_scores_as_a_frame_and_as_json() -> None:
    scores = score(
        [[1.0, 0.0], [0.0, 0.0]], [[0.9, 0.1], [0.2, 0.1]], ("a", "b"), resamples=10, seed=7
    )
    frame = scores.to_frame()
    assert frame.columns[:6] == [
        "family", "positives", "known", "log_loss", "log_loss_low", "log_loss_high",
    ]  # fmt: skip
    assert frame["family"].to_list() == ["a", "b"]
    assert frame["roc_auc"].to_list() == [1.0, None]
    plain = json.loads(json.dumps(scores.to_dict(), allow_nan=False))
    assert (plain["runs"], plain["resamples"], plain["seed"]) == (2, 10, 7)
    assert plain["mean"]["roc_auc"]["value"] == 1.0
    assert plain["calibration_error"] == pytest.approx((0.1 + 2 * 0.1 + 0.2) / 4)
    assert plain["families"][1]["average_precision"] is None


@pytest.mark.parametrize(
    ("labels", "probability", "source", "facts"),
    [
        ([[1.0]], [[0.5, 0.5]], "labels", {"found": ["(1, 1)", "(1, 2)"]}),
        ([1.0], [0.5], "labels", {"expected": "(runs, families)"}),
        (np.empty((0, 2)), np.empty((0, 2)), "labels", {"expected": "0 or 1"}),
        ([[np.nan]], [[0.5]], "labels", {"expected": "0 or 1"}),
        ([[1.0, 2]], [[0.5, 0.5]], "labels: row 1, column 2", {"found": "2", "expected": "NaN"}),
        ([[1.0], [0]], [[0.5], [1.5]], "probability: row 2, column 1", {"found": "1.5"}),
        ([[1.0]], [[np.nan]], "probability: row 1, column 1", {"found": "nan"}),
    ],
)
def test_what_cannot_be_scored_is_refused(
    labels: Any, probability: Any, source: str, facts: dict[str, Facts]
) -> None:
    for refuse in (log_loss, family_scores, expected_calibration_error):
        with refused(TableError, source, **facts):
            refuse(labels, probability)


def test_families_must_fit_the_columns() -> None:
    with refused(TableError, "families", found=["1", "2 columns"]):
        score([[1.0, 0]], [[0.5, 0.5]], ("a",))
