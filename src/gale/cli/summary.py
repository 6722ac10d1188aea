"""What is printed of predictions."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from gale.cli.outputs import STANDARD_OUTPUT
from gale.cli.printing import echo
from gale.cli.wording import in_options
from gale.plumbing.tables import TRAINED_ON
from gale.plumbing.text import counted, display_name, is_formula, listed, shown

if TYPE_CHECKING:
    import polars as pl

    import gale

SCORES = (
    "the numbers are scores from 0 to 1: trained as probabilities but not calibrated on held-out "
    "runs"
)
"""What is said of the numbers of a model without calibration."""


def print_failed(table: pl.DataFrame) -> int:
    """Say on standard error which runs failed and why; return their number."""
    failed = table.filter(status="failed")
    for run, message in failed.select("run", "message").iter_rows():
        prefix = "" if message.startswith(run) else f"{run}: "
        echo(f"failed: {prefix}{in_options(message)}", err=True)
    return len(failed)


def print_summary(
    output: Path, model: gale.Model, table: pl.DataFrame, notes: Sequence[str], submission: bool
) -> int:
    """Say what was predicted, and how to read it; return the number of runs that failed.

    If the table is on standard output, this is on standard error.
    """
    n_failed = print_failed(table)
    for line in _lines(output, model, table, notes, submission, n_failed):
        echo(in_options(line), err=output == STANDARD_OUTPUT)
    return n_failed


def _lines(
    output: Path,
    model: gale.Model,
    table: pl.DataFrame,
    notes: Sequence[str],
    submission: bool,
    n_failed: int,
) -> Iterator[str]:
    import polars as pl

    n_predicted = len(table) - n_failed
    yield f"{display_name(output)}: {counted(n_predicted, 'run')} predicted, {n_failed:,} failed"
    says = "gale predict without --submission says" if submission else "the column message says"
    if n_doubtful := len(doubtful := table.filter(status="doubtful")["run"]):
        are = "is" if n_doubtful == 1 else "are"
        named = f" ({listed(doubtful, 3)})" if submission else ""
        yield f"{counted(n_doubtful, 'run')} {are} doubtful{named}; {says} why"
    if n_known := int(table["message"].str.contains(TRAINED_ON, literal=True).sum()):
        are = "is" if n_known == 1 else "are"
        yield f"{counted(n_known, 'run')} {are} of the training: their numbers are not held out"
    odd = pl.col("message").is_not_null() & (pl.col("message") != TRAINED_ON)
    if n_odd := len(table.filter(odd, status="ok")):
        are = "is" if n_odd == 1 else "are"
        yield f"{counted(n_odd, 'run')} {are} odd; {says} what is odd"
    yield from notes
    if formulas := [name for name in (*table["run"], *model.families) if is_formula(name)]:
        yield (
            f"a spreadsheet takes {listed(map(shown, formulas), 3)} for a formula; import these "
            "columns as text"
        )
    if submission and n_failed:
        yield "for failed runs the submission has the training prevalence"
    if not model.facts["calibrated"]:
        yield SCORES
