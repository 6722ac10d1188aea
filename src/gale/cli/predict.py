"""`gale predict`: from runs and a model to a table."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import click

from gale.cli.calls import at_option, called, named_files
from gale.cli.options import (
    PATH,
    force_option,
    library_options,
    model_option,
    output_option,
    reading_options,
    split_option,
)
from gale.cli.outputs import WRITTEN, plan
from gale.cli.predictions import write_sidecar, write_table
from gale.cli.printing import echo
from gale.cli.sources import files_of, open_runs
from gale.cli.spectra import open_spectra, write_evidence_of
from gale.cli.summary import print_summary
from gale.cli.working import working

EXAMPLE = """
\b
Examples:
  gale predict run1.csv run2.cdf --model model.onnx -o predictions.csv
  gale predict campaign --split test --model model.onnx -o predictions.csv
  gale predict campaign --submission --model model.onnx -o submission.csv
  gale predict run1.csv --model model.onnx -o predictions.csv --at precision=0.9
  gale predict run1.csv --model model.onnx -o predictions.csv --evidence evidence.csv
"""


@click.command(short_help="Predict the compound families in runs.", epilog=EXAMPLE)
@click.argument("runs", type=PATH, nargs=-1, required=True)
@model_option
@output_option("CSV file to write.")
@split_option
@click.option(
    "--submission",
    is_flag=True,
    help="Write the competition's format: the runs and families of submission_format.csv.",
)
@click.option(
    "--evidence",
    "evidence_path",
    type=WRITTEN,
    help="CSV file to write with the evidence for each family: when it elutes, by which ions, and "
    "which compounds match. Models without an elution network name only ions.",
)
@at_option
@library_options
@force_option()
@reading_options
def command(
    runs: tuple[Path, ...],
    model_path: Path,
    output: Path,
    splits: tuple[str, ...],
    submission: bool,
    evidence_path: Path | None,
    at: str | None,
    libraries: tuple[str, ...],
    index_table: Path | None,
    force: bool,
    **reading: Any,
) -> None:
    """Predict the compound families in RUNS: files, or one campaign folder.

    The table has one row per run, in the order given: run, status, message, unlike (distance from
    the training runs; 1 is their own 95th percentile), one column per family, and <family>_spread,
    the standard deviation over the members of the ensemble. A run that cannot be read has the
    status "failed" and a message; the others are predicted, and the exit status is 1. One that is
    "doubtful" has numbers not to rely upon. A JSON file beside the table records how it was made.

    --at calls each run: yes, no, or blank where the family has no threshold, or the run failed or
    is doubtful; gale inspect --card shows the thresholds. --evidence writes a second table, for
    each family whose predicted probability exceeds its training prevalence: when it elutes, by
    which ions, and which compounds of a library match. Models without an elution network, such as
    those of the recipe quick, name only ions and accept no --library or --index-table.

    For a folder, every file that could be a run gets a row; other files are skipped and listed.
    """
    if submission and splits:
        raise click.UsageError("--submission selects the runs itself; leave out --split")
    if submission and at is not None:
        raise click.UsageError("--submission has no columns for calls; leave out --at")
    if (libraries or index_table) and evidence_path is None:
        raise click.UsageError("--library and --index-table need --evidence")
    import gale
    from gale.evaluation.predictions import sidecar

    plan([output], force=force)
    model = gale.Model.load(model_path)
    cutoffs = None if at is None else model.cutoffs(at)
    sources = open_runs(runs, splits, reading["columns"], model, submission=submission)
    inputs = [model_path, *files_of(sources), *map(Path, libraries), index_table, *named_files(at)]
    plan(filter(None, (output, sidecar(output), evidence_path)), filter(None, inputs), force=force)
    spectra = open_spectra(model, libraries, index_table, wanted=evidence_path is not None)
    with working(**reading) as work:
        table, checksums = model.predict_read(sources, work)
        predicted = (sources, table, checksums)
        if evidence_path is not None:
            write_evidence_of(model, *predicted, spectra, work, evidence_path, force=force)
    written, notes = called(table, cutoffs, model)
    if submission and isinstance(sources, gale.Campaign):
        written = model.submission(sources, table)
    write_table(written, output, force=force)
    write_sidecar(output, model, model_path.name, *predicted, notes, cutoffs, spectra, force=force)
    n_failed = print_summary(output, model, table, notes, submission)
    if evidence_path is not None and not model.has_elution_network:
        echo(f"{model.source} has no elution network: its evidence is features, without times")
    if n_failed:
        sys.exit(1)
