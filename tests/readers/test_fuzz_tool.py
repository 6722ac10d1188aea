"""tools/fuzz.py finds faults and saves them."""

from __future__ import annotations

import argparse
import collections
import json
from pathlib import Path

import pytest

from helpers import hostile
from tools import fuzz


def test_a_chunk_is_read(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(fuzz, "CHUNK", 40)
    fuzz.read_chunk(1, 0, tmp_path, "csv")
    (line,) = capsys.readouterr().out.splitlines()
    outcomes = json.loads(line)["outcomes"]
    assert sum(outcomes.values()) == 40
    assert outcomes.keys() <= {"Run", "ReadError", "UnsupportedFormatError"}


def test_what_is_found_is_saved(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object) -> str:
        raise KeyError("a key")

    monkeypatch.setattr(fuzz, "CHUNK", 2)
    monkeypatch.setattr(hostile, "check", fail)
    fuzz.read_chunk(1, 0, tmp_path, "csv")
    first, _, last = map(json.loads, capsys.readouterr().out.splitlines())
    assert first["place"].startswith("KeyError in test_fuzz_tool.py:")
    assert last == {"outcomes": {"fault": 2}}
    fuzz.save(tmp_path, 1, first)
    assert (tmp_path / "fault1.bin").read_bytes()
    assert "KeyError: 'a key'" in (tmp_path / "fault1.txt").read_text("utf-8")


def test_a_process_that_ends_is_a_fault(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    options = argparse.Namespace(seed=1, output=tmp_path, only="")
    monkeypatch.setattr(fuzz, "__file__", "no such file.py")
    outcomes: collections.Counter[str] = collections.Counter()
    (what,) = fuzz.run_chunk(options, 0, outcomes)
    assert what["place"].startswith("ended with status 2")
    assert what["file"] == "current"
