"""Substances of every laboratory, which appear in GC-MS runs beside or without a sample."""

from __future__ import annotations

from dataclasses import replace
from importlib.resources import as_file, files

from gale.library.embedded import embedded_library
from gale.library.library import Library
from gale.library.reading import read_library

FILES = {
    "gas": "gases.msp",
    "solvent": "solvents.msp",
    "reagent": "reagents.msp",
    "contaminant": "contaminants.msp",
    "bleed": "bleed.msp",
    "volatile": "volatiles.msp",
    "further": "further.msp",
}
"""The file of each kind, in ``gale/data/substances``."""

KINDS = tuple(FILES)
"""The kinds of :func:`substances`."""

BACKGROUND = ("gas", "solvent", "reagent", "contaminant", "bleed")
"""Kinds of substances that a run has without a sample, too."""


def substances(kind: str) -> Library:
    """Return the substances of one kind, with their families.

    Their spectra are rounded main ions with their isotopes, written for simulation: accurate to
    about a tenth of the base peak (999), and not reference spectra for identification.

    Parameters
    ----------
    kind : str
        ``gas``: permanent gases, and those that minerals release when heated. ``solvent``.
        ``reagent``: derivatization reagents and their by-products. ``contaminant``: plasticisers,
        siloxanes, antioxidants, fats, products of the trap. ``bleed``: of two columns.
        ``volatile``: analytes that elute without derivatization, including the n-alkanes.
        ``further``: more of them, mostly of homologous series, and simple TMS derivatives.

    Returns
    -------
    Library
        All substances except gases and bleed have a retention index on the scale of n-alkanes, for
        a column of 5 % phenyl methyl polysiloxane. Bleed, a mixture, has neither formula nor
        structure.

    Raises
    ------
    ValueError
        If there is no such kind.

    Examples
    --------
    >>> substances("gas").name[:3]
    ('helium', 'hydrogen', 'argon')
    """
    if kind not in FILES:
        raise ValueError(f"kind must be one of {', '.join(KINDS)}, not {kind!r}")
    with as_file(files("gale") / "data" / "substances" / FILES[kind]) as path:
        return replace(read_library(path), source=f"embedded {FILES[kind]}")


def default_libraries() -> tuple[Library, Library]:
    """Return the analytes that come with gale: metabolites and volatile compounds."""
    return embedded_library(), substances("volatile")
