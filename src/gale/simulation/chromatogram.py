"""From the plan of a run to the signal that a perfect detector would see."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.special import erfc, erfcx

from gale.run import Floats
from gale.simulation.compounds import N_MZ
from gale.simulation.instrument import Instrument
from gale.simulation.laboratory import Laboratory
from gale.simulation.peaks import Conditions, Peak
from gale.simulation.plan import Plan

Signal = NDArray[np.float32]

AIR = {"nitrogen": 0.78, "oxygen": 0.21, "argon": 0.0093, "carbon dioxide": 0.0004}
SILYL = {73: 1.0, 147: 0.4, 75: 0.4, 45: 0.2, 74: 0.09, 59: 0.08, 148: 0.07, 207: 0.05}
"""m/z and relative heights that a silylating reagent adds to every scan."""
BLEED_C = 300.0
"""The temperature to which the level of the bleed refers."""


def exponential_gaussian(
    time_min: Floats, centre_min: float, sigma_min: float, tail_min: float
) -> Floats:
    """Return an exponentially modified Gaussian with the area of a Gaussian of height 1.

    Foley and Dorsey 1983, Anal. Chem. 55, 730, in the form of Kalambet et al. 2011, J. Chemom. 25,
    352, which does not overflow.

    Parameters
    ----------
    time_min : array
    centre_min, sigma_min : float
        Centre and standard deviation of the Gaussian.
    tail_min : float
        Time constant of the exponential; 0 for a Gaussian.

    Returns
    -------
    array, the shape of `time_min`
    """
    distance = (time_min - centre_min) / sigma_min
    gaussian = np.exp(-0.5 * distance**2)
    if tail_min < 1e-3 * sigma_min:
        return np.asarray(gaussian)
    ratio = sigma_min / tail_min
    z = (ratio - distance) / np.sqrt(2)
    scale = ratio * np.sqrt(np.pi / 2)
    early = scale * gaussian * erfcx(np.maximum(z, 0))
    late = scale * np.exp(np.minimum(0.5 * ratio**2 - ratio * distance, 700)) * erfc(z)
    return np.asarray(np.where(z >= 0, early, late))


def background(laboratory: Laboratory, plan: Plan) -> Signal:
    """Return the signal of a run without its peaks, (S, M) for S scans and M scanned channels."""
    instrument, conditions = laboratory.instruments[plan.instrument], plan.conditions
    time_min = instrument.time_min
    rng = np.random.default_rng((*plan.seed, 0))
    rise = (instrument.programme.temperature_c(time_min) - BLEED_C) / instrument.bleed_rise_c
    air = sum(share * laboratory.gas(gas) for gas, share in AIR.items())
    steady = np.ones_like(time_min)
    parts = [
        (steady, instrument.carrier_helium * laboratory.gas("helium")),
        (steady, instrument.air_nitrogen / AIR["nitrogen"] * np.asarray(air)),
        (steady, instrument.air_water * laboratory.gas("water")),
        (steady, instrument.chemical_noise),
        (np.exp(rise), instrument.bleed_level * laboratory.bleed(instrument)),
    ]
    if plan.derivatized:
        parts.append((steady, instrument.reagent_level * _lines(SILYL)))
    n_channels = instrument.mz.stop - instrument.mz.start
    signal = np.zeros((len(time_min), n_channels), dtype=np.float32)
    for course, spectrum in parts:
        level = course * conditions.background_level * _wander(rng, time_min, conditions)
        _add(signal, level, (spectrum * instrument.response)[instrument.mz])
    return signal


@dataclass(frozen=True)
class PeakSignal:
    """What a peak adds to a signal.

    Parameters
    ----------
    apex : int
        The scan of the apex, or the nearest scan if the apex is outside the run.
    spectrum : array of shape (M,)
        What the peak adds at the apex.
    width_min : float
        Width at half height.
    """

    apex: int
    spectrum: Signal
    width_min: float


def add_peak(
    signal: Signal, laboratory: Laboratory, instrument: Instrument, peak: Peak
) -> PeakSignal:
    """Add a peak to a signal, (S, M), in place."""
    time_min = instrument.time_min
    reach_min = 5 * peak.sigma_min
    first, last = np.searchsorted(
        time_min,
        (peak.time_min - reach_min, peak.time_min + reach_min + 12 * peak.tail_min),
    )
    spectrum = laboratory.spectrum(peak.record, instrument)[instrument.mz]
    if first == last:  # before the first scan, or after the last
        return PeakSignal(int(min(first, len(time_min) - 1)), np.zeros_like(spectrum), 0.0)
    course = peak.height * exponential_gaussian(
        time_min[first:last], peak.time_min, peak.sigma_min, peak.tail_min
    )
    _add(signal[first:last], course, spectrum)
    highest = int(np.argmax(course))
    scan_min = time_min[1] - time_min[0]
    return PeakSignal(
        int(first) + highest,
        np.asarray(course[highest] * spectrum, np.float32),
        float(scan_min * (course >= course[highest] / 2).sum()),
    )


def _add(signal: Signal, course: Floats, spectrum: Floats | Signal) -> None:
    """Add a spectrum, (M,), with its course over time, (S,), to a signal, (S, M), in place."""
    ions = np.flatnonzero(spectrum)
    # most spectra have few ions, chemical noise has all
    if 2 * len(ions) > len(spectrum):
        added = np.empty_like(signal)
        signal += np.multiply.outer(course, spectrum, out=added, casting="same_kind")
    else:
        signal[:, ions] += np.outer(course, spectrum[ions]).astype(np.float32)


def _wander(rng: np.random.Generator, time_min: Floats, conditions: Conditions) -> Floats:
    """Draw the slow change of a level within a run, around 1: two waves."""
    share = time_min / time_min[-1]
    waves = [np.sin(2 * np.pi * (share * rng.uniform(0.1, 1) + rng.random())) for _ in range(2)]
    return np.asarray(np.exp(conditions.background_wander * (waves[0] + waves[1]) / 2))


def _lines(ions: dict[int, float]) -> Signal:
    spectrum = np.zeros(N_MZ, dtype=np.float32)
    spectrum[list(ions)] = list(ions.values())
    return spectrum
