"""The tool that kills verbs: a short run of it finds nothing, and it does find damage."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from tools import kill


@pytest.mark.slow  # it starts gale several times
@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no SIGKILL")
def test_a_killed_conversion(capsys: pytest.CaptureFixture[str]) -> None:
    assert kill.main(["--kills", "2", "--seed", "1", "--verb", "convert"]) == 0
    assert "2 kills of 1 verbs, 0 findings" in capsys.readouterr().out


def test_damage_is_seen(tmp_path: Path) -> None:
    for name, content in {
        "a.csv": "run,x\n1,",
        "b.html": "<html>",
        "c.json": "{",
        "d.parquet": "PAR1",
        "e.onnx": "",
        "f.graph": "\b\n",
        "g.msp": "Name: a",
        "h.gale-library": "x" * 40,
        "whole.csv": "run,x\n1,2\n",
        ".hidden.csv.gale-tmp": "1,",
    }.items():
        (tmp_path / name).write_text(content, "utf-8")
    assert kill.damage(tmp_path) == [
        f"{name} is not whole"
        for name in (
            "a.csv",
            "b.html",
            "c.json",
            "d.parquet",
            "e.onnx",
            "f.graph",
            "g.msp",
            "h.gale-library",
        )
    ]
    assert kill.hidden_in(tmp_path) == {".hidden.csv.gale-tmp"}
