"""Options of verbs that look for compounds."""

from __future__ import annotations

from pathlib import Path

import click

from gale.cli.completion import LIBRARY_NAMES
from gale.cli.options import PATH, Function


def library_options(function: Function) -> Function:
    """Add the options of every verb that looks for compounds."""
    for option in (
        click.option(
            "--index-table",
            type=PATH,
            help="CSV table of retention times and indices (columns time_min and index), such as "
            "those of n-alkanes. Compounds whose retention index is more than 50 off are left out.",
        ),
        click.option(
            "--library",
            "libraries",
            **LIBRARY_NAMES,
            multiple=True,
            help="Library to search: a file (MSP, MSL, ELU, JCAMP-DX), a folder of MassBank "
            "records, the name of an added library, or gale for the spectra that come with it. By "
            "default these and all added ones. Repeatable.",
        ),
    ):
        function = option(function)
    return function


def alkane_options(function: Function) -> Function:
    """Add the options that make retention indices of a run of alkanes."""
    for option in (
        click.option(
            "--first-alkane",
            type=click.IntRange(5, 60),
            help="Carbon atoms of the first alkane in it, if its molecular ions do not tell.",
        ),
        click.option(
            "--alkanes",
            type=PATH,
            help="Run of n-alkanes, measured like RUNS, from which retention indices are made.",
        ),
    ):
        function = option(function)
    return function


def check_alkanes(alkanes: Path | None, first: int | None, index_table: Path | None) -> None:
    """Refuse options that contradict each other."""
    if alkanes is not None and index_table is not None:
        raise click.UsageError("--alkanes and --index-table both give indices; leave one out")
    if first is not None and alkanes is None:
        raise click.UsageError("--first-alkane needs --alkanes")
