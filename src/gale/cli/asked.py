"""What `gale predict` is asked for: options that fit each other, and the files that it writes."""

from __future__ import annotations

from pathlib import Path

import click

from gale.cli.options import Function
from gale.cli.outputs import ADDRESS_TOO, STANDARD_OUTPUT, TABLE

table_option = click.option(
    "-o",
    "--output",
    type=TABLE,
    help="Table to write: .csv, .parquet or .xlsx, or a folder/ of Parquet files; - prints CSV. "
    f"{ADDRESS_TOO} By default, print answers.",
)


evidence_option = click.option(
    "--evidence",
    "evidence_path",
    type=TABLE,
    help="Table to write with the evidence for each family: when it elutes, by which ions, and "
    "which compounds match. Models without an elution network name only ions.",
)


def answer_options(function: Function) -> Function:
    """Add the options that say in which other way results are wanted."""
    for option in (
        click.option(
            "--json", "as_json", is_flag=True, help="Print one line of JSON for each run."
        ),
        click.option(
            "--submission",
            is_flag=True,
            help="Write the competition's format: the runs and families of submission_format.csv.",
        ),
    ):
        function = option(function)
    return function


def check_asked(
    output: Path | None,
    splits: tuple[str, ...],
    submission: bool,
    as_json: bool,
    at: str | None,
    *,
    searched: bool,
) -> None:
    """Refuse options that contradict each other, or libraries `searched` for no evidence."""
    if submission and splits:
        raise click.UsageError("--submission selects the runs itself; leave out --split")
    if submission and at is not None:
        raise click.UsageError("--submission has no columns for calls; leave out --at")
    if submission and output is None:
        raise click.UsageError("--submission is a table; name its file as -o")
    if searched and output is not None:
        raise click.UsageError("--library and --index-table need --evidence")
    if as_json and output is not None:
        raise click.UsageError("--json prints its lines; leave out -o")


def planned_files(output: Path | None, evidence: Path | None) -> tuple[list[Path], list[Path]]:
    """List the tables that will be written, that of the runs first, and the other files."""
    from gale.evaluation.predictions import sidecar

    if evidence == STANDARD_OUTPUT:
        raise click.UsageError("only one table goes to standard output: name a file for --evidence")
    table = [] if output is None or output == STANDARD_OUTPUT else [output]
    return [*table, *([] if evidence is None else [evidence])], list(map(sidecar, table))
