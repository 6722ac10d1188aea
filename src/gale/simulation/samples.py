"""Samples that are measured again and again, across the splits, in other amounts."""

from __future__ import annotations

from collections.abc import Hashable
from dataclasses import dataclass, replace

import numpy as np

from gale.simulation.compounds import Booleans
from gale.simulation.laboratory import Laboratory
from gale.simulation.peaks import Component, Conditions, PeakGenerator
from gale.simulation.physics import draw
from gale.simulation.plan import Plan, Pool

LADDER_SHARE = 0.85
"""Share of the samples of hydrocarbons alone that are ladders; published runs of hydrocarbons alone
look like ladders, with few exceptions."""

LADDER_PEAKS = (12, 15)
"""Published: such a run has 12 to 15 sharp, evenly spaced peaks."""

LADDER_STEPS = (100, 100, 200)
"""Distances of a ladder's compounds in the retention index: each n-alkane, or every other one."""

LADDER_DECADES = (2.0, 5.0)
"""Height of a ladder's compounds, which are about equal."""

MINERAL_MIN = (1.0, 4.0)
"""Minutes after the first scan at which minerals give off most of their gas. Published: a broad,
saturated plateau around 3 to 5 minutes; so heights are of the upper half of the decades."""

AMOUNT_DECADES = 0.35
"""Standard deviation of the amount in which a sample is measured, in decades."""


@dataclass(frozen=True)
class Sample:
    """What is measured again and again.

    Parameters
    ----------
    number : int
    derivatized : bool
    families : array of bool, shape (K,)
    components : tuple of Component
    """

    number: int
    derivatized: bool
    families: Booleans
    components: tuple[Component, ...]


class Stock:
    """The samples of a campaign, which it makes when they are first asked for."""

    def __init__(self, laboratory: Laboratory) -> None:
        self._laboratory = laboratory
        self._measured: dict[Hashable, list[Sample]] = {}
        self._number = 0

    def take(
        self,
        pool: Pool,
        families: Booleans,
        new: float,
        rng: np.random.Generator,
        *,
        derivatized: bool,
        origin: Hashable,
    ) -> Sample:
        """Take a sample of these families: a new one, or one that was measured before.

        What was measured often is measured again more often (Pólya's urn).

        Parameters
        ----------
        pool : Pool
            What a new sample is made of.
        families : array of bool, shape (K,)
        new : float
            Probability that the sample is a new one.
        rng : numpy.random.Generator
        derivatized : bool
        origin : hashable
            Samples of another origin, such as of compounds of their own, are not taken.
        """
        key = (origin, derivatized, families.tobytes())
        measured = self._measured.setdefault(key, [])
        if not measured or rng.random() < new:
            components = compose(self._laboratory, pool, families, rng)
            sample = Sample(self._number, derivatized, families, components)
            self._number += 1
        else:
            sample = measured[rng.integers(len(measured))]
        measured.append(sample)
        return sample


def compose(
    laboratory: Laboratory, pool: Pool, families: Booleans, rng: np.random.Generator
) -> tuple[Component, ...]:
    """Make a sample of these families, (K,): a ladder, or some compounds and minor ones."""
    if ladder := _ladder(laboratory, pool, families, rng):
        return ladder
    conditions = Conditions(**draw(laboratory.physics.run, rng))
    compounds, impurities = pool.draw(families, rng, round(conditions.impurities_number))
    low, high = conditions.sample_lowest_decade, conditions.sample_highest_decade
    components = [
        _evolved(record, conditions, rng)
        if laboratory.evolved[record]
        else Component(record, rng.uniform(low, high))
        for record in compounds
    ]
    low, high = conditions.impurities_lowest_decade, conditions.impurities_highest_decade
    components += [
        Component(record, rng.uniform(low, high))
        for record in impurities
        if not laboratory.evolved[record]
    ]
    return tuple(components)


def measure_sample(
    laboratory: Laboratory, instrument: int, sample: Sample, seed: tuple[int, ...]
) -> Plan:
    """Draw one measurement of a sample, without carry-over."""
    conditions, rng = _conditions(laboratory, seed)
    draw_peak = PeakGenerator(laboratory, instrument, conditions, rng)
    peaks = [draw_peak.component(component) for component in sample.components]
    peaks += draw_peak.others(derivatized=sample.derivatized)
    return Plan(
        instrument, sample.derivatized, conditions, tuple(peaks), sample.families, (*seed, 1)
    )


def amount_of(laboratory: Laboratory, seed: tuple[int, ...]) -> float:
    """Return the amount in which :func:`measure_sample` measures, with this seed."""
    return _conditions(laboratory, seed)[0].injection_amount


def _conditions(
    laboratory: Laboratory, seed: tuple[int, ...]
) -> tuple[Conditions, np.random.Generator]:
    """Draw the conditions of a measurement; also return the generator that draws its peaks."""
    rng = np.random.default_rng((*seed, 0))
    conditions = Conditions(**draw(laboratory.physics.run, rng))
    amount = conditions.injection_amount * float(10 ** rng.normal(0, AMOUNT_DECADES))
    return replace(conditions, injection_amount=amount), rng


def _evolved(record: int, conditions: Conditions, rng: np.random.Generator) -> Component:
    """Draw when, how long and how much a mineral gives off a gas."""
    low, high = conditions.minerals_lowest_decade, conditions.minerals_highest_decade
    sigma_min = conditions.minerals_width_min * rng.uniform(0.5, 1.5)
    release = (rng.uniform(*MINERAL_MIN), sigma_min)
    return Component(record, rng.uniform((low + high) / 2, high), release)


def _ladder(
    laboratory: Laboratory, pool: Pool, families: Booleans, rng: np.random.Generator
) -> tuple[Component, ...]:
    """Draw a ladder if these families are hydrocarbons alone; empty if it is to be none."""
    names = np.array(laboratory.compounds.family_names)
    if (families != (names == "hydrocarbon")).any() or rng.random() >= LADDER_SHARE:
        return ()
    low, high = LADDER_PEAKS
    goals = 100 * rng.integers(8, 13) + rng.choice(LADDER_STEPS) * np.arange(
        rng.integers(low, high + 1)
    )
    alone = pool.records[(pool.families == families).all(axis=1)]
    distance = np.abs(laboratory.compounds.index[alone, None] - goals)
    nearest, reached = distance.argmin(axis=0), distance.min(axis=0) < 50
    records = np.unique(alone[nearest[reached]]).tolist()
    decades = rng.uniform(*LADDER_DECADES) + rng.normal(0, 0.1, len(records))
    return tuple(map(Component, records, decades.tolist()))
