"""A folder of small files, on this machine or at an address, whose files appear whole."""

from __future__ import annotations

import os
import shutil
import uuid
from collections.abc import Iterable
from pathlib import Path

from gale.errors import OutputError
from gale.plumbing.locks import remove
from gale.plumbing.outputs import make_folder
from gale.plumbing.remote import (
    TEMPORARY,
    address_of,
    copy_at,
    files_at,
    remove_at,
    sizes_at,
    write_at,
)


def make_place(folder: Path) -> None:
    """Make a folder in one that exists, without what writers that died left in it.

    A store at an address has files alone.

    Raises
    ------
    OutputError
    """
    if address_of(folder) is not None:
        return
    make_folder(folder, parents=False)
    for left in folder.glob(f".*.{TEMPORARY}"):
        remove(left)


def names_in(folder: Path, ending: str) -> list[str]:
    """List the names of files that end so; none if there is no folder.

    Raises
    ------
    OutputError
        If a store cannot be asked.
    """
    if (address := address_of(folder)) is None:
        return [each.name for each in folder.glob(f"*{ending}")]
    try:
        return [name for name in files_at(address) if name.endswith(ending)]
    except OSError as error:
        raise OutputError(
            address, f"cannot be listed ({error.strerror or error})", remedy="check the address"
        ) from error


def write_whole(file: Path, content: bytes | memoryview) -> None:
    """Write a file, completely or not at all; two processes may write it at the same time.

    Raises
    ------
    OSError
    """
    if (address := address_of(file)) is not None:
        write_at(address, content)
        return
    temporary = file.with_name(f".{file.name}.{uuid.uuid4().hex[:8]}.{TEMPORARY}")
    try:
        temporary.write_bytes(content)
        temporary.replace(file)
    finally:
        remove(temporary)


def put(names: Iterable[str], folder: Path, target: Path) -> None:
    """Give files of a folder a second name in another, or copy them where a file has but one.

    Raises
    ------
    OSError
        If neither can be done.
    """
    if (address := address_of(target)) is not None:
        copy_at(address_of(folder) or str(folder), address, names)
        return
    for name in names:
        try:
            (target / name).hardlink_to(folder / name)
        except OSError:
            shutil.copyfile(folder / name, target / name)


def size_of_files(folder: Path) -> int:
    """Return the size of all files in a folder and those below it, in bytes.

    Raises
    ------
    OSError
    """
    if (address := address_of(folder)) is not None:
        return sum(sizes_at(address))
    return sum(each.stat().st_size for each in folder.rglob("*") if each.is_file())


def delete_empty(folder: Path) -> None:
    """Delete a folder if nothing is in it; in stores, one ends with its last file."""
    if (address := address_of(folder)) is not None:
        if not files_at(address, below=True):
            remove_at(address)
    elif folder.is_dir() and not os.listdir(folder):  # noqa: PTH208
        folder.rmdir()
