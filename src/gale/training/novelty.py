"""Novelty: how much less sure probabilities are of runs of new compounds.

Held-out runs hold many compounds that runs of the training hold, too. So a calibration fitted to
them is too sure of runs of compounds that no training run has, and cannot tell by how much. On two
simulated campaigns whose test runs share no compound with the others, logits of new runs were a
fifth too far from those of the training prevalence (docs/unlike.md); that much is taken off them.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy.special import expit, logit

from gale.features.events import EventSpec
from gale.features.spec import FeatureSpec
from gale.matching.novelty import Strong, known_spectra, novelty, strong_spectra
from gale.run import Floats, Floats32
from gale.training.folds import Fold
from gale.training.networks.build import place_of, seen_by
from gale.training.networks.summary import prior_logit
from gale.training.recipe import Recipe

UNSURE = 0.2
"""How far the logits of a run of novelty 1 go towards those of the training prevalence."""

TINY = 1e-12
"""How near to 0 and 1 a probability is taken to be at most, so that its logit is finite."""


class Novelty(NamedTuple):
    """What tells how new a run is, and what becomes of its logits.

    Parameters
    ----------
    spectra : array of shape (U, M)
        Of training runs, see `gale.matching.novelty.known_spectra`.
    first_mz : int
        The first of the M m/z.
    columns : slice
        The spectra of a run among its features.
    log_odds : array of shape (K,)
        Of the training prevalence.
    """

    spectra: Floats32
    first_mz: int
    columns: slice
    log_odds: Floats

    def facts(self) -> dict[str, Any]:
        """Return what a model says of it."""
        return {"spectra": len(self.spectra), "unsure": UNSURE}


class Spectra(NamedTuple):
    """The strong spectra of the runs of a training, and where they are among the features."""

    strong: Strong
    first_mz: int
    columns: slice


def spectra_of(recipe: Recipe, spec: FeatureSpec, features: Floats32) -> Spectra | None:
    """Find the spectra of runs that a matching part compares; None without such a part."""
    part = next((part for part in recipe.parts if part.kind == "matching"), None)
    if part is None:
        return None
    events, _ = seen_by(part, recipe, spec)
    assert isinstance(events, EventSpec)
    columns = place_of(part, recipe, spec)
    first_mz = events.profile.elution.mz_first
    return Spectra(
        strong_spectra(features[:, columns], events.shape[1], first_mz), first_mz, columns
    )


def novelty_from(spectra: Spectra, labels: NDArray[np.float32]) -> Novelty:
    """Learn from the spectra and labels (R, K) of all training runs."""
    log_odds = prior_logit(labels).numpy().astype(np.float64)
    return Novelty(known_spectra(spectra.strong), spectra.first_mz, spectra.columns, log_odds)


def less_sure(held_out: Floats, prior: Floats, spectra: Spectra, folds: Sequence[Fold]) -> Floats:
    """Make held-out probabilities as unsure as those of a model that never saw their runs.

    Parameters
    ----------
    held_out, prior : arrays of shape (R, K)
        Probabilities, and prevalence in the training runs of the fold; NaN for other runs.
    spectra : Spectra
        Of the R runs.
    folds : sequence of Fold
    """
    new = np.zeros((len(held_out), 1))
    for fold in folds:
        known = known_spectra(spectra.strong.of(fold.training))
        of_all = novelty(spectra.strong.of(fold.validation), known, len(held_out))
        new[fold.validation, 0] = of_all[fold.validation]
    z, towards = logit(held_out.clip(TINY, 1 - TINY)), logit(prior)
    return np.asarray(expit(z + UNSURE * new * (towards - z)))
