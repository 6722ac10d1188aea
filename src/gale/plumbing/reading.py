"""Reading files: ordinary ones only, since a pipe may wait forever and a device may never end.

Every file that gale reads is opened here, except those that come with gale. A path may be an
address, see `gale.plumbing.remote`.
"""

from __future__ import annotations

import errno
import hashlib
import os
import stat
from pathlib import Path
from typing import BinaryIO

from gale.plumbing.remote import (
    address_of,
    is_folder_at,
    mark_of,
    open_address,
    read_address,
    size_at,
)

MOST = 2**31
"""Bytes that are read of any file but a run."""

KINDS = {
    stat.S_IFIFO: "it is a pipe",
    stat.S_IFCHR: "it is a device",
    stat.S_IFBLK: "it is a device",
    stat.S_IFSOCK: "it is a socket",
}

_FLAGS = os.O_RDONLY | getattr(os, "O_BINARY", 0) | getattr(os, "O_NOCTTY", 0)
_WITHOUT_WAITING = getattr(os, "O_NONBLOCK", 0)


class SpecialFileError(OSError):
    """A path that is a pipe, a device or a socket, as its `strerror` says."""


def open_file(path: str | os.PathLike[str]) -> BinaryIO:
    """Open an ordinary file for reading.

    Raises
    ------
    OSError
        If there is none, it may not be read, or it is a folder, a pipe, a device or a socket; its
        `strerror` says what it is.

    Examples
    --------
    >>> open_file("/dev/null")
    Traceback (most recent call last):
        ...
    gale.plumbing.reading.SpecialFileError: [Errno 22] it is a device: '/dev/null'
    """
    if (address := address_of(path)) is not None:
        return open_address(address)
    try:
        _check(os.stat(path).st_mode, path)  # noqa: PTH116  (to open a device may change it)
        descriptor = os.open(path, _FLAGS | _WITHOUT_WAITING)
    except ValueError as error:
        raise OSError(errno.EINVAL, "its name is none that a file can have", path) from error
    try:
        _check(os.fstat(descriptor).st_mode, path)  # another one may have taken its place
        return open(descriptor, "rb")  # noqa: PTH123  (a descriptor, which is handed on)
    except BaseException:
        os.close(descriptor)
        raise


def read_bytes(path: str | os.PathLike[str], most: int | None = MOST) -> bytes:
    """Read an ordinary file of at most `most` bytes.

    Raises
    ------
    OSError
        As :func:`open_file`, or if it is larger.
    """
    if (address := address_of(path)) is not None:
        data = read_address(address, most)
        _check_size(len(data), most, path)
        return data
    with open_file(path) as file:
        _check_size(os.fstat(file.fileno()).st_size, most, path)
        return file.read()


def _check_size(size: int, most: int | None, path: str | os.PathLike[str]) -> None:
    if most is not None and size > most:
        raise OSError(errno.EFBIG, f"it is larger than {most / 2**20:,.0f} MiB", path)


def size_of(path: str | os.PathLike[str]) -> int:
    """Return the size of a file in bytes.

    Raises
    ------
    OSError
        If there is none.
    """
    address = address_of(path)
    return Path(path).stat().st_size if address is None else size_at(address)


def is_folder(path: str | os.PathLike[str]) -> bool:
    """Whether a path is that of a folder, also at an address."""
    if (address := address_of(path)) is None:
        return Path(path).is_dir()
    try:
        return is_folder_at(address)
    except OSError:  # who reads there says why
        return False


class ChangedError(OSError):
    """A file was changed while it was read."""


def read_unchanging(path: str | os.PathLike[str]) -> bytes:
    """Read an ordinary file of any size, and make sure that nothing wrote it meanwhile.

    Raises
    ------
    OSError
        As :func:`open_file`; a :class:`ChangedError` if its size or time changed.
    """
    if (address := address_of(path)) is not None:
        mark, data = mark_of(address), read_address(address)
        if mark_of(address) != mark:
            raise ChangedError(errno.EBUSY, "it was changed while it was read", path)
        return data
    with open_file(path) as file:
        before = os.fstat(file.fileno())
        data = file.read()
        after = os.fstat(file.fileno())
    is_same = before.st_mtime_ns == after.st_mtime_ns and before.st_size == after.st_size
    if not is_same or len(data) != after.st_size:
        raise ChangedError(errno.EBUSY, "it was changed while it was read", path)
    return data


def sha256_of(path: str | os.PathLike[str]) -> str:
    """Return the SHA-256 of an ordinary file of any size, in hexadecimal digits.

    Raises
    ------
    OSError
        As :func:`open_file`.
    """
    digest = hashlib.sha256()
    with open_file(path) as file:
        while block := file.read(2**20):
            digest.update(block)
    return digest.hexdigest()


def read_text(path: str | os.PathLike[str], encoding: str = "utf-8") -> str:
    """Read an ordinary file as text, with any ends of lines as line feeds.

    Raises
    ------
    OSError
        As :func:`read_bytes`.
    UnicodeDecodeError
        If it is not text in this encoding.
    """
    text = read_bytes(path).decode(encoding)
    return text.replace("\r\n", "\n").replace("\r", "\n")


def is_within(path: Path, folder: Path) -> bool:
    """Whether a path stays in a folder, links on the way followed; true if they end nowhere.

    Examples
    --------
    >>> is_within(Path("runs/a.csv"), Path("runs")), is_within(Path("runs/../a.csv"), Path("runs"))
    (True, False)
    """
    try:
        return path.resolve().is_relative_to(folder.resolve())
    except (OSError, RuntimeError, ValueError):  # no permission, a loop of links, no path at all
        return True


def _check(mode: int, path: str | os.PathLike[str]) -> None:
    if stat.S_ISDIR(mode):
        raise IsADirectoryError(errno.EISDIR, os.strerror(errno.EISDIR), path)
    if not stat.S_ISREG(mode):
        kind = KINDS.get(stat.S_IFMT(mode), "it is no ordinary file")
        raise SpecialFileError(errno.EINVAL, kind, path)
