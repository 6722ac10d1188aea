"""The content of a run's file, whatever it is packed in: by it, copies are known."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import NamedTuple

from gale.plumbing import reading
from gale.readers import checksum_of, is_packed, load, parse_packed, unpacked
from gale.readers.archives import PACKED
from gale.readers.instrument_folders import PackedFolder
from gale.run import Run


class Content(NamedTuple):
    """The content of a run, whatever it is packed in.

    Parameters
    ----------
    checksum : str
        SHA-256 of the bytes; empty if that is not known.
    size : int, optional
        Number of bytes; None for a folder, or a run in memory.
    """

    checksum: str
    size: int | None


def content_of(
    source: Path | Run, columns: Mapping[str, str] | None, checksum: str = ""
) -> Content:
    """Return the content of a run, the SHA-256 of whose file may be known.

    Raises
    ------
    ReadError
        If it has to be read, and cannot be.
    """
    if isinstance(source, Run):
        return Content(checksum_of_run(source), None)
    if checksum and not is_packed(source):
        return Content(checksum, size_of(source))
    data = unpacked(load(source), str(source), columns=columns)
    return Content(checksum_of(data), None if isinstance(data, PackedFolder) else len(data))


def checksum_of_run(run: Run) -> str:
    """Return the SHA-256 of a run in memory: of its times, m/z and intensities."""
    arrays = (run.time_min, run.scan_start, run.mz, run.intensity)
    return checksum_of(b"".join(array.tobytes() for array in arrays))


def checksum_inside(
    data: bytes, source: str, columns: Mapping[str, str] | None, checksum: str
) -> str:
    """Return the SHA-256 of what is packed in bytes that are loaded; `checksum` if nothing is.

    Raises
    ------
    ReadError
        If they cannot be unpacked.
    """
    if isinstance(data, PackedFolder) or not data.startswith(PACKED):
        return checksum
    return checksum_of(unpacked(data, source, columns=columns))


def parse_with_content(
    data: bytes, source: str, columns: Mapping[str, str] | None, checksum: str
) -> tuple[Run, str]:
    """Read a run from bytes that are loaded; also return what :func:`checksum_inside` does.

    They are unpacked once.

    Raises
    ------
    ReadError
        If they cannot be unpacked, or are no run.
    """
    run, inside = parse_packed(data, source, columns=columns)
    return run, checksum if inside is data else checksum_of(inside)


def size_of(path: Path) -> int | None:
    """The size of a file; None for a folder, and what cannot be accessed."""
    try:
        return None if reading.is_folder(path) else reading.size_of(path)
    except OSError:
        return None
