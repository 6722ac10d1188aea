"""The walls between rooms: kept as the tree stands, and loud where an import breaks them."""

from __future__ import annotations

import ast
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tools.structure import Tree

ROOT = Path(__file__).parents[1]
LINT = "from importlinter.cli import lint_imports_command; lint_imports_command()"


def lint(root: Path) -> subprocess.CompletedProcess[str]:
    """Check the contracts of a tree against its own sources."""
    return subprocess.run(
        [sys.executable, "-c", LINT, "--no-logo", "--no-cache"],
        cwd=root,
        env={**os.environ, "PYTHONPATH": str(root / "src")},
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    """A copy of the sources and the contracts."""
    shutil.copy(ROOT / "pyproject.toml", tmp_path)
    ignored = shutil.ignore_patterns("__pycache__", "data", "templates")
    shutil.copytree(ROOT / "src", tmp_path / "src", ignore=ignored)
    return tmp_path


def test_the_walls_are_kept() -> None:
    done = lint(ROOT)
    assert done.returncode == 0, done.stdout
    assert "0 broken" in done.stdout


@pytest.mark.slow
@pytest.mark.parametrize(
    ("file", "line", "contract"),
    [
        ("run.py", "from gale.readers import read_run", "Rooms import downwards only"),
        ("report/pages.py", "import gale.ablation", "Rooms import downwards only"),
        ("new_room.py", "", "Rooms import downwards only"),
        ("plotting/themes.py", "import gale.plotting.panels", "circles"),
        ("readers/jcamp.py", "import gale.readers.xml.mzml", "Readers of different formats"),
        ("model/__init__.py", "import torch", "What training needs"),
        ("training/losses.py", "import polars", "Fitting needs torch and numpy alone"),
        ("library/msp.py", "from rdkit import Chem", "RDKit"),
        ("plumbing/files.py", "import click", "command line"),
        ("cli/serve.py", "import uvicorn", "What serving needs"),
    ],
)
def test_a_forbidden_import_breaks_its_wall(
    tree: Path, file: str, line: str, contract: str
) -> None:
    path = tree / "src" / "gale" / file
    text = path.read_text("utf-8") if path.exists() else '"""A room without a layer."""\n'
    path.write_text(f"{text}\n{line}\n", "utf-8")
    done = lint(tree)
    assert done.returncode != 0
    broken = [each for each in done.stdout.splitlines() if each.endswith("BROKEN")]
    assert any(contract in each for each in broken), done.stdout


@pytest.mark.slow
def test_functions_are_read_in_one_go() -> None:
    """No function is over 60 lines without its docstring; ruff keeps the complexity."""
    lengths = dict(Tree.read(ROOT).functions)
    assert {name: length for name, length in lengths.items() if length > 60} == {}


def test_verbs_are_thin() -> None:
    lines = {
        path.name: len(path.read_text("utf-8").splitlines())
        for path in (ROOT / "src" / "gale" / "cli").rglob("*.py")
    }
    assert {name: count for name, count in lines.items() if count > 120} == {}


@pytest.mark.slow
def test_who_catches_errors_of_polars_catches_its_panics() -> None:
    """They are no errors of Python's, and some damaged tables cause them."""
    caught = [
        (path.name, ast.unparse(node.type))
        for path in (ROOT / "src").rglob("*.py")
        for node in ast.walk(ast.parse(path.read_text("utf-8")))
        if isinstance(node, ast.ExceptHandler) and node.type is not None
    ]
    of_polars = [each for each in caught if "PolarsError" in each[1]]
    assert of_polars
    assert [each for each in of_polars if "PanicException" not in each[1]] == []
