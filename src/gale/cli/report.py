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
from gale.errors import GaleError, OutputError
from gale.plumbing.workers import worker_pool

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

GENERATOR = b'<meta name="generator" content="gale">'
"""What every page has near its beginning."""

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
    from gale.plumbing.files import check_folder_free, writing_folder

    pages_only = ("*.html",)
    check_folder_free(output, force=force, files=pages_only)
    _check_pages(output)
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
        table = pages.write(folder, table, files, progress)
    progress.close()
    failed = table.filter(status="failed")
    tell_failed(failed)
    n_made = len(table) - len(failed)
    click.echo(f"{output / 'index.html'}: pages of {n_made:,} runs; {len(failed):,} failed")
    if len(failed):
        sys.exit(1)


def _check_pages(folder: Path) -> None:
    """See that nothing but pages of gale is in a folder that will be replaced."""
    for file in folder.glob("*") if folder.exists() else ():
        with file.open("rb") as opened:
            if GENERATOR not in opened.read(1000):
                raise OutputError(
                    f"{file}: is no page that gale made; expected nothing else in a folder to "
                    "replace; name another folder"
                )


def _with_messages(table: pl.DataFrame, failures: Mapping[str, str]) -> pl.DataFrame:
    """Say of some runs that they failed, and why."""
    import polars as pl

    failed = pl.col("run").is_in(list(failures))
    return table.with_columns(
        status=pl.when(failed).then(pl.lit("failed")).otherwise("status"),
        message=pl.when(failed)
        .then(pl.col("run").replace_strict(failures, default=None, return_dtype=pl.String))
        .otherwise("message"),
    )


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
    ) -> pl.DataFrame:
        """Write a page for each file that could be predicted, and the index of all.

        Returns
        -------
        DataFrame
            The predictions; of a run that can be predicted and not drawn the message says so, too.
        """
        from gale.report import index_page, page_names

        names = page_names(table.filter(status="ok")["run"])
        progress.begin("making pages", len(names))
        undrawn: dict[str, str] = {}
        for row, file in zip(table.iter_rows(named=True), files, strict=True):
            if row["run"] in names:
                try:
                    page = self._page(file, row)
                except GaleError as error:
                    undrawn[row["run"]] = str(error)
                else:
                    (folder / names[row["run"]]).write_text(page, "utf-8")
                progress.step()
        pages = {run: name for run, name in names.items() if run not in undrawn}
        table = _with_messages(table, undrawn)
        index = index_page(table, self.model, pages, provenance=self._made())
        (folder / "index.html").write_text(index, "utf-8")
        return table

    def _page(self, file: Path, prediction: Mapping[str, Any]) -> str:
        from gale.plumbing.text import display_name
        from gale.readers import load, parse_run
        from gale.report import run_report

        data = load(file)
        return run_report(
            self.model,
            parse_run(data, display_name(file), columns=self.columns),
            matcher=self.matcher,
            index=self.index,
            prediction=prediction,
            provenance={
                # of a folder it is that of the files in it that are read, as gale packs them
                "file SHA-256" if file.is_file() else "SHA-256 of what is read": sha256(
                    data
                ).hexdigest(),
                **self._made(),
            },
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
    from gale.plumbing.cache import Cache, default_folder
    from gale.plumbing.files import check_free, check_no_input
    from gale.plumbing.text import display_name

    beside = Beside.of(model_path)
    output = output or beside.report
    check_free(output, force=force)
    model = gale.Model.load(model_path)
    opened = gale.Campaign.open(campaign, labels=labels, columns=columns)
    tables = (path for path in campaign.iterdir() if path.is_file())
    check_no_input(output, [model_path, beside.out_of_fold, beside.history, *opened.paths, *tables])
    progress = ConsoleProgress(quiet=quiet)
    cache = None if no_cache else Cache(default_folder())
    with worker_pool(workers) as executor:
        report = TrainingReport(opened, model, beside, executor, cache, progress)
        report.write(output, force=force)
    progress.close()
    click.echo(f"{display_name(output)}: the report of the training")
