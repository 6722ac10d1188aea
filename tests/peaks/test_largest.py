"""The largest peaks of known runs have the right times, ions and names."""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np
import polars as pl
import pytest

import gale
from gale.matching import IndexTable, Matcher
from gale.peaks import find_peaks
from gale.peaks.largest import PEAKS, find_largest
from gale.run import Run
from helpers.small_libraries import library

ETHANOL, TOLUENE = {31: 900.0, 45: 300.0}, {65: 100.0, 91: 800.0, 92: 500.0}
MATCHER = Matcher(library(TOLUENE, ETHANOL, index=(760.0, 430.0)))


def run_of(*peaks: tuple[float, dict[int, float], float]) -> Run:
    """Scans of 10 minutes with spectra times a height, on a background of m/z 18 and 28."""
    time_min, mz = np.linspace(0, 10, 901), np.arange(15, 120)
    signal = np.where((mz == 18) | (mz == 28), 3e3, 1.0) * np.ones((len(time_min), 1))
    for at, spectrum, height in peaks:
        shape = height * np.exp(-0.5 * ((time_min - at) / 0.03) ** 2)
        for ion, relative in spectrum.items():
            signal[:, mz == ion] += relative * shape[:, None]
    counts = np.full(len(time_min), len(mz))
    return Run.from_scans(time_min, counts, np.tile(mz, len(time_min)), signal.ravel())


def test_the_highest_come_first_with_times_ions_and_names() -> None:
    unknown = {60: 500.0, 77: 400.0, 119: 900.0}
    run = run_of((2.0, ETHANOL, 1.0), (4.5, TOLUENE, 4.0), (7.0, unknown, 2.0), (9.0, ETHANOL, 0.1))
    found = find_largest(run, MATCHER)
    assert len(found) == PEAKS
    assert [each.peak.apex_min for each in found] == pytest.approx([4.5, 7.0, 2.0], abs=0.012)
    assert [each.ions(1) for each in found] == [[91], [119], [31]]
    assert [[match.compound for match in each.peak.matches] for each in found] == [
        ["compound 0"], [], ["compound 1"],
    ]  # fmt: skip
    assert [each.label for each in found] == ["compound 0", "7.00", "2.00"]  # weak
    assert 1.0 > found[0].share > found[1].share > found[2].share > 0.0
    assert len(find_largest(run, MATCHER, number=9)) == 4


def test_parts_of_an_overloaded_peak_are_named_once() -> None:
    ions = TOLUENE | {39: 150.0}
    matcher = Matcher(library(ions, ETHANOL | {29: 90.0}))
    run = run_of((2.0, ions, 3.0), (2.09, ions, 2.0), (5.0, ions, 1.0))
    one, two, three = (peak.area for peak in find_peaks(run, matcher=matcher))
    both, other = find_largest(run, matcher)
    assert [each.peak.apex_min for each in (both, other)] == pytest.approx([2.0, 5.0], abs=0.012)
    assert both.share == pytest.approx((one + two) / (one + two + three))
    assert both.share + other.share == pytest.approx(1.0)


def test_a_retention_index_excludes_compounds() -> None:
    run = run_of((4.5, TOLUENE, 4.0))
    index = IndexTable(np.array([0.0, 10.0]), np.array([400.0, 1600.0]))
    assert find_largest(run, MATCHER, index)[0].peak.matches == ()


def test_a_blank_has_none() -> None:
    assert find_largest(run_of(), MATCHER) == []


@pytest.mark.skipif("GALE_EXTRA_DATA" not in os.environ, reason="needs files that are not shipped")
def test_peaks_of_a_real_ladder_are_n_alkanes() -> None:
    known = Path(os.environ["GALE_EXTRA_DATA"], "real", "known")
    times = pl.read_csv(known / "nist_alkane_truth.csv", truncate_ragged_lines=True)["time_min"]
    found = find_largest(gale.read_run(known / "nist_alkane_RI_2023.cdf"), Matcher.default())
    for peak in (each.peak for each in found):
        assert (times - peak.apex_min).abs().min() < 0.02  # type: ignore[operator]
        assert "ane" in peak.matches[0].compound
