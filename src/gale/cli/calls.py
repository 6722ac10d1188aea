"""Calls: what `--at` asks for."""

from __future__ import annotations

from pathlib import Path

import click

at_option = click.option(
    "--at",
    metavar="AIM|FILE",
    help="Add a column <family>_call for each family: yes, no or blank. AIM is precision=0.9, "
    "recall=0.9 (or other numbers up to 1) or f1; FILE is a TOML file with a threshold or aim for "
    "each family, such as alcohol = 0.4.",
)


def named_files(at: str | None) -> list[Path]:
    """Name the file of thresholds, if it is one that is asked for."""
    return [Path(at)] if at is not None and at.endswith(".toml") else []
