"""Written runs read back unchanged, and other software reads them, too."""

from __future__ import annotations

import csv as csv_module
import io
import os
import sys
import tempfile
from importlib import resources
from pathlib import Path

import numpy as np
import pyteomics.mzml
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from lxml import etree
from psims.validation import xsd

import gale
from gale.errors import OutputError, ReadError
from gale.readers import limits, read_run
from gale.run import Run
from gale.writers import FORMATS, format_of, write_run
from helpers.errors import refused
from helpers.run_files import assert_same, runs, small_run

COLUMNS = ("time_min", "scan_start", "mz", "intensity")


def again(run: Run, name: str, folder: Path) -> Run:
    path = folder / f"written{FORMATS[name].suffix}"
    write_run(run, path, force=True)
    return gale.read_run(path)


def assert_equal(found: Run, expected: Run) -> None:
    for column in COLUMNS:
        np.testing.assert_array_equal(getattr(found, column), getattr(expected, column), column)


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
    assert_equal(again(run, "mzml", tmp_path), run)


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
    schema = etree.XMLSchema(etree.parse(str(resources.files(xsd) / "mzML1.1.0.xsd")))
    write_run(full_run(), tmp_path / "run.mzML")
    root = etree.parse(tmp_path / "run.mzML")
    schema.assertValid(root)
    run = root.find("{*}run")
    assert run is not None
    assert run.get("id") == "_1_run.D"


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
    with refused(OutputError, tmp_path / "run.txt", expected=".csv, .mzML, .parquet"):
        write_run(small_run(), tmp_path / "run.txt")
    with refused(OutputError, "format", found="'xml'", expected="csv, mzml, parquet"):
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
