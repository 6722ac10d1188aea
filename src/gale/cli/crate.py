"""`gale crate`: a result described for a repository of research data."""

from __future__ import annotations

from pathlib import Path

import click

from gale.cli.options import PATH, force_option
from gale.cli.printing import echo

EXAMPLE = """
\b
Examples:
  gale crate results/predictions.csv
  gale crate results/predictions.csv --include results/evidence.csv --author "Ada Lovelace"
  gale crate results/predictions.csv --license https://creativecommons.org/licenses/by/4.0/
"""


@click.command(short_help="Describe predictions as an RO-Crate.", epilog=EXAMPLE)
@click.argument("predictions", type=PATH)
@click.option(
    "--include",
    type=PATH,
    multiple=True,
    help="Further file of the result, in the folder of PREDICTIONS or below it. Repeatable.",
)
@click.option("--name", help="Name of the result; by default after the table.")
@click.option("--license", "license_", metavar="URL", help="Address of the licence of the result.")
@click.option("--author", "authors", multiple=True, help="Name of an author. Repeatable.")
@force_option("Overwrite ro-crate-metadata.json.")
def command(
    predictions: Path,
    include: tuple[Path, ...],
    name: str | None,
    license_: str | None,
    authors: tuple[str, ...],
    force: bool,
) -> None:
    """Write ro-crate-metadata.json beside PREDICTIONS, the table that gale predict wrote.

    The file says what is in the folder and how it was made: gale in its version, the model and the
    runs with their SHA-256, taken from the JSON file beside the table. With it, the folder is an
    RO-Crate, which repositories such as Zenodo and workflow platforms understand.
    """
    import gale

    written = gale.write_crate(
        predictions, include=include, name=name, license=license_, authors=authors, force=force
    )
    echo(f"{written}: describes {predictions.name} and its folder")
