"""The Makefile on the platforms it is for."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]


@pytest.mark.skipif(shutil.which("make") is None, reason="make is not installed")
@pytest.mark.parametrize(("system", "scripts"), [("Windows_NT", "env/Scripts/"), ("", "env/bin/")])
@pytest.mark.parametrize("target", ["demo", "test", "check", "lint", "coverage"])
def test_programs_of_the_virtual_environment(target: str, system: str, scripts: str) -> None:
    command = ["make", "-n", target, "VENV=env", f"OS={system}"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True)
    run = [line.split()[0] for line in done.stdout.splitlines() if line.startswith("env/")]
    assert run
    assert {each[: len(scripts)] for each in run} == {scripts}
