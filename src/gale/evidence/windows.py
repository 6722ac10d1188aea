"""The windows of a run in which spectra speak for a family, of a model with an elution network.

A run's logit of a family is the log-sum-exp of those of its spectra
(`gale.training.networks.elution`), so
that the softmax of the spectra's logits is the share of each in what speaks for the family. Spectra
with much of it that follow each other are a window. Of the highest spectrum of a window, the ions
count that its logit falls without (occlusion: Zeiler & Fergus 2014, arXiv 1311.2901); and library
spectra are compared with it, its background removed.

Symbols: N spectra that the network looks at, M nominal m/z, K families.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from scipy.special import logit, softmax

from gale.evidence.attribution import IONS
from gale.evidence.index import IndexTable
from gale.evidence.matching import Match, Matcher
from gale.features.elution import excess
from gale.features.events import EventSpec
from gale.model import Model
from gale.run import Floats, Integers, Run

WINDOWS = 3
"""Windows of a family that are given, at most."""

LEAST_SHARE = 0.1
"""Windows with less of what speaks for a family are left out, but for the first."""

LEAST_OF_HIGHEST = 0.05
"""A spectrum belongs to a window if it has so much of what the strongest one has."""


@dataclass(frozen=True, eq=False)
class Window:
    """A time at which spectra speak for a family.

    Parameters
    ----------
    family : str
    probability : float
        Of the family in the run.
    apex_min, start_min, end_min : float
        The middle of the time bin of its strongest spectrum; where its first bin begins and its
        last one ends.
    share : float
        Of what speaks for the family in the run, 0 to 1.
    ions : tuple of int
        m/z without which its strongest spectrum speaks less for the family, that which matters
        most first.
    spectrum : array of shape (M,)
        Its strongest spectrum, background removed, in units of the run's floor.
    index : float
        Its retention index; NaN if no table says it.
    matches : tuple of Match
        The compounds that are most like the spectrum, best first; none if nothing is like it.
    """

    family: str
    probability: float
    apex_min: float
    start_min: float
    end_min: float
    share: float
    ions: tuple[int, ...]
    spectrum: Floats
    index: float
    matches: tuple[Match, ...] = ()


def windows_of(
    model: Model,
    run: Run,
    *,
    matcher: Matcher | None = None,
    index: IndexTable | None = None,
    least: float | None = None,
) -> list[Window]:
    """Give the windows of each family of a run, those that say most first.

    Parameters
    ----------
    model : Model
        With an elution network.
    run : Run
    matcher : Matcher, optional
        The library to compare spectra with; without one no compounds are looked for.
    index : IndexTable, optional
        Times of known retention index.
    least : float, optional
        Only families of this probability or more; by default those that are more probable in the
        run than they were frequent in training.

    Raises
    ------
    ModelError
        If the model has no elution network.
    ReadError
        If no ion of the run has an m/z that counts.
    """
    spec = model.event_spec
    features, times = spec.describe(run)
    spectra = features[spec.profile.n_features :].reshape(spec.shape)
    evidence = logit(model.evidence_of_spectra(spectra).astype(np.float64))
    probability = model.predict_features(features[None])[0][0]
    signal = excess(run, spec.profile.elution)
    width = (run.time_min[-1] - run.time_min[0]) / len(signal)
    # the times are those of the middle of each bin
    bins = np.rint((times - run.time_min[0]) / width - 0.5).astype(np.int64)
    found: list[Window] = []
    for column, family in enumerate(model.families):
        wanted = model.prevalence[family] if least is None else least
        if probability[column] < wanted:
            continue
        share = softmax(evidence[:, column])
        for of_window in _windows(share, bins):
            apex = of_window[np.argmax(share[of_window])]
            window = Window(
                family,
                float(probability[column]),
                float(times[apex]),
                float(times[of_window[0]] - width / 2),
                float(times[of_window[-1]] + width / 2),
                float(share[of_window].sum()),
                _ions(model, spectra[apex], spec.mz, column),
                np.asarray(signal[bins[apex]], dtype=np.float64),
                index.at(float(times[apex])) if index else np.nan,
            )
            found.append(_matched(window, run, spec, matcher))
    return found


def _matched(window: Window, run: Run, spec: EventSpec, matcher: Matcher | None) -> Window:
    if matcher is None:
        return window
    recorded = (float(run.mz.min()), float(run.mz.max()))
    matches = matcher.matches(window.spectrum, spec.mz[0], recorded, window.family, window.index)
    return replace(window, matches=matches)


def _windows(share: Floats, bins: Integers) -> list[Integers]:
    """Group the spectra that matter by neighbouring bins; the groups that matter most, at most
    :data:`WINDOWS`, as numbers of spectra."""  # noqa: D205, D209
    strong = np.flatnonzero(share >= LEAST_OF_HIGHEST * share.max())
    groups = np.split(strong, np.flatnonzero(np.diff(bins[strong]) > 1) + 1)
    groups.sort(key=lambda group: -share[group].sum())
    return [
        group
        for rank, group in enumerate(groups[:WINDOWS])
        if rank == 0 or share[group].sum() >= LEAST_SHARE
    ]


def _ions(model: Model, spectrum: np.ndarray, mz: Sequence[int], column: int) -> tuple[int, ...]:
    """The m/z without which the network says less of a family of a spectrum (M,)."""
    present = np.flatnonzero(spectrum)
    without = np.repeat(spectrum[None], len(present) + 1, axis=0)
    without[np.arange(len(present)), present] = 0
    given = logit(model.evidence_of_spectra(without)[:, column].astype(np.float64))
    fall = given[-1] - given[:-1]
    order = np.argsort(-fall, kind="stable")[:IONS]
    return tuple(int(mz[present[at]]) for at in order if fall[at] > 0)
