"""What is odd about a run, in sentences with numbers: what a careful analyst would ask about.

Nothing here stops a run from being used. The limits are those at which simulated runs and raw
files of several makers were silent unless something was truly odd.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import numpy as np

from gale.inspection.measures import (
    MIN_SCANS,
    monitored_mz,
    nominal_mz,
    plateau,
    scan_intervals,
    standing_out,
)
from gale.plumbing.text import listed
from gale.readers.scans import FACT_CEILING, FACT_SPECTRA, looks_like_profile
from gale.run import Run

__all__ = ["ROUNDING", "Oddity", "oddities"]

ROUNDING = "rounded to the nearest whole number, halves to the even one"
"""How features make whole numbers of m/z, in words."""

GAP = 5.0
"""A time between two scans of so many times the usual one is a gap in the run."""

RATE_DEVIATION, RATE_SHARE = 0.2, 0.05
"""The scan rate is not constant if this share of the times from scan to scan differs by more than
this part from the usual one. A scan left out now and then, having no ions, stays below."""

EMPTY_SHARE = 0.05
"""Scans without ions are worth a word from this share of the scans on."""

CLIPPED_IONS = 3
"""So many ions of just the highest intensity, in as many scans, are no coincidence; where the file
can hold no higher one, a single ion is none."""

CLIPPED_RANGE = 100.0
"""A detector that clips has a highest intensity of so many times the usual one; below, equal
intensities are small whole numbers."""

LEVEL_SHARE = 0.9
"""Scans were scaled if this share of them has the same highest intensity."""

HALF = 0.1
"""An m/z this near to a half may be rounded to either of two whole numbers."""

HALVES_SHARE = 0.05
"""Share of the ions near a half that is worth a word. Centroids of organic ions have up to 3 %,
values spread evenly 20 %."""

STANDS_OUT = 5.0
"""A peak is so many times what the m/z has before and after it."""

MIN_STANDING = 3
"""A run with fewer m/z that stand out looks like a blank."""

MIN_BLANK_SCANS = 200
"""Of fewer scans, a peak is too wide to stand over what is around it."""


class Oddity(NamedTuple):
    """One thing that is odd about a run.

    Parameters
    ----------
    rule : str
        A short name of what was looked at, the same for every run; ``reading`` for what the reader
        noted.
    text : str
        One sentence.
    """

    rule: str
    text: str


def oddities(run: Run) -> tuple[Oddity, ...]:
    """Say what is odd about a run: what was noted when it was read, then what its ions show.

    Parameters
    ----------
    run : Run

    Returns
    -------
    tuple of Oddity
        Empty for a run that is as runs are.
    """
    noted = [Oddity("reading", note) for note in run.notes]
    found = ((rule, say(run)) for rule, say in RULES.items())
    return (*noted, *(Oddity(rule, text) for rule, text in found if text is not None))


def _few_scans(run: Run) -> str | None:
    if run.n_scans >= MIN_SCANS:
        return None
    return f"the run has {run.n_scans} scans; usual are hundreds, so little can be said of it"


def _empty_scans(run: Run) -> str | None:
    n_empty = int(np.sum(run.ions_per_scan == 0))
    if n_empty < EMPTY_SHARE * run.n_scans:
        return None
    return f"{n_empty:,} of {run.n_scans:,} scans ({n_empty / run.n_scans:.0%}) have no ions"


def _gaps(run: Run) -> str | None:
    steps = scan_intervals(run)
    usual = steps.median_s
    n_gaps = int(np.sum(np.diff(run.time_min) * 60 > GAP * usual))
    if not n_gaps or run.n_scans < MIN_SCANS or usual == 0:
        return None
    return (
        f"{_counted(n_gaps, 'gap', 'gaps')} between scans, the longest of {steps.longest_s:.3g} s "
        f"after {steps.longest_at_min:.3f} min; {usual:.3g} s are usual"
    )


def _scan_rate(run: Run) -> str | None:
    steps = scan_intervals(run)
    usual = steps.median_s
    share = np.mean(np.abs(np.diff(run.time_min) * 60 - usual) > RATE_DEVIATION * usual)
    if share < RATE_SHARE or run.n_scans < MIN_SCANS:
        return None
    return (
        f"the scan rate is not constant: {share:.0%} of the times from scan to scan differ by more "
        f"than {RATE_DEVIATION:.0%} from the usual {usual:.3g} s; 98 % are between "
        f"{steps.low_s:.3g} and {steps.high_s:.3g} s"
    )


def _equal_times(run: Run) -> str | None:
    same = np.diff(run.time_min) == 0
    if not same.any():
        return None
    at = run.time_min[int(np.argmax(same))]
    n_same = _counted(int(same.sum()), "scan has", "scans have")
    return f"{n_same} the time of the scan before, the first at {at:.3f} min"


def _monitoring(run: Run) -> str | None:
    mz = monitored_mz(run)
    if not mz:
        return None
    return (
        f"selected-ion monitoring: only {len(mz)} m/z ({_named(mz)}), the same from scan to scan; "
        "a model trained on full scans cannot be trusted with it"
    )


def _profile(run: Run) -> str | None:
    if run.facts.get(FACT_SPECTRA) == "centroid" or not looks_like_profile(run):
        return None
    return (
        "the points follow each other in small equal steps of m/z, as in profile data; expected "
        "centroids, one point an ion"
    )


def _clipping(run: Run) -> str | None:
    top = plateau(run)
    where = f"{_counted(top.ions, 'ion', 'ions')} of {_counted(top.scans, 'scan', 'scans')}"
    if top.intensity == float(run.facts.get(FACT_CEILING, "inf")):
        return (
            f"peaks are clipped: {where} at {top.intensity:,.10g}, the highest intensity that the "
            f"file can hold (m/z {_named(top.mz)})"
        )
    usual = np.median(run.intensity[run.intensity > 0]) if top.intensity > 0 else 0.0
    if min(top.ions, top.scans) < CLIPPED_IONS or top.intensity < CLIPPED_RANGE * usual:
        return None
    if _is_level(run, top.intensity):
        return None
    return (
        f"the detector is saturated: {where} have the same highest intensity, "
        f"{top.intensity:,.10g} (m/z {_named(top.mz)})"
    )


def _level_scans(run: Run) -> str | None:
    highest = float(run.intensity.max())
    if run.n_scans < MIN_SCANS or not _is_level(run, highest):
        return None
    return (
        f"most scans have the same highest intensity, {highest:,.10g}: they were scaled, and how "
        "much elutes when is lost"
    )


def _is_level(run: Run, highest: float) -> bool:
    """Whether nearly every scan with ions reaches the highest intensity of the run."""
    reached = len(np.unique(run.scan_of_ion[run.intensity == highest]))
    return reached >= LEVEL_SHARE * int(np.count_nonzero(run.ions_per_scan))


def _halves(run: Run) -> str | None:
    near = np.abs(run.mz - nominal_mz(run)) > 0.5 - HALF
    if (share := near.mean()) < HALVES_SHARE:
        return None
    return (
        f"{share:.0%} of the ions have an m/z within {HALF} of a half, which may fall to either "
        f"side: features use m/z {ROUNDING}"
    )


def _blank(run: Run) -> str | None:
    n_mz = len(np.unique(nominal_mz(run)))
    if run.n_scans < MIN_BLANK_SCANS:
        return None
    n_standing = standing_out(run, STANDS_OUT)
    if n_standing >= min(MIN_STANDING, n_mz):
        return None
    return (
        f"looks like a blank: {n_standing} of {n_mz:,} m/z have a peak of {STANDS_OUT:g} times "
        "what is before and after it"
    )


def _counted(number: int, one: str, many: str) -> str:
    return f"{number:,} {one if number == 1 else many}"


def _named(mz: tuple[int, ...]) -> str:
    return listed(map(str, mz))


RULES: dict[str, Callable[[Run], str | None]] = {
    "few scans": _few_scans,
    "empty scans": _empty_scans,
    "gaps": _gaps,
    "scan rate": _scan_rate,
    "equal times": _equal_times,
    "monitoring": _monitoring,
    "profile": _profile,
    "saturation": _clipping,
    "scaled scans": _level_scans,
    "rounding": _halves,
    "blank": _blank,
}
"""Every rule, by its name: it gives a sentence, or None where nothing is odd."""
