"""Limits of probabilities by the number of training runs, in numbers and in the graph."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from scipy.special import logit

from gale.model import Model
from gale.model.support import Support
from helpers.graphs import FACTS, N_FEATURES, file_of, linear

COUNTS = [9, 99, 100_000]


def test_as_if_so_many_runs_had_been_seen_and_half_a_run_of_either_kind() -> None:
    share = np.array([[0.0] * 3, [1 / 9] * 3, [0.5] * 3, [1.0] * 3])
    n_runs = np.array(COUNTS)
    expected = (share * n_runs + 0.5) / (share * n_runs + 0.5 + (1 - share) * n_runs + 0.5)
    found = Support.of(COUNTS).apply(share)
    np.testing.assert_allclose(found, expected, rtol=1e-14)
    np.testing.assert_allclose(found[0], Support.of(COUNTS).least)
    np.testing.assert_allclose(found[3], 1 - Support.of(COUNTS).least)


def test_a_family_of_no_run_has_one_half() -> None:
    assert Support.of([0]).apply([[0.0], [0.3], [1.0]]).tolist() == [[0.5]] * 3
    assert np.isfinite(Support.of([0]).undo([[0.5]])).all()


def test_order_is_kept_and_can_be_undone() -> None:
    probability = np.array([[0, 1e-12, 1e-9, 1e-3, 0.5, 1 - 1e-9, 1]] * 3).T
    support = Support.of(COUNTS)
    assert (np.diff(support.apply(probability), axis=0) > 0).all()
    np.testing.assert_allclose(support.undo(support.apply(probability)), probability, atol=1e-15)


@pytest.mark.parametrize("n_runs", [9, 1121])
def test_it_costs_next_to_nothing_where_the_model_is_right(n_runs: int) -> None:
    p = np.array([[0, 1e-6, 1e-3, 0.1, 0.5, 0.9, 1]]).T
    q = Support.of([n_runs]).apply(p)
    with np.errstate(divide="ignore", invalid="ignore"):
        cost = np.nan_to_num(p * np.log(p / q)) + np.nan_to_num((1 - p) * np.log((1 - p) / (1 - q)))
    assert 0 <= cost.max() <= -np.log1p(-0.5 / (n_runs + 1)) + 1e-15
    assert -np.log(q.min()) == pytest.approx(np.log(2 * (n_runs + 1)))


def test_the_graph_limits_the_probability_and_not_that_of_members() -> None:
    networks = [linear(1), linear(2)]
    facts = {**FACTS, "training": {**FACTS["training"], "known": COUNTS}, "supported": True}
    free, limited = (
        Model(file_of(networks, each, support=support))
        for each, support in ((FACTS, None), (facts, Support.of(COUNTS)))
    )
    x = 100 * torch.randn(30, N_FEATURES, generator=torch.Generator().manual_seed(1)).numpy()
    (before, of_members), (after, same) = free.predict_features(x), limited.predict_features(x)
    np.testing.assert_array_equal(same, of_members)
    assert {0.0, 1.0} <= set(before.ravel())
    support = Support.of_facts(limited.facts)
    assert support is not None
    assert Support.of_facts(free.facts) is None
    np.testing.assert_allclose(after, support.apply(before), atol=1e-7)
    assert (after >= support.least * (1 - 1e-6)).all()
    assert (after <= 1 - support.least * (1 - 1e-2)).all()  # in single precision
    inside = (before > 1e-3) & (before < 1 - 1e-3)
    assert inside.any()
    np.testing.assert_allclose(
        logit(support.undo(after))[inside], logit(before.astype(float))[inside], atol=2e-3
    )
