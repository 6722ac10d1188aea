"""Retention indices from structures: a sum over atoms and groups."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from importlib import resources
from math import log
from typing import Any

import numpy as np
import polars as pl

from gale.chemistry.derivatives import CARBONYL, drawn_derivative
from gale.chemistry.structures import parent_molecule, read_pattern, read_structure
from gale.errors import GaleError
from gale.library.derivative_names import UNKNOWN, find_derivative
from gale.plumbing.kinds import checked
from gale.run import Floats

FILE = "retention_terms.csv"
"""Name, SMARTS and index of each term; fitted by ``tools/fit_retention_index.py``."""

ELEMENTS = frozenset(["C", "H", "N", "O", "F", "Si", "P", "S", "Cl", "Br", "I"])
"""Elements that the terms cover."""


@checked
def estimate_retention_index(
    structures: Sequence[str | None], derivatives: Sequence[str] | None = None
) -> Floats:
    """Estimate the retention index of C compounds on a semi-standard non-polar column.

    The model is a sum over atoms and groups, fitted to the embedded library, MassBank and common
    substances. In ten-fold cross-validation by compound, the absolute error has a median of 63 and
    is below 229 in 9 of 10 cases: 70 and 222 for 788 silylated spectra, 52 and 231 for 337 others.
    Common substances and alkanes are estimated best (37 and 175 for 230 of the others), although
    amines are about 200 too high; condensed rings with several nitrogen atoms are worst (caffeine
    is 400 too low). Isomers with the same groups get the same index.

    Parameters
    ----------
    structures : sequence of str or None, length C
        SMILES, or InChI if the text starts with ``InChI=``, of the parent or the derivative.
    derivatives : sequence of str of length C, optional
        The groups that derivatization added, as in `Library.derivative`. With ``n`` silyl groups,
        every O-H and S-H and one N-H of each amine is silylated; with ``n`` methoximes, every
        aldehyde and ketone is converted. Groups in the structure take precedence.

    Returns
    -------
    array of shape (C,)
        On the scale of n-alkanes; NaN where the structure cannot be read, has no carbon, or
        contains an element or a group (TFA) that the model does not cover.

    Examples
    --------
    >>> from gale import estimate_retention_index
    >>> estimate_retention_index(["CCCCCCCCCC", "CC(N)C(=O)O"], ["", "2 TMS"]).round()
    array([1002., 1124.])
    """
    if derivatives is not None and len(derivatives) != len(structures):
        raise GaleError(
            "derivatives",
            f"are {len(derivatives):,}",
            f"as many as structures, {len(structures):,}",
            "give an empty text for a compound without one",
        )
    index: Floats = count_terms(structures, derivatives) @ term_table()["index"].to_numpy()
    return np.maximum(index, 0)


@cache
def term_table() -> pl.DataFrame:
    """Return the terms of the sum: `term`, its `smarts`, and the `index` that each one adds."""
    return pl.read_csv(resources.files("gale").joinpath("data", FILE).read_bytes())


def count_terms(
    structures: Sequence[str | None], derivatives: Sequence[str] | None = None
) -> Floats:
    """Count the terms of each compound, shape (C, terms); NaN where no index can be estimated.

    Parameters and exceptions are those of :func:`estimate_retention_index`.
    """
    stated = [""] * len(structures) if derivatives is None else derivatives
    rows = [_count(*pair) for pair in zip(structures, stated, strict=True)]
    return np.array(rows, dtype=np.float64).reshape(len(rows), len(term_table()))


def _count(structure: str | None, stated: str) -> list[float]:
    molecule = read_structure(structure)
    parent = None if molecule is None else parent_molecule(molecule)
    derivative = drawn_derivative(structure) or find_derivative(stated)
    if parent is None or not _is_covered(parent) or "TFA" in derivative:
        return [np.nan] * len(term_table())
    hydrogens = [
        (atom.GetSymbol(), atom.GetTotalNumHs())
        for atom in parent.GetAtoms()
        if atom.GetSymbol() in ("N", "O", "S")
    ]
    sites = sum(min(n, 1) if symbol == "N" else n for symbol, n in hydrogens)
    carbonyls = len(parent.GetSubstructMatches(CARBONYL))
    tms = _number(derivative, "TMS", sites)
    tbdms = _number(derivative, "TBDMS", sites)
    meox = _number(derivative, "MEOX", carbonyls)
    silyls = tms + tbdms
    free = max(sum(n for _, n in hydrogens) - silyls, 0)
    beside, alone = (free, 0) if silyls else (0, free)
    crowding = silyls * log(max(silyls, 1))  # many groups shield each other and the molecule
    atoms = [len(parent.GetSubstructMatches(pattern)) for pattern in _patterns()]
    return [*atoms, tms, tbdms, meox, beside, alone, crowding]


def _is_covered(molecule: Any) -> bool:
    elements = {atom.GetSymbol() for atom in molecule.GetAtoms()}
    return "C" in elements and elements <= ELEMENTS


def _number(derivative: str, group: str, sites: int) -> int:
    """Return the number of a group in ``1 MEOX 2 TMS``; if unknown, one for each of its sites."""
    words = derivative.split()
    number = words[words.index(group) - 1] if group in words else "0"
    return sites if number == UNKNOWN else int(number)


@cache
def _patterns() -> list[Any]:
    """Return the patterns of the terms that have one; :func:`_count` adds the others after them."""
    return [read_pattern(text, FILE) for text in term_table()["smarts"].drop_nulls()]
