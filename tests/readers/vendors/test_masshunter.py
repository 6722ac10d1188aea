from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from gale.errors import ReadError, UnsupportedFormatError
from gale.readers import read_run
from gale.readers.vendors import masshunter as reader
from helpers.errors import refused
from helpers.run_files import assert_same, small_run
from helpers.vendor_files import SCAN_FIELDS, SPECTRUM_FIELDS, lay_out, lower, masshunter, schema


def test_scans_written_are_the_scans_read(tmp_path: Path) -> None:
    run = small_run(empty=(0, 7, 39))
    found = read_run(lay_out(tmp_path / "a.D", masshunter(run)))
    assert_same(found, run)
    assert (found.format, found.notes) == ("masshunter", ())
    assert found.facts == {"date": "2024-06-06T14:31:49+02:00", "instrument": "5977B MSD"}


def test_scans_of_selected_ions_are_left_out() -> None:
    files = lower(masshunter(small_run(), scan_types={3: 2, 4: 2}))
    found = reader.read(files, "x")
    assert found.n_scans == 38
    (note,) = found.notes
    assert note.startswith("2 spectra ")
    with refused(UnsupportedFormatError, "x", found=("40", "selected ions"), expected="full scans"):
        reader.read(lower(masshunter(small_run(), scan_types=dict.fromkeys(range(40), 2))), "x")


@pytest.mark.parametrize("name", ["msscan.bin", "mspeak.bin"])
def test_cut_short(name: str) -> None:
    files = lower(masshunter(small_run()))
    for end in [0, *range(1, len(files[name]), 100), len(files[name]) - 1]:  # within a record
        with pytest.raises(ReadError):
            reader.read({**files, name: files[name][:end]}, "x")


def test_a_file_that_is_cut_between_scans_is_noted() -> None:
    files = lower(masshunter(small_run()))
    size = (len(files["msscan.bin"]) - 0xA0) // 40
    cut = files["msscan.bin"][: -3 * size]
    run = reader.read({**files, "msscan.bin": cut}, "x")
    (note,) = run.notes
    assert "37 scans" in note
    assert "40" in note


def test_peaks_of_another_run() -> None:
    other = lower(masshunter(small_run(seed=1)))
    files = {**lower(masshunter(small_run())), "mspeak.bin": other["mspeak.bin"]}
    with refused(ReadError, "x: MSPeak.bin", found=("base peak", "MSScan.bin", "of 40 scans")):
        reader.read(files | {"mspeak.bin": files["mspeak.bin"] + bytes(9_000)}, "x")


@pytest.mark.parametrize("xsd", [b"", b"<a><b></a>", b"<!DOCTYPE a><a/>"])
def test_a_damaged_schema(xsd: bytes) -> None:
    with refused(ReadError, "x: MSScan.xsd", found="damaged", expected="XML"):
        reader.read({**lower(masshunter(small_run())), "msscan.xsd": xsd}, "x")


@pytest.mark.parametrize(
    "xsd",
    [
        schema(scan=SCAN_FIELDS[1:]),
        schema(scan=(*SCAN_FIELDS, ("Title", "string"))),
        schema(scan=(*SCAN_FIELDS, ("", "int"))),
        schema(scan=tuple((name, "int") for name, _ in SCAN_FIELDS)),
        schema(spectrum=SPECTRUM_FIELDS[:3]),
        schema(spectrum=tuple((name, "double") for name, _ in SPECTRUM_FIELDS)),
    ],
)
def test_a_schema_of_something_else(xsd: bytes) -> None:
    with refused(
        UnsupportedFormatError, "x: MSScan.xsd", expected=("ScanID", "MaxY"), remedy="msconvert"
    ):
        reader.read({**lower(masshunter(small_run())), "msscan.xsd": xsd}, "x")


def test_records_with_two_spectra_each() -> None:
    files = lower(masshunter(small_run()))
    spectrum = schema(spectrum=(*SPECTRUM_FIELDS, ("Other", "int")))
    with refused(
        UnsupportedFormatError, "x: MSScan.bin", found="ScanID", expected="one spectrum each"
    ):
        reader.read({**files, "msscan.xsd": spectrum}, "x")


def test_damaged_facts_do_no_harm() -> None:
    run = reader.read({**lower(masshunter(small_run())), "contents.xml": b"<Contents>"}, "x")
    assert run.facts == {}


def test_another_reader_finds_the_same(tmp_path: Path) -> None:
    other = pytest.importorskip("rainbow.agilent.masshunter")
    run = small_run(empty=(5,))
    found = other.parse_mspeakdata(str(lay_out(tmp_path, masshunter(run)) / "AcqData"))
    np.testing.assert_allclose(found.xlabels, run.time_min)
    mz = np.concatenate([found.mass_labels(s) for s in range(run.n_scans)])
    np.testing.assert_array_equal(mz, run.mz)
