"""The benchmark of peaks judges what it should, and its runs have all their peaks in the truth."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from benchmarks.accuracy import peaks as benchmark
from benchmarks.accuracy.peaks_truth import TruePeak, foreign, own
from gale.matching import Matcher
from gale.peaks import find_peaks
from helpers.eluting import Eluting, at_min, run_of

TOLUENE = {39: 110.0, 51: 70.0, 63: 80.0, 65: 130.0, 91: 999.0, 92: 600.0, 93: 40.0}


def test_peaks_are_paired_with_the_truth() -> None:
    run = run_of([Eluting(100, 5e4, TOLUENE), Eluting(250, 5e4, TOLUENE)])
    true = [
        TruePeak("toluene", at_min(100), 500.0),
        TruePeak("nothing there", at_min(180), 50.0),
        TruePeak("too weak", at_min(300), 0.5),
        TruePeak("before the run", 0.0, 50.0),
    ]
    found = list(find_peaks(run))
    judged, explained = benchmark.judge(run, true, found, found)
    assert [(each.true.compound, each.found is not None) for each in judged] == [
        ("toluene", True), ("nothing there", False),
    ]  # fmt: skip
    assert (len(found), explained) == (2, 1)  # the second peak was not put in
    header, *rows = benchmark.recall(judged)
    assert header[1] == "all"
    assert {row[0]: row[1] for row in rows}["100 and more"] == "100 % of 1"
    assert {row[0]: row[1] for row in rows}["30 to 100"] == "0 % of 1"
    names = benchmark.named(judged[:1], Matcher.default())
    assert names[-2][:4] == ["in the library, all", "1", "100 %", "100 %"]


def test_overlap_is_with_what_is_abundant_enough() -> None:
    peaks = [TruePeak("a", 1.0, 100.0), TruePeak("b", 1.1, 5.0), TruePeak("c", 1.5, 20.0)]
    assert benchmark._nearest(peaks[0], peaks) == pytest.approx(0.5)
    assert benchmark._nearest(peaks[1], peaks) == pytest.approx(0.1)


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore::gale.errors.GaleWarning")
def test_simulated_runs_with_their_truth(tmp_path: Path) -> None:
    (run, true), *_ = own(tmp_path / "own", 3, 1)
    highest = max((each for each in true if each.is_compound), key=lambda each: each.abundance)
    assert highest.abundance > 10
    assert any(
        abs(each.apex_min - highest.time_min) < 0.05 for each in find_peaks(run, names=False)
    )


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore::gale.errors.GaleWarning")
@pytest.mark.skipif("GALE_EXTRA_DATA" not in os.environ, reason="needs another simulator")
def test_all_peaks_of_the_other_simulator_are_known(tmp_path: Path) -> None:
    script = Path(os.environ["GALE_EXTRA_DATA"], "foreign", "simulate.py")
    made = list(foreign(script, tmp_path / "other", 4, 1))
    assert len(made) == 4
    assert any(each.compound for _, true in made for each in true)
    assert any(not each.compound for _, true in made for each in true)
