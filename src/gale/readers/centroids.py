"""Centroids of profile spectra: one ion for each peak of the curve."""

from __future__ import annotations

import numpy as np

from gale.plumbing.numeric import local_maxima
from gale.readers.scans import FACT_SPECTRA, MAX_PROFILE_GAP, sort_ions
from gale.run import TIC_NOTE, Run

FACT_CENTROIDED = "centroided"
"""The fact of a run that gale centroided; it says how."""

TOP = 0.5
"""Points of at least this share of their peak's height make its m/z."""


def centroid(run: Run) -> Run:
    """Make one ion of each peak of the profile spectra of a run.

    A peak reaches from one local minimum of a scan to the next, or to a gap in m/z of more than
    :data:`gale.readers.scans.MAX_PROFILE_GAP`. Its intensity is its height, as instruments give it;
    its m/z is the mean of the points in its upper half, weighted by intensity. Nothing is smoothed,
    so every rise of the noise becomes an ion.

    Parameters
    ----------
    run : Run
        A run of profile data; its points are sorted by m/z within each scan.

    Returns
    -------
    Run
        The same scans, with a fact and a note that say what was done.

    Examples
    --------
    >>> peak = [57.0, 57.1, 57.2], [20.0, 100.0, 20.0]
    >>> run = centroid(Run.from_scans([1.0, 2.0], [3, 3], 2 * peak[0], 2 * peak[1]))
    >>> run.mz.tolist(), run.intensity.tolist()
    ([57.1, 57.1], [100.0, 100.0])
    """
    points = sort_ions(run.ions_per_scan, run.mz, run.intensity)
    breaks = (np.diff(points[0]) > MAX_PROFILE_GAP) | (np.diff(run.scan_of_ion) != 0)
    ends = np.concatenate([[0], np.flatnonzero(breaks) + 1, [run.n_ions]])
    # A point of height 0 bounds each stretch without gaps.
    height, mz, scan = (
        np.insert(column, ends, 0) for column in (points[1], points[0], run.scan_of_ion)
    )
    peaks = local_maxima(height)
    minima = local_maxima(-height)  # one between each two maxima
    peak = np.searchsorted(minima, np.arange(len(height)), side="right")
    apex = height[peaks]
    share = height / np.append(apex, np.inf)[peak]  # or products of tiny heights would be 0
    weight = np.where(share >= TOP, share, 0.0)
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
            # the note on the total is made again from the ions
            *(note for note in run.notes if not note.startswith(TIC_NOTE)),
            f"profile spectra were centroided: {run.n_ions:,} points became {len(peaks):,} ions",
        ),
        stated_tic=run.stated_tic,
    )
