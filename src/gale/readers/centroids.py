"""Centroids of profile spectra: one ion for each peak of the curve."""

from __future__ import annotations

import numpy as np

from gale.readers.scans import FACT_SPECTRA, MAX_PROFILE_GAP
from gale.run import TIC_NOTE, Run

FACT_CENTROIDED = "centroided"
"""The fact under which a run that was centroided here says so."""

TOP = 0.5
"""Points of this share of the highest of their peak, and more, make its m/z."""


def centroid(run: Run) -> Run:
    """Make one ion of each peak of the profile spectra of a run.

    A peak reaches from one local minimum of a scan to the next, or to a gap in m/z of more than
    :data:`gale.readers.scans.MAX_PROFILE_GAP`. Its intensity is its height, as
    instruments give it; its m/z is the mean of the points in its upper half, weighted by intensity.
    Nothing is smoothed: every rise of the noise is an ion.

    Parameters
    ----------
    run : Run
        Of points in order of m/z.

    Returns
    -------
    Run
        With a fact and a note that say what was done.
    """
    from scipy.signal import find_peaks  # slow to import, and hardly ever needed

    breaks = (np.diff(run.mz) > MAX_PROFILE_GAP) | (np.diff(run.scan_of_ion) != 0)
    ends = np.concatenate([[0], np.flatnonzero(breaks) + 1, [run.n_ions]])
    # a point of height 0 between stretches, before the first and after the last
    height, mz, scan = (
        np.insert(column, ends, 0) for column in (run.intensity, run.mz, run.scan_of_ion)
    )
    peaks, _ = find_peaks(height)
    minima, _ = find_peaks(-height)  # one between any two maxima
    peak = np.searchsorted(minima, np.arange(len(height)), side="right")
    apex = height[peaks]
    weight = np.where(height >= TOP * np.append(apex, 0.0)[peak], height, 0.0)
    moment = np.bincount(peak, weight * mz, len(peaks))[: len(peaks)]
    mean_mz = moment / np.bincount(peak, weight, len(peaks))[: len(peaks)]
    return Run.from_scans(
        run.time_min,
        np.bincount(scan[peaks], minlength=run.n_scans),
        mean_mz,
        apex,
        source=run.source,
        format=run.format,
        facts={
            **run.facts,
            FACT_SPECTRA: "centroid",
            FACT_CENTROIDED: "by gale: height of each peak of the profile",
        },
        notes=(
            *(note for note in run.notes if not note.startswith(TIC_NOTE)),  # it is made anew
            f"profile spectra were centroided: {run.n_ions:,} points became {len(peaks):,} ions",
        ),
        stated_tic=run.stated_tic,
    )
