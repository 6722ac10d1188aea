"""The peaks of one run: which substance each is of, its height, time and width."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from gale.run import Floats
from gale.simulation.instrument import Instrument
from gale.simulation.laboratory import CONTAMINANT, REAGENT, SOLVENT, Laboratory

COMPOUND, EVOLVED_GAS, CARRY_OVER = "compound", "evolved gas", "carry-over"
LABEL_ROLES = (COMPOUND, EVOLVED_GAS)
"""Roles that make the labels of a run."""

REPEAT_DECADES = 0.1
"""Standard deviation of a component's height between measurements of the same amount, in decades.
Between injections of one vial it is a tenth of this; samples are weighed and derivatized anew."""

OVERLOADED = 3.0
"""Width of a solvent's peak relative to other peaks."""


@dataclass(frozen=True, slots=True)
class Conditions:
    """The parameters that are drawn for each run; ``gale/data/physics.toml`` explains each."""

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


@dataclass(frozen=True, slots=True)
class Component:
    """A substance of a sample that is measured again and again.

    Parameters
    ----------
    record : int
        The substance, as a number among the laboratory's compounds.
    decade : float
        Height of its base peak at the nominal amount, in decades above the noise.
    release : tuple of two floats, optional
        Of a gas that a mineral gives off: how long after the first scan, and the standard
        deviation, in minutes.
    """

    record: int
    decade: float
    release: tuple[float, float] | None = None


@dataclass(frozen=True, slots=True)
class Peak:
    """The exponentially modified Gaussian peak of a substance.

    Parameters
    ----------
    record : int
        The substance, as a number among the laboratory's compounds.
    role : str
        ``compound`` and ``evolved gas`` make the labels; ``carry-over``, ``contaminant``,
        ``reagent`` and ``solvent`` do not.
    height : float
        Height of the base peak before tailing, in units of the noise.
    time_min, sigma_min, tail_min : float
        Centre and standard deviation of the Gaussian, time constant of the exponential.
    """

    record: int
    role: str
    height: float
    time_min: float
    sigma_min: float
    tail_min: float


class PeakGenerator:
    """Draws the peaks of one run on instrument `number` of a laboratory."""

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

    def compound(self, record: int) -> Peak:
        """Draw the peak of a compound of the sample."""
        low, high = self.conditions.sample_lowest_decade, self.conditions.sample_highest_decade
        return self._peak(record, COMPOUND, self._height(low, high))

    def impurity(self, record: int) -> Peak:
        """Draw the peak of a minor compound of the sample."""
        conditions = self.conditions
        low, high = conditions.impurities_lowest_decade, conditions.impurities_highest_decade
        return self._peak(record, COMPOUND, self._height(low, high))

    def evolved(self, record: int) -> Peak:
        """Draw the peak of a gas that a mineral gives off, at any time, for minutes."""
        low, high = self.conditions.minerals_lowest_decade, self.conditions.minerals_highest_decade
        first, last = self.instrument.time_min[[0, -1]]
        sigma_min = self.conditions.minerals_width_min * self.rng.uniform(0.5, 1.5)
        return Peak(
            record,
            EVOLVED_GAS,
            self._height(low, high),
            self.rng.uniform(first, last),
            sigma_min,
            sigma_min * self.rng.uniform(0.1, 2),
        )

    def component(self, component: Component) -> Peak:
        """Draw the peak of a component of a sample that is measured again."""
        decade = component.decade + self.rng.normal(0, REPEAT_DECADES)
        height = float(10**decade) * self.conditions.injection_amount
        if component.release is None:
            return self._peak(component.record, COMPOUND, height)
        delay_min, sigma_min = component.release
        time_min = float(self.instrument.time_min[0] + delay_min)
        tail_min = sigma_min * self.rng.uniform(0.1, 2)
        return Peak(component.record, EVOLVED_GAS, height, time_min, sigma_min, tail_min)

    def others(self, *, derivatized: bool) -> list[Peak]:
        """Draw the peaks that are not of the sample."""
        peaks = self.contaminants() + self.solvent()
        return peaks + self.reagents() if derivatized else peaks

    def contaminants(self) -> list[Peak]:
        """Draw some of this instrument's contaminants, near their usual levels."""
        instrument = self.instrument
        records = self._eluting(CONTAMINANT)
        usual = instrument.rng("contaminants")
        frequency = usual.beta(0.5, 1.5, size=len(records))
        frequency *= instrument.contaminants_number / frequency.sum()
        decades = usual.uniform(
            instrument.contaminants_lowest_decade,
            instrument.contaminants_highest_decade,
            size=len(records),
        )
        present = self.rng.random(len(records)) < frequency
        return [
            self._peak(record, CONTAMINANT, 10 ** (decade + self.rng.normal(0, 0.3)))
            for record, decade in zip(records[present], decades[present], strict=True)
        ]

    def reagents(self) -> list[Peak]:
        """Draw by-products of the derivatization."""
        instrument = self.instrument
        records = self._eluting(REAGENT)
        number = min(round(instrument.reagent_artefacts), len(records))
        usual = instrument.rng("reagents").permutation(records)[: number + 2]
        chosen = self.rng.choice(usual, size=min(number, len(usual)), replace=False)
        low, high = instrument.reagent_lowest_decade, instrument.reagent_highest_decade
        return [self._peak(record, REAGENT, self._height(low, high)) for record in chosen]

    def solvent(self) -> list[Peak]:
        """Draw the solvent of this instrument: an overloaded peak and its slow tail, or nothing."""
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
        """Substances of a kind that elute before the run ends."""
        return np.flatnonzero((self.laboratory.kind == kind) & np.isfinite(self.retention))

    def _height(self, low: float, high: float) -> float:
        return float(10 ** self.rng.uniform(low, high)) * self.conditions.injection_amount

    def _peak(self, record: int, role: str, height: float) -> Peak:
        """Place a peak at the retention time of a record on this instrument."""
        instrument, conditions, rng = self.instrument, self.conditions, self.rng
        time_min = self.retention[record] * (1 + conditions.retention_shift)
        time_min += conditions.retention_scatter_s / 60 * rng.normal()
        broadening = 1 + instrument.peaks_broadening * time_min / instrument.time_min[-1]
        sigma_min = instrument.peaks_width_s / 60 * broadening
        tail = instrument.peaks_tail * np.exp(instrument.peaks_tail_spread * rng.normal())
        return Peak(
            int(record), role, float(height), float(time_min), sigma_min, float(tail * sigma_min)
        )
