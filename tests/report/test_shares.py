"""Shares with intervals: reliability, and what is found by abundance."""

from __future__ import annotations

import numpy as np
import polars as pl
import pytest
from scipy.stats import binomtest

from gale.report.shares import by_abundance, reliability_bands, strongest


def test_reliability_of_all_and_of_each() -> None:
    rng = np.random.default_rng(0)
    probability = rng.random((500, 2))
    labels = (rng.random((500, 2)) < probability).astype(float)
    labels[:100, 1] = np.nan
    bands = reliability_bands(("a", "b"), labels, probability)
    assert list(bands) == ["all families", "a", "b"]
    assert [band.number.sum() for band in bands.values()] == [900, 500, 400]
    for band in bands.values():
        assert (band.low <= band.share).all()
        assert (band.share <= band.high).all()
        assert np.abs(band.share - band.x).max() < 0.2
    inside = (probability[:, 0] >= 0.2) & (probability[:, 0] < 0.4)
    assert bands["a"].share[1] == labels[inside, 0].mean()
    assert bands["a"].x[1] == pytest.approx(probability[inside, 0].mean())
    hits = int(labels[inside, 0].sum())
    interval = binomtest(hits, int(inside.sum())).proportion_ci(method="wilson")
    assert (bands["a"].low[1], bands["a"].high[1]) == (interval.low, interval.high)


def test_a_probability_of_1_has_a_bin() -> None:
    band = reliability_bands(("a",), np.array([[1.0], [0.0]]), np.array([[1.0], [0.0]]))["a"]
    assert band.share.tolist() == [0.0, 1.0]
    assert band.number.tolist() == [1, 1]


def test_the_strongest_compound_of_a_family() -> None:
    truth = pl.DataFrame(
        {
            "run": ["x", "x", "x", "other", "y"],
            "families": [["a"], ["a", "b"], ["no such"], ["a"], ["a"]],
            "role": ["compound", "evolved gas", "compound", "compound", "contaminant"],
            "abundance": [2.0, 7.0, 50.0, 9.0, 80.0],
        }
    )
    np.testing.assert_array_equal(strongest(truth, ("x", "y"), ("a", "b")), [[7, 7], [0, 0]])


def test_found_by_abundance() -> None:
    abundance = np.array([[2.0], [2.5], [40.0], [500.0], [0.5], [7.0]])
    labels = np.array([[1.0], [1.0], [1.0], [1.0], [0.0], [0.0]])
    probability = np.array([[0.6], [0.2], [0.5], [0.9], [0.99], [0.99]])
    band, mean, names = by_abundance(abundance, labels, probability)
    assert names == ["1 to 3", "30 to 100", "100 and more"]
    assert band.share.tolist() == [0.5, 1.0, 1.0]
    assert band.number.tolist() == [2, 1, 1]
    np.testing.assert_allclose(mean, [0.4, 0.5, 0.9])
    assert not len(by_abundance(abundance, 0 * labels, probability)[0].x)
