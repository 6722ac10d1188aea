"""The files that `gale peaks` writes, as options."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

import click

from gale.cli.outputs import ADDRESS_TOO, TABLE_FILE, WRITTEN

Function = TypeVar("Function", bound=Callable[..., Any])

OUTPUTS = {
    "table": (
        ("-o", "--output"),
        TABLE_FILE,
        "Table to write, one row per peak: .csv, .parquet or .xlsx, or a folder/ of Parquet files. "
        f"{ADDRESS_TOO} Without any output, the largest peaks are printed.",
    ),
    "msp": (
        ("--msp",),
        WRITTEN,
        "MSP file to write with the spectrum of each peak, for NIST MS Search, MS-DIAL or gale.",
    ),
    "mztab": (
        ("--mztab",),
        WRITTEN,
        "mzTab-M file to write with peaks, matches and families, of one run.",
    ),
    "matches": (
        ("--matches",),
        TABLE_FILE,
        "Second table to write, one row per match of each peak: .csv, .parquet or .xlsx.",
    ),
}
"""By the name of the parameter: the option, its type and its help."""


def peak_outputs(function: Function) -> Function:
    """Add an option for each file that can be written."""
    for name, (words, kind, text) in reversed(OUTPUTS.items()):
        function = click.option(*words, name, type=kind, help=text)(function)
    return function
