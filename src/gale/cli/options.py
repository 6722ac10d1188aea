"""Options that several verbs share."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

import click

from gale.cli.outputs import ADDRESS_TOO, WRITTEN, WRITTEN_HERE
from gale.cli.workers import workers_options

Function = TypeVar("Function", bound=Callable[..., Any])

PATH = click.Path(path_type=Path)

COLUMN_KEYS = ("time_min", "time_s", "time_ms", "mz", "intensity")


def parse_columns(
    _context: click.Context, _parameter: click.Parameter, values: tuple[str, ...]
) -> dict[str, str] | None:
    """Read ``--column KEY=NAME``, as often as it is given."""
    columns = {}
    for value in values:
        key, equals, name = value.partition("=")
        if not (equals and key in COLUMN_KEYS):
            keys = f"{', '.join(COLUMN_KEYS[:-1])} or {COLUMN_KEYS[-1]}"
            raise click.BadParameter(f"{value!r} is not KEY=NAME; KEY is {keys}")
        columns[key] = name
    return columns or None


def output_option(text: str, *, here: bool = False, **more: Any) -> Callable[[Function], Function]:
    """Add ``--output``, which is required unless it has a default, and may be an address.

    It has to be on this machine if it is to be `here`.
    """
    text = text if here else f"{text} {ADDRESS_TOO}"
    more = {"required": "default" not in more, "type": WRITTEN_HERE if here else WRITTEN, **more}
    return click.option("-o", "--output", help=text, **more)


def force_option(text: str = "Overwrite the output.") -> Callable[[Function], Function]:
    """Add ``--force``."""
    return click.option("--force", is_flag=True, help=text)


def seed_option(text: str) -> Callable[[Function], Function]:
    """Add ``--seed``."""
    return click.option("--seed", type=click.IntRange(0), default=0, show_default=True, help=text)


def reading_options(function: Function) -> Callable[..., Any]:
    """Add the options that :func:`gale.cli.working.working` takes."""
    added: Callable[..., Any] = function
    for option in (
        quiet_option,
        click.option("--no-cache", is_flag=True, help="Neither read nor write the feature cache."),
        workers_options(
            "Processes that read runs. For tables, one is as fast as several, since parsing uses "
            "all cores anyway. (Pre-training simulates with one process per core.)"
        ),
        columns_option,
    ):
        added = option(added)
    return added


quiet_option = click.option("-q", "--quiet", is_flag=True, help="Show no progress.")

columns_option = click.option(
    "--column",
    "columns",
    multiple=True,
    metavar="KEY=NAME",
    callback=parse_columns,
    help="Name of a column, for tables whose columns are not called time, mass and intensity. KEY "
    "is time_min, time_s, time_ms, mz or intensity. Repeatable.",
)

split_option = click.option(
    "--split",
    "splits",
    multiple=True,
    type=click.Choice(["train", "val", "test"]),
    help="Take only the runs of this split of a campaign. Repeatable.",
)

strict_option = click.option(
    "--strict", is_flag=True, help="Stop if a run cannot be read, instead of leaving it out."
)

device_option = click.option(
    "--device",
    type=click.Choice(["cpu", "cuda"]),
    help="Where to train networks; by default on a GPU if there is one.",
)
