"""What the runs of a campaign share: substances and instruments."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from gale.library.substances import BACKGROUND, substances
from gale.run import Floats
from gale.simulation.compounds import N_MZ, Booleans, Compounds, join, read_compounds
from gale.simulation.instrument import Instrument
from gale.simulation.physics import Physics

if TYPE_CHECKING:
    from gale.chemistry.families import FamilyTable

ANALYTE = "analyte"

GAS, SOLVENT, REAGENT, CONTAMINANT, BLEED = BACKGROUND

POPULARITY_SPREAD = 1.2
"""Some compounds are in many samples of a campaign, most in few: standard deviation of the
logarithm of their frequency."""

VISIBLE = 0.1
"""An instrument sees a substance that has an ion of at least this height, the base peak being 1, in
its range of m/z."""

EVOLVED = (
    "carbon dioxide",
    "sulfur dioxide",
    "water",
    "oxygen",
    "hydrogen chloride",
    "hydrogen sulfide",
    "nitric oxide",
)
"""Gases that heated minerals give off: carbonates, sulfates, hydrates, perchlorates, chlorides,
sulfides and nitrates, in this order."""


@dataclass(frozen=True)
class Laboratory:
    """C records of substances and I instruments.

    Parameters
    ----------
    compounds : Compounds
    kind : array of str, shape (C,)
        ``analyte`` for the records of the library, otherwise the kind of substance.
    instruments : tuple of Instrument, length I
    physics : Physics
    popularity : array of shape (C,)
        How often samples hold a record, relative to others of the same families.
    """

    compounds: Compounds
    kind: NDArray[np.str_]
    instruments: tuple[Instrument, ...]
    physics: Physics
    popularity: Floats

    @cached_property
    def evolved(self) -> Booleans:
        """Whether each record is a gas that minerals give off, shape (C,)."""
        return np.asarray((self.kind == GAS) & np.isin(self.compounds.name, EVOLVED))

    @cached_property
    def retention_time_min(self) -> Floats:
        """Minutes at which each record elutes from each instrument, shape (I, C)."""
        n_records = len(self.compounds)
        return np.array(
            [
                instrument.retention_time_min(
                    self.compounds.index
                    + instrument.column_index_spread
                    * instrument.rng("phase").standard_normal(n_records)
                )
                for instrument in self.instruments
            ]
        )

    @cached_property
    def seen(self) -> Booleans:
        """Whether each instrument sees each record, shape (I, C).

        The record elutes while it scans, unless it is a gas that minerals give off at any time, and
        has ions in its range of m/z.
        """
        seen = []
        for instrument, retention in zip(self.instruments, self.retention_time_min, strict=True):
            first, last = instrument.time_min[[0, -1]]
            eluting = (retention >= first) & (retention <= last)
            scanned = self.compounds.spectrum[:, instrument.mz]
            seen.append((eluting | self.evolved) & (scanned.max(axis=1) >= VISIBLE))
        return np.array(seen)

    def spectrum(self, record: int, instrument: Instrument) -> NDArray[np.float32]:
        """Spectrum of a record on an instrument, shape (N_MZ,)."""
        normal = instrument.rng("spectrum", record).standard_normal(N_MZ)
        spread = np.exp(instrument.spectra_ion_spread * normal)
        return np.asarray(
            self.compounds.spectrum[record] * spread * instrument.response, np.float32
        )

    def bleed(self, instrument: Instrument) -> NDArray[np.float32]:
        """Spectrum of the bleed of an instrument's column, shape (N_MZ,)."""
        record = instrument.rng("bleed").choice(np.flatnonzero(self.kind == BLEED))
        return np.asarray(self.compounds.spectrum[record])

    def gas(self, name: str) -> NDArray[np.float32]:
        """Spectrum of a gas of every laboratory by its name, shape (N_MZ,), the base peak 1.

        An analyte of the same name is another substance.
        """
        (record,) = np.flatnonzero((self.kind == GAS) & (np.array(self.compounds.name) == name))
        return np.asarray(self.compounds.spectrum[record])


def build_laboratory(
    analytes: Compounds,
    instruments: tuple[Instrument, ...],
    physics: Physics,
    table: FamilyTable | None = None,
    *,
    seed: int = 0,
) -> Laboratory:
    """Combine instruments and analytes with the substances that every laboratory has."""
    others = [read_compounds(substances(kind), table, unretained=True) for kind in BACKGROUND]
    parts = [analytes, *others]
    kind = np.repeat([ANALYTE, *BACKGROUND], [len(part) for part in parts])
    compounds = join(parts)
    names, number = np.unique(compounds.compound, return_inverse=True)
    normal = np.random.default_rng((seed, 9)).standard_normal(len(names))
    popularity = np.exp(POPULARITY_SPREAD * normal)[number]
    return Laboratory(compounds, kind, instruments, physics, popularity)
