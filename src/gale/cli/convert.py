"""`gale convert`: from files of any format to an open one."""

from __future__ import annotations

import sys
from pathlib import Path

import click

from gale.cli.options import columns_option
from gale.errors import GaleError, OutputError

EXAMPLE = """
\b
Examples:
  gale convert run.cdf -o run.mzML
  gale convert run.cdf -o run.csv
  gale convert runs/*.cdf -o converted --to parquet
"""


@click.command(epilog=EXAMPLE)
@click.argument("runs", type=click.Path(path_type=Path), nargs=-1, required=True)
@click.option(
    "-o",
    "--output",
    type=click.Path(path_type=Path),
    required=True,
    help="File to write, or a folder, which is made if it is not there.",
)
@click.option(
    "--to",
    "format_",
    type=click.Choice(["csv", "mzml", "parquet"]),
    help="What to write; by default, what the name of the file ends with.",
)
@click.option(
    "--centroid",
    is_flag=True,
    help="Make profile spectra centroids, which are refused otherwise: one ion for each peak.",
)
@click.option("--force", is_flag=True, help="Overwrite files that exist.")
@click.option("-q", "--quiet", is_flag=True, help="Show no progress.")
@columns_option
def command(
    runs: tuple[Path, ...],
    output: Path,
    format_: str | None,
    centroid: bool,
    force: bool,
    quiet: bool,
    columns: dict[str, str] | None,
) -> None:
    """Write RUNS in an open format, to look at with other software what gale sees of them.

    Reading a file that was written gives the same scans and ions as the original, to the last
    digit. Into a folder, every run is written under its own name. A run that cannot be read does
    not stop the others; it is named on standard error, and the exit status is 1.
    """
    import gale
    from gale.cli.progress import ConsoleProgress
    from gale.plumbing.files import check_free, check_no_input
    from gale.plumbing.text import display_name
    from gale.writers import write_run

    format_, targets = _targets(runs, output, format_)
    if output not in targets:
        _make_folder(output)
    for target in targets:
        check_free(target, force=force)
        check_no_input(target, runs)
    progress = ConsoleProgress(quiet=quiet)
    progress.begin("converting", len(runs))
    failed = []
    for run, target in zip(runs, targets, strict=True):
        try:
            read = gale.read_run(run, columns=columns, centroid=centroid)
            write_run(read, target, format=format_, force=force)
        except GaleError as error:
            failed.append(str(error))
        progress.step()
    progress.close()
    for message in failed:
        click.echo(f"failed: {message}", err=True)
    n_converted = len(runs) - len(failed)
    click.echo(f"{display_name(output)}: {n_converted:,} runs converted, {len(failed):,} failed")
    if failed:
        sys.exit(1)


def _targets(runs: tuple[Path, ...], output: Path, format_: str | None) -> tuple[str, list[Path]]:
    """The format, and for each run the file to write."""
    from gale.writers import FORMATS, format_of

    named = None if output.is_dir() else format_of(output)
    if named and len(runs) > 1:
        raise click.UsageError(f"several runs need a folder; {output} is the name of a file")
    if named and format_ not in (None, named):
        raise click.UsageError(f"--to is {format_}, and {output} the name of a {named} file")
    if named:
        return named, [output]
    if format_ is None:
        raise click.UsageError("a folder needs --to, to say what is written into it")
    targets = [output / f"{_stem(run)}{FORMATS[format_].suffix}" for run in runs]
    first: dict[str, Path] = {}
    for run, target in zip(runs, targets, strict=True):
        other = first.setdefault(target.name.casefold(), run)
        if other is not run:
            raise OutputError(
                f"{target}: would be written of both {other} and {run}; expected names that "
                "differ; convert them into different folders"
            )
    return format_, targets


def _stem(run: Path) -> str:
    """The name of a run without what says its format, and how it is packed."""
    return Path(run.name.removesuffix(".gz").removesuffix(".zip")).stem


def _make_folder(folder: Path) -> None:
    try:
        folder.mkdir(exist_ok=True)
    except OSError as error:
        raise OutputError(
            f"{folder}: cannot be made a folder ({error.strerror}); choose another place"
        ) from error
