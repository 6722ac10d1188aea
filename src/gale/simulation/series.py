"""A series: the runs of one laboratory, with all that is settled before they are measured."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from gale.errors import SimulationError
from gale.library import Library, default_libraries
from gale.plumbing.progress import Progress
from gale.run import Floats
from gale.simulation.compounds import Compounds, join, read_compounds
from gale.simulation.design import (
    Design,
    check_families,
    design_runs,
    draw_instruments,
    share_compounds,
)
from gale.simulation.laboratory import Laboratory, equip
from gale.simulation.physics import Physics
from gale.simulation.run import find_threshold

if TYPE_CHECKING:
    from gale.chemistry.families import FamilyTable


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


def plan_series(
    analytes: Compounds,
    runs: Mapping[str, int],
    *,
    source: str,
    table: FamilyTable | None,
    prevalence: Floats,
    ions: int,
    instruments: int,
    new_instrument: Sequence[str] = (),
    new_compounds: Collection[str] = (),
    physics: Physics,
    seed: int,
) -> Series:
    """Equip a laboratory, and plan its runs.

    Parameters
    ----------
    analytes : Compounds
        Of the families of `table`.
    runs : mapping of split to int
    source : str
        Where the analytes are from, as named in messages.
    prevalence : array of shape (K,)
        Share of the runs that shall hold each family.
    table, ions, instruments, new_instrument, new_compounds, physics, seed
        As :func:`gale.simulate` takes them.

    Raises
    ------
    SimulationError
        If there are no compounds of a family that shall be there, or the instruments would scan
        nothing.
    """
    drawn = draw_instruments(instruments, new_instrument, physics, seed)
    laboratory = equip(analytes, drawn, physics, table, seed=seed)
    allowed = share_compounds(laboratory, runs, new_compounds, seed)
    check_families(laboratory, allowed, prevalence, source)
    design = design_runs(laboratory, runs, allowed, prevalence, new_instrument, seed)
    thresholds = tuple(
        find_threshold(laboratory, number, ions, seed) for number in range(len(drawn))
    )
    return Series(laboratory, thresholds, design)


def read_analytes(
    library: Library | Sequence[Library] | None, table: FamilyTable | None, progress: Progress
) -> tuple[Compounds, str]:
    """Take the compounds of libraries, by default gale's own; say also where they are from.

    Records of the given libraries that are left out are noted.

    Raises
    ------
    SimulationError
        If no record of a library can be used.
    MissingExtraError
        If structures have to be looked at, and RDKit is not installed.
    """
    libraries: Sequence[Library] = (
        default_libraries()
        if library is None
        else ((library,) if isinstance(library, Library) else tuple(library))
    )
    parts = [read_compounds(each, table) for each in libraries]
    if library is not None:
        _tell_left_out(libraries, parts, progress)
    return join(parts), " and ".join(each.source for each in libraries)


def _tell_left_out(
    libraries: Sequence[Library], parts: Sequence[Compounds], progress: Progress
) -> None:
    """Note records of which no use is made."""
    for library, part in zip(libraries, parts, strict=True):
        reasons = {
            **library.skipped,
            "no structure, families, retention index or ions of m/z 1 to 600": len(library)
            - len(part),
        }
        told = ", ".join(f"{count:,} with: {reason}" for reason, count in reasons.items() if count)
        if told:
            progress.note(f"{library.source}: records that are left out: {told}")


def check_numbers(numbers: Mapping[str, int | None], shares: Mapping[str, float]) -> None:
    """Refuse numbers below 1 and shares outside 0 to 1; None is a number that was not given.

    Raises
    ------
    SimulationError
    """
    for name, number in numbers.items():
        if number is not None and number < 1:
            raise SimulationError(f"{name} = {number}: expected 1 or more")
    for name, share in shares.items():
        if not 0 <= share < 1:
            raise SimulationError(f"{name} = {share}: expected a share of 0 or more, less than 1")
