"""The files that `gale peaks` writes, as options."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

import click

from gale.cli.outputs import WRITTEN

Function = TypeVar("Function", bound=Callable[..., Any])

OUTPUTS = {
    "table": (
        ("-o", "--output"),
        "Table to write, one row per peak: .csv, .parquet or .xlsx. Without any output, the "
        "largest peaks are printed.",
    ),
    "msp": (
        ("--msp",),
        "MSP file to write with the spectrum of each peak, for NIST MS Search, MS-DIAL or gale.",
    ),
    "mztab": (
        ("--mztab",),
        "mzTab-M file to write with peaks, matches and families, of one run.",
    ),
    "matches": (
        ("--matches",),
        "Second table to write, one row per match of each peak: .csv, .parquet or .xlsx.",
    ),
}
"""By the name of the parameter: the option and its help."""


def peak_outputs(function: Function) -> Function:
    """Add an option for each file that can be written."""
    for name, (words, text) in reversed(OUTPUTS.items()):
        function = click.option(*words, name, type=WRITTEN, help=text)(function)
    return function
