"""The options of `gale simulate`."""

from __future__ import annotations

import functools
import os
from collections.abc import Callable
from typing import Any

import click

from gale.cli.completion import LIBRARY_NAMES
from gale.cli.options import PATH, Function, output_option, quiet_option, seed_option
from gale.cli.spectra import SIMULATED_LIBRARY
from gale.cli.workers import workers_options

SPLIT = click.Choice(["train", "val", "test"])
DESIGN = click.option(
    "--design",
    type=click.Choice(["mars", "different"]),
    default="mars",
    show_default=True,
    help="mars: samples measured again, splits that differ; different: all samples differ.",
)


def _parse_runs(
    _context: click.Context, _parameter: click.Parameter, value: str
) -> int | dict[str, int]:
    try:
        numbers = [int(each) for each in value.split(",")]
    except ValueError:
        numbers = []
    if len(numbers) == 1:
        return numbers[0]
    if len(numbers) == 3:
        return dict(zip(("train", "val", "test"), numbers, strict=True))
    raise click.BadParameter(f"{value!r} is not a number, or three like 809,312,463")


def _parse_prevalence(
    _context: click.Context, _parameter: click.Parameter, values: tuple[str, ...]
) -> dict[str, float]:
    prevalence = {}
    for value in values:
        family, _, share = value.partition("=")
        try:
            prevalence[family] = float(share)
        except ValueError:
            raise click.BadParameter(f"{value!r} is not FAMILY=SHARE") from None
    return prevalence


def _number(name: str, text: str, default: int | None = None) -> Any:
    return click.option(
        name, type=click.IntRange(1), default=default, show_default=default is not None, help=text
    )


def _several(name: str, text: str, **more: Any) -> Any:
    return click.option(name, multiple=True, help=f"{text} Repeatable.", **more)


def simulation_options(function: Function) -> Callable[..., Any]:
    """Add the options."""
    options = (
        output_option("Folder to make; it appears when it is complete."),
        DESIGN,
        _several("--library", SIMULATED_LIBRARY, **LIBRARY_NAMES),
        click.option(
            "--families", type=PATH, help="Table of families (TOML) instead of gale's nine."
        ),
        _several(
            "--prevalence",
            "Share of the training runs that hold a family; by default the published one, or 0.1.",
            metavar="FAMILY=SHARE",
            callback=_parse_prevalence,
        ),
        click.option(
            "--runs",
            default="1584",
            show_default=True,
            metavar="N | TRAIN,VAL,TEST",
            callback=_parse_runs,
            help="Number of runs, split 809:312:463, or one number for each split.",
        ),
        _number(
            "--ions",
            "Approximate ions per run; sets each instrument's detection threshold.",
            80_000,
        ),
        _number("--compounds", "Use only this many of the library's compounds."),
        click.option(
            "--instruments",
            type=click.IntRange(1),
            show_default="one for 66 runs, 3 to 24",
            help="Instruments that the splits share; mars adds others.",
        ),
        _several("--new-instrument", "Measure this split on an instrument of its own.", type=SPLIT),
        _several("--new-compounds", "Use compounds in this split that no other has.", type=SPLIT),
        click.option(
            "--label-noise",
            type=click.FloatRange(0, 1, max_open=True),
            default=0.0,
            show_default=True,
            help="Share of the labels of train and val to move to runs without the family.",
        ),
        click.option("--physics", type=PATH, help="TOML file with other physical parameters."),
        _several("--without", "Switch an effect off.", metavar="EFFECT"),
        seed_option("The same seed gives the same files on the same machine."),
        workers_options(
            "Processes that simulate runs.",
            default=os.cpu_count() or 1,
            show_default="one per core",
        ),
        quiet_option,
    )
    return functools.reduce(lambda added, option: option(added), reversed(options), function)
