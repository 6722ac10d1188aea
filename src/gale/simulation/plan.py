"""What is in a run: drawn before it is measured, so that the next run can carry some of it over."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from gale.run import Floats
from gale.simulation.compounds import Flags
from gale.simulation.contents import CARRY_OVER, COMPOUND, Bench, Conditions, Content
from gale.simulation.label_sets import LabelSets, fit_label_sets
from gale.simulation.laboratory import ANALYTE, Laboratory
from gale.simulation.physics import draw

SEEN = 0.1
"""An instrument sees what has an ion of at least this height, the highest being 1, in its range."""


@dataclass(frozen=True)
class Plan:
    """A run before it is measured.

    Parameters
    ----------
    instrument : int
        Its number.
    derivatized : bool
    conditions : Conditions
    contents : tuple of Content
    families : array of bool, shape (K,)
        What the sample holds.
    seed : tuple of int
        Of the noise.
    """

    instrument: int
    derivatized: bool
    conditions: Conditions
    contents: tuple[Content, ...]
    families: Flags
    seed: tuple[int, ...]


@dataclass(frozen=True)
class Pool:
    """Records that samples can be made of, and the sets of families that these can make up.

    Parameters
    ----------
    records : array of int, shape (P,)
    families : array of bool, shape (P, K)
    popularity : array of shape (P,)
    label_sets : LabelSets
    """

    records: NDArray[np.int64]
    families: Flags
    popularity: Floats
    label_sets: LabelSets

    @classmethod
    def of(
        cls,
        laboratory: Laboratory,
        instrument: int,
        *,
        derivatized: bool,
        allowed: Flags,
        prevalence: Floats,
    ) -> Pool:
        """Take the allowed records that one instrument can see, and the gases of minerals.

        In a derivatized sample, a compound that the library has a derivative of is there as that;
        in others there are no derivatives.
        """
        compounds = laboratory.compounds
        retention = laboratory.retention_time_min[instrument]
        time_min = laboratory.instruments[instrument].time_min
        eluting = (retention >= time_min[0]) & (retention <= time_min[-1])
        scanned = compounds.spectrum[:, laboratory.instruments[instrument].mz]
        seen = scanned.max(axis=1) >= SEEN
        if derivatized:
            reacts = np.isin(compounds.compound, compounds.compound[compounds.derivatized])
            form = compounds.derivatized | ~reacts
        else:
            form = ~compounds.derivatized
        analytes = (laboratory.kind == ANALYTE) & allowed & eluting & form
        records = np.flatnonzero((analytes | laboratory.evolved) & seen)
        families = compounds.families[records]
        popularity = laboratory.popularity[records]
        return cls(records, families, popularity, fit_label_sets(families, prevalence))

    def draw(
        self, wanted: Flags, rng: np.random.Generator, impurities: int
    ) -> tuple[list[int], list[int]]:
        """Draw records that make up the wanted families, (K,), and impurities of the same."""
        fits: Flags = ~np.asarray((self.families & ~wanted).any(axis=1))
        chosen: list[int] = []
        missing = wanted.copy()
        while missing.any():
            family = rng.choice(np.flatnonzero(missing))
            chosen += self._choose(fits & self.families[:, family], 1, rng)
            missing &= ~self.families[chosen[-1]]
        fits[chosen] = False
        lesser = self._choose(fits, impurities, rng)
        return self.records[chosen].tolist(), self.records[lesser].tolist()

    def _choose(self, among: Flags, number: int, rng: np.random.Generator) -> list[int]:
        """Choose so many different records, the popular ones more often; all if there are fewer."""
        places = np.flatnonzero(among)
        weight = self.popularity[places]
        size = min(number, len(places))
        chosen: list[int] = rng.choice(
            places, size=size, replace=False, p=weight / weight.sum() if size else None
        ).tolist()
        return chosen


def plan_run(
    laboratory: Laboratory,
    instrument: int,
    pool: Pool,
    *,
    derivatized: bool,
    place: float,
    seed: tuple[int, ...],
) -> Plan:
    """Draw one run, all but what the run before it leaves.

    Parameters
    ----------
    place : float
        From 0 to 1, of its families among the sets of families that the pool can make up.
    """
    rng = np.random.default_rng((*seed, 0))
    conditions = Conditions(**draw(laboratory.physics.run, rng))
    families = pool.label_sets.at(place)
    compounds, impurities = pool.draw(families, rng, round(conditions.impurities_number))
    bench = Bench(laboratory, instrument, conditions, rng)
    contents = [
        bench.evolved(record) if laboratory.evolved[record] else bench.compound(record)
        for record in compounds
    ]
    contents += [bench.impurity(record) for record in impurities if not laboratory.evolved[record]]
    contents += bench.contaminants() + bench.solvent()
    if derivatized:
        contents += bench.reagents()
    return Plan(instrument, derivatized, conditions, tuple(contents), families, seed=(*seed, 1))


def carry_over(plans: Sequence[Plan], laboratory: Laboratory) -> list[Plan]:
    """Leave in each run a little of the one before it on the same instrument.

    Parameters
    ----------
    plans : sequence of Plan
        In the order in which they are measured.
    laboratory : Laboratory
    """
    before: dict[int, Plan] = {}
    carried = []
    for plan in plans:
        last = before.get(plan.instrument, plan)
        share = laboratory.instruments[plan.instrument].carry_over_share
        later = (1 + plan.conditions.retention_shift) / (1 + last.conditions.retention_shift)
        left = [
            replace(
                each, role=CARRY_OVER, height=share * each.height, time_min=later * each.time_min
            )
            for each in (last.contents if last is not plan else ())
            if each.role == COMPOUND and share > 0
        ]
        before[plan.instrument] = plan
        carried.append(replace(plan, contents=plan.contents + tuple(left)))
    return carried
