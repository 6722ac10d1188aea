"""Soups: averages of the weights of members.

The algorithms know nothing of networks: they are given functions that train, tune, average and
score, so that they can be read, and tested, by themselves.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

W = TypeVar("W")


@dataclass(frozen=True)
class Member(Generic[W]):
    """Trained weights and the validation log loss of these very weights."""

    weights: W
    validation: float


def average_weights(weights: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """Average mappings of name to array, name by name."""
    return {name: sum(each[name] for each in weights) / len(weights) for name in weights[0]}


def uniform_soup(
    members: Sequence[Member[W]],
    average: Callable[[Sequence[W]], W],
    evaluate: Callable[[W], float],
) -> Member[W]:
    """Average all members (Wortsman et al. 2022, arXiv 2203.05482, "uniform soup")."""
    weights = average([member.weights for member in members])
    return Member(weights, evaluate(weights))


def greedy_soup(
    members: Sequence[Member[W]],
    average: Callable[[Sequence[W]], W],
    evaluate: Callable[[W], float],
) -> Member[W]:
    """Add members, best first, as long as the average gets no worse.

    Wortsman et al. 2022, arXiv 2203.05482, recipe 1. The result is never worse on the validation
    runs than the best member.
    """
    ranked = sorted(members, key=lambda member: member.validation)
    inside, best = [ranked[0].weights], ranked[0]
    for member in ranked[1:]:
        weights = average([*inside, member.weights])
        score = evaluate(weights)
        if score <= best.validation:
            inside.append(member.weights)
            best = Member(weights, score)
    return best


def fixed_soup(
    train: Callable[[int], Member[W]],
    tune: Callable[[int, W], Member[W]],
    average: Callable[[Sequence[W]], W],
    *,
    size: int,
    iterations: int,
) -> Member[W]:
    """Average a fixed number of members, and train on from the average, again and again.

    Train `size` members. Then, at each iteration, train one more; if it is better than the worst
    of the soup, it takes that one's place; average the soup and train on from the average. The
    best of these trainings-on is the result, with the weights that its score belongs to (the
    published code returns the average that it started from instead).

    Parameters
    ----------
    train : callable
        Trains member number i, from 0 to size + iterations − 1.
    tune : callable
        Trains on, at iteration j from 0 to iterations − 1, from given weights.
    average : callable
    size, iterations : int
        At least 1 each.
    """
    soup = [train(number) for number in range(size)]

    def iterate(iteration: int) -> Member[W]:
        candidate = train(size + iteration)
        worst = max(range(size), key=lambda place: soup[place].validation)
        if candidate.validation < soup[worst].validation:
            soup[worst] = candidate
        return tune(iteration, average([member.weights for member in soup]))

    return min(map(iterate, range(iterations)), key=lambda member: member.validation)
