"""A series: the runs of one laboratory, with all that is settled before they are measured."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from gale.errors import SimulationError
from gale.library import Library, default_libraries
from gale.plumbing.progress import Progress
from gale.run import Floats
from gale.simulation import design, mars
from gale.simulation.alkanes import alkanes
from gale.simulation.compounds import Compounds, join, read_compounds
from gale.simulation.design import Design, check_families, split_compounds
from gale.simulation.laboratory import Laboratory, build_laboratory
from gale.simulation.physics import Physics
from gale.simulation.run import find_threshold

if TYPE_CHECKING:
    from gale.chemistry.families import FamilyTable


DIFFERENT, MARS = "different", "mars"
DESIGNS = {
    MARS: (mars.draw_instruments, mars.design_runs),
    DIFFERENT: (design.draw_instruments, design.design_runs),
}
"""How instruments and runs are drawn, by the name of the design."""


@dataclass(frozen=True)
class Setup:
    """What series have in common, whatever their seeds.

    Parameters
    ----------
    analytes : Compounds
        What samples are made of; their K families are those of `table`.
    source : str
        Where the analytes are from, for messages.
    table : mapping of str to FamilyRule, optional
        The families; without it the nine published ones.
    prevalence : array of shape (K,)
        Share of the runs to hold each family.
    ions, instruments : int
        Approximate ions per run, and instruments that the splits share.
    physics : Physics
    new_instrument, new_compounds : tuple of str
        Splits with an instrument, or with compounds, of their own.
    design : str
        One of `DESIGNS`.
    """

    analytes: Compounds
    source: str
    table: FamilyTable | None
    prevalence: Floats
    ions: int
    instruments: int
    physics: Physics
    new_instrument: tuple[str, ...] = ()
    new_compounds: tuple[str, ...] = ()
    design: str = DIFFERENT


@dataclass(frozen=True)
class Series:
    """R runs on the I instruments of a laboratory.

    Parameters
    ----------
    laboratory : Laboratory
    thresholds : tuple of float, length I
        Least intensity that each instrument records, in units of its noise.
    design : Design
    """

    laboratory: Laboratory
    thresholds: tuple[float, ...]
    design: Design


def plan_series(setup: Setup, runs: Mapping[str, int], seed: int) -> Series:
    """Build a laboratory and plan its runs.

    Parameters
    ----------
    setup : Setup
    runs : mapping of split to int
    seed : int

    Raises
    ------
    SimulationError
        If a wanted family has no compound, or the instruments would scan nothing.
    """
    draw_instruments, design_runs = DESIGNS[setup.design]
    instruments = draw_instruments(setup.instruments, setup.new_instrument, setup.physics, seed)
    laboratory = build_laboratory(
        setup.analytes, instruments, setup.physics, setup.table, seed=seed
    )
    allowed = split_compounds(laboratory, runs, setup.new_compounds, seed)
    check_families(laboratory, allowed, setup.prevalence, setup.source)
    designed = design_runs(laboratory, runs, allowed, setup.prevalence, setup.new_instrument, seed)
    thresholds = tuple(
        find_threshold(laboratory, number, setup.ions, seed) for number in range(len(instruments))
    )
    return Series(laboratory, thresholds, designed)


def read_analytes(
    library: Library | Sequence[Library] | None,
    table: FamilyTable | None,
    progress: Progress,
    design: str = DIFFERENT,
) -> tuple[Compounds, str]:
    """Read the compounds of libraries, by default gale's own; return also where they are from.

    The design `mars` adds n-alkanes to gale's own, for its ladders. Records of given libraries that
    are left out are counted in a note.

    Raises
    ------
    SimulationError
        If no record of a library can be used.
    MissingExtraError
        If structures are needed and RDKit is not installed.
    """
    if library is None:
        libraries: Sequence[Library] = default_libraries()
        if design == MARS:
            libraries = (*libraries, alkanes())
    else:
        libraries = (library,) if isinstance(library, Library) else tuple(library)
    parts = [read_compounds(each, table) for each in libraries]
    if library is not None:
        _note_left_out(libraries, parts, progress)
    return join(parts), " and ".join(each.source for each in libraries)


def _note_left_out(
    libraries: Sequence[Library], parts: Sequence[Compounds], progress: Progress
) -> None:
    """Note how many records of each library are not used, and why."""
    for library, part in zip(libraries, parts, strict=True):
        unusable = len(library) - len(part)
        reasons = {
            **library.skipped,
            "no structure, families, retention index or ions of m/z 1 to 600": unusable,
        }
        counts = ", ".join(f"{count:,} ({reason})" for reason, count in reasons.items() if count)
        if counts:
            progress.note(f"{library.source}: records left out: {counts}")


def check_numbers(
    numbers: Mapping[str, int | None],
    prevalence: Mapping[str, float] | None = None,
    label_noise: float = 0.0,
) -> None:
    """Refuse numbers below 1 and shares outside 0 to 1; None is a number that was not given.

    Raises
    ------
    SimulationError
    """
    for name, number in numbers.items():
        if number is not None and number < 1:
            raise SimulationError(name, f"is {number}", "1 or more", f"pass {name}=1 or more")
    shares = [("label_noise", label_noise, "label_noise=0.1")]
    for family, share in (prevalence or {}).items():
        example = f"prevalence={{{family!r}: 0.1}}"
        shares.append((f"prevalence: family {family!r}", share, example))
    for source, share, example in shares:
        if not 0 <= share < 1:
            raise SimulationError(
                source, f"is {share}", "a share from 0 to below 1", f"for example, pass {example}"
            )
