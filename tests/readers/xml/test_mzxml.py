from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from gale.errors import ReadError, UnsupportedFormatError
from gale.readers import is_run_file, parse_run, sniff
from gale.run import TIC_NOTE
from helpers.errors import check_error, refused
from helpers.run_files import assert_same, mzml, small_run
from helpers.xml_files import mzxml, mzxml_file, scan

PAIRS = [(50.0, 7.0), (60.0, 8.0)]


def two(first: str, **options: int) -> bytes:
    return mzxml_file([first, scan(2, "PT180S", PAIRS)], **options)


@pytest.mark.parametrize("compress", [False, True])
def test_a_run_and_the_same_as_mzml(compress: bool) -> None:
    run = small_run(empty=(0, 7))
    data = mzxml(run, compress=compress)
    found = parse_run(data, "x")
    assert_same(found, run)
    assert_same(found, parse_run(mzml(run), "x"))
    assert (found.format, found.notes, sniff(data)) == ("mzxml", (), "mzxml")


def test_numbers_of_32_bit() -> None:
    run = small_run()
    found = parse_run(mzxml(run, precision=32), "x")
    np.testing.assert_array_equal(found.mz, run.mz.astype(np.float32))
    np.testing.assert_array_equal(found.intensity, run.intensity.astype(np.float32))


def test_bytes_written_by_hand() -> None:
    # 50.0 and 7.0 as big-endian floats: 42 48 00 00 40 e0 00 00
    data = two(scan(1, "PT60S", [])).replace(b'peaksCount="0"', b'peaksCount="1"')
    data = data.replace(b'precision="64"', b'precision="32"', 1)
    data = data.replace(b"></peaks>", b">QkgAAEDgAAA=</peaks>", 1)
    run = parse_run(data, "x")
    assert (run.mz[0], run.intensity[0]) == (50.0, 7.0)


@pytest.mark.parametrize(
    ("time", "minutes"),
    [("PT90S", 1.5), ("PT1M2.5S", 62.5 / 60), ("PT0H2M", 2.0), ("P0Y0M0DT0H1M30.0S", 1.5)],
)
def test_durations(time: str, minutes: float) -> None:
    run = parse_run(two(scan(1, time, PAIRS)), "x")
    assert run.time_min[0] == pytest.approx(minutes)
    assert run.notes == ()


def test_plain_times_are_seconds_with_a_note() -> None:
    run = parse_run(two(scan(1, "90.0", PAIRS)), "x")
    assert run.time_min[0] == 1.5
    (note,) = run.notes
    assert "unit" in note
    assert "seconds" in note


def test_nested_fragments_are_left_out_and_counted() -> None:
    inside = scan(9, "PT70S", PAIRS, msLevel=2)
    run = parse_run(two(scan(1, "PT60S", PAIRS, inside=inside), count=3), "x")
    assert run.time_min.tolist() == [1.0, 3.0]
    assert run.mz.tolist() == [50, 60, 50, 60]
    (note,) = run.notes
    assert note.startswith("1 spectrum of another MS level")


def test_selected_ion_monitoring_beside_scans() -> None:
    run = parse_run(
        two(scan(1, "PT60S", PAIRS), count=3).replace(
            b"</msRun>", scan(3, "PT190S", PAIRS, scanType="SIM").encode() + b"</msRun>"
        ),
        "x",
    )
    assert run.n_scans == 2
    (note,) = run.notes
    assert note.startswith("1 spectrum of selected ion monitoring ")


def test_no_peaks_as_one_pair_of_zeros() -> None:
    run = parse_run(two(scan(1, "PT60S", [(0.0, 0.0)], count=0)), "x")
    assert run.ions_per_scan.tolist() == [0, 2]


def test_facts_and_another_number_of_scans() -> None:
    run = parse_run(two(scan(1, "PT60S", PAIRS), count=7), "x")
    assert dict(run.facts) == {
        "instrument": "Maker Quad",
        "software": "tool 3",
        "spectra": "centroid",
    }
    (note,) = run.notes
    assert "2 scans" in note
    assert "7" in note


def test_a_deviating_total_is_noted() -> None:
    run = parse_run(two(scan(1, "PT60S", PAIRS, totIonCurrent=30)), "x")
    (note,) = run.notes
    assert note.startswith(TIC_NOTE)
    assert "1 of 1 scan" in note
    assert "0.5" in note


@pytest.mark.parametrize(
    ("old", "new", "found", "expected"),
    [
        ('peaksCount="2"', 'peaksCount="3"', "32 bytes", ("48", "6 numbers")),
        ('peaksCount="2"', 'peaksCount="1"', "32 bytes", ("16", "2 numbers")),
        ('peaksCount="2"', 'peaksCount="0"', "32 bytes", ("0", "0 numbers")),
        ('peaksCount="2"', 'peaksCount="99999999"', "bytes more", ""),
        ('peaksCount="2"', 'peaksCount="10000000000"', "'10000000000'", "8 digits"),
        ('peaksCount="2"', 'peaksCount="-2"', "'-2'", "whole number"),
        ('"PT60S"', '"soon"', "'soon'", "PT90.5S"),
        ('"PT60S"', '"P"', "'P'", "PT90.5S"),
        ('precision="64"', 'precision="16"', ("16", "network"), ("32", "64")),
        ('byteOrder="network"', 'byteOrder="little"', ("64", "little"), "network"),
        ('compressionType="none"', 'compressionType="zlib"', "damaged", "zlib"),
    ],
)
def test_damaged_scans(
    old: str, new: str, found: str | tuple[str, ...], expected: str | tuple[str, ...]
) -> None:
    text = two(scan(1, "PT60S", PAIRS)).decode()
    assert old in text
    with refused(ReadError, "x: scan 1", found=found, expected=expected):
        parse_run(text.replace(old, new, 1).encode(), "x")


@pytest.mark.parametrize(
    ("old", "new", "place", "found"),
    [
        ('compressionType="none"', 'compressionType="lzf"', ": scan 1", "lzf"),
        ('contentType="m/z-int"', 'contentType="m/z"', ": scan 1", "contentType m/z"),
        ("</peaks></scan>", "</peaks><peaks/></scan>", ": scan 1", "m/z-int, m/z-int"),
        ('centroided="1"', 'centroided="0"', "", ("profile", "spectrum 1")),
    ],
)
def test_scans_of_another_kind(
    old: str, new: str, place: str, found: str | tuple[str, ...]
) -> None:
    text = two(scan(1, "PT60S", PAIRS)).decode()
    assert old in text
    with refused(UnsupportedFormatError, f"x{place}", found=found):
        parse_run(text.replace(old, new, 1).encode(), "x")


@pytest.mark.parametrize(
    ("old", "new", "found"),
    [
        ("<mzXML ", '<!DOCTYPE x [<!ENTITY a "b">]><mzXML ', "DOCTYPE"),
        ("</msRun>", "</msRuns>", ("XML", "msRuns")),
    ],
)
def test_damaged_files(old: str, new: str, found: str | tuple[str, ...]) -> None:
    text = two(scan(1, "PT60S", PAIRS)).decode()
    assert old in text
    with refused(ReadError, "x", found=found, expected="mzXML"):
        parse_run(text.replace(old, new, 1).encode(), "x")


def test_a_bomb_of_zlib_is_not_unpacked() -> None:
    bomb = scan(1, "PT60S", [(0.0, 0.0)] * 100_000, compress=True, count=2)
    with refused(ReadError, "x: scan 1", found="33 bytes", expected="32"):
        parse_run(two(bomb), "x")


def test_cut_anywhere() -> None:
    data = mzxml(small_run(4))
    for end in range(60, len(data) - 10, 7):
        with pytest.raises(ReadError) as raised:
            parse_run(data[:end], "x")
        check_error(raised.value)


def test_a_namespace_that_is_no_address() -> None:
    for address in (b"http://s}ashimi", b"sas:/h}imi", b"}", b" a b"):
        data = mzxml(small_run(4)).replace(b"http://sashimi", address)
        try:
            assert parse_run(data, "x").n_scans == 4
        except ReadError:  # libxml2 may refuse it, depending on its version
            continue


def test_is_a_run(tmp_path: Path) -> None:
    path = tmp_path / "a.mzXML"
    path.write_bytes(mzxml(small_run()))
    assert is_run_file(path)
