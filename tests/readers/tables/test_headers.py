"""What names of columns mean: spellings of labs, units, wide tables, and doubtful names."""

from __future__ import annotations

import numpy as np
import polars as pl
import pytest

from gale.errors import ReadError
from gale.readers import parse_run
from gale.readers.tables import headers
from gale.readers.tables.headers import DEFAULT_NAMES, find_columns
from gale.readers.tables.names import Meaning, meaning, named_mz
from helpers.errors import refused
from helpers.run_files import assert_same, frame, small_run


def with_header(*names: str, per_min: float = 1.0) -> bytes:
    """The small run as CSV, with these names of columns."""
    table = frame(small_run()).with_columns(pl.col("time") * per_min)
    return table.rename(dict(zip(table.columns, names, strict=True))).write_csv().encode()


@pytest.mark.parametrize(
    ("names", "per_min"),
    [
        (("RT", "m/z", "Abundance"), 1),
        (("Retention Time", "Mass", "Counts"), 1),
        (("RT (min)", "mz", "intensity (counts)"), 1),
        (("RT [s]", "m/z (Da)", "Intensity [a.u.]"), 60),
        (("time_s", "m/z", "signal"), 60),
        (("scan_acquisition_time (sec)", "mass", "ion count"), 60),
        (("RT(milliseconds)", "M.Z", "Height"), 60_000),
        (("RetTime in seconds", "mass to charge", "response"), 60),
        (("TIME", "MASS", "INTENSITY"), 1),
        (("rt_min", "mass_amu", "intensity_cps"), 1),
    ],
)
def test_spellings(names: tuple[str, str, str], per_min: float) -> None:
    assert_same(parse_run(with_header(*names, per_min=per_min), "x"), small_run())


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("time", Meaning("time")),
        ("Time (min.)", Meaning("time", "time_min")),
        ("RT_ms", Meaning("time", "time_ms")),
        ("relative intensity", None),
        ("intensity (%)", None),
        ("peak area", None),
        ("mass error", None),
        ("time (h)", None),
        ("name", None),
        ("", None),
    ],
)
def test_meaning(name: str, expected: Meaning | None) -> None:
    assert meaning(name) == expected


@pytest.mark.parametrize(
    ("name", "mz"),
    [
        ("51", 51),
        ("51.25", 51.25),
        ("51,25", 51.25),
        ("m/z 51", 51),
        ("mz_51", 51),
        ("X51", 51),
        ("ion 51.0", 51),
        ("0", None),
        ("20001", None),
        ("peak51", None),
        ("51-60", None),
    ],
)
def test_names_that_are_an_mz(name: str, mz: float | None) -> None:
    assert named_mz(name) == mz


@pytest.mark.parametrize(
    ("names", "doubtful", "first", "second"),
    [
        (("time", "rt", "mass", "intensity"), "the time", {"time_min": "time"}, {"time_min": "rt"}),
        (
            ("time (s)", "rt", "m/z", "signal"),
            "the time",
            {"time_s": "time (s)"},
            {"time_min": "rt"},
        ),
        (("time", "mass", "m/z", "intensity"), "the m/z", {"mz": "mass"}, {"mz": "m/z"}),
        (
            ("time", "mass", "counts", "height"),
            "the intensity",
            {"intensity": "counts"},
            {"intensity": "height"},
        ),
    ],
)
def test_names_that_are_doubtful(
    names: tuple[str, ...], doubtful: str, first: dict[str, str], second: dict[str, str]
) -> None:
    with refused(
        ReadError,
        "x",
        found=[doubtful, *map(repr, (*first.values(), *second.values()))],
        remedy=[f"pass columns={first!r}", f"pass columns={second!r}"],
    ):
        find_columns(names, None, "x")
    for columns in (first, second):
        assert find_columns(names, columns, "x").time.key in ("time_min", "time_s")


@pytest.mark.parametrize(
    ("names", "missing", "remedy"),
    [
        (("time", "mass", "area"), ["intensity"], "pass columns={'intensity': 'NAME'}"),
        (("1.5", "word", "7"), ["time"], "pass columns={'time_min': 'NAME'}"),
        (("time", "a", ""), ["mass", "intensity"], "{'mz': 'NAME', 'intensity': 'NAME'}"),
        (("time",), ["mass", "intensity"], "export the scans"),
        (("1.5", "50", "7"), ["time"], "first row"),
        ((), ["time", "mass", "intensity"], "export the scans"),
    ],
)
def test_columns_that_are_missing(names: tuple[str, ...], missing: list[str], remedy: str) -> None:
    found = [*map(repr, missing), ", ".join(names)]
    expected = ["time, mass, intensity", "m/z"]
    with refused(ReadError, "x", found=found, expected=expected, remedy=remedy) as caught:
        find_columns(names, None, "x")
    for name in {*DEFAULT_NAMES.values()} - {*missing}:
        assert repr(name) not in caught.value.found


def test_a_doubtful_name_is_settled_by_the_caller() -> None:
    found = find_columns(("time", "mass", "m/z", "intensity"), {"mz": "mass"}, "x")
    assert found.positions == (0, 1, 3)


def wide(*names: str, rows: str = "1,5,0,7\n2,,3,0.5\n3,0,0,0\n") -> bytes:
    return f"{','.join(names)}\n{rows}".encode()


@pytest.mark.parametrize(
    "names",
    [
        ("time", "45", "46", "47"),
        ("RT (min)", "m/z 45", "m/z 46", "m/z 47"),
        ("RT", "X45.0", "X46.0", "X47.0"),
    ],
)
def test_a_wide_table(names: tuple[str, ...]) -> None:
    run = parse_run(wide(*names), "x")
    assert run.time_min.tolist() == [1, 2, 3]
    assert run.ions_per_scan.tolist() == [2, 2, 0]
    assert run.mz.tolist() == [45, 47, 46, 47]
    assert run.intensity.tolist() == [5, 7, 3, 0.5]
    assert run.facts["columns"].endswith("; 3 columns of m/z 45 to 47")


def test_wide_columns_and_rows_in_any_order() -> None:
    rows = "3,9,2,1\n1,5,2,7\n"
    run = parse_run(wide("time", "47", "name", "45", rows=rows), "x")
    assert run.time_min.tolist() == [1, 3]
    assert run.mz.tolist() == [45, 47, 45, 47]
    assert run.intensity.tolist() == [7, 5, 1, 9]
    assert "sorted" in run.notes[0]


def test_the_wide_table_that_openchrom_exports() -> None:
    data = (
        b"RT(milliseconds);RT(minutes) - NOT USED BY IMPORT;RI;15;16;17\r\n"
        b"5190;0.0865;0.0;170.5;0.0;1378.25\r\n5964;0.0994;0.0;0.0;0.0;0.0\r\n"
        b"6738;0.1123;0.0;0.0;9.0;1.0E7\r\n"
    )
    run = parse_run(data, "x")
    np.testing.assert_allclose(run.time_min * 60, [5.19, 5.964, 6.738])
    assert run.ions_per_scan.tolist() == [2, 0, 2]
    assert run.mz.tolist() == [15, 17, 16, 17]
    assert run.intensity.tolist() == [170.5, 1378.25, 9, 1e7]
    assert run.facts["columns"].startswith("'RT(milliseconds)' in milliseconds")


@pytest.mark.parametrize(
    ("names", "found"),
    [
        (("time", "45", "46", "45.0"), "2 columns of m/z 45"),
        (("time", "1", "2", "3"), "'1' to '3'"),
        (("name", "45", "46", "47"), "'time'"),
    ],
)
def test_wide_tables_that_are_doubtful(names: tuple[str, ...], found: str) -> None:
    with refused(ReadError, "x", found=found):
        parse_run(wide(*names), "x")


def test_low_mz_that_say_what_they_are() -> None:
    run = parse_run(wide("time", "m/z 1", "m/z 2", "m/z 3"), "x")
    assert run.mz.tolist() == [1, 3, 2, 3]


@pytest.mark.parametrize(
    ("header", "expected"),
    [
        (b"time,mass,intensity\n", ["'time' in minutes", "no unit", "'mass'", "'intensity'"]),
        (b"RT (s),mass,intensity\n", ["'RT (s)' in seconds", "by its name", "'mass'"]),
    ],
)
def test_a_fact_says_which_columns_were_read(header: bytes, expected: list[str]) -> None:
    run = parse_run(header + b"60,50,1\n120,50,1\n", "x")
    for fact in expected:
        assert fact in run.facts["columns"]


def test_a_fact_says_that_the_caller_named_the_time() -> None:
    run = parse_run(b"a,mass,intensity\n60,50,1\n120,50,1\n", "x", columns={"time_s": "a"})
    assert run.facts["columns"].startswith("'a' in seconds, as given")


def test_a_long_time_without_a_unit_is_refused() -> None:
    rows = b"0,50,1\n1800,50,1\n"
    remedies = [f"pass columns={ {key: 'RT'}!r}" for key in ("time_min", "time_s", "time_ms")]
    with refused(
        ReadError, "x: column 'RT'", found="1,800 min", expected="300 min", remedy=remedies
    ):
        parse_run(b"RT,mass,intensity\n" + rows, "x")
    run = parse_run(b"RT (min),mass,intensity\n" + rows, "x")
    assert run.time_min.tolist() == [0, 1800]
    assert any("1.8e+03 min" in note for note in run.notes)
    in_seconds = parse_run(b"RT,mass,intensity\n" + rows, "x", columns={"time_s": "RT"})
    np.testing.assert_allclose(in_seconds.time_min, [0, 30])


def test_too_many_columns(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(headers, "MAX_COLUMNS", 3)
    assert parse_run(b"time,45,46\n1,2,3\n2,2,3\n", "x").n_ions == 4
    with refused(ReadError, "x", found="4 columns", expected="3"):
        parse_run(wide("time", "45", "46", "47"), "x")


PIVOT = b"%b,18,28,32\n3.0,915,2602,609\n3.1,875,2572,0\n3.2,1,0,0\n"


@pytest.mark.parametrize("name", ["", "Unnamed: 0"])
def test_a_first_column_without_a_name_can_be_the_time(name: str) -> None:
    """It is never guessed: pandas also writes the numbers of rows there."""
    data = PIVOT % name.encode()
    with refused(ReadError, "x", found="'time'", remedy=f"columns={{'time_min': {name!r}}}"):
        parse_run(data, "x")
    run = parse_run(data, "x", columns={"time_min": name})
    assert run.time_min.tolist() == [3.0, 3.1, 3.2]
    assert run.ions_per_scan.tolist() == [3, 2, 1]


def test_only_the_first_column_can_be_meant_by_an_empty_name() -> None:
    data = b",mass,intensity,,\n1,43,5,,\n2,57,6,,\n3,57,6,,\n"
    assert parse_run(data, "x", columns={"time_min": ""}).time_min.tolist() == [1, 2, 3]
    with refused(ReadError, "x", found="''"):
        parse_run(b"a,mass,intensity,\n1,43,5,\n", "x", columns={"time_min": ""})


@pytest.mark.parametrize(
    ("header", "remedy"),
    [
        ("time,intensity", "export the scans"),
        ("name,area", "export the scans"),
        ("m/z,3.0,3.1,3.2", "transpose"),
    ],
)
def test_no_column_is_asked_for_where_none_can_serve(header: str, remedy: str) -> None:
    data = f"{header}\n{','.join('1' for _ in header.split(','))}\n".encode()
    with refused(ReadError, "x", remedy=remedy) as caught:
        parse_run(data, "x")
    assert "NAME" not in caught.value.remedy


def test_a_column_is_asked_for_where_one_can_serve() -> None:
    with refused(ReadError, "x", remedy="{'intensity': 'NAME'}"):
        parse_run(b"time,mass,area\n1,43,5\n", "x")
