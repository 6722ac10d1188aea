"""Make the further substances that come with gale, from facts and from rules of homologous series.

    python tools/make_substances.py

Main ions and retention indices are written down in ``tools/substances/*.txt``, one substance a
line, and in ``tools/series.py`` as rules of what the members of a homologous series have in common.
This adds isotopes, formula, InChIKey and families, and writes
``src/gale/data/substances/further.msp``. ``python -m benchmarks.library.agreement`` compares them
with measured spectra.

A line is ``name | SMILES | retention index | ions``. An ion is its m/z, the elements whose isotopes
it shows, and its height in percent of the base peak: ``162Cl2 100`` stands for 162, 164 and 166.
Heights count isotopes of carbon, but not those of the elements: these are added.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from rdkit import Chem
from rdkit.Chem.rdMolDescriptors import CalcMolFormula

from gale.chemistry.families import default_family_table, families_of
from gale.plumbing.files import writing
from tools.series import SERIES, carbon_13

ROOT = Path(__file__).parent.parent
FACTS = Path(__file__).parent / "substances"
DERIVATIZED = FACTS / "derivatized"
OUTPUT = ROOT / "src" / "gale" / "data" / "substances" / "further.msp"

ISOTOPES = {"Cl": {2: 0.320}, "S": {1: 0.008, 2: 0.045}, "Si": {1: 0.051, 2: 0.034}}
"""Heights of the isotopes of an element, by what they are heavier, over that of the lightest."""

MASSES = {"Cl": 35, "S": 32, "Si": 28}

LEAST, MOST = 0.8, 60
"""Least height of an ion in percent, and most ions of a spectrum."""

IONS_PER_LINE = 8
_ION = re.compile(r"(\d+)((?:[A-Z][a-z]?\d*)*) ([\d.]+)")
_ELEMENT = re.compile(r"([A-Z][a-z]?)(\d*)")

Ions = Mapping[int, float]


@dataclass(frozen=True)
class Fact:
    """A substance as it is written down: heights of ions in percent, by m/z."""

    name: str
    smiles: str
    index: float
    ions: Ions


def parse_ions(text: str) -> dict[int, float]:
    """Read ``146Cl2 100, 111Cl 40`` and add the isotopes.

    Examples
    --------
    >>> parse_ions("50Cl 100, 15 70")
    {15: 70.0, 50: 100.0, 52: 32.0}
    """
    listed: dict[int, tuple[str, float]] = {}
    total: dict[int, float] = {}
    for each in text.split(","):
        found = _ION.fullmatch(each.strip())
        if found is None:
            raise SystemExit(f"{each.strip()!r} is no ion; expected one like '162Cl2 100'")
        mz, height = int(found[1]), float(found[3])
        if mz in listed:
            raise SystemExit(f"m/z {mz} is given twice in {text!r}")
        listed[mz] = found[2], height
        for heavier, share in _pattern(found[2]).items():
            total[mz + heavier] = total.get(mz + heavier, 0.0) + height * share
    for mz, (elements, height) in listed.items():
        if mz + 1 not in listed:
            organic = mz - sum(MASSES[each] for each in _atoms(elements))
            total[mz + 1] = total.get(mz + 1, 0.0) + carbon_13(organic, height)
    return {mz: height for mz, height in sorted(total.items()) if height >= LEAST}


def _pattern(elements: str) -> dict[int, float]:
    """Heights of the isotopes of some atoms, by what they are heavier."""
    pattern = {0: 1.0}
    for element in _atoms(elements):
        with_one: dict[int, float] = {}
        for heavier, share in pattern.items():
            for more, of_it in ({0: 1.0} | ISOTOPES[element]).items():
                with_one[heavier + more] = with_one.get(heavier + more, 0.0) + share * of_it
        pattern = with_one
    return pattern


def _atoms(elements: str) -> list[str]:
    """Name each atom: Cl and Cl of ``Cl2``."""
    return [
        element for element, number in _ELEMENT.findall(elements) for _ in range(int(number or 1))
    ]


def read_facts() -> Iterator[Fact]:
    """Read what is written down, then what follows from the rules of series, then derivatives."""
    yield from written(FACTS)
    for series in SERIES:
        yield from (Fact(*member) for member in series())
    yield from written(DERIVATIZED)


def written(folder: Path) -> Iterator[Fact]:
    """Read the files of a folder."""
    for file in sorted(folder.glob("*.txt")):
        for line in file.read_text("utf-8").splitlines():
            if line and not line.startswith("#"):
                name, smiles, index, ions = (each.strip() for each in line.split("|"))
                yield Fact(name, smiles, float(index), parse_ions(ions))


def record(fact: Fact) -> str:
    """Write a substance as a record of MSP."""
    molecule = Chem.MolFromSmiles(fact.smiles)
    if molecule is None:
        raise SystemExit(f"{fact.name}: {fact.smiles} is no SMILES")
    (row,) = families_of([fact.smiles])
    families = [name for name, holds in zip(default_family_table(), row, strict=True) if holds]
    key = Chem.MolToInchiKey(molecule)  # type: ignore[no-untyped-call]
    strongest = sorted(fact.ions.items(), key=lambda ion: -ion[1])[:MOST]
    base = strongest[0][1]
    ions = [f"{mz} {round(999 * height / base)}" for mz, height in sorted(strongest)]
    lines = ["; ".join(ions[at : at + IONS_PER_LINE]) for at in range(0, len(ions), IONS_PER_LINE)]
    return "\n".join(
        [
            f"Name: {fact.name}",
            f"Formula: {CalcMolFormula(molecule)}",
            f"SMILES: {fact.smiles}",
            f"InChIKey: {key}",
            f"RI: {fact.index:.0f}",
            f"Families: {'; '.join(families) or 'none'}",
            f"Num Peaks: {len(ions)}",
            *lines,
        ]
    )


def make() -> str:
    """Make the whole file."""
    facts = list(read_facts())
    names = [fact.name for fact in facts]
    if twice := sorted({name for name in names if names.count(name) > 1}):
        raise SystemExit(f"given twice: {', '.join(twice)}")
    return "\n\n".join(record(fact) for fact in facts) + "\n"


def main() -> None:
    """Write the file."""
    with writing(OUTPUT, force=True) as temporary:
        temporary.write_text(make(), "utf-8")
    sys.stdout.write(f"{OUTPUT}: {OUTPUT.stat().st_size:,} bytes\n")


if __name__ == "__main__":
    main()
