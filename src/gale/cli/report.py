"""`gale report`: pages that people look at."""

from __future__ import annotations

import datetime
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from gale.cli.options import library_options, model_option, reading_options, split_option
from gale.cli.sources import open_runs, predict_all, tell_failed
from gale.workers import workers_pool

if TYPE_CHECKING:
    import polars as pl

    import gale
    from gale.cli.progress import ConsoleProgress
    from gale.evidence import IndexTable, Matcher

EXAMPLE = """
\b
Examples:
  gale report run run1.csv run2.cdf --model model.onnx -o pages
  gale report run campaign --split test --model model.onnx -o pages
"""

TRAINING_EXAMPLE = """
\b
Example:
  gale report training campaign --model model.onnx
"""


@click.group()
def command() -> None:
    """Make pages to look at in a browser; they need no network."""


@command.command("run", epilog=EXAMPLE)
@click.argument("runs", type=click.Path(path_type=Path), nargs=-1, required=True)
@model_option
@click.option(
    "-o", "--output", type=click.Path(path_type=Path), required=True, help="Folder to make."
)
@split_option
@library_options
@click.option("--force", is_flag=True, help="Replace the folder, if it is one of pages.")
@reading_options
def run_command(
    runs: tuple[Path, ...],
    model_path: Path,
    output: Path,
    splits: tuple[str, ...],
    libraries: tuple[Path, ...],
    index_table: Path | None,
    force: bool,
    columns: dict[str, str] | None,
    workers: int,
    no_cache: bool,
    quiet: bool,
) -> None:
    """Make a page for each of RUNS, files or one campaign folder, and an index of them.

    A page has the probability of each family beside its share of the training runs, what in the run
    says so and when, the chromatogram and the ions, spectra beside those of compounds that are like
    them, what is odd about the run, and where all that is from. index.html has a row for each run;
    one that cannot be read has a message there, and the exit status is 1.
    """
    import gale
    from gale.cli.evidence import open_index, open_matcher
    from gale.cli.progress import ConsoleProgress
    from gale.evidence import check_spectra
    from gale.output import check_folder_free, writing_folder

    pages_only = ("*.html",)
    check_folder_free(output, force=force, files=pages_only)
    model = gale.Model.load(model_path)
    sources = open_runs(runs, splits, False, columns, model)
    files = sources.paths if isinstance(sources, gale.Campaign) else sources
    if libraries or index_table:
        check_spectra(model)
    matcher = open_matcher(libraries) if model.has_elution_network else None
    index = open_index(index_table)
    progress = ConsoleProgress(quiet=quiet)
    table = predict_all(model, sources, progress, columns, workers, no_cache)
    pages = Pages(
        model,
        matcher,
        index,
        columns or model.facts["columns"],
        {"model file": f"{model_path.name}, SHA-256 {sha256(model_path.read_bytes()).hexdigest()}"},
    )
    with writing_folder(output, replaces=pages_only if force else None) as folder:
        pages.write(folder, table, files, progress)
    progress.close()
    failed = table.filter(status="failed")
    tell_failed(failed)
    n_made = len(table) - len(failed)
    click.echo(f"{output / 'index.html'}: pages of {n_made:,} runs; {len(failed):,} failed")
    if len(failed):
        sys.exit(1)


@dataclass(frozen=True)
class Pages:
    """What all pages of a batch are made with."""

    model: gale.Model
    matcher: Matcher | None
    index: IndexTable | None
    columns: Mapping[str, str] | None
    provenance: Mapping[str, str]

    def write(
        self, folder: Path, table: pl.DataFrame, files: Sequence[Path], progress: ConsoleProgress
    ) -> None:
        """Write a page for each file that could be predicted, and the index of all."""
        from gale.report import index_page, page_names

        ok = table.filter(status="ok")
        names = page_names(ok["run"])
        progress.begin("making pages", len(ok))
        for row, file in zip(table.iter_rows(named=True), files, strict=True):
            if row["run"] in names:
                (folder / names[row["run"]]).write_text(self._page(file, row), "utf-8")
                progress.step()
        index = index_page(table, self.model, names, provenance=self._made())
        (folder / "index.html").write_text(index, "utf-8")

    def _page(self, file: Path, prediction: Mapping[str, Any]) -> str:
        from gale.readers import display_name, load, parse_run
        from gale.report import run_report

        data = load(file)
        return run_report(
            self.model,
            parse_run(data, display_name(file), columns=self.columns),
            matcher=self.matcher,
            index=self.index,
            prediction=prediction,
            provenance={"file SHA-256": sha256(data).hexdigest(), **self._made()},
        )

    def _made(self) -> dict[str, str]:
        from importlib.metadata import version

        now = datetime.datetime.now(datetime.UTC).isoformat(timespec="seconds")
        return {"made by": f"gale {version('gale-ms')} on {now}", **self.provenance}


@command.command("training", epilog=TRAINING_EXAMPLE)
@click.argument("campaign", type=click.Path(path_type=Path))
@model_option
@click.option(
    "-o",
    "--output",
    type=click.Path(path_type=Path),
    help="HTML file to write; beside the model by default, as model.report.html.",
)
@click.option(
    "--labels",
    type=click.Path(path_type=Path),
    help="Label table that the model was trained with, in place of those of the campaign.",
)
@click.option("--force", is_flag=True, help="Overwrite the output.")
@reading_options
def training_command(
    campaign: Path,
    model_path: Path,
    output: Path | None,
    labels: Path | None,
    force: bool,
    columns: dict[str, str] | None,
    workers: int,
    no_cache: bool,
    quiet: bool,
) -> None:
    """Make the page of the training of a model on CAMPAIGN, as gale train does.

    It has scores beside those of the training prevalence and of a logistic regression, which is
    trained for it; reliability diagrams, what is found, the data and their label correlations,
    learning curves, the runs that are most wrong, and labels worth a second look. If the campaign
    has test_labels.csv, as a simulated one has, the scores are those of the test runs, too; with
    truth.parquet, what is found is shown by abundance.
    """
    import gale
    from gale.cli.progress import ConsoleProgress
    from gale.cli.training_report import Beside, TrainingReport
    from gale.features.cache import Cache, default_folder
    from gale.output import check_free
    from gale.readers import display_name

    beside = Beside.of(model_path)
    output = output or beside.report
    check_free(output, force=force)
    model = gale.Model.load(model_path)
    opened = gale.Campaign.open(campaign, labels=labels, columns=columns)
    progress = ConsoleProgress(quiet=quiet)
    cache = None if no_cache else Cache(default_folder())
    with workers_pool(workers) as executor:
        report = TrainingReport(opened, model, beside, executor, cache, progress)
        report.write(output, force=force)
    progress.close()
    click.echo(f"{display_name(output)}: the report of the training")
