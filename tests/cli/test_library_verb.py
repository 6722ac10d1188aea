"""`gale library`: add, list, remove; and what other verbs say of the libraries they used."""

from __future__ import annotations

import json
from pathlib import Path

import polars as pl
import pytest

import gale
from gale.errors import OutputError, ReadError
from gale.evidence import SCHEMA
from gale.library.installed import SUFFIX
from helpers.commands import error_of, succeed
from helpers.errors import check_error

MODEL = Path(__file__).parents[1] / "model" / "models" / "elution.onnx"
MSP = """\
Name: my ethanol
SMILES: CCO
RI: 427
Num Peaks: 4
27 220; 29 300; 31 999; 45 520
"""


@pytest.fixture(autouse=True)
def folder(libraries_folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    Path("mine.msp").write_text(MSP)
    return libraries_folder


def test_add_list_remove(folder: Path) -> None:
    empty = succeed("library", "list").stdout
    assert str(folder) in empty
    assert "gale library add" in empty
    added = succeed("library", "add", "mine", "mine.msp")
    assert (added.stdout, added.stderr) == (
        "mine: 1 spectrum, 1 with retention index, 1 with known families\n", "",
    )  # fmt: skip
    header, row = succeed("library", "list").stdout.splitlines()
    assert header.split() == ["name", "spectra", "with", "index", "with", "families", "from"]
    assert row.split() == ["mine", "1", "1", "1", "mine.msp"]
    Path("mine.msp").unlink()
    assert [each.name for each in gale.installed_libraries()] == ["mine"]
    assert succeed("library", "remove", "mine").stdout == "mine: removed\n"
    assert list(folder.iterdir()) == []


def test_notes_are_printed() -> None:
    Path("x.msp").write_text("Name: a\nNum Peaks: 1\n44 999\n\nName: b\nNum Peaks: 0\n")
    notes = succeed("library", "add", "x", "x.msp").stderr.splitlines()
    assert all(note.startswith("note: x.msp: ") for note in notes)
    assert len(notes) == 2, notes


def test_errors(folder: Path) -> None:
    succeed("library", "add", "mine", "mine.msp")
    error = error_of("library", "add", "mine", "mine.msp")
    check_error(error, "library 'mine'", remedy="pass force=True", kind=OutputError)
    succeed("library", "add", "mine", "mine.msp", "--force")
    error = error_of("library", "remove", "other")
    check_error(error, "library 'other'", remedy="gale.installed_libraries()", kind=ReadError)
    (folder / f"mine{SUFFIX}").write_bytes(b"damaged")
    check_error(error_of("library", "list"), remedy="gale.remove_library", kind=ReadError)


def libraries_of(sidecar: str) -> list[dict[str, object]]:
    libraries: list[dict[str, object]] = json.loads(Path(sidecar).read_text()).get("libraries", [])
    return libraries


def test_evidence_says_what_it_was_compared_with(doctest_namespace: dict[str, Path]) -> None:
    words = ["predict", doctest_namespace["run_file"], "--model", MODEL, "-q"]
    succeed(*words, "-o", "a.csv", "--evidence", "ea.csv")
    succeed("library", "add", "mine", "mine.msp")
    succeed(*words, "-o", "b.csv", "--evidence", "eb.csv")
    succeed(*words, "-o", "c.csv", "--evidence", "ec.csv", "--library", "gale")
    succeed(*words, "-o", "d.csv", "--evidence", "ed.csv", "--library", "./mine.msp")
    succeed(*words, "-o", "e.csv")
    said = {
        name: [(each["name"], each["spectra"]) for each in libraries_of(name)]
        for name in ("a.json", "b.json", "c.json", "d.json", "e.json")
    }
    ((name, own),) = said["a.json"]
    assert name == "gale"
    assert said == {
        "a.json": [("gale", own)], "b.json": [("gale", own), ("mine", 1)],
        "c.json": [("gale", own)], "d.json": [("./mine.msp", 1)], "e.json": [],
    }  # fmt: skip
    found = {
        name: set(pl.read_csv(f"e{name}.csv", schema_overrides=SCHEMA)["compound"])
        for name in "abcd"
    }
    assert "my ethanol" in found["b"] - found["a"]
    assert found["c"] == found["a"]
    assert found["d"] <= {"my ethanol", None}


@pytest.mark.slow
def test_a_page_says_it_too(doctest_namespace: dict[str, Path]) -> None:
    succeed("library", "add", "mine", "mine.msp")
    run_file = doctest_namespace["run_file"]
    succeed("report", "run", run_file, "--model", MODEL, "-o", "pages", "-q")
    (page,) = [path for path in Path("pages").glob("*.html") if path.name != "index.html"]
    text = page.read_text("utf-8")
    assert "gale + mine" in text
    assert gale.installed_libraries()[0].sha256[:16] in text
