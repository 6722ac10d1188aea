"""Which compounds of a library were derivatized: it says so, its structures show it, or its ions.

Needs RDKit (the extra ``chem``), as :mod:`gale.chemistry.families` does.
"""

from __future__ import annotations

from collections import Counter

import numpy as np

from gale.chemistry.families import parent_molecule, read_pattern, read_structure
from gale.library.derivative_names import find_derivative
from gale.library.library import Library
from gale.run import Floats

SILYL_MZ = 73
"""Trimethylsilyl itself, (CH3)3Si+."""

MIN_SILYL = 0.2
"""Least height of m/z 73, relative to the base peak, that is taken for trimethylsilyl."""

MIN_HEAVIER = 0.02
"""Least height, relative to the base peak, of an ion that the structure is too light for."""

ISOTOPES = 9.0
"""An ion that much above the mass of the structure is not one of its isotopes."""

HYDROGEN_MASS = 1.008

_ACTIVE_HYDROGEN = read_pattern("[#7,#8,#16;!H0]", __name__)
CARBONYL = read_pattern("[CX3;$(C([#6])[#6]),$([CH][#6]),$([CH2])]=O", __name__)
"""Of an aldehyde or a ketone, which methoximation takes."""


def guess_derivatives(library: Library, *, silylated: bool = False) -> tuple[str, ...]:
    """Say of each compound how it was derivatized.

    What the library says comes first, then groups that are drawn in the structure. Failing both,
    an ion that is heavier than the structure shows that the compound was derivatized; which group
    it was follows from the structure (a silylated compound may hold methoximes too, which is not
    seen).

    So the ions show 476 of the 481 spectra of the embedded library that its makers name as
    silylated, all of them with `silylated`, and 24 of the 27 that they name as methoximes alone.
    Of 5,921 spectra of MassBank that name and draw no derivative, 14 are taken for one.

    Parameters
    ----------
    silylated : bool
        The library is of silylated samples, so that a high m/z 73 is enough. Elsewhere it is not:
        sugars, esters and chloroalkanes have it too.

    Returns
    -------
    tuple of str of length C
        As `Library.derivative`, ``n TMS`` or ``n MEOX`` where the ions show it; empty where no
        sign is seen.
    """
    min_silyl = MIN_SILYL if silylated else np.inf
    return tuple(
        derivative or drawn_derivative(structure) or _guess(structure, *spectrum, min_silyl)
        for derivative, structure, spectrum in zip(
            library.derivative,
            library.structure,
            map(library.spectrum, range(len(library))),
            strict=True,
        )
    )


def drawn_derivative(structure: str | None) -> str:
    """Name the groups that are drawn in a structure: ``1 MEOX 2 TMS``; empty if there are none."""
    molecule = read_structure(structure)
    if molecule is None:
        return ""
    symbols = Counter(atom.GetSymbol() for atom in molecule.GetAtoms())
    symbols.subtract(atom.GetSymbol() for atom in parent_molecule(molecule).GetAtoms())
    methoximes, silyls = symbols["N"], symbols["Si"]
    tbdms = (symbols["C"] - methoximes - 3 * silyls) // 3
    return find_derivative(f"{methoximes} MEOX {silyls - tbdms} TMS {tbdms} TBDMS")


def _guess(structure: str, mz: Floats, intensity: Floats, min_silyl: float) -> str:
    height = intensity / intensity.max()
    if height[np.rint(mz) == SILYL_MZ].sum() >= min_silyl:
        return "n TMS"
    molecule = read_structure(structure)
    if molecule is None:
        return ""
    mass = sum(a.GetMass() + HYDROGEN_MASS * a.GetTotalNumHs() for a in molecule.GetAtoms())
    if not np.any(height[mz > mass + ISOTOPES] >= MIN_HEAVIER):
        return ""
    if molecule.HasSubstructMatch(_ACTIVE_HYDROGEN):
        return "n TMS"
    return "n MEOX" if molecule.HasSubstructMatch(CARBONYL) else ""
