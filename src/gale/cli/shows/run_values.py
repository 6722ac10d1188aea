"""A run in numbers."""

from __future__ import annotations

from typing import Any

import numpy as np

from gale.inspection import oddities
from gale.inspection.measures import monitored_mz, nominal_mz, plateau, scan_intervals
from gale.readers.scans import FACT_SPECTRA
from gale.run import MAX_TIC_DEVIATION, Run

TOLERANCE = 1e-6
"""m/z this close to a whole number are whole."""


def values(run: Run) -> dict[str, Any]:
    """Give the properties of a run as values that JSON can hold, with units in their names."""
    steps = scan_intervals(run)
    top = plateau(run)
    tic = run.total_ion_current
    mz = nominal_mz(run)
    return {
        "format": run.format,
        "scans": run.n_scans,
        "scans_without_ions": int(np.sum(run.ions_per_scan == 0)),
        "first_time_min": float(run.time_min[0]),
        "last_time_min": float(run.time_min[-1]),
        "scan_interval_s": steps.median_s,
        "longest_interval_s": steps.longest_s,
        "longest_interval_at_min": steps.longest_at_min,
        "ions": run.n_ions,
        "median_ions_per_scan": float(np.median(run.ions_per_scan)),
        "lowest_mz": float(run.mz.min()),
        "highest_mz": float(run.mz.max()),
        "nominal_mz": len(np.unique(mz)),
        "share_of_fractional_mz": float(np.mean(np.abs(run.mz - mz) > TOLERANCE)),
        "monitored_mz": list(monitored_mz(run)),
        "spectra": run.facts.get(FACT_SPECTRA, "not stated"),
        "lowest_intensity": float(run.intensity.min()),
        "highest_intensity": top.intensity,
        "ions_at_highest_intensity": top.ions,
        "scans_at_highest_intensity": top.scans,
        "highest_tic": float(tic.max()),
        "highest_tic_at_min": float(run.time_min[tic.argmax()]),
        "stated_tic": _tic_values(run),
        "facts": dict(run.facts),
        "oddities": [oddity._asdict() for oddity in oddities(run)],
    }


def _tic_values(run: Run) -> dict[str, Any] | None:
    """Compare the sum of the ions with the total that the file states."""
    ratio = run.tic_ratio
    if ratio is None or np.isnan(ratio).all():
        return None
    known = ratio[np.isfinite(ratio)]
    return {
        "scans": int(np.sum(~np.isnan(ratio))),
        "scans_that_differ": int(np.sum(np.abs(ratio - 1) > MAX_TIC_DEVIATION)),
        "smallest_ratio": float(known.min()) if len(known) else None,
        "median_ratio": float(np.median(known)) if len(known) else None,
        "largest_ratio": float(known.max()) if len(known) else None,
    }
