"""Thirteen Agilent folders of one reaction, in the folder that GALE_EXTRA_DATA names.

Each has the spectra twice, as ChemStation and as MassHunter write them, and two exports of the
maker's software: the chromatogram, and a report of the peaks.
"""

from __future__ import annotations

import csv
import os
from datetime import datetime, timedelta
from functools import cache
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest

from gale.errors import ReadError
from gale.inspection import oddities
from gale.readers import read_run
from gale.readers.vendors import chemstation, masshunter
from gale.run import TIC_NOTE, Run
from helpers.vendor_files import lower

ROOT = Path(os.environ.get("GALE_EXTRA_DATA", "")) / "real" / "agilent"
NUMBERS = range(13)
N_IONS = (
    *(27_562, 31_352, 31_717, 31_626, 32_549, 33_351, 32_625),
    *(32_345, 32_244, 32_480, 32_872, 32_633, 32_793),
)

pytestmark = pytest.mark.skipif(
    "GALE_EXTRA_DATA" not in os.environ, reason="GALE_EXTRA_DATA is not set"
)


def folder(number: int) -> Path:
    return ROOT / f"RAU-R505-{number:02}.D"


@cache
def run_of(number: int) -> Run:
    return read_run(folder(number))


def chromatogram(number: int) -> np.ndarray[tuple[int, int], np.dtype[np.float64]]:
    """Time (min) and total of each scan, as the maker's software exported them, shape (S, 2)."""
    lines = (folder(number) / "tic_front.csv").read_text("latin-1").splitlines()
    return np.array([line.split(",") for line in lines if line[:1].isdigit()], dtype=np.float64)


def reported_peaks(number: int) -> list[tuple[float, int, float]]:
    """Time (min), scan and height of each peak of the maker's report."""
    lines = (folder(number) / "RESULTS.CSV").read_text("latin-1").splitlines()
    rows = [row for row in csv.reader(lines) if row and row[0].rstrip("=").isdigit()]
    return [(float(row[2]), int(row[4]), float(row[7])) for row in rows if len(row) > 8]


def clipped_scans(run: Run) -> np.ndarray[tuple[int], np.dtype[np.bool_]]:
    scan = np.repeat(np.arange(run.n_scans), run.ions_per_scan)
    clipped = run.intensity == chemstation.MAX_INTENSITY
    return np.bincount(scan[clipped], minlength=run.n_scans) > 0


@pytest.mark.parametrize("number", NUMBERS)
def test_scans_ions_and_times(number: int) -> None:
    run = run_of(number)
    assert (run.format, run.n_scans, run.n_ions) == ("chemstation", 2_012, N_IONS[number])
    np.testing.assert_allclose(run.time_min[[0, -1]], [1.093, 12.707], atol=6e-4)
    assert 45 <= run.mz.min() < run.mz.max() <= 430.5
    assert run.intensity.max() == 8_388_096
    assert run.facts["title"] == f"RAU-R505-{number}"
    assert run.facts["instrument"] == "5977B MSD"


@pytest.mark.parametrize("number", NUMBERS)
def test_totals_are_those_of_the_makers_chromatogram(number: int) -> None:
    run, expected = run_of(number), chromatogram(number)
    np.testing.assert_allclose(run.time_min, expected[:, 0], atol=6e-5)  # to five decimals
    clipped = clipped_scans(run)
    assert 0 < clipped.sum() < 10
    rounding = 0.5 * run.ions_per_scan + 1
    off = np.abs(run.total_ion_current - expected[:, 1])
    assert np.all(off[~clipped] <= rounding[~clipped] + 3e-4 * expected[~clipped, 1])
    assert np.all(off[clipped] <= 0.04 * expected[clipped, 1])


@pytest.mark.parametrize("number", NUMBERS)
def test_clipped_ions_and_the_totals_they_spoil_are_named(number: int) -> None:
    (total,) = run_of(number).notes
    clipped = dict(oddities(run_of(number)))["saturation"]
    assert "8,388,096" in clipped
    assert total.startswith(TIC_NOTE)
    assert "of 2,012 scans" in total


@pytest.mark.parametrize("number", NUMBERS)
def test_peaks_are_where_the_maker_reports_them(number: int) -> None:
    run = run_of(number)
    tic = run.total_ion_current
    peaks = reported_peaks(number)
    assert len(peaks) >= 2
    for time, scan, height in peaks:
        near = slice(scan - 8, scan + 7)
        top = near.start + int(tic[near].argmax())
        assert abs(top + 1 - scan) <= 1  # the report counts from 1
        assert abs(run.time_min[top] - time) < 0.012
        assert 0.9 * height < tic[top] < 1.1 * height + 20_000


RATIOS = (0.003, 0.077, 0.183, 0.343, 0.518, 0.734, 0.902, 1.10, 1.28, 1.49, 1.70, 2.57, 3.36)
"""Published ratios of the peak of the product to that of the internal standard."""


def test_the_product_grows_with_time() -> None:
    def area(run: Run, apex_min: float) -> float:
        tic = run.total_ion_current[np.abs(run.time_min - apex_min) < 0.04]
        return float(np.maximum(tic - np.quantile(tic, 0.1), 0).sum())

    ratios = [area(run_of(number), 10.3) / area(run_of(number), 6.3) for number in NUMBERS]
    assert np.all(np.diff(ratios) > 0)
    np.testing.assert_allclose(ratios, RATIOS, atol=0.05)


def test_runs_are_22_minutes_apart() -> None:
    dates = [run_of(number).facts["date"] for number in NUMBERS]
    began = [datetime.strptime(date.upper(), "%d %b %y %I:%M %p") for date in dates]
    minutes = [(later - earlier) / timedelta(minutes=1) for earlier, later in pairwise(began)]
    assert np.median(minutes) == 22


@pytest.mark.parametrize("number", NUMBERS)
def test_masshunter_has_the_same_spectra(number: int) -> None:
    """Its m/z and intensities are finer: data.ms rounds to 0.1 and to 14 bits."""
    run = run_of(number)
    files = {
        path.name: path.read_bytes()
        for path in (folder(number) / "AcqData").iterdir()
        if path.is_file()
    }
    found = masshunter.read(lower(files), "x")
    np.testing.assert_array_equal(found.scan_start, run.scan_start)
    np.testing.assert_allclose(found.time_min, run.time_min, rtol=1e-12)
    assert np.abs(found.mz - run.mz).max() < 0.0501
    off = np.abs(found.intensity - run.intensity)
    assert np.all(off <= 0.5 + found.intensity / 2_048)
    (note,) = found.notes
    assert note.startswith(TIC_NOTE)


@pytest.mark.parametrize("number", NUMBERS)
def test_another_reader_finds_the_same(number: int) -> None:
    other = pytest.importorskip("rainbow.agilent.chemstation")
    run = run_of(number)
    table = other.parse_ms(str(folder(number) / "data.ms"), bin_width=0.05, display_precision=2)
    rows, columns = np.nonzero(table.data)
    scan = np.repeat(np.arange(run.n_scans), run.ions_per_scan)
    np.testing.assert_array_equal(rows, scan[run.intensity > 0])
    np.testing.assert_allclose(table.ylabels[columns], run.mz[run.intensity > 0])
    np.testing.assert_array_equal(table.data[rows, columns], run.intensity[run.intensity > 0])


@pytest.mark.parametrize("part", [0.01, 0.3, 0.7, 0.95, 0.9999])
def test_cut_short(part: float) -> None:
    data = (folder(0) / "data.ms").read_bytes()
    with pytest.raises(ReadError):
        chemstation.read(data[: int(len(data) * part)], "x")
