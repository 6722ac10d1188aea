"""Written runs read back unchanged, and other software reads them, too."""

from __future__ import annotations

import csv as csv_module
import hashlib
import io
import os
import re
import sys
import tempfile
from importlib import resources
from pathlib import Path

import numpy as np
import pymzml.run
import pyteomics.mzml
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from lxml import etree
from psims.validation import xsd
from scipy.io import netcdf_file

import gale
from gale.errors import OutputError, ReadError
from gale.readers import limits, read_run
from gale.run import Run
from gale.writers import FORMATS, format_of, write_run
from helpers.errors import refused
from helpers.run_files import assert_same, runs, small_run

COLUMNS = ("time_min", "scan_start", "mz", "intensity")

ROUNDED = 1e-15
"""Relative error of times that were seconds between."""


def again(run: Run, name: str, folder: Path) -> Run:
    path = folder / f"written{FORMATS[name].suffix}"
    write_run(run, path, force=True)
    return gale.read_run(path)


def assert_equal(found: Run, expected: Run) -> None:
    for column in COLUMNS:
        if column == "time_min" and found.format == "andi":
            np.testing.assert_allclose(found.time_min, expected.time_min, rtol=ROUNDED)
        else:
            np.testing.assert_array_equal(getattr(found, column), getattr(expected, column), column)


@pytest.mark.slow
@pytest.mark.parametrize("name", FORMATS)
@given(run=runs())
@settings(max_examples=40, deadline=None)
def test_every_run_reads_back_to_the_last_digit(name: str, run: Run) -> None:
    with tempfile.TemporaryDirectory() as folder:
        found = again(run, name, Path(folder))
    assert_equal(found, run)
    assert found.format == name
    assert all(note.startswith("the run lasts") for note in found.notes)


@pytest.mark.parametrize("name", ["csv", "parquet"])
@given(run=runs(), seed=st.integers(0, 99))
@settings(max_examples=20, deadline=None)
def test_tables_keep_the_order_of_the_ions(name: str, run: Run, seed: int) -> None:
    order = np.lexsort((np.random.default_rng(seed).random(run.n_ions), run.scan_of_ion))
    shuffled = Run.from_scans(run.time_min, run.ions_per_scan, run.mz[order], run.intensity[order])
    with tempfile.TemporaryDirectory() as folder:
        assert_equal(again(shuffled, name, Path(folder)), shuffled)


@pytest.mark.parametrize("name", FORMATS)
def test_scans_without_ions_are_kept(name: str, tmp_path: Path) -> None:
    run = small_run(empty=(0, 3, 4, 39))
    found = again(run, name, tmp_path)
    assert_equal(found, run)
    assert found.notes == ()


def test_the_row_of_a_scan_without_ions(tmp_path: Path) -> None:
    run = Run.from_scans([1.0, 2.0, 3.0], [1, 0, 1], [57.1, 73.0], [5.0, 0.0])
    write_run(run, tmp_path / "run.csv")
    rows = list(csv_module.reader(io.StringIO((tmp_path / "run.csv").read_text("utf-8"))))
    assert rows == [
        ["time", "mass", "intensity"],
        ["1.0", "57.1", "5.0"],
        ["2.0", "0.0", "0.0"],
        ["3.0", "73.0", "0.0"],
    ]


@pytest.mark.parametrize("name", ["csv", "parquet"])
def test_a_table_cannot_hold_scans_of_equal_time(name: str, tmp_path: Path) -> None:
    run = Run.from_scans([1.0, 1.0, 2.0], [1, 1, 1], [57.0, 58.0, 59.0], [1.0, 2.0, 3.0])
    path = tmp_path / f"run{FORMATS[name].suffix}"
    with refused(OutputError, "memory", found=("1 scan ", "1 min"), remedy="mzML"):
        write_run(run, path)
    assert list(tmp_path.iterdir()) == []
    for name in ("mzml", "andi"):
        assert_equal(again(run, name, tmp_path), run)


def full_run() -> Run:
    run = small_run(empty=(5,))
    stated = run.total_ion_current * 2
    stated[7] = np.nan
    facts = {"title": "<a & b>", "instrument": "5977B\x01", "spectra": "centroid"}
    return Run.from_scans(
        run.time_min, run.ions_per_scan, run.mz, run.intensity, stated_tic=stated, facts=facts,
        source="folder/1 run.D",
    )  # fmt: skip


def test_mzml_keeps_facts_and_the_stated_total(tmp_path: Path) -> None:
    run = full_run()
    found = again(run, "mzml", tmp_path)
    np.testing.assert_array_equal(found.stated_tic, run.stated_tic)
    assert found.facts == {**run.facts, "instrument": "5977B\N{REPLACEMENT CHARACTER}"}


@pytest.mark.filterwarnings("ignore:unclosed file:ResourceWarning")
@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
def test_another_reader_of_mzml(tmp_path: Path) -> None:
    run = full_run()
    write_run(run, tmp_path / "run.mzML")
    with pyteomics.mzml.read(str(tmp_path / "run.mzML")) as reader:
        spectra = list(reader)
    assert len(spectra) == run.n_scans
    for scan, spectrum in enumerate(spectra):
        ions = slice(run.scan_start[scan], run.scan_start[scan + 1])
        assert (spectrum["id"], spectrum["ms level"]) == (f"scan={scan + 1}", 1)
        time = spectrum["scanList"]["scan"][0]["scan start time"]
        assert (time, time.unit_info) == (run.time_min[scan], "minute")
        np.testing.assert_array_equal(spectrum["m/z array"], run.mz[ions])
        np.testing.assert_array_equal(spectrum["intensity array"], run.intensity[ions])


def test_mzml_follows_its_schema(tmp_path: Path) -> None:
    schema = etree.XMLSchema(etree.parse(str(resources.files(xsd) / "mzML1.1.2_idx.xsd")))
    write_run(full_run(), tmp_path / "run.mzML")
    root = etree.parse(tmp_path / "run.mzML")
    schema.assertValid(root)
    run = root.find("{*}mzML/{*}run")
    assert run is not None
    assert run.get("id") == "_1_run.D"


@given(run=runs())
@settings(max_examples=20, deadline=None)
def test_every_offset_of_the_index_is_where_its_spectrum_begins(run: Run) -> None:
    with tempfile.TemporaryDirectory() as folder:
        write_run(run, Path(folder, "run.mzML"))
        data = Path(folder, "run.mzML").read_bytes()
    at = re.search(rb"<indexListOffset>(\d+)</indexListOffset>", data)
    assert at is not None
    assert data[int(at[1]) :].startswith(b"<indexList ")
    offsets = re.findall(rb'<offset idRef="(scan=\d+)">(\d+)</offset>', data[int(at[1]) :])
    assert len(offsets) == run.n_scans
    for scan, (name, offset) in enumerate(offsets):
        begin = data[int(offset) : int(offset) + 200]
        assert begin.startswith(b"<spectrum ")
        assert re.search(rb' id="([^"]+)"', begin)[1] == name == f"scan={scan + 1}".encode()  # type: ignore[index]
    tag = b"<fileChecksum>"
    checked = data[: data.index(tag) + len(tag)]
    stated = data[len(checked) :].partition(b"<")[0].decode()
    assert stated == hashlib.sha1(checked, usedforsecurity=False).hexdigest()


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore:unclosed file:ResourceWarning")
@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
def test_readers_of_the_index_go_to_any_spectrum(tmp_path: Path) -> None:
    run = full_run()
    write_run(run, tmp_path / "run.mzML")
    reader = pymzml.run.Reader(str(tmp_path / "run.mzML"), build_index_from_scratch=False)
    assert reader.get_spectrum_count() == run.n_scans
    assert set(range(1, run.n_scans + 1)) <= set(
        reader.info["file_object"].file_handler.offset_dict
    )
    indexed = pyteomics.mzml.PreIndexedMzML(str(tmp_path / "run.mzML"))
    for scan in (run.n_scans - 1, 2, 17):
        ions = slice(run.scan_start[scan], run.scan_start[scan + 1])
        spectrum = reader[scan + 1]
        np.testing.assert_array_equal(spectrum.mz, run.mz[ions])
        np.testing.assert_array_equal(spectrum.i, run.intensity[ions])
        found = indexed[f"scan={scan + 1}"]
        np.testing.assert_array_equal(found["m/z array"], run.mz[ions])
    reader.close()
    indexed.close()


def test_another_reader_of_andi(tmp_path: Path) -> None:
    run = full_run()
    write_run(run, tmp_path / "run.cdf")
    with netcdf_file(tmp_path / "run.cdf", mmap=False) as file:
        values = {name: variable[:].copy() for name, variable in file.variables.items()}
        sizes, units = dict(file.dimensions), file.variables["mass_values"].units
        assert file.experiment_type == b"Centroided Mass Spectrum"
        assert file.variables["scan_acquisition_time"].units == b"Seconds"
    assert units == b"M/Z"
    assert (sizes["scan_number"], sizes["point_number"]) == (run.n_scans, run.n_ions)
    np.testing.assert_array_equal(values["scan_acquisition_time"], run.time_min * 60)
    np.testing.assert_array_equal(values["scan_index"], run.scan_start[:-1])
    np.testing.assert_array_equal(values["point_count"], run.ions_per_scan)
    np.testing.assert_array_equal(values["mass_values"], run.mz)
    np.testing.assert_array_equal(values["intensity_values"], run.intensity)
    assert values["instrument_name"].tobytes().rstrip(b"\0") == b"5977B\x01"
    lowest, highest = values["mass_range_min"], values["mass_range_max"]
    for scan in range(run.n_scans):
        ions = run.mz[run.scan_start[scan] : run.scan_start[scan + 1]]
        expected = (ions.min(), ions.max()) if len(ions) else (-9999.0, -9999.0)
        assert (lowest[scan], highest[scan]) == expected


@pytest.mark.parametrize(
    ("ionisation", "polarity"),
    [
        ("electron ionisation", "positive"),
        ("chemical ionisation", "negative"),
        ("photoionisation", "positive"),
    ],
)
def test_andi_keeps_what_it_has_a_place_for(ionisation: str, polarity: str, tmp_path: Path) -> None:
    facts = {
        "title": "β-carotene", "date": "2007-09-23 04:08:00", "instrument": "GC " + "x" * 300,
        "maker": "a maker", "software": "software 1.2", "spectra": "centroid", "column": "DB-5",
        "ionisation": ionisation, "polarity": polarity,
    }  # fmt: skip
    run = full_run()
    run = Run.from_scans(
        run.time_min, run.ions_per_scan, run.mz, run.intensity, stated_tic=run.stated_tic,
        facts=facts,
    )  # fmt: skip
    found = again(run, "andi", tmp_path)
    del facts["column"]
    assert found.facts == {**facts, "instrument": facts["instrument"][:254]}
    np.testing.assert_array_equal(found.stated_tic, run.stated_tic)
    plain = small_run(empty=(5,))
    found = again(plain, "andi", tmp_path)
    np.testing.assert_array_equal(found.stated_tic, plain.total_ion_current)


def test_the_same_run_gives_the_same_bytes(tmp_path: Path) -> None:
    for name, each in FORMATS.items():
        paths = [tmp_path / f"{at}{each.suffix}" for at in range(2)]
        for path in paths:
            write_run(full_run(), path)
        assert paths[0].read_bytes() == paths[1].read_bytes(), name


@pytest.mark.parametrize(
    ("name", "expected"),
    [("a.csv", "csv"), ("a.MZML", "mzml"), ("a.parquet", "parquet"), ("a.txt", None), ("a", None)],
)
def test_format_of(name: str, expected: str | None) -> None:
    assert format_of(Path(name)) == expected


def test_names_and_overwriting(tmp_path: Path) -> None:
    with refused(OutputError, tmp_path / "run.txt", expected=".cdf, .csv, .mzML, .parquet"):
        write_run(small_run(), tmp_path / "run.txt")
    with refused(OutputError, "format", found="'xml'", expected="andi, csv, mzml, parquet"):
        write_run(small_run(), tmp_path / "run.csv", format="xml")
    path = tmp_path / "run"
    write_run(small_run(), str(path), format="csv")
    before = path.read_bytes()
    with refused(OutputError, path, found="exists", remedy="pass force=True"):
        write_run(small_run(), path, format="parquet")
    assert path.read_bytes() == before
    write_run(small_run(), path, format="parquet", force=True)
    assert path.read_bytes().startswith(b"PAR1")


@pytest.mark.parametrize("name", ["a.csv", "a.parquet"])
def test_tables_of_runs_that_last_long_say_the_unit_of_their_times(
    name: str, tmp_path: Path
) -> None:
    run = Run.from_rows([0.0, 400.0], [50.0, 60.0], [1.0, 2.0])
    write_run(run, tmp_path / name)
    np.testing.assert_array_equal(gale.read_run(tmp_path / name).time_min, run.time_min)


@pytest.mark.skipif(sys.platform != "linux", reason="names are Unicode there")
@pytest.mark.parametrize("suffix", [".csv", ".parquet", ".mzML"])
def test_a_name_that_is_not_utf8(suffix: str, tmp_path: Path) -> None:
    path = tmp_path / os.fsdecode(b"soil_\xe9" + suffix.encode())
    write_run(small_run(), path)
    assert_same(read_run(path), small_run())


def test_what_reading_would_refuse_is_not_written(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Of equal cells, a small Parquet file can have any number."""
    run = small_run()
    monkeypatch.setattr(limits, "FREE_CELLS", 100)
    write_run(run, tmp_path / "a.parquet")
    assert_same(read_run(tmp_path / "a.parquet"), run)
    monkeypatch.setattr(limits, "CELLS_PER_BYTE", 0)
    with refused(OutputError, found="cells", expected="100", remedy="CSV or mzML"):
        write_run(run, tmp_path / "b.parquet")
    assert not (tmp_path / "b.parquet").exists()
    with refused(ReadError, tmp_path / "a.parquet", found="values"):
        read_run(tmp_path / "a.parquet")
