"""What is not a run is named by its content, with a way out."""

from __future__ import annotations

from pathlib import Path

import pytest

from gale.errors import UnsupportedFormatError
from gale.readers import is_run_file, parse_run, sniff
from gale.readers.refused import NO_RUNS, TEXTS, UNSUPPORTED
from helpers.errors import refused
from helpers.netcdf_files import hdf5_of
from helpers.run_files import csv, mzml, small_run
from helpers.xml_files import mzxml

ELU = b"NAME: |SC60|CN1|MP1|MODN:43(%93.9)|RT4.0|MO6: 57\nRANGE: RG56-65\nNUM PEAKS: 1\n(43,999)\n"
SHIMADZU = b"[Header]\r\nData File Name\tC:\\a.qgd\r\n\r\n[File Information]\r\nType\tGCMS\r\n"
QUANT = b"\r\n[MS Quantitative Results]\r\nID#\tMass\tRet.Time\tHeight\r\n1\t43.0\t4.0\t500\r\n"
IMAGE = b'<?xml version="1.0"?>\n<mzML><cvParam cvRef="IMS" accession="IMS:1000101"/></mzML>'

OF_CONTENT = {
    "lfs": [
        b"version https://git-lfs.github.com/spec/v1\noid sha256:4d7a\nsize 12\n",
        b"/annex/objects/SHA256E-s5--ab.cdf\n",
    ],
    "web": [
        b"<!DOCTYPE html>\n<html lang='en'><head></head></html>",
        b"<HTML><body>Sign in</body></HTML>",
        b'<?xml version="1.0"?>\n<!-- a page -->\n<html xmlns="x"></html>',
    ],
    "imzml": [IMAGE],
    "mzdata": [b'<?xml version="1.0"?><mzData version="1.05"></mzData>'],
    "animl": [b'<?xml version="1.0"?>\n<AnIML version="0.90"></AnIML>'],
    "gaml": [b'<GAML version="1.20"></GAML>'],
    "amdis": [ELU, b"DATA FILE: soil\r\nRT: 4.000\r\nNET: 92\r\n" + ELU],
    "amdis_library": [b"NAME:toluene\nFORM:C7H8\nNUM PEAKS: 2\n( 91 999) ( 92 600)\n"],
    "msp": [b"Name: toluene\nRI: 763\nNum Peaks: 2\n91 999; 92, 600\n"],
    "massbank": [b"ACCESSION: MSBNK-A-1\nRECORD_TITLE: toluene\nPK$NUM_PEAK: 1\n"],
    "mgf": [b"# made by hand\nCHARGE=1+\nBEGIN IONS\nPEPMASS=91\n91 999\nEND IONS\n"],
    "shimadzu": [SHIMADZU, SHIMADZU + QUANT],
    "masshunter_csv": [b'#"+EI TIC Scan a.D"\n#Point,X(Minutes),Y(Counts)\n0,3.0,4704\n'],
    "chromatof": [b'"Peak #","Name","R.T. (s)","UniqueMass","Area"\n1,"Unknown 1","240",43,9\n'],
}
BINARY = {
    "tar": bytes(257) + b"ustar\0" + bytes(200),
    "7z": b"7z\xbc\xaf\x27\x1c\0\4",
    "rar": b"Rar!\x1a\x07\0",
    "nasa": b"\xcd\xf3\0\x01\0\0\xff\xff" + bytes(50),
    "hdf4": b"\x0e\x03\x13\x01\0\0",
    "sqlite": b"SQLite format 3\0" + bytes(20),
    "picture": b"\x89PNG\r\n\x1a\n",
    "rtf": rb"{\rtf1\ansi time, mass}",
}
CONTENTS = [(name, data) for name, datas in OF_CONTENT.items() for data in datas]


def test_every_kind_of_text_has_an_example() -> None:
    assert OF_CONTENT.keys() == TEXTS.keys()


@pytest.mark.parametrize(("name", "data"), [*CONTENTS, *BINARY.items()])
def test_content_is_named_for_what_it_is(name: str, data: bytes, tmp_path: Path) -> None:
    kind = UNSUPPORTED[name]
    assert sniff(data) == name
    with refused(UnsupportedFormatError, "a.cdf", found=kind.what, remedy=kind.remedy) as caught:
        parse_run(data, "a.cdf")
    assert "columns=" not in caught.value.remedy
    (tmp_path / "a").write_bytes(data)
    assert not is_run_file(tmp_path / "a")


@pytest.mark.parametrize("name", [each for each in OF_CONTENT if each != "imzml"])
def test_a_mark_or_blank_lines_before_the_content_change_nothing(name: str) -> None:
    assert sniff(b"\xef\xbb\xbf\r\n" + OF_CONTENT[name][0]) == name


@pytest.mark.parametrize("data", [csv(small_run()), mzml(small_run()), mzxml(small_run())])
def test_runs_are_none_of_them(data: bytes) -> None:
    assert sniff(data) not in UNSUPPORTED


@pytest.mark.parametrize(
    ("name", "variable"), [("mzmlb", "mzML"), ("mz5", "SpectrumMZ"), ("mz5", "SpectrumIndex")]
)
def test_mzml_within_hdf5(name: str, variable: str) -> None:
    data = hdf5_of({variable: [1, 2, 3], "SpectrumMZ" if name == "mz5" else "x": [1.0]})
    with refused(UnsupportedFormatError, "a", found=UNSUPPORTED[name].what, remedy="msconvert"):
        parse_run(data, "a")


def test_what_never_contains_a_run_is_known() -> None:
    assert UNSUPPORTED.keys() >= set(NO_RUNS)
