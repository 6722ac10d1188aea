"""Oddities of a run: what a careful analyst would ask about, in sentences with numbers.

They do not stop a run from being used. The limits were chosen so that simulated runs and raw files
of several makers have no oddities unless something is truly unusual.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cached_property
from typing import NamedTuple

import numpy as np

from gale.inspection.measures import (
    AIR,
    LARGEST_MZ,
    MIN_SCANS,
    Elution,
    distinct_mz,
    monitored_mz,
    nominal_mz,
    plateau,
    scan_intervals,
    scans_with,
)
from gale.plumbing.kinds import checked
from gale.plumbing.numeric import quantile
from gale.plumbing.text import counted, listed
from gale.readers.ionisation import ELECTRON, FACT_IONISATION, FACT_POLARITY, ionisation
from gale.readers.scans import FACT_SPECTRA, ceiling_of, looks_like_profile
from gale.run import Integers, Run

__all__ = ["ROUNDING", "Oddity", "oddities"]

ROUNDING = "rounded to the nearest whole number, halves to the even one"
"""How features round m/z, in words."""

GAP = 5.0
"""A time between two scans of at least this many times the median is a gap."""

RATE_DEVIATION, RATE_SHARE = 0.2, 0.05
"""The scan rate is not constant if at least the share `RATE_SHARE` of the times from scan to scan
differs from their median by more than `RATE_DEVIATION` of it. Now and then a scan without ions that
was left out stays below."""

EMPTY_SHARE = 0.05
"""Smallest share of scans without ions that is reported."""

CLIPPED_IONS = 3
"""This many ions with exactly the highest intensity, in as many scans, are not a coincidence; one
is enough if the file cannot hold a higher intensity."""

CLIPPED_RANGE = 100.0
"""Smallest ratio of highest to median intensity of a detector that clips; with less, equal
intensities are small whole numbers."""

LEVEL_SHARE = 0.9
"""Scans were scaled if at least this share of them has the same highest intensity."""

HALF = 0.1
"""An m/z this close to a half may be rounded up or down."""

HALVES_SHARE = 0.05
"""Smallest share of ions near a half that is reported. Centroids of organic ions have up to 3 %,
evenly spread values 20 %."""

ONLY = "the run has only"
"""How the sentences on a run that is too short begin."""

STANDS_OUT = 5.0
"""Smallest ratio of a peak to the signal of its m/z before and after it."""

MIN_TOGETHER = 3
"""A run in which fewer m/z stand out at the same time looks like a blank. Real and simulated runs
have 9 and more; noise of two or three scans at one in a hundred m/z of each scan has two."""

LOOKS = (6, 16)
"""Numbers of m/z that are looked at before all are, those with the highest ions."""

SHORTEST_MIN, SHORT_MIN, MANY_SCANS = 2.0, 5.0, 200
"""Runs below are shorter than chromatography takes, the second if they do not have this many scans:
fast gas chromatography has fast detectors."""


class Oddity(NamedTuple):
    """One thing that is unusual in a run.

    Parameters
    ----------
    rule : str
        Short name of the rule that found it; ``reading`` for a note of the reader.
    text : str
        One sentence.
    """

    rule: str
    text: str


@checked
def oddities(run: Run) -> tuple[Oddity, ...]:
    """Find what is unusual in a run: first the notes of its reader, then what its ions show.

    Parameters
    ----------
    run : Run

    Returns
    -------
    tuple of Oddity
        Empty for a usual run.

    Examples
    --------
    >>> from gale import Run, oddities
    >>> run = Run.from_rows([1, 2, 2, 3], [57, 57, 91, 57], [300, 500, 20, 400])
    >>> for oddity in oddities(run):
    ...     print(f"{oddity.rule}: {oddity.text}")
    few scans: the run has only 3 scans, so little can be said about it; hundreds are usual
    """
    notes = [Oddity("reading", note) for note in run.notes]
    shown = _Shown(run)
    found = [(rule, look(run)) for rule, look in RULES.items()]
    found += [(rule, look(shown)) for rule, look in RULES_OF_PEAKS.items()]
    return (*notes, *(Oddity(rule, text) for rule, text in found if text is not None))


def _ionisation(run: Run) -> str | None:
    kind = ionisation(run.facts.get(FACT_IONISATION, ""))
    negative = "negative" in run.facts.get(FACT_POLARITY, "")
    if kind in ("", ELECTRON) and not negative:
        return None
    what = " of ".join([*filter(None, [kind]), *(["negative ions"] if negative else [])])
    return (
        f"the file states {what}: a model of {ELECTRON}, which makes positive ions, says nothing "
        "about such a run"
    )


def _few_scans(run: Run) -> str | None:
    if run.n_scans < MIN_SCANS:
        return f"{ONLY} {run.n_scans} scans, so little can be said about it; hundreds are usual"
    length = run.time_min[-1] - run.time_min[0]
    if length >= SHORT_MIN or (run.n_scans >= MANY_SCANS and length >= SHORTEST_MIN):
        return None
    return (
        f"{ONLY} {run.n_scans} scans in {length:.2g} min, so it may be the beginning of "
        "one; hundreds in ten minutes or more are usual"
    )


def _empty_scans(run: Run) -> str | None:
    n_empty = int(np.sum(run.ions_per_scan == 0))
    if n_empty < EMPTY_SHARE * run.n_scans:
        return None
    return f"{n_empty:,} of {run.n_scans:,} scans ({_percent(n_empty / run.n_scans)}) have no ions"


def _gaps(run: Run) -> str | None:
    steps = scan_intervals(run)
    usual = steps.median_s
    n_gaps = int(np.sum(np.diff(run.time_min) * 60 > GAP * usual))
    if not n_gaps or run.n_scans < MIN_SCANS or usual == 0:
        return None
    return (
        f"{counted(n_gaps, 'gap')} between scans, the longest {steps.longest_s:.3g} s "
        f"after {steps.longest_at_min:.3f} min; {usual:.3g} s is usual"
    )


def _scan_rate(run: Run) -> str | None:
    steps = scan_intervals(run)
    usual = steps.median_s
    share = float(np.mean(np.abs(np.diff(run.time_min) * 60 - usual) > RATE_DEVIATION * usual))
    if share < RATE_SHARE or run.n_scans < MIN_SCANS:
        return None
    return (
        f"the scan rate is not constant: {_percent(share)} of the times from scan to scan differ "
        f"by more than {_percent(RATE_DEVIATION)} from their median of {usual:.3g} s; 98 % are "
        f"between {steps.low_s:.3g} and {steps.high_s:.3g} s"
    )


def _equal_times(run: Run) -> str | None:
    same = np.diff(run.time_min) == 0
    if not same.any():
        return None
    at = run.time_min[int(np.argmax(same))]
    n_same = counted(int(same.sum()), "scan has", "scans have")
    return f"{n_same} the same time as the scan before, the first at {at:.3f} min"


def _monitoring(run: Run) -> str | None:
    mz = monitored_mz(run)
    if not mz:
        return None
    return (
        f"selected-ion monitoring: only {len(mz)} m/z ({_named(mz)}), the same from scan to scan; "
        "do not trust predictions by a model trained on full scans"
    )


def _profile(run: Run) -> str | None:
    if run.facts.get(FACT_SPECTRA) == "centroid" or not looks_like_profile(run):
        return None
    return (
        "the points follow each other in small equal steps of m/z, as in profile data; centroids "
        "have one point per ion"
    )


def _clipping(run: Run) -> str | None:
    top = plateau(run)
    where = f"{counted(top.ions, 'ion')} in {counted(top.scans, 'scan')}"
    if top.intensity == ceiling_of(run.facts):
        return (
            f"peaks are clipped: {where} at {top.intensity:,.10g}, the highest intensity that the "
            f"file can hold (m/z {_named(top.mz)})"
        )
    if min(top.ions, top.scans) < CLIPPED_IONS:
        return None
    usual = quantile(run.intensity[run.intensity > 0], 0.5) if top.intensity > 0 else 0.0
    if top.intensity < CLIPPED_RANGE * usual:
        return None
    if _is_level(run, top.intensity):
        return None
    return (
        f"the detector is saturated: {where} have the same highest intensity, "
        f"{top.intensity:,.10g} (m/z {_named(top.mz)})"
    )


def _level_scans(run: Run) -> str | None:
    highest = float(run.intensity.max(initial=0.0))
    if run.n_scans < MIN_SCANS or highest == 0 or not _is_level(run, highest):
        return None
    return (
        f"most scans have the same highest intensity, {highest:,.10g}: they were scaled, so they "
        "do not show how much elutes when"
    )


def _is_level(run: Run, highest: float) -> bool:
    """Whether nearly every scan with ions reaches the highest intensity of the run."""
    reached = scans_with(run, run.intensity == highest)
    return reached >= LEVEL_SHARE * int(np.count_nonzero(run.ions_per_scan))


def _halves(run: Run) -> str | None:
    near = np.abs(run.mz - nominal_mz(run)) > 0.5 - HALF
    if (share := near.mean()) < HALVES_SHARE:
        return None
    return (
        f"{_percent(share)} of the ions have an m/z within {HALF} of a half, which may be rounded "
        f"up or down: features use m/z {ROUNDING}"
    )


class _Shown(Elution):
    """What has peaks in a run, for several rules."""

    @cached_property
    def compounds(self) -> bool:
        """Whether there are peaks of other ions than those of air."""
        highest = self.highest_mz(LOOKS[-1], AIR)
        if any(self._is_peak(highest[:some]) for some in LOOKS):
            return True  # known without looking at all m/z, which takes long
        others = np.setdiff1d(distinct_mz(self.run), list(AIR))
        return self._is_peak(others[others <= LARGEST_MZ])

    @cached_property
    def air(self) -> bool:
        """Whether there are peaks of the ions of air."""
        return self._is_peak(np.array(sorted(AIR)))

    def _is_peak(self, among: Integers) -> bool:
        return self.standing_together(STANDS_OUT, among) >= MIN_TOGETHER


def _blank(shown: _Shown) -> str | None:
    run = shown.run
    if not run.intensity.any():
        return "looks like a blank: every intensity is 0"
    if run.n_scans < MIN_SCANS or shown.compounds or shown.air:
        return None
    return (
        f"looks like a blank: there is no time when {MIN_TOGETHER} m/z have a peak of "
        f"{STANDS_OUT:g} times the signal before and after it"
    )


def _air(shown: _Shown) -> str | None:
    run = shown.run
    if run.n_scans < MIN_SCANS or not run.intensity.any():
        return None
    if shown.compounds or not shown.air:
        return None
    return (
        "nothing but gases of air and moisture has peaks: a leak or a damp column looks the same "
        "as a sample that gives them off"
    )


def _percent(share: float) -> str:
    return f"{100 * share:.0f} %"


def _named(mz: tuple[int, ...]) -> str:
    return listed(map(str, mz))


RULES: dict[str, Callable[[Run], str | None]] = {
    "ionisation": _ionisation,
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
}
"""Rules by their names: each gives a sentence, or None if it finds nothing unusual."""

RULES_OF_PEAKS: dict[str, Callable[[_Shown], str | None]] = {"blank": _blank, "air": _air}
"""Those that ask which peaks there are, which takes long, and is found once for all."""
