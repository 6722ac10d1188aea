"""Soups on weights that are a few numbers, with training that is a table."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gale.soups import Member, average_weights, fixed_soup, greedy_soup, uniform_soup

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


class Table:
    """Training as a table of scores: member i has weights 10 i, training on adds 1."""

    def __init__(self, trained: list[float], tuned: list[float]) -> None:
        self.trained, self.tuned = trained, tuned
        self.log: list[tuple[str, int]] = []
        self.averages: list[float] = []

    def train(self, number: int) -> Member[Weights]:
        self.log.append(("train", number))
        return Member({"a": 10.0 * number}, self.trained[number])

    def tune(self, iteration: int, start: Weights) -> Member[Weights]:
        self.log.append(("tune", iteration))
        self.averages.append(start["a"])
        return Member({"a": start["a"] + 1}, self.tuned[iteration])

    def soup(self, size: int) -> Member[Weights]:
        return fixed_soup(
            self.train, self.tune, average_weights, size=size, iterations=len(self.tuned)
        )


def test_fixed_soup_step_by_step() -> None:
    table = Table([0.5, 0.3, 0.4, 0.6, 0.2, 0.3], [0.35, 0.25, 0.30, 0.28])
    soup = table.soup(2)
    # Members 0 and 1 begin. 2 (.4) replaces 0 (.5). 3 (.6) is worse than both.
    # 4 (.2) replaces 2 (.4). 5 (.3) is only as good as the worst, 1 (.3).
    assert table.averages == [(20 + 10) / 2, (20 + 10) / 2, (40 + 10) / 2, (40 + 10) / 2]
    assert table.log == [
        ("train", 0), ("train", 1),
        ("train", 2), ("tune", 0),
        ("train", 3), ("tune", 1),
        ("train", 4), ("tune", 2),
        ("train", 5), ("tune", 3),
    ]  # fmt: skip
    assert soup == Member({"a": 15.0 + 1}, 0.25)  # trained on from the average, not the average


def test_fixed_soup_keeps_the_first_of_equals() -> None:
    assert Table([0.5, 0.4, 0.3], [0.2, 0.2]).soup(1).weights == {"a": 11.0}


def test_fixed_soup_trains_as_often_as_published() -> None:
    table = Table([0.5] * 45, [0.4] * 40)
    table.soup(5)
    kinds = [kind for kind, _ in table.log]
    assert (kinds.count("train"), kinds.count("tune")) == (45, 40)
    assert table.averages == [20.0] * 40


@pytest.mark.parametrize("seed", range(5))
def test_fixed_soup_finds_the_bottom_of_a_bowl(seed: int) -> None:
    random = np.random.default_rng(seed)

    def halfway(_: int, start: Weights) -> Member[Weights]:
        nearer = {"a": start["a"] / 2}
        return Member(nearer, bowl(nearer))

    pool = members(bowl, *random.normal(size=(25, 3)))
    soup = fixed_soup(pool.__getitem__, halfway, average_weights, size=5, iterations=20)
    assert soup.validation == bowl(soup.weights)
    assert soup.validation < min(member.validation for member in pool)
