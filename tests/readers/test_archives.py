"""ZIP archives with one run, with none or several, and those that must not be opened."""

from __future__ import annotations

import gzip
import io
import struct
import zipfile
from pathlib import Path

import pytest

from gale.errors import ReadError, UnsupportedFormatError
from gale.readers import archives, glance, is_run_file, limits, parse_run, read_run
from helpers.errors import refused
from helpers.run_files import WRITERS, assert_same, csv, parquet, small_run

RUN = csv(small_run())
TEXT = b"Dear lab, here is the run.\n"


def zipped(
    *files: tuple[str, bytes], compression: int = zipfile.ZIP_DEFLATED, comment: bytes = b""
) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", compression) as archive:
        for name, data in files:
            archive.writestr(name, data)
        archive.comment = comment
    return buffer.getvalue()


@pytest.mark.parametrize("name", WRITERS)
@pytest.mark.parametrize("compression", [zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED])
def test_a_run_of_any_format(name: str, compression: int, tmp_path: Path) -> None:
    path = tmp_path / "a.zip"
    path.write_bytes(zipped(("a/run.x", WRITERS[name](small_run())), compression=compression))
    run = read_run(path)
    assert_same(run, small_run())
    assert run.format == name
    assert is_run_file(path)


def test_what_systems_and_people_leave_in_archives() -> None:
    data = zipped(
        ("__MACOSX/._run.csv", b"\0\5\x16\7"),
        (".DS_Store", b"\0\0\0\1Bud1"),
        ("folder/", b""),
        ("Thumbs.db", b"\xd0\xcf"),
        ("read me.txt", TEXT),
        ("labels.csv", b"run,alcohol\nrun,1\n"),
        ("folder/run.csv", RUN),
        comment=b"a comment",
    )
    assert_same(parse_run(data, "x"), small_run())


def test_the_columns_of_the_run_inside(tmp_path: Path) -> None:
    path = tmp_path / "a.zip"
    path.write_bytes(zipped(("read me.txt", TEXT), ("run", parquet(small_run()))))
    assert glance(path) == ("parquet", ["time", "mass", "intensity"])
    renamed = RUN.replace(b"time,mass,intensity", b"a,b,c")
    path.write_bytes(zipped(("read me.txt", TEXT), ("run", renamed)))
    assert not is_run_file(path)
    names = {"time_min": "a", "mz": "b", "intensity": "c"}
    assert is_run_file(path, columns=names)
    assert_same(read_run(path, columns=names), small_run())


def test_layers_of_packing() -> None:
    assert_same(parse_run(zipped(("a.csv.gz", gzip.compress(RUN))), "x"), small_run())
    assert_same(parse_run(gzip.compress(zipped(("a.csv", RUN))), "x"), small_run())
    assert_same(parse_run(zipped(("a.zip", zipped(("a.csv", RUN)))), "x"), small_run())
    deep = zipped(("a.zip", zipped(("a.zip", zipped(("a.csv", RUN))))))
    with refused(UnsupportedFormatError, "x/a.zip/a.zip", found="2 layers"):
        parse_run(deep, "x")


def test_an_error_inside_names_the_file_inside() -> None:
    bad = RUN.replace(b"2.5,", b"x,", 1)
    with refused(ReadError, "x/a.csv: row 1 (line 2), column 'time'", found="'x'"):
        parse_run(zipped(("a.csv", bad)), "x")


@pytest.mark.parametrize(
    ("files", "found"),
    [
        ([("a.csv", RUN), ("b/a.csv", RUN)], ["ZIP", "2 runs", "a.csv, b/a.csv"]),
        ([(f"{n}.csv", RUN) for n in range(12)], ["ZIP", "12 runs", "9.csv", "2 more"]),
    ],
)
def test_archives_of_several_runs(files: list[tuple[str, bytes]], found: list[str]) -> None:
    with refused(ReadError, "x", found=found, expected="1"):
        parse_run(zipped(*files), "x")


@pytest.mark.parametrize(
    ("files", "found", "remedy"),
    [
        ([("a.txt", TEXT), ("b.txt", TEXT)], ["ZIP", "a.txt, b.txt"], "unzip"),
        ([], ["ZIP", "no files"], "unzip"),
        ([("xl/workbook.xml", b"<workbook/>"), ("b.xml", b"<a/>")], ["Excel"], "CSV"),
    ],
)
def test_archives_without_a_run(
    files: list[tuple[str, bytes]], found: list[str], remedy: str
) -> None:
    with refused(UnsupportedFormatError, "x", found=found, expected="mzML", remedy=remedy):
        parse_run(zipped(*files), "x")


def test_names_that_would_break_a_message() -> None:
    with refused(UnsupportedFormatError, "x", found="ZIP") as caught:
        parse_run(zipped(("a\nb" + "c" * 500, TEXT), ("d", TEXT)), "x")
    assert len(str(caught.value)) < 500


def test_methods_that_unpack_without_a_limit_are_refused() -> None:
    for method, compression in ((12, zipfile.ZIP_BZIP2), (14, zipfile.ZIP_LZMA)):
        with refused(ReadError, "x/a.csv", found=f"method {method}", expected="deflate"):
            parse_run(zipped(("a.csv", RUN), compression=compression), "x")


def test_encrypted() -> None:
    data = bytearray(zipped(("a.csv", RUN)))
    for mark, flags in ((b"PK\3\4", 6), (b"PK\1\2", 8)):
        data[data.index(mark) + flags] |= 1
    with refused(ReadError, "x", found=["encrypted", "ZIP"], remedy="unzip"):
        parse_run(bytes(data), "x")


def test_many_files(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(archives, "MAX_MEMBERS", 2)
    with refused(ReadError, "x", found=["ZIP", "3 files"], expected="1"):
        parse_run(zipped(*((str(n), TEXT) for n in range(3))), "x")


def test_a_long_list_of_files(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(archives, "MAX_DIRECTORY", 500)
    with refused(ReadError, "x", found=["ZIP", "list of files"]):
        parse_run(zipped(*((f"{n}" * 99, b"") for n in range(1, 9))), "x")


def test_sizes_are_limited_together_and_are_not_believed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(limits, "FREE_BYTES", 2 * len(RUN))
    monkeypatch.setattr(limits, "MAX_RATIO", 1)
    assert_same(parse_run(zipped(("a.csv", RUN)), "x"), small_run())
    with refused(ReadError, "x", found="MiB"):
        parse_run(zipped(("a.csv", RUN), ("b", RUN), ("c", RUN)), "x")
    large = zipped(("a.csv", RUN * 9))
    with refused(ReadError, "x", found="MiB"):
        parse_run(large, "x")
    true, lie = struct.pack("<I", 9 * len(RUN)), struct.pack("<I", len(RUN))
    assert large.count(true) == 2
    with refused(ReadError, "x", found=["ZIP", "CRC"]):
        parse_run(large.replace(true, lie), "x")


@pytest.mark.parametrize("part", [0.1, 0.5, 0.9, 0.99])
def test_cut_short(part: float) -> None:
    data = zipped(("a.csv", RUN))
    with refused(ReadError, "x", found=["ZIP", "cut short"]):
        parse_run(data[: int(part * len(data))], "x")


def test_nothing_is_written(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    path = tmp_path / "a.zip"
    path.write_bytes(zipped(("../../evil.csv", RUN)))
    assert_same(read_run(path), small_run())
    assert [each.name for each in tmp_path.iterdir()] == ["a.zip"]
    assert not (tmp_path.parent.parent / "evil.csv").exists()
