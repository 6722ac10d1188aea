"""What the names of libraries stand for."""

from __future__ import annotations

from pathlib import Path

import pytest

from gale.errors import ReadError
from gale.library import Library, default_libraries, embedded_library, substances
from gale.library.choice import analytes, read_named, references
from gale.library.installed import install
from gale.library.substances import KINDS
from helpers.errors import refused
from helpers.small_libraries import library

OWN = len(embedded_library()) + sum(len(substances(kind)) for kind in KINDS)


@pytest.fixture(autouse=True)
def mine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Library:
    """A library that was added, and a folder with a file of its name."""
    monkeypatch.chdir(tmp_path)
    Path("mine").write_text("Name: methane\nNum Peaks: 1\n16 999\n")
    one = library({31: 999.0}, {45: 1.0})
    install(one, "mine")
    return one


def test_by_default_what_comes_with_gale_and_what_was_added() -> None:
    own, added = references()
    assert (own.source, len(own)) == ("gale", OWN)
    assert (added.source, len(added)) == ("mine", 2)


def test_named_ones_alone() -> None:
    assert [len(each) for each in references(["gale"])] == [OWN]
    assert [len(each) for each in references(["mine", "gale"])] == [2, OWN]
    assert [each.source for each in references(["further"])] == ["further"]


def test_a_name_comes_before_a_file() -> None:
    assert read_named("mine").name == ("compound 0", "compound 1")
    assert read_named("./mine").name == read_named(Path("mine")).name == ("methane",)
    with refused(ReadError, "none-such"):
        read_named("none-such")


def test_what_samples_are_made_of() -> None:
    named = analytes(["gale", "further", "mine"])
    assert [len(each) for each in named] == [
        *map(len, default_libraries()), len(substances("further")), 2,
    ]  # fmt: skip
    assert analytes([]) == []
