"""Every benchmark answers --help, is in benchmarks/README.md, and is named rightly in the pages."""

from __future__ import annotations

import importlib
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
FOLDER = ROOT / "benchmarks"
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))]

BENCHMARKS = sorted(
    ".".join(path.relative_to(ROOT).with_suffix("").parts)
    for path in FOLDER.rglob("*.py")
    if "\ndef main(" in path.read_text("utf-8")
)
NAMED = re.compile(r"python -m (benchmarks(?:\.[a-z_]+)+)([^`\n]*)")


@pytest.mark.parametrize("name", BENCHMARKS)
def test_help(name: str, capsys: pytest.CaptureFixture[str]) -> None:
    module = importlib.import_module(name)
    with pytest.raises(SystemExit) as ended:
        module.main(["--help"])
    assert ended.value.code == 0
    printed = capsys.readouterr().out
    assert f"python -m {name}" in printed
    assert module.__doc__ is not None
    assert module.__doc__.splitlines()[0] in printed
    assert "--markdown" in printed


def test_every_benchmark_is_in_the_readme() -> None:
    text = (FOLDER / "README.md").read_text("utf-8")
    assert (
        sorted({name for name, _ in NAMED.findall(text)} - {"benchmarks.ROOM.NAME"}) == BENCHMARKS
    )
    rooms = {path.name for path in FOLDER.iterdir() if (path / "__init__.py").exists()}
    assert {room for room in rooms if f"| `{room}` |" in text} == rooms


@pytest.mark.parametrize("page", [*PAGES, FOLDER / "README.md"], ids=lambda page: page.name)
def test_pages_name_benchmarks_and_options_that_exist(
    page: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    text = page.read_text("utf-8")
    assert not re.search(r"benchmarks/\w+(/\w+)*\.py", text)
    for name, words in NAMED.findall(text):
        assert name in BENCHMARKS
        with pytest.raises(SystemExit):
            importlib.import_module(name).main(["--help"])
        usage = capsys.readouterr().out
        for option in re.findall(r"--\w+", words):
            assert option in usage, f"{page.name}: {name} {option}"


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_the_readme_says_which_benchmark_makes_the_figures_of_a_page(page: Path) -> None:
    rows = [
        row
        for row in (FOLDER / "README.md").read_text("utf-8").splitlines()
        if row.startswith("|") and f"/{page.name})" in row
    ]
    for name, _ in NAMED.findall(page.read_text("utf-8")):
        assert any(f"python -m {name}" in row for row in rows), f"{page.name}: {name}"


def test_links_of_the_readme_lead_somewhere() -> None:
    for target in re.findall(r"\]\(([^)#]+)\)", (FOLDER / "README.md").read_text("utf-8")):
        assert (FOLDER / target).exists(), target
