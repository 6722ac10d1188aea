"""What pyproject.toml cannot say: README as a package index shows it.

There, a link to docs/trust.md leads nowhere; it has to lead to that page of the documentation. All
else is in pyproject.toml.
"""

from __future__ import annotations

import re
import tomllib
from pathlib import Path

from setuptools import setup

ROOT = Path(__file__).parent
PAGES = {
    "benchmarks/README.md": "benchmarks.md",
    "CHANGELOG.md": "changelog.md",
    "CONTRIBUTING.md": "contributing.md",
}
"""Pages of the documentation that lie elsewhere in the repository, as docs/website.py has them."""

LINK = re.compile(r"\]\((?!https?:|#)([^)#\s]+)(#[^)\s]*)?\)")


def published(readme: str, docs: str) -> str:
    """Lead the links of README to the documentation at the address `docs`."""

    def led(link: re.Match[str]) -> str:
        page = PAGES.get(link[1]) or link[1].removeprefix("docs/")
        if page == link[1]:
            return f"]({docs})"  # a file without a page, such as LICENSE
        page = f"{page.removesuffix('.md')}/" if page.endswith(".md") else page
        return f"]({docs}{page}{link[2] or ''})"

    return LINK.sub(led, readme)


def main() -> None:
    """Hand README over."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
    readme = (ROOT / "README.md").read_text("utf-8")
    setup(
        long_description=published(readme, project["urls"]["Documentation"]),
        long_description_content_type="text/markdown",
    )


if __name__ == "__main__":
    main()
