"""Tables of peaks, in the forms that software exports them, are not runs; sparse runs are."""

from __future__ import annotations

import numpy as np
import pytest

from gale.errors import ReadError, UnsupportedFormatError
from gale.readers import parse_run
from helpers.errors import refused
from helpers.run_files import parquet, small_run

SHIMADZU = (
    "[Header]\nData File Name\tC:\\soil.qgd\n\n[MS Quantitative Results]\n# of IDs\t4\n"
    "ID#\tName\tType\tISTD Group#\tMass\tRet.Time\tStart Tm.\tEnd Tm.\tA/H\tArea\tHeight\tConc.\n"
    + "".join(
        f"{n}\tpeak {n}\tTarget\t1\t{mz}.00\t{time}\t0\t0\t2.0\t9\t5{n}\t1.0\n"
        for n, (mz, time) in enumerate([(43, 4.0), (78, 5.5), (73, 7.2), (91, 8.3)], 1)
    )
)
MZMINE = "id,rt,rt_range:min,rt_range:max,mz,height,area,charge\n" + "".join(
    f"{n},{3 + 0.15 * n + 0.001 * n % 7:.3f},1,2,{100 + n}.5,{n},9,\n" for n in range(1, 181)
)
MASSHUNTER = "Cpd,RT,Mass,Height,Area,Score\n" + "".join(
    f"{n},{n / 3:.2f},{50 + n},7,9,88\n" for n in range(1, 60)
)
CHROMATOF = "Peak #,Name,R.T. (s),UniqueMass,Area,Similarity\n" + "".join(
    f"{n},Unknown,{200 + 7.3 * n:.2f},{40 + n},{n}000,880\n" for n in range(1, 90)
)
TABLES = {
    "shimadzu": SHIMADZU,
    "shimadzu with spectra behind": f"{SHIMADZU}[MS Spectrum]\n# of Peaks\t2\n43.00\t999\n",
    "mzmine": MZMINE,
    "masshunter": MASSHUNTER,
    "chromatof": CHROMATOF,
}


@pytest.mark.parametrize("name", TABLES)
@pytest.mark.parametrize("columns", [None, {"mz": "UniqueMass", "intensity": "Area"}])
def test_tables_of_peaks_are_refused(name: str, columns: dict[str, str] | None) -> None:
    with refused(UnsupportedFormatError, "x", found="table of peaks", remedy=["export", "ANDI"]):
        parse_run(TABLES[name].replace("area", "Area").encode(), "x", columns=columns)


def test_a_bad_cell_of_a_run_with_columns_of_peaks_is_told() -> None:
    with refused(ReadError, "x: row 2 (line 3), column 'mass'", found="'a'"):
        parse_run(b"time,mass,intensity,area,formula\n1,50,7,1,C\n1,a,8,1,C\n", "x")


def rows(time: np.ndarray, mz: np.ndarray, header: str = "rt,mz,height") -> bytes:
    table = zip(time.tolist(), mz.tolist(), strict=True)
    return "\n".join([header, *(f"{t:.4f},{m},100" for t, m in table), ""]).encode()


def test_a_plain_table_of_uneven_times_with_one_ion_is_noted() -> None:
    rng = np.random.default_rng(0)
    run = parse_run(rows(np.sort(rng.uniform(3, 30, 180)), rng.uniform(40, 400, 180)), "x")
    assert any("table of peaks" in note for note in run.notes)


SPARSE = np.sort(np.random.default_rng(0).choice(2_000, 700, replace=False))


@pytest.mark.parametrize(
    ("scans", "mz"),
    [
        (np.arange(600), np.full(600, 57.0)),  # one selected ion
        (SPARSE, np.full(700, 57.0)),  # one selected ion, scans without it left out
        (SPARSE, 40.0 + SPARSE % 97),  # a high threshold, mostly one ion
        (np.arange(600), 40.0 + np.arange(600) % 97),  # the base peak of each scan
    ],
)
@pytest.mark.parametrize("decimals", [3, 6])
def test_sparse_runs_are_runs(scans: np.ndarray, mz: np.ndarray, decimals: int) -> None:
    data = rows(np.round(4 + scans * 0.01, decimals), mz)
    assert parse_run(data, "x").notes == ()


@pytest.mark.parametrize("header", ["time,mass,intensity,area,conc", "rt,mz,height,area,formula"])
def test_a_run_with_columns_of_peaks_but_whole_scans_is_a_run(header: str) -> None:
    run = small_run()
    table = zip(np.repeat(run.time_min, run.ions_per_scan), run.mz, run.intensity, strict=True)
    data = "\n".join([header, *(f"{t},{m},{i},1,2" for t, m, i in table), ""])
    assert parse_run(data.encode(), "x").notes == ()
    assert parse_run(parquet(run), "x").notes == ()
