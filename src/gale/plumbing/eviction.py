"""The end of a cache: what is in it, and removing what was used least recently.

A file's time of change says when it was used last. Processes remove files without a lock: those
that look at the same time choose the same ones, and whoever misses one computes it again.
"""

from __future__ import annotations

import os
import time
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

SUFFIX = ".features"
"""How names of entries end."""

HOUR_S, DAY_S = 3600, 86400

KEPT = 0.9
"""Share of the limit that entries may take once some had to go."""


@dataclass(frozen=True)
class CacheUsage:
    """What a cache holds.

    Parameters
    ----------
    entries : int
    size : int
        Bytes of all entries.
    first_used, last_used : datetime or None
        When the entry that nobody used for longest was used last, and when any was; None if there
        is none. The first may be up to an hour late.
    """

    entries: int
    size: int
    first_used: datetime | None
    last_used: datetime | None


@dataclass(frozen=True)
class _File:
    path: str
    size: int
    used_s: float
    is_entry: bool


def usage_of(folder: Path) -> CacheUsage:
    """Count the entries of a cache."""
    entries = [each for each in _files(folder) if each.is_entry]
    used = [datetime.fromtimestamp(each.used_s, UTC) for each in entries]
    return CacheUsage(
        len(entries),
        sum(each.size for each in entries),
        min(used, default=None),
        max(used, default=None),
    )


def evict(folder: Path, limit: int) -> int:
    """Remove the entries used least recently if all take more than `limit` bytes.

    Those left take at most the share :data:`KEPT` of the limit. What processes that died left
    unfinished goes in any case.

    Returns
    -------
    int
        Bytes that were freed.
    """
    now, files = time.time(), list(_files(folder))
    unfinished = [each for each in files if not each.is_entry and now - each.used_s > DAY_S]
    entries = sorted((each for each in files if each.is_entry), key=lambda each: each.used_s)
    total = sum(each.size for each in entries)
    excess, going = total - KEPT * limit if total > limit else 0.0, []
    for each in entries:
        if excess <= 0:
            break
        going.append(each)
        excess -= each.size
    return sum(each.size for each in (*unfinished, *going) if _remove(each.path))


def touch(path: Path) -> None:
    """Record that an entry was used, unless the record is younger than an hour."""
    with suppress(OSError):  # a cache that may only be read
        if time.time() - path.stat().st_mtime > HOUR_S:
            os.utime(path)


def _files(folder: Path) -> Iterator[_File]:
    """Look at the files that a cache made, in the folders of two letters."""
    for place in _scan(folder):
        if len(place.name) == 2:
            for each in _scan(place.path):
                entry = each.name.endswith(SUFFIX)
                if not entry and not (each.name.startswith(".") and f"{SUFFIX}." in each.name):
                    continue
                with suppress(OSError):  # removed meanwhile
                    status = each.stat(follow_symlinks=False)
                    yield _File(each.path, status.st_size, status.st_mtime, entry)


def _scan(folder: str | Path) -> list[os.DirEntry[str]]:
    try:
        with os.scandir(folder) as found:
            return list(found)
    except OSError:  # missing, no folder, or not ours to see
        return []


def _remove(path: str) -> bool:
    try:
        os.unlink(path)  # noqa: PTH108  (a path of text, of which there are many)
    except OSError:  # removed by another process, or open on Windows
        return False
    return True
