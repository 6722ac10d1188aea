"""Refuse files over 1 MB, in the tree and in its history since the check exists.

    python tools/large_files.py

A file that was committed stays in every clone, also after it is deleted, so the history counts as
much as the tree. What came before :data:`SINCE` holds weights of an early commit and is not looked
at. In a shallow clone, what there is of the history is checked.
"""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).parents[1]

SINCE = "56246b6c3883d7ce1f147ac7323128a78170375c"
"""The last commit that is not checked."""

MOST_BYTES = 1_000_000


def large_files(
    root: Path, since: str = SINCE, most: int = MOST_BYTES
) -> Iterator[tuple[str, int]]:
    """Yield the name and size of files that are too large.

    Parameters
    ----------
    root : Path
        A git repository.
    since : str
        A commit; it and those before it are not looked at, if it is there.
    most : int
        Bytes that a file may have.
    """
    known = _git(root, "cat-file", "-e", f"{since}^{{commit}}") is not None
    objects = _git(root, "rev-list", "--objects", "HEAD", *([f"^{since}"] if known else []))
    staged = _git(root, "ls-files", "--stage") or ""
    named = dict(_named(objects or "")) | {
        line.split()[1]: line.partition("\t")[2] for line in staged.splitlines()
    }
    sizes = _git(root, "cat-file", "--batch-check", given="\n".join(named)) or ""
    for line in sizes.splitlines():
        name, kind, size = (*line.split(), "", "")[:3]
        if kind == "blob" and int(size) > most:
            yield named[name], int(size)


def _named(objects: str) -> Iterator[tuple[str, str]]:
    for line in objects.splitlines():
        name, _, path = line.partition(" ")
        if path:
            yield name, path


def _git(root: Path, *words: str, given: str | None = None) -> str | None:
    """Return what git prints, None if it fails."""
    done = subprocess.run(
        ["git", "-C", str(root), *words],
        input=given, capture_output=True, text=True, encoding="utf-8", check=False,
    )  # fmt: skip
    return done.stdout if done.returncode == 0 else None


def main() -> int:
    """Name large files; 1 if there are any."""
    if not (ROOT / ".git").exists():
        print("not a git repository: no history to check")
        return 0
    found = sorted(set(large_files(ROOT)))
    for name, size in found:
        print(f"{name}: {size:,} bytes, more than {MOST_BYTES:,}; remove it from the history, too")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
