"""The logistic baseline against scikit-learn."""

from __future__ import annotations

import math

import numpy as np
import pytest
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from gale.training.logistic import fit_logistic

C = 0.5
EACH_ALONE = tuple(slice(at, at + 1) for at in range(5))
"""Blocks of features that have no unit in common."""


@pytest.fixture
def features() -> np.ndarray:
    """Features (R, D) of very different scales, one of which never varies."""
    random = np.random.default_rng(0)
    scale, shift = np.array([1, 10, 0.01, 0, 3]), np.array([0, 50, 1, 0.1, -1])
    return np.asarray(random.normal(size=(60, 5)) * scale + shift, np.float32)


@pytest.fixture
def labels(features: np.ndarray) -> np.ndarray:
    """Labels (R, K) of two families that depend on the features."""
    random = np.random.default_rng(1)
    z = (features - features.mean(0)) / np.maximum(features.std(0), 1e-6)
    return np.asarray(z[:, :2] + z[:, 2:3] + random.normal(size=(60, 2)) > 0, np.float32)


def probability(
    features: np.ndarray, labels: np.ndarray, c: float = C, scale: bool = True
) -> np.ndarray:
    weights = fit_logistic(
        features, labels, c=c, max_iterations=1000, scale=scale, blocks=EACH_ALONE
    )
    assert weights["weight"].shape == (features.shape[1], labels.shape[1])
    assert weights["weight"].dtype == weights["bias"].dtype == np.float32
    logits = features.astype(float) @ weights["weight"] + weights["bias"]
    return np.asarray(1 / (1 + np.exp(-logits)))


@pytest.mark.parametrize("c", [0.003, 1.0])
def test_probabilities_are_those_of_scikit_learn_on_standardised_features(
    features: np.ndarray, labels: np.ndarray, c: float
) -> None:
    found = probability(features, labels, c)
    for family in range(2):
        oracle = make_pipeline(StandardScaler(), LogisticRegression(C=c, max_iter=1000))
        oracle.fit(features.astype(float), labels[:, family])
        expected = oracle.predict_proba(features.astype(float))[:, 1]
        np.testing.assert_allclose(found[:, family], expected, atol=1e-4)


def test_without_scaling_large_features_are_penalised_less(
    features: np.ndarray, labels: np.ndarray
) -> None:
    found = probability(features, labels, 0.01, scale=False)
    centred = features.astype(float) - features.mean(0, dtype=float)
    for family in range(2):
        oracle = LogisticRegression(C=0.01, max_iter=1000).fit(centred, labels[:, family])
        np.testing.assert_allclose(found[:, family], oracle.predict_proba(centred)[:, 1], atol=1e-4)
    assert np.abs(found - probability(features, labels, 0.01)).max() > 0.05


def test_scale_and_unit_of_the_features_do_not_matter(
    features: np.ndarray, labels: np.ndarray
) -> None:
    other = (features * np.float32(64) - np.float32(8)).astype(np.float32)
    np.testing.assert_allclose(probability(features, labels), probability(other, labels), atol=1e-4)


def test_unknown_labels_do_not_count(features: np.ndarray, labels: np.ndarray) -> None:
    masked = labels.copy()
    masked[:25, 0] = np.nan
    found = probability(features, masked)
    np.testing.assert_array_equal(found[:, 1], probability(features, labels)[:, 1])
    z = (features.astype(float) - features.mean(0, dtype=float)) / np.maximum(
        features.std(0, dtype=float), 1e-9
    )
    oracle = LogisticRegression(C=C, max_iter=1000).fit(z[25:], labels[25:, 0])
    np.testing.assert_allclose(found[:, 0], oracle.predict_proba(z)[:, 1], atol=1e-4)


def test_a_run_with_more_of_what_hardly_varies_is_predicted_like_the_others(
    labels: np.ndarray,
) -> None:
    random = np.random.default_rng(3)
    features = random.normal(size=(60, 5)).astype(np.float32)
    features[:, 2] = 1e-4 * (features[:, 0] + random.normal(size=60))
    odd = np.zeros((2, 5))
    odd[1, 2] = 1.0  # 7,000 of its deviations

    def logits(blocks: tuple[slice, ...]) -> np.ndarray:
        found = fit_logistic(features, labels, c=C, max_iterations=1000, blocks=blocks)
        return np.asarray(odd @ found["weight"] + found["bias"])

    apart, together = logits(EACH_ALONE), logits((slice(None),))
    assert np.abs(apart[1] - apart[0]).max() > 100
    assert np.abs(together[1] - together[0]).max() < 0.01
    np.testing.assert_allclose(together[0], apart[0], atol=0.2)


def test_a_feature_that_never_varies_has_no_weight(
    features: np.ndarray, labels: np.ndarray
) -> None:
    weights = fit_logistic(features, labels, c=C, max_iterations=1000)
    np.testing.assert_allclose(weights["weight"][3], 0, atol=1e-9)
    assert (weights["weight"][[0, 1, 2, 4]] != 0).all()


@pytest.mark.parametrize(("value", "share"), [(0, 0.5 / 40), (1, 39.5 / 40)])
def test_a_family_of_one_class_has_its_prevalence_everywhere(
    features: np.ndarray, labels: np.ndarray, value: float, share: float
) -> None:
    one_class = np.column_stack([labels[:, 0], np.full(60, value)]).astype(np.float32)
    one_class[:20, 1] = math.nan
    found = probability(features, one_class)
    np.testing.assert_allclose(found[:, 1], share, rtol=1e-5)
    np.testing.assert_array_equal(found[:, 0], probability(features, labels)[:, 0])
