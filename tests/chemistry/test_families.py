"""Families from structures: known molecules, derivatives, tables of a user, invalid tables."""

from __future__ import annotations

import errno
import gzip
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from rdkit import Chem

from gale.chemistry.families import default_family_table, families_of, parent_of, read_family_table
from gale.errors import TableError
from helpers.commands import without
from helpers.errors import Facts, refused
from helpers.known_molecules import CODES, DERIVATIVES, MOLECULES, rows

FAMILIES = list(CODES.values())
KEYS = ("description", "any", "none", "elements_required", "elements_allowed")


def named(structure: str, *, parents: bool = True) -> set[str]:
    """Names of the families of one structure."""
    (values,) = families_of([structure], parents=parents)
    return {family for family, value in zip(FAMILIES, values, strict=True) if value == 1}


def test_the_nine_families() -> None:
    table = default_family_table()
    assert list(table) == FAMILIES
    assert all(rule.description for rule in table.values())


@pytest.mark.parametrize(("name", "smiles", "codes"), rows(MOLECULES))
def test_known_molecule(name: str, smiles: str, codes: str) -> None:
    assert named(smiles) == {CODES[code] for code in codes.split() if code != "-"}


def test_the_known_molecules_try_every_family() -> None:
    molecules = rows(MOLECULES)
    count = families_of([smiles for _, smiles, _ in molecules]).sum(axis=0)
    assert len(molecules) > 100
    assert np.all((count >= 8) & (count <= len(molecules) / 2))


def test_inchi_and_smiles_agree(capfd: pytest.CaptureFixture[str]) -> None:
    smiles = [smiles for _, smiles, _ in rows(MOLECULES)]
    inchi = list(map(Chem.MolToInchi, map(Chem.MolFromSmiles, smiles)))
    capfd.readouterr()
    np.testing.assert_array_equal(families_of(inchi), families_of(smiles))
    assert capfd.readouterr() == ("", "")


@pytest.mark.parametrize(("name", "smiles", "parent"), rows(DERIVATIVES))
def test_parent(name: str, smiles: str, parent: str) -> None:
    canonical = Chem.MolToSmiles(Chem.MolFromSmiles(parent))
    assert parent_of(smiles) == canonical
    assert parent_of(canonical) == canonical
    assert named(smiles) == named(parent)


def test_families_of_a_derivative_itself() -> None:
    ester = "CCCC(=O)O[Si](C)(C)C"
    assert named(ester) == {"carboxylic_acid"}
    assert named(ester, parents=False) == {"other_oxygen_bearing_compound"}


def test_isotopes_change_nothing() -> None:
    assert named("[2H]C([2H])([2H])[2H]") == {"hydrocarbon"}
    assert named("[13CH3]CO[2H]") == {"alcohol"}
    assert parent_of("[13CH3]CO[2H]") == "CCO"


def test_what_cannot_be_read_is_unknown(capfd: pytest.CaptureFixture[str]) -> None:
    bad = ["", " ", None, "C1CC", "C(C)(C)(C)(C)C", "not a structure", "InChI=1S/rubbish"]
    values = families_of(["CCO", *bad, "InChI=1S/CH4/h1H4\n"])
    assert values.shape == (9, 9)
    assert values.dtype == np.float32
    np.testing.assert_array_equal(np.isnan(values).all(axis=1), [False] + [True] * 7 + [False])
    np.testing.assert_array_equal(np.isnan(values).any(axis=1), np.isnan(values).all(axis=1))
    assert capfd.readouterr() == ("", "")
    with refused(TableError, "structure", found="'C1CC'", expected=("SMILES", "InChI")):
        parent_of("C1CC")


def test_no_structures() -> None:
    assert families_of([]).shape == (0, 9)


@given(st.text(alphabet="CNOSc1=()[]+-#@H.Cl/InChI Si", max_size=25))
def test_any_text(text: str) -> None:
    (values,) = families_of([text])
    assert np.isnan(values).all() or set(values) <= {0.0, 1.0}


FRAGMENTS = ["C", "CC(=O)O", "N", "c1ccccc1", "Cl", "S", "CO", "C=O", "O[Si](C)(C)C"]


@given(st.lists(st.sampled_from(FRAGMENTS), min_size=1, max_size=4), st.integers(1, 10**6))
def test_the_way_of_writing_changes_nothing(fragments: list[str], seed: int) -> None:
    molecule = Chem.MolFromSmiles("C(" + ")C(".join(fragments) + ")C")
    one, other = families_of(list(Chem.MolToRandomSmilesVect(molecule, 2, randomSeed=seed)))
    np.testing.assert_array_equal(one, other)


def write(folder: Path, text: str) -> Path:
    path = folder / "mine.toml"
    path.write_text(text, encoding="utf-8")
    return path


def test_a_table_of_a_user(tmp_path: Path) -> None:
    path = write(
        tmp_path,
        '[phenol]\nany = ["[OX2H]c"]\nnone = ["[#7]"]\n'
        '[halogenated]\ndescription = """\nF to\nI"""\nany = ["[F,Cl,Br,I]"]\n'
        '[chlorofluorocarbon]\nelements_required = ["Cl", "F"]\n'
        'elements_allowed = ["C", "Cl", "F"]\n',
    )
    table = read_family_table(path)
    assert list(table) == ["phenol", "halogenated", "chlorofluorocarbon"]
    assert table["halogenated"].description == "F to I"
    structures = ["Oc1ccccc1", "Oc1ccc(N)cc1", "Oc1ccc(Cl)cc1", "FC(F)(Cl)Cl", "FC(F)Cl", "?"]
    nan = np.nan
    np.testing.assert_array_equal(
        families_of(structures, table),
        [[1, 0, 0], [0, 0, 0], [1, 1, 0], [0, 1, 1], [0, 1, 0], [nan, nan, nan]],
    )


@pytest.mark.parametrize(
    ("text", "key", "found", "expected", "remedy"),
    [
        ("", "", "no family", "[alcohol]", ""),
        ("[x\n", "", "TOML", "a table of families", ""),
        ("x = 1\n", "x", "table", KEYS, ""),
        ("[x]\n", "x", "no rule", KEYS[1:], ""),
        ('[x]\ndescription = "d"\n', "x", "no rule", KEYS[1:], ""),
        ('[x]\nelement_required = ["C"]\n', "x.element_required", "", "", "elements_required"),
        ("[x]\nsmarts = []\n", "x.smarts", "", KEYS, ""),
        ('[x]\nany = ["C", "C(("]\n', "x.any", "'C(('", "SMARTS", ""),
        ('[x]\nnone = [""]\n', "x.none", "''", "SMARTS", ""),
        ('[x]\nany = "C"\n', "x.any", "'C'", "list", ""),
        ('[x]\nany = ["C", 1]\n', "x.any", "['C', 1]", "list", ""),
        ('[x]\ndescription = 1\nany = ["C"]\n', "x.description", "1", "text", ""),
        ('[x]\nelements_allowed = ["C", "CL"]\n', "x.elements_allowed", "'CL'", "element", ""),
    ],
)
def test_an_invalid_table(
    tmp_path: Path,
    capfd: pytest.CaptureFixture[str],
    text: str,
    key: str,
    found: str,
    expected: Facts,
    remedy: str,
) -> None:
    path = write(tmp_path, text)
    source = f"{path}: {key}" if key else path
    with refused(TableError, source, found=found, expected=expected, remedy=remedy):
        read_family_table(path)
    assert capfd.readouterr() == ("", "")


def test_a_table_that_cannot_be_read(tmp_path: Path) -> None:
    path = tmp_path / "none.toml"
    with refused(TableError, path, found=os.strerror(errno.ENOENT), expected="table of families"):
        read_family_table(path)
    path = tmp_path / "binary.toml"
    path.write_bytes(b"\xff\xfe\x00")
    with refused(TableError, path, found="text", expected="TOML"):
        read_family_table(path)


@pytest.mark.parametrize("module", ["structures", "families", "derivatives", "retention_index"])
def test_without_the_extra(tmp_path: Path, module: str) -> None:
    code = (
        f"try: import gale.chemistry.{module}\n"
        "except Exception as error: print(type(error).__name__, error.found, error.remedy)"
    )
    done = subprocess.run(
        [sys.executable, "-c", code],
        env={**os.environ, **without(tmp_path, "rdkit")},
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout.startswith("MissingExtraError ")
    assert "rdkit" in done.stdout
    assert "pip install 'gale-ms[chem]'" in done.stdout


@pytest.mark.slow
def test_a_real_library() -> None:
    if "GALE_EXTRA_DATA" not in os.environ:
        pytest.skip("GALE_EXTRA_DATA is not set")
    path = Path(os.environ["GALE_EXTRA_DATA"]) / "libraries" / "massbank_ei.msp.gz"
    with gzip.open(path, "rt", encoding="utf-8") as lines:
        smiles = [line[7:].strip() for line in lines if line.startswith("SMILES:")]
    prevalence = families_of(smiles[::5]).mean(axis=0)
    assert np.isfinite(prevalence).all()
    expected = [0.48, 0.04, 0.12, 0.32, 0.06, 0.05, 0.16, 0.65, 0.0]
    np.testing.assert_allclose(prevalence, expected, atol=0.03)
