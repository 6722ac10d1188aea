"""Files at addresses such as ``s3://bucket/run.csv``, which fsspec opens if it is installed.

A path that goes through `pathlib` keeps one slash of two, so ``s3:/bucket/run.csv`` is the same
address. What exists on this machine under such a name comes first.
"""

from __future__ import annotations

import errno
import os
import uuid
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING, Any, BinaryIO, cast

from gale.errors import spelled_out

if TYPE_CHECKING:
    from fsspec import AbstractFileSystem

LOCAL = "file"
"""The protocol of files on this machine, whose addresses have three slashes."""

TEMPORARY = "gale-tmp"
"""Ending of hidden files that are being written."""

STORAGE = {errno.ENOSPC, errno.EROFS, errno.EDQUOT}
"""Errors of a disk, after which nothing more can be written."""

EXAMPLE = "an address that fsspec opens, such as s3://bucket/run.csv"

INSTALL = "install the extra: pip install 'gale-ms[remote]'"


class AddressError(OSError):
    """An address that cannot be opened, as its `strerror` says; `remedy` is what to do."""

    def __init__(
        self, address: str, found: str, remedy: str = "check the address", number: int = errno.EIO
    ) -> None:
        super().__init__(number, found, address)
        self.remedy = remedy


def address_of(path: str | os.PathLike[str]) -> str | None:
    """Return the address that a path is; None for a path on this machine.

    Examples
    --------
    >>> from pathlib import Path
    >>> address_of(Path("s3://bucket/run.csv")), address_of("run.csv"), address_of("C:/run.csv")
    ('s3://bucket/run.csv', None, None)
    """
    text = os.fsdecode(path)
    address = spelled_out(text)
    return None if address is None or os.path.lexists(text) else address


def open_address(address: str) -> BinaryIO:
    """Open a file at an address for reading.

    Raises
    ------
    OSError
        If there is none, or it cannot be opened.
    """
    with _opened(address) as (system, path):
        if system.isdir(path):
            raise IsADirectoryError(errno.EISDIR, os.strerror(errno.EISDIR), address)
        return cast(BinaryIO, system.open(path, "rb"))


def read_address(address: str, most: int | None = None) -> bytes:
    """Read a file at an address, at most `most` bytes and one more.

    Raises
    ------
    OSError
        As :func:`open_address`.
    """
    with open_address(address) as file, _as_os_errors(address):
        return file.read(-1 if most is None else most + 1)


def mark_of(address: str) -> str:
    """Say by what a file at an address is known again, as its store does; empty if there is none.

    Raises
    ------
    OSError
        If the store cannot be asked.
    """
    try:
        with _opened(address) as (system, path):
            return str(system.ukey(path))
    except FileNotFoundError:
        return ""


def size_at(address: str) -> int:
    """Return the size of a file at an address in bytes.

    Raises
    ------
    OSError
        As :func:`open_address`.
    """
    with _opened(address) as (system, path):
        return int(system.size(path) or 0)


def exists_at(address: str) -> bool:
    """Whether there is a file or folder at an address.

    Raises
    ------
    OSError
        If the store cannot be asked.
    """
    with _opened(address) as (system, path):
        system.invalidate_cache()  # another process may have written there
        return bool(system.exists(path))


def is_folder_at(address: str) -> bool:
    """Whether there is a folder at an address.

    Raises
    ------
    OSError
        If the store cannot be asked.
    """
    with _opened(address) as (system, path):
        return bool(system.isdir(path))


def files_at(address: str, *, below: bool = False) -> list[str]:
    """List the files of a folder at an address by their paths in it, in order.

    Parameters
    ----------
    address : str
    below : bool
        Whether files of its folders are listed, too.

    Raises
    ------
    OSError
        If the store cannot be asked.
    """
    with _opened(address) as (system, path):
        system.invalidate_cache()
        try:
            found = cast(list[str], system.find(path, maxdepth=None if below else 1))
        except FileNotFoundError:
            return []
        start = path.rstrip("/") + "/"
        return sorted(each.removeprefix(start) for each in found if each.startswith(start))


def sizes_at(address: str) -> list[int]:
    """List the sizes of all files in a folder at an address and those below it, in bytes.

    Raises
    ------
    OSError
        If the store cannot be asked.
    """
    with _opened(address) as (system, path):
        system.invalidate_cache()
        return [int(each["size"] or 0) for each in system.find(path, detail=True).values()]


def write_at(address: str, content: bytes | memoryview) -> None:
    """Write a file at an address, completely or not at all as far as its store can.

    Raises
    ------
    OSError
    """
    with file_to_write(address) as file:
        file.write(content)


@contextmanager
def file_to_write(address: str) -> Iterator[BinaryIO]:
    """Open a file at an address that appears at the end of the block, and not after an error.

    Raises
    ------
    OSError
    """
    with _opened(address) as (system, path), _as_os_errors(address):
        if _is_local(address):  # fsspec would copy it there from another disk
            yield from _file_of_this_machine(system, path)
        else:
            with system.transaction, system.open(path, "wb") as file:
                yield file


def _file_of_this_machine(system: AbstractFileSystem, path: str) -> Iterator[BinaryIO]:
    """Open a file under another name beside its own, and rename it at the end."""
    folder, _, name = path.rpartition("/")
    temporary = f"{folder}/.{name}.{uuid.uuid4().hex[:8]}.{TEMPORARY}"
    try:
        with system.open(temporary, "wb") as file:
            yield file
        system.mv(temporary, path)
    except BaseException:
        with suppress(OSError):
            system.rm(temporary)
        raise


def copy_at(folder: str, target: str, names: Iterable[str], *, move: bool = False) -> None:
    """Copy files of a folder at an address into another one of the same store.

    With `move`, files of this machine are renamed.

    Raises
    ------
    OSError
    """
    with _opened(folder) as (system, start), _opened(target) as (_, end), _as_os_errors(target):
        names = list(names)
        sources, places = ([f"{each}/{name}" for name in names] for each in (start, end))
        if move and _is_local(folder):
            for source, place in zip(sources, places, strict=True):
                system.mv(source, place)
        elif names:  # all at once: many stores copy several at a time
            system.copy(sources, places)


def remove_at(address: str) -> None:
    """Delete a file at an address, or a folder with all that is in it, as far as possible."""
    with suppress(OSError), _opened(address) as (system, path), _as_os_errors(address):
        system.rm(path, recursive=True)


def fitting(pattern: str) -> list[str]:
    """List the addresses of files that fit one with ``*``, ``?`` or ``[``, in order of name.

    Raises
    ------
    OSError
        If the store cannot be asked.
    """
    with _opened(pattern) as (system, path):
        found = sorted(cast(list[str], system.glob(path)))
        return [system.unstrip_protocol(each) for each in found if not system.isdir(each)]


@contextmanager
def _opened(address: str) -> Iterator[tuple[AbstractFileSystem, str]]:
    """Give the store of an address, and what it calls the file."""
    try:
        from fsspec.core import url_to_fs
    except ModuleNotFoundError:
        raise AddressError(address, "fsspec is not installed", INSTALL) from None
    with _as_os_errors(address):
        try:  # as in a store, a file needs no folder that was made before
            found: tuple[Any, str] = (
                url_to_fs(address, auto_mkdir=True) if _is_local(address) else url_to_fs(address)
            )
        except ValueError as error:
            raise AddressError(address, f"fsspec says: {_line(error)}") from error
        except ImportError as error:
            what = "the package that opens it is not installed"
            raise AddressError(address, what, f"install it ({_line(error)})") from error
        yield found


def _is_local(address: str) -> bool:
    return address.startswith(f"{LOCAL}:")


@contextmanager
def _as_os_errors(address: str) -> Iterator[None]:
    """Raise the errors of a store, which may be of any library, as those of a file."""
    try:
        yield
    except FileNotFoundError as error:
        raise FileNotFoundError(errno.ENOENT, os.strerror(errno.ENOENT), address) from error
    except (AddressError, IsADirectoryError, MemoryError):
        raise
    except Exception as error:
        if isinstance(error, OSError) and error.errno in STORAGE:
            raise
        number = getattr(error, "errno", None) or errno.EIO
        said = getattr(error, "strerror", None) or _line(error)
        remedy = "check the address and your rights"
        raise AddressError(address, said, remedy, number) from error


def _line(error: BaseException) -> str:
    """Give the first line of an error."""
    said = str(error).strip().partition("\n")[0]
    return said[:200] or type(error).__name__
