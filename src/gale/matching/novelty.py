"""New compounds: how much of a run is in spectra that none of the training runs has.

A model is surer of compounds that it has learned than of others. Runs that are held out from it
hold many compounds that others hold, too, so they do not show how far it may be trusted where all
are new. So a run's strong spectra are compared with those of the training runs, as `gale.matching`
compares spectra.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from gale.matching.matcher import first_of_alike, unit_length, weigh
from gale.run import Floats32

LEAST_HEIGHT = 5.0
"""Least log(1 + signal) of a spectrum that counts, in units of the run's floor: weaker ones are
never alike."""

KNOWN, NEW = 0.9, 0.8
"""Cosines with the nearest spectrum of a training run from which, and up to which, a spectrum is
known, or altogether new."""

WHOLE = 2.0
"""Heights above the least, summed over the new spectra, from which a run is altogether new."""

ALIKE = 0.95
"""Cosine above which a spectrum of a training run is like another, and left out."""

MOST_SPECTRA, MOST_COMPARED = 2_000, 40_000
"""Most spectra that are kept, and of the strongest ones, most that are looked at."""

RUNS_AT_ONCE = 256
"""Runs whose spectra are looked at together, which limits the memory used."""


class Strong(NamedTuple):
    """The S strong spectra of runs.

    Parameters
    ----------
    spectra : array of shape (S, M)
        As they are compared, of length 1.
    height : array of shape (S,)
        Above the least.
    run : array of shape (S,)
        Row of the run.
    """

    spectra: Floats32
    height: Floats32
    run: NDArray[np.int64]

    def of(self, rows: NDArray[np.int64]) -> Strong:
        """Those of some of the runs."""
        chosen = np.isin(self.run, rows)
        return Strong(self.spectra[chosen], self.height[chosen], self.run[chosen])


def strong_spectra(features: Floats32, n_mz: int, first_mz: int) -> Strong:
    """Find the strong ones among the spectra of runs.

    Parameters
    ----------
    features : array of shape (R, N·M)
        The spectra of event features.
    n_mz : int
        M.
    first_mz : int
        The first m/z.
    """
    found = []
    for start in range(0, len(features), RUNS_AT_ONCE):
        signal = np.expm1(features[start : start + RUNS_AT_ONCE]).clip(min=0)
        spectra = signal.reshape(len(signal), -1, n_mz)
        height = np.log1p(spectra.sum(axis=-1)) - LEAST_HEIGHT
        run, at = np.nonzero(height > 0)
        unit = unit_length(weigh(spectra[run, at], first_mz))
        found.append(Strong(unit, height[run, at], run + start))
    return Strong(*map(np.concatenate, zip(*found, strict=True)))


def known_spectra(strong: Strong) -> Floats32:
    """Choose spectra (U, M) of training runs, the strongest first, of which no two are alike.

    If none is strong, it is one of zeros, like which nothing is.
    """
    order = np.argsort(-strong.height, kind="stable")[:MOST_COMPARED]
    known = np.empty((0, strong.spectra.shape[1]), dtype=np.float32)
    for rows in np.array_split(order, max(1, len(order) // 500)):
        new = strong.spectra[rows]
        new = new[(new @ known.T).max(axis=1, initial=0) <= ALIKE]
        known = np.concatenate([known, new[first_of_alike(new, ALIKE)]])[:MOST_SPECTRA]
    return known if len(known) else np.zeros((1, known.shape[1]), dtype=np.float32)


def novelty(strong: Strong, known: Floats32, n_runs: int) -> Floats32:
    """Return how new what is in each run is, from 0 to 1, shape (R,).

    Parameters
    ----------
    strong : Strong
        The strong spectra of R runs.
    known : array of shape (U, M)
        From :func:`known_spectra`.
    n_runs : int
        R.
    """
    cosine = (strong.spectra @ known.T).max(axis=1, initial=0)
    new = ((KNOWN - cosine) / (KNOWN - NEW)).clip(0, 1) * strong.height
    total = np.bincount(strong.run, new, minlength=n_runs)
    return np.minimum(total / WHOLE, 1).astype(np.float32)
