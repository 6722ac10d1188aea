"""The answer for one run: everything that is said of it, as plain values that JSON can hold."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

from gale.evidence import ELUTION, FEATURES
from gale.evidence.air import air_of
from gale.evidence.attribution import Attribution, find_attributions
from gale.evidence.windows import Window, find_windows
from gale.matching.index import IndexTable
from gale.matching.matcher import Match, Matcher
from gale.model import Model
from gale.peaks.largest import LargePeak, find_largest
from gale.peaks.naming import PeakMatch
from gale.plumbing.tables import CALL, SPREAD, UNLIKE
from gale.run import Run

PEAK_IONS = 5
"""Ions of a large peak that are listed."""

DECIMALS = 4
"""Decimals of minutes, shares and cosines: they are not known better."""


def answer_of(
    model: Model,
    run: Run | None,
    prediction: Mapping[str, Any],
    matcher: Matcher,
    index: IndexTable | None = None,
) -> dict[str, Any]:
    """Put together what a model says of a run, and what in the run says so.

    Parameters
    ----------
    model : Model
    run : Run or None
        None if it could not be read.
    prediction : mapping
        The row of the run in what :meth:`gale.Model.predict` gave.
    matcher : Matcher
    index : IndexTable, optional
        Times of known retention index.

    Returns
    -------
    dict
        ``run``, ``status``, ``message`` and ``unlike`` as in the table of predictions;
        ``families``, that with the highest number first, each with its ``probability`` (``score``
        if the model is not calibrated) and, if that exceeds the training prevalence, its
        ``evidence``, with ``air_mz`` if that is of air alone (`gale.evidence.air`); and
        ``largest_peaks``. Nothing is NaN.

    Raises
    ------
    ReadError
        If the model's features leave out every ion of the run.

    Examples
    --------
    Here ``model_file`` and ``run_file`` are the paths of a small model and of a run.

    >>> from gale import Matcher, Model, read_run
    >>> model, run = Model.load(model_file), read_run(run_file)
    >>> prediction = model.predict(run).row(0, named=True)
    >>> answer = answer_of(model, run, prediction, Matcher.default())
    >>> [each["family"] for each in answer["families"] if each["evidence"]][:1]
    ['hydrocarbon']
    """
    said = {name: prediction[name] for name in ("run", "status", "message")}
    said[UNLIKE] = _shorter(prediction[UNLIKE])
    if run is None:
        return {**said, "families": [], "largest_peaks": []}
    found: Sequence[Window] | Sequence[Attribution] = (
        find_windows(model, run, matcher=matcher, index=index)
        if model.has_elution_network
        else find_attributions(model, run)
    )
    of_family = {name: [each for each in found if each.family == name] for name in model.families}
    families = [
        {
            "family": family,
            model.number: _shorter(prediction[family]),
            "spread": _shorter(prediction[family + SPREAD]),
            "prevalence": _shorter(model.prevalence[family]),
            "call": prediction.get(family + CALL),
            "air_mz": list(air_of(of_family[family])),
            "evidence": [*map(_evidence, of_family[family])],
        }
        for family in sorted(model.families, key=lambda name: -prediction[name])
    ]
    peaks = [_peak(each) for each in find_largest(run, matcher, index)]
    return {**said, "families": families, "largest_peaks": peaks}


def _evidence(window: Window | Attribution) -> dict[str, Any]:
    if isinstance(window, Attribution):
        return {"basis": FEATURES, "ions": _ions(window.ions, window.falls), "matches": []}
    return {
        "basis": ELUTION,
        "apex_min": _rounded(window.apex_min),
        "start_min": _rounded(window.start_min),
        "end_min": _rounded(window.end_min),
        "share": _rounded(window.share),
        "index": _rounded(window.index),
        "ions": _ions(window.ions, window.falls),
        "matches": _matches(window.matches),
    }


def _peak(large: LargePeak) -> dict[str, Any]:
    peak = large.peak
    return {
        "apex_min": _rounded(peak.apex_min),
        "share": _rounded(large.share),
        "index": _rounded(peak.index),
        "ions": large.ions(PEAK_IONS),
        "origin": peak.origin,
        "saturated": peak.saturated,
        "verdict": peak.verdict,
        "matches": [
            {**_known(match), "families": None if match.families is None else [*match.families]}
            for match in peak.matches
        ],
    }


def _ions(ions: Sequence[int], falls: Sequence[float]) -> list[dict[str, float | None]]:
    return [{"mz": mz, "fall": _rounded(fall)} for mz, fall in zip(ions, falls, strict=True)]


def _matches(matches: Sequence[Match]) -> list[dict[str, Any]]:
    return [{**_known(match), "carries_family": match.carries_family} for match in matches]


def _known(match: Match | PeakMatch) -> dict[str, Any]:
    return {
        "compound": match.compound,
        "inchikey": match.inchikey or None,
        "cosine": _rounded(match.cosine),
        "index": _rounded(match.index),
    }


def _rounded(value: float) -> float | None:
    return None if math.isnan(value) else round(value, DECIMALS)


def _shorter(value: float | None) -> float | None:
    """Write a number of single precision with the digits that it has."""
    return None if value is None else float(f"{value:.6g}")
