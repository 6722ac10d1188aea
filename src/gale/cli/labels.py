"""`gale labels`: a label table to fill in."""

from __future__ import annotations

from pathlib import Path

import click

from gale.cli.options import PATH, columns_option, force_option
from gale.cli.outputs import ADDRESS_TOO, plan
from gale.cli.printing import echo, formulas_note
from gale.plumbing.text import counted, is_formula

EXAMPLE = """
\b
Examples:
  gale labels runs
  gale labels runs -o labels.csv --family alcohol --family mineral
"""


@click.command(short_help="Write a label table to fill in.", epilog=EXAMPLE)
@click.argument("folder", type=PATH)
@click.option(
    "-o",
    "--output",
    type=PATH,
    help="File to write; by default, labels.csv in FOLDER, where `gale train` finds it. "
    f"{ADDRESS_TOO}",
)
@click.option(
    "--family",
    "families",
    multiple=True,
    metavar="NAME",
    help="A family to have a column for; by default, the nine that gale simulates. Repeatable.",
)
@force_option()
@columns_option
def command(
    folder: Path,
    output: Path | None,
    families: tuple[str, ...],
    force: bool,
    columns: dict[str, str] | None,
) -> None:
    """Write a table with a row for each run in FOLDER, for you to say what the runs contain.

    Fill in 1 where a run contains the family, 0 where it does not, and leave the cell blank where
    you do not know: blank never counts as 0. A column called group may say which runs have more in
    common than what they contain, such as the sample or the day.
    """
    import gale
    from gale.plumbing.files import write_csv, writing
    from gale.plumbing.text import display_name

    campaign = gale.Campaign.open(folder, columns=columns, with_labels=False)
    table = campaign.label_template(families or list(gale.default_family_table()))
    target = output or folder / "labels.csv"
    plan([target], campaign.paths, force=force)
    with writing(target, force=force) as temporary:
        write_csv(table, temporary)
    of_families = counted(table.width - 1, "family", "families")
    echo(f"{display_name(target)}: {counted(len(table), 'run')}, {of_families}, to fill in")
    if formulas := [name for name in (*table["run"], *table.columns) if is_formula(name)]:
        echo(formulas_note(formulas, len(formulas)))
