"""Answers in the terminal: for each run a table, or one object of JSON."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from gale.cli.answer_table import print_table
from gale.cli.printing import echo
from gale.cli.result import Result
from gale.cli.summary import SCORES, Counts
from gale.cli.tasks.predict import PREDICTIONS, UNWRITTEN
from gale.cli.wording import in_options
from gale.plumbing.tables import FAILED

if TYPE_CHECKING:
    from gale.model.cutoffs import Cutoffs

PROBABLE = 0.5
"""From which probability on a family is called, if no other cut-off is asked for."""

CALLED = f"yes at {PROBABLE:g} or more; --at asks for other cut-offs"
"""What is said of the calls then."""


def print_answers(result: Result, columns: Mapping[str, str] | None, *, as_json: bool) -> int:
    """Print the answer for each run as it comes; return the number of runs that failed.

    Parameters
    ----------
    result : Result
        Without cut-offs, families are called from :data:`PROBABLE` on.
    columns : mapping of str to str, optional
        Names of the columns of tables.
    as_json : bool
        Whether each answer is one line of JSON instead of a table.
    """
    model, cutoffs = result.model, result.cutoffs
    usual = model.cutoffs(dict.fromkeys(model.families, PROBABLE))
    counts = Counts()
    for table in result.finished.tables(PREDICTIONS):
        counts.add(table, model.families)
    used = cutoffs or usual
    notes = [*counts.notes(model), *used.notes()]
    facts = {
        "source": model.source,
        "sha256": model.sha256,
        "recipe": model.facts["recipe"]["name"],
        "calibrated": model.facts["calibrated"],
        "notes": list(map(in_options, notes)),
    }
    n_failed = 0
    for number, answer in enumerate(_answers(result, columns, used)):
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
    if not as_json and n_failed < counts.n_runs:
        echo("")
        echo(f"call: {CALLED if cutoffs is None else f'yes at {cutoffs.at}'}")
        for note in [*notes, *([] if model.facts["calibrated"] else [SCORES])]:
            echo(in_options(note))
    return n_failed


def _answers(
    result: Result, columns: Mapping[str, str] | None, cutoffs: Cutoffs
) -> Iterator[dict[str, Any]]:
    """Give the answer for each run, in the order given, of the bytes that were predicted."""
    from gale.errors import MissingExtraError, ReadError
    from gale.evidence.answer import answer_of
    from gale.evidence.table import read_same
    from gale.matching import Matcher
    from gale.plumbing.work import Work

    model, spectra, work = result.model, result.spectra, Work(columns=columns)
    matcher = spectra["matcher"] or Matcher.default()
    tables = map(cutoffs.call, result.finished.tables(PREDICTIONS))
    rows = (row for table in tables for row in table.iter_rows(named=True))
    for item, row in zip(result.listing, rows, strict=True):
        checksum, _ = map(row.pop, UNWRITTEN)
        try:
            is_there = row["status"] != FAILED
            run = read_same(Path(item.path), checksum, work) if is_there else None
            yield answer_of(model, run, row, matcher, spectra["index"])
        except (ReadError, MissingExtraError) as error:  # it has changed meanwhile
            row |= {"status": FAILED, "message": str(error)}
            yield answer_of(model, None, row, matcher)
