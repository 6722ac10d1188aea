"""What speaks against a release."""

from __future__ import annotations

import shutil
import tomllib
from pathlib import Path

import pytest

from tools.release import PLACEHOLDER, ROOT, STATED, main, notes, problems

VERSION = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]["version"]


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    for name in ("pyproject.toml", "CHANGELOG.md", *STATED):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(ROOT / name, tmp_path / name)
    return tmp_path


def test_versions_agree_and_placeholders_are_found(tree: Path) -> None:
    found = list(problems(tree, VERSION))
    assert [each for each in found if "states version" in each] == []
    assert f"CHANGELOG.md: has no section [{VERSION}]" in found
    assert f"pyproject.toml: {PLACEHOLDER} is to be filled in" in found
    for name in ("pyproject.toml", "CITATION.cff", "packaging/conda/recipe.yaml"):
        text = (tree / name).read_text("utf-8").replace(PLACEHOLDER, "gale.science")
        (tree / name).write_text(text, "utf-8")
    changes = (tree / "CHANGELOG.md").read_text("utf-8")
    changes = changes.replace("## [Unreleased]", f"## [{VERSION}] - 2027-01-01")
    (tree / "CHANGELOG.md").write_text(changes, "utf-8")
    assert list(problems(tree, VERSION)) == []
    assert notes(tree, VERSION).startswith("### ")
    assert len(list(problems(tree, "9.0.0"))) == 2 + len(STATED)


def test_the_command(capsys: pytest.CaptureFixture[str]) -> None:
    assert main("9.0.0") == 1
    assert "pyproject.toml: states version" in capsys.readouterr().out
    assert main("9.0.0", "--notes") == 0
    assert capsys.readouterr().out == "\n"
