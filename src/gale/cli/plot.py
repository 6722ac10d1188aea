"""`gale plot`: a picture of a run."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from gale.cli.options import columns_option
from gale.errors import OutputError

SUFFIXES = (".png", ".svg", ".html")

EXAMPLE = """
\b
Examples:
  gale plot run.csv -o run.png
  gale plot run.csv -o run.svg --mz 57 --mz 73 --at 12.3
  gale plot run.csv -o run.html --time 10 15 --mz-range 40 200
"""


@click.command(epilog=EXAMPLE)
@click.argument("run", type=click.Path(path_type=Path))
@click.option(
    "-o",
    "--output",
    type=click.Path(path_type=Path),
    required=True,
    help="File to write, whose name ends with .png, .svg or .html.",
)
@click.option(
    "--mz",
    type=click.IntRange(1),
    multiple=True,
    help="Draw the chromatogram of the ions whose m/z rounds to this. Repeatable.",
)
@click.option("--at", "at_min", type=float, help="Draw the spectrum at this time, in minutes.")
@click.option(
    "--time",
    "time_range",
    type=(float, float),
    metavar="FROM TO",
    help="Draw from this minute to that one.",
)
@click.option(
    "--mz-range",
    type=(float, float),
    metavar="FROM TO",
    help="Draw the ion map and the spectrum from this m/z to that one.",
)
@click.option(
    "--log", is_flag=True, help="Logarithmic chromatograms: small peaks beside large ones."
)
@click.option(
    "--theme",
    type=click.Choice(["light", "dark"]),
    default="light",
    show_default=True,
    help="Colours of a PNG or SVG; a page is as the reader's screen is.",
)
@click.option("--force", is_flag=True, help="Overwrite the output.")
@columns_option
def command(
    run: Path,
    output: Path,
    theme: str,
    force: bool,
    columns: dict[str, str] | None,
    **choices: Any,
) -> None:
    """Draw RUN: chromatograms of its total ion current and base peak, and its ions as a map.

    An HTML page needs no network; it reads out times, and shows the spectrum of any scan at a
    click.
    """
    import gale
    from gale.plotting import plot_run, save_figure
    from gale.plumbing.files import check_free, check_no_input, writing
    from gale.plumbing.text import display_name
    from gale.report.picture import plot_page

    form = output.suffix.lower()
    if form not in SUFFIXES:
        raise OutputError(
            f"{output}: its name does not say what to draw; expected one that ends in "
            f"{', '.join(SUFFIXES)}"
        )
    check_free(output, force=force)
    check_no_input(output, [run])
    for name in ("time_range", "mz_range"):
        if choices[name] and not choices[name][0] < choices[name][1]:
            raise click.UsageError(f"a range goes from less to more, not {choices[name]}")
    opened = gale.read_run(run, columns=columns)
    with writing(output, force=force) as temporary:
        if form == ".html":
            temporary.write_text(plot_page(opened, **choices), "utf-8")
        else:
            save_figure(plot_run(opened, theme=theme, **choices), temporary, form[1:])
    click.echo(f"{display_name(output)}: {opened.n_scans:,} scans drawn")
