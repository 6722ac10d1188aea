"""What is printed of predictions."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from gale.cli.outputs import STANDARD_OUTPUT
from gale.cli.printing import SHOWN, echo, formulas_note
from gale.cli.wording import in_options
from gale.plumbing.tables import DOUBTFUL, FAILED, OK, TRAINED_ON
from gale.plumbing.text import counted, display_name, is_formula

if TYPE_CHECKING:
    import polars as pl

    import gale
    from gale.inspection.batch import BatchSums

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


def _no_sums() -> BatchSums:
    from gale.inspection.batch import BatchSums

    return BatchSums()


@dataclass
class Counts:
    """What a summary says of predictions, counted over their tables one after the other."""

    n_runs: int = 0
    n_failed: int = 0
    n_doubtful: int = 0
    n_known: int = 0
    n_odd: int = 0
    n_formulas: int = 0
    formulas: list[str] = field(default_factory=list)
    sums: BatchSums = field(default_factory=_no_sums)

    def add(self, table: pl.DataFrame, families: Sequence[str]) -> None:
        """Count a table."""
        import polars as pl

        message = pl.col("message")
        self.n_runs += len(table)
        self.n_failed += table.filter(status=FAILED).height
        self.n_doubtful += table.filter(status=DOUBTFUL).height
        self.n_known += int(table["message"].str.contains(TRAINED_ON, literal=True).sum())
        self.n_odd += table.filter(
            message.is_not_null() & (message != TRAINED_ON), status=OK
        ).height
        found = list(filter(is_formula, table["run"]))
        self.n_formulas += len(found)
        self.formulas += found[: SHOWN - len(self.formulas)]
        self.sums.add(table, families)

    def notes(self, model: gale.Model) -> list[str]:
        """Say what is to be known of a batch as a whole."""
        return [*filter(None, [model.caution]), *self.sums.notes(model.prevalence, model.numbers)]


def print_summary(
    output: Path, model: gale.Model, counts: Counts, notes: Sequence[str], submission: bool
) -> None:
    """Say what was predicted, and how to read it.

    If the table is on standard output, this is on standard error.
    """
    for line in _lines(output, model, counts, notes, submission):
        echo(in_options(line), err=output == STANDARD_OUTPUT)


def _lines(
    output: Path, model: gale.Model, counts: Counts, notes: Sequence[str], submission: bool
) -> Iterator[str]:
    n_predicted = counts.n_runs - counts.n_failed
    yield (
        f"{display_name(output)}: {counted(n_predicted, 'run')} predicted, "
        f"{counts.n_failed:,} failed"
    )
    says = "gale predict without --submission says" if submission else "the column message says"
    if number := counts.n_doubtful:
        are = "is" if number == 1 else "are"
        yield f"{counted(number, 'run')} {are} doubtful; {says} why"
    if number := counts.n_known:
        are = "is" if number == 1 else "are"
        yield f"{counted(number, 'run')} {are} of the training: their numbers are not held out"
    if number := counts.n_odd:
        are = "is" if number == 1 else "are"
        yield f"{counted(number, 'run')} {are} odd; {says} what is odd"
    yield from notes
    of_families = list(filter(is_formula, model.families))
    if names := [*counts.formulas, *of_families]:
        yield formulas_note(names, counts.n_formulas + len(of_families))
    if submission and counts.n_failed:
        yield "for failed runs the submission has the training prevalence"
    if not model.facts["calibrated"]:
        yield SCORES
