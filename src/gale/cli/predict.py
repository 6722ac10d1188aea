"""`gale predict`: from runs and a model to a table."""

from __future__ import annotations

import datetime
import hashlib
import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import click

from gale.cli.options import reading_options, workers_pool

if TYPE_CHECKING:
    import polars as pl

    import gale

EXAMPLE = """
\b
Examples:
  gale predict run1.csv run2.cdf --model model.onnx -o predictions.csv
  gale predict campaign --split test --model model.onnx -o predictions.csv
  gale predict campaign --submission --model model.onnx -o submission.csv
"""

SIGNIFICANT_DECIMALS = 6


@click.command(epilog=EXAMPLE)
@click.argument("runs", type=click.Path(path_type=Path), nargs=-1, required=True)
@click.option(
    "--model", "model_path", type=click.Path(path_type=Path), required=True, help="Model file."
)
@click.option(
    "-o", "--output", type=click.Path(path_type=Path), required=True, help="CSV file to write."
)
@click.option(
    "--split",
    "splits",
    multiple=True,
    type=click.Choice(["train", "val", "test"]),
    help="Predict only these runs of a campaign. Repeatable.",
)
@click.option(
    "--submission",
    is_flag=True,
    help="Write the competition's format: the runs of submission_format.csv and their families.",
)
@click.option("--force", is_flag=True, help="Overwrite the output.")
@reading_options
def command(
    runs: tuple[Path, ...],
    model_path: Path,
    output: Path,
    splits: tuple[str, ...],
    submission: bool,
    force: bool,
    columns: dict[str, str] | None,
    workers: int,
    no_cache: bool,
    quiet: bool,
) -> None:
    """Predict RUNS: files, or one campaign folder.

    The table has one row a run, in the order given: run, status, message, a column for each
    family, and <family>_spread, the standard deviation over the members of the ensemble. A run that
    cannot be read has status "failed" and a message; the others are predicted, and the exit status
    is 1. What made the table is written beside it as JSON.
    """
    import gale
    from gale.cli.progress import ConsoleProgress
    from gale.errors import OutputError
    from gale.features.cache import Cache, default_folder
    from gale.output import check_free, writing
    from gale.predictions import sidecar as sidecar_of

    check_free(output, force=force)
    sidecar = sidecar_of(output)
    if sidecar == output:
        raise OutputError(
            f"{output}: found the name of the JSON file that is written beside the table; "
            "expected a name that ends in .csv; choose one"
        )
    check_free(sidecar, force=force)
    model = gale.Model.load(model_path)
    sources = _open_runs(runs, splits, submission, model)
    progress = ConsoleProgress(quiet=quiet)
    progress.begin("predicting", len(sources))
    with workers_pool(workers) as executor:
        table = model.predict(
            sources,
            columns=columns,
            executor=executor,
            cache=None if no_cache else Cache(default_folder()),
            advance=progress.step,
        )
    progress.close()
    failed = table.filter(status="failed")
    with writing(output, force=force) as temporary:
        written = _submission(table, model, runs[0]) if submission else table
        written.write_csv(temporary, float_precision=SIGNIFICANT_DECIMALS)
    with writing(sidecar, force=force) as temporary:
        temporary.write_text(json.dumps(_provenance(model, model_path, table), indent=1) + "\n")
    _report(table, failed, output, model, submission)
    if len(failed):
        sys.exit(1)


def _open_runs(
    paths: tuple[Path, ...], splits: tuple[str, ...], submission: bool, model: gale.Model
) -> gale.Campaign | tuple[Path, ...]:
    """One folder is a campaign, unless it is the folder of one run; all else are files of runs."""
    import gale
    from gale.readers.vendor import folder_refusal

    one_folder = len(paths) == 1 and paths[0].is_dir() and folder_refusal(paths[0]) is None
    if not one_folder:
        if splits or submission:
            raise click.UsageError("--split and --submission need one campaign folder")
        return paths
    campaign = gale.Campaign.open(paths[0])
    if splits:
        campaign = campaign.of_split(*splits)
    if submission:
        if campaign.submission is None:
            raise click.UsageError(f"{paths[0]} has no submission_format.csv")
        if set(_submission_header(paths[0])[1:]) != set(model.families):
            raise click.UsageError(
                f"{paths[0]} asks for other families than {model.source} predicts "
                f"({', '.join(model.families)})"
            )
        place = {run: at for at, run in enumerate(campaign.runs)}
        campaign = campaign.select([place[run] for run in campaign.submission])
    return campaign


def _submission_header(campaign: Path) -> tuple[str, ...]:
    """The columns of submission_format.csv, which opening the campaign has checked."""
    from gale.errors import CampaignError
    from gale.tables import Problems, read_table

    table = read_table(campaign / "submission_format.csv", Problems(CampaignError))
    assert table is not None
    return table.columns


def _submission(table: pl.DataFrame, model: gale.Model, campaign: Path) -> pl.DataFrame:
    """The competition's columns; the training prevalence stands in for runs that failed."""
    import polars as pl

    prevalence = dict(zip(model.families, model.prevalence, strict=True))
    run, *families = _submission_header(campaign)
    return table.select(
        pl.col("run").alias(run),
        *(pl.col(name).fill_null(prevalence[name]) for name in families),
    )


def _provenance(model: gale.Model, path: Path, table: pl.DataFrame) -> dict[str, object]:
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
        "runs": len(table),
        "failed": table.filter(status="failed")["run"].to_list(),
    }


def _report(
    table: pl.DataFrame, failed: pl.DataFrame, output: Path, model: gale.Model, submission: bool
) -> None:
    for run, message in failed.select("run", "message").iter_rows():
        prefix = "" if message.startswith(run) else f"{run}: "
        click.echo(f"failed: {prefix}{message}", err=True)
    click.echo(f"{output}: {len(table) - len(failed):,} runs predicted, {len(failed):,} failed")
    if submission and len(failed):
        click.echo("the training prevalence stands in for the runs that failed")
    if not model.facts["calibrated"]:
        click.echo(
            "the numbers are scores from 0 to 1, not calibrated probabilities: trained to be read "
            "as probabilities, but not corrected on runs held out"
        )
