"""`gale simulate`: from libraries of spectra to a campaign with known truth."""

from __future__ import annotations

import time
from contextlib import closing
from pathlib import Path
from typing import Any

import click

from gale.cli.kept import telling
from gale.cli.options import force_option
from gale.cli.printing import echo
from gale.cli.simulation_options import simulation_options
from gale.cli.working import executor_of

EXAMPLE = """
\b
Examples:
  gale simulate -o campaign --runs 600 --seed 1
  gale simulate -o campaign --design different --runs 600
  gale simulate -o campaign --library spectra.msp --new-compounds test --new-instrument test
"""


@click.command(short_help="Simulate a campaign whose truth is known.", epilog=EXAMPLE)
@simulation_options
@click.option("--resume", is_flag=True, help="Continue an interrupted simulation.")
@force_option("Discard an interrupted simulation.")
def command(
    output: Path,
    library: tuple[str, ...],
    families: Path | None,
    physics: Path | None,
    without: tuple[str, ...],
    workers: int | str,
    quiet: bool,
    resume: bool,
    force: bool,
    **choices: Any,
) -> None:
    """Simulate a campaign with known truth from libraries of spectra.

    The folder has the competition's layout, with test_labels.csv. truth.parquet lists every
    substance in every run, when it elutes and how far above the detection limit it is; runs.csv has
    the sample and the instrument of each run and its place in the sequence; simulation.json has the
    instruments.

    Finished runs are kept in OUTPUT.partial until the folder is whole; after an interruption, the
    same command with --resume continues.

    The families of a library's compounds come from its records, or from structures, which needs an
    extra: pip install 'gale-ms[chem]'.
    """
    import gale
    from gale.cli.progress import ConsoleProgress
    from gale.plumbing.batches import Partial
    from gale.plumbing.places import size_of_files
    from gale.plumbing.text import display_name
    from gale.simulation import Physics

    started = time.monotonic()
    effects = (Physics.load(physics) if physics else Physics.default()).without(*without)
    table = None
    if families is not None:
        from gale.chemistry.families import read_family_table  # needs RDKit

        table = read_family_table(families)
    # the simulator begins processes of its own, which hold what all runs share
    address, processes = (workers, 1) if isinstance(workers, str) else (1, workers)
    kept, progress = Partial(output, {}, "simulation"), ConsoleProgress(quiet=quiet)
    with closing(progress), telling(kept), executor_of(address) as executor:
        gale.simulate(
            output,
            keep=True,
            resume=resume,
            restart=force and not resume,
            library=library or None,
            families=table,
            physics=effects,
            work=gale.Work(executor, processes, progress=progress),
            **choices,
        )
    name, size = display_name(output), size_of_files(output)
    echo(
        f"{name}: simulated in {time.monotonic() - started:.0f} s, {size / 1e6:,.0f} MB; "
        f"look at it with: gale inspect {name}"
    )
