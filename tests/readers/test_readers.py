from __future__ import annotations

import gzip
import io
import os
import sys
from pathlib import Path

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gale.errors import ReadError, UnsupportedFormatError
from gale.plumbing.text import display_name
from gale.readers import glance, is_run_file, limits, load, parse_run, read_run, sniff
from gale.run import Run
from helpers.errors import check_error, refused
from helpers.run_files import (
    WRITERS,
    andi,
    assert_same,
    csv,
    frame,
    jcamp,
    mzml,
    parquet,
    runs,
    small_run,
)
from helpers.tables import LIBRARIES

FORMATS = sorted(WRITERS)


@pytest.mark.parametrize("name", FORMATS)
@pytest.mark.parametrize("packed", [False, True])
def test_every_format_gives_the_same_run(name: str, packed: bool, tmp_path: Path) -> None:
    run = small_run()
    data = WRITERS[name](run)
    path = tmp_path / "some.file"
    path.write_bytes(gzip.compress(data) if packed else data)
    found = read_run(path)
    assert_same(found, run)
    assert (found.format, found.source, found.notes) == (name, str(path), ())
    assert is_run_file(path)
    assert sorted(tmp_path.iterdir()) == [path]


@pytest.mark.parametrize("name", ["andi", "jcamp", "mzml"])
@given(run=runs())
@settings(max_examples=30)
def test_scans_written_are_the_scans_read(name: str, run: Run) -> None:
    assert_same(parse_run(WRITERS[name](run), "x"), run)


@pytest.mark.slow
@pytest.mark.parametrize("name", ["csv", "parquet"])
@given(run=runs(min_ions=1))
@settings(max_examples=30)
def test_rows_written_are_the_rows_read(name: str, run: Run) -> None:
    assert_same(parse_run(WRITERS[name](run), "x"), run)


@pytest.mark.parametrize("name", ["andi", "jcamp", "mzml"])
def test_ions_are_put_in_order_of_mz_within_a_scan(name: str) -> None:
    run = small_run(empty=(0, 7))
    scan = np.repeat(np.arange(run.n_scans), run.ions_per_scan)
    back = np.lexsort((-run.mz, scan))
    descending = Run.from_scans(run.time_min, run.ions_per_scan, run.mz[back], run.intensity[back])
    assert_same(parse_run(WRITERS[name](descending), "x"), run)


@pytest.mark.parametrize("name", ["csv", "parquet"])
def test_tables_keep_the_order_of_their_rows(name: str) -> None:
    run = small_run()
    order = np.lexsort((-run.mz, np.repeat(np.arange(run.n_scans), run.ions_per_scan)))
    shuffled = Run.from_scans(run.time_min, run.ions_per_scan, run.mz[order], run.intensity[order])
    assert_same(parse_run(WRITERS[name](shuffled), "x"), shuffled)


@pytest.mark.parametrize("name", ["andi", "mzml", "parquet"])
def test_a_file_cut_short_anywhere_is_refused(name: str) -> None:
    data = WRITERS[name](small_run())
    for end in {*range(1, len(data) - 8, len(data) // 40), len(data) - 20}:
        with pytest.raises(ReadError) as caught:
            parse_run(data[:end], "x")
        assert caught.value.source.startswith("x")
        check_error(caught.value)


@pytest.mark.parametrize("name", FORMATS)
def test_gzip_cut_short_is_refused(name: str) -> None:
    data = gzip.compress(WRITERS[name](small_run()))
    with refused(ReadError, "x", found=["gzip", "cut short"]):
        parse_run(data[: len(data) // 2], "x")


def test_damaged_gzip_is_refused() -> None:
    data = bytearray(gzip.compress(csv(small_run())))
    data[-6] ^= 0xFF
    with refused(ReadError, "x", found=["gzip", "CRC"]):
        parse_run(bytes(data), "x")


def test_gzip_within_gzip_is_opened_but_no_deeper() -> None:
    twice = gzip.compress(gzip.compress(csv(small_run())))
    assert_same(parse_run(twice, "x"), small_run())
    with refused(UnsupportedFormatError, "x", found="2 layers"):
        parse_run(gzip.compress(twice), "x")


def test_gzip_that_fills_the_memory_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(limits, "MAX_BYTES", 1000)
    with refused(ReadError, "x", found="MiB"):
        parse_run(gzip.compress(bytes(2000)), "x")


@given(data=st.binary(max_size=200))
def test_garbage_is_refused(data: bytes) -> None:
    with pytest.raises(ReadError) as caught:
        parse_run(data, "x")
    assert caught.value.source.startswith("x")
    check_error(caught.value)


def test_garbage_is_refused_by_its_first_bytes() -> None:
    with refused(UnsupportedFormatError, "x", found=r"b'\x00\x01", expected="mzML"):
        parse_run(b"\0\1\2\3" * 100, "x")


def test_the_name_of_garbage_is_a_hint() -> None:
    with refused(
        UnsupportedFormatError, "folder/a.PEG", found=[r"b'\x00", "LECO ChromaTOF"], remedy="ANDI"
    ):
        parse_run(b"\0\1\2\3" * 100, "folder/a.PEG")


def test_the_name_of_a_file_says_nothing(tmp_path: Path) -> None:
    path = tmp_path / "run.csv"
    path.write_bytes(mzml(small_run()))
    assert read_run(path).format == "mzml"


@pytest.mark.parametrize("minutes", [0.5, 400.0])
def test_a_run_of_implausible_length_is_noted(minutes: float) -> None:
    run = parse_run(f"time_min,mass,intensity\n0,50,1\n{minutes},50,1\n".encode(), "x")
    assert "another unit" in run.notes[0]


def test_missing_file(tmp_path: Path) -> None:
    with refused(ReadError, tmp_path / "no.csv", found="exist", remedy="path"):
        read_run(tmp_path / "no.csv")


def test_empty_file(tmp_path: Path) -> None:
    path = tmp_path / "run.csv"
    path.touch()
    with refused(ReadError, path, found="empty"):
        read_run(path)
    with refused(ReadError, "x", found="empty"):
        parse_run(b"", "x")
    assert not is_run_file(path)


def test_file_that_may_not_be_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "run.csv"
    path.write_bytes(csv(small_run()))

    def refuse(*_: object, **__: object) -> None:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(os, "open", refuse)
    monkeypatch.setattr(Path, "open", refuse)
    with refused(ReadError, path, found="Permission denied", remedy="permissions"):
        load(path)
    with refused(ReadError, path, found="Permission denied", remedy="permissions"):
        is_run_file(path)


def test_load_gives_the_bytes(tmp_path: Path) -> None:
    path = tmp_path / "x"
    path.write_bytes(b"abc")
    assert load(path) == load(str(path)) == b"abc"


def test_other_folder(tmp_path: Path) -> None:
    with refused(ReadError, tmp_path, found="folder"):
        read_run(tmp_path)


@pytest.mark.parametrize(
    ("head", "name", "found", "remedy"),
    [
        (b"\x012\x00\x00\x11MSD Spectral File\0\0", "lcms", "LC-MS", "GC-MS"),
        (b"\x01\xa1F\x00i\x00n\x00n\x00i\x00g\x00a\x00n\x00", "thermo", "Thermo", "msconvert"),
        (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", "ole", "Shimadzu", "mzML"),
        (b"\xff\xfet\0i\0m\0e\0", "utf16", "UTF-16", "UTF-8"),
        (b'{"time": [1, 2]}', "json", "JSON", "CSV"),
        (b"<svg>", "xml", "XML", "mzML"),
        (b"\x08\x08\x12\x07pytorch", "onnx", "ONNX", "gale.Model.load"),
        (b"words without any separator", "text", "text", "CSV"),
    ],
)
def test_what_is_recognised_is_named(head: bytes, name: str, found: str, remedy: str) -> None:
    assert sniff(head) == name
    with refused(UnsupportedFormatError, "x", found=found, expected="mzML", remedy=remedy):
        parse_run(head, "x")


@pytest.mark.parametrize("name", FORMATS)
@pytest.mark.parametrize("packed", [False, True])
def test_sniff_needs_only_the_beginning(name: str, packed: bool) -> None:
    data = WRITERS[name](small_run(1000))
    assert sniff((gzip.compress(data) if packed else data)[:4096]) == name


@pytest.mark.parametrize("data", [b"", b" \n", b"\x1f\x8b", b"\x1f\x8bnot gzip at all", b"\0,"])
def test_sniff_does_not_guess(data: bytes) -> None:
    assert sniff(data) is None


@pytest.mark.parametrize(
    ("data", "expected"),
    [
        (csv(small_run()), True),
        (b"\xef\xbb\xbf" + csv(small_run()), True),
        (gzip.compress(csv(small_run())), True),
        (parquet(small_run()), True),
        (gzip.compress(parquet(small_run())), True),
        (andi(small_run()), True),
        (jcamp(small_run()), True),
        (mzml(small_run()), True),
        (b"run,alcohol,mineral\na.csv,1,0\n", False),
        (b"This is a text, with commas.\n", False),
        (b'{"time": 1, "mass": 2, "intensity": 3}', False),
        (b"PAR1 but not Parquet PAR1", False),
        (b"PK\x03\x04", False),
        (b"\0\1\2", False),
    ],
)
def test_is_run_file(data: bytes, expected: bool, tmp_path: Path) -> None:
    path = tmp_path / "x"
    path.write_bytes(data)
    assert is_run_file(path) is expected


def test_is_run_file_knows_tables_of_other_things(tmp_path: Path) -> None:
    path = tmp_path / "predictions.parquet"
    pl.DataFrame({"run": ["a"], "alcohol": [0.5]}).write_parquet(path)
    assert not is_run_file(path)
    assert not is_run_file(tmp_path / "missing")


@pytest.mark.skipif(sys.platform != "linux", reason="elsewhere, names of files are Unicode")
def test_names_that_are_not_utf8(tmp_path: Path) -> None:
    path = Path(os.fsdecode(os.fsencode(tmp_path / "caf\u00e9-") + b"\xe9.csv"))
    assert display_name(path) == f"{tmp_path}/caf\u00e9-\\xe9.csv"
    for make in (Path.touch, Path.unlink, Path.mkdir):
        make(path)
        with refused(ReadError, display_name(path)):
            read_run(path)
    path.rmdir()
    path.write_bytes(csv(small_run()))
    assert read_run(path).source.encode().endswith(b"-\\xe9.csv")


def test_glance(tmp_path: Path) -> None:
    path = tmp_path / "x"
    for data, expected in (
        (gzip.compress(csv(small_run())), ("csv", ["time", "mass", "intensity"])),
        (gzip.compress(parquet(small_run())), ("parquet", ["time", "mass", "intensity"])),
        (b"PAR1 damaged", ("parquet", [])),
        (andi(small_run()), ("andi", [])),
        (b"\x08\x08", ("onnx", [])),
        (b"", (None, [])),
    ):
        path.write_bytes(data)
        assert glance(path) == expected
    with refused(ReadError, tmp_path, found="directory"):
        glance(tmp_path)


def test_is_run_file_with_other_names(tmp_path: Path) -> None:
    path = tmp_path / "x.csv"
    names = {"time_min": "x", "mz": "y", "intensity": "z"}
    frame(small_run()).rename({"time": "x", "mass": "y", "intensity": "z"}).write_csv(path)
    assert not is_run_file(path)
    assert is_run_file(path, columns=names)
    frame(small_run()).write_csv(path)
    assert is_run_file(path, columns=names)


@pytest.mark.parametrize("name", FORMATS)
def test_bytes_and_open_files_are_read_like_files(name: str, tmp_path: Path) -> None:
    run = small_run()
    data = WRITERS[name](run)
    path = tmp_path / "some.file"
    path.write_bytes(data)
    found = read_run(data, name="a.run")
    assert_same(found, run)
    assert (found.format, found.source, found.notes) == (name, "a.run", ())
    with path.open("rb") as file:
        assert_same(opened := read_run(file), run)
    assert opened.source == str(path)
    assert read_run(io.BytesIO(data)).source == "memory"
    assert read_run(path, name="mine").source == "mine"


@pytest.mark.parametrize("library", LIBRARIES)
def test_tables_in_memory_are_read_like_files(library: str) -> None:
    run = small_run()
    found = read_run(LIBRARIES[library](frame(run)))
    assert_same(found, run)
    assert found.source == "memory"
    in_seconds = frame(run).select((pl.col("time") * 60).alias("t"), "mass", "intensity")
    assert_same(read_run(LIBRARIES[library](in_seconds), columns={"time_s": "t"}), run)


def test_other_open_files_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "run.csv"
    path.write_bytes(csv(small_run()))
    with path.open() as text, refused(ReadError, "memory", found="text", remedy="'rb'"):
        read_run(text)  # type: ignore[arg-type]
    with path.open("rb") as file:
        pass
    with refused(ReadError, "memory", found="closed file"):
        read_run(file)
    with (tmp_path / "w").open("wb") as written, refused(ReadError, "w", found="read"):
        read_run(written, name="w")
    with refused(ReadError, "a.csv", found="empty"):
        read_run(b"", name="a.csv")
