"""Which m/z speak for a family, of a model that looks at features of a whole run.

Each m/z is left out in turn: its features become what they are without any ion of it, and the fall
of the ensemble's log odds of a family is what that m/z counts (occlusion: Zeiler & Fergus 2014,
"Visualizing and understanding convolutional networks", arXiv 1311.2901). Such features do not say
when a compound elutes, so there are no times, and no spectra that could be compared with a library.

What features are of an m/z, and what they are without it, is said by :func:`mz_of_features` and
:func:`without_ions`. Features of other m/z stay as they are. In a run that had never recorded the
ions, a few of them would differ as well, since they compare ions with each other:

- of summary features the differences ``d1``, ``d2`` and ``dd`` of the m/z that follow in a scan,
  ``relative`` of all m/z if the largest ion goes, and ``time`` by a scan where scans end otherwise;
- of profile features ``share``, which grows where the m/z goes, ``loss``, which is of pairs of m/z
  and stays as a whole, and ``height`` by the little that the floor of the run shifts.

Symbols: D features, P m/z that are there, K families.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.special import logit

from gale.features import summary
from gale.features.events import EventSpec
from gale.features.profile import ProfileSpec
from gale.features.spec import FeatureSpec
from gale.features.summary import SummarySpec
from gale.model import Model
from gale.run import Floats, Integers, Run

IONS = 6
"""Ions of a family, or of a window of it, that are given, at most."""

LEAST_FALL = 0.01
"""Of log odds: what changes them by less is rounding, or does not matter."""

SUREST = 1 - 2.0**-24
"""Probabilities are of 24 binary digits: nearer to 0 or 1 the log odds are not known."""

OF_NO_MZ = -1

PEAK_BLOCKS = {"time", "height"}
"""Summary features of the ions that round to an m/z k; all others are of those that round to
k + 1. Without such ions they are −1, and the others 0."""


@dataclass(frozen=True)
class Attribution:
    """The ions that speak for a family in a run.

    Parameters
    ----------
    family : str
    probability : float
        Of the family in the run.
    ions : tuple of int
        m/z without which the family is less probable, that which matters most first.
    falls : tuple of float
        How far the log odds (natural) of the family fall without each of them.
    """

    family: str
    probability: float
    ions: tuple[int, ...]
    falls: tuple[float, ...]


def attributions_of(model: Model, run: Run, *, least: float | None = None) -> list[Attribution]:
    """Give for each family of a run the ions that speak for it, in the order of the families.

    Parameters
    ----------
    model : Model
        Any, with an elution network or without.
    run : Run
    least : float, optional
        Only families of this probability or more; by default those that are more probable in the
        run than they were frequent in training.

    Returns
    -------
    list of Attribution

    Raises
    ------
    ReadError
        If no ion of the run has an m/z that counts.
    """
    features = model.spec.features_of(run)
    mz, without = without_ions(model.spec, features)
    probability = model.predict_features(np.concatenate([features[None], without]))[0]
    log_odds = logit(np.clip(probability.astype(np.float64), 1 - SUREST, SUREST))
    falls = log_odds[0] - log_odds[1:]
    return [
        Attribution(family, float(probability[0, column]), *_strongest(mz, falls[:, column]))
        for column, family in enumerate(model.families)
        if probability[0, column] >= (model.prevalence[family] if least is None else least)
    ]


def _strongest(mz: Integers, falls: Floats) -> tuple[tuple[int, ...], tuple[float, ...]]:
    """The m/z (P,) of the largest falls (P,), and these."""
    order = np.argsort(-falls, kind="stable")[:IONS]
    order = order[falls[order] >= LEAST_FALL]
    return tuple(mz[order].tolist()), tuple(falls[order].tolist())


def without_ions(
    spec: FeatureSpec, features: NDArray[np.float32]
) -> tuple[Integers, NDArray[np.float32]]:
    """Leave each m/z out of the features (D,) of a run that has ions of it.

    Returns
    -------
    mz : array of shape (P,)
        Increasing.
    without : array of shape (P, D)
        The features without the ions of each.
    """
    of_mz, absent = mz_of_features(spec), _absent(spec)
    mz = np.unique(of_mz[(of_mz != OF_NO_MZ) & (features != absent)])
    return mz, np.where(of_mz == mz[:, None], absent, features)


def mz_of_features(spec: FeatureSpec) -> Integers:
    """Say of which m/z's ions each feature is made, shape (D,); :data:`OF_NO_MZ` of several."""
    mz = np.array(spec.mz, dtype=np.int64)
    if isinstance(spec, SummarySpec):
        return np.concatenate([mz if name in PEAK_BLOCKS else mz + 1 for name in summary.BLOCKS])
    assert isinstance(spec, ProfileSpec | EventSpec)
    profile = spec if isinstance(spec, ProfileSpec) else spec.profile
    n_spectra = spec.shape[0] if isinstance(spec, EventSpec) else 0
    loss = np.full(profile.losses, OF_NO_MZ)
    return np.concatenate([mz, mz, loss, np.tile(mz, n_spectra)])


def _absent(spec: FeatureSpec) -> NDArray[np.float32]:
    """What each feature is without the ions that it is made of, shape (D,)."""
    absent = np.zeros(spec.n_features, dtype=np.float32)
    if isinstance(spec, SummarySpec):
        for name in PEAK_BLOCKS:
            absent[spec.blocks[name]] = -1
    return absent
