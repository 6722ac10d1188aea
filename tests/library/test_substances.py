"""The substances of every laboratory, and how well their spectra are remembered."""

from __future__ import annotations

import os
import subprocess
import sys
import zipfile
from collections import Counter
from functools import cache
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray
from rdkit import Chem
from rdkit.Chem.rdMolDescriptors import CalcMolFormula

from gale.chemistry.families import default_family_table, families_of
from gale.library import Library, read_library, substances
from gale.library.substances import KINDS

ROOT = Path(__file__).parents[2]
CROWD = {
    "gas": 20, "solvent": 20, "reagent": 20, "contaminant": 40, "bleed": 2, "volatile": 80,
    "further": 400,
}  # fmt: skip
SINGLE = (
    "hydrocarbon",
    "carboxylic_acid",
    "nitrogen_bearing_compound",
    "chlorine_bearing_compound",
    "sulfur_bearing_compound",
    "alcohol",
    "other_oxygen_bearing_compound",
)
AROMATIC = (
    "hydrocarbon",
    "chlorine_bearing_compound",
    "sulfur_bearing_compound",
    "nitrogen_bearing_compound",
)

of_kind = cache(substances)


def ions(kind: str, name: str) -> dict[int, float]:
    library = of_kind(kind)
    mz, intensity = library.spectrum(library.name.index(name))
    return dict(zip(mz.astype(int).tolist(), intensity.tolist(), strict=True))


@pytest.mark.parametrize("kind", KINDS)
def test_every_record_reads(kind: str) -> None:
    library = of_kind(kind)
    assert not library.skipped
    assert len(library) >= CROWD[kind]
    assert len(set(library.name)) == len(library)
    assert library.source.startswith("embedded ")
    assert (library.mz == np.rint(library.mz)).all()
    assert library.mz.min() >= 1
    assert library.mz.max() <= 600
    assert library.intensity.min() > 0
    for compound in range(len(library)):
        mz, intensity = library.spectrum(compound)
        assert intensity.max() == 999
        assert (np.diff(mz) > 0).all()
        most = 60 if kind == "further" else 25
        assert kind == "gas" or 5 <= len(mz) <= most, library.name[compound]


@pytest.mark.parametrize("kind", KINDS)
def test_retention_indices(kind: str) -> None:
    library = of_kind(kind)
    known = np.isfinite(library.retention_index)
    assert known.all() if kind not in ("gas", "bleed") else not known.any()
    index = dict(zip(library.smiles, library.retention_index, strict=True))
    for smiles in index:
        if smiles and set(smiles) == {"C"}:  # n-alkanes define the scale
            assert index[smiles] == 100 * len(smiles)


@pytest.mark.parametrize("kind", KINDS)
def test_families_are_those_of_the_structures(kind: str) -> None:
    library = of_kind(kind)
    names = np.array(list(default_family_table()))
    rows = families_of(library.smiles)
    for compound, row in enumerate(rows):
        if library.smiles[compound]:
            expected = tuple(names[row == 1].tolist())
            assert library.families[compound] == expected, library.name[compound]
        else:
            assert kind == "bleed"
            assert library.families[compound] == ()


@pytest.mark.parametrize("kind", [kind for kind in KINDS if kind != "bleed"])
def test_formulas_and_the_heaviest_ions(kind: str) -> None:
    library = of_kind(kind)
    table = Chem.GetPeriodicTable()
    for compound, name in enumerate(library.name):
        molecule = Chem.AddHs(Chem.MolFromSmiles(library.smiles[compound]))
        assert CalcMolFormula(molecule).rstrip("+-") == library.formula[compound], name
        symbols = [atom.GetSymbol() for atom in molecule.GetAtoms()]
        mass = sum(round(table.GetMostCommonIsotopeMass(symbol)) for symbol in symbols)
        heavier = sum(2 for symbol in symbols if symbol in ("Br", "Cl", "S", "Si"))
        assert library.spectrum(compound)[0].max() <= mass + heavier + 2, name


def test_volatiles_of_every_family() -> None:
    crowd = Counter(of_kind("volatile").families)
    assert {family: n for family in SINGLE if (n := crowd[(family,)]) < 8} == {}
    assert {family: n for family in AROMATIC if (n := crowd["aromatic", family]) < 6} == {}
    assert crowd[("aromatic",)] >= 6


def test_isotopes() -> None:
    # where one ion alone holds chlorine, bromine, sulfur or silicon: natural abundances
    for kind, name, mz, heavier, ratio in (
        ("gas", "hydrogen chloride", 36, 38, 0.320),
        ("gas", "sulfur dioxide", 64, 66, 0.045),
        ("volatile", "chloromethane", 50, 52, 0.320),
        ("volatile", "chlorobenzene", 112, 114, 0.320),
        ("volatile", "1,4-dichlorobenzene", 146, 148, 0.640),
        ("volatile", "carbon tetrachloride", 117, 121, 0.307),
        ("volatile", "tetrachloroethylene", 164, 166, 1.280),
        ("volatile", "hexachlorobenzene", 282, 284, 1.920),
        ("volatile", "bromobenzene", 156, 158, 0.973),
        ("volatile", "thiophene", 84, 86, 0.045),
        ("contaminant", "octamethylcyclotetrasiloxane (D4)", 281, 282, 0.279),
        ("contaminant", "octamethylcyclotetrasiloxane (D4)", 281, 283, 0.164),
    ):
        spectrum = ions(kind, name)
        assert spectrum[heavier] / spectrum[mz] == pytest.approx(ratio, rel=0.05), (name, mz)


def test_well_known_base_peaks() -> None:
    def base(kind: str, name: str) -> int:
        spectrum = ions(kind, name)
        return max(spectrum, key=spectrum.__getitem__)

    assert base("gas", "helium") == 4
    assert base("solvent", "toluene") == 91
    assert base("reagent", "hexamethyldisiloxane") == 147
    assert base("contaminant", "dibutyl phthalate") == 149
    assert {base("bleed", name) for name in of_kind("bleed").name} == {207}
    assert base("volatile", "naphthalene") == 128


def test_an_unknown_kind() -> None:
    with pytest.raises(ValueError, match="'gases'"):
        substances("gases")


@pytest.mark.slow
def test_from_within_a_zip(tmp_path: Path) -> None:
    packed = tmp_path / "gale.zip"
    with zipfile.ZipFile(packed, "w") as archive:
        for file in (ROOT / "src" / "gale").rglob("*"):
            if file.suffix in (".py", ".msp"):
                archive.write(file, file.relative_to(ROOT / "src"))
    code = (
        f"import sys; sys.path.insert(0, {str(packed)!r})\n"
        "import gale.library\n"
        "print(gale.__file__, len(gale.library.substances('gas')))"
    )
    command = [sys.executable, "-c", code]
    done = subprocess.run(command, capture_output=True, text=True, check=True, cwd=tmp_path)
    assert done.stdout.split() == [str(packed / "gale" / "__init__.py"), str(len(of_kind("gas")))]


def roots(library: Library, compound: int) -> NDArray[np.float64]:
    """Square roots of the intensities from m/z 29 to 350, of length 1."""
    mz, intensity = library.spectrum(compound)
    nominal = np.rint(mz).astype(np.int64)
    seen = (nominal >= 29) & (nominal <= 350)
    spectrum = np.sqrt(np.bincount(nominal[seen], intensity[seen], minlength=351))
    return spectrum / max(float(np.linalg.norm(spectrum)), 1e-9)


@pytest.mark.slow
@pytest.mark.skipif("GALE_EXTRA_DATA" not in os.environ, reason="GALE_EXTRA_DATA is not set")
def test_spectra_are_like_measured_ones() -> None:
    file = Path(os.environ["GALE_EXTRA_DATA"]) / "libraries" / "massbank_ei.msp.gz"
    measured = read_library(file)
    places: dict[str, list[int]] = {}
    for compound, key in enumerate(measured.inchikey):
        places.setdefault(key[:14], []).append(compound)
    cosine = {}
    for library in map(of_kind, ("solvent", "reagent", "contaminant", "volatile")):
        for compound, name in enumerate(library.name):
            molecule = Chem.MolFromSmiles(library.smiles[compound])
            key = Chem.MolToInchiKey(molecule)  # type: ignore[no-untyped-call]
            likeness = [
                float(roots(library, compound) @ roots(measured, place))
                for place in places.get(key[:14], ())  # some of them derivatives of it
            ]
            if likeness:
                cosine[name] = max(likeness)
    assert len(cosine) > 80
    assert {name: value for name, value in cosine.items() if value < 0.75} == {}
    assert np.median(list(cosine.values())) > 0.9
