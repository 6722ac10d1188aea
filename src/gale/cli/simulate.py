"""`gale simulate`: from libraries of spectra to a campaign with known truth."""

from __future__ import annotations

import os
import time
from pathlib import Path

import click

EXAMPLE = """
\b
Example:
  gale simulate -o campaign --runs 600 --seed 1
  gale simulate -o campaign --library spectra.msp --new-compounds test --new-instrument test
"""
SPLIT = click.Choice(["train", "val", "test"])


def _parse_runs(
    _context: click.Context, _parameter: click.Parameter, value: str
) -> int | dict[str, int]:
    try:
        numbers = [int(each) for each in value.split(",")]
    except ValueError:
        numbers = []
    if len(numbers) == 1:
        return numbers[0]
    if len(numbers) == 3:
        return dict(zip(("train", "val", "test"), numbers, strict=True))
    raise click.BadParameter(f"{value!r}: expected a number, or three as 809,312,463")


def _parse_prevalence(
    _context: click.Context, _parameter: click.Parameter, values: tuple[str, ...]
) -> dict[str, float]:
    prevalence = {}
    for value in values:
        family, _, share = value.partition("=")
        try:
            prevalence[family] = float(share)
        except ValueError:
            raise click.BadParameter(f"{value!r}: expected a family = a share") from None
    return prevalence


@click.command(epilog=EXAMPLE)
@click.option(
    "-o",
    "--output",
    type=click.Path(path_type=Path),
    required=True,
    help="Folder to make; it appears when it is complete.",
)
@click.option(
    "--library",
    "libraries",
    type=click.Path(path_type=Path),
    multiple=True,
    help="MSP file or folder of MassBank records to make the samples of, in place of the compounds "
    "that come with gale. Repeatable.",
)
@click.option(
    "--families",
    type=click.Path(path_type=Path),
    help="Table of families (TOML) in place of the nine that gale brings along.",
)
@click.option(
    "--prevalence",
    multiple=True,
    metavar="FAMILY=SHARE",
    callback=_parse_prevalence,
    help="Share of the runs that hold a family, in place of the published one (0.1 for other "
    "families). Repeatable.",
)
@click.option(
    "--runs",
    default="1584",
    show_default=True,
    metavar="N | TRAIN,VAL,TEST",
    callback=_parse_runs,
    help="Number of runs, divided as 809 to 312 to 463, or one for each split.",
)
@click.option(
    "--ions",
    type=click.IntRange(1),
    default=80_000,
    show_default=True,
    help="Ions of a run, about: sets the threshold of each instrument.",
)
@click.option(
    "--compounds",
    type=click.IntRange(1),
    help="Make samples of so many compounds of the library, not of all.",
)
@click.option(
    "--instruments",
    type=click.IntRange(1),
    default=3,
    show_default=True,
    help="Instruments that the splits share.",
)
@click.option(
    "--new-instrument",
    type=SPLIT,
    multiple=True,
    help="Measure this split on an instrument of its own. Repeatable.",
)
@click.option(
    "--new-compounds",
    type=SPLIT,
    multiple=True,
    help="Make this split of compounds that are in no other. Repeatable.",
)
@click.option(
    "--label-noise",
    type=click.FloatRange(0, 1, max_open=True),
    default=0.0,
    show_default=True,
    help="Share of the labels of train and val that are moved to runs without the family.",
)
@click.option(
    "--physics",
    type=click.Path(path_type=Path),
    help="TOML file with other ranges of physical parameters.",
)
@click.option(
    "--without", multiple=True, metavar="EFFECT", help="Switch an effect off. Repeatable."
)
@click.option(
    "--seed",
    type=click.IntRange(0),
    default=0,
    show_default=True,
    help="The same seed gives the same files on the same machine.",
)
@click.option(
    "--workers",
    type=click.IntRange(1),
    default=os.cpu_count() or 1,
    show_default="one for each core",
    help="Processes.",
)
@click.option("-q", "--quiet", is_flag=True, help="Show no progress.")
def command(
    output: Path,
    libraries: tuple[Path, ...],
    families: Path | None,
    prevalence: dict[str, float],
    runs: int | dict[str, int],
    ions: int,
    compounds: int | None,
    instruments: int,
    new_instrument: tuple[str, ...],
    new_compounds: tuple[str, ...],
    label_noise: float,
    physics: Path | None,
    without: tuple[str, ...],
    seed: int,
    workers: int,
    quiet: bool,
) -> None:
    """Simulate a campaign with known truth from libraries of spectra.

    The folder is in the competition's layout, with test_labels.csv; truth.parquet has every
    substance of every run, when it elutes and how far it is above the detection limit; runs.csv has
    the instrument of each run and its place in the sequence; simulation.json has the instruments.

    Families of a library's compounds come from its records, or from structures, which needs the
    extra: pip install 'gale-ms[chem]'.
    """
    from gale.cli.progress import ConsoleProgress
    from gale.library import read_library
    from gale.plumbing.work import Work
    from gale.simulation import Physics, simulate

    started = time.monotonic()
    effects = (Physics.load(physics) if physics else Physics.default()).without(*without)
    table = None
    if families is not None:
        from gale.chemistry.families import read_family_table  # needs RDKit

        table = read_family_table(families)
    progress = ConsoleProgress(quiet=quiet)
    try:
        simulate(
            output,
            library=[read_library(path) for path in libraries] or None,
            families=table,
            prevalence=prevalence,
            runs=runs,
            ions=ions,
            compounds=compounds,
            instruments=instruments,
            new_instrument=new_instrument,
            new_compounds=new_compounds,
            label_noise=label_noise,
            physics=effects,
            seed=seed,
            work=Work(workers=workers, progress=progress),
        )
    finally:
        progress.close()
    size = sum(path.stat().st_size for path in output.rglob("*.csv"))
    click.echo(
        f"{output}: simulated in {time.monotonic() - started:.0f} s, {size / 1e6:,.0f} MB; "
        f"look at it with: gale inspect {output}"
    )
