"""tools/fuzz.py finds faults and saves them."""

from __future__ import annotations

import argparse
import collections
import json
import random
from pathlib import Path

import pytest

from gale.errors import GaleError
from helpers import hostile, structures
from tools import fuzz


def options(folder: Path, kind: str, cases: int) -> argparse.Namespace:
    return argparse.Namespace(
        seed=1, chunk=0, output=folder, only="csv", kind=kind, size=cases, cases=cases
    )


@pytest.fixture(autouse=True)
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("os.chdir", lambda _: None)


def test_a_chunk_is_run(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    fuzz.run_cases(options(tmp_path, "bytes", 40))
    (line,) = capsys.readouterr().out.splitlines()
    outcomes = json.loads(line)["outcomes"]
    assert sum(outcomes.values()) == 40
    assert outcomes.keys() <= {"Run", "ReadError", "UnsupportedFormatError"}


@pytest.mark.filterwarnings("ignore::gale.errors.GaleWarning")
@pytest.mark.parametrize("kind", sorted(structures.KINDS))
def test_every_kind_of_structure(kind: str, tmp_path: Path) -> None:
    """A few cases of each kind give a result or an error; the tool runs many more."""
    rng = random.Random(5)
    for at in range(6):
        files = structures.KINDS[kind].make(rng)
        folder = tmp_path / f"{at}"
        folder.mkdir()
        for name, data in files.items():
            path = folder / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(data)
        assert structures.check(structures.KINDS[kind], folder)


def test_the_same_seed_makes_the_same_cases() -> None:
    for kind in structures.KINDS.values():
        assert kind.make(random.Random(3)) == kind.make(random.Random(3))


@pytest.mark.parametrize("kind", ["bytes", "labels"])
def test_what_is_found_is_saved(
    kind: str, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object) -> str:
        raise KeyError("a key")

    monkeypatch.setattr(hostile, "check", fail)
    monkeypatch.setattr(structures, "check", fail)
    fuzz.run_cases(options(tmp_path, kind, 2))
    first, _, last = map(json.loads, capsys.readouterr().out.splitlines())
    assert first["place"].startswith("KeyError in test_fuzz_tool.py:")
    assert last == {"outcomes": {"fault": 2}}
    fuzz.save(tmp_path, 1, first)
    assert (tmp_path / "fault1.bin").read_bytes()
    assert "KeyError: 'a key'" in (tmp_path / "fault1.txt").read_text("utf-8")


def test_a_process_that_ends_is_a_fault(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(fuzz, "__file__", "no such file.py")
    outcomes: collections.Counter[str] = collections.Counter()
    (what,) = fuzz.run_chunk(options(tmp_path, "all", 1), 0, outcomes)
    assert what["place"].startswith("ended with status 2")
    assert what["file"] == "current"


def test_errors_of_gale_are_an_outcome(tmp_path: Path) -> None:
    def fail(_: Path) -> object:
        raise GaleError("a", "is odd")

    assert structures.check(structures.Kind(lambda _: {}, fail), tmp_path) == "GaleError"
