"""An instrument: one draw of the slow parameters, with what follows from them."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np

from gale.errors import SimulationError
from gale.run import Floats
from gale.simulation.compounds import N_MZ
from gale.simulation.physics import Physics, draw
from gale.simulation.retention import Programme, retention_time_min

MAX_LENGTH_MIN = 40.0
"""A run is never longer, whatever the oven does (published: runs of 7 to 40 minutes)."""


@dataclass(frozen=True)
class Instrument:
    """The slow parameters; ``gale/data/physics.toml`` explains each and gives its unit."""

    seed: int
    column_start_c: float
    column_hold_min: float
    column_ramp_c_per_min: float
    column_end_c: float
    column_end_hold_min: float
    column_dead_time_min: float
    column_phase_ratio: float
    column_index_spread: float
    scan_rate_hz: float
    scan_first_mz: float
    scan_last_mz: float
    scan_delay_min: float
    scan_dropped: float
    peaks_width_s: float
    peaks_broadening: float
    peaks_tail: float
    peaks_tail_spread: float
    spectra_ion_spread: float
    spectra_discrimination: float
    bleed_level: float
    bleed_rise_c: float
    air_nitrogen: float
    air_water: float
    carrier_helium: float
    chemical_noise_level: float
    chemical_noise_fall_mz: float
    chemical_noise_spread: float
    solvent_share: float
    solvent_height: float
    solvent_tail_share: float
    solvent_tail_min: float
    reagent_artefacts: float
    reagent_lowest_decade: float
    reagent_highest_decade: float
    reagent_level: float
    contaminants_number: float
    contaminants_lowest_decade: float
    contaminants_highest_decade: float
    carry_over_share: float
    detector_shot: float
    detector_flicker: float
    detector_step: float
    detector_full_scale_decades: float
    threshold_ions: float
    calibration_offset: float
    calibration_slope: float
    calibration_jitter: float
    unit_decades: float

    @classmethod
    def draw(cls, physics: Physics, seed: int) -> Instrument:
        """Draw an instrument; the same seed gives the same instrument.

        Raises
        ------
        SimulationError
            If it would scan nothing.
        """
        drawn = cls(seed=seed, **draw(physics.instrument, np.random.default_rng(seed)))
        n_scans, n_mz = len(drawn.time_min), drawn.mz.stop - drawn.mz.start
        if drawn.column_end_c < drawn.column_start_c or n_scans < 2 or n_mz < 1:
            raise SimulationError(
                "physics",
                f"gives an instrument that heats from {drawn.column_start_c:.0f} to "
                f"{drawn.column_end_c:.0f} degrees (scans: {n_scans}, m/z: {max(n_mz, 0)})",
                "rising temperatures, at least 2 scans and at least 1 m/z",
                "change [instrument.column] or [instrument.scan]",
            )
        return drawn

    def drifted(self, physics: Physics, share: float, seed: int) -> Instrument:
        """Return this instrument months later: another method, another column, another tune.

        Each parameter has moved by a share of the way to a second draw, in its logarithm where it
        is drawn so. What the instrument keeps, as its contaminants, follows from its own seed.
        """
        goal = draw(physics.instrument, np.random.default_rng(seed))
        moved = {}
        for effect, parameters in physics.instrument.items():
            for parameter, drawn_from in parameters.items():
                name = f"{effect}_{parameter}"
                start, end = getattr(self, name), goal[name]
                if drawn_from.log:
                    moved[name] = start * (end / start) ** share
                else:
                    moved[name] = start + (end - start) * share
        return replace(self, **moved)

    def rng(self, purpose: str, number: int = 0) -> np.random.Generator:
        """Return a source of random numbers for one purpose, always the same."""
        return np.random.default_rng((self.seed, number, *purpose.encode()))

    @property
    def programme(self) -> Programme:
        """The oven's temperature programme."""
        return Programme(
            self.column_start_c,
            self.column_hold_min,
            self.column_ramp_c_per_min,
            self.column_end_c,
            self.column_end_hold_min,
        )

    @cached_property
    def time_min(self) -> Floats:
        """Times of the scans, shape (S,)."""
        start = max(self.scan_delay_min, 0.0)
        end = min(self.programme.length_min, MAX_LENGTH_MIN)
        step = 1 / (60 * self.scan_rate_hz)
        return np.arange(start + step, end, step)

    @property
    def mz(self) -> slice:
        """The scanned channels, from 0 to `N_MZ` - 1."""
        return slice(round(self.scan_first_mz), min(round(self.scan_last_mz) + 1, N_MZ))

    def retention_time_min(self, index: Floats) -> Floats:
        """Retention times of compounds by their indices, (C,), infinite if they do not elute."""
        return retention_time_min(
            index, self.programme, self.column_dead_time_min, self.column_phase_ratio
        )

    @property
    def writes_integers(self) -> bool:
        """Whether its intensities are written without decimals."""
        return self.unit_decades > 2

    @cached_property
    def response(self) -> Floats:
        """Response by channel, shape (N_MZ,), 1 at m/z 100."""
        return np.exp(self.spectra_discrimination * (np.arange(N_MZ) - 100) / 100)

    @cached_property
    def chemical_noise(self) -> Floats:
        """Constant level of each channel, shape (N_MZ,)."""
        mz = np.arange(N_MZ)
        rng = self.rng("chemical noise")
        fall = np.exp(-(mz - 50) / self.chemical_noise_fall_mz)
        # ions of hydrocarbon chains are 14 m/z apart: 41, 43, 55, 57, 69, 71, ...
        chain = 1 + 2 * np.isin(mz % 14, (1, 13))
        spread = np.exp(self.chemical_noise_spread * rng.standard_normal(N_MZ))
        return self.chemical_noise_level * fall * chain * spread
