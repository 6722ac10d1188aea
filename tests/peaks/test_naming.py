"""Names of peaks: which compounds are like a spectrum, and how sure that is."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import pytest

from gale.matching import Matcher
from gale.matching.families import carries_family, families_of_row
from gale.peaks.naming import PeakMatch, find_names
from helpers.small_libraries import library

A = {31: 100.0, 45: 60.0, 59: 30.0, 74: 20.0}
B = {31: 100.0, 45: 55.0, 59: 30.0, 74: 25.0}
MZ = np.arange(30, 401)


def names(matcher: Matcher, *spectra: dict[int, float], index: float = np.nan) -> list[
    tuple[PeakMatch, ...]
]:  # fmt: skip
    dense = np.zeros((len(spectra), len(MZ)))
    for row, ions in enumerate(spectra):
        for mz, height in ions.items():
            dense[row, mz - MZ[0]] = height
    return find_names(MZ, dense, np.full(len(spectra), index), matcher)


def weighted(ions: dict[int, float]) -> dict[int, float]:
    return {mz: float(np.sqrt(height)) * mz for mz, height in ions.items()}


def cosine(one: dict[int, float], other: dict[int, float]) -> float:
    first, second = weighted(one), weighted(other)
    dot = sum(value * second.get(mz, 0.0) for mz, value in first.items())
    lengths = [math.hypot(*each.values()) for each in (first, second)]
    return dot / (lengths[0] * lengths[1])


def test_forward_and_reverse_match() -> None:
    mixed = A | {41: 80.0, 42: 50.0}
    ((match,),) = names(Matcher(library(A)), mixed)
    assert match.match == round(999 * cosine(A, mixed))
    assert match.reverse == 999  # ions of something else do not count
    assert (match.shared_ions, match.weak) == (4, match.cosine < 0.8)


def test_best_first_and_each_compound_once() -> None:
    known = library(B, A, A)
    known = replace(known, name=("b", "a", "a"))
    ((first, second),) = names(Matcher(known), A)
    assert (first.compound, second.compound) == ("a", "b")
    assert first.match == 999 > second.match == round(999 * cosine(A, B))


@pytest.mark.parametrize(("ions", "weak"), [({31: 9.0, 45: 6.0}, True), (A, False)])
def test_few_shared_ions_are_weak(ions: dict[int, float], weak: bool) -> None:
    ((match,),) = names(Matcher(library(ions)), ions)
    assert (match.match, match.weak) == (999, weak)


def test_compounds_of_another_index_are_left_out() -> None:
    matcher = Matcher(library(A, B, index=(1000.0, 1200.0)))
    ((match,),) = names(matcher, A, index=1190.0)
    assert (match.compound, match.index, match.index_difference) == ("compound 1", 1200, -10)
    assert len(names(matcher, A)[0]) == 2


def test_siloxanes_are_looked_at_first() -> None:
    metabolite = {73: 400.0, 147: 200.0, 281: 900.0, 282: 300.0, 283: 150.0, 356: 30.0}
    d4 = {73: 120.0, 133: 140.0, 191: 60.0, 193: 87.0, 281: 999.0, 282: 280.0, 283: 167.0}
    known = library(metabolite, d4)
    known = replace(known, name=("a silylated metabolite", "octamethylcyclotetrasiloxane (D4)"))
    seen = {73: 350.0, 147: 80.0, 281: 999.0, 282: 290.0, 283: 160.0, 193: 30.0}
    ((first, second),) = names(Matcher(known), seen)
    assert first.compound.endswith("(D4)")
    assert first.cosine < second.cosine


def test_nothing_is_like_a_spectrum() -> None:
    assert names(Matcher(library(A)), {200: 5.0, 300: 9.0}, {}) == [(), ()]


def test_a_library_beyond_the_range_of_the_run() -> None:
    assert find_names(
        np.array([700, 800]), np.ones((1, 2)), np.array([np.nan]), Matcher(library(A))
    ) == [()]


def test_families_from_structures_where_the_library_states_none() -> None:
    pytest.importorskip("rdkit")
    known = replace(
        library(A, B, A), smiles=("c1ccccc1", "CCO", ""), families=(None, ("own",), None)
    )
    assert families_of_row(known, 0) == ("aromatic", "hydrocarbon")
    assert families_of_row(known, 1) == ("own",)
    assert families_of_row(known, 2) is None
    asked = ("aromatic", "alcohol", "own")
    assert [carries_family(known, 0, each) for each in asked] == [True, False, None]
    assert [carries_family(known, 1, each) for each in asked] == [False, False, True]
    assert carries_family(known, 2, "aromatic") is None


@pytest.mark.parametrize("at_once", [1, 2, 50])
def test_libraries_are_searched_in_parts(at_once: int, monkeypatch: pytest.MonkeyPatch) -> None:
    matcher = Matcher(library({60: 9.0, 73: 5.0}, B, {43: 9.0, 57: 7.0}, A))
    whole = names(matcher, A, B)
    monkeypatch.setattr("gale.matching.matcher.AT_ONCE", at_once)
    parts = names(matcher, A, B)
    assert [[each.compound for each in some] for some in parts] == [
        [each.compound for each in some] for some in whole
    ]
