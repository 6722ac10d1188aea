"""The page of a run: what a model predicts, and the evidence in the run.

A page is one file that needs no network.
"""

from __future__ import annotations

import math
import textwrap
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from gale.errors import TableError
from gale.evidence import (
    Attribution,
    Window,
    check_spectra,
    find_attributions,
    find_windows,
)
from gale.evidence.air import air_of, air_text
from gale.inspection import oddities
from gale.inspection.verdict import verdict
from gale.matching import IndexTable, Matcher
from gale.matching.matcher import Match
from gale.model import Model
from gale.model.novelty import NEW_COMPOUNDS
from gale.model.unlike import elsewhere_notes, unlike_notes
from gale.plotting import Span
from gale.plumbing.arguments import check_kind
from gale.plumbing.kinds import checked
from gale.plumbing.tables import DOUBTFUL, SPREAD, UNLIKE
from gale.plumbing.text import listed
from gale.report.pages import as_json, render
from gale.report.peaks import PeakSection
from gale.report.picture import Picture
from gale.run import Floats, Run

MOST_BYTES = 1_000_000
"""Bytes of ions in a page, so that all of it is smaller than 2 MB."""

PROBABLE = 0.5
"""Families with at least this probability are named first."""

LEAST_HEIGHT = 0.002
"""Height relative to the highest ion below which the ions of a spectrum are not drawn."""

LONGEST_COMPOUND = 32
"""Letters of a compound's name in the title of a spectrum; the table beside it has the whole."""


@dataclass(frozen=True)
class FamilyRow:
    """The row of one family in the table of a page.

    Parameters
    ----------
    number : int
        Its place among the families of the page, from 1.
    name : str
    probability, prevalence : float
    spread : float
        Standard deviation over members; NaN for a single one.
    windows : sequence of Window
        Its evidence.
    """

    number: int
    name: str
    probability: float
    prevalence: float
    spread: float
    windows: Sequence[Window]

    @property
    def air(self) -> str:
        """What has to be said of evidence that is of air alone; else empty."""
        mz = air_of(self.windows)
        return air_text(mz) if mz else ""

    @property
    def anchor(self) -> str:
        """The target of links to its evidence; names may have any characters."""
        return f"family-{self.number}"

    @property
    def from_to(self) -> tuple[float, float]:
        """One standard deviation to either side, between 0 and 1."""
        spread = 0.0 if math.isnan(self.spread) else self.spread
        return max(self.probability - spread, 0.0), min(self.probability + spread, 1.0)


@checked
def run_report(
    model: Model,
    run: Run,
    *,
    matcher: Matcher | None = None,
    index: IndexTable | None = None,
    prediction: Mapping[str, Any] | None = None,
    provenance: Mapping[str, str] | None = None,
) -> str:
    """Make the page of a run: probabilities, evidence, picture, warnings and provenance.

    Parameters
    ----------
    model : Model
    run : Run
    matcher : Matcher, optional
        The library to compare spectra with; by default the one that comes with gale.
    index : IndexTable, optional
        Times whose retention index is known.
    prediction : mapping, optional
        The row of the run in :meth:`gale.Model.predict`, if it is known already.
    provenance : mapping of str to str, optional
        More to say of where the page comes from, such as a checksum of the file.

    Returns
    -------
    str
        HTML.

    Raises
    ------
    ModelError
        If the model has no elution network, and a library or a table of indices is given.
    ReadError
        If no ion of the run has an m/z that counts.
    PlotError
        If all scans have the same time.

    Examples
    --------
    In a folder with a model and a run:

    >>> import gale
    >>> page = gale.run_report(gale.Model.load("model.onnx"), gale.read_run("run.csv"))
    >>> page.splitlines()[0]
    '<!DOCTYPE html>'
    """
    if prediction is not None:
        _check_prediction(prediction, model)
    predicted = prediction or model.predict(run).row(0, named=True)
    searched = matcher or Matcher.default()
    library = searched if model.has_elution_network else None
    windows: list[Window] = []
    attributions: list[Attribution] = []
    if library:
        windows = find_windows(model, run, matcher=library, index=index)
    else:
        if matcher is not None or index is not None:
            check_spectra(model)
        attributions = find_attributions(model, run)
    families = _families(model, predicted, windows)
    peaks = PeakSection.of(run, library, index)
    return render(
        "run.html",
        title=Path(run.source).name,
        families=families,
        probable=[row for row in families if row.probability >= PROBABLE],
        likelier=[row for row in families if row.prevalence <= row.probability < PROBABLE],
        number=model.number,
        doubtful=_doubt(run, predicted),
        attributions=attributions,
        any_windows=bool(windows),
        warnings=[
            *filter(None, [model.caution]),
            *(each.text for each in oddities(run)),
            *_notes_of_model(model, predicted),
            *(index.note_outside(run) if index else ()),
        ],
        unlike=predicted[UNLIKE],
        picture=Picture.of(
            run,
            lanes=_lanes(families),
            labels=peaks.labels,
            log=peaks.flattened,
            most_bytes=MOST_BYTES,
        ),
        library=library and library.library,
        peaks=peaks,
        spectra=as_json(list(_spectra(families, run, model, library))) if library else None,
        run=run,
        provenance={
            **(provenance or {}),
            "libraries": _libraries(searched),
            **model_provenance(model),
        },
    )


def _notes_of_model(model: Model, prediction: Mapping[str, Any]) -> Iterator[str]:
    """Say what the model finds unlike its training runs."""
    yield from unlike_notes(prediction[UNLIKE])
    yield from elsewhere_notes(prediction[UNLIKE], model.far)
    if NEW_COMPOUNDS in (prediction.get("message") or ""):
        yield NEW_COMPOUNDS


def _doubt(run: Run, prediction: Mapping[str, Any]) -> str:
    """Say why the numbers of a run are doubtful; empty if they are not."""
    if prediction.get("status") != DOUBTFUL:
        return ""
    why = [*verdict(run).weighty, *unlike_notes(prediction[UNLIKE])]
    return "; ".join(["doubtful numbers", *why]).replace("; ", ": ", 1)


def _libraries(matcher: Matcher) -> str:
    """Say what spectra were compared with."""
    return ", ".join(
        f"{each['name']} ({each['spectra']:,} spectra, SHA-256 {str(each['sha256'])[:16]})"
        for each in matcher.sources
    )


def model_provenance(model: Model) -> dict[str, str]:
    """Say where a model comes from."""
    facts = model.facts
    training = facts["training"]
    return {
        "model": f"recipe {facts['recipe']['name']}, {facts['members']} members, made by gale "
        f"{facts['gale_version']} on {facts['created']}",
        "trained on": f"{training['runs']:,} runs of {training['campaign']}",
        "training fingerprint": training["fingerprint"],
    }


def _check_prediction(prediction: Mapping[str, Any], model: Model) -> None:
    """Check that a prediction has what a page shows."""
    check_kind("prediction", prediction, Mapping)
    wanted = (UNLIKE, *model.families, *(family + SPREAD for family in model.families))
    if lacking := [name for name in wanted if name not in prediction]:
        raise TableError(
            "prediction",
            f"has no {listed(lacking, 3)}",
            "a row of what Model.predict gives, as a mapping",
            "leave it out, and the run is predicted",
        )


def _families(
    model: Model, prediction: Mapping[str, Any], windows: Sequence[Window]
) -> list[FamilyRow]:
    """Make the rows of the families, the most probable first."""
    spreads = {family: prediction[family + SPREAD] for family in model.families}
    return [
        FamilyRow(
            number,
            family,
            prediction[family],
            model.prevalence[family],
            math.nan if spreads[family] is None else spreads[family],
            [window for window in windows if window.family == family],
        )
        for number, family in enumerate(
            sorted(model.families, key=lambda family: -prediction[family]), start=1
        )
    ]


def _lanes(families: Sequence[FamilyRow]) -> dict[str, list[Span]]:
    return {
        row.name: [Span(each.start_min, each.end_min, each.share) for each in row.windows]
        for row in families
        if row.windows
    }


def _spectra(
    families: Sequence[FamilyRow], run: Run, model: Model, matcher: Matcher
) -> Iterable[dict[str, Any]]:
    """Give the page's script the spectrum of each window, above that of its best match."""
    mz = np.array(model.event_spec.mz)
    low, high = float(max(run.mz.min(), mz[0])), float(min(run.mz.max(), mz[-1]))
    for row in families:
        for number, window in enumerate(row.windows, start=1):
            ions = _ions(mz, window.spectrum)
            shown = list(ions)
            title = f"{window.apex_min:.3f} min, background removed"
            if not ions:
                title += ": nothing is left"
            other = None
            if window.matches:
                best: Match = window.matches[0]
                library_mz, height = matcher.library.spectrum(best.row)
                inside = (library_mz >= low - 0.5) & (library_mz <= high + 0.5)
                other = _ions(library_mz[inside], height[inside])
                shown += other
                name = textwrap.shorten(best.compound, LONGEST_COMPOUND, placeholder=" …")
                title += f" (up); {name}, cosine {best.cosine:.2f} (down)"
            yield {
                "holder": f"window-{row.number}-{number}",
                "title": title,
                "ions": ions,
                "other": other,
                "low": max(low - 2, 0),
                "high": max((at for at, _ in shown), default=high) + 5,
            }


def _ions(mz: Floats, height: Floats) -> list[tuple[float, float]]:
    """Give the m/z of a spectrum and their visible heights relative to the highest."""
    highest = height.max(initial=0.0)
    if highest <= 0:
        return []
    relative = height / highest
    seen = relative >= LEAST_HEIGHT
    return [
        (round(float(at), 1), round(float(share), 3))
        for at, share in zip(mz[seen], relative[seen], strict=True)
    ]
