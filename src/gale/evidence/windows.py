"""Windows: the times of a run at which spectra speak for a family, by an elution network.

The logit of a family in a run is the log-sum-exp of the logits of its spectra
(`gale.training.networks.elution`), so their softmax is the share of each spectrum in the evidence
for the family. Consecutive spectra with large shares form a window. The ions of a window are those
whose removal from its strongest spectrum lowers the logit (occlusion: Zeiler & Fergus 2014, arXiv
1311.2901); that spectrum, background subtracted, is also matched with a library.

Symbols: N spectra that the network looks at, M nominal m/z, K families.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace

import numpy as np

from gale.errors import warn
from gale.evidence.apex import ApexFinder
from gale.evidence.attribution import IONS
from gale.features.apexes import ApexSpec
from gale.features.events import Events, EventSpec
from gale.features.joined import specs_of
from gale.matching import IndexTable, Match, Matcher
from gale.model import Model
from gale.plumbing.arguments import check_loaded
from gale.plumbing.kinds import checked_but
from gale.plumbing.numeric import logit, softmax
from gale.run import Floats, Floats32, Integers, Run

WINDOWS = 3
"""Largest number of windows of a family."""

LEAST_SHARE = 0.1
"""Smallest share of the evidence for a family that a window needs, except the first one."""

UNSUREST, SUREST = 2.0**-150, 1 - 2.0**-25
"""Halfway from 0 and 1 to the next score: where log odds begin to be infinite."""

SHARP = 2.0
"""Spectra of a window that last longer than the shortest, by this factor, do not tell its time."""

LEAST_OF_HIGHEST = 0.05
"""Smallest share of a spectrum in a window, relative to that of the strongest spectrum."""


@dataclass(frozen=True, eq=False)
class Window:
    """A time at which spectra speak for a family.

    Parameters
    ----------
    family : str
    probability : float
        Predicted probability of the family in the run.
    apex_min, start_min, end_min : float
        The time of the scan in which the ions are highest, in or beside the time bin of the
        strongest spectrum (`gale.evidence.apex`); the start of the first bin, and the end of the
        last one.
    share : float
        Share of the evidence for the family in the run, 0 to 1.
    ions : tuple of int
        m/z whose removal lowers the score of the strongest spectrum, most important first.
    falls : tuple of float
        Fall of the log odds of that spectrum (natural logarithm) without each of them.
    spectrum : array of shape (M,)
        The strongest spectrum, background subtracted, in units of the run's floor.
    index : float
        Retention index of the apex; NaN if unknown.
    matches : tuple of Match
        The compounds that match the spectrum best, best first.
    """

    family: str
    probability: float
    apex_min: float
    start_min: float
    end_min: float
    share: float
    ions: tuple[int, ...]
    falls: tuple[float, ...]
    spectrum: Floats = field(repr=False)
    index: float
    matches: tuple[Match, ...] = ()


@checked_but("model")
def find_windows(
    model: Model,
    run: Run,
    *,
    matcher: Matcher | None = None,
    index: IndexTable | None = None,
    least: float | None = None,
) -> list[Window]:
    """Find the windows of each family in a run.

    Warns (`gale.GaleWarning`) if `index` covers no part of the run.

    Parameters
    ----------
    model : Model
        A model with an elution network.
    run : Run
    matcher : Matcher, optional
        Library to match spectra with; without one, windows have no matches.
    index : IndexTable, optional
        Times of known retention index.
    least : float, optional
        Smallest probability of a family to be returned; by default its training prevalence.

    Returns
    -------
    list of Window
        In the order of the model's families; the windows of each with the largest share first.

    Raises
    ------
    ModelError
        If the model has no elution network.
    ReadError
        If the model's features leave out every ion of the run.

    Examples
    --------
    Here ``model_file`` and ``run_file`` are the paths of a small model and of a run.

    >>> from gale import Model, find_windows, read_run
    >>> for window in find_windows(Model.load(model_file), read_run(run_file)):
    ...     if window.family == "alcohol":
    ...         print(f"{window.apex_min:.1f} min, m/z {window.ions}")
    7.0 min, m/z (65, 92)
    3.0 min, m/z (31, 45)
    """
    check_loaded("model", model, Model)
    if index is not None:
        for note in index.note_outside(run):
            warn(note)
    spec = model.event_spec
    events = spec.events_of(run)
    spectra = events.vector[spec.profile.n_features :].reshape(spec.shape)[: len(events.signal)]
    if not len(spectra):
        return []
    evidence = _log_odds(model.evidence_of_spectra(spectra))
    others = (each.features_of(run) for each in specs_of(model.spec)[1:])
    features = np.concatenate([events.vector, *others])
    probability = model.predict_features(features[None])[0][0]
    apex_of = _apexes(run, spec, events)
    found: list[Window] = []
    for column, family in enumerate(model.families):
        if probability[column] < (model.prevalence[family] if least is None else least):
            continue
        share = softmax(evidence[:, column])
        for of_window in _windows(share, events):
            strongest = of_window[np.argmax(share[of_window])]
            spectrum = np.asarray(events.signal[strongest], dtype=np.float64)
            ions, falls = _ions(model, spectra[strongest], spec.mz, column)
            told = ions or highest_ions(spectrum, spec.mz)
            sharp = _sharpest(of_window, events)
            apex_min = apex_of(sharp, int(strongest), told)
            window = Window(
                family,
                float(probability[column]),
                apex_min,
                min(float(events.start_min[sharp].min()), apex_min),
                max(float(events.end_min[sharp].max()), apex_min),
                float(share[of_window].sum()),
                ions,
                falls,
                spectrum,
                index.at(apex_min) if index else np.nan,
            )
            found.append(_matched(window, run, spec, matcher))
    return found


def highest_ions(spectrum: Floats, mz: Sequence[int]) -> tuple[int, ...]:
    """Return the m/z (M,) of the highest ions of a spectrum (M,), at most :data:`IONS`."""
    order = np.argsort(-spectrum, kind="stable")[:IONS]
    return tuple(int(mz[at]) for at in order if spectrum[at] > 0)


def _matched(window: Window, run: Run, spec: EventSpec, matcher: Matcher | None) -> Window:
    if matcher is None:
        return window
    recorded = (float(run.mz.min()), float(run.mz.max()))
    matches = matcher.matches(window.spectrum, spec.mz[0], recorded, window.family, window.index)
    return replace(window, matches=matches)


def _apexes(
    run: Run, spec: EventSpec, events: Events
) -> Callable[[Integers, int, tuple[int, ...]], float]:
    """Return what finds the time of the apex of some spectra, given the strongest and its ions."""
    bins = spec.profile.elution.bins
    width = (run.time_min[-1] - run.time_min[0]) / bins
    # times are the middle of each bin
    at = np.rint((events.time_min - run.time_min[0]) / width - 0.5).astype(np.int64)
    finder = ApexFinder(run, bins)

    def of_bin(_: Integers, strongest: int, ions: tuple[int, ...]) -> float:
        return float(run.time_min[finder.scan(int(at[strongest]), ions)])

    def of_apexes(some: Integers, _: int, ions: tuple[int, ...]) -> float:
        start, end = events.start_min[some].min(), events.end_min[some].max()
        return float(run.time_min[finder.highest(start, end, ions)])

    return of_apexes if isinstance(spec, ApexSpec) else of_bin


def _sharpest(some: Integers, events: Events) -> Integers:
    """Those of some spectra that tell the time best."""
    width = events.end_min[some] - events.start_min[some]
    sharp: Integers = some[width <= SHARP * width.min()]
    return sharp


def _windows(share: Floats, events: Events) -> list[Integers]:
    """Group the strong spectra that touch, as numbers of spectra; largest share first."""
    strong = np.flatnonzero(share >= LEAST_OF_HIGHEST * share.max())
    apart = events.start_min[strong[1:]] > np.maximum.accumulate(events.end_min[strong])[:-1]
    groups = np.split(strong, np.flatnonzero(apart) + 1)
    groups.sort(key=lambda group: -share[group].sum())
    return [
        group
        for rank, group in enumerate(groups[:WINDOWS])
        if rank == 0 or share[group].sum() >= LEAST_SHARE
    ]


def _log_odds(score: Floats32) -> Floats:
    """Log odds of scores from 0 to 1, finite also where these are rounded to 0 or 1."""
    odds: Floats = logit(np.clip(score.astype(np.float64), UNSUREST, SUREST))
    return odds


def _ions(
    model: Model, spectrum: Floats32, mz: Sequence[int], column: int
) -> tuple[tuple[int, ...], tuple[float, ...]]:
    """The m/z of a spectrum (M,) whose removal lowers the score of a family most, and the falls."""
    present = np.flatnonzero(spectrum)
    without = np.repeat(spectrum[None], len(present) + 1, axis=0)  # the last one is complete
    without[np.arange(len(present)), present] = 0
    logits = _log_odds(model.evidence_of_spectra(without)[:, column])
    fall = logits[-1] - logits[:-1]
    order = np.argsort(-fall, kind="stable")[:IONS]
    order = order[fall[order] > 0]
    return tuple(int(mz[present[at]]) for at in order), tuple(fall[order].tolist())
