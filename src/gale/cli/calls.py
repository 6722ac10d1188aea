"""Calls: what `--at` asks for."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    import polars as pl

    import gale
    from gale.model.cutoffs import Cutoffs

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


def called(
    table: pl.DataFrame, cutoffs: Cutoffs | None, model: gale.Model
) -> tuple[pl.DataFrame, list[str]]:
    """Add the columns of calls if there are cut-offs, and note what is odd about the table."""
    from gale.inspection.batch import batch_notes

    notes = [*filter(None, [model.caution]), *batch_notes(table, model.prevalence, model.numbers)]
    if cutoffs is None:
        return table, notes
    return cutoffs.call(table), [*notes, *cutoffs.notes()]
