"""Soups: averages of the weights of members.

The algorithms know nothing of networks: they are given scores, or functions that average and score,
so that they can be read, and tested, by themselves.
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


def interpolate(
    start: Mapping[str, Any], weights: Mapping[str, Any], share: float
) -> dict[str, Any]:
    """Go a share of the way from weights that a fit began with to those that it ended with.

    What is fitted to the runs of few instruments, drawn back to what was learned from many, errs
    less on other instruments (Wortsman et al. 2022, "Robust fine-tuning of zero-shot models",
    arXiv 2109.01903).
    """
    return {name: (1 - share) * start[name] + share * weights[name] for name in weights}


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


def fixed_soups(validation: Sequence[float], size: int) -> list[tuple[int, ...]]:
    """Which members are in a soup of fixed size, iteration by iteration.

    The first `size` members are the soup. Then, at each iteration, the next member takes the place
    of the worst one of the soup if it is better. This depends on the members' own scores alone, so
    all of them can be trained at once; so can the trainings-on, one from the average of each of
    these soups, of which the best is the result, with the weights that its score belongs to (the
    published code returns the average that it started from instead).

    Parameters
    ----------
    validation : sequence of float
        Validation log loss of each member, in the order of their training.
    size : int
        Members of the soup, at least 1.

    Returns
    -------
    list of tuples of `size` member numbers, one for each member after the first `size`
    """
    soup, soups = list(range(size)), []
    for candidate in range(size, len(validation)):
        worst = max(range(size), key=lambda place: validation[soup[place]])
        if validation[candidate] < validation[soup[worst]]:
            soup[worst] = candidate
        soups.append(tuple(soup))
    return soups
