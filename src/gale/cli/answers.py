"""Answers in the terminal: per run a table that is read in seconds, or one object of JSON."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from gale.cli.calls import called
from gale.cli.printing import echo
from gale.cli.summary import SCORES
from gale.cli.wording import in_options
from gale.plumbing.tables import DOUBTFUL, FAILED
from gale.plumbing.text import in_words, probability

if TYPE_CHECKING:
    import polars as pl

    import gale
    from gale.cli.spectra import Spectra
    from gale.model.cutoffs import Cutoffs
    from gale.plumbing.work import Work

PROBABLE = 0.5
"""From which probability on a family is called, if no other cut-off is asked for."""

CALLED = f"yes at {PROBABLE:g} or more; --at asks for other cut-offs"
"""What is said of the calls then."""

COLUMNS = (
    "family", "probability", "prevalence", "call", "apex (min)", "ions (m/z)", "most similar",
    "cosine", "InChIKey",
)  # fmt: skip
"""Columns of the table; the last one is left out where the terminal is too narrow for it."""

NUMBERS = {"probability", "prevalence", "apex (min)", "cosine"}
"""Columns whose cells end at the same place."""

IONS = 4
"""Ions that are named in a row."""

LONGEST_COMPOUND = 34
"""Letters of a compound's name that fit into a row."""

WIDE = 170
"""Letters of a line where there is no terminal."""


def print_answers(
    model: gale.Model,
    sources: gale.Campaign | tuple[Path, ...],
    table: pl.DataFrame,
    checksums: Sequence[str],
    spectra: Spectra,
    work: Work,
    cutoffs: Cutoffs | None,
    *,
    as_json: bool,
) -> int:
    """Print the answer for each run as it comes; return the number of runs that failed.

    Parameters
    ----------
    model, sources, table, checksums
        What :meth:`gale.Model.predict_read` was given, and what it gave.
    spectra : Spectra
        What evidence is compared with.
    work : Work
    cutoffs : Cutoffs or None
        By default, families are called from :data:`PROBABLE` on.
    as_json : bool
        Whether each answer is one line of JSON instead of a table.
    """
    usual = model.cutoffs(dict.fromkeys(model.families, PROBABLE))
    with_calls, notes = called(table, cutoffs or usual, model)
    facts = {
        "source": model.source,
        "sha256": model.sha256,
        "recipe": model.facts["recipe"]["name"],
        "calibrated": model.facts["calibrated"],
        "notes": list(map(in_options, notes)),
    }
    n_failed = 0
    answers = _answers(model, sources, with_calls, checksums, spectra, work)
    for number, answer in enumerate(answers):
        failed = answer["status"] == FAILED
        n_failed += failed
        if as_json:
            echo(json.dumps({**answer, "model": facts}, ensure_ascii=False, allow_nan=False))
        elif failed:
            said = in_options(answer["message"])
            prefix = "" if said.startswith(answer["run"]) else f"{answer['run']}: "
            echo(f"failed: {prefix}{said}", err=True)
        else:
            if number:
                echo("")
            _print_table(answer)
    if not as_json and n_failed < len(table):
        echo("")
        echo(f"call: {CALLED if cutoffs is None else f'yes at {cutoffs.at}'}")
        for note in [*notes, *([] if model.facts["calibrated"] else [SCORES])]:
            echo(in_options(note))
    return n_failed


def _answers(
    model: gale.Model,
    sources: gale.Campaign | tuple[Path, ...],
    table: pl.DataFrame,
    checksums: Sequence[str],
    spectra: Spectra,
    work: Work,
) -> Iterator[dict[str, Any]]:
    """Give the answer for each run, in the order given, of the bytes that were predicted."""
    from gale.errors import MissingExtraError, ReadError
    from gale.evidence import Matcher
    from gale.evidence.answer import answer_of
    from gale.evidence.table import read_same

    matcher = spectra["matcher"] or Matcher.default()
    _, paths, work = model.sources_of(sources, work)
    rows = table.iter_rows(named=True)
    for path, checksum, row in zip(paths, checksums, rows, strict=True):
        try:
            run = None if row["status"] == FAILED else read_same(path, checksum, work)
            yield answer_of(model, run, row, matcher, spectra["index"])
        except (ReadError, MissingExtraError) as error:  # it has changed meanwhile
            row |= {"status": FAILED, "message": str(error)}
            yield answer_of(model, None, row, matcher)


def _print_table(answer: Mapping[str, Any]) -> None:
    """Print the name of a run, first of all why its numbers are doubtful, and its table."""
    said = answer["message"] or ""
    if answer["status"] == DOUBTFUL:
        echo(f"{answer['run']}: DOUBTFUL, do not rely on these numbers: {said}", bold=True)
    else:
        echo(answer["run"], bold=True)
        if said:
            echo(f"note: {said}")
    families = [_family(each) for each in answer["families"]]
    peaks = [
        [f"{_ordinal(rank)} peak", "", "", "", *_what(each)]
        for rank, each in enumerate(answer["largest_peaks"])
    ]
    head, *lines = _grid([list(COLUMNS), *families, *peaks])
    echo(head)
    for line in lines:
        echo(line)
    if not peaks:
        echo("no peak stands out")


def _family(row: Mapping[str, Any]) -> list[str]:
    numbers = [probability(row["probability"]), probability(row["prevalence"]), row["call"] or ""]
    evidence = row["evidence"]
    return [in_words(row["family"]), *numbers, *(_what(evidence[0]) if evidence else [""] * 5)]


def _what(found: Mapping[str, Any]) -> list[str]:
    """When something elutes, by which ions, and what it is like."""
    apex = f"{found['apex_min']:.3f}" if "apex_min" in found else ""
    mz = [each["mz"] if isinstance(each, Mapping) else each for each in found["ions"][:IONS]]
    said = [apex, ", ".join(map(str, mz))]
    if not found["matches"]:
        return [*said, "nothing similar" if apex else "", "", ""]
    best = found["matches"][0]
    name = best["compound"]
    short = name if len(name) <= LONGEST_COMPOUND else f"{name[: LONGEST_COMPOUND - 1]}…"
    return [*said, short, f"{best['cosine']:.2f}", best["inchikey"] or ""]


def _ordinal(rank: int) -> str:
    return ("largest", "second largest", "third largest")[rank]


def _grid(rows: Sequence[list[str]]) -> list[str]:
    """Align the cells of rows, the first of which is the header; the last column may not fit."""
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    room = shutil.get_terminal_size((WIDE, 24)).columns
    shown = len(widths) - (sum(widths) + 2 * len(widths) > room)
    lines = []
    for row in rows:
        cells = [
            cell.rjust(width) if name in NUMBERS else cell.ljust(width)
            for name, cell, width in zip(COLUMNS, row, widths, strict=True)
        ]
        lines.append("  ".join(cells[:shown]).rstrip())
    return lines
