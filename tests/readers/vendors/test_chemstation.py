from __future__ import annotations

import struct
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gale.errors import ReadError, UnsupportedFormatError
from gale.inspection import oddities
from gale.readers import parse_run, sniff
from gale.readers.vendors import chemstation
from gale.run import Run
from helpers.errors import refused
from helpers.run_files import assert_same
from helpers.vendor_files import data_ms, nominal_run


@st.composite
def ms_runs(draw: st.DrawFn) -> Run:
    """Runs on the grid of the format."""
    counts = draw(st.lists(st.integers(0, 5), min_size=2, max_size=9).filter(any))
    times = draw(st.lists(st.integers(1, 90_000), min_size=len(counts), max_size=len(counts)))
    packed = st.tuples(st.integers(20, 65_535), st.integers(0, 3), st.integers(1, 0x3FFF))
    ions = [draw(st.lists(packed, min_size=n, max_size=n).map(sorted)) for n in counts]
    mz = [ion[0] / 20 for scan in ions for ion in scan]
    intensity = [float(ion[2] * 8 ** ion[1]) for scan in ions for ion in scan]
    return Run.from_scans(np.cumsum(times) / 60_000, counts, mz, intensity)


@pytest.mark.slow
@given(run=ms_runs())
@settings(max_examples=60)
def test_scans_written_are_the_scans_read(run: Run) -> None:
    found = parse_run(data_ms(run), "x")
    order = np.lexsort((run.mz, np.repeat(np.arange(run.n_scans), run.ions_per_scan)))
    np.testing.assert_array_equal(found.scan_start, run.scan_start)
    np.testing.assert_array_equal(found.mz, run.mz[order])
    np.testing.assert_allclose(found.time_min, run.time_min)
    np.testing.assert_allclose(found.total_ion_current, run.total_ion_current)


def test_a_run_with_scans_without_ions() -> None:
    run = nominal_run(empty=(0, 7, 39))
    data = data_ms(run)
    found = parse_run(data, "x")
    assert_same(found, run)
    assert (found.format, found.notes) == ("chemstation", ())
    assert found.facts == {
        "title": "a run",
        "date": "06 Jun 24 02:31 pm",
        "instrument": "5977B MSD",
        "ceiling": "8388096",
    }
    assert sniff(data[:4096]) == "chemstation"


def test_the_kind_in_capitals() -> None:
    run = nominal_run()
    assert_same(parse_run(data_ms(run, kind=b"GC / MS DATA FILE"), "x"), run)


def test_scans_with_words_at_their_end_that_nobody_knows() -> None:
    run = nominal_run()
    assert_same(parse_run(data_ms(run, extra_words={3: 2, 20: 7}), "x"), run)


@pytest.mark.slow
def test_more_scans_than_the_count_of_two_bytes_can_hold() -> None:
    n_scans = 66_000
    run = Run.from_scans(
        np.arange(n_scans) / 60_000, np.ones(n_scans), np.full(n_scans, 50.0), np.ones(n_scans)
    )
    assert parse_run(data_ms(run), "x").n_scans == n_scans


def test_ions_at_the_highest_intensity_are_clipped() -> None:
    run = Run.from_scans([1.0, 2.0], [1, 1], [50.0, 60.0], [chemstation.MAX_INTENSITY, 5.0])
    clipped = dict(oddities(parse_run(data_ms(run), "x")))["saturation"]
    for fact in ("1 ion", "1 scan", "8,388,096", "m/z 50"):
        assert fact in clipped
    lower = Run.from_scans([1.0, 2.0], [1, 1], [50.0, 60.0], [chemstation.MAX_INTENSITY - 512, 5.0])
    assert "saturation" not in dict(oddities(parse_run(data_ms(lower), "x")))


def test_a_base_peak_that_is_cut_where_the_ion_is_rounded() -> None:
    data = bytearray(data_ms(nominal_run()))
    at = 5_768 + 16
    packed = struct.unpack_from(">H", data, at)[0]
    data[at : at + 2] = struct.pack(">H", packed - 1)
    assert parse_run(bytes(data), "x").n_scans == 40


def change(data: bytes, at: int, replacement: bytes) -> bytes:
    return data[:at] + replacement + data[at + len(replacement) :]


@pytest.mark.parametrize("more", [-1, 1, 3, 1_000_000, 2**31])
def test_a_header_that_states_another_number_of_scans(more: int) -> None:
    data = data_ms(nominal_run())
    count = struct.pack(">I", 40 + more)
    with refused(ReadError, "x", found="directory"):
        parse_run(change(data, 0x116, count) + bytes(100), "x")


@pytest.mark.parametrize(
    ("where", "found"),
    [
        ("number of ions", "length"),
        ("time", "time"),
        ("length", "length"),
        ("base peak", "base peak"),
        ("place", "outside"),
    ],
)
def test_a_scan_that_does_not_agree(where: str, found: str) -> None:
    data = data_ms(nominal_run())
    first = 5_768
    directory = 2 * (struct.unpack_from(">I", data, 0x104)[0] - 1)
    at = {
        "number of ions": first + 12,
        "time": first + 2,
        "length": first,
        "base peak": first + 16,
        "place": directory + 12,
    }[where]
    with refused(ReadError, "x", found=found, remedy="ANDI"):
        parse_run(change(data, at, b"\x7f\xff"), "x")


def test_a_run_that_was_not_finished() -> None:
    with refused(ReadError, "x", found="no directory"):
        parse_run(change(data_ms(nominal_run()), 0x104, bytes(8)), "x")


@pytest.mark.parametrize("part", [30, 285, 5_000, 7_000, -13])
def test_cut_short(part: int) -> None:
    with pytest.raises(ReadError):
        parse_run(data_ms(nominal_run())[:part], "x")


def test_lcms_is_refused() -> None:
    with refused(UnsupportedFormatError, "x", found="LC-MS"):
        parse_run(data_ms(nominal_run(), kind=b"MSD Spectral File"), "x")


def test_another_reader_finds_the_same(tmp_path: Path) -> None:
    other = pytest.importorskip("rainbow.agilent.chemstation")
    run = nominal_run(empty=(5,))
    (tmp_path / "data.ms").write_bytes(data_ms(run))
    table = other.parse_ms(str(tmp_path / "data.ms"), bin_width=0.05, display_precision=2)
    found = parse_run(data_ms(run), "x")
    np.testing.assert_allclose(table.xlabels, found.time_min)
    scan = np.repeat(np.arange(found.n_scans), found.ions_per_scan)
    np.testing.assert_array_equal(table.data[table.data > 0], found.intensity)
    rows, columns = np.nonzero(table.data)
    np.testing.assert_array_equal(rows, scan)
    np.testing.assert_allclose(table.ylabels[columns], found.mz)
