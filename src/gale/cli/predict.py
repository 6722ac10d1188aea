"""`gale predict`: from runs and a model to an answer in the terminal, or to a table."""

from __future__ import annotations

from itertools import chain
from pathlib import Path
from typing import Any

import click

from gale.cli.answers import print_answers
from gale.cli.asked import answer_options, check_asked, evidence_option, planned_files, table_option
from gale.cli.batch import Asked, batch_options
from gale.cli.calls import at_option, named_files
from gale.cli.compound_options import library_options
from gale.cli.kept import partial_output, replacing
from gale.cli.listings import open_listing
from gale.cli.models import files_of_model, model_option, open_model
from gale.cli.options import PATH, force_option, reading_options, split_option
from gale.cli.outputs import plan_tables
from gale.cli.predictions import Files
from gale.cli.result import Result
from gale.cli.spectra import open_spectra
from gale.cli.tasks.predict import PredictTask
from gale.cli.working import working
from gale.plumbing.batches import Finished, chunks_of

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
  gale predict --files-from runs.txt --shard 3/50 --resume --allow-failed -o predictions3.csv
"""


@click.command(short_help="Predict the compound families in runs.", epilog=EXAMPLE)
@click.argument("runs", type=PATH, nargs=-1)
@model_option
@table_option
@split_option
@answer_options
@evidence_option
@at_option
@library_options
@force_option()
@batch_options("the table")
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
    asked: Asked,
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
    Finished runs are kept in OUTPUT.partial until the output is whole; after an interruption, the
    same command with --resume continues. -o out/, with a slash, makes a folder of Parquet files.
    """
    searched = evidence_path is None and bool(libraries or index_table)
    check_asked(output, splits, submission, as_json, at, searched=searched)
    tables, others = planned_files(output, evidence_path)
    outputs = [*tables, *others]
    force = replacing(output, outputs, asked, force=force)
    plan_tables(tables[:1], [], force=force)
    model = open_model(model_path)
    cutoffs = None if at is None else model.cutoffs(at)
    given = reading["columns"]
    listing = open_listing(runs, splits, given, model, asked=asked, submission=submission)
    read = [*files_of_model(model_path), *named_files(at), *asked.files_read]
    read += filter(None, [*map(Path, libraries), index_table])
    plan_tables(tables, others, chain(read, listing.files), force=force)
    compared = (evidence_path is not None, libraries, index_table)
    spectra = open_spectra(model, *compared[1:], wanted=output is None or compared[0])
    columns = given or listing.columns or model.remembered_columns
    with working(**reading) as work:
        task = PredictTask(model_path, model.sha256, columns, work.cache, *compared)
        task.remember(model, spectra)
        how = (task.made_with(spectra), "prediction", asked)
        with partial_output(output, *how, force=force, outputs=outputs) as partial:
            work.progress.begin("predicting", len(listing))
            finished = Finished.of(chunks_of(listing, task.runs), task, partial, work)
            result = Result(model, listing, finished, cutoffs, spectra)
            if output is not None:
                n_failed = Files(result, submission, force).write(output, evidence_path)
            else:
                n_failed = print_answers(result, columns, as_json=as_json)
    asked.end(n_failed, len(listing))
