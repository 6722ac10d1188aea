"""Runs as a scanning instrument records them, with peaks at given scans."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

from gale.run import Run

Matrix = NDArray[np.float64]

N_SCANS, STEP_S = 600, 0.5
MZ = np.arange(40, 240)


def background(seed: int = 0) -> Matrix:
    """Intensities (S, M) of air, bleed and noise above a threshold; most cells are 0."""
    rng = np.random.default_rng(seed)
    matrix = rng.lognormal(5, 0.3, (N_SCANS, len(MZ)))
    matrix[rng.random(matrix.shape) < 0.9] = 0
    matrix[:, MZ == 44] += 5_000
    bleed = np.linspace(1_000, 8_000, N_SCANS)[:, None]
    matrix += bleed * (MZ == 207)
    return matrix


def with_peaks(matrix: Matrix, height: float = 1e6) -> Matrix:
    """The same intensities with three compounds of six ions each."""
    scan = np.arange(N_SCANS)[:, None]
    rng = np.random.default_rng(1)
    for at in (150, 300, 420):
        ions = np.isin(MZ, rng.choice(MZ, 6, replace=False))
        matrix = matrix + height * np.exp(-(((scan - at) / 3) ** 2) / 2) * ions
    return np.where(matrix < 50, 0, matrix)


def run_of(
    matrix: ArrayLike,
    *,
    time_min: ArrayLike | None = None,
    mz: ArrayLike = MZ,
    stated_tic: ArrayLike | None = None,
) -> Run:
    """A run with an ion wherever the matrix (S, M) is not 0."""
    cells = np.asarray(matrix)
    scan, column = np.nonzero(cells)
    time = np.arange(len(cells)) * STEP_S / 60 if time_min is None else time_min
    counts = np.bincount(scan, minlength=len(cells))
    return Run.from_scans(
        time, counts, np.asarray(mz)[column], cells[scan, column], stated_tic=stated_tic
    )
