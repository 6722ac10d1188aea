"""What is computed here is what numpy and SciPy compute."""

from __future__ import annotations

from typing import Any

import numpy as np
from hypothesis import example, given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from scipy.ndimage import correlate1d, gaussian_filter1d, uniform_filter1d
from scipy.optimize import nnls
from scipy.signal import find_peaks
from scipy.special import logit as logit_of_scipy
from scipy.special import softmax as softmax_of_scipy

from gale.plumbing.numeric import (
    BLOCK,
    correlated,
    least_squares_above_0,
    local_maxima,
    logit,
    moving_mean,
    quantile,
    smoothed,
    softmax,
)

Array = NDArray[Any]

CURVES = st.lists(
    st.integers(-3, 3) | st.floats(-1e6, 1e6, allow_nan=False), max_size=40
)  # few heights, so that plateaus are common


@given(CURVES)
@example([])
@example([1.0])
@example([0.0, 1.0, 1.0])
@example([0.0, 1.0, 1.0, 1.0, 1.0, 0.0, 1.0, 0.0])
def test_local_maxima_are_those_of_scipy(curve: list[float]) -> None:
    values = np.array(curve, dtype=np.float64)
    np.testing.assert_array_equal(local_maxima(values), find_peaks(values)[0])


@settings(max_examples=60)
@given(st.integers(1, 30_000), st.floats(0, 1), st.integers(1, 10**6), st.integers(0, 99))
def test_a_quantile_is_that_of_numpy(n: int, share: float, distinct: int, seed: int) -> None:
    rng = np.random.default_rng(seed)
    values = np.asarray(rng.integers(0, distinct, n) * rng.lognormal(0, 3), np.float64)
    assert quantile(values, share) == np.quantile(values, share)


@settings(max_examples=40)
@given(st.integers(2, 60), st.sampled_from([np.float32, np.float64]), st.integers(0, 99))
def test_a_moving_mean_is_that_of_scipy_to_the_last_digit(n: int, kind: type, seed: int) -> None:
    values: Array = np.random.default_rng(seed).lognormal(0, 4, (n, 7)).astype(kind)
    edges = np.repeat(values[:1], 2, axis=0), np.repeat(values[-1:], 2, axis=0)
    nearest = uniform_filter1d(values, 5, axis=0, mode="nearest")
    np.testing.assert_array_equal(moving_mean(values, *edges), nearest, strict=True)
    mirrored = moving_mean(values, values[1::-1], values[:-3:-1])
    np.testing.assert_array_equal(mirrored, uniform_filter1d(values, 5, axis=0), strict=True)


@settings(max_examples=40)
@given(
    st.integers(1, 3 * BLOCK), st.integers(0, 9), st.sampled_from([np.float32, np.float64]),
    st.integers(0, 99),
)  # fmt: skip
def test_columns_are_correlated_as_by_scipy(n: int, reach: int, kind: type, seed: int) -> None:
    rng = np.random.default_rng(seed)
    values: Array = rng.lognormal(0, 2, (n, 5)).astype(kind)
    kernel = rng.normal(size=2 * reach + 1)
    expected = correlate1d(values, kernel, axis=0, mode="nearest")
    found = correlated(values, kernel)
    assert found.dtype == values.dtype
    np.testing.assert_allclose(found, expected, rtol=1e-6, atol=1e-6 * np.abs(values).max())


@settings(max_examples=40)
@given(st.integers(1, 300), st.floats(0.1, 30), st.integers(0, 99))
def test_a_curve_is_smoothed_as_by_scipy(n: int, sigma: float, seed: int) -> None:
    values = np.random.default_rng(seed).lognormal(0, 2, n)
    expected = gaussian_filter1d(values, sigma, mode="constant")
    np.testing.assert_allclose(smoothed(values, sigma), expected, rtol=1e-12, atol=1e-12)


@given(st.lists(st.floats(1e-300, 1 - 1e-15), min_size=1), st.integers(0, 99))
def test_log_odds_and_shares_are_those_of_scipy(listed: list[float], seed: int) -> None:
    probability = np.array(listed)
    expected = logit_of_scipy(probability)
    np.testing.assert_allclose(logit(probability), expected, rtol=1e-12, atol=1e-15)
    values = np.random.default_rng(seed).normal(0, 300, len(listed))
    np.testing.assert_allclose(softmax(values), softmax_of_scipy(values), rtol=1e-12)


@settings(max_examples=60)
@given(st.integers(3, 40), st.integers(1, 3), st.integers(0, 999))
def test_weights_that_are_not_negative_are_those_of_scipy(n: int, n_terms: int, seed: int) -> None:
    rng = np.random.default_rng(seed)
    terms, values = rng.normal(size=(n, n_terms)), rng.normal(size=n)
    np.testing.assert_allclose(
        least_squares_above_0(terms, values), nnls(terms, values)[0], atol=1e-9
    )
