"""Which compounds were derivatized: as stated, as drawn, and as the ions show."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from pathlib import Path

import pytest

from gale.chemistry.derivatives import drawn_derivative, guess_derivatives
from gale.library import Library, embedded_library, read_library

ALANINE = "SMILES: CC(N)C(O)=O\n"


def one(folder: Path, header: str, peaks: str) -> Library:
    file = folder / "x.msp"
    file.write_text(f"Name: x\n{header}Num Peaks: {peaks.count(';') + 1}\n{peaks}\n")
    return read_library(file)


@pytest.mark.parametrize(
    ("header", "peaks", "derivative"),
    [
        (ALANINE, "44 999; 90 2", ""),
        (ALANINE, "44 999; 116 20", "n TMS"),
        (ALANINE, "44 999; 116 19", ""),
        (ALANINE + "Derivative: 2 TMS\n", "44 999; 90 2", "2 TMS"),
        ("", "44 999; 116 900", ""),
        ("SMILES: CC(=O)CC\n", "43 999; 101 100", "n MEOX"),
        ("SMILES: CCOC(=O)C\n", "43 999; 145 100", ""),
        ("InChI: InChI=1S/CH4O/c1-2/h2H,1H3\n", "31 9; 89 9", "n TMS"),
        ("SMILES: Clc1c(Cl)c(Cl)c(Cl)c(Cl)c1O\n", "266 999; 270 400; 272 60", ""),
        ("SMILES: CCO[Si](C)(C)C\n", "75 9; 103 9", "1 TMS"),
    ],
)
def test_guesses(tmp_path: Path, header: str, peaks: str, derivative: str) -> None:
    assert guess_derivatives(one(tmp_path, header, peaks)) == (derivative,)


def test_a_high_73_counts_among_silylated_samples_only(tmp_path: Path) -> None:
    mannitol = one(tmp_path, "SMILES: OCC(O)C(O)C(O)C(O)CO\n", "61 500; 73 999; 103 400")
    assert guess_derivatives(mannitol) == ("",)
    assert guess_derivatives(mannitol, silylated=True) == ("n TMS",)


@pytest.mark.parametrize(
    ("structure", "derivative"),
    [
        ("CC(N[Si](C)(C)C)C(=O)O[Si](C)(C)C", "2 TMS"),
        ("CON=C(C)C(=O)O[Si](C)(C)C(C)(C)C", "1 MEOX 1 TBDMS"),
        ("C[Si](C)(C)OCCO[Si](C)(C)C(C)(C)C", "1 TMS 1 TBDMS"),
        ("CON=C1CCC(=NOC)CC1", "2 MEOX"),
        ("C=CC[Si](C)(C)C", ""),
        ("CCO", ""),
        ("C1CC", ""),
        (None, ""),
    ],
)
def test_drawn(structure: str | None, derivative: str) -> None:
    assert drawn_derivative(structure) == derivative


@pytest.mark.slow
def test_what_the_makers_of_the_embedded_library_name() -> None:
    library = embedded_library()
    named = library.take(["n" not in each and each != "" for each in library.derivative])
    unnamed = replace(named, derivative=("",) * len(named))
    for silylated, missed in ((False, 8), (True, 2)):
        guessed = guess_derivatives(unnamed, silylated=silylated)
        assert Counter(guessed)[""] <= missed
