"""`gale predict`: from runs and a model to an answer in the terminal, or to a table."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import click

from gale.cli.answers import print_answers
from gale.cli.asked import check_asked, planned_files, table_option
from gale.cli.calls import at_option, named_files
from gale.cli.models import files_of_model, model_option, open_model
from gale.cli.options import (
    PATH,
    force_option,
    library_options,
    reading_options,
    split_option,
)
from gale.cli.outputs import TABLE, plan
from gale.cli.predictions import write_predictions
from gale.cli.sources import files_of, open_runs
from gale.cli.spectra import open_spectra, write_evidence_of
from gale.cli.working import working

EXAMPLE = """
\b
Examples:
  gale predict run.cdf
  gale predict run1.csv run2.cdf --model model.onnx -o predictions.csv
  gale predict runs/*.cdf --json > answers.jsonl
  gale predict campaign --split test --model model.onnx -o predictions.xlsx
  gale predict campaign --submission --model model.onnx -o submission.csv
  gale predict run1.csv --model model.onnx -o predictions.csv --at precision=0.9
  gale predict run1.csv --model model.onnx -o predictions.csv --evidence evidence.csv
"""


@click.command(short_help="Predict the compound families in runs.", epilog=EXAMPLE)
@click.argument("runs", type=PATH, nargs=-1, required=True)
@model_option
@table_option
@split_option
@click.option(
    "--submission",
    is_flag=True,
    help="Write the competition's format: the runs and families of submission_format.csv.",
)
@click.option("--json", "as_json", is_flag=True, help="Print one line of JSON for each run.")
@click.option(
    "--evidence",
    "evidence_path",
    type=TABLE,
    help="Table to write with the evidence for each family: when it elutes, by which ions, and "
    "which compounds match. Models without an elution network name only ions.",
)
@at_option
@library_options
@force_option()
@reading_options
def command(
    runs: tuple[Path, ...],
    model_path: Path | None,
    output: Path | None,
    splits: tuple[str, ...],
    submission: bool,
    as_json: bool,
    evidence_path: Path | None,
    at: str | None,
    libraries: tuple[str, ...],
    index_table: Path | None,
    force: bool,
    **reading: Any,
) -> None:
    """Predict the compound families in RUNS: files, or one campaign folder.

    Without -o, each run has a table in the terminal: the probability of each family beside its
    training prevalence, the call, when it elutes, by which ions, and the most similar compound;
    then the largest peaks. If the run is unlike the training runs, the first line says so.

    With -o, the table has one row per run, in the order given: run, status, message, unlike
    (distance from the training runs; 1 is their own 95th percentile), one column per family, and
    <family>_spread, the standard deviation over the members of the ensemble. A run that cannot be
    read has the status "failed" and a message; the others are predicted, and the exit status is 1.
    One that is "doubtful" has numbers not to rely upon. A JSON file beside it says how it was made.

    --at calls each run: yes, no, or blank where the family has no threshold, or the run failed or
    is doubtful; gale inspect --card shows the thresholds. --evidence writes a second table, for
    each family whose predicted probability exceeds its training prevalence. Models without an
    elution network, such as those of the recipe quick, accept no --library or --index-table.

    For a folder, every file that could be a run gets a row; other files are skipped and listed.
    """
    check_asked(output, splits, submission, as_json, at)
    if output is not None and (libraries or index_table) and evidence_path is None:
        raise click.UsageError("--library and --index-table need --evidence")
    plan(planned_files(output)[:1], force=force)
    model = open_model(model_path)
    cutoffs = None if at is None else model.cutoffs(at)
    sources = open_runs(runs, splits, reading["columns"], model, submission=submission)
    read = [*files_of_model(model_path), *files_of(sources), *named_files(at)]
    read += filter(None, [*map(Path, libraries), index_table])
    plan(planned_files(output, evidence_path), read, force=force)
    wanted = output is None or evidence_path is not None
    spectra = open_spectra(model, libraries, index_table, wanted=wanted)
    with working(**reading) as work:
        predicted = (sources, *model.predict_read(sources, work))
        if evidence_path is not None:
            write_evidence_of(model, *predicted, spectra, work, evidence_path, force=force)
        if output is None:
            n_failed = print_answers(model, *predicted, spectra, work, cutoffs, as_json=as_json)
        else:
            n_failed = write_predictions(
                output, model, *predicted, cutoffs, spectra, submission=submission, force=force
            )
    if n_failed:
        sys.exit(1)
