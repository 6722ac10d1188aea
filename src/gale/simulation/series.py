"""A series: the runs of one laboratory, with all that is settled before they are measured."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from gale.errors import MissingExtraError, SimulationError
from gale.library import Library, default_libraries, installed
from gale.library.choice import OWN, read_named
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
    libraries : tuple of dict
        Name, size and checksum of each library that the analytes are from.
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
    libraries: tuple[dict[str, str | int], ...]
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


Given = Library | str | Path
"""A library, or the name or path of one."""


class Analytes(NamedTuple):
    """What samples are made of, and where it is from, in words and as facts of each library."""

    compounds: Compounds
    source: str
    libraries: tuple[dict[str, str | int], ...]


def read_analytes(
    library: Given | Sequence[Given] | None,
    table: FamilyTable | None,
    progress: Progress,
    design: str = DIFFERENT,
) -> Analytes:
    """Read the compounds of libraries, by default gale's own and those that were added.

    The design `mars` adds n-alkanes to gale's own, for its ladders. Records of given libraries that
    are left out are counted in a note, and so are added libraries of which nothing can be used.

    Raises
    ------
    SimulationError
        If no record of a library that was named can be used.
    ReadError
        If a library cannot be read.
    MissingExtraError
        If structures are needed and RDKit is not installed.
    """
    given: Sequence[Given]
    given = [library] if isinstance(library, Library | str | Path) else library or [OWN]
    libraries: list[Library] = []
    parts: list[Compounds] = []
    for each in given:
        own = isinstance(each, str) and each == OWN
        for one in _own(design) if own else [_opened(each)]:
            libraries.append(one)
            parts.append(read_compounds(one, table))
        if not own:
            _note_left_out(libraries[-1:], parts[-1:], progress)
    for one in installed() if library is None else ():
        try:
            parts.append(read_compounds(one, table))
        except (SimulationError, MissingExtraError) as error:
            progress.note(f"the library {one.source} is not used: {error}")
        else:
            libraries.append(one)
            _note_left_out(libraries[-1:], parts[-1:], progress)
    return Analytes(
        join(parts),
        " and ".join(each.source for each in libraries),
        tuple(each.facts for each in libraries),
    )


def _own(design: str) -> Sequence[Library]:
    """What comes with gale for samples of a design."""
    return (*default_libraries(), alkanes()) if design == MARS else default_libraries()


def _opened(library: Given) -> Library:
    return library if isinstance(library, Library) else read_named(library)


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
