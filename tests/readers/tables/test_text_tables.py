"""Tables of text in the dialects that labs export."""

from __future__ import annotations

from pathlib import Path

import pytest

from gale.errors import ReadError
from gale.readers import glance, limits, parse_run, sniff
from gale.readers.tables import cells, text
from gale.run import Run
from helpers.errors import refused
from helpers.run_files import assert_same, csv, small_run

CELL = ": row 1 (line 2), column 'intensity'"


def comma(data: bytes, mark: bytes = b";") -> bytes:
    """The table with decimal commas."""
    return data.replace(b",", mark).replace(b".", b",")


@pytest.mark.parametrize("mark", [b";", b"\t", b"|", b" ", b"   "])
def test_decimal_commas(mark: bytes) -> None:
    assert_same(parse_run(comma(csv(small_run()), mark), "x"), small_run())


@pytest.mark.parametrize("mark", [b"|", b" ", b"  ", b" \t "])
def test_what_separates_cells(mark: bytes) -> None:
    assert_same(parse_run(csv(small_run()).replace(b",", mark), "x"), small_run())


def test_blanks_before_and_after_cells_that_blanks_separate() -> None:
    data = csv(small_run()).replace(b",", b"  ").replace(b"\n", b"  \n   ")
    assert_same(parse_run(b"   " + data, "x"), small_run())


@pytest.mark.parametrize("end", [b"\n", b"\r\n", b"\r"])
@pytest.mark.parametrize("blank", [0, 1, 3])
def test_line_ends_and_blank_lines(end: bytes, blank: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cells, "_read_slowly", None)  # no such table needs it
    lines = csv(small_run()).splitlines()
    data = (end * (1 + blank)).join(lines) + end * blank
    assert_same(parse_run(data + end, "x"), small_run())


@pytest.mark.parametrize(
    "before",
    [
        b"Sample: 12, run by me\nInstrument;GC-MS\n\n",
        b"# exported by software, version 1.2\n#\n",
        b"Date\t27.11.2026\nOperator\tA. B.\n" * 50,
        b"time of export: 12:30, Friday\n",
    ],
)
def test_lines_before_the_header(before: bytes) -> None:
    run = parse_run(before + csv(small_run()), "x")
    assert_same(run, small_run())


def test_a_header_that_is_a_comment() -> None:
    assert_same(parse_run(b"# " + csv(small_run()), "x"), small_run())


def test_a_header_too_far_down() -> None:
    with refused(ReadError, "x", found="'time'"):
        parse_run(b"a,b\n" * 300 + csv(small_run()), "x")


@pytest.mark.parametrize("encoding", ["utf-16", "utf-16-le", "utf-16-be", "utf-8-sig"])
def test_encodings(encoding: str) -> None:
    mark = {"utf-16-le": b"\xff\xfe", "utf-16-be": b"\xfe\xff"}.get(encoding, b"")
    data = mark + csv(small_run()).decode().encode(encoding)
    assert sniff(data) == "csv"
    assert_same(parse_run(data, "x"), small_run())


def test_a_row_of_units_below_the_header() -> None:
    rows = b"60,50,1\n120,51,2\n"
    run = parse_run(b"RT,m/z,Intensity\ns,Da,counts\n" + rows, "x")
    assert run.time_min.tolist() == [1, 2]
    assert run.facts["columns"].startswith("'RT (s)' in seconds")
    bracketed = parse_run(b"RT;m/z;Intensity\n[sec];;\n" + rows.replace(b",", b";"), "x")
    assert bracketed.time_min.tolist() == [1, 2]


def numbers(rows: bytes) -> Run:
    return parse_run(b"time;mass;intensity\n" + rows, "x")


def test_whole_numbers_with_a_decimal_comma_elsewhere() -> None:
    run = numbers(b"0,5;50;1000\n1;51;12,5\n")
    assert run.time_min.tolist() == [0.5, 1]
    assert run.intensity.tolist() == [1000, 12.5]


@pytest.mark.parametrize(
    ("rows", "place", "found", "remedy"),
    [
        (b"1;50;1,234\n2;50;5,678\n", "", ["'1,234'", "thousands"], "decimal point"),
        (b"1;50;1,234.5\n2;50;5.5\n", "", ["'1,234.5'"], "thousands"),
        (b"1;50;1.234,5\n2;50;6,5\n", "", ["'1.234,5'"], "thousands"),
        (b"1;50;1'234\n2;50;6\n", CELL, ['"1\'234"'], "thousands"),
        (b"1;50;1_234\n2;50;6\n", CELL, ["'1_234'"], "row"),
    ],
)
def test_thousands_are_never_guessed(
    rows: bytes, place: str, found: list[str], remedy: str
) -> None:
    with refused(ReadError, f"x{place}", found=found, remedy=remedy):
        numbers(rows)


def test_decimal_commas_between_commas_are_seen() -> None:
    with refused(
        ReadError, "x: row 1 (line 2)", found="6 fields", expected="3", remedy="decimal commas"
    ):
        parse_run(b"time,mass,intensity\n0,5,50,1,7,5\n1,5,51,1,8,5\n", "x")


def test_short_rows_of_wide_tables_are_no_blank_cells() -> None:
    with refused(
        ReadError, "x: row 2 (line 3)", found="3 fields", expected="4", remedy="cut short"
    ):
        parse_run(b"time,45,46,47\n1,2,3,4\n2,3,4\n", "x")
    blank = parse_run(b"time,45,46,47\n1,2,3,4\n2,3,4,\n", "x")
    assert blank.ions_per_scan.tolist() == [3, 2]


def test_words_in_a_cell_that_may_be_blank() -> None:
    with refused(ReadError, "x: row 2 (line 3), column '46'", found="'n.d.'"):
        parse_run(b"time,45,46\n1,2,3\n2,3,n.d.\n", "x")


def test_lines_are_counted_from_the_start_of_the_file() -> None:
    with refused(ReadError, "x: row 2 (line 5), column 'mass'", found="'x'"):
        parse_run(b"a\r\nb\r\ntime,mass,intensity\r\n1,50,1\r\n2,x,1\r\n", "x")


def test_columns_of_a_table_below_other_lines(tmp_path: Path) -> None:
    path = tmp_path / "x"
    path.write_bytes(b"Sample;12\n" + comma(csv(small_run())))
    assert glance(path) == ("csv", ["time", "mass", "intensity"])


@pytest.mark.parametrize("mark", [b",", b";"])
@pytest.mark.parametrize("header", [None, b"RT (min),m/z,counts"])
def test_another_table_below_the_first(mark: bytes, header: bytes | None) -> None:
    """To remove its header, as for a cell that is wrong, would make one run of two."""
    first = csv(small_run()).replace(b",", mark)
    second = first if header is None else header.replace(b",", mark) + first[first.index(b"\n") :]
    n_rows = small_run().n_ions + 1
    with refused(ReadError, found="another table", expected="one run", remedy="divide") as caught:
        parse_run(first + second, "x")
    assert f"row {n_rows:,}" in caught.value.source


WIDE = b"time,50,51\n" + b"".join(b"%d,1,2\n" % row for row in range(1, 41))


@pytest.mark.parametrize("data", [WIDE, WIDE.replace(b",1,2", b""), csv(small_run())])
def test_more_cells_than_its_size_allows(data: bytes, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(limits, "FREE_CELLS", 100)
    monkeypatch.setattr(limits, "CELLS_PER_BYTE", 0)
    with refused(ReadError, "x", found="3 columns", expected="100"):
        parse_run(data, "x")


def test_blank_lines_are_no_cells(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(limits, "FREE_CELLS", 120)
    monkeypatch.setattr(limits, "CELLS_PER_BYTE", 0)
    assert parse_run(WIDE + b"\n" * 500, "x").n_scans == 40


@pytest.mark.parametrize("row", [b"1,2,3" + b"," * 500, b'1,2,"' + b"3\n" * 500])
def test_a_row_without_end(row: bytes, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cells, "MAX_ROW", 100)
    rows = b"1,50,1\n" * 200  # each is short
    with refused(ReadError, found=("row", "100")):
        parse_run(b"time,mass,intensity\n" + rows + row, "x")


def test_a_header_without_end(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(text, "MAX_HEADER", 10)
    with pytest.raises(ReadError):
        parse_run(csv(small_run()), "x")
