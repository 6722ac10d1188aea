"""Put the pages of the site together, which Zensical then builds: `make docs`.

    python docs/website.py [build/docs]

README and some others are Markdown at the root of the repository, where readers look for them. The
site has them as pages of its own, with the links between all pages led there. A link to a file that
is no page becomes the path of the file: the site does not know where the repository is published.
"""

from __future__ import annotations

import posixpath
import re
import shutil
import sys
from pathlib import Path

ROOT = Path(__file__).parents[1]

BROUGHT = {
    "README.md": "index.md",
    "CONTRIBUTING.md": "contributing.md",
    "CHANGELOG.md": "changelog.md",
    "benchmarks/README.md": "benchmarks.md",
}
"""Pages from outside docs: where they lie, and their names in the site."""

PICTURES = (".png", ".svg")

LINK = re.compile(r"(!?)\[((?:[^\[\]]|\[[^\]]*\])*)\]\((?!https?:|#)([^)#\s]+)(#[^)]*)?\)")


def main() -> None:
    """Write the pages and their pictures into a folder, which is made anew."""
    folder = Path(sys.argv[1]) if len(sys.argv) > 1 else ROOT / "build" / "docs"
    shutil.rmtree(folder, ignore_errors=True)
    for file in sorted((ROOT / "docs").rglob("*")):
        if file.suffix in PICTURES:
            copy = folder / file.relative_to(ROOT / "docs")
            copy.parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(file, copy)
    for source, name in sources().items():
        text = led(ROOT.joinpath(source).read_text("utf-8"), source)
        folder.joinpath(name).write_text(text, "utf-8")


def sources() -> dict[str, str]:
    """Name the Markdown of every page, and the page that it becomes."""
    own = {f"docs/{file.name}": file.name for file in sorted((ROOT / "docs").glob("*.md"))}
    return own | BROUGHT


def led(markdown: str, source: str) -> str:
    """Rewrite the links of a file of the repository as the site has them."""
    return LINK.sub(lambda link: _led(link, posixpath.dirname(source)), markdown)


def title(file: Path) -> str:
    """Return the first heading of a page."""
    return file.read_text("utf-8").split("\n", 1)[0].removeprefix("# ")


def _led(link: re.Match[str], folder: str) -> str:
    picture, text, target, anchor = link[1], link[2], link[3], link[4] or ""
    path = posixpath.normpath(posixpath.join(folder, target))
    page = BROUGHT.get(path) or path.removeprefix("docs/")
    if page != path:
        named_by_file = posixpath.basename(text.strip("`")) == posixpath.basename(path)
        shown = title(ROOT / path) if named_by_file and path.endswith(".md") else text
        return f"{picture}[{shown}]({page}{anchor})"
    written = f"`{path}`"
    return text if text in (path, written) else f"{text} ({written})"


if __name__ == "__main__":
    main()
