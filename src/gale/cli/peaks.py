"""`gale peaks`: the peaks of runs, with names."""

from __future__ import annotations

from itertools import chain
from pathlib import Path

import click

from gale.cli.batch import Asked, batch_options
from gale.cli.compound_options import alkane_options, check_alkanes, library_options
from gale.cli.kept import partial_output, replacing
from gale.cli.listings import open_listing
from gale.cli.options import (
    PATH,
    columns_option,
    force_option,
    quiet_option,
    split_option,
)
from gale.cli.outputs import plan_tables
from gale.cli.peak_options import peak_outputs
from gale.cli.workers import workers_options
from gale.cli.working import working

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
@click.argument("runs", type=PATH, nargs=-1)
@peak_outputs
@library_options
@alkane_options
@click.option(
    "--least-share",
    type=click.FloatRange(0, 100, max_open=True),
    default=0.0,
    show_default=True,
    help="Smallest area of a peak, in percent of the area of all peaks of its run.",
)
@split_option
@force_option("Overwrite the outputs.")
@batch_options("the outputs")
@columns_option
@workers_options()
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
    asked: Asked,
    columns: dict[str, str] | None,
    workers: int | str,
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
    check_alkanes(alkanes, first_alkane, index_table)
    from gale.cli.peaks_of_runs import open_index, open_matcher, write_all
    from gale.cli.tasks.peak_tables import wanted_of
    from gale.cli.tasks.peaks import RUNS, PeaksTask
    from gale.peaks.mztab import check_one
    from gale.plumbing.batches import Finished, chunks_of

    listing = open_listing(runs, splits, columns, asked=asked)
    if (mztab := outputs["mztab"]) is not None:
        check_one(len(listing), mztab)
    read = [*map(Path, libraries), *filter(None, [index_table, alkanes]), *asked.files_read]
    tables = [path for name in ("table", "matches") if (path := outputs[name]) is not None]
    others = [path for name in ("msp", "mztab") if (path := outputs[name]) is not None]
    made = [*tables, *others]
    main = next(iter(made), None)
    force = replacing(main, made, asked, force=force)
    plan_tables(tables, others, chain(read, listing.files), force=force)
    index = open_index(index_table, alkanes, first_alkane, columns)
    task = PeaksTask(columns, libraries, index, least_share / 100, wanted_of(outputs))
    task.remember(open_matcher(libraries))
    how = (task.made_with(), "search for peaks", asked)
    with (
        partial_output(main, *how, force=force, outputs=made) as partial,
        working(columns, workers, no_cache=True, quiet=quiet) as work,
    ):
        work.progress.begin("looking for peaks", len(listing))
        finished = Finished.of(chunks_of(listing, RUNS), task, partial, work)
        n_failed = write_all(finished, outputs, len(listing), force=force)
    asked.end(n_failed, len(listing))
