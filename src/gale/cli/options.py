"""Options that several verbs share."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

import click

Function = TypeVar("Function", bound=Callable[..., Any])

COLUMN_KEYS = ("time_min", "time_s", "time_ms", "mz", "intensity")


def _parse_columns(
    _context: click.Context, _parameter: click.Parameter, values: tuple[str, ...]
) -> dict[str, str] | None:
    columns = {}
    for value in values:
        key, equals, name = value.partition("=")
        if not (equals and name and key in COLUMN_KEYS):
            raise click.BadParameter(f"{value!r}: expected {' or '.join(COLUMN_KEYS)} = a name")
        columns[key] = name
    return columns or None


def reading_options(function: Function) -> Function:
    """Add the options of every verb that reads runs."""
    for option in (
        click.option("-q", "--quiet", is_flag=True, help="Show no progress."),
        click.option(
            "--no-cache", is_flag=True, help="Compute features anew and do not keep them."
        ),
        click.option(
            "--workers",
            type=click.IntRange(1),
            default=1,
            show_default=True,
            help="Processes that read runs. One is as fast as several for tables, which are "
            "parsed on all cores anyway. (Pre-training simulates with one process a core.)",
        ),
        columns_option,
    ):
        function = option(function)
    return function


def library_options(function: Function) -> Function:
    """Add the options of every verb that looks for compounds."""
    for option in (
        click.option(
            "--index-table",
            type=click.Path(path_type=Path),
            help="CSV table of time_min and index (of n-alkanes, say): compounds of another "
            "retention index are left out.",
        ),
        click.option(
            "--library",
            "libraries",
            type=click.Path(path_type=Path),
            multiple=True,
            help="MSP file or folder of MassBank records to look for compounds in, in place of the "
            "spectra that come with gale. Repeatable.",
        ),
    ):
        function = option(function)
    return function


columns_option = click.option(
    "--column",
    "columns",
    multiple=True,
    metavar="KEY=NAME",
    callback=_parse_columns,
    help="Name of a column in tables that do not call them time, mass and intensity; KEY is "
    "time_min, time_s, time_ms, mz or intensity. Repeatable.",
)

model_option = click.option(
    "--model", "model_path", type=click.Path(path_type=Path), required=True, help="Model file."
)

split_option = click.option(
    "--split",
    "splits",
    multiple=True,
    type=click.Choice(["train", "val", "test"]),
    help="Take only these runs of a campaign. Repeatable.",
)

device_option = click.option(
    "--device",
    type=click.Choice(["cpu", "cuda"]),
    help="Where networks are trained; a GPU by default, where there is one.",
)
