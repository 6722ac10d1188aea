"""Families of compounds, from their structures."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from importlib import resources
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from gale.chemistry.structures import (
    ELEMENTS,
    elements_of,
    parent_molecule,
    parent_of,
    read_pattern,
    read_structure,
)
from gale.errors import TableError
from gale.plumbing.kinds import checked
from gale.plumbing.toml import parse_toml, read_toml_text, unknown_key

if TYPE_CHECKING:
    from rdkit import Chem

__all__ = ["FamilyRule", "default_family_table", "families_of", "parent_of", "read_family_table"]

WHAT = "a table of families"
"""What a file of rules is called in messages."""

_KEYS = ("description", "any", "none", "elements_required", "elements_allowed")


@dataclass(frozen=True)
class FamilyRule:
    """The rule for a family: a compound belongs to it if all given conditions hold.

    Parameters
    ----------
    description : str
        The family in words.
    any_of : tuple of SMARTS patterns
        The structure matches at least one; empty for no condition.
    none_of : tuple of SMARTS patterns
        The structure matches none.
    elements_required : frozenset of str
        Symbols of elements that the structure contains.
    elements_allowed : frozenset of str
        Symbols of the only elements that it may contain; empty for no condition.
    """

    description: str = ""
    any_of: tuple[Chem.Mol, ...] = ()
    none_of: tuple[Chem.Mol, ...] = ()
    elements_required: frozenset[str] = frozenset()
    elements_allowed: frozenset[str] = frozenset()

    def holds(self, molecule: Chem.Mol, elements: frozenset[str]) -> bool:
        """Return whether a molecule with these elements belongs to the family."""
        return (
            self.elements_required <= elements
            and (not self.elements_allowed or elements <= self.elements_allowed)
            and (not self.any_of or any(map(molecule.HasSubstructMatch, self.any_of)))
            and not any(map(molecule.HasSubstructMatch, self.none_of))
        )


FamilyTable = Mapping[str, FamilyRule]
"""The rule of each family by its name, in the order of the columns."""


@checked
def families_of(
    structures: Sequence[str | None], table: FamilyTable | None = None, *, parents: bool = True
) -> NDArray[np.float32]:
    """Find the families of C structures among K families.

    Parameters
    ----------
    structures : sequence of str or None, length C
        SMILES, or InChI if the text starts with ``InChI=``.
    table : mapping of str to FamilyRule, optional
        The families; by default :func:`default_family_table`.
    parents : bool
        Use the compound before derivatization, as :func:`parent_of` returns it.

    Returns
    -------
    array of shape (C, K), float32
        1 where a structure belongs to the family, 0 where it does not, as in a label table; a row
        of NaN where the structure is missing or cannot be read.

    Examples
    --------
    >>> import gale
    >>> families = gale.families_of(["c1ccccc1", "CCO", None])
    >>> families.shape
    (3, 9)
    >>> [name for name, value in zip(gale.default_family_table(), families[0]) if value == 1]
    ['aromatic', 'hydrocarbon']
    """
    rules = (default_family_table() if table is None else table).values()
    families = np.full((len(structures), len(rules)), np.nan, dtype=np.float32)
    for row, structure in enumerate(structures):
        molecule = read_structure(structure)
        if molecule is not None:
            molecule = parent_molecule(molecule) if parents else molecule
            elements = elements_of(molecule)
            families[row] = [rule.holds(molecule, elements) for rule in rules]
    return families


@cache
def default_family_table() -> FamilyTable:
    """Return the nine families that come with gale.

    Examples
    --------
    >>> from gale import default_family_table
    >>> list(default_family_table())[:3]
    ['aromatic', 'hydrocarbon', 'carboxylic_acid']
    """
    source = resources.files("gale") / "data" / "families.toml"
    return _parse_table(source.read_text("utf-8"), "gale/data/families.toml")


@checked
def read_family_table(path: Path | str) -> FamilyTable:
    r"""Read families and their rules from a TOML file: one table per family, all keys optional.

    The keys are ``description``; ``any`` and ``none``, lists of SMARTS; ``elements_required`` and
    ``elements_allowed``, lists of symbols.

    Raises
    ------
    TableError
        If the file cannot be read as TOML or has no family, or if a family has an unknown key, a
        value of the wrong type, an invalid SMARTS, an unknown element, or no rule.

    Examples
    --------
    >>> import tempfile
    >>> from pathlib import Path
    >>> from gale import families_of, read_family_table
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     path = Path(folder, "mine.toml")
    ...     _ = path.write_text('[phenol]\nany = ["[OX2H]c"]')
    ...     table = read_family_table(path)
    >>> families_of(["Oc1ccccc1", "CCO"], table)
    array([[1.],
           [0.]], dtype=float32)
    """
    return _parse_table(read_toml_text(Path(path), WHAT, TableError), str(path))


def _parse_table(text: str, source: str) -> FamilyTable:
    data = parse_toml(text, source, WHAT, TableError)
    if not data:
        raise TableError(source, "has no family", "a table for each family, such as [alcohol]")
    return {family: _parse_rule(rule, f"{source}: {family}") for family, rule in data.items()}


def _parse_rule(data: Any, source: str) -> FamilyRule:
    if not isinstance(data, dict):
        raise TableError(source, "is not a table", f"a table with some of {', '.join(_KEYS)}")
    for key in data.keys() - set(_KEYS):
        raise TableError(f"{source}.{key}", *unknown_key(key, _KEYS))
    if not any(data.get(key) for key in _KEYS[1:]):
        raise TableError(source, "has no rule", f"at least one of {', '.join(_KEYS[1:])}")
    description = data.get("description", "")
    if not isinstance(description, str):
        raise TableError(f"{source}.description", f"is {description!r}", "text")
    return FamilyRule(
        " ".join(description.split()),
        any_of=_patterns(data, "any", source),
        none_of=_patterns(data, "none", source),
        elements_required=_symbols(data, "elements_required", source),
        elements_allowed=_symbols(data, "elements_allowed", source),
    )


def _texts(data: dict[str, Any], key: str, source: str) -> list[str]:
    texts = data.get(key, [])
    if not (isinstance(texts, list) and all(isinstance(text, str) for text in texts)):
        raise TableError(f"{source}.{key}", f"is {texts!r}", "a list of texts")
    return texts


def _patterns(data: dict[str, Any], key: str, source: str) -> tuple[Chem.Mol, ...]:
    return tuple(read_pattern(text, f"{source}.{key}") for text in _texts(data, key, source))


def _symbols(data: dict[str, Any], key: str, source: str) -> frozenset[str]:
    symbols = frozenset(_texts(data, key, source))
    for symbol in sorted(symbols - ELEMENTS):
        expected = "symbols of elements, such as 'Cl'"
        raise TableError(f"{source}.{key}", f"found {symbol!r}", expected)
    return symbols
