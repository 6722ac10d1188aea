"""`gale library`: spectral libraries that gale uses without being told each time."""

from __future__ import annotations

import warnings
from pathlib import Path

import click

from gale.cli.options import PATH, force_option
from gale.cli.printing import echo
from gale.plumbing.text import counted

EXAMPLE_ADD = """
\b
Examples:
  gale library add pyrolysis products.msp
  gale library add massbank MassBank-data --force
"""
EXAMPLE_LIST = """
\b
Examples:
  gale library list
  gale library list > libraries.txt
"""
EXAMPLE_REMOVE = """
\b
Example:
  gale library remove pyrolysis
"""

COLUMNS = ("name", "spectra", "with index", "with families", "from")


@click.group(short_help="Add, list and remove libraries of spectra.")
def command() -> None:
    """Add, list and remove spectral libraries that gale is to use without being told each time.

    Evidence, gale simulate and pre-training use what comes with gale and all added libraries,
    unless --library names others: --library gale leaves the added ones out.
    """


@command.command("add", short_help="Convert a library once and keep it.", epilog=EXAMPLE_ADD)
@click.argument("name")
@click.argument("source", type=PATH)
@force_option("Replace the library of this name.")
def add(name: str, source: Path, force: bool) -> None:
    """Convert SOURCE, a library of spectra, and keep it as NAME.

    SOURCE is an MSP file, an AMDIS library (.MSL) or its components (.ELU, .FIN), JCAMP-DX, or a
    file or folder of MassBank records.

    NAME has lower-case letters, digits, - and _. Families that the records do not state are found
    out from their structures, which needs an extra: pip install 'gale-ms[chem]'. The file goes into
    the user's data folder, or into the folder that the environment variable GALE_LIBRARIES names.
    Compounds whose spectrum, retention index or families are different elsewhere are named.
    """
    import gale

    with warnings.catch_warnings(record=True, action="always", category=gale.GaleWarning) as notes:
        added = gale.add_library(name, source, force=force)
    for note in notes:
        echo(f"note: {note.message}", err=True)
    echo(
        f"{added.name}: {counted(added.spectra, 'spectrum', 'spectra')}, {added.with_index:,} with "
        f"retention index, {added.with_families:,} with known families"
    )


@command.command("list", short_help="List what was added.", epilog=EXAMPLE_LIST)
def show() -> None:
    """List the libraries that were added."""
    import gale
    from gale.library.installed import library_folder

    added = gale.installed_libraries()
    if not added:
        echo(f"no library was added to {library_folder()}; add one with: gale library add")
        return
    rows = [
        (each.name, *(f"{n:,}" for n in (each.spectra, each.with_index, each.with_families)),
         each.source)
        for each in added
    ]  # fmt: skip
    widths = [max(len(row[at]) for row in (COLUMNS, *rows)) for at in range(len(COLUMNS))]
    for row in (COLUMNS, *rows):
        cells = (cell.ljust(width) for cell, width in zip(row, widths, strict=True))
        echo("  ".join(cells).rstrip())


@command.command("remove", short_help="Remove a library.", epilog=EXAMPLE_REMOVE)
@click.argument("name")
def remove(name: str) -> None:
    """Remove the library NAME; the file that it was converted from stays."""
    import gale

    gale.remove_library(name)
    echo(f"{name}: removed")
