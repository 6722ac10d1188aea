"""Whatever a file does to a reader is an error of that file, and stops no batch."""

from __future__ import annotations

import struct
from pathlib import Path

import polars as pl
import pytest
from lxml import etree

from gale import readers
from gale.errors import ReadError
from gale.features import compute_features
from gale.features.elution import ElutionSpec
from gale.features.profile import ProfileSpec
from gale.plumbing import reading
from gale.readers import parse_run, read_run
from helpers.errors import refused
from helpers.run_files import csv, small_run

SPEC = ProfileSpec(ElutionSpec(mz_first=50, mz_last=99), 10)
FAULTS = [
    MemoryError(),
    RecursionError("maximum recursion depth exceeded"),
    OverflowError("int too big to convert"),
    struct.error("unpack requires a buffer of 4 bytes"),
    etree.LxmlError("no element found"),
    pl.exceptions.ComputeError("a\nlong\nstory"),
    pl.exceptions.PanicException("index out of bounds"),
]


@pytest.fixture(params=FAULTS, ids=lambda fault: type(fault).__name__)
def fault(request: pytest.FixtureRequest) -> BaseException:
    assert isinstance(request.param, BaseException)
    return request.param


@pytest.fixture
def files(tmp_path: Path) -> list[Path]:
    paths = [tmp_path / "bad.csv", tmp_path / "good.csv"]
    for path in paths:
        path.write_bytes(csv(small_run()))
    return paths


def test_a_fault_while_a_file_is_loaded(
    fault: BaseException, files: list[Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    read = reading.read_unchanging

    def fail(path: Path) -> bytes:
        if path.name == "bad.csv":
            raise fault
        return read(path)

    monkeypatch.setattr(readers, "read_unchanging", fail)
    with refused(ReadError, files[0]):
        read_run(files[0])
    assert compute_features(files, SPEC).ok.tolist() == [False, True]


def test_a_fault_while_a_file_is_parsed(
    fault: BaseException, files: list[Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    read_csv = readers.tables.read_csv

    def fail(data: bytes, source: str, **more: None) -> object:
        if source.endswith("bad.csv"):
            raise fault
        return read_csv(data, source, **more)

    monkeypatch.setattr(readers.tables, "read_csv", fail)
    with refused(ReadError, files[0]):
        read_run(files[0])
    table = compute_features(files, SPEC)
    assert table.ok.tolist() == [False, True]
    assert str(table.errors[0]).startswith(str(files[0]))


def test_a_fault_while_features_are_computed(
    fault: BaseException, monkeypatch: pytest.MonkeyPatch
) -> None:
    bad = parse_run(csv(small_run()), "bad")
    features_of = ProfileSpec.features_of

    def fail(spec: ProfileSpec, run: object) -> object:
        if run is bad:
            raise fault
        return features_of(spec, run)  # type: ignore[arg-type]

    monkeypatch.setattr(ProfileSpec, "features_of", fail)
    table = compute_features([bad, parse_run(csv(small_run()), "good")], SPEC)
    assert table.ok.tolist() == [False, True]


def test_a_mistake_of_this_package_keeps_its_traceback(
    files: list[Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object, **__: object) -> object:
        raise KeyError("a key")

    monkeypatch.setattr(readers.tables, "read_csv", fail)
    with pytest.raises(KeyError):
        read_run(files[0])
