"""The numbers of pictures, against slow and obvious ones."""

from __future__ import annotations

import numpy as np
import pytest

from gale.errors import PlotError
from gale.plotting import measures
from gale.plotting.measures import (
    base_peak,
    cut_time,
    ion_map,
    of_scans,
    telling_scans,
)
from gale.run import Run, extracted_ion, nearest_scan
from helpers.errors import refused
from helpers.run_files import small_run

RUN = small_run(empty=(0, 7))


def scans(run: Run) -> list[tuple[list[float], list[float]]]:
    return [
        (run.mz[a:b].tolist(), run.intensity[a:b].tolist())
        for a, b in zip(run.scan_start[:-1], run.scan_start[1:], strict=True)
    ]


def test_base_peak() -> None:
    assert base_peak(RUN).tolist() == [max(heights, default=0.0) for _, heights in scans(RUN)]


def test_extracted_ion() -> None:
    for mz in (int(np.rint(RUN.mz[3])), 9_999):
        expected = [
            sum(height for each, height in zip(*scan, strict=True) if round(each) == mz)
            for scan in scans(RUN)
        ]
        np.testing.assert_allclose(extracted_ion(RUN, mz), expected)


def test_halves_are_rounded_as_features_round_them() -> None:
    run = Run.from_scans([1.0, 2.0], [1, 1], [56.5, 57.5], [3.0, 4.0])
    assert extracted_ion(run, 56).tolist() == [3.0, 0.0]
    assert extracted_ion(run, 57).tolist() == [0.0, 0.0]
    assert extracted_ion(run, 58).tolist() == [0.0, 4.0]


def test_nearest_scan() -> None:
    for at in (RUN.time_min[0], RUN.time_min[-1], RUN.time_min[5] + 0.01):
        assert nearest_scan(RUN, at) == min(
            range(RUN.n_scans), key=lambda scan: abs(RUN.time_min[scan] - at)
        )
    with refused(PlotError, "memory", found="99 min", expected="2.500 to "):
        nearest_scan(RUN, 99)


def test_cut_time() -> None:
    assert cut_time(RUN, None) is RUN
    part = cut_time(RUN, (RUN.time_min[3], RUN.time_min[9] + 1e-9))
    assert part.time_min.tolist() == RUN.time_min[3:10].tolist()
    assert scans(part) == scans(RUN)[3:10]


@pytest.mark.parametrize(
    ("range_", "n_scans"),
    [((0.0, 1.0), "0 scans"), ((2.49, 2.51), "1 scan "), ((8.0, 9.0), "0 scans")],
)
def test_nothing_within_a_range_of_times(range_: tuple[float, float], n_scans: str) -> None:
    first, last = range_
    with refused(
        PlotError, "memory", found=[n_scans, f"{first:g} to {last:g} min"], expected="2.500 to "
    ):
        cut_time(RUN, range_)


def test_scans_without_ions_are_nothing_to_draw() -> None:
    run = Run.from_scans([1.0, 2.0, 3.0], [1, 0, 0], [50.0], [1.0])
    with refused(PlotError, "memory", found=["2 scans", "0 ions", "2 to 3 min"]):
        cut_time(run, (2.0, 3.0))


def test_ion_map() -> None:
    grid = ion_map(RUN)
    first = round(RUN.mz.min())
    assert grid.mz.tolist() == [first - 0.5 + at for at in range(len(grid.mz))]
    assert grid.mz[-1] == round(RUN.mz.max()) + 0.5
    expected = np.zeros((len(grid.mz) - 1, RUN.n_scans))
    for column, scan in enumerate(scans(RUN)):
        for mz, height in zip(*scan, strict=True):
            expected[round(mz) - first, column] += height
    np.testing.assert_allclose(grid.intensity, expected)
    assert np.all((grid.time_min[:-1] < RUN.time_min) & (RUN.time_min < grid.time_min[1:]))


def test_a_large_ion_map_keeps_what_is_highest(monkeypatch: pytest.MonkeyPatch) -> None:
    full = ion_map(RUN).intensity
    monkeypatch.setattr(measures, "MOST_COLUMNS", 9)
    grid = ion_map(RUN)
    assert grid.intensity.shape == (len(full), 8)
    np.testing.assert_array_equal(grid.intensity[:, 0], full[:, :5].max(axis=1))
    assert (grid.intensity.max(), len(grid.time_min)) == (full.max(), 9)
    monkeypatch.setattr(measures, "MOST_ROWS", 100)
    assert ion_map(RUN).intensity.shape[0] <= 100


def test_an_ion_map_of_a_range() -> None:
    grid = ion_map(RUN, (100.0, 150.0))
    assert (grid.mz[0], grid.mz[-1]) == (99.5, 150.5)
    inside = (np.rint(RUN.mz) >= 100) & (np.rint(RUN.mz) <= 150)
    assert grid.intensity.sum() == pytest.approx(RUN.intensity[inside].sum())
    with refused(PlotError, "memory", found="m/z 500 to 600", expected=f"{RUN.mz.min():.1f} to "):
        ion_map(RUN, (500.0, 600.0))


@pytest.mark.parametrize("n_scans", [9, 10, 11, 57, 1000])
def test_thinned_chromatograms_keep_their_peaks(n_scans: int) -> None:
    total = np.random.default_rng(n_scans).gamma(1.0, 100.0, n_scans)
    chosen = telling_scans(total, 10)
    assert chosen.tolist() == sorted(set(chosen.tolist()))
    assert len(chosen) <= 10
    width = -(-2 * n_scans // 10)
    for begin in range(0, n_scans, width) if n_scans > 10 else ():
        part = total[begin : begin + width]
        assert {begin + int(part.argmax()), begin + int(part.argmin())} <= set(chosen.tolist())


def test_a_run_of_some_scans() -> None:
    chosen = np.array([1, 2, 5])
    part = of_scans(RUN, chosen)
    assert scans(part) == [scans(RUN)[at] for at in chosen]
    assert part.time_min.tolist() == RUN.time_min[chosen].tolist()
    assert of_scans(RUN, np.arange(RUN.n_scans)) is RUN
