"""Which families a run holds: sets of families that a library can give, as often as wanted."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from gale.errors import SimulationError
from gale.plumbing.toml import unknown_key
from gale.run import Floats
from gale.simulation.compounds import Flags

MOST_FAMILIES = 14
"""All sets of so many families can still be listed."""

PREVALENCE = {
    "aromatic": 0.098,
    "hydrocarbon": 0.328,
    "carboxylic_acid": 0.142,
    "nitrogen_bearing_compound": 0.119,
    "chlorine_bearing_compound": 0.022,
    "sulfur_bearing_compound": 0.038,
    "alcohol": 0.032,
    "other_oxygen_bearing_compound": 0.026,
    "mineral": 0.145,
}
"""Published share of the training runs that hold each family."""
OTHER_PREVALENCE = 0.1
"""Of a family that is not among the published ones."""

COUNT = {0: 0.37, 1: 0.47, 2: 0.09, 3: 0.03, 4: 0.015, 5: 0.011, 8: 0.014}
"""Share of the runs that hold so many families. Published: 37 % none, 47 % one, 11 of 809 eight;
what lies between was chosen so that the prevalences add up."""

ROUNDS = 200


@dataclass(frozen=True)
class LabelSets:
    """Sets of families, and how often each is to be drawn.

    Parameters
    ----------
    sets : array of bool, shape (L, K)
    probability : array of shape (L,)
        Sums to 1.
    """

    sets: Flags
    probability: Floats

    @property
    def prevalence(self) -> Floats:
        """Share of the draws that hold each family, shape (K,)."""
        return self.probability @ self.sets

    def at(self, place: float) -> Flags:
        """Give the set, shape (K,), at a place from 0 to 1 of the cumulative probability."""
        number = np.searchsorted(np.cumsum(self.probability), place, side="right")
        return np.asarray(self.sets[min(int(number), len(self.sets) - 1)])


def all_sets(n_families: int) -> Flags:
    """List all sets of K families, shape (2**K, K).

    Raises
    ------
    SimulationError
        If there are more than `MOST_FAMILIES`.
    """
    if n_families > MOST_FAMILIES:
        raise SimulationError(
            f"{n_families} families were found; expected at most {MOST_FAMILIES} to simulate at "
            "once; give a smaller table of families"
        )
    numbers = np.arange(2**n_families)[:, None]
    return np.asarray((numbers >> np.arange(n_families)) % 2 == 1)


def fit_label_sets(patterns: Flags, prevalence: Floats) -> LabelSets:
    """Find how often to draw each set that compounds can make up.

    A set can be made up if compounds whose families are all in it cover it. Probabilities begin
    with the published numbers of families and are fitted to them and to the prevalences in turn
    (iterative proportional fitting, Deming and Stephan 1940), then to the prevalences alone.

    Parameters
    ----------
    patterns : array of bool, shape (P, K)
        Families of the compounds at hand.
    prevalence : array of shape (K,)
        Share of the runs that shall hold each family; one that no set has is left out.
    """
    sets = all_sets(patterns.shape[1])
    sets = sets[_covered(sets, np.unique(patterns, axis=0))]
    size = sets.sum(axis=1)
    wanted = {count: share for count, share in _counts(len(prevalence)).items() if count in size}
    probability = np.zeros(len(sets))
    for count, share in wanted.items():
        probability[size == count] = share / sum(wanted.values()) / (size == count).sum()
    drawn = probability > 0
    sets, size, probability = sets[drawn], size[drawn], probability[drawn]
    # where both cannot be had, the prevalences are: in the end they are fitted alone
    for counts in [wanted] * ROUNDS + [{}] * ROUNDS:
        for count, share in counts.items():
            _scale(probability, size == count, share)
        for family in range(sets.shape[1]):
            _scale(probability, sets[:, family], prevalence[family])
    return LabelSets(sets, probability / probability.sum())


def prevalence_of(families: tuple[str, ...], changes: Mapping[str, float] | None = None) -> Floats:
    """Share of the runs that shall hold each of K families, shape (K,).

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


def _covered(sets: Flags, patterns: Flags) -> Flags:
    """Which sets are unions of patterns, shape (L,)."""
    covered = np.zeros_like(sets)
    for pattern in patterns:
        fits = ~(pattern & ~sets).any(axis=1)
        covered[fits] |= pattern
    return np.asarray((covered == sets).all(axis=1))


def _counts(n_families: int) -> dict[int, float]:
    """Share of the runs that hold so many of K families, K - 1 at most."""
    counts: dict[int, float] = {}
    for count, share in COUNT.items():
        fewer = min(count, max(n_families - 1, 1))
        counts[fewer] = counts.get(fewer, 0.0) + share
    return counts


def _scale(probability: NDArray[np.float64], inside: Flags, share: float) -> None:
    """Scale what is inside to a share and what is outside to the rest, where both exist."""
    total, part = probability.sum(), probability[inside].sum()
    if 0 < part < total:
        probability[inside] *= share * total / part
        probability[~inside] *= (1 - share) * total / (total - part)
