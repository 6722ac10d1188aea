"""What is said of two libraries that disagree."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from gale.library import Library
from gale.library.disagreement import note_disagreement
from helpers.small_libraries import library

IONS = {31: 999.0, 45: 500.0, 59: 100.0}
OTHER_IONS = {31: 1.0, 43: 999.0, 91: 500.0}
KEYS = ("AAAAAAAAAAAAAA-UHFFFAOYSA-N", "BBBBBBBBBBBBBB-UHFFFAOYSA-N")


def known(**changes: Any) -> Library:
    one = library(IONS, {57: 999.0, 71: 600.0}, index=(500.0, 900.0))
    return replace(one, **{"inchikey": KEYS, "source": "known", **changes})


def mine(ions: dict[int, float], index: float = 500.0, **changes: Any) -> Library:
    one = library(ions, index=(index,))
    return replace(one, **{"inchikey": KEYS[:1], "source": "mine", **changes})


@pytest.mark.parametrize(
    "same",
    [
        mine(IONS),
        mine(IONS, 590.0),
        mine(IONS, np.nan),
        mine({mz: height / 2 for mz, height in IONS.items()}),
        mine({45: 500.0, 59: 100.0}),
        mine(OTHER_IONS, inchikey=("CCCCCCCCCCCCCC-UHFFFAOYSA-N",)),
        mine(OTHER_IONS, inchikey=("",)),
        mine(OTHER_IONS, derivative=("1 TMS",)),
        mine(OTHER_IONS, derivative=("n TMS",)),
    ],
    ids=["same", "near", "no index", "scaled", "cut off", "another", "no key", "derivative", "n"],
)
def test_where_there_is_nothing_to_say(same: Library) -> None:
    derivative = same.derivative[0] if "n" in same.derivative[0] else ""
    assert note_disagreement(same, known(derivative=(derivative, ""))) == ""


@pytest.mark.parametrize(
    ("different", "said"),
    [
        (mine(OTHER_IONS), "spectrum: cosine 0.0"),
        (mine(IONS, 700.0), "index: 700 and 500"),
        (mine(IONS, families=(("mineral",),)), "families"),
    ],
)
def test_what_is_different(different: Library, said: str) -> None:
    note = note_disagreement(different, known(families=(("alcohol",), None)))
    assert note.startswith("mine: of 1 compound that known has too, 1 is different")
    assert f"compound 0' ({different.inchikey[0]}, " in note
    assert said in note
    assert len(note.splitlines()) == 1


def test_the_spectra_that_are_most_alike_count() -> None:
    both = replace(library(OTHER_IONS, IONS), inchikey=(KEYS[0], KEYS[0]), source="mine")
    assert note_disagreement(both, known()) == ""
