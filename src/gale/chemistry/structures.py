"""Structures read by RDKit, and the parents of derivatized compounds."""

from __future__ import annotations

from gale.errors import MissingExtraError, TableError
from gale.plumbing.kinds import checked

try:
    from rdkit import Chem, rdBase
except ModuleNotFoundError as error:
    if error.name != "rdkit":
        raise
    raise MissingExtraError(
        "gale.chemistry",
        "needs rdkit, which is not installed",
        remedy="install the extra: pip install 'gale-ms[chem]'",
    ) from None

ELEMENTS = frozenset(Chem.GetPeriodicTable().GetElementSymbol(number) for number in range(1, 119))
"""Symbols of all elements."""


def read_structure(text: str | None) -> Chem.Mol | None:
    """Read SMILES, or InChI, without isotopes; None if that is impossible."""
    text = (text or "").strip()
    read = Chem.MolFromInchi if text.startswith("InChI=") else Chem.MolFromSmiles
    with rdBase.BlockLogs():
        molecule = read(text)
        if molecule is None or molecule.GetNumAtoms() == 0:
            return None
        for atom in molecule.GetAtoms():
            atom.SetIsotope(0)
        return Chem.RemoveHs(molecule)  # until then deuterium is an atom of its own


def read_pattern(smarts: str, source: str) -> Chem.Mol:
    """Read a SMARTS pattern from `source`.

    Raises
    ------
    TableError
        If it is not a SMARTS pattern.
    """
    with rdBase.BlockLogs():
        pattern = Chem.MolFromSmarts(smarts)
    if pattern is None or pattern.GetNumAtoms() == 0:
        raise TableError(source, f"found {smarts!r}", "a SMARTS pattern", "correct it")
    return pattern


def inchikey_of(structure: str | None) -> str:
    """Return the InChIKey of a structure; empty if it is missing or cannot be read.

    Examples
    --------
    >>> inchikey_of("CCO"), inchikey_of("no structure")
    ('LFQSCWFLJHTTHZ-UHFFFAOYSA-N', '')
    """
    molecule = read_structure(structure)
    if molecule is None:
        return ""
    with rdBase.BlockLogs():
        key: str = Chem.MolToInchiKey(molecule)  # type: ignore[no-untyped-call]
    return key


def elements_of(molecule: Chem.Mol) -> frozenset[str]:
    """Return the symbols of the elements in a molecule."""
    atoms = molecule.GetAtoms()
    hydrogen = ["H"] if any(atom.GetTotalNumHs() for atom in atoms) else []
    return frozenset([atom.GetSymbol() for atom in atoms] + hydrogen)


# A silyl group only counts where its atom is also bound to something other than silicon: siloxanes,
# and reagents such as hexamethyldisilazane, are not derivatives.
_SILYL = [
    Chem.MolFromSmarts(f"[#7,#8,#16;$(*~[!#14])]-[Si](-[CH3])(-[CH3])-{rest}")
    for rest in ("[CH3]", "C(-[CH3])(-[CH3])-[CH3]")
]
_METHOXIME = Chem.MolFromSmarts("[CX3;!$(C-[!#6])]=[NX2]-[OX2]-[CH3]")


def parent_molecule(molecule: Chem.Mol) -> Chem.Mol:
    """Remove the groups that derivatization added, as :func:`parent_of` describes."""
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


@checked
def parent_of(structure: str) -> str:
    """Return the compound before derivatization, as canonical SMILES without isotopes.

    Hydrogen replaces trimethylsilyl and *tert*-butyldimethylsilyl groups on oxygen, nitrogen and
    sulfur, and a carbonyl group replaces methoximes of aldehydes and ketones. Silyl groups stay
    where nothing else is bound to their atom, as in reagents and siloxanes.

    Parameters
    ----------
    structure : str
        SMILES, or InChI if the text starts with ``InChI=``.

    Raises
    ------
    TableError
        If the structure cannot be read.

    Examples
    --------
    >>> from gale import parent_of
    >>> parent_of("CC(=O)O[Si](C)(C)C")
    'CC(=O)O'
    """
    molecule = read_structure(structure)
    if molecule is None:
        raise TableError("structure", f"is {structure!r}", "SMILES or InChI", "correct it")
    return Chem.MolToSmiles(parent_molecule(molecule))
