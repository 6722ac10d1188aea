from __future__ import annotations

import re

import numpy as np
import pytest

from gale.errors import ReadError, UnsupportedFormatError
from gale.readers import parse_run
from gale.run import TIC_NOTE
from helpers.errors import refused
from helpers.run_files import assert_same, jcamp, small_run

LAST_S = (2.5 + 39 * 3 / 40) * 60  # of small_run()


@pytest.mark.parametrize(
    "change",
    [
        lambda text: text.replace("\n", "\r\n"),
        lambda text: text.replace("##XYDATA", "##PEAK TABLE").replace("(XY..XY)", "(XY..XY), A"),
        lambda text: text.replace("##XYDATA", "##DATA TABLE"),
        lambda text: re.sub(r"##NPOINTS=.*\n", "", text),
        lambda text: text.replace("##PAGE=   T=", "##RETENTION_TIME= "),
        lambda text: text.replace(", ", " "),
        lambda text: re.sub(r"(?<!\))\n ", " ; ", text),
        lambda text: text.replace("##TIC=", "$$ a remark\n##TIC="),
        lambda text: text.replace("##END=\n", "").replace("##TITLE= a run\n", "##TITLE=\n"),
        lambda text: text.replace("##NPOINTS=", "##n_points ="),
        lambda text: re.sub("(T=.*)", r"\1 sec", text),
        lambda text: re.sub("T=(.*)", r"T= PT\1S", text),
        lambda text: text.replace("##PAGE=   T=", "##.RETENTION TIME= "),
        lambda text: "$$ made by hand\n" + text.replace("\n ", "  $$ why\n ", 30),
    ],
)
def test_dialects(change: object) -> None:
    run = small_run(empty=(1, 5))
    assert callable(change)
    assert_same(parse_run(change(jcamp(run).decode()).encode(), "x"), run)


def test_facts() -> None:
    header = (
        "##TITLE= AA 4\n##DATE= 2024-01-13\n##TIME= 01:39:09\n##SPECTROMETER_SYSTEM= GCD\n"
        "##ORIGIN=\n##DATA_FORMAT= Centroid\n"
    )
    assert dict(parse_run(jcamp(small_run(), header=header), "x").facts) == {
        "title": "AA 4",
        "date": "2024-01-13 01:39:09",
        "instrument": "GCD",
        "spectra": "centroid",
    }


def test_a_deviating_total_is_noted() -> None:
    data = re.sub(rb"##TIC=.*", b"##TIC= 1.0", jcamp(small_run()))
    (note,) = parse_run(data, "x").notes
    assert note.startswith(TIC_NOTE)
    assert "40 of 40 scans" in note


def test_cut_short_within_a_scan() -> None:
    data = jcamp(small_run(), end="")
    short = data[: data.rindex(b"\n ")] + b"\n"
    n = int(small_run().ions_per_scan[-1])
    with refused(ReadError, "x: scan 40", found=str(n - 1), expected=(str(n), "##NPOINTS")):
        parse_run(short, "x")


@pytest.mark.parametrize("label", [b"##SCAN_NUMBER", b"##PAGE", b"##TIC", b"##NPOINTS", b"##XYD"])
def test_cut_short_between_the_labels_of_a_scan(label: bytes) -> None:
    data = jcamp(small_run(), end="")
    at = data.rindex(label)
    short = data[: data.index(b"=", at) + 2] if label != b"##XYD" else data[: at + 5]
    with refused(ReadError, "x", found="after scan 39"):
        parse_run(short, "x")


def test_cut_short_within_the_last_number_is_noted() -> None:
    run = parse_run(jcamp(small_run(), end="").rstrip(b"\n"), "x")
    assert "last line" in run.notes[0]


@pytest.mark.parametrize(
    "times",
    [
        f"##FIRST=  ,  ,  2.5\n##LAST=  ,  ,  {LAST_S / 60}\n",
        f"##TIME_RANGE= (150.0, {LAST_S})\n",
        f"##TIME_RANGE= (2.5, {LAST_S / 60})\n",
        "##TIME_RANGE=\n",
    ],
)
def test_stated_times_that_fit(times: str) -> None:
    assert parse_run(jcamp(small_run(), header=times), "x").notes == ()


@pytest.mark.parametrize(
    "times", ["##FIRST=  ,  ,  2.5\n##LAST=  ,  ,  37.0\n", "##TIME_RANGE= (150.0, 2220.0)\n"]
)
def test_cut_short_between_two_scans(times: str) -> None:
    with refused(ReadError, "x", found="325.5 s", expected="2220 s"):
        parse_run(jcamp(small_run(), header=times), "x")


def test_stated_times_of_something_else_are_noted() -> None:
    run = parse_run(jcamp(small_run(), header="##TIME_RANGE= (7.0, 9.0)\n"), "x")
    (note,) = run.notes
    for fact in ("150 to 325.5 s", "7 to 9", "seconds"):
        assert fact in note


N_POINTS = int(small_run().ions_per_scan[0])


@pytest.mark.parametrize(
    ("old", "new", "found", "expected"),
    [
        (rb"##NPOINTS= \d+", b"##NPOINTS= 2", f"{N_POINTS} points", ("2", "##NPOINTS")),
        (rb"##NPOINTS=.*\n(##XYDATA.*\n \S+,) \S+", rb"\1", f"{N_POINTS - 0.5} points", "pairs"),
        (rb"\n (\S+),", rb"\n \1x,", f"'{small_run().mz[0]}x'", "numbers"),
        (rb"##PAGE=.*", b"##PAGE= N=1", "no time", ("##PAGE", "##RETENTION_TIME")),
        (rb"##PAGE=.*", b"##PAGE= T=1 fortnight", "no time", ("minutes", "seconds")),
    ],
)
def test_damaged_files(old: bytes, new: bytes, found: str, expected: str | tuple[str, ...]) -> None:
    data = re.sub(old, new, jcamp(small_run()), count=1)
    with refused(ReadError, "x: scan 1", found=found, expected=expected):
        parse_run(data, "x")


@pytest.mark.parametrize(
    ("data", "found"),
    [
        (b"##TITLE= a\n##JCAMP-DX= 4.24\n##DATA TYPE= LINK\n##END=\n", ("(LINK)", "time")),
        (
            b"##TITLE= a\n##DATA TYPE= MASS SPECTRUM\n##PEAK TABLE= (XY..XY)\n1,2 3,4\n##END=\n",
            ("(MASS SPECTRUM)", "time"),
        ),
        (
            b"##TITLE= a\n##DATA TYPE= INFRARED SPECTRUM\n##XYDATA= (X++(Y..Y))\n400 1 2\n##END=\n",
            "'(X++(Y..Y))'",
        ),
        (jcamp(small_run(), header="##DATA_FORMAT= Continuum\n"), ("Continuum", "profile")),
    ],
)
def test_other_jcamp_is_refused_by_name(data: bytes, found: str | tuple[str, ...]) -> None:
    with refused(UnsupportedFormatError, "x", found=found):
        parse_run(data, "x")


def test_all_scans_empty() -> None:
    run = small_run()
    data = re.sub(rb"\n [^\n]*", b"", jcamp(run))
    with refused(ReadError, "x: scan 1", found="0 points"):
        parse_run(data, "x")
    with refused(ReadError, "x", found=("no ions", "40 scans")):
        parse_run(re.sub(rb"##NPOINTS= \d+", b"##NPOINTS= 0", data), "x")


def test_times_are_seconds() -> None:
    data = jcamp(small_run())
    stated = [float(value) for value in re.findall(rb"T=(\S+)", data)]
    np.testing.assert_allclose(parse_run(data, "x").time_min * 60, stated)


@pytest.mark.parametrize("unit", ["min", "MINUTES", "(min)"])
def test_times_with_a_unit(unit: str) -> None:
    run = small_run()
    text = re.sub(
        "T=(.*)", lambda found: f"T= {float(found[1]) / 60!r} {unit}", jcamp(run).decode()
    )
    np.testing.assert_allclose(parse_run(text.encode(), "x").time_min, run.time_min)


def test_times_in_the_unit_of_their_symbol_and_factors() -> None:
    run = small_run()
    header = (
        "##TITLE= a\n##SYMBOL= X, Y, T\n##UNITS= M/Z, COUNTS, MINUTES\n"
        "##XFACTOR= 0.5\n##YFACTOR= 10\n"
    )
    text = re.sub("T=(.*)", lambda found: f"T={float(found[1]) / 60!r}", jcamp(run).decode())
    found = parse_run(text.replace("##TITLE= a run\n", header).encode(), "x")
    np.testing.assert_allclose(found.time_min, run.time_min)
    np.testing.assert_allclose(found.mz, run.mz / 2)
    np.testing.assert_allclose(found.intensity, run.intensity * 10)


def test_an_unknown_unit_is_refused() -> None:
    data = re.sub(b"(T=.*)", rb"\1 fortnights", jcamp(small_run()))
    with refused(UnsupportedFormatError, "x", found="time", expected=("minutes", "seconds")):
        parse_run(data, "x")


def test_cut_at_any_line() -> None:
    data = jcamp(
        small_run(4), header=f"##LAST= , , {(2.5 + 3 * 3 / 4)}\n##FIRST= , , 2.5\n", end=""
    )
    ends = [found.end() for found in re.finditer(b"\n", data)][:-1]
    for end in ends:
        with pytest.raises(ReadError):
            parse_run(data[:end], "x")


def with_commas(data: bytes, *places: str) -> bytes:
    """Write decimal commas in some places of a file: after a label, or in the ``points``."""
    text = data.decode()
    for place in places:
        pattern = r"(?m)^ .*$" if place == "points" else rf"(?m)^##{place}=.*$"
        text = re.sub(pattern, lambda line: line[0].replace(", ", " ").replace(".", ","), text)
    return text.encode()


@pytest.mark.parametrize(
    "places", [("PAGE",), ("PAGE", "TIC"), ("points",), ("PAGE", "TIC", "points"), ("TIC",)]
)
@pytest.mark.parametrize("label", ["##PAGE=   T=", "##RETENTION_TIME= "])
def test_decimal_commas(places: tuple[str, ...], label: str) -> None:
    run = small_run(empty=(1, 5))
    data = with_commas(jcamp(run), *places).decode().replace("##PAGE=   T=", label)
    if label != "##PAGE=   T=":
        data = re.sub(r"(ION_TIME= \d+)\.", r"\1,", data) if "PAGE" in places else data
    found = parse_run(data.encode(), "x")
    assert_same(found, run)
    assert found.notes == ()


def test_decimal_commas_without_a_number_of_points() -> None:
    run = small_run()
    data = with_commas(jcamp(run), "PAGE", "points")
    assert_same(parse_run(re.sub(rb"##NPOINTS=.*\n", b"", data), "x"), run)


@pytest.mark.parametrize(
    ("text", "value"), [("0,001", 0.001), (" 12.5 ", 12.5), ("1,5E3", 1500), ("x= 3,25", 3.25)]
)
def test_a_number_under_a_label(text: str, value: float) -> None:
    found = parse_run(jcamp(small_run(), header=f"##TITLE=\n##YFACTOR= {text}\n"), "x")
    np.testing.assert_allclose(found.intensity, small_run().intensity * value)


@pytest.mark.parametrize("text", ["1,234.5", "one"])
def test_a_factor_that_is_not_a_number_is_refused(text: str) -> None:
    with refused(ReadError, "x: ##YFACTOR", found=text, expected="a number"):
        parse_run(jcamp(small_run(), header=f"##TITLE=\n##YFACTOR= {text}\n"), "x")


def test_decimal_commas_of_factors_and_the_header() -> None:
    header = f"##XFACTOR= 0,1\n##YFACTOR= 0,5\n##FIRST= ; ; 2,5\n##LAST= ; ; {LAST_S / 60:g}\n"
    data = with_commas(jcamp(small_run(), header=header), "PAGE", "LAST")
    found = parse_run(data, "x")
    np.testing.assert_allclose(found.mz, small_run().mz * 0.1)
    np.testing.assert_allclose(found.intensity, small_run().intensity * 0.5)


@pytest.mark.parametrize(
    ("times", "found"), [(["999", "1,000"], "'1,000'"), (["999.5", "1,000.5"], "no time")]
)
def test_commas_that_separate_thousands_are_refused(times: list[str], found: str) -> None:
    data = jcamp(small_run(2)).decode()
    for stated, time in zip(re.findall(r"T=.*", data), times, strict=True):
        data = data.replace(stated, f"T={time}")
    with pytest.raises(ReadError, match=found):
        parse_run(data.encode(), "x")


@pytest.mark.parametrize("unit", ["seconds", "minutes"])
def test_a_note_on_other_times_says_the_unit_that_was_read(unit: str) -> None:
    data = jcamp(small_run(), header="##TIME_RANGE= (7.0, 9.0)\n")
    if unit == "minutes":
        data = re.sub(rb"T=(.*)", lambda time: b"T=%g min" % (float(time[1]) / 60), data)
    assert parse_run(data, "x").notes[0].endswith(f"they were read as {unit}")


def test_profile_data_are_centroided_if_asked() -> None:
    header = "##TITLE=\n##DATA_FORMAT= Continuum\n"
    data = jcamp(small_run(), header=header)
    with refused(UnsupportedFormatError, "x", found="profile", remedy="centroid=True"):
        parse_run(data, "x")
    assert parse_run(data, "x", centroid=True).facts["spectra"] == "centroid"
