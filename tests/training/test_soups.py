"""Soups on weights that are a few numbers, and on scores alone."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gale.training.soups import (
    Member,
    average_weights,
    fixed_soups,
    greedy_soup,
    interpolate,
    uniform_soup,
)

Weights = dict[str, Any]


def weights(*values: float) -> Weights:
    return {"a": np.array(values), "b": np.array([values[0]])}


def bowl(w: Mapping[str, Any]) -> float:
    """Least at 0, so that the average of points around 0 is better than each."""
    return float(np.sum(w["a"] ** 2))


def two_wells(w: Mapping[str, Any]) -> float:
    """Least at 1 and −1, so that the average of both is worse than either."""
    return float(np.sum((w["a"] ** 2 - 1) ** 2))


def members(score: Any, *points: tuple[float, ...]) -> list[Member[Weights]]:
    return [Member(weights(*point), score(weights(*point))) for point in points]


def test_average_is_the_mean_of_each_array() -> None:
    averaged = average_weights([weights(1, 2), weights(3, 6), weights(5, 1)])
    assert averaged.keys() == {"a", "b"}
    assert averaged["a"].tolist() == [3, 3]
    assert averaged["b"].tolist() == [3]


def test_average_keeps_single_precision_and_the_members() -> None:
    parts = [{"a": np.array([value], np.float32)} for value in (1, 2)]
    averaged = average_weights(parts)
    assert averaged["a"].dtype == np.float32
    assert [part["a"].tolist() for part in parts] == [[1], [2]]
    assert average_weights(parts[:1])["a"] is not parts[0]["a"]


def test_uniform_soup_is_the_mean_however_bad() -> None:
    soup = uniform_soup(members(bowl, (1, 1), (-1, 1), (0, -2)), average_weights, bowl)
    assert soup.weights["a"].tolist() == [0, 0]
    assert soup.validation == 0
    soup = uniform_soup(members(two_wells, (1,), (-1,)), average_weights, two_wells)
    assert (soup.weights["a"].tolist(), soup.validation) == ([0], 1)


def test_greedy_soup_takes_what_helps_and_leaves_what_does_not() -> None:
    # Best first: 1, then −2 (average −0.5: better), then 3 (average 0.67: worse).
    soup = greedy_soup(members(bowl, (3,), (1,), (-2,)), average_weights, bowl)
    assert soup.weights["a"].tolist() == [-0.5]
    assert soup.validation == 0.25


def test_greedy_soup_keeps_the_best_member_where_averages_are_terrible() -> None:
    pool = members(two_wells, (1.1,), (-1.0,), (0.9,))
    soup = greedy_soup(pool, average_weights, two_wells)
    assert soup is pool[1]


def test_greedy_soup_averages_all_it_took_alike() -> None:
    soup = greedy_soup(members(bowl, (1, 0), (-0.5, 1), (-0.5, -1)), average_weights, bowl)
    assert soup.weights["a"].tolist() == [0, 0]


@given(st.lists(st.floats(-3, 3), min_size=1, max_size=6), st.sampled_from([bowl, two_wells]))
def test_greedy_soup_is_never_worse_than_the_best_member(points: list[float], score: Any) -> None:
    pool = members(score, *((point,) for point in points))
    soup = greedy_soup(pool, average_weights, score)
    assert soup.validation <= min(member.validation for member in pool)
    assert soup.validation == score(soup.weights)


def one_by_one(validation: list[float], size: int) -> list[list[int]]:
    """The soups as they are defined: each new member is looked at when it has been trained."""
    soup = sorted(range(size))
    soups = []
    for number, score in enumerate(validation):
        if number < size:
            continue
        scores = [validation[member] for member in soup]
        if score < max(scores):
            soup[scores.index(max(scores))] = number
        soups.append(sorted(soup))
    return soups


def test_fixed_soups_step_by_step() -> None:
    soups = fixed_soups([0.5, 0.3, 0.4, 0.6, 0.2, 0.3], 2)
    # Members 0 and 1 begin. 2 (.4) replaces 0 (.5). 3 (.6) is worse than both.
    # 4 (.2) replaces 2 (.4). 5 (.3) is only as good as the worst, 1 (.3).
    assert [set(soup) for soup in soups] == [{2, 1}, {2, 1}, {4, 1}, {4, 1}]


@given(st.lists(st.integers(0, 5), min_size=1, max_size=12), st.integers(1, 5))
def test_fixed_soups_are_those_of_the_sequential_definition(
    validation: list[float], size: int
) -> None:
    found = fixed_soups(validation, size) if len(validation) >= size else []
    assert [sorted(soup) for soup in found] == one_by_one(validation, size)


@given(st.lists(st.floats(0, 1), min_size=3, max_size=12, unique=True))
def test_fixed_soups_hold_the_best_so_far(validation: list[float]) -> None:
    for n_seen, soup in enumerate(fixed_soups(validation, 2), start=3):
        best = sorted(range(n_seen), key=validation.__getitem__)[:2]
        assert set(soup) == set(best)


def test_there_are_as_many_soups_as_published() -> None:
    assert fixed_soups([0.5] * 45, 5) == [(0, 1, 2, 3, 4)] * 40


@pytest.mark.parametrize(("share", "expected"), [(1.0, [4, 8]), (0.25, [1, 5]), (0.5, [2, 6])])
def test_interpolation_goes_a_share_of_the_way(share: float, expected: list[float]) -> None:
    found = interpolate({"w": np.array([0.0, 4.0])}, {"w": np.array([4.0, 8.0])}, share)
    np.testing.assert_allclose(found["w"], expected)
