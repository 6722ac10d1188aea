"""`gale convert`: from files of any format to an open one."""

from __future__ import annotations

from pathlib import Path

import click

from gale.cli.batch import Asked, batch_options
from gale.cli.kept import partial_output
from gale.cli.listings import open_listing
from gale.cli.options import (
    PATH,
    columns_option,
    force_option,
    output_option,
    quiet_option,
)
from gale.cli.outputs import claim
from gale.cli.printing import echo
from gale.cli.workers import workers_options
from gale.cli.working import working
from gale.plumbing.reading import is_folder
from gale.plumbing.text import counted, display_name

EXAMPLE = """
\b
Examples:
  gale convert run.cdf -o run.mzML
  gale convert run.mzML -o run.cdf
  gale convert runs/*.cdf -o converted --to parquet
"""


@click.command(short_help="Write runs in an open format.", epilog=EXAMPLE)
@click.argument("runs", type=PATH, nargs=-1)
@output_option("File to write, or a folder, which is made if it does not exist.")
@click.option(
    "--to",
    "format_",
    type=click.Choice(["andi", "csv", "mzml", "parquet"]),
    help="Format to write; by default, the one that the name of the file ends with.",
)
@click.option(
    "--centroid",
    is_flag=True,
    help="Centroid profile spectra (one ion per peak), which are otherwise refused.",
)
@force_option("Overwrite files that exist.")
@batch_options("a conversion")
@columns_option
@workers_options()
@quiet_option
def command(
    runs: tuple[Path, ...],
    output: Path,
    format_: str | None,
    centroid: bool,
    force: bool,
    asked: Asked,
    columns: dict[str, str] | None,
    workers: int | str,
    quiet: bool,
) -> None:
    """Write RUNS in an open format, to look at them in other software as gale reads them.

    RUNS are files, or one folder of them. Reading a written file gives exactly the same scans and
    ions as the original (in ANDI, .cdf, times are in seconds and so rounded). mzML is indexed. In a
    folder, every run keeps its name. A run that cannot be read does not stop the others; it is
    named on standard error, and the exit status is 1.
    """
    from gale.cli.convert_targets import check_targets, targets_of, with_targets
    from gale.cli.tasks.convert import ConvertTask, is_written
    from gale.plumbing.batches import Finished, Partial, chunks_of
    from gale.plumbing.places import make_place

    listing = open_listing(runs, (), columns, asked=asked)
    format_, target_of = targets_of(listing, output, format_)
    if into_folder := is_folder(output) or target_of("") != output:
        make_place(output)
    kept = Partial(main := asked.of_shard(output), {}, "conversion")
    if not (force or asked.resume):
        kept.check_nothing_kept()
    force = force or (asked.resume and kept.is_begun)  # it has written some of them
    check_targets(listing, target_of, force=force)
    claim(output / f"{main.name}.runs" if into_folder else output)
    task = ConvertTask(columns, centroid, format_, force)
    how, last = (task.made_with(), "conversion", asked), () if into_folder else (output,)
    with (
        partial_output(main, *how, force=force, outputs=last) as partial,
        working(columns, workers, no_cache=True, quiet=quiet) as work,
    ):
        work.progress.begin("converting", len(listing))
        chunks = chunks_of(with_targets(listing, target_of))
        finished = Finished.of(chunks, task, partial, work, is_written)
        failed = [each for facts in finished.facts() for each in facts["failed"]]
    echo("".join(f"failed: {each}\n" for each in failed), nl=False, err=True)
    done = counted(len(listing) - len(failed), "run")
    echo(f"{display_name(output)}: {done} converted, {len(failed):,} failed")
    asked.end(len(failed), len(listing))
