"""Adding a library: what is found out once, and what is said of it."""

from __future__ import annotations

import os
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest

import gale
from gale.errors import GaleError, GaleWarning, OutputError, ReadError
from gale.library import installed, substances
from helpers.commands import without
from helpers.errors import refused
from helpers.small_libraries import library

MSP = """\
Name: ethanol
SMILES: CCO
Num Peaks: 4
27 220; 29 300; 31 999; 45 520

Name: lactic acid, 2 TMS
SMILES: CC(O)C(=O)O
Num Peaks: 3
73 999; 117 800; 147 700

Name: mystery
Families: mineral
Num Peaks: 1
44 999
"""


@pytest.fixture(autouse=True)
def file(tmp_path: Path) -> Path:
    (tmp_path / "mine.msp").write_text(MSP)
    return tmp_path / "mine.msp"


def test_structures_are_read_once(file: Path) -> None:
    added = gale.add_library("mine", file)
    assert (added.spectra, added.with_families, added.source) == (3, 3, str(file))
    (library,) = installed()
    assert library.families == (
        ("alcohol",), ("carboxylic_acid", "alcohol"), ("mineral",),
    )  # fmt: skip
    assert library.derivative == ("", "2 TMS", "")
    assert library.inchikey[0] == "LFQSCWFLJHTTHZ-UHFFFAOYSA-N"
    assert gale.installed_libraries() == (added,)


def test_a_library_in_memory() -> None:
    own = substances("further").take([3, 5])
    assert gale.add_library("few", own).spectra == 2
    (back,) = installed()
    assert back.sha256 == own.sha256


def test_without_structures_it_says_so(tmp_path: Path) -> None:
    (tmp_path / "x.msp").write_text("Name: a\nNum Peaks: 1\n44 999\n")
    with pytest.warns(GaleWarning, match="no structures"):
        assert gale.add_library("x", tmp_path / "x.msp").with_families == 0


def test_two_libraries_that_disagree(tmp_path: Path) -> None:
    ethanol = library({29: 5.0, 40: 999.0})
    ethanol = replace(ethanol, smiles=("CCO",), name=("my ethanol",), inchikey=("",))
    with pytest.warns(GaleWarning, match=r"wrong: of 1 compound that gale.*my ethanol.*cosine"):
        gale.add_library("wrong", ethanol)
    with pytest.warns(GaleWarning) as notes:
        gale.add_library("mine", tmp_path / "mine.msp")
    assert [str(note.message).split(" has too")[0] for note in notes] == [
        "mine: of 1 compound that wrong"
    ]


def test_what_cannot_be_added(file: Path, tmp_path: Path) -> None:
    gale.add_library("mine", file)
    with refused(OutputError, "library 'mine'", found="exists", remedy="force=True"):
        gale.add_library("mine", tmp_path / "not looked at.msp")
    with refused(GaleError, "library 'a b'"):
        gale.add_library("a b", file)
    with refused(ReadError, tmp_path / "none.msp"):
        gale.add_library("x", tmp_path / "none.msp")
    (tmp_path / "empty.msp").write_text("Name: a\nNum Peaks: 0\n")
    with refused(ReadError, tmp_path / "empty.msp", found="no usable spectrum"):
        gale.add_library("x", tmp_path / "empty.msp")
    with refused(GaleError, found="no spectrum"):
        gale.add_library("x", library({1: 1.0}).take([]))
    assert [each.name for each in gale.installed_libraries()] == ["mine"]


def test_the_matcher_uses_it_without_being_told(file: Path) -> None:
    before = gale.Matcher.default()
    assert [each["name"] for each in before.sources] == ["gale"]
    gale.add_library("mine", file)
    after = gale.Matcher.default()
    assert [each["name"] for each in after.sources] == ["gale", "mine"]
    assert len(after.library) == len(before.library) + 3
    assert gale.Matcher.of("gale").sources == before.sources
    assert gale.Matcher.of("mine").sources == (installed()[0].facts,)
    with refused(GaleError, "library"):
        gale.Matcher([])


@pytest.mark.slow
def test_without_rdkit(file: Path, tmp_path: Path) -> None:
    """Families stay unknown, and it says what would find them out."""
    code = (
        "import sys, warnings, gale\n"
        "with warnings.catch_warnings(record=True) as notes:\n"
        "    warnings.simplefilter('always')\n"
        f"    added = gale.add_library('mine', {str(file)!r})\n"
        "print(added.with_families, 'gale-ms[chem]' in str(notes[0].message))"
    )
    paths = [without(tmp_path, "rdkit")["PYTHONPATH"], str(Path(gale.__file__).parents[1])]
    env = {**os.environ, "PYTHONPATH": os.pathsep.join(paths)}
    words = [sys.executable, "-c", code]
    done = subprocess.run(words, capture_output=True, text=True, check=False, env=env)
    assert done.stdout.split() == ["1", "True"], done.stderr
