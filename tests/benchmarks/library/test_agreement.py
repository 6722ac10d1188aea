"""The comparison of substances with measured spectra, on libraries whose answer is known."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from benchmarks.library.agreement import LEAST, Compared, compare, keys_of, summary, worst
from gale.library import Library, embedded_library, substances
from helpers.small_libraries import library


def some(kind: str, *names: str) -> Library:
    own = substances(kind)
    return own.take([own.name.index(name) for name in names])


@pytest.mark.slow
def test_a_spectrum_agrees_with_itself_and_with_no_other() -> None:
    measured = some("further", "anthracene", "1-decanethiol")
    found = {each.name: each for each in compare(measured, ["further"])}
    assert sorted(found) == ["1-decanethiol", "anthracene"]
    assert [each.closest for each in found.values()] == pytest.approx([1.0, 1.0])
    assert {each.index for each in found.values()} == {0.0}


@pytest.mark.slow
def test_another_spectrum_of_the_same_compound() -> None:
    right = some("further", "anthracene")
    shuffled = replace(right, intensity=right.intensity[::-1].copy())
    (found,) = compare(Library.join([shuffled, right]), ["further"])
    assert len(found.cosines) == 2
    assert found.cosines[0] < LEAST < found.cosines[1] == pytest.approx(1.0)
    assert found.closest == max(found.cosines)
    assert found.among == pytest.approx(found.cosines[0])


@pytest.mark.slow
def test_ions_below_the_first_measured_one_say_nothing() -> None:
    own = some("further", "acetoin")
    mz, height = own.spectrum(0)
    from_43 = library({int(m): h for m, h in zip(mz, height, strict=True) if m >= 43})
    (found,) = compare(replace(from_43, smiles=own.smiles), ["further"])
    assert found.closest == pytest.approx(1.0)


@pytest.mark.slow
def test_derivatives_are_compared_with_derivatives() -> None:
    acid, ester = "nonanoic acid", "nonanoic acid, 1 TMS"
    both = some("further", acid, ester)
    keys = keys_of(both, both.derivative)
    assert keys[0][0] == keys[1][0]
    assert [key[1] for key in keys] == ["", "1 TMS"]
    assert [each.name for each in compare(both.take([1]), ["further"])] == [ester]


@pytest.mark.slow
@pytest.mark.parametrize(("off", "number"), [(29.0, 1), (31.0, 0)])
def test_a_derivative_of_unknown_number_has_the_index_of_the_substance(
    off: float, number: int
) -> None:
    own = some("further", "valine, 2 TMS")
    measured = replace(
        own,
        smiles=("CC(C)C(N)C(=O)O",),
        inchikey=("",),
        derivative=("n TMS",),
        retention_index=own.retention_index + off,
    )
    found = list(compare(measured, ["further"]))
    assert [each.name for each in found] == ["valine, 2 TMS"] * number


@pytest.mark.parametrize(
    ("name", "key"),
    [
        ("n-Heneicosane", ("henicosane", "")),
        ("Tricosanoic Acid (C23:0) ME", ("methyl tricosanoate", "")),
        ("Heneicosanoic Acid (C21:0) TMS", ("henicosanoic acid", "1 TMS")),
    ],
)
def test_records_without_a_structure_have_a_name(name: str, key: tuple[str, str]) -> None:
    nameless = replace(library({43: 999.0}), name=(name,))
    assert keys_of(nameless, ("",)) == [key]


def test_tables() -> None:
    compared = [
        Compared("further", name, cosines, np.nan, index)
        for name, cosines, index in (("a", (0.7, 0.9), 3.0), ("b", (0.5,), np.nan))
    ]
    header, row = summary(compared)
    told = dict(zip(header, row, strict=True))
    assert told["median cosine"] == "0.70"
    assert (told["with a counterpart"], told["below 0.8"]) == ("2", "1")
    assert (told["indices compared"], told["median error"]) == ("1", "3")
    assert [row[0] for row in worst(compared, 1)] == ["substance", "b"]


@pytest.mark.slow
def test_what_the_embedded_library_has_is_alike() -> None:
    found = list(compare(embedded_library(), ["further", "volatile", "contaminant"]))
    assert found
    assert {each.name for each in found if each.closest < LEAST} == set()
