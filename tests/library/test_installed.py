"""Libraries that a user has added: what is kept of them, and what may go wrong."""

from __future__ import annotations

import hashlib
import io
import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import platformdirs
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from gale.errors import GaleError, OutputError, ReadError
from gale.library import Library, installed, installed_libraries, remove_library
from gale.library.installed import (
    FOLDER_VARIABLE,
    FORMAT,
    SUFFIX,
    install,
    installed_names,
    library_folder,
)
from helpers.errors import refused
from helpers.small_libraries import library

ONE = library({31: 999.0, 45: 300.5}, {57: 10.0}, {15: 1.0, 16: 2.0}, index=(427.0, np.nan, 100.0))


@pytest.fixture(autouse=True)
def folder(libraries_folder: Path) -> Path:
    return libraries_folder


def assert_same(one: Library, other: Library) -> None:
    for column in ("spectrum_start", "mz", "intensity", "retention_index"):
        np.testing.assert_array_equal(getattr(one, column), getattr(other, column))
    for column in ("name", "formula", "smiles", "inchi", "inchikey", "derivative", "families"):
        assert getattr(one, column) == getattr(other, column), column


def test_nothing_is_added_at_first(folder: Path) -> None:
    assert (installed(), installed_libraries(), installed_names()) == ((), (), [])
    assert not folder.exists(), "to look makes nothing"


def test_what_was_added_comes_back() -> None:
    added = install(replace(ONE, source="mine.msp"), "mine")
    assert (added.name, added.spectra, added.with_index, added.source) == ("mine", 3, 2, "mine.msp")
    assert added.with_families == 2
    assert installed_libraries() == (added,)
    (back,) = installed()
    assert_same(back, ONE)
    assert back.source == "mine"
    assert back.facts == added.facts == {"name": "mine", "spectra": 3, "sha256": ONE.sha256}


texts = st.text(max_size=12)
names = st.lists(st.sampled_from(["alcohol", "mineral"]), unique=True, max_size=2).map(tuple)
spectrum = st.dictionaries(
    st.floats(1, 1000), st.floats(0, 1e9), min_size=1, max_size=6
).filter(lambda ions: max(ions.values()) > 0)  # fmt: skip
record = st.tuples(
    spectrum, texts, texts, st.none() | names, st.floats(1, 5000) | st.just(np.nan)
)  # fmt: skip


@settings(max_examples=15, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(record, min_size=1, max_size=5))
def test_any_library_comes_back(
    records: list[tuple[dict[float, float], str, str, object, float]],
) -> None:
    ions = [sorted(each[0].items()) for each in records]
    columns = tuple(each[1] for each in records)
    one = Library(
        columns,
        np.cumsum([0, *map(len, ions)]),
        np.array([mz for each in ions for mz, _ in each]),
        np.array([height for each in ions for _, height in each]),
        np.array([each[4] for each in records]),
        columns, tuple(each[2] for each in records), columns, columns, columns,
        tuple(each[3] for each in records),  # type: ignore[misc]
    )  # fmt: skip
    install(one, "any", force=True)
    (back,) = installed(["any"])
    assert_same(back, one)
    assert back.sha256 == one.sha256


def test_the_checksum_tells_libraries_apart() -> None:
    others = [
        replace(ONE, name=("a", *ONE.name[1:])),
        replace(ONE, intensity=ONE.intensity * 2),
        replace(ONE, retention_index=ONE.retention_index + 1),
        replace(ONE, families=(None, *ONE.families[1:])),
        ONE.take([1, 0, 2]),
    ]
    assert len({each.sha256 for each in (ONE, *others)}) == 6
    assert replace(ONE, source="elsewhere").sha256 == ONE.sha256
    assert Library.join([ONE]).sha256 == ONE.sha256


def test_they_are_sorted_and_chosen_by_name() -> None:
    for name in ("b", "a", "c"):
        install(ONE, name)
    assert [each.source for each in installed()] == ["a", "b", "c"]
    assert [each.source for each in installed(["c", "a"])] == ["c", "a"]
    remove_library("b")
    assert [each.name for each in installed_libraries()] == ["a", "c"]


def test_one_of_the_same_name(folder: Path) -> None:
    install(ONE, "mine")
    with refused(OutputError, folder / f"mine{SUFFIX}", found="exists", remedy="force=True"):
        install(ONE.take([0]), "mine")
    assert installed_libraries()[0].spectra == 3
    install(ONE.take([0]), "mine", force=True)
    assert installed_libraries()[0].spectra == 1
    assert [path.name for path in folder.iterdir()] == [f"mine{SUFFIX}"], "nothing is left beside"


@pytest.mark.parametrize("name", ["", "Mine", "a b", "../a", "-a", "x" * 51, "é", "a.b", "con/a"])
def test_what_is_no_name(name: str) -> None:
    with refused(GaleError, f"library {name!r}", expected="lower-case"):
        install(ONE, name)
    with refused(ReadError, f"library {name!r}"):
        remove_library(name)


@pytest.mark.parametrize("name", ["gale", "further"])
def test_names_that_stand_for_something_else(name: str) -> None:
    with refused(GaleError, f"library {name!r}", remedy="another name"):
        install(ONE, name)


def test_one_that_was_not_added() -> None:
    with refused(ReadError, "library 'mine'", remedy="gale.installed_libraries"):
        remove_library("mine")
    install(ONE, "yours")
    with refused(ReadError, "library 'mine'", expected="yours"):
        installed(["mine"])


@pytest.mark.parametrize("at", [0.0, 0.1, 0.3, 0.5, 0.7, 0.99])
@pytest.mark.parametrize("how", ["cut", "changed"])
def test_a_damaged_file_is_named(folder: Path, at: float, how: str) -> None:
    install(ONE, "mine")
    install(ONE, "other")
    path = folder / f"mine{SUFFIX}"
    data = bytearray(path.read_bytes())
    place = int(at * len(data))
    if how == "cut":
        del data[place:]
    else:
        data[place : place + 12] = bytes(255 - byte for byte in data[place : place + 12])
    path.write_bytes(data)
    with refused(ReadError, f"library 'mine' ({path})", remedy="gale.remove_library"):
        installed()
    with refused(ReadError, f"library 'mine' ({path})"):
        installed_libraries()
    remove_library("mine")
    assert [each.name for each in installed_libraries()] == ["other"]


def altered(path: Path, **changes: object) -> None:
    """Write other facts into the file of a library."""
    with np.load(io.BytesIO(path.read_bytes()[32:])) as opened:
        arrays = dict(opened)
    facts = {**json.loads(arrays["facts"].tobytes()), **changes}
    arrays["facts"] = np.frombuffer(json.dumps(facts).encode(), np.uint8)
    buffer = io.BytesIO()
    np.savez(buffer, **arrays)
    path.write_bytes(hashlib.sha256(buffer.getvalue()).digest() + buffer.getvalue())


def test_files_that_gale_did_not_write_so(folder: Path) -> None:
    path = folder / f"mine{SUFFIX}"
    for changes, found in (
        ({"format": FORMAT + 1}, str(FORMAT + 1)),
        ({"sha256": "0" * 64}, "damaged"),
        ({"name": "other"}, "damaged"),
        ({"surprise": 1}, "damaged"),
    ):
        install(ONE, "mine", force=True)
        altered(path, **changes)
        with refused(ReadError, found=found):
            installed()


def test_other_files_in_the_folder_are_let_alone(folder: Path) -> None:
    install(ONE, "mine")
    for name in ("notes.txt", f"Some Thing{SUFFIX}"):
        (folder / name).write_text("x")
    assert installed_names() == ["mine"]


def test_the_folder_of_the_user(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(platformdirs, "user_data_path", lambda *_, **__: tmp_path / "data")
    monkeypatch.setenv(FOLDER_VARIABLE, "")
    assert library_folder() == tmp_path / "data" / "libraries"
    monkeypatch.setenv(FOLDER_VARIABLE, str(tmp_path / "other"))
    assert library_folder() == tmp_path / "other"


def test_a_folder_that_is_a_file(folder: Path) -> None:
    folder.write_text("x")
    assert installed() == ()
    with refused(OutputError, folder):
        install(ONE, "mine")
