"""`gale plot`: a picture of a run."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from gale.cli.compound_options import library_options
from gale.cli.options import PATH, columns_option, force_option, output_option
from gale.cli.outputs import plan
from gale.cli.printing import echo
from gale.errors import OutputError
from gale.plumbing.text import counted

SUFFIXES = (".png", ".svg", ".html")

EXAMPLE = """
\b
Examples:
  gale plot run.csv -o run.png
  gale plot run.csv -o run.svg --mz 57 --mz 73 --at 12.3
  gale plot run.csv -o run.html --time 10 15 --mz-range 40 200
"""


@click.command(short_help="Draw a run.", epilog=EXAMPLE)
@click.argument("run", type=PATH)
@output_option("File to write; its name ends in .png, .svg or .html.")
@click.option(
    "--mz",
    type=click.IntRange(1),
    multiple=True,
    help="Add the extracted ion chromatogram of the ions whose m/z rounds to this. Repeatable.",
)
@click.option("--at", "at_min", type=float, help="Add the spectrum at this time, in minutes.")
@click.option(
    "--time", "time_range", type=(float, float), metavar="FROM TO", help="Draw only these minutes."
)
@click.option(
    "--mz-range",
    type=(float, float),
    metavar="FROM TO",
    help="Draw only these m/z in the ion map and the spectrum.",
)
@click.option("--log", is_flag=True, help="Use logarithmic chromatograms, which show small peaks.")
@click.option(
    "--theme",
    type=click.Choice(["light", "dark"]),
    default="light",
    show_default=True,
    help="Colours of a PNG or SVG; an HTML page follows the reader's screen.",
)
@click.option(
    "--names/--no-names",
    default=True,
    show_default=True,
    help="Write above the largest peaks what they are like, as gale peaks says it.",
)
@library_options
@force_option()
@columns_option
def command(
    run: Path,
    output: Path,
    theme: str,
    names: bool,
    libraries: tuple[str, ...],
    index_table: Path | None,
    force: bool,
    columns: dict[str, str] | None,
    **choices: Any,
) -> None:
    """Draw RUN: its total ion current with names of peaks, base peak chromatogram and ion map.

    A peak has the name of the most similar compound; its time, if none is similar enough.

    An HTML page works offline. It shows the time under the pointer, and the spectrum of a scan that
    you click.
    """
    import gale
    from gale.plotting import plot_run, save_figure
    from gale.plumbing.files import writing
    from gale.plumbing.text import display_name
    from gale.report.picture import plot_page

    form = output.suffix.lower()
    if form not in SUFFIXES:
        endings = f"one of {', '.join(SUFFIXES)}"
        raise OutputError(
            output, "has no ending of a picture format", endings, "choose another name"
        )
    if not names and (libraries or index_table):
        raise click.UsageError("--library and --index-table are for names; leave out --no-names")
    plan([output], [run, *map(Path, libraries), *filter(None, [index_table])], force=force)
    for name in ("time_range", "mz_range"):
        if choices[name] and not choices[name][0] < choices[name][1]:
            low, high = choices[name]
            raise click.UsageError(f"a range goes from less to more, not from {low:g} to {high:g}")
    opened = gale.read_run(run, columns=columns)
    if names:
        from gale.cli.peaks_of_runs import open_index, open_matcher
        from gale.peaks.largest import LABELS, find_largest, labels_of

        index = open_index(index_table, None, None, None)
        largest = find_largest(opened, open_matcher(libraries), index, number=LABELS)
        choices["labels"] = labels_of(largest)
    with writing(output, force=force) as temporary:
        if form == ".html":
            temporary.write_text(plot_page(opened, **choices), "utf-8")
        else:
            save_figure(plot_run(opened, theme=theme, **choices), temporary, form[1:])
    echo(f"{display_name(output)}: {counted(opened.n_scans, 'scan')} drawn")
