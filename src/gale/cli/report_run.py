"""`gale report run`: a page for each run, and an index of them."""

from __future__ import annotations

from importlib.metadata import version
from pathlib import Path
from typing import Any

import click

from gale.cli.batch import Asked, batch_options
from gale.cli.compound_options import library_options
from gale.cli.kept import partial_output
from gale.cli.listings import open_listing
from gale.cli.models import model_option, name_of_model, open_model
from gale.cli.options import PATH, force_option, output_option, reading_options, split_option
from gale.cli.outputs import claim
from gale.cli.printing import echo
from gale.cli.report_pages import Pages, with_pages
from gale.cli.spectra import open_spectra
from gale.cli.tasks.predict import PredictTask
from gale.cli.tasks.report import RUNS, ReportTask
from gale.cli.working import working
from gale.plumbing.batches import Finished, chunks_of, may_replace
from gale.plumbing.places import make_place
from gale.plumbing.text import counted, display_name

EXAMPLE = """
\b
Examples:
  gale report run run.cdf -o pages
  gale report run run1.csv run2.cdf --model model.onnx -o pages
  gale report run campaign --split test --model model.onnx -o pages
"""


@click.command("run", short_help="Make a page for each run, and an index.", epilog=EXAMPLE)
@click.argument("runs", type=PATH, nargs=-1)
@model_option
@output_option("Folder to make.")
@split_option
@library_options
@force_option("Replace the folder if it holds nothing but such pages.")
@batch_options("the folder")
@reading_options
def command(
    runs: tuple[Path, ...],
    model_path: Path | None,
    output: Path,
    splits: tuple[str, ...],
    libraries: tuple[str, ...],
    index_table: Path | None,
    force: bool,
    asked: Asked,
    **reading: Any,
) -> None:
    """Make a page for each of RUNS, files or one campaign folder, and an index of them.

    A page shows the probability of each family beside its training prevalence, the evidence with
    its times, the chromatogram and the ions, spectra above those of matching compounds, what is odd
    about the run, and where all this comes from. index.html has a row for each run. A run that
    cannot be read has a message there, and the exit status is 1.
    """
    from gale.report.folder import INDEX, check_pages_free, writing_pages

    replaces = force or may_replace(output, resume=asked.resume)
    check_pages_free(output, force=replaces)
    model = open_model(model_path)
    given = reading["columns"]
    listing = open_listing(runs, splits, given, model, asked=asked)
    spectra = open_spectra(model, libraries, index_table)
    columns = given or listing.columns or model.remembered_columns
    claim(output)
    with working(**reading) as work:
        predict = PredictTask(
            model_path, model.sha256, columns, work.cache, False, libraries, index_table
        )
        predict.remember(model, spectra)
        how = (predict.made_with(spectra, compares=True), "report", asked)
        with partial_output(output, *how, force=force) as partial:
            provenance = {
                "made by": f"gale {version('gale-ms')} on {partial.begun}",
                "model file": f"{name_of_model(model)}, SHA-256 {model.sha256}",
            }
            make_place(partial.made)
            task = ReportTask(predict, partial.made, provenance)
            work.progress.begin("making pages", len(listing))
            chunks = chunks_of(with_pages(listing), RUNS)
            finished = Finished.of(chunks, task, partial, work, task.are_there)
            pages = Pages(model, listing, finished, task)
            with writing_pages(output, force=replaces) as folder:
                counts = pages.put_into(folder)
            pages.print_failed()
    index, n_made = display_name(output / INDEX), counts.n_runs - counts.n_failed
    echo(f"{index}: pages of {counted(n_made, 'run')}, {counts.n_failed:,} failed")
    asked.end(counts.n_failed, len(listing))
