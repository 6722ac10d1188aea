"""Peaks that were put into a run are found where they are, and nothing else is."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import Phase, given, settings

import gale
from gale.errors import GaleError, GaleWarning
from gale.matching import IndexTable, Matcher
from gale.peaks import Peaks, find_peaks
from gale.peaks.search import AIR, END, SOLVENT_FRONT, START, Peak
from gale.run import Run
from helpers.eluting import STEP_S, Eluting, at_min, run_of
from helpers.errors import refused
from helpers.run_files import runs
from helpers.small_libraries import library

TOLUENE = {39: 110.0, 51: 70.0, 63: 80.0, 65: 130.0, 91: 999.0, 92: 600.0, 93: 40.0}
ACID = {41: 250.0, 42: 120.0, 43: 200.0, 45: 100.0, 60: 999.0, 73: 450.0, 87: 120.0}
BLEED = {73: 300.0, 207: 600.0, 208: 120.0, 281: 240.0}
AIR_IONS = {18: 3e4, 28: 9e4, 32: 2e4, 40: 2e3, 44: 3e3}


def found(run: Run) -> Peaks:
    return find_peaks(run, names=False)


@pytest.mark.parametrize("scan", [60.0, 180.4, 333.5])
def test_a_peak_is_where_it_is_with_its_area(scan: float) -> None:
    true = Eluting(scan, 5e4, TOLUENE)
    (peak,) = found(run_of([true], background=BLEED, rise=2.0))
    assert abs(peak.apex_min - at_min(scan)) <= 0.51 * STEP_S / 60
    assert peak.start_min < at_min(scan - 2) < at_min(scan + 2) < peak.end_min
    assert peak.area == pytest.approx(true.area, rel=0.05)
    assert (peak.base_mz, peak.saturated, peak.cut, peak.origin) == (91, False, None, None)
    assert peak.purity == pytest.approx(1.0)
    assert dict(zip(peak.mz.tolist(), peak.intensity / peak.intensity.max(), strict=True)) == {
        mz: pytest.approx(height / 999, rel=0.1, abs=0.005) for mz, height in TOLUENE.items()
    }


def test_a_peak_a_few_times_over_the_noise() -> None:
    weak = Eluting(200, 60.0, dict.fromkeys((55, 69, 83, 97, 111), 1.0))
    (peak,) = found(run_of([weak, Eluting(80, 5e4, TOLUENE)]))[1:]
    assert abs(peak.apex - 200) <= 1
    assert set(peak.mz) <= {55, 69, 83, 97, 111}


@pytest.mark.parametrize("seed", range(4))
@pytest.mark.parametrize(
    "background", [{}, BLEED, AIR_IONS, dict.fromkeys(range(35, 200), 40.0)], ids=len
)
def test_no_peak_in_noise(background: dict[int, float], seed: int) -> None:
    run = run_of([], background=background, rise=3.0, flicker=0.03, seed=seed)
    with pytest.warns(GaleWarning, match="no peak stands out"):
        assert len(found(run)) == 0


def test_a_spike_of_one_scan_is_no_peak() -> None:
    spike = Eluting(200, 1e5, TOLUENE, sigma=0.15)
    real = Eluting(80, 5e4, ACID)
    assert [peak.base_mz for peak in found(run_of([real, spike], background=BLEED))] == [60]


def test_a_broad_peak_beside_usual_ones() -> None:
    usual = [Eluting(scan, 5e4, TOLUENE) for scan in (40, 70, 100, 130, 160, 190, 220)]
    peaks = found(run_of([*usual, Eluting(310, 4e3, ACID, sigma=14.0)]))
    assert [peak.base_mz for peak in peaks] == [91] * 7 + [60]
    assert abs(peaks[-1].apex - 310) <= 4


def test_the_front_of_the_solvent_and_a_peak_at_the_end() -> None:
    front, last = Eluting(-2, 5e6, ACID, sigma=8.0), Eluting(398, 5e4, TOLUENE)
    peaks = found(run_of([front, Eluting(200, 5e4, TOLUENE), last]))
    assert peaks[0].cut == START
    assert peaks[0].origin == SOLVENT_FRONT
    assert (peaks[-1].cut, peaks[-1].origin) == (END, None)
    assert [peak.cut for peak in peaks if 190 < peak.apex < 210] == [None]


def test_a_saturated_front_is_one_peak_of_its_solvent() -> None:
    front = [Eluting(-4, 5e6, ACID, sigma=8.0), Eluting(12, 4e5, TOLUENE)]
    limited = run_of([*front, Eluting(200, 5e4, TOLUENE)], limit=1e6)
    matcher = Matcher(library(TOLUENE, ACID))
    solvent, tail, last = find_peaks(limited, matcher=matcher)
    assert (solvent.origin, solvent.cut, solvent.saturated) == (SOLVENT_FRONT, START, True)
    assert [peak.matches[0].compound for peak in (solvent, tail, last)] == [
        "compound 1", "compound 0", "compound 0",
    ]  # fmt: skip
    assert solvent.apex < tail.apex == pytest.approx(12, abs=1)
    assert solvent.area > 10 * tail.area


def test_air_at_the_limit_of_the_detector_throughout_is_no_peak() -> None:
    peaks = [Eluting(80, 5e4, TOLUENE), Eluting(120, 5e4, ACID)]
    without = found(run_of(peaks))
    with_air = found(run_of(peaks, background={28: 1e6}, limit=1e6 - 1e4))
    assert [peak.base_mz for peak in with_air] == [91, 60]
    assert [peak.apex for peak in with_air] == [peak.apex for peak in without]
    assert not any(peak.saturated for peak in with_air)


def test_air_is_air() -> None:
    leak = Eluting(150, 2e5, {28: 999.0, 32: 250.0, 14: 80.0})
    (peak,) = find_peaks(run_of([leak], background=AIR_IONS))
    assert peak.origin == AIR


def test_clipped_peaks_are_one_each_and_keep_their_spectrum() -> None:
    true = Eluting(200, 4e5, TOLUENE, sigma=4.0)
    (peak,) = found(run_of([true, *[]], limit=1e5, background=BLEED))
    assert peak.saturated
    assert abs(peak.apex - 200) <= 1
    height = dict(zip(peak.mz.tolist(), peak.intensity, strict=True))
    assert height[92] / height[91] == pytest.approx(0.6, rel=0.1)
    assert height[91] > 2e5  # more than the detector could record


def test_scans_without_ions_between_others() -> None:
    run = run_of([Eluting(200, 5e4, TOLUENE)], background=BLEED)
    kept = ~np.isin(run.scan_of_ion, [150, 198, 202])
    lost = Run.from_scans(
        run.time_min,
        np.bincount(run.scan_of_ion[kept], minlength=run.n_scans),
        run.mz[kept],
        run.intensity[kept],
    )
    (peak,) = found(lost)
    assert abs(peak.apex - 200) <= 1


def test_the_index_is_that_of_the_table_and_names_follow_it() -> None:
    table = IndexTable(np.array([at_min(0), at_min(400)]), np.array([1000.0, 1400.0]))
    run = run_of([Eluting(200, 5e4, {91: 999.0, 92: 600.0, 65: 130.0, 39: 110.0})])
    (peak,) = find_peaks(run, index=table)
    assert peak.index == pytest.approx(1200, abs=1)
    assert "toluene" not in [match.compound for match in peak.matches]  # 772
    (peak,) = find_peaks(run)
    assert peak.matches[0].compound == "toluene"
    assert np.isnan(peak.index)


def test_a_table_that_covers_nothing_of_the_run() -> None:
    table = IndexTable(np.array([50.0, 60.0]), np.array([1000.0, 1400.0]))
    with pytest.warns(GaleWarning, match="none of its times"):
        find_peaks(run_of([Eluting(200, 5e4, TOLUENE)]), index=table)


def test_selected_ions_are_warned_of() -> None:
    ions = [(128, 900.0), (102, 100.0), (64, 50.0)]
    time = np.arange(200)
    course = 20 + 5e3 * np.exp(-0.5 * ((time - 100) / 3) ** 2)
    run = Run.from_scans(
        1 + time / 100,
        np.full(200, 3),
        np.tile([mz for mz, _ in reversed(ions)], 200),
        np.concatenate([[h * c / 900 for _, h in reversed(ions)] for c in course]),
    )
    with pytest.warns(GaleWarning, match="selected-ion monitoring of 3 m/z"):
        find_peaks(run)


def test_small_peaks_are_left_out_on_request() -> None:
    run = run_of([Eluting(100, 5e4, TOLUENE), Eluting(200, 100.0, ACID)])
    assert len(found(run)) == 2
    assert [peak.base_mz for peak in find_peaks(run, names=False, least_share=0.01)] == [91]
    with refused(GaleError, "least_share", found="1.5"):
        find_peaks(run, least_share=1.5)


def test_peaks_of_a_start_that_nothing_falls_from_are_sound() -> None:
    """Five scans, of which the first and the third are one spectrum, and the third has more."""
    first = {1.5: 8.4e8, 1.9: 9.9e8, 127.4: 5e-324, 153.0: 2.8e7, 610.3: 6.2e8}
    scans = [first, {}, {**first, 246.4: 9.4e8}, {1.5: 8.4e8}, {610.3: 6.2e8}]
    mz = [each for scan in scans for each in sorted(scan)]
    intensity = [scan[each] for scan in scans for each in sorted(scan)]
    run = Run.from_scans([4.4, 5.5, 10.0, 13.0, 13.5], [*map(len, scans)], mz, intensity)
    for peak in found(run):
        check(peak, run)


def check(peak: Peak, run: Run) -> None:
    assert 0 <= peak.start <= peak.apex <= peak.end < run.n_scans
    assert peak.start_min <= peak.apex_min <= peak.end_min
    assert 0 < peak.purity <= 1
    assert np.all(peak.intensity > 0)
    assert np.all(np.diff(peak.mz) > 0)
    assert peak.height == pytest.approx(peak.intensity.sum())
    assert peak.area >= 0
    assert all(0 <= match.match <= 999 >= match.reverse >= 0 for match in peak.matches)


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore::gale.errors.GaleWarning")
@given(run=runs())
@settings(max_examples=60, deadline=None, phases=[Phase.explicit, Phase.generate])
def test_any_run_has_sound_peaks_or_none(run: Run) -> None:
    peaks = find_peaks(run)
    for peak in peaks:
        check(peak, run)
    assert [peak.apex for peak in peaks] == sorted(peak.apex for peak in peaks)
    assert len(peaks.table) == len(peaks)


def test_another_thing_than_a_run() -> None:
    with refused(GaleError, "run", remedy="gale.read_run"):
        gale.find_peaks("run.csv")  # type: ignore[arg-type]
