"""Writing results: completely or not at all, and never over an existing file by accident."""

from __future__ import annotations

import io
import logging
import os
import re
import shutil
import sys
import tempfile
from collections.abc import Callable, Collection, Iterator, Mapping
from contextlib import contextmanager, suppress
from fnmatch import fnmatch
from pathlib import Path
from typing import IO, TYPE_CHECKING

from gale.errors import OutputError
from gale.plumbing.locks import Claim, claimed, remove, unwritable
from gale.plumbing.reading import open_file
from gale.plumbing.remote import (
    AddressError,
    address_of,
    copy_at,
    exists_at,
    file_to_write,
    files_at,
    is_folder_at,
    write_at,
)

if TYPE_CHECKING:
    import polars as pl

LOG = logging.getLogger("gale.plumbing")

IsOwn = Callable[[Path], bool]

A_FILE, A_FOLDER = "the name of a file to write", "the name of a folder to write"
"""What is expected of a path that cannot be written."""

HOST = re.compile(r"file://[^/]", re.IGNORECASE)
"""How an address of this machine begins that has two slashes only."""

OVERWRITE = "choose another name or pass force=True"
"""What to do where something exists that may be overwritten."""


def exists(path: Path) -> bool:
    """Whether a path exists, also at an address; false, too, for what cannot be a path."""
    if (address := address_of(path)) is not None:
        with suppress(OSError):
            return exists_at(address)
        return False
    return os.path.exists(path)  # noqa: PTH110  (false, where Path.exists raises: too long, denied)


def check_free(path: Path, *, force: bool) -> None:
    """Refuse to write a file that exists, or in a folder that does not.

    Raises
    ------
    OutputError
        If `path` exists and `force` is false, if it is no file, or if its folder is missing or may
        not be written to. A store at an address needs no folder.
    """
    if (address := address_of(path)) is not None:
        _check_address_free(address, force=force)
        return
    try:
        is_folder, is_there, has_folder = path.is_dir(), os.path.lexists(path), path.parent.is_dir()
        is_special = is_there and path.exists() and not path.is_file()
    except OSError as error:
        raise OutputError(
            path, f"cannot be accessed ({error.strerror})", remedy="choose another place"
        ) from error
    if is_folder:
        raise OutputError(path, "is a folder", A_FILE, "choose another name")
    if is_special:
        raise OutputError(path, "is a device or pipe", A_FILE, "choose another name")
    if is_there and not force:
        raise OutputError(path, "exists already", remedy=OVERWRITE)
    if not has_folder:
        raise OutputError(
            path, f"is in the folder {path.parent}, which does not exist", remedy="create it first"
        )
    if not os.access(path.parent, os.W_OK):
        raise OutputError(
            path,
            f"is in the folder {path.parent}, which may not be written to",
            remedy="choose another place",
        )


def check_here(path: Path) -> None:
    """Refuse an address where only a path of this machine will do.

    Raises
    ------
    OutputError
    """
    if (address := address_of(path)) is not None:
        raise OutputError(
            address, "is an address", "a path on this machine", "write there, and copy the result"
        )


def check_slashes(text: str) -> None:
    """Refuse ``file://name``, in which `name` is a host, and which `Path` takes for ``/name``.

    Raises
    ------
    OutputError
    """
    if HOST.match(text):
        raise OutputError(
            repr(text),
            "names no file",
            "three slashes and the whole path, as file:///data/name",
            "write it so, or give the path without file://",
        )


def _check_address_free(address: str, *, force: bool) -> None:
    with _as_output_errors(Path(address)):
        if is_folder_at(address):
            raise OutputError(address, "is a folder", A_FILE, "choose another name")
        if not force and exists_at(address):
            raise OutputError(address, "exists already", remedy=OVERWRITE)


@contextmanager
def _as_output_errors(path: Path) -> Iterator[None]:
    """Raise what a store says as an error of the output, which was not written."""
    try:
        yield
    except AddressError as error:
        raise OutputError(
            path,
            f"cannot be written ({error.strerror})",
            remedy=error.remedy,
        ) from error


@contextmanager
def writing(path: Path, *, force: bool = False) -> Iterator[Path]:
    """Claim `path`, yield a temporary path beside it, and rename that to `path` on success.

    At an address, the file is made on this machine, and copied there on success.

    Raises
    ------
    OutputError
        As :func:`check_free`, if another process writes it, or if it cannot be written (a full
        disk, no permission, something has appeared there meanwhile); nothing is left behind then.
    """
    check_free(path, force=force)
    if (address := address_of(path)) is not None:
        with _made_here(path) as temporary:
            yield temporary
            _upload(temporary, address)
            LOG.info("wrote %s", address)
        return
    with claimed(path) as claim:
        check_free(path, force=force)  # again: what was moved away may be back
        with _making(claim) as temporary:
            yield temporary
            _name(temporary, path, force=force)
            LOG.info("wrote %s", path)


@contextmanager
def _made_here(path: Path) -> Iterator[Path]:
    """Give a temporary path for what goes to an address; afterwards it is gone."""
    try:
        with (
            tempfile.TemporaryDirectory(prefix="gale-") as folder,
            _as_output_errors(path),
        ):
            yield Path(folder) / path.name
    except OSError as error:
        raise unwritable(path, error) from error


def _upload(source: Path, address: str) -> None:
    with open_file(source) as content, file_to_write(address) as file:
        shutil.copyfileobj(content, file, 2**20)


@contextmanager
def _making(claim: Claim) -> Iterator[Path]:
    """Give the temporary path of a claim; afterwards it is gone, and errors name the output."""
    temporary, path = claim.temporary, claim.path
    if os.path.lexists(temporary):  # this thread writes there already
        raise OutputError(
            path, "is being written already", "every output once", "choose another name"
        )
    try:
        with _as_output_errors(path):
            yield temporary
    except OSError as error:
        raise unwritable(path, error) from error
    except OutputError as error:
        error.source = error.source.replace(temporary.name, path.name)
        raise
    finally:
        remove(temporary)


def _name(temporary: Path, path: Path, *, force: bool) -> None:
    """Rename a file to `path`; without `force`, never over something else."""
    try:
        if force:
            temporary.replace(path)
        elif sys.platform == "win32":
            temporary.rename(path)
        else:
            _link(temporary, path)
    except FileExistsError as error:
        raise OutputError(path, "has appeared meanwhile", remedy=OVERWRITE) from error


def _link(temporary: Path, path: Path) -> None:
    try:
        path.hardlink_to(temporary)
    except FileExistsError:
        raise
    except OSError:  # a file system without links
        os.close(os.open(path, os.O_CREAT | os.O_EXCL | os.O_WRONLY))
        try:
            temporary.replace(path)
        except OSError:
            path.unlink()
            raise


def text_to_write(path: Path) -> IO[str]:
    """Open a file to write UTF-8 into it, the same on every system."""
    return path.open("w", encoding="utf-8", newline="\n")


def bytes_to_write(path: Path) -> IO[bytes]:
    """Open a file to write bytes into it."""
    return path.open("wb")


def flush(file: Path) -> None:
    """Have the operating system put a file on the disk, so that a loss of power leaves it whole.

    Raises
    ------
    OutputError
        If that fails.
    """
    try:
        descriptor = os.open(file, os.O_RDWR if sys.platform == "win32" else os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
    except OSError as error:
        raise OutputError(
            file, f"cannot be put on the disk ({error.strerror or error})", remedy="check the disk"
        ) from error


def write_content(path: Path, content: bytes | memoryview | str) -> None:
    """Write a file, a text as UTF-8, into a folder that has yet to take its place.

    Raises
    ------
    OSError
    """
    content = content.encode() if isinstance(content, str) else content
    if (address := address_of(path)) is not None:
        write_at(address, content)
    else:
        path.write_bytes(content)


def write_csv(table: pl.DataFrame, path: Path) -> None:
    """Write a table as CSV; polars itself cannot write to a name that is not UTF-8."""
    write_content(path, table.write_csv())


def write_parquet(table: pl.DataFrame, path: Path) -> None:
    """Write a table as Parquet; a full disk is an OSError, as for other files.

    polars, given a path, raises a ComputeError, which also stands for mistakes in a table.
    """
    write_content(path, parquet_bytes(table))


def parquet_bytes(table: pl.DataFrame, metadata: Mapping[str, str] | None = None) -> memoryview:
    """Write a table as the bytes of a Parquet file, which keeps texts as metadata beside it."""
    content = io.BytesIO()
    table.write_parquet(content, metadata=dict(metadata) if metadata else None)
    return content.getbuffer()


def check_folder_free(
    path: Path, *, force: bool, files: Collection[str], is_own: IsOwn | None = None
) -> None:
    """Refuse to write a folder where something exists that may not be overwritten.

    Parameters
    ----------
    path : Path
    force : bool
        Whether a folder that contains only `files` may be overwritten.
    files : collection of str
        Names of the files that are written, or patterns such as ``*.html``.
    is_own : callable, optional
        Whether a file of such a name is one that gale made.

    Raises
    ------
    OutputError
        If something at `path` may not be overwritten, or the parent of `path` is missing.
    """
    if (address := address_of(path)) is not None:
        _check_folder_free_at(address, force=force, files=files, is_own=is_own)
        return
    if not path.name:
        raise OutputError(path, "is the current folder", A_FOLDER, "choose another name")
    if not os.path.lexists(path):
        check_free(path, force=False)
    elif not force:
        raise OutputError(path, "exists already", remedy=OVERWRITE)
    elif path.is_symlink() or not path.is_dir():
        raise OutputError(path, "is not a folder", A_FOLDER, "choose another name")
    else:
        _check_content(path, path, files, is_own)


def _check_content(folder: Path, path: Path, files: Collection[str], is_own: IsOwn | None) -> None:
    """Refuse to replace a folder, to be named `path`, that has something else in it."""
    if others := sorted(
        each.name
        for each in folder.iterdir()
        if not (each.is_file() and any(map(each.match, files)))
        or not (is_own is None or is_own(each))
    ):
        raise _is_foreign(path, others[0])


def _is_foreign(folder: Path | str, name: str) -> OutputError:
    return OutputError(
        folder,
        f"contains {name}, which gale did not write",
        "a folder that may be overwritten as a whole",
        "choose another name",
    )


@contextmanager
def writing_folder(
    path: Path,
    *,
    replaces: Collection[str] | None = None,
    is_own: IsOwn | None = None,
    last: str = "",
) -> Iterator[Path]:
    """Claim `path`, yield a new folder beside it, and rename that to `path` on success.

    Stores at addresses cannot rename a folder: its files are copied to `path`, after those that
    they replace were deleted.

    Parameters
    ----------
    path : Path
    replaces : collection of str, optional
        Names or patterns of files; a folder that contains only these is overwritten. By default
        nothing is overwritten.
    is_own : callable, optional
        Whether a file of such a name is one that gale made.
    last : str
        Name of the file that is copied last: a folder at an address that lacks it is not whole.

    Raises
    ------
    OutputError
        If something exists at `path`, or appears there meanwhile, its parent is missing, another
        process writes it, or something cannot be written; nothing is left behind then.
    """
    _check_replaceable(path, replaces, is_own)
    with claimed(path) as claim:
        _check_replaceable(path, replaces, is_own)  # again: what was moved away may be back
        with _making(claim) as temporary:
            if address_of(path) is None:
                temporary.mkdir()
                yield temporary
                _take_place(claim, replaces, is_own)
            else:
                yield temporary
                _check_replaceable(path, replaces, is_own)
                _take_place_at(claim, last)


def _check_folder_free_at(
    address: str, *, force: bool, files: Collection[str], is_own: IsOwn | None
) -> None:
    with _as_output_errors(Path(address)):
        there = files_at(address, below=True)
        is_there = bool(there) or exists_at(address)
    if is_there and not force:
        raise OutputError(address, "exists already", remedy=OVERWRITE)
    for name in there:
        is_known = any(fnmatch(name, known) for known in files)
        if not (is_known and (is_own is None or is_own(Path(f"{address}/{name}")))):
            raise _is_foreign(address, name)


def _check_replaceable(path: Path, replaces: Collection[str] | None, is_own: IsOwn | None) -> None:
    if replaces is not None:
        check_folder_free(path, force=True, files=replaces, is_own=is_own)
    elif os.path.lexists(path) or exists(path):
        raise OutputError(path, "exists already", remedy="choose another name")
    else:
        check_free(path, force=False)


def _take_place_at(claim: Claim, last: str) -> None:
    """Copy the files of a folder at an address to its place, the last one when all others are."""
    source, target = (str(address_of(each)) for each in (claim.temporary, claim.path))
    names = files_at(source, below=True)
    remove(claim.path)
    try:
        copy_at(source, target, [name for name in names if name != last], move=True)
        copy_at(source, target, [name for name in names if name == last], move=True)
    except BaseException:
        remove(claim.path)
        raise


def _take_place(claim: Claim, replaces: Collection[str] | None, is_own: IsOwn | None) -> None:
    """Rename the folder that was made; what is there meanwhile stays unless it may be replaced."""
    path = claim.path
    if not os.path.lexists(path):
        claim.temporary.rename(path)  # fails if a folder with files appears just now
        return
    if replaces is None:
        raise OutputError(path, "has appeared meanwhile", remedy="choose another name")
    check_folder_free(path, force=True, files=replaces, is_own=is_own)
    path.rename(claim.replaced)
    try:
        _check_content(claim.replaced, path, replaces, is_own)  # nothing is added from here on
        claim.temporary.rename(path)
    except (OSError, OutputError):
        claim.replaced.rename(path)
        raise
    claim.replaced.rename(claim.temporary)  # a half deleted folder must not come back
    remove(claim.temporary)
