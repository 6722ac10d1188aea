from __future__ import annotations

import re
from typing import Any

import numpy as np
import pytest

from gale.errors import ReadError, UnsupportedFormatError
from gale.readers import parse_run
from gale.readers.xml import mzml as reader
from gale.run import TIC_NOTE
from helpers.errors import check_error, refused
from helpers.run_files import (
    CENTROID,
    MINUTE,
    PROFILE,
    SECOND,
    assert_same,
    at,
    cv,
    mzml,
    mzml_file,
    small_run,
    spectrum,
)

MZ, INTENSITY = np.array([50.0, 60.0]), np.array([7.0, 8.0])
NOTHING = np.empty(0)


def two(first: str, **options: Any) -> bytes:
    return mzml_file([first, spectrum(at(3.0), MZ, INTENSITY)], **options)


@pytest.mark.parametrize("unit", [MINUTE, SECOND])
@pytest.mark.parametrize("compress", [False, True])
def test_units_and_compression(unit: str, compress: bool) -> None:
    run = small_run(empty=(0, 7))
    found = parse_run(mzml(run, unit=unit, compress=compress), "x")
    assert_same(found, run)
    assert found.notes == ()


def test_numbers_of_32_bit() -> None:
    run = small_run()
    found = parse_run(mzml(run, dtype="<f4"), "x")
    np.testing.assert_array_equal(found.mz, run.mz.astype(np.float32))


def test_indexed_file_with_a_chromatogram_and_line_ends() -> None:
    run = small_run()
    text = mzml(run).decode()
    chromatogram = '<chromatogramList count="1"><chromatogram id="TIC"/></chromatogramList>'
    text = text.replace("</run>", chromatogram + "</run>").replace("<binary>", "<binary>\n  ")
    xml, body = text.split("\n", 1)
    wrapped = f"{xml}\n<indexedmzML>{body}<indexList/></indexedmzML>"
    assert_same(parse_run(wrapped.encode(), "x"), run)


def test_params_in_groups() -> None:
    run = small_run()
    group = (
        '<referenceableParamGroupList><referenceableParamGroup id="g">'
        f"{cv(CENTROID)}</referenceableParamGroup></referenceableParamGroupList>"
    )
    data = mzml(run, params='<referenceableParamGroupRef ref="g"/>')
    data = data.replace(b"<run ", group.encode() + b"<run ")
    found = parse_run(data, "x")
    assert_same(found, run)
    assert found.facts["spectra"] == "centroid"


def test_profile_declared_in_a_group() -> None:
    group = f'<referenceableParamGroup id="g">{cv(PROFILE)}</referenceableParamGroup>'
    data = mzml(small_run(), params='<referenceableParamGroupRef ref="g"/>')
    with refused(UnsupportedFormatError, "x", found=("profile", "spectrum scan")):
        parse_run(data.replace(b"<run ", group.encode() + b"<run "), "x")


def test_facts() -> None:
    before = (
        '<softwareList><software id="X" version="2.9"><cvParam accession="MS:1" name="Xcalibur"/>'
        '</software><software id="pwiz" version="3"/></softwareList>'
        '<instrumentConfigurationList><instrumentConfiguration id="I">'
        f"{cv('MS:1000529', 'instrument serial number', 7)}{cv('MS:1000649', 'Exactive')}"
        "</instrumentConfiguration></instrumentConfigurationList>"
    )
    found = parse_run(two(spectrum(at(1.0), MZ, INTENSITY), before=before), "x")
    assert dict(found.facts) == {
        "title": "a run",
        "date": "2024-01-13T01:39:09Z",
        "instrument": "Exactive",
        "software": "Xcalibur 2.9; pwiz 3",
        "spectra": "centroid",
    }


def test_other_levels_are_left_out_and_counted() -> None:
    fragment = spectrum(at(2.0), MZ, INTENSITY, level=2, params=cv(PROFILE))
    run = parse_run(
        mzml_file([spectrum(at(1.0), MZ, INTENSITY), fragment, spectrum(at(3.0), MZ, MZ)]), "x"
    )
    assert run.time_min.tolist() == [1.0, 3.0]
    (note,) = run.notes
    assert note.startswith("1 spectrum of another MS level")


def test_a_spectrum_of_nothing_at_no_time_is_left_out_and_counted() -> None:
    run = parse_run(
        mzml_file(
            [
                spectrum(at(1.0), MZ, INTENSITY),
                spectrum("", NOTHING, NOTHING),
                spectrum(at(3.0), MZ, INTENSITY),
            ]
        ),
        "x",
    )
    assert run.n_scans == 2
    (note,) = run.notes
    assert note.startswith("1 spectrum without a time and without ions")


def test_a_deviating_total_is_noted() -> None:
    params = cv(CENTROID) + cv("MS:1000285", "total ion current", 30)
    run = parse_run(two(spectrum(at(1.0), MZ, INTENSITY, params=params)), "x")
    (note,) = run.notes
    assert note.startswith(TIC_NOTE)
    assert "1 of 1 scan" in note
    assert "0.5" in note


def test_declared_profile_is_refused() -> None:
    with refused(UnsupportedFormatError, "x", found=("profile", "spectrum scan")):
        parse_run(two(spectrum(at(1.0), MZ, INTENSITY, params=cv(PROFILE))), "x")


@pytest.mark.parametrize(
    ("old", "new", "found", "expected"),
    [
        (' unitAccession="UO:0000031"', "", "unit ''", ("UO:0000031", "UO:0000010")),
        ('value="1.0"', 'value="soon"', ("'soon'", "MS:1000016"), "number"),
        ("MS:1000016", "MS:1000015", "time", "MS:1000016"),
        ("MS:1000514", "MS:1000786", ("0 m/z", "2 intensities"), "equal length"),
        ("MS:1000523", "MS:1001479", "number type", ("MS:1000523", "MS:1000521")),
        ('defaultArrayLength="2"', 'defaultArrayLength="3"', "16 bytes", ("24", "3 numbers")),
        ('defaultArrayLength="2"', 'defaultArrayLength="1"', "bytes", ("8", "1 numbers")),
        (
            'defaultArrayLength="2"',
            'defaultArrayLength="2000000000"',
            "length '2000000000'",
            "8 digits",
        ),
        ("<binary>", "<binary>AAAA", "damaged", ""),
        ("<binary>", "<binary>A", "damaged", "base64"),
    ],
)
def test_damaged_spectra(
    old: str, new: str, found: str | tuple[str, ...], expected: str | tuple[str, ...]
) -> None:
    text = two(spectrum(at(1.0), MZ, INTENSITY)).decode()
    assert old in text
    with refused(ReadError, "x: spectrum scan", found=found, expected=expected):
        parse_run(text.replace(old, new, 1).encode(), "x")


@pytest.mark.parametrize(
    ("old", "new", "found", "expected"),
    [
        ('spectrumList count="2"', 'spectrumList count="3"', "2 spectra", ("3", "spectrumList")),
        ("<mzML ", '<!DOCTYPE mzML [<!ENTITY a "b">]><mzML ', "DOCTYPE", "mzML"),
        ("</run>", "</runs>", ("XML", "runs"), "mzML"),
        ("<scan>", "<scan>&a;", "XML", "mzML"),
    ],
)
def test_damaged_files(
    old: str, new: str, found: str | tuple[str, ...], expected: str | tuple[str, ...]
) -> None:
    text = two(spectrum(at(1.0), MZ, INTENSITY)).decode()
    assert old in text
    with refused(ReadError, "x", found=found, expected=expected):
        parse_run(text.replace(old, new, 1).encode(), "x")


@pytest.mark.parametrize("extra", ["", cv("MS:1000574")])
def test_other_compression_is_refused_by_name(extra: str) -> None:
    name = "truncation and zlib compression"
    data = mzml(small_run()).decode()
    data = data.replace(cv("MS:1000574", "zlib compression"), cv("MS:1003088", name) + extra)
    with refused(
        UnsupportedFormatError, "x: spectrum scan", found=name, expected=("zlib", "numpress")
    ):
        parse_run(data.encode(), "x")


def test_an_array_that_unpacks_to_more_than_it_says_is_refused() -> None:
    bomb = spectrum(at(1.0), np.zeros(100_000), np.zeros(100_000))
    text = two(re.sub('defaultArrayLength="100000"', 'defaultArrayLength="2"', bomb))
    with refused(ReadError, "x: spectrum scan", found="17 bytes", expected="16"):
        parse_run(text, "x")


def test_minutes_and_seconds_in_one_file() -> None:
    run = parse_run(two(spectrum(at(1.0, SECOND), MZ, INTENSITY)), "x")
    assert run.time_min.tolist() == [1.0, 3.0]


def test_no_spectra() -> None:
    with refused(ReadError, "x", found="no scans"):
        parse_run(mzml_file([]), "x")


def test_a_namespace_that_is_no_name() -> None:
    data = mzml(small_run()).replace(b"http://psi.hupo.org/ms/mzml", b"http://}mzml")
    with refused(ReadError, "x", found=("XML", "xmlns: ", "http://}mzml")):
        parse_run(data, "x")


def test_arrays_that_unpack_to_far_more_than_the_file(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reader, "max_unpacked", lambda _: 1_000)
    with refused(ReadError, "x: spectrum scan", found="bytes more"):
        parse_run(mzml(small_run()), "x")


def test_an_array_that_is_not_even_ascii() -> None:
    data = mzml(small_run()).replace(b"<binary>", "<binary>é".encode(), 1)
    with refused(ReadError, "x: spectrum scan", found="damaged"):
        parse_run(data, "x")


def named(text: str, name: str) -> str:
    return text.replace('id="scan"', f'id="{name}"')


def test_the_function_with_the_most_spectra_is_the_run() -> None:
    spectra = [
        named(spectrum(at(float(s)), MZ + f, INTENSITY), f"function={f} process=0 scan={s}")
        for s in (1, 2, 3)
        for f in (1, 2)
        if (s, f) != (3, 1)
    ]
    run = parse_run(mzml_file(spectra), "x")
    assert run.time_min.tolist() == [1.0, 2.0, 3.0]
    assert run.mz[0] == 52
    (note,) = run.notes
    assert note.startswith("2 spectra of function 1 ")


def test_monitoring_and_light_beside_scans() -> None:
    sim = spectrum(at(2.0), MZ, INTENSITY, params=cv("MS:1000582", "SIM spectrum"))
    light = spectrum(at(2.5), MZ, INTENSITY).replace("MS:1000514", "MS:1000617")
    scans = [spectrum(at(t), MZ, INTENSITY) for t in (1.0, 3.0)]
    run = parse_run(mzml_file([scans[0], sim, light, scans[1]]), "x")
    assert run.time_min.tolist() == [1.0, 3.0]
    light_note, sim_note = run.notes
    assert light_note.startswith("1 spectrum of light ")
    assert sim_note.startswith("1 spectrum of selected ion monitoring ")
    assert parse_run(mzml_file([sim, sim]), "x").n_scans == 2


def test_profile_of_what_is_left_out_does_not_matter() -> None:
    sim = spectrum(at(2.0), MZ, INTENSITY, params=cv("MS:1000582") + cv(PROFILE))
    scans = [spectrum(at(t), MZ, INTENSITY) for t in (1.0, 3.0)]
    assert parse_run(mzml_file([scans[0], sim, scans[1]]), "x").n_scans == 2


def test_spectra_out_of_order_are_sorted_with_a_note() -> None:
    run = parse_run(two(spectrum(at(7.0), MZ + 1, INTENSITY)), "x")
    assert run.time_min.tolist() == [3.0, 7.0]
    assert run.mz.tolist() == [50, 60, 51, 61]
    (note,) = run.notes
    assert "sorted" in note


@pytest.mark.parametrize(("code", "dtype"), [("MS:1000522", "<i8"), ("MS:1000519", "<i4")])
def test_whole_numbers(code: str, dtype: str) -> None:
    text = two(spectrum(at(1.0), MZ, INTENSITY, dtype=dtype)).decode()
    text = text.replace("MS:1000521", code, 2)
    assert parse_run(text.encode(), "x").mz.tolist() == [50, 60, 50, 60]


def test_index_offsets_are_never_followed() -> None:
    run = small_run(4)
    xml, body = mzml(run).decode().split("\n", 1)
    index = (
        '<indexList count="1"><index name="spectrum"><offset idRef="scan">99999999999</offset>'
        "</index></indexList><indexListOffset>-3</indexListOffset>"
    )
    assert_same(parse_run(f"{xml}\n<indexedmzML>{body}{index}</indexedmzML>".encode(), "x"), run)


@pytest.mark.parametrize("inside", ["<a>" * 5000, "<a b='" + "c" * 11_000_000 + "'/>"])
def test_deep_and_huge_xml_is_refused(inside: str) -> None:
    with refused(ReadError, "x", found="XML"):
        parse_run(mzml(small_run(4)).replace(b"<run ", inside.encode() + b"<run "), "x")


def test_entities_are_not_expanded_in_any_encoding() -> None:
    body = mzml(small_run(4)).decode().split("\n", 1)[1]
    bomb = '<!DOCTYPE mzML [<!ENTITY a SYSTEM "file:///etc/hostname">]>'
    with pytest.raises(ReadError):
        parse_run(("\ufeff" + bomb + body).encode("utf-16"), "x")


@pytest.mark.slow
def test_cut_anywhere() -> None:
    data = mzml(small_run(4))
    for end in range(60, len(data) - 10, 7):
        with pytest.raises(ReadError) as raised:
            parse_run(data[:end], "x")
        check_error(raised.value)
