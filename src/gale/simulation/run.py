"""One run: from its plan to its recorded ions and its truth."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np

from gale.simulation.chromatogram import Signal, add_peak, background
from gale.simulation.compounds import N_MZ
from gale.simulation.detector import Recorded, detection_limit, measure, record
from gale.simulation.laboratory import Laboratory
from gale.simulation.peaks import Conditions
from gale.simulation.physics import draw
from gale.simulation.plan import Plan

Truth = dict[str, Any]
"""One substance of a run, as a row of the truth."""

STEADY = (4, 14, 16, 17, 18, 20, 28, 29, 32, 40)
"""m/z of helium, air and water."""

MIN_THRESHOLD = 0.5
"""However many ions are wanted, the threshold stays above 0, the mean of the noise."""


def simulate_run(
    laboratory: Laboratory, plan: Plan, threshold: float
) -> tuple[Recorded, list[Truth]]:
    """Simulate a run.

    Parameters
    ----------
    laboratory : Laboratory
    plan : Plan
    threshold : float
        Least intensity that is recorded, in units of the noise.

    Returns
    -------
    recorded : Recorded
    truth : list of dict
        For each peak: its substance, retention time and width at half height in minutes, and
        abundance, the largest ratio, over its ions, of the height at the apex to the detection
        limit there.
    """
    instrument = laboratory.instruments[plan.instrument]
    rng = np.random.default_rng((*plan.seed, 1))
    signal = background(laboratory, plan)
    without_peaks = signal.copy()
    truth = []
    for peak in plan.peaks:
        added = add_peak(signal, laboratory, instrument, peak)
        limit = detection_limit(without_peaks[added.apex], threshold, instrument)
        truth.append(
            {
                "compound": laboratory.compounds.name[peak.record],
                "inchikey": laboratory.compounds.inchikey[peak.record],
                "derivative": laboratory.compounds.derivative[peak.record],
                "role": peak.role,
                "families": laboratory.compounds.families_of(peak.record),
                "retention_time_min": round(float(instrument.time_min[added.apex]), 4),
                "width_min": round(added.width_min, 4),
                "abundance": float(f"{(added.spectrum / limit).max():.4g}"),
            }
        )
    measured = measure(signal, instrument, rng)
    drift = plan.conditions.calibration_drift
    return record(measured, threshold, instrument, drift, rng), truth


def find_threshold(laboratory: Laboratory, instrument: int, ions: int, seed: int) -> float:
    """Find the threshold at which a run on an instrument has about `ions` ions.

    It is found on a run without peaks, which add some ions of their own, at the usual level of the
    background.
    """
    conditions = Conditions(**draw(laboratory.physics.run, np.random.default_rng((seed, 7))))
    conditions = replace(conditions, background_level=1.0)
    nothing = np.zeros(0, dtype=bool)
    blank = Plan(instrument, False, conditions, (), nothing, seed=(seed, 7, instrument))
    drawn = laboratory.instruments[instrument]
    rng = np.random.default_rng((seed, 8, instrument))
    measured = measure(background(laboratory, blank), drawn, rng)
    n_recorded = ions * drawn.threshold_ions
    # helium, air and water are in every scan; at least half of the ions should be others
    quiet = np.ones(N_MZ, dtype=bool)
    quiet[list(STEADY)] = False
    others = measured[:, quiet[drawn.mz]]
    threshold = min(
        _nth_highest(measured, round(n_recorded)), _nth_highest(others, round(n_recorded / 2))
    )
    return max(threshold, MIN_THRESHOLD)


def _nth_highest(measured: Signal, number: int) -> float:
    """Return the value with this rank, 1 being the highest; the lowest if there are fewer."""
    place = measured.size - min(max(number, 1), measured.size)
    return float(np.partition(measured, place, axis=None)[place])
