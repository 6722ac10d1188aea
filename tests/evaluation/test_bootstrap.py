"""Resamples as weights, and their intervals."""

from __future__ import annotations

import numpy as np
import pytest

from gale.evaluation import bootstrap
from gale.evaluation.bootstrap import estimate, resampled_weights


def test_a_resample_draws_as_many_runs_as_there_are() -> None:
    (weights,) = resampled_weights(50, 2000, seed=0)
    assert weights.shape == (2000, 50)
    np.testing.assert_array_equal(weights.sum(axis=1), 50)
    np.testing.assert_allclose(weights.mean(axis=0), 1, atol=0.12)
    np.testing.assert_allclose(weights.var(axis=0), 1 - 1 / 50, atol=0.2)


def test_blocks_do_not_change_the_weights(monkeypatch: pytest.MonkeyPatch) -> None:
    (whole,) = resampled_weights(7, 10, seed=5)
    monkeypatch.setattr(bootstrap, "BLOCK", 28)
    blocks = list(resampled_weights(7, 10, seed=5))
    assert [len(block) for block in blocks] == [4, 4, 2]
    np.testing.assert_array_equal(np.concatenate(blocks), whole)


def test_bounds_are_percentiles_of_what_is_defined() -> None:
    draws = np.array([np.arange(101.0), np.full(101, np.nan), np.arange(101.0)]).T
    draws[50:, 2] = np.nan
    found = estimate(np.array([50.0, np.nan, 7.0]), draws)
    np.testing.assert_allclose(found.low, [2.5, np.nan, 0.025 * 49])
    np.testing.assert_allclose(found.high, [97.5, np.nan, 0.975 * 49])
    assert found.to_dict()["value"] == [50.0, None, 7.0]


def test_a_single_value_is_a_plain_number_in_json() -> None:
    found = estimate(np.array(np.nan), np.full(5, np.nan)).to_dict()
    assert found == {"value": None, "low": None, "high": None}
    assert estimate(np.array(1.0), np.ones(5)).to_dict() == {"value": 1.0, "low": 1.0, "high": 1.0}
