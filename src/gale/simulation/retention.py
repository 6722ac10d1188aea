"""Retention times from retention indices, under a temperature programme."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from gale.errors import SimulationError
from gale.run import Floats

# ln(k * phase ratio) = (H0 + H1 n) / RT - (S0 + S1 n) / R for the n-alkane of n carbons, n being
# the index / 100. H1 is the enthalpy that a methylene group adds on dimethyl polysiloxane at 100 to
# 200 degrees. The others were fitted to the times of thirteen fatty acid methyl esters (C8 to C30;
# 30 m column of phase ratio 250, 60 to 325 degrees, 10 degrees a minute) of Kind et al. 2009, Anal.
# Chem. 81, 10038, whose indices are 100 times the carbons plus 326; they come out within 0.07 min.
H0, H1 = 12_777.0, 3_800.0  # J/mol
S0, S1 = 46.301, 4.1073  # J/mol/K
GAS_CONSTANT = 8.314
KELVIN = 273.15

STEP_MIN = 0.02
INDICES = np.arange(0.0, 6_001.0, 50.0)
"""Retention times between these indices are interpolated."""


@dataclass(frozen=True)
class Programme:
    """The oven's hold, ramp and final hold, in minutes and degrees Celsius."""

    start_c: float
    hold_min: float
    ramp_c_per_min: float
    end_c: float
    end_hold_min: float

    @property
    def length_min(self) -> float:
        """Length from injection to the end, in minutes."""
        ramp_min = (self.end_c - self.start_c) / self.ramp_c_per_min
        return self.hold_min + ramp_min + self.end_hold_min

    def temperature_c(self, time_min: Floats) -> Floats:
        """Return the temperature at given times, the same shape."""
        ramp = self.start_c + self.ramp_c_per_min * (time_min - self.hold_min)
        return np.clip(ramp, self.start_c, self.end_c)


def retention_time_min(
    index: Floats, programme: Programme, dead_time_min: float, phase_ratio: float
) -> Floats:
    """Compute the retention times of compounds, in minutes.

    A compound moves at 1 / (1 + k) of the speed of the gas, where k is its retention factor at the
    current temperature; it elutes when it reaches the end of the column.

    Parameters
    ----------
    index : array of shape (C,)
        On the n-alkane scale.
    programme : Programme
    dead_time_min : float
        Time that the gas needs to pass the column.
    phase_ratio : float
        Volume of the gas over volume of the film.

    Returns
    -------
    array of shape (C,)
        Infinite for compounds that do not elute before the end.

    Raises
    ------
    SimulationError
        If not even the first compound of the scale elutes.
    """
    if not dead_time_min < programme.length_min:
        raise _none_elutes(programme, dead_time_min)
    time_min = np.arange(0.0, programme.length_min, STEP_MIN)
    kelvin = programme.temperature_c(time_min) + KELVIN
    carbons = INDICES[:, None] / 100
    ln_k = (H0 + H1 * carbons) / (GAS_CONSTANT * kelvin) - (S0 + S1 * carbons) / GAS_CONSTANT
    speed = 1 / (dead_time_min * (1 + np.exp(ln_k) / phase_ratio))
    travelled = np.cumsum(speed, axis=1) * STEP_MIN  # at the end of each step
    ends = time_min + STEP_MIN
    eluted = np.array([np.interp(1, share, ends, right=np.inf) for share in travelled])
    n_eluted = int(np.isfinite(eluted).sum())
    if not n_eluted:
        raise _none_elutes(programme, dead_time_min)
    times = np.interp(index, INDICES[:n_eluted], eluted[:n_eluted])
    return np.where(index > INDICES[n_eluted - 1], np.inf, times)


def _none_elutes(programme: Programme, dead_time_min: float) -> SimulationError:
    return SimulationError(
        "physics: instrument.column",
        f"lets no compound elute: the dead time is {dead_time_min:.3g} min, and the oven "
        f"programme lasts {programme.length_min:.3g} min",
        "a programme that is longer than the dead time",
        "lower dead_time_min, or raise end_hold_min",
    )
