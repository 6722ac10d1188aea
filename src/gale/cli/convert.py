"""`gale convert`: from files of any format to an open one."""

from __future__ import annotations

import sys
from contextlib import closing
from pathlib import Path

import click

from gale.cli.options import PATH, columns_option, force_option, output_option, quiet_option
from gale.cli.outputs import claim
from gale.cli.printing import echo
from gale.cli.wording import error_text
from gale.errors import GaleError, OutputError
from gale.plumbing.text import counted

EXAMPLE = """
\b
Examples:
  gale convert run.cdf -o run.mzML
  gale convert run.mzML -o run.cdf
  gale convert runs/*.cdf -o converted --to parquet
"""


@click.command(short_help="Write runs in an open format.", epilog=EXAMPLE)
@click.argument("runs", type=PATH, nargs=-1, required=True)
@output_option("File to write, or a folder, which is made if it does not exist.")
@click.option(
    "--to",
    "format_",
    type=click.Choice(["andi", "csv", "mzml", "parquet"]),
    help="Format to write; by default, the one that the name of the file ends with.",
)
@click.option(
    "--centroid",
    is_flag=True,
    help="Centroid profile spectra (one ion per peak), which are otherwise refused.",
)
@force_option("Overwrite files that exist.")
@columns_option
@quiet_option
def command(
    runs: tuple[Path, ...],
    output: Path,
    format_: str | None,
    centroid: bool,
    force: bool,
    columns: dict[str, str] | None,
    quiet: bool,
) -> None:
    """Write RUNS in an open format, to look at them in other software as gale reads them.

    Reading a written file gives exactly the same scans and ions as the original (in ANDI, .cdf,
    times are in seconds and so rounded). mzML is indexed. In a folder, every run keeps its name. A
    run that cannot be read does not stop the others; it is named on standard error, and the exit
    status is 1.
    """
    import gale
    from gale.cli.progress import ConsoleProgress
    from gale.plumbing.outputs import make_folder, plan_outputs
    from gale.plumbing.text import display_name

    format_, targets = _targets(runs, output, format_)
    if output not in targets:
        make_folder(output, parents=False)
    plan_outputs(targets, runs, force=force)
    claim(output if output in targets else output / "runs")
    failed = []
    with closing(ConsoleProgress(quiet=quiet)) as progress:
        progress.begin("converting", len(runs))
        for run, target in zip(runs, targets, strict=True):
            try:
                read = gale.read_run(run, columns=columns, centroid=centroid)
                gale.write_run(read, target, format=format_, force=force)
            except GaleError as error:
                failed.append(error)
            progress.step()
    echo("".join(f"failed: {error_text(each)}\n" for each in failed), nl=False, err=True)
    done = counted(len(runs) - len(failed), "run")
    echo(f"{display_name(output)}: {done} converted, {len(failed):,} failed")
    if failed:
        sys.exit(1)


def _targets(runs: tuple[Path, ...], output: Path, format_: str | None) -> tuple[str, list[Path]]:
    """Give the format, and for each run the file to write."""
    from gale.writers import FORMATS, format_of

    named = None if output.is_dir() else format_of(output)
    if named and len(runs) > 1:
        raise click.UsageError(f"several runs need a folder, but {output} is the name of a file")
    if named and format_ not in (None, named):
        raise click.UsageError(f"--to is {format_}, but {output} is the name of a {named} file")
    if named:
        return named, [output]
    if format_ is None:
        found = f"{output} ends with none of {', '.join(each.suffix for each in FORMATS.values())}"
        raise click.UsageError(f"{found}; to write into a folder, give the format with --to")
    targets = [output / f"{_stem(run)}{FORMATS[format_].suffix}" for run in runs]
    first: dict[str, Path] = {}
    for run, target in zip(runs, targets, strict=True):
        other = first.setdefault(target.name.casefold(), run)
        if other is not run:
            found = f"would be written from both {other} and {run}"
            raise OutputError(target, found, "different names", "convert into different folders")
    return format_, targets


def _stem(run: Path) -> str:
    """The name of a run without the endings of its format and packing."""
    return Path(run.name.removesuffix(".gz").removesuffix(".zip")).stem
