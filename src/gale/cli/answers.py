"""Answers in the terminal: for each run a table, or one object of JSON."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from gale.cli.answer_table import print_table
from gale.cli.calls import called
from gale.cli.printing import echo
from gale.cli.summary import SCORES
from gale.cli.wording import in_options
from gale.plumbing.tables import FAILED

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
            print_table(answer, model.number)
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
