"""A run on one screen."""

from __future__ import annotations

from typing import Any

from gale.cli.shows import rows
from gale.cli.shows.run_values import values
from gale.plumbing.text import counted, listed
from gale.readers.ionisation import FACT_IONISATION, FACT_POLARITY
from gale.readers.scans import FACT_SPECTRA
from gale.run import Run

__all__ = ["lines", "values"]

FIRST_FACTS = ("maker", "instrument", "software", FACT_IONISATION, FACT_POLARITY)
"""Facts about the instrument, which come before those about the sample."""


def lines(run: Run) -> list[str]:
    """Describe a run for people."""
    found = values(run)
    facts = {name: value for name, value in run.facts.items() if name != FACT_SPECTRA}
    before = {name: facts.pop(name) for name in FIRST_FACTS if name in facts}
    shown = {
        "format": run.format,
        **before,
        "scans": f"{run.n_scans:,} ({found['scans_without_ions']:,} without ions)",
        "time": f"{run.time_min[0]:.3f} to {run.time_min[-1]:.3f} min",
        "scan rate": _rate(found),
        "ions": f"{run.n_ions:,}, median {found['median_ions_per_scan']:g} per scan",
        "m/z": _mz(found),
        "spectra": _spectra(found),
        "intensity": f"{found['lowest_intensity']:.4g} to {found['highest_intensity']:.4g}; the "
        f"highest occurs in {counted(found['ions_at_highest_intensity'], 'ion')} of "
        f"{counted(found['scans_at_highest_intensity'], 'scan')}",
        "highest TIC": f"{found['highest_tic']:.4g} at {found['highest_tic_at_min']:.3f} min",
        "stated TIC": _stated_tic(found["stated_tic"]),
        **facts,
    }
    odd = [f"  odd: {oddity['text']}" for oddity in found["oddities"]]
    return [f"{run.source}: a run", *rows(shown), *(odd or ["  nothing odd was found"])]


def _rate(found: dict[str, Any]) -> str:
    interval = found["scan_interval_s"]
    if not interval:
        return "unknown: most scans have the same time as the scan before"
    return (
        f"{1 / interval:.3g} scans per second (median interval {interval:.3g} s, longest "
        f"{found['longest_interval_s']:.3g} s)"
    )


def _mz(found: dict[str, Any]) -> str:
    shown = f"{found['lowest_mz']:.3f} to {found['highest_mz']:.3f}"
    if not found["share_of_fractional_mz"]:
        return f"{shown}, all whole numbers, {found['nominal_mz']:,} different"
    return f"{shown}, {found['nominal_mz']:,} different when rounded to whole numbers"


def _spectra(found: dict[str, Any]) -> str:
    if monitored := found["monitored_mz"]:
        return f"selected ions, m/z {listed(map(str, monitored))}"
    if any(oddity["rule"] == "profile" for oddity in found["oddities"]):
        return "look like profile data"
    stated = found["spectra"]
    return f"{stated}, as the file states" if stated != "not stated" else "look like centroids"


def _stated_tic(found: dict[str, Any] | None) -> str:
    if found is None:
        return "none to compare with the sum of the ions"
    scans, differ = found["scans"], found["scans_that_differ"]
    if not differ:
        return f"agrees with the sum of the ions in all {counted(scans, 'scan')}"
    return (
        f"differs from the sum of the ions in {differ:,} of {counted(scans, 'scan')}; sum / stated "
        f"{found['smallest_ratio']:.3g} to {found['largest_ratio']:.3g}, median "
        f"{found['median_ratio']:.3g}"
    )
