"""What is printed commands no terminal, whatever is in the names and contents of files."""

from __future__ import annotations

import ast
import json
import os
import sys
from pathlib import Path

import pytest

from gale.cli.printing import printable
from gale.errors import CONTROLS
from helpers.commands import invoke
from helpers.run_files import csv, small_run

CLI = Path(__file__).parents[2] / "src" / "gale" / "cli"
EVIL = "a\x1b[31m\u202eb"


def test_all_is_printed_in_one_place() -> None:
    for file in CLI.rglob("*.py"):
        called = [node.func for node in ast.walk(ast.parse(file.read_text("utf-8")))
                  if isinstance(node, ast.Call)]  # fmt: skip
        found = {ast.unparse(each) for each in called} & {"click.echo", "click.secho", "print"}
        assert found <= ({"click.echo"} if file.name == "printing.py" else set()), file


def test_printable_text_stays_json() -> None:
    texts = [chr(code) for code in range(0xD800) if CONTROLS.match(chr(code))]
    shown = printable(json.dumps(texts, ensure_ascii=False))
    assert json.loads(shown) == texts
    assert not CONTROLS.search(shown)
    assert printable("a\n\tb\u00e9") == "a\n\tb\u00e9"


@pytest.mark.skipif(sys.platform == "win32", reason="no such names there")
@pytest.mark.parametrize(
    "arguments",
    [["inspect"], ["inspect", "--json"], ["plot", "-o", "a.txt"], ["convert", "-o", "b.xyz"]],
)
def test_names_of_files(
    arguments: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    os.mkdir("runs")  # noqa: PTH102
    for name, data in ((f"{EVIL}.csv", csv(small_run())), (f"{EVIL}2.csv", b"no run")):
        Path("runs", name).write_bytes(data)
    verb, *options = arguments
    for path in ("runs", f"runs/{EVIL}.csv", f"runs/{EVIL}2.csv"):
        result = invoke(verb, path, *options)
        for line in result.output.splitlines():
            assert not CONTROLS.search(line)
