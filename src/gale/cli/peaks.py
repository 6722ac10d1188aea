"""`gale peaks`: the peaks of runs, with names."""

from __future__ import annotations

import sys
from pathlib import Path

import click

from gale.cli.options import (
    PATH,
    columns_option,
    force_option,
    library_options,
    quiet_option,
    split_option,
)
from gale.cli.outputs import plan
from gale.cli.peak_options import peak_outputs
from gale.cli.printing import echo

EXAMPLE = """
\b
Examples:
  gale peaks run.cdf
  gale peaks run.cdf -o peaks.csv --msp spectra.msp
  gale peaks runs/*.cdf -o peaks.parquet --alkanes ladder.cdf
  gale peaks run.cdf --mztab run.mztab
  gale peaks run.cdf -o peaks.csv --library nist.msp --index-table alkanes.csv
  gale peaks campaign --split test -o peaks.csv --least-share 0.1
"""


@click.command(short_help="Find the peaks of runs and name them.", epilog=EXAMPLE)
@click.argument("runs", type=PATH, nargs=-1, required=True)
@peak_outputs
@library_options
@click.option(
    "--alkanes",
    type=PATH,
    help="Run of n-alkanes, measured like RUNS, from which retention indices are made.",
)
@click.option(
    "--first-alkane",
    type=click.IntRange(5, 60),
    help="Carbon atoms of the first alkane in it, if its molecular ions do not tell.",
)
@click.option(
    "--least-share",
    type=click.FloatRange(0, 100, max_open=True),
    default=0.0,
    show_default=True,
    help="Smallest area of a peak, in percent of the area of all peaks of its run.",
)
@split_option
@force_option("Overwrite the outputs.")
@columns_option
@quiet_option
def command(
    runs: tuple[Path, ...],
    libraries: tuple[str, ...],
    index_table: Path | None,
    alkanes: Path | None,
    first_alkane: int | None,
    least_share: float,
    splits: tuple[str, ...],
    force: bool,
    columns: dict[str, str] | None,
    quiet: bool,
    **outputs: Path | None,
) -> None:
    """Find the peaks of RUNS, files or one campaign folder, and the compounds they are like.

    Compounds that elute together are separated. Each peak has its apex, start and end, height,
    area, base peak, purity, retention index (with --index-table or --alkanes), its five best
    matches, and the families of the best one. Match and reverse match are cosines of the spectra
    times 999, as described in docs/peaks.md; a match below 800 or with fewer than three ions in
    common is marked weak, and a peak without a match of 700 has the verdict "nothing is like it".
    Solvent fronts cut by the start of the run, saturated peaks, air, siloxanes and column bleed are
    named as such. A run that cannot be read does not stop the others; it is named on standard
    error, and the exit status is 1.
    """
    if alkanes is not None and index_table is not None:
        raise click.UsageError("--alkanes and --index-table both give indices; leave one out")
    if first_alkane is not None and alkanes is None:
        raise click.UsageError("--first-alkane needs --alkanes")
    from gale.cli.peaks_of_runs import check_outputs, find_all, open_index, open_matcher, write_all
    from gale.cli.sources import files_of, open_runs, paths_of

    sources = open_runs(runs, splits, columns)
    check_outputs(outputs, len(paths_of(sources)))
    inputs = [*files_of(sources), *map(Path, libraries), index_table, alkanes]
    plan(filter(None, outputs.values()), filter(None, inputs), force=force)
    matcher = open_matcher(libraries)
    index = open_index(index_table, alkanes, first_alkane, columns)
    found, n_failed = find_all(
        sources, columns, quiet=quiet, matcher=matcher, index=index, least_share=least_share / 100
    )
    for text in write_all(found, outputs, force=force):
        echo(text)
    if n_failed:
        sys.exit(1)
