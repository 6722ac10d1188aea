"""Faults of writers: mended where that is safe, otherwise named; damage stays damage."""

from __future__ import annotations

import pytest

from gale.errors import ReadError, UnsupportedFormatError
from gale.readers import parse_run
from helpers.errors import refused
from helpers.run_files import assert_same, mzml, small_run
from helpers.xml_files import mzxml

RUN = small_run()
ACCENT = "soil_5 µl_Müller".encode("cp1252")
HEADER = b'<?xml version="1.0" encoding="UTF-8"?>\n'


def without_header(data: bytes) -> bytes:
    return data.partition(b"?>\n")[2]


def titled(title: bytes, header: bytes = HEADER) -> bytes:
    """An mzML file with a title."""
    return header + without_header(mzml(RUN)).replace(b'id="a run"', b'id="' + title + b'"', 1)


def with_attribute(text: bytes) -> bytes:
    """An mzXML file with more in the tag of every scan."""
    return HEADER + without_header(mzxml(RUN)).replace(b"<scan ", b"<scan " + text + b" ")


@pytest.mark.parametrize("header", [HEADER, b"", b"\xef\xbb\xbf" + HEADER])
def test_another_encoding_than_declared(header: bytes) -> None:
    run = parse_run(titled(ACCENT, header), "a")
    assert_same(run, RUN)
    assert run.facts["title"] == "soil_5 µl_Müller"
    assert any("Windows-1252" in note for note in run.notes)


def test_texts_in_two_encodings() -> None:
    fact = '<userParam name="gale: who" value="Müller"/>'.encode()
    data = titled(ACCENT).replace(b"<spectrumList", fact + b"<spectrumList", 1)
    assert parse_run(data, "a").facts["who"] == "Müller"


def test_an_encoding_as_declared_is_not_noted() -> None:
    latin = HEADER.replace(b"UTF-8", b"ISO-8859-1")
    for data in (titled(ACCENT, latin), titled("µl_Müller".encode())):
        assert not any("Windows" in note for note in parse_run(data, "a").notes)


@pytest.mark.parametrize("at", [b'accession="MS:1000511"', b"<binary>"])
def test_other_bytes_than_those_of_texts_are_damage(at: bytes) -> None:
    data = titled(b"a").replace(at, at[:-2] + b"\xb5" + at[-2:], 1)
    with refused(ReadError, "a", found="encoding", remedy="line"):
        parse_run(data, "a")


def test_an_attribute_twice() -> None:
    run = parse_run(with_attribute(b'centroided="1" polarity="+" centroided="1"'), "a")
    assert_same(run, RUN)
    assert any("twice" in note for note in run.notes)


def test_an_attribute_twice_with_two_values_is_named() -> None:
    with refused(ReadError, "a", found="centroided", remedy="line 2"):
        parse_run(with_attribute(b'centroided="1" centroided="0"'), "a")


def test_both_faults_in_one_file() -> None:
    data = with_attribute(b'centroided="1" centroided="1" comment="' + ACCENT + b'"')
    run = parse_run(data, "a")
    assert_same(run, RUN)
    assert len([note for note in run.notes if "twice" in note or "Windows" in note]) == 2


@pytest.mark.parametrize("text", [b"a & b", b"a &amp b", b"a < b", b"\x01", b"&#1;"])
def test_a_fault_that_a_copy_has_too_is_named(text: bytes) -> None:
    with refused(ReadError, "a", found="fault", remedy="line") as caught:
        parse_run(titled(text), "a")
    assert "copy" not in caught.value.remedy


def test_a_file_that_is_cut_short_is_called_so() -> None:
    with refused(ReadError, "a", found="cut short", remedy="copy"):
        parse_run(titled(b"a")[:-200], "a")


@pytest.mark.parametrize("spectra", ['<spectrumList count="0"></spectrumList>', ""])
def test_chromatograms_only(spectra: str) -> None:
    chromatogram = '<chromatogram id="SIM 73" defaultArrayLength="0"/>'
    data = (
        f'<mzML><run id="a">{spectra}<chromatogramList count="2">{2 * chromatogram}'
        "</chromatogramList></run></mzML>"
    )
    with refused(UnsupportedFormatError, "a", found="2 chromatograms", remedy="--simAsSpectra"):
        parse_run(data.encode(), "a")
