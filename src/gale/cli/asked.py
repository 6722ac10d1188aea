"""What `gale predict` is asked for: options that fit each other, and the files that it writes."""

from __future__ import annotations

from pathlib import Path

import click

from gale.cli.outputs import STANDARD_OUTPUT, TABLE

table_option = click.option(
    "-o",
    "--output",
    type=TABLE,
    help="Table to write: .csv, .parquet or .xlsx; - prints CSV. By default, print answers.",
)


def check_asked(
    output: Path | None, splits: tuple[str, ...], submission: bool, as_json: bool, at: str | None
) -> None:
    """Refuse options that contradict each other."""
    if submission and splits:
        raise click.UsageError("--submission selects the runs itself; leave out --split")
    if submission and at is not None:
        raise click.UsageError("--submission has no columns for calls; leave out --at")
    if submission and output is None:
        raise click.UsageError("--submission is a table; name its file as -o")
    if as_json and output is not None:
        raise click.UsageError("--json prints its lines; leave out -o")


def planned_files(output: Path | None, evidence: Path | None = None) -> list[Path]:
    """List the files that will be written, that of the table first."""
    from gale.evaluation.predictions import sidecar

    if evidence == STANDARD_OUTPUT:
        raise click.UsageError("only one table goes to standard output: name a file for --evidence")
    table = [] if output in (None, STANDARD_OUTPUT) else [output, sidecar(output)]
    return [*table, *([] if evidence is None else [evidence])]
