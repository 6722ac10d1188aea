"""The largest peaks of a run, and the compounds that are like them, whatever their families.

Peaks are rises of the total signal above the baseline (`gale.features.elution`), in
:data:`BINS` bins of time; compounds that elute together are one peak. What they are is not what
they are evidence for: a plasticiser or a solvent is named here, and carries no family.

Symbols: T time bins, M nominal m/z.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from gale.evidence.apex import ApexFinder
from gale.evidence.index import IndexTable
from gale.evidence.matching import LAST_MZ, Match, Matcher
from gale.evidence.windows import highest_ions
from gale.features.elution import ElutionSpec, excess
from gale.plumbing.maxima import local_maxima, prominences
from gale.run import Floats, Run

PEAKS = 3
"""Number of peaks that are named."""

BINS = 512
"""Number of time bins, T: fine enough for the peaks that stand out in a chromatogram."""

LEAST_PROMINENCE = 0.02
"""Smallest rise of a peak over its surroundings, as a share of the highest signal of the run."""

LEAST_OVER_FLOOR = 10.0
"""Smallest height of a peak in units of the run's floor, so that noise has no name."""


@dataclass(frozen=True, eq=False)
class LargePeak:
    """A large peak of a run.

    Parameters
    ----------
    apex_min : float
        Time of its apex scan.
    height : float
        Total signal above the baseline, relative to the highest one of the run.
    ions : tuple of int
        m/z of its highest ions above the baseline, highest first.
    spectrum : array of shape (M,)
        Above the baseline, from m/z `first_mz` on, in units of the run's floor.
    first_mz : int
    matches : tuple of Match
        The compounds that match the spectrum best, best first.
    """

    apex_min: float
    height: float
    ions: tuple[int, ...]
    spectrum: Floats
    first_mz: int
    matches: tuple[Match, ...]


def find_largest(
    run: Run, matcher: Matcher, index: IndexTable | None = None, *, number: int = PEAKS
) -> list[LargePeak]:
    """Find the largest peaks of a run and name what they are like.

    Parameters
    ----------
    run : Run
    matcher : Matcher
    index : IndexTable, optional
        Times of known retention index.
    number : int
        Largest number of peaks.

    Returns
    -------
    list of LargePeak
        The highest first; none in a run without a peak.

    Raises
    ------
    ReadError
        If the run has no ion of an m/z that counts.

    Examples
    --------
    Here ``run_file`` is the path of a run.

    >>> from gale import Matcher, read_run
    >>> for peak in find_largest(read_run(run_file), Matcher.default()):
    ...     print(f"{peak.apex_min:.1f} min, m/z {peak.ions[:2]}")
    7.0 min, m/z (91, 92)
    3.0 min, m/z (31, 45)
    """
    spec = ElutionSpec(bins=BINS, mz_last=LAST_MZ)
    signal = excess(run, spec)
    total = signal.sum(axis=1, dtype=np.float64)
    total -= np.median(total)
    least = max(LEAST_PROMINENCE * total.max(), LEAST_OVER_FLOOR)
    # a peak may be cut by the start or the end of the run
    padded = np.pad(total, 1)
    peaks = local_maxima(padded)
    peaks = peaks[prominences(padded, peaks) >= least] - 1
    apexes = ApexFinder(run, BINS)
    mz = range(spec.mz_first, spec.mz_last + 1)
    recorded = (float(run.mz.min()), float(run.mz.max()))
    found = []
    for at in peaks[np.argsort(-total[peaks], kind="stable")][:number]:
        spectrum = np.asarray(signal[at], dtype=np.float64)
        ions = highest_ions(spectrum, mz)
        apex_min = float(run.time_min[apexes.scan(int(at), ions)])
        known = index.at(apex_min) if index else np.nan
        matches = matcher.matches(spectrum, spec.mz_first, recorded, index=known)
        height = float(total[at] / total.max())
        found.append(LargePeak(apex_min, height, ions, spectrum, spec.mz_first, matches))
    return found
