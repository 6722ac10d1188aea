"""Retention indices from structures: a sum over atoms and groups.

Needs RDKit (the extra ``chem``), as :mod:`gale.chemistry.families` does.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from importlib import resources
from math import log
from typing import Any

import numpy as np
import polars as pl

from gale.chemistry.derivatives import CARBONYL, drawn_derivative
from gale.chemistry.families import parent_molecule, read_pattern, read_structure
from gale.library.derivative_names import UNKNOWN, find_derivative
from gale.run import Floats

FILE = "retention_terms.csv"
"""Name, SMARTS and index of every term; fitted by ``tools/fit_retention_index.py``."""

ELEMENTS = frozenset(["C", "H", "N", "O", "F", "Si", "P", "S", "Cl", "Br", "I"])
"""Elements of which the terms know."""


def estimate_retention_index(
    structures: Sequence[str | None], derivatives: Sequence[str] | None = None
) -> Floats:
    """Estimate the retention index of C compounds on a semi-standard non-polar column.

    The model is a sum over atoms and groups, fitted to the embedded library, to MassBank, and to
    common substances. Ten-fold cross-validation by compound gives absolute errors of 63 on the
    median and 229 in 9 of 10 cases: 70 and 222 for 788 silylated spectra, 52 and 231 for 337
    others. Of these, common substances and alkanes are estimated best (37 and 175 for 230),
    although amines come out some 200 too high; condensed rings of several nitrogen atoms worst
    (caffeine is 400 too low). Isomers are told apart only by their groups.

    Parameters
    ----------
    structures : sequence of str or None, length C
        SMILES, or InChI where the text starts with ``InChI=``; of the parent or the derivative.
    derivatives : sequence of str of length C, optional
        The groups that derivatization put in, as `Library.derivative` has them. Of ``n`` silyl
        groups every O-H, S-H and N-H takes part, and each amine once; of ``n`` methoximes every
        aldehyde and ketone. Groups that the structure shows go before what is said here.

    Returns
    -------
    array of shape (C,)
        On the scale of n-alkanes; NaN where the structure cannot be read, has no carbon, or holds
        an element or a group (TFA) of which the model knows nothing.
    """
    index: Floats = count_terms(structures, derivatives) @ term_table()["index"].to_numpy()
    return np.maximum(index, 0)


@cache
def term_table() -> pl.DataFrame:
    """Give the terms of the sum: `term`, its `smarts`, and the `index` that each one adds."""
    return pl.read_csv(resources.files("gale").joinpath("data", FILE).read_bytes())


def count_terms(
    structures: Sequence[str | None], derivatives: Sequence[str] | None = None
) -> Floats:
    """Count the terms of each compound, shape (C, terms); NaN where that is impossible."""
    stated = [""] * len(structures) if derivatives is None else derivatives
    rows = [_count(*pair) for pair in zip(structures, stated, strict=True)]
    return np.array(rows, dtype=np.float64).reshape(len(rows), len(term_table()))


def _count(structure: str | None, stated: str) -> list[float]:
    molecule = read_structure(structure)
    parent = None if molecule is None else parent_molecule(molecule)
    derivative = drawn_derivative(structure) or find_derivative(stated)
    if parent is None or not _is_known(parent) or "TFA" in derivative:
        return [np.nan] * len(term_table())
    hydrogens = [
        (atom.GetSymbol(), atom.GetTotalNumHs())
        for atom in parent.GetAtoms()
        if atom.GetSymbol() in ("N", "O", "S")
    ]
    places = sum(min(n, 1) if symbol == "N" else n for symbol, n in hydrogens)
    carbonyls = len(parent.GetSubstructMatches(CARBONYL))
    tms = _number(derivative, "TMS", places)
    tbdms = _number(derivative, "TBDMS", places)
    meox = _number(derivative, "MEOX", carbonyls)
    silyls = tms + tbdms
    left = max(sum(n for _, n in hydrogens) - silyls, 0)
    beside, alone = (left, 0) if silyls else (0, left)
    crowding = silyls * log(max(silyls, 1))  # many groups shield each other and the molecule
    atoms = [len(parent.GetSubstructMatches(pattern)) for pattern in _patterns()]
    return [*atoms, tms, tbdms, meox, beside, alone, crowding]


def _is_known(molecule: Any) -> bool:
    elements = {atom.GetSymbol() for atom in molecule.GetAtoms()}
    return "C" in elements and elements <= ELEMENTS


def _number(derivative: str, group: str, places: int) -> int:
    """How many of a group ``1 MEOX 2 TMS`` names; as many as have places if that is unknown."""
    words = derivative.split()
    number = words[words.index(group) - 1] if group in words else "0"
    return places if number == UNKNOWN else int(number)


@cache
def _patterns() -> list[Any]:
    """Of the terms that have one; the others come after them and are counted by hand."""
    return [read_pattern(text, FILE) for text in term_table()["smarts"].drop_nulls()]
