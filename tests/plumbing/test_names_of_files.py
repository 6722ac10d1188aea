"""Files of any name are written and read: polars is given open files and bytes, never a path."""

from __future__ import annotations

import ast
import os
import sys
from collections.abc import Iterator
from pathlib import Path

import polars as pl
import pytest

from gale.plumbing.files import write_csv, write_parquet

SOURCES = Path(__file__).parents[2] / "src" / "gale"
WRITES = ("write_csv", "write_parquet", "write_ipc", "write_json", "write_ndjson")
READS = ("read_csv", "read_parquet", "read_ipc", "read_ipc_schema", "read_parquet_schema")
PATHS = ("path", "folder", "temporary", "output", "target", "unfinished")


def calls(names: tuple[str, ...]) -> Iterator[tuple[str, ast.Call]]:
    """Calls of methods with these names, and where they are."""
    for file in sorted(SOURCES.rglob("*.py")):
        place = file.relative_to(SOURCES).as_posix()
        for node in ast.walk(ast.parse(file.read_text("utf-8"))):
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute):
                is_ours = isinstance(node.func.value, ast.Name) and node.func.value.id == "tables"
                if node.func.attr in names and not is_ours:
                    yield f"{place}:{node.lineno}", node


@pytest.mark.slow
@pytest.mark.parametrize("names", [WRITES, READS])
def test_polars_is_given_no_path(names: tuple[str, ...]) -> None:
    """It refuses names that are not UTF-8, and takes signs such as * in a name for patterns."""
    found = list(calls(names))
    assert found
    for place, call in found:
        for argument in call.args[:1]:
            mentioned = {each.id for each in ast.walk(argument) if isinstance(each, ast.Name)}
            is_bytes = ".read_bytes()" in ast.unparse(argument)
            assert is_bytes or not mentioned & set(PATHS), place


@pytest.mark.skipif(sys.platform != "linux", reason="names are Unicode there")
def test_a_name_that_is_not_utf8(tmp_path: Path) -> None:
    table = pl.DataFrame({"a": [1, 2]})
    for save, name in ((write_csv, b"\xe9.csv"), (write_parquet, b"\xe9.parquet")):
        path = tmp_path / os.fsdecode(name)
        save(table, path)
        assert path.stat().st_size
