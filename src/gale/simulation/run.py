"""One run: from its plan to what is recorded, and the truth of it."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np

from gale.simulation.chromatogram import Signal, add_peak, background
from gale.simulation.compounds import N_MZ
from gale.simulation.contents import Conditions
from gale.simulation.detector import Recorded, detection_limit, measure, record
from gale.simulation.laboratory import Laboratory
from gale.simulation.physics import draw
from gale.simulation.plan import Plan

Truth = dict[str, Any]
"""A row of the truth: one substance of one run."""

STEADY = (4, 14, 16, 17, 18, 20, 28, 29, 32, 40)
"""m/z of helium, air and water."""

LEAST_THRESHOLD = 0.5
"""However many ions are asked for, the threshold stays above 0, around which the noise is."""


def simulate_run(
    laboratory: Laboratory, plan: Plan, threshold: float
) -> tuple[Recorded, list[Truth]]:
    """Measure a run.

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
        For each content: what it is, its retention time and width (half height) in minutes, and its
        abundance: how many times the strongest of its ions, at the highest point of the peak, is
        over the detection limit of that ion there.
    """
    instrument = laboratory.instruments[plan.instrument]
    rng = np.random.default_rng((*plan.seed, 1))
    signal = background(laboratory, plan)
    before = signal.copy()
    truth = []
    for content in plan.contents:
        peak = add_peak(signal, laboratory, instrument, content)
        limit = detection_limit(before[peak.apex], threshold, instrument)
        truth.append(
            {
                "compound": laboratory.compounds.name[content.record],
                "inchikey": laboratory.compounds.inchikey[content.record],
                "derivative": laboratory.compounds.derivative[content.record],
                "role": content.role,
                "families": laboratory.compounds.families_of(content.record),
                "retention_time_min": round(float(instrument.time_min[peak.apex]), 4),
                "width_min": round(peak.width_min, 4),
                "abundance": float(f"{(peak.spectrum / limit).max():.4g}"),
            }
        )
    measured = measure(signal, instrument, rng)
    drift = plan.conditions.calibration_drift
    return record(measured, threshold, instrument, drift, rng), truth


def find_threshold(laboratory: Laboratory, instrument: int, ions: int, seed: int) -> float:
    """Find the threshold that leaves about so many ions of a run on an instrument.

    Found on a run of usual conditions without contents, which add some ions of their own.
    """
    conditions = Conditions(**draw(laboratory.physics.run, np.random.default_rng((seed, 7))))
    conditions = replace(conditions, background_level=1.0)
    nothing = np.zeros(0, dtype=bool)
    blank = Plan(instrument, False, conditions, (), nothing, seed=(seed, 7, instrument))
    drawn = laboratory.instruments[instrument]
    rng = np.random.default_rng((seed, 8, instrument))
    measured = measure(background(laboratory, blank), drawn, rng)
    kept = ions * drawn.threshold_ions
    # helium, air and water are in every scan: other ions shall be seen, too
    quiet = np.ones(N_MZ, dtype=bool)
    quiet[list(STEADY)] = False
    others = measured[:, quiet[drawn.mz]]
    found = min(_highest(measured, round(kept)), _highest(others, round(kept / 2)))
    return max(found, LEAST_THRESHOLD)


def _highest(measured: Signal, number: int) -> float:
    """Give the least of so many highest values."""
    place = measured.size - min(max(number, 1), measured.size)
    return float(np.partition(measured, place, axis=None)[place])
