"""Which runs a verb is given: patterns that the shell did not expand, and lists of files."""

from __future__ import annotations

import glob
import os
import sys
from array import array
from collections.abc import Iterator
from contextlib import AbstractContextManager, nullcontext
from pathlib import Path
from typing import BinaryIO

from gale.errors import ReadError
from gale.plumbing import remote
from gale.plumbing.batches import hash_of, twice
from gale.plumbing.reading import open_file
from gale.plumbing.remote import address_of

STANDARD_INPUT = Path("-")
"""What stands for standard input."""

LIST_OF_FILES = "a list of files, one path per line"


def expanded(paths: tuple[Path, ...]) -> tuple[Path, ...]:
    """Replace patterns with ``*``, ``?`` or ``[`` by the files that fit them, in order of name.

    Most shells do this; that of Windows does not. A path that exists is no pattern.

    Raises
    ------
    ReadError
        If no file fits.
    """
    found: list[Path] = []
    for path in paths:
        if not glob.has_magic(str(path)) or os.path.lexists(path):
            found.append(path)
            continue
        if not (fitting := _fitting(path)):
            raise ReadError(path, "fits no file", "a pattern of files", "check the path")
        found += fitting
    return tuple(found)


def _fitting(pattern: Path) -> list[Path]:
    if (address := address_of(pattern)) is None:
        return sorted(map(Path, glob.glob(str(pattern), recursive=True)))  # noqa: PTH207
    try:
        return list(map(Path, remote.fitting(address)))
    except OSError as error:
        raise ReadError(
            address,
            f"cannot be listed ({error.strerror})",
            remote.EXAMPLE,
            getattr(error, "remedy", "check the address"),
        ) from error


def listed_paths(paths: tuple[str, ...], list_file: Path) -> Iterator[str]:
    """Give paths, then those of a list, which may name every file once.

    Raises
    ------
    ReadError
        After the last one, if a file is named twice, or none is.
    """
    hashes, lines = array("Q"), array("Q")
    for path in paths:
        hashes.append(hash_of(os.path.abspath(path)))  # noqa: PTH100  (keeps no cache)
        lines.append(0)
        yield path
    for number, path in _lines_of(list_file):
        hashes.append(hash_of(os.path.abspath(path)))  # noqa: PTH100
        lines.append(number)
        yield path
    if not hashes:
        raise ReadError(_name(list_file), "names no file", LIST_OF_FILES, "check what made it")
    if found := twice(hashes):
        first, again = (lines[at] for at in found)
        where = f"as in line {first:,}" if first else "as the arguments do"
        raise ReadError(
            f"{_name(list_file)}: line {again:,}" if again else _name(list_file),
            f"names a run again, {where}",
            "every run once",
            "remove one of them",
        )


def _name(list_file: Path) -> str:
    return "standard input" if list_file == STANDARD_INPUT else str(list_file)


def _lines_of(list_file: Path) -> Iterator[tuple[int, str]]:
    """Give the number of each line that is not blank, and what it names."""
    with _open(list_file) as file:
        for number, line in enumerate(file, start=1):
            if text := line.rstrip(b"\r\n"):
                if b"\0" in text:
                    found = f"has a character of the code 0 in line {number:,}"
                    raise ReadError(_name(list_file), found, LIST_OF_FILES, "write one per line")
                yield number, os.fsdecode(text)


def _open(list_file: Path) -> AbstractContextManager[BinaryIO]:
    if list_file == STANDARD_INPUT:
        return nullcontext(sys.stdin.buffer)
    try:
        return open_file(list_file)
    except OSError as error:
        raise ReadError(
            list_file, f"cannot be read ({error.strerror})", LIST_OF_FILES, "check the path"
        ) from None
