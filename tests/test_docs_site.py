"""The site of the documentation: every page is in it, and every link leads somewhere."""

from __future__ import annotations

import importlib.util
import re
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

import gale
from gale.plumbing.addresses import DOCS

ROOT = Path(__file__).parents[1]
SITE = tomllib.loads((ROOT / "zensical.toml").read_text("utf-8"))["project"]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]


def script(file: str) -> ModuleType:
    """A script that lies outside the package."""
    spec = importlib.util.spec_from_file_location(Path(file).stem, ROOT / file)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


website, packaging = script("docs/website.py"), script("setup.py")


def in_navigation(entries: list[Any]) -> list[str]:
    found: list[str] = []
    for entry in entries:
        for target in entry.values():
            found += in_navigation(target) if isinstance(target, list) else [target]
    return found


def anchors(page: str) -> set[str]:
    """The anchors of the headings of a page, as the site makes them."""
    source = {name: path for path, name in website.sources().items()}[page]
    headings = re.findall(r"^#+ (.+)$", (ROOT / source).read_text("utf-8"), re.MULTILINE)
    return {re.sub(r"[^\w]+", "-", heading.lower()).strip("-") for heading in headings}


def test_every_page_is_in_the_navigation() -> None:
    assert sorted(in_navigation(SITE["nav"])) == sorted(website.sources().values())


def test_every_public_name_is_in_the_reference() -> None:
    text = (ROOT / "docs" / "reference.md").read_text("utf-8")
    named = re.findall(r"^::: gale\.(\w+)$", text, re.MULTILINE)
    assert sorted(named) == sorted(set(gale.__all__) - {"__version__"})


def test_the_address_is_the_same_everywhere() -> None:
    assert DOCS == SITE["site_url"] == PROJECT["urls"]["Documentation"]


@pytest.mark.parametrize(
    ("source", "link", "led"),
    [
        ("README.md", "[Runs](docs/runs.md#tables)", "[Runs](runs.md#tables)"),
        ("docs/runs.md", "[scores.md](scores.md)", "[What the numbers mean](scores.md)"),
        ("docs/bundled.md", "[b](../benchmarks/README.md)", "[b](benchmarks.md)"),
        ("docs/a.md", "[support.py](../src/gale/run.py)", "support.py (`src/gale/run.py`)"),
        ("docs/a.md", "[`tools/x.py`](../tools/x.py)", "`tools/x.py`"),
        ("README.md", "![p](docs/gallery/run.png)", "![p](gallery/run.png)"),
        ("docs/a.md", "[w](https://onnx.ai) [s](#here)", "[w](https://onnx.ai) [s](#here)"),
    ],
)
def test_links_are_led_to_pages_of_the_site(source: str, link: str, led: str) -> None:
    assert website.led(link, source) == led


def test_on_a_package_index_the_links_of_readme_lead_to_the_site() -> None:
    text = packaging.published((ROOT / "README.md").read_text("utf-8"), DOCS)
    links = re.findall(r"\]\(([^)\s]+)\)", text)
    assert len(links) > 20
    assert all(link.startswith("https://") for link in links)
    pages = set(website.sources().values())
    for link in links:
        page, _, anchor = link.removeprefix(DOCS).partition("#")
        if page.endswith("/"):
            name = f"{page.rstrip('/')}.md"
            assert name in pages, link
            assert not anchor or anchor in anchors(name), link
        elif page:
            assert (ROOT / "docs" / page).exists(), link


def test_pages_of_reports_link_to_pages_of_the_site() -> None:
    linked = set()
    for template in (ROOT / "src/gale/report/templates").glob("*.html"):
        linked |= set(re.findall(r'href="\{\{ docs \}\}([^"]+)"', template.read_text("utf-8")))
    assert linked
    for address in linked:
        page, _, anchor = address.partition("#")
        assert not anchor or anchor in anchors(f"{page.rstrip('/')}.md"), address
        assert f"{page.rstrip('/')}.md" in website.sources().values(), address


def test_readme_is_two_screens() -> None:
    lines = (ROOT / "README.md").read_text("utf-8").splitlines()
    screens = sum(max(1, -(-len(line) // 110)) for line in lines)
    assert screens <= 110


@pytest.mark.parametrize(
    ("docstring", "shown"),
    [
        ("see :func:`gale.train`.", "see [`gale.train`][gale.train]."),
        (":func:`gale.plotting.plot_run`", "[`gale.plot_run`][gale.plot_run]"),
        (":meth:`gale.Model.predict`", "[`gale.Model.predict`][gale.Model.predict]"),
        (":data:`MOST_SCANS`", "`MOST_SCANS`"),
    ],
)
def test_roles_of_docstrings_are_links(docstring: str, shown: str) -> None:
    pytest.importorskip("griffe", reason="mkdocstrings is not installed")
    assert script("docs/roles.py").linked(docstring) == shown


@pytest.mark.slow
def test_the_site_is_built_strictly(tmp_path: Path) -> None:
    """A page that does not exist, or an anchor, stops it."""
    pytest.importorskip("zensical", reason="zensical is not installed")
    for name in ("docs", "src", "benchmarks/README.md"):
        copy = tmp_path / name
        copy.parent.mkdir(exist_ok=True)
        copy.symlink_to(ROOT / name)
    for name in ("README.md", "CONTRIBUTING.md", "CHANGELOG.md", "zensical.toml"):
        shutil.copy(ROOT / name, tmp_path)
    command = [sys.executable, "-m", "zensical", "build", "--strict"]
    subprocess.run(
        [sys.executable, ROOT / "docs" / "website.py", tmp_path / "build/docs"], check=True
    )

    def build() -> subprocess.CompletedProcess[str]:
        return subprocess.run(command, cwd=tmp_path, text=True, capture_output=True, check=False)

    done = build()
    assert done.returncode == 0, done.stdout + done.stderr
    reference = (tmp_path / "build/site/reference/index.html").read_text("utf-8")
    assert 'id="gale.Model.predict"' in reference
    assert ":func:" not in reference
    with (tmp_path / "build/docs/trust.md").open("a", encoding="utf-8") as page:
        page.write("\n[nowhere](scores.md#no-such-heading)\n")
    assert build().returncode != 0
