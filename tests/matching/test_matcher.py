"""Spectra compared with those of a library."""

from __future__ import annotations

import numpy as np
import pytest

from gale.library import embedded_library
from gale.matching.matcher import INDEX_TOLERANCE, LEAST_COSINE, MATCHES, Matcher
from helpers.small_libraries import library

ALL = (1.0, 600.0)


def spectrum(ions: dict[int, float], first: int = 12, size: int = 100) -> np.ndarray:
    found = np.zeros(size)
    for mz, height in ions.items():
        found[mz - first] = height
    return found


A, B, C = {31: 100.0, 45: 60.0}, {31: 100.0, 45: 50.0, 59: 5.0}, {43: 100.0, 57: 80.0}


def test_the_most_similar_is_first() -> None:
    found = Matcher(library(C, B, A)).matches(spectrum(A), 12, ALL, "alcohol")
    assert [match.compound for match in found] == ["compound 2", "compound 1"]
    assert found[0].cosine == pytest.approx(1.0)
    weights = [{mz: np.sqrt(height) * mz for mz, height in each.items()} for each in (A, B)]
    dot = sum(value * weights[1].get(mz, 0) for mz, value in weights[0].items())
    lengths = [np.sqrt(sum(v**2 for v in each.values())) for each in weights]
    assert found[1].cosine == pytest.approx(dot / lengths[0] / lengths[1], abs=1e-6)
    assert [match.carries_family for match in found] == [None, True]
    assert found[1].cosine > LEAST_COSINE


def test_no_match_where_nothing_is_similar() -> None:
    assert Matcher(library(C)).matches(spectrum(A), 12, ALL, "alcohol") == ()
    assert Matcher(library(A)).matches(spectrum({}), 12, ALL, "alcohol") == ()


def test_ions_that_the_run_did_not_record_say_nothing() -> None:
    matcher = Matcher(library({31: 999.0, 45: 60.0, 59: 30.0}, {15: 50.0}))
    found = matcher.matches(spectrum({45: 6.0, 59: 3.0}), 12, (39.6, 80.0), "alcohol")
    assert [(match.compound, round(match.cosine, 6)) for match in found] == [("compound 0", 1.0)]
    assert matcher.matches(spectrum({45: 6.0, 59: 3.0}), 12, ALL, "alcohol") == ()


def test_compounds_of_another_retention_index_are_left_out() -> None:
    near, far = 1_000.0 + INDEX_TOLERANCE - 1, 1_000.0 + INDEX_TOLERANCE + 1
    matcher = Matcher(library(A, A, A, index=(far, near, np.nan)))
    with_index = matcher.matches(spectrum(A), 12, ALL, "alcohol", 1_000.0)
    assert [match.compound for match in with_index] == ["compound 1", "compound 2"]
    assert with_index[0].index == near
    assert len(matcher.matches(spectrum(A), 12, ALL, "alcohol")) == 3


def test_each_name_is_given_once_and_there_are_few() -> None:
    many = library(*[A] * (MATCHES + 3))
    assert len(Matcher(many).matches(spectrum(A), 12, ALL, "alcohol")) == MATCHES
    assert len(Matcher(many.take([0, 0, 0])).matches(spectrum(A), 12, ALL, "alcohol")) == 1


def test_spectra_of_the_library_find_themselves() -> None:
    own, matcher = embedded_library(), Matcher.default()
    for at in range(0, len(own), 97):
        mz, height = own.spectrum(at)
        ions = {round(m): float(h) for m, h in zip(mz, height, strict=True) if 12 <= m < 350.5}
        found = matcher.matches(spectrum(ions, size=339), 12, (12.0, 350.0), "alcohol")
        assert found[0].cosine == pytest.approx(1.0, abs=1e-5)
        assert own.name[at] in [match.compound for match in found if match.cosine > 0.99999]
