"""Records of a library as what runs are made of."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from gale.chemistry.families import read_family_table
from gale.errors import SimulationError
from gale.library import Library, default_libraries
from gale.simulation.compounds import N_MZ, join, read_compounds
from helpers.commands import without
from helpers.errors import refused
from helpers.laboratories import MEMBERS, library

FAMILIES = (
    "aromatic",
    "hydrocarbon",
    "carboxylic_acid",
    "nitrogen_bearing_compound",
    "chlorine_bearing_compound",
    "sulfur_bearing_compound",
    "alcohol",
    "other_oxygen_bearing_compound",
    "mineral",
)


def one(ions: dict[float, float], **changes: object) -> Library:
    return library([("thing", "", 900, ions, ("alcohol",))], **changes)


def test_what_the_library_says() -> None:
    compounds = read_compounds(library())
    assert compounds.family_names == FAMILIES
    assert len(compounds) == len(MEMBERS)
    assert compounds.name == tuple(member[0] for member in MEMBERS)
    assert compounds.index.tolist() == [member[2] for member in MEMBERS]
    for record, member in enumerate(MEMBERS):
        assert tuple(compounds.families_of(record)) == tuple(
            family for family in FAMILIES if family in member[4]
        )
    assert compounds.derivatized.tolist() == [bool(member[1]) for member in MEMBERS]


def test_ions_of_one_nominal_mz_are_summed_and_scaled() -> None:
    spectrum = read_compounds(one({42.6: 30, 43.2: 20, 43.6: 100, 600.4: 10})).spectrum[0]
    assert spectrum.shape == (N_MZ,)
    assert spectrum[43] == pytest.approx(0.5)
    assert spectrum[44] == 1
    assert spectrum[600] == pytest.approx(0.1)
    assert np.count_nonzero(spectrum) == 3


def test_ions_beyond_are_left_out() -> None:
    spectrum = read_compounds(one({0.3: 900, 43: 100, 601: 900})).spectrum[0]
    assert np.flatnonzero(spectrum).tolist() == [43]


@pytest.mark.parametrize(
    ("changes", "ions", "found"),
    [({"families": (None,)}, {43.0: 1.0}, "1 of 1"), ({}, {700.0: 1.0}, "0 of 1")],
)
def test_a_library_of_which_no_run_can_be_made(
    changes: dict[str, object], ions: dict[float, float], found: str
) -> None:
    with refused(SimulationError, "small library", found=found, expected=("SMILES", "m/z")):
        read_compounds(one(ions, **changes))


def test_an_unknown_family_of_a_library() -> None:
    source = "small library: record thing: family 'alcool'"
    with refused(SimulationError, source, remedy="alcohol"):
        read_compounds(one({43.0: 1.0}, families=(("alcool",),)))


def test_records_that_cannot_be_used_are_left_out() -> None:
    families = tuple(None if n == 3 else member[4] for n, member in enumerate(MEMBERS))
    compounds = read_compounds(library(families=families))
    assert compounds.name == tuple(m[0] for n, m in enumerate(MEMBERS) if n != 3)


def test_families_and_index_from_the_structure() -> None:
    compounds = read_compounds(
        one({43: 1.0}, smiles=("CCCCCCCCCC",), families=(None,), retention_index=np.array([np.nan]))
    )
    assert compounds.families_of(0) == ["hydrocarbon"]
    assert 900 < compounds.index[0] < 1100


def test_a_gas_has_no_index() -> None:
    compounds = read_compounds(one({44: 1.0}, retention_index=np.array([np.nan])), unretained=True)
    assert compounds.index.tolist() == [0]


def test_a_table_of_families_goes_before_what_the_library_says(tmp_path: Path) -> None:
    path = tmp_path / "families.toml"
    path.write_text('[sugar]\nany = ["OCC(O)C(O)"]\n[silicon]\nelements_required = ["Si"]\n')
    members = [
        ("glycerol", "", 950, {61: 1.0}, ("alcohol",)),
        ("bleed", "", 950, {207: 1.0}, ()),
        ("D3", "", 813, {207: 1.0}, ()),
    ]
    smiles = ("OCC(O)CO", "", "C[Si]1(C)O[Si](C)(C)O[Si](C)(C)O1")
    compounds = read_compounds(library(members, smiles=smiles), read_family_table(path))
    assert compounds.family_names == ("sugar", "silicon")
    assert compounds.name == ("glycerol", "bleed", "D3")
    assert [compounds.families_of(record) for record in range(3)] == [["sugar"], [], ["silicon"]]


def test_records_of_one_compound_have_one_key() -> None:
    keys = ("AAAAAAAAAAAAAA-BBBBBBBBBB-N", "AAAAAAAAAAAAAA-CCCCCCCCCC-N", "", "")
    members = [(name, "", 900, {43: 1.0}, ()) for name in ("D", "L", "Rest", "rest")]
    compounds = read_compounds(library(members, inchikey=keys))
    assert compounds.compound.tolist() == ["AAAAAAAAAAAAAA", "AAAAAAAAAAAAAA", "rest", "rest"]


def test_take_and_join_keep_columns_together() -> None:
    compounds = read_compounds(library())
    taken = join([compounds.take(np.array([4, 1])), compounds.take(np.array([0]))])
    for place, record in enumerate((4, 1, 0)):
        assert taken.name[place] == compounds.name[record]
        assert taken.derivative[place] == compounds.derivative[record]
        assert taken.compound[place] == compounds.compound[record]
        assert taken.index[place] == compounds.index[record]
        np.testing.assert_array_equal(taken.families[place], compounds.families[record])
        np.testing.assert_array_equal(taken.spectrum[place], compounds.spectrum[record])


@pytest.mark.slow
def test_what_comes_with_gale_needs_no_rdkit(tmp_path: Path) -> None:
    program = (
        "from gale.simulation.compounds import read_compounds\n"
        "from gale.library import default_libraries\n"
        "from gale.library import substances\n"
        "for each in (*default_libraries(), substances('contaminant')): read_compounds(each)\n"
    )
    finished = subprocess.run(
        [sys.executable, "-c", program],
        env=without(tmp_path, "rdkit"), capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert finished.returncode == 0, finished.stderr


def test_hardly_a_record_that_comes_with_gale_is_left_out() -> None:
    for each in default_libraries():
        assert len(read_compounds(each)) >= len(each) - 1
