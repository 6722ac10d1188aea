"""The substances of every laboratory: what is in GC-MS runs besides, or without, a sample."""

from __future__ import annotations

from dataclasses import replace
from importlib.resources import as_file, files

from gale.library.columns import Library
from gale.library.embedded import embedded_library
from gale.library.reading import read_library

FILES = {
    "gas": "gases.msp",
    "solvent": "solvents.msp",
    "reagent": "reagents.msp",
    "contaminant": "contaminants.msp",
    "bleed": "bleed.msp",
    "volatile": "volatiles.msp",
}
"""The file of each kind, in ``gale/data/substances``."""

KINDS = tuple(FILES)
"""What `substances` can give."""


def substances(kind: str) -> Library:
    """Give the substances of one kind, with their families.

    Their spectra are rounded main ions with the isotopes that belong to them, written down for
    simulation: good to about a tenth of the base peak, and no reference spectra for
    identification. Intensities are relative to a base peak of 999.

    Parameters
    ----------
    kind : str
        ``gas``: permanent gases, and those that minerals give off when heated. ``solvent``.
        ``reagent``: of derivatization, and what becomes of it. ``contaminant``: plasticisers,
        siloxanes, antioxidants, fats, products of the trap. ``bleed``: of two columns.
        ``volatile``: analytes that elute without derivatization, the n-alkanes among them.

    Returns
    -------
    Library
        Every substance but gases and bleed has a retention index on the scale of n-alkanes, for a
        column of 5 % phenyl methyl polysiloxane. Bleed, a mixture, has neither formula nor
        structure.

    Raises
    ------
    ValueError
        If there is no such kind.
    """
    if kind not in FILES:
        raise ValueError(f"{kind!r} is no kind of substances; expected one of {', '.join(KINDS)}")
    with as_file(files("gale") / "data" / "substances" / FILES[kind]) as path:
        return replace(read_library(path), source=f"embedded {FILES[kind]}")


def default_libraries() -> tuple[Library, Library]:
    """Return the analytes that gale brings along: metabolites, and volatile compounds."""
    return embedded_library(), substances("volatile")
