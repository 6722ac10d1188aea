"""What is in a run: drawn before it is measured, so that the next run can carry some of it over."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from gale.run import Floats
from gale.simulation.compounds import Flags
from gale.simulation.instrument import Instrument
from gale.simulation.label_sets import LabelSets, fit_label_sets
from gale.simulation.laboratory import ANALYTE, CONTAMINANT, REAGENT, SOLVENT, Laboratory
from gale.simulation.physics import draw

COMPOUND, EVOLVED_GAS, CARRY_OVER = "compound", "evolved gas", "carry-over"

SEEN = 0.1
"""An instrument sees what has an ion of at least this height, the highest being 1, in its range."""

OVERLOADED = 3.0
"""A solvent's peak is so many times wider than others."""


@dataclass(frozen=True)
class Conditions:
    """The parameters that are drawn for each run; see ``gale/data/physics.toml``."""

    injection_amount: float
    retention_shift: float
    retention_scatter_s: float
    background_level: float
    background_wander: float
    calibration_drift: float
    sample_lowest_decade: float
    sample_highest_decade: float
    impurities_number: float
    impurities_lowest_decade: float
    impurities_highest_decade: float
    minerals_width_min: float
    minerals_lowest_decade: float
    minerals_highest_decade: float


@dataclass(frozen=True)
class Content:
    """One substance in a run, and its exponentially modified Gaussian peak.

    Parameters
    ----------
    record : int
        Of the laboratory's compounds.
    role : str
        ``compound`` and ``evolved gas`` make the labels; ``carry-over``, ``contaminant``,
        ``reagent`` and ``solvent`` do not.
    height : float
        Of the highest ion, in units of the noise, as it would be without a tail.
    time_min, sigma_min, tail_min : float
        Centre and standard deviation of the Gaussian, time constant of the exponential.
    """

    record: int
    role: str
    height: float
    time_min: float
    sigma_min: float
    tail_min: float


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
    bench = _Bench(laboratory, instrument, conditions, rng)
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


class _Bench:
    """Draws the peaks of one run."""

    def __init__(
        self,
        laboratory: Laboratory,
        number: int,
        conditions: Conditions,
        rng: np.random.Generator,
    ) -> None:
        self.laboratory, self.conditions, self.rng = laboratory, conditions, rng
        self.instrument: Instrument = laboratory.instruments[number]
        self.retention: Floats = laboratory.retention_time_min[number]

    def compound(self, record: int) -> Content:
        """A compound of the sample."""
        low, high = self.conditions.sample_lowest_decade, self.conditions.sample_highest_decade
        return self._peak(record, COMPOUND, self._height(low, high))

    def impurity(self, record: int) -> Content:
        """A lesser compound of the sample."""
        conditions = self.conditions
        low, high = conditions.impurities_lowest_decade, conditions.impurities_highest_decade
        return self._peak(record, COMPOUND, self._height(low, high))

    def evolved(self, record: int) -> Content:
        """A gas that a mineral gives off, at any time, for minutes."""
        low, high = self.conditions.minerals_lowest_decade, self.conditions.minerals_highest_decade
        first, last = self.instrument.time_min[[0, -1]]
        sigma_min = self.conditions.minerals_width_min * self.rng.uniform(0.5, 1.5)
        return Content(
            record,
            EVOLVED_GAS,
            self._height(low, high),
            self.rng.uniform(first, last),
            sigma_min,
            sigma_min * self.rng.uniform(0.1, 2),
        )

    def contaminants(self) -> list[Content]:
        """Some of those that this instrument has, at about its usual levels."""
        instrument = self.instrument
        records = self._eluting(CONTAMINANT)
        usual = instrument.rng("contaminants")
        often = usual.beta(0.5, 1.5, size=len(records))
        often *= instrument.contaminants_number / often.sum()
        decades = usual.uniform(
            instrument.contaminants_lowest_decade,
            instrument.contaminants_highest_decade,
            size=len(records),
        )
        there = self.rng.random(len(records)) < often
        return [
            self._peak(record, CONTAMINANT, 10 ** (decade + self.rng.normal(0, 0.3)))
            for record, decade in zip(records[there], decades[there], strict=True)
        ]

    def reagents(self) -> list[Content]:
        """By-products of the derivatization."""
        instrument = self.instrument
        records = self._eluting(REAGENT)
        number = min(round(instrument.reagent_artefacts), len(records))
        usual = instrument.rng("reagents").permutation(records)[: number + 2]
        chosen = self.rng.choice(usual, size=min(number, len(usual)), replace=False)
        low, high = instrument.reagent_lowest_decade, instrument.reagent_highest_decade
        return [self._peak(record, REAGENT, self._height(low, high)) for record in chosen]

    def solvent(self) -> list[Content]:
        """The solvent of this instrument's sequence: an overloaded peak and its slow tail."""
        instrument = self.instrument
        record = instrument.rng("solvent").choice(self._eluting(SOLVENT))
        if self.rng.random() >= instrument.solvent_share:
            return []
        peak = self._peak(record, SOLVENT, instrument.solvent_height)
        peak = replace(peak, sigma_min=OVERLOADED * peak.sigma_min)
        slow = replace(
            peak,
            height=instrument.solvent_tail_share * peak.height,
            tail_min=instrument.solvent_tail_min,
        )
        return [peak, slow]

    def _eluting(self, kind: str) -> NDArray[np.int64]:
        """Substances of a kind that leave the column before the run ends."""
        return np.flatnonzero((self.laboratory.kind == kind) & np.isfinite(self.retention))

    def _height(self, low: float, high: float) -> float:
        return float(10 ** self.rng.uniform(low, high)) * self.conditions.injection_amount

    def _peak(self, record: int, role: str, height: float) -> Content:
        """Place a peak at the retention time of a record on this instrument."""
        instrument, conditions, rng = self.instrument, self.conditions, self.rng
        time_min = self.retention[record] * (1 + conditions.retention_shift)
        time_min += conditions.retention_scatter_s / 60 * rng.normal()
        broader = 1 + instrument.peaks_broadening * time_min / instrument.time_min[-1]
        sigma_min = instrument.peaks_width_s / 60 * broader
        tail = instrument.peaks_tail * np.exp(instrument.peaks_tail_spread * rng.normal())
        return Content(
            int(record), role, float(height), float(time_min), sigma_min, float(tail * sigma_min)
        )
