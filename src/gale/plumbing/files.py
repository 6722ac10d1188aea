"""Writing results: whole or not at all, and never over something by accident."""

from __future__ import annotations

import os
import shutil
import uuid
from collections.abc import Collection, Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path

from gale.errors import OutputError
from gale.plumbing.tables import exists


def check_free(path: Path, *, force: bool) -> None:
    """Refuse a path at which something already is, or whose folder does not exist.

    Raises
    ------
    OutputError
        If `path` exists and `force` is false, if it is a folder, or if its folder is missing.
    """
    try:
        is_folder, exists, has_folder = path.is_dir(), path.exists(), path.parent.is_dir()
    except OSError as error:
        raise OutputError(
            f"{path}: cannot be looked at ({error.strerror}); choose another place"
        ) from error
    if is_folder:
        raise OutputError(f"{path}: is a folder; expected the name of a file to write")
    if exists and not force:
        raise OutputError(f"{path}: exists already; choose another name or use --force")
    if not has_folder:
        raise OutputError(f"{path}: the folder {path.parent} does not exist; create it first")


def check_no_input(output: Path, inputs: Iterable[Path]) -> None:
    """Refuse an output that exists, and may be overwritten, if it is something that is read.

    Raises
    ------
    OutputError
        If it is.
    """
    if output.exists() and any(exists(each) and output.samefile(each) for each in inputs):
        raise OutputError(
            f"{output}: is one of the files that are read; expected the name of a file to write; "
            "choose another"
        )


@contextmanager
def writing(path: Path, *, force: bool = False) -> Iterator[Path]:
    """Give a temporary name beside `path`, and rename it to `path` if all goes well.

    Raises
    ------
    OutputError
        As :func:`check_free`, or if the file cannot be written (a full disk, no permission);
        nothing is left behind then.
    """
    check_free(path, force=force)
    temporary = path.with_name(f".{path.name}.{uuid.uuid4().hex[:8]}.tmp")
    try:
        yield temporary
        temporary.replace(path)
    except OSError as error:
        raise _unwritable(path, error) from error
    finally:
        temporary.unlink(missing_ok=True)


def check_folder_free(path: Path, *, force: bool, files: Collection[str]) -> None:
    """Refuse a folder to be made at which something is, unless it may be overwritten.

    Parameters
    ----------
    path : Path
    force : bool
        Whether a folder may be overwritten that holds nothing but `files`.
    files : collection of str
        Names of the files that are written, or patterns of them such as ``*.html``.

    Raises
    ------
    OutputError
        If something is at `path` that may not be overwritten, or its folder is missing.
    """
    if not path.name:
        raise OutputError(f"{path}: expected the name of a folder to make, not the current one")
    if not os.path.lexists(path):
        check_free(path, force=False)
    elif not force:
        raise OutputError(f"{path}: exists already; choose another name or use --force")
    elif path.is_symlink() or not path.is_dir():
        raise OutputError(f"{path}: is no folder; expected the name of a folder to write")
    elif others := sorted(
        each.name for each in path.iterdir() if not (each.is_file() and any(map(each.match, files)))
    ):
        raise OutputError(
            f"{path}: holds {others[0]}, which is not written here; expected a folder that may be "
            "overwritten as a whole; choose another name"
        )


@contextmanager
def writing_folder(path: Path, *, replaces: Collection[str] | None = None) -> Iterator[Path]:
    """Give a new folder beside `path`, and rename it to `path` if all goes well.

    Parameters
    ----------
    path : Path
    replaces : collection of str, optional
        A folder that holds nothing but files of these names or patterns is overwritten; by default
        none is.

    Raises
    ------
    OutputError
        If something is at `path`, its folder is missing, or something cannot be written; nothing is
        left behind then.
    """
    if replaces is not None:
        check_folder_free(path, force=True, files=replaces)
    elif os.path.lexists(path):
        raise OutputError(f"{path}: exists already; name a folder that does not")
    else:
        check_free(path, force=False)
    temporary = path.with_name(f".{path.name}.{uuid.uuid4().hex[:8]}.tmp")
    try:
        temporary.mkdir()
        yield temporary
        _take_place(temporary, path)
    except OSError as error:
        raise _unwritable(path, error) from error
    finally:
        shutil.rmtree(temporary, ignore_errors=True)


def _take_place(temporary: Path, path: Path) -> None:
    """Rename a folder to `path`; what is there is deleted after that, or stays."""
    if not path.exists():
        temporary.rename(path)
        return
    replaced = temporary.with_suffix(".old")
    path.rename(replaced)
    try:
        temporary.rename(path)
    except OSError:
        replaced.rename(path)
        raise
    shutil.rmtree(replaced, ignore_errors=True)


def _unwritable(path: Path, error: OSError) -> OutputError:
    return OutputError(
        f"{path}: cannot be written ({error.strerror or error}); nothing was left behind; "
        "free some space or choose another place"
    )
