"""Ladders of n-alkanes are found and numbered, and others are refused."""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np
import pytest

import gale
from gale.errors import GaleWarning, ReadError
from gale.run import Run
from helpers.eluting import Eluting, at_min, run_of
from helpers.errors import refused


def alkane(carbons: int, *, molecular: float = 30.0) -> dict[int, float]:
    ions = {43: 900.0, 57: 999.0, 71: 650.0, 85: 450.0, 41: 350.0, 55: 250.0, 69: 120.0, 83: 90.0}
    ions |= {14 * n + 1: 450.0 * 0.75 ** (n - 6) for n in range(7, carbons - 1)}
    return ions | ({14 * carbons + 2: molecular} if molecular else {})


def ladder(numbers: list[int], *, molecular: float = 30.0) -> Run:
    return run_of(
        [Eluting(50 + 45 * (n - numbers[0]), 4e4, alkane(n, molecular=molecular)) for n in numbers],
        scans=100 + 45 * (numbers[-1] - numbers[0]),
    )


@pytest.mark.parametrize("numbers", [list(range(9, 21)), list(range(10, 25, 2))])
def test_a_ladder_is_numbered_by_its_molecular_ions(numbers: list[int]) -> None:
    run = ladder(numbers)
    if numbers[1] - numbers[0] == 2:
        with pytest.warns(GaleWarning, match="no peak of C11, C13"):
            table = gale.find_ladder(run)
    else:
        table = gale.find_ladder(run)
    np.testing.assert_array_equal(table.index, 100 * np.array(numbers))
    expected = [at_min(50 + 45 * (n - numbers[0])) for n in numbers]
    np.testing.assert_allclose(table.time_min, expected, atol=0.011)
    assert table.at(expected[0] / 2 + expected[1] / 2) == pytest.approx(
        50 * (numbers[0] + numbers[1]), abs=2
    )


def test_an_alkane_that_is_missing_is_named() -> None:
    with pytest.warns(GaleWarning, match="no peak of C13 between C10 and C18"):
        table = gale.find_ladder(ladder([10, 11, 12, 14, 15, 16, 17, 18]))
    assert 1300 not in table.index


def test_without_molecular_ions_the_first_has_to_be_said() -> None:
    run = ladder(list(range(12, 20)), molecular=0.0)
    with refused(ReadError, run.source, found="no molecular ions", remedy="first_alkane="):
        gale.find_ladder(run)
    np.testing.assert_array_equal(
        gale.find_ladder(run, first_alkane=12).index, np.arange(1200, 2000, 100)
    )


def test_contaminants_between_the_alkanes_are_passed_over() -> None:
    acids = [Eluting(75 + 90 * n, 3e4, {60: 999.0, 73: 400.0, 41: 300.0}) for n in range(5)]
    alkanes = [Eluting(50 + 45 * n, 4e4, alkane(10 + n)) for n in range(9)]
    table = gale.find_ladder(run_of([*alkanes, *acids], scans=500))
    np.testing.assert_array_equal(table.index, np.arange(1000, 1900, 100))


def test_a_run_that_is_no_ladder_says_which_alkanes_are_missing() -> None:
    acids = [Eluting(75 + 90 * n, 3e4, {60: 999.0, 73: 400.0, 41: 300.0}) for n in range(4)]
    with refused(ReadError, "eluting.csv", found="no n-alkane was found", expected="4 n-alkanes"):
        gale.find_ladder(run_of(acids))
    two = [Eluting(100, 4e4, alkane(10)), Eluting(300, 4e4, alkane(14))]
    with refused(ReadError, found=("C10, C14 may be at 3.00, 5.00", "C8 to C9", "C15 to C40")):
        gale.find_ladder(run_of([*acids, *two]))


def test_alkanes_at_odd_times_are_no_ladder() -> None:
    scans = [40, 50, 200, 210, 360, 370]
    peaks = [Eluting(s, 4e4, alkane(10 + n)) for n, s in enumerate(scans)]
    with refused(ReadError, found="not spaced like a ladder"):
        gale.find_ladder(run_of(peaks))


def test_a_blank() -> None:
    with refused(ReadError, found="no n-alkane"):
        gale.find_ladder(run_of([]))


@pytest.mark.slow
@pytest.mark.skipif("GALE_EXTRA_DATA" not in os.environ, reason="needs real files")
def test_a_real_ladder() -> None:
    folder = Path(os.environ["GALE_EXTRA_DATA"], "real", "known")
    table = gale.find_ladder(gale.read_run(folder / "nist_alkane_RI_2023.cdf"))
    np.testing.assert_array_equal(table.index, np.arange(800, 3700, 100))
    assert table.time_min[2] == pytest.approx(7.472, abs=0.01)
