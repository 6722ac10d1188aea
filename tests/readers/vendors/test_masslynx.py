from __future__ import annotations

import struct
from pathlib import Path

import numpy as np
import pytest

from gale.errors import ReadError, UnsupportedFormatError
from gale.readers import read_run
from gale.readers.vendors import masslynx as reader
from gale.run import Floats
from helpers.errors import refused
from helpers.vendor_files import IONS, function, lay_out, lower, masslynx, nominal_run


def assert_close(found: Floats, expected: Floats) -> None:
    """The times are 32-bit numbers."""
    np.testing.assert_allclose(found, expected, rtol=1e-6)


@pytest.mark.parametrize("data_type", sorted(IONS))
def test_scans_written_are_the_scans_read(data_type: int, tmp_path: Path) -> None:
    run = nominal_run(empty=(0, 7, 39))
    found = read_run(lay_out(tmp_path / "a.raw", masslynx(run, data_type=data_type)))
    np.testing.assert_array_equal(found.scan_start, run.scan_start)
    assert_close(found.time_min, run.time_min)
    assert_close(found.mz, run.mz)
    np.testing.assert_array_equal(found.intensity, run.intensity)
    assert (found.format, found.notes) == ("masslynx", ())
    assert found.facts == {
        "title": "a run",
        "instrument": "GCT",
        "ionisation": "electron ionisation",
        "polarity": "positive",
    }


def test_calibrated_masses() -> None:
    run = nominal_run()
    header = "$$ Cal Function 2: 9,9,T0\r\n$$ Cal Function 1: 0.5,1.0,1e-6,T0\r\n"
    found = reader.read(lower(masslynx(run, header=header)), "x")
    assert_close(found.mz, 0.5 + run.mz + 1e-6 * run.mz**2)
    found = reader.read(lower(masslynx(run, header="$$ Cal Function 1: \r\n")), "x")
    assert_close(found.mz, run.mz)


@pytest.mark.parametrize("text", ["0,1,T1", "0,1", "a,T0", "T0", ",".join("1" * 11) + ",T0"])
def test_a_calibration_of_another_kind(text: str) -> None:
    files = lower(masslynx(nominal_run(), header=f"$$ Cal Function 1: {text}\r\n"))
    with refused(UnsupportedFormatError, "x: function 1", found=repr(text)[:60], expected="T0"):
        reader.read(files, "x")


def test_the_function_with_most_scans_is_read(tmp_path: Path) -> None:
    run = nominal_run()
    files = masslynx(run)
    short = masslynx(nominal_run(5))
    files |= {name.replace("001", "002"): data for name, data in files.items() if "001" in name}
    files |= {name: data for name, data in short.items() if "001" in name}
    files |= {"_FUNC003.IDX": b"", "_FUNC003.DAT": b""}
    files["_FUNCTNS.INF"] = function(0, 9) + function(0, 9) + function(12, 9)
    found = read_run(lay_out(tmp_path / "a.raw", files))
    assert found.n_scans == 40
    (note,) = found.notes
    for fact in ("function 2", "1 (MS scan)", "3 (diode array)"):
        assert fact in note


def test_no_function_of_scans() -> None:
    files = lower(masslynx(nominal_run())) | {"_functns.inf": function(1, 2)}
    with refused(UnsupportedFormatError, "x", found="(selected ions)"):
        reader.read(files, "x")
    with refused(UnsupportedFormatError, "x", found="(none)"):
        reader.read(files | {"_functns.inf": b""}, "x")


@pytest.mark.parametrize("data_type", [0, 3, 15])
def test_data_of_another_type(data_type: int) -> None:
    files = lower(masslynx(nominal_run())) | {"_functns.inf": function(0, data_type)}
    with refused(
        UnsupportedFormatError, "x: function 1", found=f"type {data_type}", expected="1, 8, 9"
    ):
        reader.read(files, "x")


@pytest.mark.parametrize(("written", "stated"), [(9, 1), (9, 8), (1, 9), (8, 1)])
def test_ions_that_do_not_sum_up_to_the_totals(written: int, stated: int) -> None:
    files = lower(masslynx(nominal_run(), data_type=written))
    with pytest.raises(ReadError):
        reader.read(files | {"_functns.inf": function(0, stated)}, "x")


def test_ions_outside_the_range_that_was_acquired() -> None:
    files = lower(masslynx(nominal_run())) | {"_functns.inf": function(0, 9, 400.0, 600.0)}
    with refused(
        UnsupportedFormatError, "x: function 1", found=("m/z", "400 to 600"), expected="90%"
    ):
        reader.read(files, "x")
    for low, high in ((0.0, 0.0), (np.nan, 600.0), (600.0, 400.0)):  # not known
        changed = files | {"_functns.inf": function(0, 9, low, high)}
        assert reader.read(changed, "x").n_scans == 40


@pytest.mark.parametrize("name", ["_func001.idx", "_func001.dat"])
def test_cut_short(name: str) -> None:
    files = lower(masslynx(nominal_run()))
    for end in {*range(0, len(files[name]), 50), len(files[name]) - 6, len(files[name]) - 22}:
        with pytest.raises(ReadError):
            reader.read({**files, name: files[name][:end]}, "x")


def test_totals_that_are_no_numbers() -> None:
    run = nominal_run()
    files = lower(masslynx(run))
    index = bytearray(files["_func001.idx"])
    for scan, total in enumerate([np.nan, np.inf, -1.0, 1e-40]):
        struct.pack_into("<f", index, 22 * scan + 8, total)
    assert reader.read(files | {"_func001.idx": bytes(index)}, "x").n_scans == 40


def test_another_reader_finds_the_same(tmp_path: Path) -> None:
    other = pytest.importorskip("rainbow.waters.masslynx")
    run = nominal_run(empty=(5,))
    folder = lay_out(tmp_path / "a.raw", masslynx(run))
    times, counts, size = other.parse_funcidx(str(folder / "_FUNC001.IDX"))
    assert size == 6
    mz, table = other.parse_funcdat6(str(folder / "_FUNC001.DAT"), counts, bin_width=1.0)
    found = reader.read(lower(masslynx(run)), "x")
    assert_close(times, found.time_min)
    rows, columns = np.nonzero(table)
    np.testing.assert_array_equal(rows, np.repeat(np.arange(40), found.ions_per_scan))
    np.testing.assert_allclose(mz[columns], found.mz)
    np.testing.assert_array_equal(table[rows, columns], found.intensity)
