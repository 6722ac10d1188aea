"""What is in each run. Its own seed draws it, so it is known before the run, and again after it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import overload

import numpy as np
from numpy.typing import NDArray

from gale.run import Floats, Integers
from gale.simulation.compounds import Booleans
from gale.simulation.label_sets import LabelSets
from gale.simulation.laboratory import ANALYTE, Laboratory
from gale.simulation.peaks import CARRY_OVER, COMPOUND, Conditions, Peak, PeakGenerator
from gale.simulation.physics import draw

KEPT = 1024
"""Plans that are kept, 6 kB each: all those of a laboratory for pre-training."""


@dataclass(frozen=True, slots=True)
class Plan:
    """A run before it is measured.

    Parameters
    ----------
    instrument : int
        Its number in the laboratory.
    derivatized : bool
    conditions : Conditions
    peaks : tuple of Peak
    families : array of bool, shape (K,)
        What the sample holds.
    seed : tuple of int
        Seed of the noise.
    """

    instrument: int
    derivatized: bool
    conditions: Conditions
    peaks: tuple[Peak, ...]
    families: Booleans
    seed: tuple[int, ...]


@dataclass(frozen=True)
class Pool:
    """Records that samples can be made of, and the sets of families that they can make up.

    Parameters
    ----------
    records : array of int, shape (P,)
    families : array of bool, shape (P, K)
    popularity : array of shape (P,)
    label_sets : LabelSets
    """

    records: NDArray[np.int64]
    families: Booleans
    popularity: Floats
    label_sets: LabelSets

    @classmethod
    def of(
        cls,
        laboratory: Laboratory,
        instruments: Sequence[int],
        *,
        derivatized: bool,
        allowed: Booleans,
        fit: Callable[[Booleans], LabelSets],
    ) -> Pool:
        """Take the allowed records that all of some instruments see, and the gases of minerals.

        The sets of families are what `fit` makes of the families of these records, (P, K).

        A compound with derivatives in the library is one of these in derivatized samples, and
        underivatized in others.
        """
        compounds = laboratory.compounds
        if derivatized:
            reacts = np.isin(compounds.compound, compounds.compound[compounds.derivatized])
            form = compounds.derivatized | ~reacts
        else:
            form = ~compounds.derivatized
        analytes = (laboratory.kind == ANALYTE) & allowed & form
        seen = laboratory.seen[list(instruments)].all(axis=0)
        records = np.flatnonzero((analytes | laboratory.evolved) & seen)
        families = compounds.families[records]
        popularity = laboratory.popularity[records]
        return cls(records, families, popularity, fit(families))

    def draw(
        self, wanted: Booleans, rng: np.random.Generator, impurities: int
    ) -> tuple[list[int], list[int]]:
        """Draw records that make up the wanted families, (K,), and impurities within them."""
        fits: Booleans = ~np.asarray((self.families & ~wanted).any(axis=1))
        chosen: list[int] = []
        missing = wanted.copy()
        while missing.any():
            family = rng.choice(np.flatnonzero(missing))
            chosen += self._choose(fits & self.families[:, family], 1, rng)
            missing &= ~self.families[chosen[-1]]
        fits[chosen] = False
        minor = self._choose(fits, impurities, rng)
        return self.records[chosen].tolist(), self.records[minor].tolist()

    def _choose(self, among: Booleans, number: int, rng: np.random.Generator) -> list[int]:
        """Choose a number of records, popular ones more often; all if there are fewer."""
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
    quantile: float,
    seed: tuple[int, ...],
) -> Plan:
    """Draw one run without carry-over.

    Parameters
    ----------
    laboratory : Laboratory
    instrument : int
        Its number in the laboratory.
    pool : Pool
    derivatized : bool
    quantile : float
        Decides the families, 0 to 1: see :meth:`LabelSets.at`.
    seed : tuple of int
    """
    rng = np.random.default_rng((*seed, 0))
    conditions = Conditions(**draw(laboratory.physics.run, rng))
    families = pool.label_sets.at(quantile)
    compounds, impurities = pool.draw(families, rng, round(conditions.impurities_number))
    draw_peak = PeakGenerator(laboratory, instrument, conditions, rng)
    peaks = [
        draw_peak.evolved(record) if laboratory.evolved[record] else draw_peak.compound(record)
        for record in compounds
    ]
    peaks += [draw_peak.impurity(record) for record in impurities if not laboratory.evolved[record]]
    peaks += draw_peak.others(derivatized=derivatized)
    return Plan(instrument, derivatized, conditions, tuple(peaks), families, seed=(*seed, 1))


class Plans(Sequence[Plan]):
    """The plans of R runs, each drawn when it is asked for; the last ones are kept.

    Parameters
    ----------
    draw : callable
        Draws the plan of a run, by its number, without carry-over; always the same one.
    before : array of int, shape (R,)
        The run that was measured before on the same instrument, -1 for the first.
    laboratory : Laboratory
    """

    def __init__(
        self, draw: Callable[[int], Plan], before: Integers, laboratory: Laboratory
    ) -> None:
        self._draw, self._before, self._laboratory = lru_cache(KEPT)(draw), before, laboratory

    def __len__(self) -> int:
        return len(self._before)

    @overload
    def __getitem__(self, run: int) -> Plan: ...

    @overload
    def __getitem__(self, run: slice) -> list[Plan]: ...

    def __getitem__(self, run: int | slice) -> Plan | list[Plan]:
        """Draw the plan of a run, with a little of the previous run on its instrument."""
        if isinstance(run, slice):
            return [self[each] for each in range(*run.indices(len(self)))]
        run = range(len(self))[run]
        plan, before = self._draw(run), int(self._before[run])
        return plan if before < 0 else carry_over(self._draw(before), plan, self._laboratory)


def carry_over(last: Plan, plan: Plan, laboratory: Laboratory) -> Plan:
    """Add to a run a little of the `last` one, the one before on its instrument."""
    share = laboratory.instruments[plan.instrument].carry_over_share
    if not share > 0:
        return plan
    shift = (1 + plan.conditions.retention_shift) / (1 + last.conditions.retention_shift)
    carried = tuple(
        replace(peak, role=CARRY_OVER, height=share * peak.height, time_min=shift * peak.time_min)
        for peak in last.peaks
        if peak.role == COMPOUND
    )
    return replace(plan, peaks=plan.peaks + carried)
