"""The command line, within this process and as a user starts it."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from gale.cli import group
from gale.errors import GaleError

GALE = Path(sys.executable).with_name("gale")
"""The installed command."""

WITHOUT = """
import sys
from importlib.abc import MetaPathFinder

class Absent(MetaPathFinder):
    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] in {absent}:
            raise ModuleNotFoundError(f"No module named {{name!r}}", name=name)

sys.meta_path.insert(0, Absent())
"""
"""A ``sitecustomize`` module, which makes a Python without some packages."""


def invoke(*arguments: object) -> Result:
    return CliRunner().invoke(group, [str(each) for each in arguments])


def succeed(*arguments: object) -> Result:
    result = invoke(*arguments)
    assert result.exit_code == 0, result.output
    return result


def error_of(*arguments: object) -> GaleError:
    """The error that the command stops with, whose message must be one line."""
    error = invoke(*arguments).exception
    assert isinstance(error, GaleError), error
    assert len(str(error).splitlines()) == 1
    return error


def printed_error(stderr: str) -> tuple[str, str]:
    """The source of the error that a command stops with, and what its one line says of it."""
    (line,) = stderr.splitlines()
    assert line.startswith("gale: "), line
    source, colon, rest = line.removeprefix("gale: ").partition(": ")
    assert colon, line
    return source, rest


def printed_failures(stderr: str) -> dict[str, str]:
    """What a command says of each path or run that failed, by its name."""
    failures = {}
    for line in stderr.splitlines():
        if line.startswith("failed: "):
            source, colon, rest = line.removeprefix("failed: ").partition(": ")
            assert colon, line
            failures[source] = rest
    return failures


def start(
    *arguments: object, cwd: Path, env: Mapping[str, str] | None = None
) -> subprocess.CompletedProcess[str]:
    """Run the installed command and wait for it."""
    if not GALE.exists():
        pytest.skip("the command gale is not installed beside this Python")
    return subprocess.run(
        [str(GALE), *(str(each) for each in arguments)],
        cwd=cwd,
        env={**os.environ, **(env or {})},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )


def without(folder: Path, *packages: str) -> dict[str, str]:
    """The environment of a Python that cannot import some packages."""
    (folder / "sitecustomize.py").write_text(WITHOUT.format(absent=set(packages)), encoding="utf-8")
    known = os.environ.get("PYTHONPATH")
    return {"PYTHONPATH": os.pathsep.join([str(folder), *([known] if known else [])])}
