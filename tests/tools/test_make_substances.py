"""tools/make_substances.py: what is written down becomes the file that comes with gale."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rdkit import Chem
from rdkit.Chem.rdMolDescriptors import CalcExactMolWt

from tools.make_substances import (
    DERIVATIZED,
    MOST,
    OUTPUT,
    Fact,
    make,
    parse_ions,
    read_facts,
    record,
    written,
)
from tools.series import SERIES


@pytest.mark.slow
def test_the_file_is_what_the_facts_make() -> None:
    assert OUTPUT.read_text("utf-8") == make()
    assert OUTPUT.stat().st_size < 300_000


def test_isotopes_of_elements_are_added() -> None:
    chloride = parse_ions("36Cl 100, 35Cl 12")
    assert chloride == pytest.approx({35: 12, 36: 100, 37: 3.84, 38: 32}, 0.01)
    four = parse_ions("164Cl4 10, 165 0.1")
    assert [four[mz] / four[164] for mz in (166, 168, 170)] == pytest.approx(
        [1.28, 0.61, 0.13], 0.02
    )
    assert parse_ions("64S2 50, 65 1")[66] == pytest.approx(4.5, 0.1)


def test_the_isotope_of_carbon_is_added_unless_it_is_listed() -> None:
    assert parse_ions("128 100")[129] == pytest.approx(9.5, 0.1)
    assert parse_ions("128 100, 129 8") == {128: 100, 129: 8}


@pytest.mark.parametrize("text", ["57", "57 x", "57 1, 57 2", "Cl57 100", "57Xx 100"])
def test_what_is_no_ion(text: str) -> None:
    with pytest.raises((SystemExit, KeyError)):
        parse_ions(text)


@given(st.dictionaries(st.integers(10, 400), st.integers(2, 100), min_size=1, max_size=90))
def test_records_hold_the_strongest_ions(heights: dict[int, float]) -> None:
    lines = record(Fact("x", "CCO", 427, heights)).splitlines()
    told = [tuple(map(int, ion.split())) for line in lines[7:] for ion in line.split("; ")]
    assert lines[6] == f"Num Peaks: {min(len(heights), MOST)}"
    assert [mz for mz, _ in told] == sorted(mz for mz, _ in told)
    kept = {mz for mz, _ in told}
    assert max(height for _, height in told) == 999
    assert min(heights[mz] for mz in kept) >= max(
        (height for mz, height in heights.items() if mz not in kept), default=0
    )


def test_members_of_a_series_are_told_apart() -> None:
    for series in SERIES:
        members = list(series())
        indices = [index for _, _, index, _ in members]
        assert indices == sorted(set(indices)), series.__name__
        assert len({smiles for _, smiles, _, _ in members}) == len(members) > 5, series.__name__
        for name, _, _, ions in members:
            assert min(ions.values()) > 0, name


def test_no_substance_is_written_down_twice() -> None:
    names = [fact.name for fact in read_facts()]
    assert len(set(names)) == len(names) > 400


def test_amino_acids_lose_methyl_or_their_ester() -> None:
    derivatives = list(written(DERIVATIZED))
    assert len(derivatives) > 40
    for fact in derivatives:
        mass = int(CalcExactMolWt(Chem.MolFromSmiles(fact.smiles)))
        assert {mass - 15, mass - 117} & set(fact.ions), fact.name
        assert max(fact.ions) <= mass + 4, fact.name
        assert fact.ions[73] > 10, fact.name
        assert f"{fact.smiles.count('[Si]')} TMS" in fact.name
    assert [fact.index for fact in derivatives] == sorted(fact.index for fact in derivatives)
