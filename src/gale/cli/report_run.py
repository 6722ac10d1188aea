"""`gale report run`: a page for each run, and an index of them."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import click

from gale.cli.models import model_option, name_of_model, open_model
from gale.cli.options import (
    PATH,
    force_option,
    library_options,
    output_option,
    reading_options,
    split_option,
)
from gale.cli.printing import echo
from gale.cli.sources import open_runs
from gale.cli.spectra import open_spectra
from gale.cli.summary import print_failed
from gale.cli.working import working
from gale.plumbing.text import counted

EXAMPLE = """
\b
Examples:
  gale report run run.cdf -o pages
  gale report run run1.csv run2.cdf --model model.onnx -o pages
  gale report run campaign --split test --model model.onnx -o pages
"""


@click.command("run", short_help="Make a page for each run, and an index.", epilog=EXAMPLE)
@click.argument("runs", type=PATH, nargs=-1, required=True)
@model_option
@output_option("Folder to make.")
@split_option
@library_options
@force_option("Replace the folder if it holds nothing but such pages.")
@reading_options
def command(
    runs: tuple[Path, ...],
    model_path: Path | None,
    output: Path,
    splits: tuple[str, ...],
    libraries: tuple[str, ...],
    index_table: Path | None,
    force: bool,
    **reading: Any,
) -> None:
    """Make a page for each of RUNS, files or one campaign folder, and an index of them.

    A page shows the probability of each family beside its training prevalence, the evidence with
    its times, the chromatogram and the ions, spectra above those of matching compounds, what is odd
    about the run, and where all this comes from. index.html has a row for each run. A run that
    cannot be read has a message there, and the exit status is 1.
    """
    import gale
    from gale.report.folder import check_pages_free

    check_pages_free(output, force=force)
    model = open_model(model_path)
    sources = open_runs(runs, splits, reading["columns"], model)
    spectra = open_spectra(model, libraries, index_table)
    with working(**reading) as work:
        table = gale.run_pages(
            model,
            sources,
            output,
            **spectra,
            provenance={"model file": f"{name_of_model(model)}, SHA-256 {model.sha256}"},
            force=force,
            work=work,
        )
    n_failed = print_failed(table)
    n_made = len(table) - n_failed
    echo(f"{output / 'index.html'}: pages of {counted(n_made, 'run')}, {n_failed:,} failed")
    if n_failed:
        sys.exit(1)
