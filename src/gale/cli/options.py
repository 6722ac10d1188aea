"""Options that several verbs share."""

from __future__ import annotations

import functools
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

import click
from click.core import ParameterSource

from gale.cli.outputs import WRITTEN

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


def output_option(text: str, **more: Any) -> Callable[[Function], Function]:
    """Add ``--output``, which is required unless it has a default."""
    more = {"required": "default" not in more, **more}
    return click.option("-o", "--output", type=WRITTEN, help=text, **more)


def force_option(text: str = "Overwrite the output.") -> Callable[[Function], Function]:
    """Add ``--force``."""
    return click.option("--force", is_flag=True, help=text)


def seed_option(text: str) -> Callable[[Function], Function]:
    """Add ``--seed``."""
    return click.option("--seed", type=click.IntRange(0), default=0, show_default=True, help=text)


def workers_options(
    text: str = "Processes that work on runs.", **more: Any
) -> Callable[[Function], Callable[..., Any]]:
    """Add ``--workers`` and ``--dask``: the parameter ``workers`` is a number or an address.

    :func:`gale.cli.working.executor_of` makes an executor of it.

    Parameters
    ----------
    text : str
        Help of ``--workers``.
    **more
        Other settings of it, such as its default.
    """

    def add(function: Function) -> Callable[..., Any]:
        @functools.wraps(function)
        def call(workers: int, dask: str | None, **others: Any) -> Any:
            asked = click.get_current_context().get_parameter_source("workers")
            if dask is not None and asked is ParameterSource.COMMANDLINE:
                raise click.UsageError("--workers and --dask both say who works; leave one out")
            return function(workers=workers if dask is None else dask, **others)

        settings = {"default": 1, "show_default": True, **more}
        of_dask = click.option(
            "--dask",
            metavar="ADDRESS",
            help="Let workers of Dask work on runs: ADDRESS is that of a scheduler, its scheduler "
            "file, or local:4 for four processes here.",
        )
        return click.option("--workers", type=click.IntRange(1), help=text, **settings)(
            of_dask(call)
        )

    return add


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
            metavar="NAME | PATH",
            multiple=True,
            help="Library to search: an MSP file, a folder of MassBank records, the name of an "
            "added library, or gale for the spectra that come with it. By default these and all "
            "added ones. Repeatable.",
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

recipe_option = click.option(
    "--recipe",
    default="default",
    show_default=True,
    help="default, quick, published, logistic, or a TOML file.",
)

strict_option = click.option(
    "--strict", is_flag=True, help="Stop if a run cannot be read, instead of leaving it out."
)

device_option = click.option(
    "--device",
    type=click.Choice(["cpu", "cuda"]),
    help="Where to train networks; by default on a GPU if there is one.",
)
