"""Families of compounds, from their structures."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from importlib import resources
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from gale.errors import MissingExtraError, TableError
from gale.plumbing.toml import parse_toml, read_toml_text, unknown_key

try:
    from rdkit import Chem, rdBase
except ModuleNotFoundError as error:
    if error.name != "rdkit":
        raise
    raise MissingExtraError(
        "gale.chemistry.families needs rdkit, which is not installed; "
        "install the extra: pip install 'gale-ms[chem]'"
    ) from None

__all__ = ["FamilyRule", "default_family_table", "families_of", "parent_of", "read_family_table"]

WHAT = "a table of families"
"""What a file of rules is called in messages."""

_KEYS = ("description", "any", "none", "elements_required", "elements_allowed")


@dataclass(frozen=True)
class FamilyRule:
    """What makes a compound one of a family; all that is given must hold.

    Parameters
    ----------
    description : str
        What the family is, in words.
    any_of : tuple of SMARTS patterns
        At least one is found in the structure; empty if that does not matter.
    none_of : tuple of SMARTS patterns
        None is found in the structure.
    elements_required : frozenset of str
        Symbols of elements that the structure holds.
    elements_allowed : frozenset of str
        Symbols of elements besides which it holds none; empty if that does not matter.
    """

    description: str = ""
    any_of: tuple[Chem.Mol, ...] = ()
    none_of: tuple[Chem.Mol, ...] = ()
    elements_required: frozenset[str] = frozenset()
    elements_allowed: frozenset[str] = frozenset()

    def holds(self, molecule: Chem.Mol, elements: frozenset[str]) -> bool:
        """Say whether the rule holds for a molecule of these elements."""
        return (
            self.elements_required <= elements
            and (not self.elements_allowed or elements <= self.elements_allowed)
            and (not self.any_of or any(map(molecule.HasSubstructMatch, self.any_of)))
            and not any(map(molecule.HasSubstructMatch, self.none_of))
        )


FamilyTable = Mapping[str, FamilyRule]
"""The rule of each family, by the family's name, in the order of the columns."""


def families_of(
    structures: Sequence[str | None], table: FamilyTable | None = None, *, parents: bool = True
) -> NDArray[np.float32]:
    """Say for C structures which of K families each is of.

    Parameters
    ----------
    structures : sequence of str or None, length C
        SMILES, or InChI where the text starts with ``InChI=``.
    table : mapping of str to FamilyRule, optional
        The families; without it :func:`default_family_table`.
    parents : bool
        Look at the compound that was derivatized, as :func:`parent_of` gives it.

    Returns
    -------
    array of shape (C, K), float32
        1 where a structure is of the family, 0 where it is not, as in a label table; a row of NaN
        where the structure is missing or cannot be read.
    """
    rules = (default_family_table() if table is None else table).values()
    families = np.full((len(structures), len(rules)), np.nan, dtype=np.float32)
    for row, structure in enumerate(structures):
        molecule = read_structure(structure)
        if molecule is not None:
            molecule = parent_molecule(molecule) if parents else molecule
            elements = _elements(molecule)
            families[row] = [rule.holds(molecule, elements) for rule in rules]
    return families


def parent_of(structure: str) -> str:
    """Return the compound that was derivatized, as canonical SMILES without isotopes.

    Trimethylsilyl and *tert*-butyldimethylsilyl groups on oxygen, nitrogen and sulfur give way to
    hydrogen, and methoximes of aldehydes and ketones to the carbonyl group. Silyl groups stay where
    nothing else is bound to that atom, as in the reagents and in siloxanes.

    Parameters
    ----------
    structure : str
        SMILES, or InChI where the text starts with ``InChI=``.

    Raises
    ------
    TableError
        If the structure cannot be read.
    """
    molecule = read_structure(structure)
    if molecule is None:
        raise TableError(f"{structure!r}: cannot be read; expected a structure as SMILES or InChI")
    return Chem.MolToSmiles(parent_molecule(molecule))


@cache
def default_family_table() -> FamilyTable:
    """Return the nine families that gale brings along."""
    source = resources.files("gale") / "data" / "families.toml"
    return _parse_table(source.read_text("utf-8"), "gale/data/families.toml")


def read_family_table(path: Path | str) -> FamilyTable:
    """Read families and their rules from a TOML file: one table a family, all of its keys optional.

    The keys are ``description``; ``any`` and ``none``, lists of SMARTS; ``elements_required`` and
    ``elements_allowed``, lists of symbols.

    Raises
    ------
    TableError
        If the file cannot be read as TOML, holds no family, or a family has an unknown key, a
        value of the wrong kind, a malformed SMARTS, an unknown element, or no rule at all.
    """
    return _parse_table(read_toml_text(Path(path), WHAT, TableError), str(path))


def _parse_table(text: str, source: str) -> FamilyTable:
    data = parse_toml(text, source, WHAT, TableError)
    if not data:
        raise TableError(f"{source}: no family was found; expected a table for each, as [alcohol]")
    return {family: _parse_rule(rule, f"{source}: {family}") for family, rule in data.items()}


def _parse_rule(data: Any, where: str) -> FamilyRule:
    if not isinstance(data, dict):
        raise TableError(f"{where} is no table; expected one of {', '.join(_KEYS)} under [family]")
    for key in data.keys() - set(_KEYS):
        raise TableError(f"{where}.{key}", *unknown_key(key, _KEYS))
    if not any(data.get(key) for key in _KEYS[1:]):
        raise TableError(f"{where} has no rule; expected at least one of {', '.join(_KEYS[1:])}")
    description = data.get("description", "")
    if not isinstance(description, str):
        raise TableError(f"{where}.description = {description!r}: expected text")
    return FamilyRule(
        " ".join(description.split()),
        any_of=tuple(read_pattern(text, where + ".any") for text in _texts(data, "any", where)),
        none_of=tuple(read_pattern(text, where + ".none") for text in _texts(data, "none", where)),
        elements_required=_symbols(data, "elements_required", where),
        elements_allowed=_symbols(data, "elements_allowed", where),
    )


def _texts(data: dict[str, Any], key: str, where: str) -> list[str]:
    texts = data.get(key, [])
    if not (isinstance(texts, list) and all(isinstance(text, str) for text in texts)):
        raise TableError(f"{where}.{key} = {texts!r}: expected a list of texts")
    return texts


def read_pattern(smarts: str, where: str) -> Chem.Mol:
    """Read SMARTS; `where` it was found is named in the message.

    Raises
    ------
    TableError
        If it is no SMARTS pattern.
    """
    with rdBase.BlockLogs():
        pattern = Chem.MolFromSmarts(smarts)
    if pattern is None or pattern.GetNumAtoms() == 0:
        raise TableError(f"{where}: {smarts!r} is not a SMARTS pattern; correct it")
    return pattern


def _symbols(data: dict[str, Any], key: str, where: str) -> frozenset[str]:
    known = {Chem.GetPeriodicTable().GetElementSymbol(number) for number in range(1, 119)}
    symbols = frozenset(_texts(data, key, where))
    for symbol in sorted(symbols - known):
        raise TableError(f"{where}.{key}: {symbol!r} is not an element; expected symbols, as 'Cl'")
    return symbols


def _elements(molecule: Chem.Mol) -> frozenset[str]:
    atoms = molecule.GetAtoms()
    hydrogen = ["H"] if any(atom.GetTotalNumHs() for atom in atoms) else []
    return frozenset([atom.GetSymbol() for atom in atoms] + hydrogen)


def read_structure(text: str | None) -> Chem.Mol | None:
    """Read SMILES, or InChI, without isotopes; None where that is impossible."""
    text = (text or "").strip()
    read = Chem.MolFromInchi if text.startswith("InChI=") else Chem.MolFromSmiles
    with rdBase.BlockLogs():
        molecule = read(text)
        if molecule is None or molecule.GetNumAtoms() == 0:
            return None
        for atom in molecule.GetAtoms():
            atom.SetIsotope(0)
        return Chem.RemoveHs(molecule)  # deuterium is an atom of its own until then


# What a silyl group sits on must be bound to something else than silicon: siloxanes, and reagents
# such as hexamethyldisilazane, are no derivatives.
_SILYL = [
    Chem.MolFromSmarts(f"[#7,#8,#16;$(*~[!#14])]-[Si](-[CH3])(-[CH3])-{rest}")
    for rest in ("[CH3]", "C(-[CH3])(-[CH3])-[CH3]")
]
_METHOXIME = Chem.MolFromSmarts("[CX3;!$(C-[!#6])]=[NX2]-[OX2]-[CH3]")


def parent_molecule(molecule: Chem.Mol) -> Chem.Mol:
    """Take derivatization groups off a molecule, as :func:`parent_of` says."""
    silyl = [match for group in _SILYL for match in molecule.GetSubstructMatches(group)]
    methoxime = molecule.GetSubstructMatches(_METHOXIME)
    if not (silyl or methoxime):
        return molecule
    parent = Chem.RWMol(molecule)
    leaving: set[int] = set()
    for base, *group in silyl:
        atom = parent.GetAtomWithIdx(base)
        atom.SetNumExplicitHs(atom.GetNumExplicitHs() + 1)
        leaving.update(group)
    for _carbon, nitrogen, *group in methoxime:
        parent.GetAtomWithIdx(nitrogen).SetAtomicNum(8)
        leaving.update(group)
    for index in sorted(leaving, reverse=True):
        parent.RemoveAtom(index)
    Chem.SanitizeMol(parent)
    return parent.GetMol()
