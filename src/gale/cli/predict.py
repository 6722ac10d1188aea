"""`gale predict`: from runs and a model to a table."""

from __future__ import annotations

import datetime
import hashlib
import json
import sys
from itertools import compress
from pathlib import Path
from typing import TYPE_CHECKING

import click

from gale.cli.options import library_options, model_option, reading_options, split_option
from gale.cli.sources import open_runs, predict_all, tell_failed

if TYPE_CHECKING:
    import polars as pl

    import gale

EXAMPLE = """
\b
Examples:
  gale predict run1.csv run2.cdf --model model.onnx -o predictions.csv
  gale predict campaign --split test --model model.onnx -o predictions.csv
  gale predict campaign --submission --model model.onnx -o submission.csv
  gale predict run1.csv --model model.onnx -o predictions.csv --evidence evidence.csv
"""


@click.command(epilog=EXAMPLE)
@click.argument("runs", type=click.Path(path_type=Path), nargs=-1, required=True)
@model_option
@click.option(
    "-o", "--output", type=click.Path(path_type=Path), required=True, help="CSV file to write."
)
@split_option
@click.option(
    "--submission",
    is_flag=True,
    help="Write the competition's format: the runs of submission_format.csv and their families.",
)
@click.option(
    "--evidence",
    "evidence_path",
    type=click.Path(path_type=Path),
    help="CSV file to write: when, and by which ions and compounds, each family shows; of models "
    "without an elution network, by which ions.",
)
@library_options
@click.option("--force", is_flag=True, help="Overwrite the output.")
@reading_options
def command(
    runs: tuple[Path, ...],
    model_path: Path,
    output: Path,
    splits: tuple[str, ...],
    submission: bool,
    evidence_path: Path | None,
    libraries: tuple[Path, ...],
    index_table: Path | None,
    force: bool,
    columns: dict[str, str] | None,
    workers: int,
    no_cache: bool,
    quiet: bool,
) -> None:
    """Predict RUNS: files, or one campaign folder.

    The table has one row a run, in the order given: run, status, message, unlike (how unlike the
    training runs it is: 1 as one in twenty of them), a column for each family, and <family>_spread,
    the standard deviation over the members of the ensemble. A run that cannot be read has status
    "failed" and a message; the others are predicted, and the exit status is 1. What made the table
    is written beside it as JSON.

    With --evidence, another table says for each family that is more probable than it was frequent
    in training when it shows in the run, by which ions, and which compounds of a library are like
    the spectrum there. Models without an elution network, as of the recipe quick, say by which ions
    alone; --library and --index-table are not for them.

    Of a folder, every file that may be meant as a run has a row; what is clearly none, such as a
    table of labels or a text, is left out and named.
    """
    if submission and splits:
        raise click.UsageError("--submission names the runs itself; leave --split away")
    if (libraries or index_table) and evidence_path is None:
        raise click.UsageError("--library and --index-table are for --evidence")

    import gale
    from gale.cli.evidence import Evidence
    from gale.cli.progress import ConsoleProgress
    from gale.evaluation.predictions import sidecar as sidecar_of
    from gale.inspection.batch import batch_notes
    from gale.plumbing.files import check_free, check_no_input, writing

    sidecar = sidecar_of(output)
    outputs = [output, sidecar] if evidence_path is None else [output, sidecar, evidence_path]
    for path in outputs:
        check_free(path, force=force)
    model = gale.Model.load(model_path)
    sources = open_runs(runs, splits, submission, columns, model)
    files = sources.paths if isinstance(sources, gale.Campaign) else sources
    for path in outputs:
        check_no_input(path, (model_path, *files))
    evidence = None
    if evidence_path is not None:
        evidence = Evidence.prepare(evidence_path, model, libraries, index_table)
    progress = ConsoleProgress(quiet=quiet)
    table = predict_all(model, sources, progress, columns, workers, no_cache)
    if evidence is not None:
        ok = (table["status"] == "ok").to_list()
        found = list(compress(zip(table["run"], files, strict=True), ok))
        evidence.write(found, columns or model.facts["columns"], force, progress)
    progress.close()
    failed = table.filter(status="failed")
    written = table
    if submission and isinstance(sources, gale.Campaign):
        written = model.submission(sources, table)
    with writing(output, force=force) as temporary:
        _write(written, temporary)
    notes = batch_notes(table, model.prevalence)
    with writing(sidecar, force=force) as temporary:
        provenance = _provenance(model, model_path, table, notes)
        temporary.write_text(json.dumps(provenance, indent=1) + "\n")
    _report(table, failed, output, model, submission, notes)
    if evidence is not None and evidence.note:
        click.echo(evidence.note)
    if len(failed):
        sys.exit(1)


def _write(table: pl.DataFrame, path: Path) -> None:
    """Write the shortest numbers that read back as what the model computed, which is Float32."""
    import polars as pl

    path.write_bytes(table.cast({pl.Float64: pl.Float32}).write_csv().encode())


def _provenance(
    model: gale.Model, path: Path, table: pl.DataFrame, notes: list[str]
) -> dict[str, object]:
    from importlib.metadata import version

    return {
        "gale_version": version("gale-ms"),
        "created": datetime.datetime.now(datetime.UTC).isoformat(timespec="seconds"),
        "model": path.name,
        "model_sha256": hashlib.sha256(path.read_bytes()).hexdigest(),
        "recipe": model.facts["recipe"]["name"],
        "families": list(model.families),
        "prevalence": model.facts["prevalence"],
        "calibrated": model.facts["calibrated"],
        "notes": notes,
        "runs": len(table),
        "failed": table.filter(status="failed")["run"].to_list(),
    }


def _report(
    table: pl.DataFrame,
    failed: pl.DataFrame,
    output: Path,
    model: gale.Model,
    submission: bool,
    notes: list[str],
) -> None:
    import polars as pl

    from gale.plumbing.text import display_name

    tell_failed(failed)
    n_predicted = len(table) - len(failed)
    click.echo(f"{display_name(output)}: {n_predicted:,} runs predicted, {len(failed):,} failed")
    if n_odd := len(table.filter(pl.col("message").is_not_null(), status="ok")):
        click.echo(f"{n_odd:,} runs are odd: what is odd about them is in the column message")
    for note in notes:
        click.echo(note)
    if submission and len(failed):
        click.echo("the training prevalence stands in for the runs that failed")
    if not model.facts["calibrated"]:
        click.echo(
            "the numbers are scores from 0 to 1, not calibrated probabilities: trained to be read "
            "as probabilities, but not corrected on runs held out"
        )
