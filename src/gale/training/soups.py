"""Soups: averages of the weights of members.

The algorithms know nothing of networks: they take scores, or functions that average and score, so
they can be read and tested on their own.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

W = TypeVar("W")


@dataclass(frozen=True)
class Member(Generic[W]):
    """Trained weights and their validation log loss."""

    weights: W
    validation: float


def average_weights(weights: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """Average mappings from name to array, name by name."""
    return {name: sum(each[name] for each in weights) / len(weights) for name in weights[0]}


def interpolate(
    start: Mapping[str, Any], weights: Mapping[str, Any], share: float
) -> dict[str, Any]:
    """Interpolate between the weights at the start of a fit (share 0) and at its end (share 1).

    Weights fitted to runs from few instruments, drawn back to weights learned from many, err less
    on other instruments (Wortsman et al. 2022, "Robust fine-tuning of zero-shot models",
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
    """Add members, best first, wherever the average gets no worse.

    Wortsman et al. 2022, arXiv 2203.05482, recipe 1. On the validation runs the result is never
    worse than the best member.
    """
    ranked = sorted(members, key=lambda member: member.validation)
    averaged, best = [ranked[0].weights], ranked[0]
    for member in ranked[1:]:
        weights = average([*averaged, member.weights])
        score = evaluate(weights)
        if score <= best.validation:
            averaged.append(member.weights)
            best = Member(weights, score)
    return best


def fixed_soups(validation: Sequence[float], size: int) -> list[tuple[int, ...]]:
    """List the members of a soup of fixed size, iteration by iteration.

    The soup begins with the first `size` members. At each iteration, the next member replaces the
    worst one in the soup if it is better. This depends on the members' own scores alone, so all
    members can be trained at once. So can the fits that train on, one from the average of each of
    these soups. The best of those fits is the result, with its own weights (the published code
    returns the average it started from instead).

    Parameters
    ----------
    validation : sequence of float
        Validation log loss of each member, in the order of training.
    size : int
        Members of the soup, at least 1.

    Returns
    -------
    list of tuples of int
        `size` member numbers for each member after the first `size`.
    """
    soup, soups = list(range(size)), []
    for candidate in range(size, len(validation)):
        worst = max(range(size), key=lambda place: validation[soup[place]])
        if validation[candidate] < validation[soup[worst]]:
            soup[worst] = candidate
        soups.append(tuple(soup))
    return soups
