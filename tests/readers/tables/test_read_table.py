from __future__ import annotations

import io
from pathlib import Path

import polars as pl
import pytest

from gale.errors import ReadError
from gale.readers import is_run_file, parse_run
from gale.readers.tables.headers import RememberedColumns
from helpers.errors import refused
from helpers.run_files import assert_same, csv, frame, small_run

HEADER = b"time,mass,intensity\n"


def parse(rows: bytes) -> list[tuple[float, float, float]]:
    return frame(parse_run(HEADER + rows, "x")).rows()


def parquet(table: pl.DataFrame) -> bytes:
    buffer = io.BytesIO()
    table.write_parquet(buffer)
    return buffer.getvalue()


@pytest.mark.parametrize(
    "change",
    [
        lambda data: b"\xef\xbb\xbf" + data,
        lambda data: data.replace(b"\n", b"\r\n"),
        lambda data: data.replace(b"\n", b"\r"),
        lambda data: data.replace(b",", b";"),
        lambda data: data.replace(b",", b"\t"),
        lambda data: data.replace(b"\n", b"\n\n"),
        lambda data: b"\n" + data + b"\n\n",
        lambda data: data.replace(b"time", b'"time"'),
        lambda data: data.replace(b"time,mass,", b" time, mass ,\t"),
        lambda data: data.replace(b"\n", b",caf\xe9\n"),
    ],
)
def test_dialects(change: object) -> None:
    run = small_run()
    assert callable(change)
    found = parse_run(change(csv(run)), "x")
    assert_same(found, run)
    assert found.notes == ()


@pytest.mark.parametrize("write", [lambda table: table.write_csv().encode(), parquet])
def test_extra_columns_are_ignored(write: object) -> None:
    run = small_run()
    words = pl.Series("remark", ["a, b"] * run.n_ions)
    assert callable(write)
    data = write(frame(run).with_columns(words).select("remark", "intensity", "mass", "time"))
    assert_same(parse_run(data, "x"), run)


@pytest.mark.parametrize("write", [lambda table: table.write_csv().encode(), parquet])
@pytest.mark.parametrize(("key", "factor"), [("time_min", 1), ("time_s", 60)])
def test_columns_of_other_names(write: object, key: str, factor: int) -> None:
    run = small_run()
    table = frame(run).select(
        (pl.col("time") * factor).alias("RT"),
        pl.col("mass").alias("m/z"),
        pl.col("intensity").alias("counts"),
    )
    assert callable(write)
    columns = {key: "RT", "mz": "m/z", "intensity": "counts"}
    assert_same(parse_run(write(table), "x", columns=columns), run)


def test_some_columns_of_other_names() -> None:
    run = small_run()
    data = frame(run).rename({"mass": "m/z"}).write_csv().encode()
    assert_same(parse_run(data, "x", columns={"mz": "m/z"}), run)


@pytest.mark.parametrize("write", [lambda table: table.write_csv().encode(), parquet])
def test_default_names_do_where_remembered_ones_are_not_there(write: object) -> None:
    run = small_run()
    columns = RememberedColumns({"time_s": "RT", "mz": "m/z"})
    assert callable(write)
    assert_same(parse_run(write(frame(run)), "x", columns=columns), run)
    mixed = frame(run).rename({"time": "RT"})
    with refused(
        ReadError, "x", found="'m/z'", expected="RT", remedy="pass columns={'mz': 'NAME'}"
    ):
        parse_run(write(mixed), "x", columns=columns)


@pytest.mark.parametrize("write", [lambda table: table.write_csv().encode(), parquet])
@pytest.mark.parametrize("columns", [{"time_s": "t"}, {"mz": "exact"}, {"time_s": "t", "mz": "x"}])
def test_a_column_that_is_named_and_absent_is_refused(
    write: object, columns: dict[str, str], tmp_path: Path
) -> None:
    data = write(frame(small_run())) if callable(write) else b""
    with refused(
        ReadError,
        "x",
        found=[*map(repr, columns.values()), "time, mass, intensity"],
        remedy=f"pass columns={dict.fromkeys(columns, 'NAME')!r}",
    ):
        parse_run(data, "x", columns=columns)
    path = tmp_path / "x"
    path.write_bytes(data)
    assert is_run_file(path, columns=columns), "or a folder would leave it out"


@pytest.mark.parametrize("columns", [{"time_s": "t"}, {"time_s": "T", "mz": "x", "intensity": "y"}])
def test_a_column_of_a_wide_table_that_is_absent_is_refused(columns: dict[str, str]) -> None:
    with refused(ReadError, "x", found=repr(next(iter(columns.values())))):
        parse_run(b"time,43,57\n1,5,6\n2,7,8\n", "x", columns=columns)


@pytest.mark.parametrize("write", [lambda table: table.write_csv().encode(), parquet])
@pytest.mark.parametrize("name", ["rt", "RT", " Rt "])
def test_names_are_found_in_any_case(write: object, name: str) -> None:
    run = small_run()
    table = frame(run).select((pl.col("time") * 60).alias("RT"), "mass", "intensity")
    assert callable(write)
    assert_same(parse_run(write(table), "x", columns={"time_s": name}), run)
    both = table.with_columns((pl.col("RT") / 60).alias("rt"))
    if name == "rt":
        assert_same(parse_run(write(both), "x", columns={"time_min": name}), run)


def test_names_that_are_given_come_first() -> None:
    run = small_run()
    table = frame(run).with_columns((pl.col("mass") + 0.25).alias("exact"))
    found = parse_run(table.write_csv().encode(), "x", columns={"mz": "exact"})
    assert found.mz[0] == run.mz[0] + 0.25


@pytest.mark.parametrize("columns", [{"rt": "time"}, {"time_min": "a", "time_s": "b"}])
def test_columns_that_mean_nothing(columns: dict[str, str]) -> None:
    with refused(ReadError, "columns", found=repr(columns), expected=["time_min", "time_s"]):
        parse_run(csv(small_run()), "x", columns=columns)


def test_missing_column() -> None:
    with refused(
        ReadError,
        "x",
        found=["'mass'", "'intensity'", "time, a, b"],
        expected="time, mass, intensity",
        remedy="pass columns={'mz': 'NAME', 'intensity': 'NAME'}",
    ):
        parse_run(b"time, a, b\n1,2,3\n", "x")


@pytest.mark.parametrize("header", [b"time,mass,mass,intensity", b"time,mass, mass ,intensity"])
def test_doubled_column(header: bytes) -> None:
    with refused(ReadError, "x: column 'mass'", found="time, mass, mass, intensity"):
        parse_run(header + b"\n1,50,60,7\n2,50,60,7\n", "x")
    data = (
        header.replace(b"mass", b"a", 1).replace(b"time", b"time,a") + b"\n1,2,3,50,7\n2,2,3,50,7\n"
    )
    assert parse_run(data, "x").mz.tolist() == [50, 50]


def test_missing_column_of_parquet() -> None:
    with refused(ReadError, "x", found=["'mass'", "time, intensity"]):
        parse_run(parquet(frame(small_run()).drop("mass")), "x")


@pytest.mark.parametrize(
    "data", [HEADER, HEADER[:-1], HEADER + b"\n", parquet(frame(small_run())[:0])]
)
def test_no_rows(data: bytes) -> None:
    with refused(ReadError, "x", found="no ions"):
        parse_run(data, "x")


@pytest.mark.parametrize(
    ("rows", "place", "found", "remedy"),
    [
        (b"1,2,3\n2,x7,3\n", "row 2 (line 3), column 'mass'", "'x7'", "row"),
        (b"1,2,3\n\n2,3,x7\n", "row 2 (line 4), column 'intensity'", "'x7'", "row"),
        (b"1,2,3\n2,,3\n", "row 2 (line 3), column 'mass'", "blank", "row"),
        (b"1,2,3\n2, ,3\n", "row 2 (line 3), column 'mass'", "blank", "row"),
        (b"1,2,3\n2,2\n3,3,3\n", "row 2 (line 3)", "2 fields", "decimal commas"),
        (b"1,2,3\n2,2", "row 2 (line 3)", "2 fields", "cut short"),
        (b"1,2,3\n2", "row 2 (line 3)", "1 field", "cut short"),
        (b"1,2,3\n2,2,3,4\n", "row 2 (line 3)", "4 fields", "decimal commas"),
        (b'1,2,3\n"2,2,3\n4,5,6\n', "row 2 (line 4)", "1 field", "cut short"),
        (b"1,2,3\n2,nan,3\n", "row 2", "m/z of nan", ""),
        (b"1,2,3\n2,2,1e999\n", "row 2", "intensity of inf", ""),
    ],
)
def test_bad_rows(rows: bytes, place: str, found: str, remedy: str) -> None:
    with refused(ReadError, f"x.csv: {place}", found=found, remedy=remedy) as caught:
        parse_run(HEADER + rows, "x.csv")
    if "field" in found:
        assert "3" in caught.value.expected


def test_a_field_without_end() -> None:
    with refused(ReadError, "x: line 2", found="CSV"):
        parse_run(HEADER + b'1,2,"' + b"a" * 200_000, "x")


@pytest.mark.parametrize("blank_line", [b"", b"\n"])
def test_numbers_of_all_kinds(blank_line: bytes) -> None:
    rows = b'0, 50 ,+1e3\n1.,"60.5",.5\n' + blank_line
    assert parse(rows) == [(0.0, 50.0, 1000.0), (1.0, 60.5, 0.5)]


def test_a_last_line_without_end_is_noted() -> None:
    run = parse_run(HEADER + b"1,50,2\n3,50,20", "x")
    (note,) = run.notes
    assert "last line" in note


def test_rows_out_of_order_are_sorted_and_noted() -> None:
    run = parse_run(HEADER + b"3,50,1\n1,60,2\n1,55,3\n", "x")
    assert frame(run).rows() == [(1, 60, 2), (1, 55, 3), (3, 50, 1)]
    assert "sorted" in run.notes[0]


def test_parquet_of_whole_numbers() -> None:
    table = pl.DataFrame({"time": [1, 2], "mass": [50, 60], "intensity": [7, 8]})
    assert frame(parse_run(parquet(table), "x")).rows() == [(1.0, 50.0, 7.0), (2.0, 60.0, 8.0)]


def test_parquet_with_null() -> None:
    table = pl.DataFrame({"time": [1.0, 2.0], "mass": [50.0, None], "intensity": [7.0, 8.0]})
    with refused(ReadError, "x: row 2, column 'mass'", found="null"):
        parse_run(parquet(table), "x")


def test_parquet_of_text() -> None:
    table = pl.DataFrame({"time": [1.0, 2.0], "mass": ["50", "60"], "intensity": [7.0, 8.0]})
    with refused(ReadError, "x: column 'mass'", found="String"):
        parse_run(parquet(table), "x")


def test_parquet_damaged_inside_is_refused(capfd: pytest.CaptureFixture[str]) -> None:
    data = parquet(frame(small_run()))
    with refused(ReadError, "x", found="Parquet"):
        parse_run(data[:4] + b"\xff" * 40 + data[44:], "x")
    capfd.readouterr()


def test_times_that_are_all_infinite() -> None:
    with refused(ReadError, "x: row 1", found="time of inf"):
        parse_run(b"time,mass,intensity\n1e999,50,1\n1e999,51,1\n", "x")
