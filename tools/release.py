"""Say whether a version can be released, or what is new in it.

    python tools/release.py 0.2.0
    python tools/release.py 0.2.0 --notes

It can if pyproject.toml, CITATION.cff, the conda recipe, the Galaxy tool and CHANGELOG.md state the
version, and no placeholder is left to be filled in.
"""

from __future__ import annotations

import re
import sys
import tomllib
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).parents[1]

PLACEHOLDER = "example.org"

STATED = {
    "CITATION.cff": r"^version: (.+)$",
    "packaging/conda/recipe.yaml": r'^  version: "(.+)"$',
    "packaging/galaxy/gale_predict.xml": r'<token name="@TOOL_VERSION@">(.+)</token>',
}
"""Files that state the version beside pyproject.toml, and where."""


def problems(root: Path, version: str) -> Iterator[str]:
    """Say what speaks against a release."""
    project = tomllib.loads((root / "pyproject.toml").read_text("utf-8"))["project"]
    stated = {"pyproject.toml": project["version"]}
    for name, pattern in STATED.items():
        found = re.search(pattern, (root / name).read_text("utf-8"), re.MULTILINE)
        stated[name] = found[1] if found else "none"
    for name, each in stated.items():
        if each != version:
            yield f"{name}: states version {each}, not {version}"
    if not notes(root, version):
        yield f"CHANGELOG.md: has no section [{version}]"
    for name in ("pyproject.toml", "CITATION.cff", "packaging/conda/recipe.yaml"):
        if PLACEHOLDER in (root / name).read_text("utf-8"):
            yield f"{name}: {PLACEHOLDER} is to be filled in"


def notes(root: Path, version: str) -> str:
    """Return what the changelog says of a version; empty if nothing."""
    text = (root / "CHANGELOG.md").read_text("utf-8")
    found = re.search(rf"^## \[{re.escape(version)}\].*?\n(.*?)(?=^## |\Z)", text, re.M | re.S)
    return found[1].strip() if found else ""


def main(version: str, *options: str) -> int:
    """Print problems, 1 if there are any; with --notes, print what is new."""
    if "--notes" in options:
        print(notes(ROOT, version))
        return 0
    found = list(problems(ROOT, version))
    print("\n".join(found) or f"{version} can be released")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
