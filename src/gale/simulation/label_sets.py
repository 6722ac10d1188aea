"""Which families a run holds: sets of families that a library allows, at a wanted prevalence."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from gale.errors import SimulationError
from gale.plumbing.toml import unknown_key
from gale.run import Floats
from gale.simulation.compounds import Booleans
from gale.simulation.published import LABEL_SETS, LETTERS, PREVALENCE

MAX_FAMILIES = 14
"""The largest number of families whose sets can all be listed."""

OTHER_PREVALENCE = 0.1
"""Prevalence of a family that is not among the published ones."""

COUNT_SHARES = {0: 0.37, 1: 0.47, 2: 0.09, 3: 0.03, 4: 0.015, 5: 0.011, 8: 0.014}
"""Share of the runs by number of families. Published: 37 % none, 47 % one, 11 of 809 eight; the
shares in between were chosen so that the prevalences add up."""

ROUNDS = 200
"""Rounds of each fit to prevalences."""


@dataclass(frozen=True)
class LabelSets:
    """Sets of families, with the probability of each.

    Parameters
    ----------
    sets : array of bool, shape (L, K)
    probability : array of shape (L,)
        Sums to 1.
    """

    sets: Booleans
    probability: Floats

    @property
    def prevalence(self) -> Floats:
        """Share of the runs that hold each family, shape (K,)."""
        return self.probability @ self.sets

    def at(self, quantile: float) -> Booleans:
        """Return the set, shape (K,), at a quantile, 0 to 1, of the cumulative probability."""
        number = np.searchsorted(np.cumsum(self.probability), quantile, side="right")
        return np.asarray(self.sets[min(int(number), len(self.sets) - 1)])

    def quantile_with(self, family: int) -> float | None:
        """Return a quantile at which the most probable set with a family is, if there is one."""
        probability = self.probability * self.sets[:, family]
        number = int(probability.argmax())
        if not probability[number]:
            return None
        return float(np.cumsum(self.probability)[number] - probability[number] / 2)


def all_sets(n_families: int) -> Booleans:
    """List all sets of K families, shape (2**K, K).

    Raises
    ------
    SimulationError
        If there are more than `MAX_FAMILIES`.
    """
    if n_families > MAX_FAMILIES:
        raise SimulationError(
            "families",
            f"are {n_families}",
            f"at most {MAX_FAMILIES}",
            "pass families=..., a smaller table",
        )
    numbers = np.arange(2**n_families)[:, None]
    return np.asarray((numbers >> np.arange(n_families)) % 2 == 1)


def fit_label_sets(patterns: Booleans, prevalence: Floats) -> LabelSets:
    """Find the probability of each set of families that compounds can make up.

    Compounds make up a set if all their families are in it and together they cover it. The
    probabilities start from the published numbers of families per run. They are fitted to these and
    to the prevalences in turn, then to the prevalences alone (iterative proportional fitting,
    Deming and Stephan 1940, Ann. Math. Stat. 11, 427).

    Parameters
    ----------
    patterns : array of bool, shape (P, K)
        Families of the available compounds.
    prevalence : array of shape (K,)
        Share of the runs to hold each family; a family that no set has is left out.

    Raises
    ------
    SimulationError
        If there are more than `MAX_FAMILIES` families.
    """
    # many pools of records have the same patterns
    distinct = np.unique(patterns, axis=0).tolist()
    return _fit(tuple(map(tuple, distinct)), tuple(prevalence.tolist()))


@lru_cache(maxsize=64)
def _fit(patterns: tuple[tuple[bool, ...], ...], prevalence: tuple[float, ...]) -> LabelSets:
    sets = all_sets(len(prevalence))
    sets = sets[_covered(sets, np.array(patterns, dtype=bool))]
    size = sets.sum(axis=1)
    wanted = {
        count: share for count, share in _count_shares(len(prevalence)).items() if count in size
    }
    probability = np.zeros(len(sets))
    for count, share in wanted.items():
        probability[size == count] = share / sum(wanted.values()) / (size == count).sum()
    drawn = probability > 0
    sets, size, probability = sets[drawn], size[drawn], probability[drawn]
    # where the two conflict, the prevalences count: they are fitted alone in the end
    for counts in [wanted] * ROUNDS + [{}] * ROUNDS:
        for count, share in counts.items():
            _scale(probability, size == count, share)
        for family in range(sets.shape[1]):
            _scale(probability, sets[:, family], prevalence[family])
    return LabelSets(sets, probability / probability.sum())


def fit_published_sets(
    patterns: Booleans, families: tuple[str, ...], prevalence: Floats
) -> LabelSets:
    """Find the probability of each published set of families that compounds can make up.

    The probabilities start from the published counts and are fitted to the prevalences, as
    :func:`fit_label_sets` does. For other families than the published nine, nothing is known of
    their sets, and this is that function.

    Parameters
    ----------
    patterns : array of bool, shape (P, K)
        Families of the available compounds.
    families : tuple of str, length K
    prevalence : array of shape (K,)
        Share of the runs to hold each family; a family that no set has is left out.

    Raises
    ------
    SimulationError
        If there are more than `MAX_FAMILIES` families.
    """
    if set(families) != set(PREVALENCE):
        return fit_label_sets(patterns, prevalence)
    letters = {family: letter for letter, family in LETTERS.items()}
    sets = np.array([[letters[family] in each for family in families] for each in LABEL_SETS])
    possible = _covered(sets, patterns)
    sets = sets[possible]
    probability = np.array(list(LABEL_SETS.values()), dtype=float)[possible]
    for _ in range(ROUNDS):
        for family in range(len(families)):
            _scale(probability, sets[:, family], prevalence[family])
    return LabelSets(sets, probability / probability.sum())


def prevalence_of(families: tuple[str, ...], changes: Mapping[str, float] | None = None) -> Floats:
    """Share of the runs to hold each of K families, shape (K,).

    Raises
    ------
    SimulationError
        If `changes` names another family.
    """
    changes = changes or {}
    for name in changes:
        if name not in families:
            raise SimulationError(f"prevalence: family {name!r}", *unknown_key(name, families))
    known = {**PREVALENCE, **changes}
    return np.array([known.get(family, OTHER_PREVALENCE) for family in families])


def _covered(sets: Booleans, patterns: Booleans) -> Booleans:
    """Whether each set is a union of patterns, shape (L,)."""
    covered = np.zeros_like(sets)
    for pattern in patterns:
        fits = ~(pattern & ~sets).any(axis=1)
        covered[fits] |= pattern
    return np.asarray((covered == sets).all(axis=1))


def _count_shares(n_families: int) -> dict[int, float]:
    """Share of the runs by number of families, which is K - 1 at most (1 if K is 1)."""
    counts: dict[int, float] = {}
    for count, share in COUNT_SHARES.items():
        fewer = min(count, max(n_families - 1, 1))
        counts[fewer] = counts.get(fewer, 0.0) + share
    return counts


def _scale(probability: NDArray[np.float64], inside: Booleans, share: float) -> None:
    """Scale the inside to a share and the outside to the rest, unless either is empty."""
    total, part = probability.sum(), probability[inside].sum()
    if 0 < part < total:
        probability[inside] *= share * total / part
        probability[~inside] *= (1 - share) * total / (total - part)
