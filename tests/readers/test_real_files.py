"""Files from several makers' software, in the folder that GALE_EXTRA_DATA names.

The expected numbers were counted without gale.
"""

from __future__ import annotations

import os
import re
from pathlib import Path

import numpy as np
import pytest
from scipy.io import netcdf_file

from gale.errors import ReadError, UnsupportedFormatError
from gale.readers import is_run_file, load, parse_run, read_run
from gale.run import Run
from helpers.errors import refused

ROOT = Path(os.environ.get("GALE_EXTRA_DATA", "")) / "real"

pytestmark = pytest.mark.skipif(
    "GALE_EXTRA_DATA" not in os.environ, reason="GALE_EXTRA_DATA is not set"
)


@pytest.mark.parametrize(
    ("name", "n_scans", "n_ions", "first_s", "last_s"),
    [
        ("andi/HP_CENTSCNH.CDF", 621, 7_638, 301.801, 599.82),
        ("andi/agilent-gcms.cdf", 6_401, 157_201, 5.25, 3779.754),
        ("andi/agilent_200ppm.CDF", 1_602, 121_109, 215.251, 719.995),
        ("andi/TEKNIVNT_CENTSCNH.CDF", 19, 1_818, 0.006, 288.13925),
        ("andi/TEKNIVNT_CENTSCNL.CDF", 400, 53_797, 0.0, 399.0),
        ("andi/EXTREL_CENTSCNL.CDF", 5, 99, 0.1, 0.5),
        ("andi/FINNIGAN_CENTSCNL.CDF", 100, 2_187, 1.0, 100.0),
        ("andi/TEST_QD.CDF", 201, 1_342, 949.99993896, 1149.99987793),
        ("jcamp/aa_4_aq_110124_056.func_0.JDX", 7_666, 100_619, 120.205006599, 2220.029067993),
        ("gunshot/ELEY_1_SUBTRACT.JDX", 2_103, 207_409, 1.052, 2220.764),
        ("gunshot/ELEY_3_SUBTRACT.JDX", 2_103, 127_496, 1.052, 2220.764),
        ("gunshot/GECO_1_SUBTRACT.JDX", 2_103, 207_147, 1.052, 2220.764),
        ("gunshot/GECO_4_SUBTRACT.JDX", 2_103, 123_436, 1.052, 2220.764),
    ],
)
def test_scans_ions_and_times(
    name: str, n_scans: int, n_ions: int, first_s: float, last_s: float
) -> None:
    run = read_run(ROOT / name)
    assert (run.n_scans, run.n_ions) == (n_scans, n_ions)
    np.testing.assert_allclose(run.time_min[[0, -1]] * 60, [first_s, last_s], atol=2e-3)
    assert is_run_file(ROOT / name)


@pytest.mark.parametrize(
    "name", ["andi/HP_CENTSCNH.CDF", "andi/agilent-gcms.cdf", "gunshot/GECO_5_SUBTRACT.JDX"]
)
def test_ions_sum_to_the_total_that_the_file_states(name: str) -> None:
    assert read_run(ROOT / name).notes == ()


@pytest.mark.slow
def test_every_gunshot_file() -> None:
    paths = sorted((ROOT / "gunshot").glob("*.JDX"))
    assert [path.name[:4] for path in paths] == ["ELEY"] * 5 + ["GECO"] * 5
    for path in paths:
        run = read_run(path)
        assert run.n_scans == 2_103
        np.testing.assert_allclose(run.time_min[[0, -1]] * 60, [1.052, 2220.764], atol=2e-3)
        assert "title" not in run.facts  # it is blank
        assert 120_000 < run.n_ions < 208_000
        assert (50 if "ELEY" in path.name else 45) <= run.mz.min() < run.mz.max() <= 500.5
    assert not is_run_file(ROOT / "gunshot" / "labels.csv")


def test_scaled_masses() -> None:
    run = read_run(ROOT / "andi" / "TEKNIVNT_CENTSCNH.CDF")
    np.testing.assert_allclose(run.mz[:3], [39.998, 43.055, 44.061])
    assert run.mz.min() == pytest.approx(39.959)  # stored as 39,959


def test_fill_instead_of_totals_and_a_scaled_intensity() -> None:
    run = read_run(ROOT / "andi" / "EXTREL_CENTSCNL.CDF")
    assert run.intensity[0] == 54_388_000
    assert run.stated_tic is None
    assert not any("total ion current" in note for note in run.notes)


def test_a_total_of_twice_the_sum_is_noted() -> None:
    run = read_run(ROOT / "andi" / "FINNIGAN_CENTSCNL.CDF")
    assert any("100 of 100 scans" in note and "0.495" in note for note in run.notes)


def test_scans_without_ions() -> None:
    run = read_run(ROOT / "andi" / "TEST_QD.CDF")
    assert int((run.ions_per_scan == 0).sum()) == 9


@pytest.mark.parametrize(
    ("name", "inside", "found"),
    [
        ("andi/FINNIGAN_LIBRARY.CDF", "", "Library Mass Spectrum"),
        ("andi/TEKNIVNT_CONTINUM.CDF", "/CONTINUM.CDF", "profile"),
        ("mzml/gc_orbi_profile_21scans.mzML", "", "profile"),
    ],
)
def test_what_is_no_run_is_refused_by_name(name: str, inside: str, found: str) -> None:
    with refused(UnsupportedFormatError, f"{ROOT / name}{inside}", found=found):
        read_run(ROOT / name)


@pytest.mark.slow
def test_a_wide_table_in_a_zip_archive_with_times_in_milliseconds() -> None:
    run = read_run(ROOT / "csv" / "Chromatogram1.csv.zip")
    assert (run.n_scans, run.mz.min(), run.mz.max()) == (5_726, 15, 600)
    np.testing.assert_allclose(run.time_min[[0, -1]], [5_190 / 60_000, 4_439_858 / 60_000])
    for fact in ("'RT(milliseconds)' in milliseconds", "586"):
        assert fact in run.facts["columns"]


@pytest.mark.parametrize(
    ("name", "lowest", "highest"),
    [
        ("andi/agilent_200ppm.CDF", 30.1, 199.9),
        ("andi/agilent-gcms.cdf", 12.0, 429.2),
        ("andi/HP_CENTSCNH.CDF", 25.85, 272.2),
        ("jcamp/aa_4_aq_110124_056.func_0.JDX", 40.8232, 448.4447),
    ],
)
def test_the_range_of_mz(name: str, lowest: float, highest: float) -> None:
    run = read_run(ROOT / name)
    assert (run.mz.min(), run.mz.max()) == pytest.approx((lowest, highest), rel=1e-6)


def test_minutes_and_seconds_in_one_file() -> None:
    run = read_run(ROOT / "mzml" / "tiny.pwiz.1.1.mzML")
    np.testing.assert_allclose(run.time_min, [42.05 / 60, 5.8905])
    for note, facts in zip(
        run.notes, (("MS level", "1"), ("without a time",), ("sorted",)), strict=False
    ):
        assert all(fact in note for fact in facts)


def test_profile_is_seen_where_the_file_does_not_declare_it() -> None:
    data = load(ROOT / "mzml" / "gc_orbi_profile_21scans.mzML")
    with refused(UnsupportedFormatError, "x", found=["steps of m/z", "profile"]):
        parse_run(data.replace(b"MS:1000128", b"MS:1000000"), "x")


def test_profile_data_are_centroided_on_request() -> None:
    run = read_run(ROOT / "mzml" / "gc_orbi_profile_21scans.mzML", centroid=True)
    assert run.n_scans == 21
    for fact in ("centroided", "99,431 points", f"{run.n_ions:,} ions"):
        assert fact in run.notes[0]
    assert 2_000 < run.n_ions < 20_000


def test_centroids_are_no_profile_where_the_file_does_not_declare_them() -> None:
    data = load(ROOT / "andi" / "agilent-gcms.cdf")
    run = parse_run(
        data.replace(b"Centroided Mass Spectrum", b"Some kind of Spectrum...."[:24]), "x"
    )
    assert "spectra" not in run.facts


@pytest.mark.parametrize(
    "name", ["andi/HP_CENTSCNH.CDF", "gunshot/GECO_4_SUBTRACT.JDX", "mzml/tiny.pwiz.1.1.mzML"]
)
@pytest.mark.parametrize("part", [0.01, 0.3, 0.7, 0.999])
def test_cut_short(name: str, part: float) -> None:
    data = load(ROOT / name)
    with pytest.raises(ReadError):
        parse_run(data[: int(len(data) * part)], "x")


@pytest.mark.parametrize(
    ("name", "ratio"),
    [
        ("andi/HP_CENTSCNH.CDF", 1.0),
        ("andi/agilent-gcms.cdf", 1.0),
        ("andi/FINNIGAN_CENTSCNL.CDF", 0.495),
    ],
)
def test_totals_against_another_netcdf_reader(name: str, ratio: float) -> None:
    run = read_run(ROOT / name)
    with netcdf_file(ROOT / name, "r", mmap=False) as file:
        stated = np.array(file.variables["total_intensity"].data, dtype=float)
    assert np.median(run.total_ion_current / stated) == pytest.approx(ratio, abs=0.005)


def test_totals_of_jcamp_against_the_text() -> None:
    path = ROOT / "jcamp" / "aa_4_aq_110124_056.func_0.JDX"
    stated = [float(value) for value in re.findall(r"##TIC= *(\S+)", path.read_text())]
    np.testing.assert_allclose(read_run(path).total_ion_current, stated, rtol=1e-3)


def test_an_ion_twice_in_a_scan_and_scans_of_one_ion() -> None:
    run = read_run(ROOT / "andi" / "EXTREL_CENTSCNL.CDF")
    scan = np.repeat(np.arange(run.n_scans), run.ions_per_scan)
    assert np.any((np.diff(run.mz) == 0) & (np.diff(scan) == 0))
    jcamp = read_run(ROOT / "jcamp" / "aa_4_aq_110124_056.func_0.JDX")
    assert int((jcamp.ions_per_scan < 2).sum()) == 1


def test_golden_runs() -> None:
    rows = {"run0": 17_761, "run1": 18_179, "run2": 16_489, "run3": 17_015, "run4": 15_509}
    runs: dict[str, Run] = {
        name: read_run(ROOT.parent / "golden" / f"{name}.csv.gz") for name in rows
    }
    assert {name: run.n_ions for name, run in runs.items()} == rows
    assert all(run.notes == () for run in runs.values())
