"""A run on one screen."""

from __future__ import annotations

from typing import Any

import numpy as np

from gale.cli.shows import rows
from gale.inspection import ROUNDING, oddities
from gale.inspection.measures import monitored_mz, nominal_mz, plateau, scan_intervals
from gale.plumbing.text import listed
from gale.readers.scans import FACT_SPECTRA
from gale.run import MAX_TIC_DEVIATION, Run

FIRST_FACTS = ("maker", "instrument", "software")
"""What a file says of its instrument comes before what it says of the sample."""

HALF_AWAY = 1e-6
"""m/z that differ from a whole number by less are whole."""


def values(run: Run) -> dict[str, Any]:
    """All that is said of a run, as values that JSON can hold; units are in the names."""
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
        "share_of_fractional_mz": float(np.mean(np.abs(run.mz - mz) > HALF_AWAY)),
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
    """How the sum of the ions compares with the total that the file states."""
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


def lines(run: Run) -> list[str]:
    """What is said of a run, for people."""
    found = values(run)
    facts = {name: value for name, value in run.facts.items() if name != FACT_SPECTRA}
    before = {name: facts.pop(name) for name in FIRST_FACTS if name in facts}
    shown = {
        "format": run.format,
        **before,
        "scans": f"{run.n_scans:,} ({found['scans_without_ions']:,} without ions)",
        "time": f"{run.time_min[0]:.3f} to {run.time_min[-1]:.3f} min",
        "scan rate": _rate(found),
        "ions": f"{run.n_ions:,}, {found['median_ions_per_scan']:g} a scan (median)",
        "m/z": _mz(found),
        "spectra": _spectra(found),
        "intensity": f"{found['lowest_intensity']:.4g} to {found['highest_intensity']:.4g}, the "
        f"highest in {_counted(found['ions_at_highest_intensity'], 'ion')} of "
        f"{_counted(found['scans_at_highest_intensity'], 'scan')}",
        "highest TIC": f"{found['highest_tic']:.4g} at {found['highest_tic_at_min']:.3f} min",
        "stated TIC": _stated_tic(found["stated_tic"]),
        **facts,
    }
    odd = [f"  odd: {oddity['text']}" for oddity in found["oddities"]]
    return [f"{run.source}: a run", *rows(shown), *(odd or ["  nothing odd was found"])]


def _rate(found: dict[str, Any]) -> str:
    interval = found["scan_interval_s"]
    if not interval:
        return "not known: most scans have the time of the scan before"
    return (
        f"{1 / interval:.3g} scans a second ({interval:.3g} s from scan to scan, at most "
        f"{found['longest_interval_s']:.3g} s)"
    )


def _mz(found: dict[str, Any]) -> str:
    shown = f"{found['lowest_mz']:.3f} to {found['highest_mz']:.3f}"
    if not found["share_of_fractional_mz"]:
        return f"{shown}, {found['nominal_mz']:,} whole numbers"
    return f"{shown}, {found['nominal_mz']:,} when {ROUNDING}"


def _spectra(found: dict[str, Any]) -> str:
    if monitored := found["monitored_mz"]:
        return f"selected ions, m/z {listed(map(str, monitored))}"
    if any(oddity["rule"] == "profile" for oddity in found["oddities"]):
        return "look like profile"
    stated = found["spectra"]
    return f"{stated}, as the file states" if stated != "not stated" else "look like centroids"


def _stated_tic(found: dict[str, Any] | None) -> str:
    if found is None:
        return "none, so nothing to compare the ions with"
    scans, differ = found["scans"], found["scans_that_differ"]
    if not differ:
        return f"agrees with the sum of the ions in all {scans:,} scans"
    return (
        f"differs from the sum of the ions in {differ:,} of {scans:,} scans; sum / stated "
        f"{found['smallest_ratio']:.3g} to {found['largest_ratio']:.3g}, median "
        f"{found['median_ratio']:.3g}"
    )


def _counted(number: int, noun: str) -> str:
    return f"{number:,} {noun}{'' if number == 1 else 's'}"
