"""Attribution: the m/z that speak for a family, for a model that looks at features of a whole run.

Each m/z is removed in turn: its features are set to their values without ions of this m/z, and the
fall of the ensemble's log odds of a family is the weight of the m/z (occlusion: Zeiler & Fergus
2014, "Visualizing and understanding convolutional networks", arXiv 1311.2901). Such features do not
show when a compound elutes, so there are no times, and no spectra to match with a library.

:func:`mz_of_features` gives the m/z of each feature, and :func:`without_ions` the features without
an m/z. Features of other m/z are unchanged. If the instrument had not recorded the ions, a few of
those would differ as well, since they compare ions with each other:

- summary features: the differences ``d1``, ``d2`` and ``dd`` of the next m/z in a scan,
  ``relative`` of all m/z if the highest ion is removed, and ``time`` by a scan where scans would
  end elsewhere;
- profile features: ``share``, which would grow; ``loss``, which is of pairs of m/z and is not
  changed at all; and ``height``, slightly, as the floor of the run shifts.

Symbols: D features, P m/z that the run has, K families.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from gale.features import summary
from gale.features.events import EventSpec
from gale.features.joined import specs_of
from gale.features.profile import ProfileSpec
from gale.features.spec import FeatureSpec
from gale.features.summary import SummarySpec
from gale.model import Model
from gale.model.support import Support
from gale.plumbing.arguments import check_loaded
from gale.plumbing.kinds import checked_but
from gale.plumbing.numeric import logit
from gale.run import Floats, Floats32, Integers, Run

IONS = 6
"""Largest number of ions that are named for a family or a window."""

LEAST_FALL = 0.01
"""Smallest fall of log odds for an m/z to be named; less is rounding or does not matter."""

SUREST = 1 - 2.0**-24
"""Largest probability: they have 24 binary digits, so closer to 1 log odds are not known."""

SEVERAL_MZ = -1
"""Stands for the m/z of a feature that is made of several."""

PEAK_BLOCKS = {"time", "height"}
"""Blocks of summary features made of the ions that round to m/z k; the other blocks are made of
those that round to k + 1. Without such ions, these features are −1, and the others 0."""


@dataclass(frozen=True)
class Attribution:
    """The ions that speak for a family in a run.

    Parameters
    ----------
    family : str
    probability : float
        Predicted probability of the family in the run.
    ions : tuple of int
        m/z whose removal lowers the probability, most important first.
    falls : tuple of float
        Fall of the family's log odds (natural logarithm) without each of them.
    """

    family: str
    probability: float
    ions: tuple[int, ...]
    falls: tuple[float, ...]


@checked_but("model")
def find_attributions(model: Model, run: Run, *, least: float | None = None) -> list[Attribution]:
    """Find the ions that speak for each family in a run.

    Parameters
    ----------
    model : Model
        Any model, with an elution network or without.
    run : Run
    least : float, optional
        Smallest probability of a family to be returned; by default its training prevalence.

    Returns
    -------
    list of Attribution
        In the order of the model's families.

    Raises
    ------
    ReadError
        If the model's features leave out every ion of the run.

    Examples
    --------
    Here ``model_file`` and ``run_file`` are the paths of a small model and of a run.

    >>> from gale import Model, find_attributions, read_run
    >>> *_, alcohol = find_attributions(Model.load(model_file), read_run(run_file))
    >>> alcohol.family, alcohol.ions, len(alcohol.falls)
    ('alcohol', (65, 92, 45), 3)
    """
    check_loaded("model", model, Model)
    features = model.spec.features_of(run)
    mz, without = without_ions(model.spec, features)
    probability = model.predict_features(np.concatenate([features[None], without]))[0]
    support = Support.of_facts(model.facts)
    # A limit of the probability would hide which ions matter where the model is sure.
    free = probability if support is None else support.undo(probability)
    log_odds = logit(np.clip(free.astype(np.float64), 1 - SUREST, SUREST))
    falls = log_odds[0] - log_odds[1:]
    return [
        Attribution(family, float(probability[0, column]), *_strongest(mz, falls[:, column]))
        for column, family in enumerate(model.families)
        if probability[0, column] >= (model.prevalence[family] if least is None else least)
    ]


def _strongest(mz: Integers, falls: Floats) -> tuple[tuple[int, ...], tuple[float, ...]]:
    """The m/z (P,) with the largest falls (P,), and these falls."""
    order = np.argsort(-falls, kind="stable")[:IONS]
    order = order[falls[order] >= LEAST_FALL]
    return tuple(mz[order].tolist()), tuple(falls[order].tolist())


def without_ions(spec: FeatureSpec, features: Floats32) -> tuple[Integers, Floats32]:
    """Remove each m/z that a run has from its features (D,).

    Returns
    -------
    mz : array of shape (P,)
        Increasing.
    without : array of shape (P, D)
        The features without the ions of each.
    """
    of_mz, absent = mz_of_features(spec), np.concatenate(list(map(_absent, specs_of(spec))))
    mz = np.unique(of_mz[(of_mz != SEVERAL_MZ) & (features != absent)])
    return mz, np.where(of_mz == mz[:, None], absent, features)


def mz_of_features(spec: FeatureSpec) -> Integers:
    """Return the m/z whose ions each feature is made of, or :data:`SEVERAL_MZ`; shape (D,)."""
    return np.concatenate(list(map(_mz_of_features, specs_of(spec))))


def _mz_of_features(spec: FeatureSpec) -> Integers:
    """The same of features that are not joined."""
    mz = np.array(spec.mz, dtype=np.int64)
    if isinstance(spec, SummarySpec):
        return np.concatenate([mz if name in PEAK_BLOCKS else mz + 1 for name in summary.BLOCKS])
    assert isinstance(spec, ProfileSpec | EventSpec)
    profile = spec if isinstance(spec, ProfileSpec) else spec.profile
    n_spectra = spec.shape[0] if isinstance(spec, EventSpec) else 0
    loss = np.full(profile.losses, SEVERAL_MZ)
    return np.concatenate([mz, mz, loss, np.tile(mz, n_spectra)])


def _absent(spec: FeatureSpec) -> Floats32:
    """Value of each feature that is not joined without the ions that it is made of, (D,)."""
    absent = np.zeros(spec.n_features, dtype=np.float32)
    if isinstance(spec, SummarySpec):
        for name in PEAK_BLOCKS:
            absent[spec.blocks[name]] = -1
    return absent
