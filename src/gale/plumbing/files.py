"""Writing results: completely or not at all, and never over an existing file by accident."""

from __future__ import annotations

import os
import shutil
import uuid
from collections.abc import Collection, Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path

from gale.errors import OutputError

A_FILE, A_FOLDER = "the name of a file to write", "the name of a folder to write"
"""What is expected of a path that cannot be written."""

OVERWRITE = "choose another name or pass force=True"
"""What to do where something exists that may be overwritten."""


def exists(path: Path) -> bool:
    """Whether a path exists; false, too, for a text that cannot be a path."""
    return os.path.exists(path)  # noqa: PTH110  (false, where Path.exists raises: too long, denied)


def check_free(path: Path, *, force: bool) -> None:
    """Refuse to write a file that exists, or in a folder that does not.

    Raises
    ------
    OutputError
        If `path` exists and `force` is false, if it is a folder, or if its folder is missing.
    """
    try:
        is_folder, is_there, has_folder = path.is_dir(), path.exists(), path.parent.is_dir()
    except OSError as error:
        raise OutputError(
            path, f"cannot be accessed ({error.strerror})", remedy="choose another place"
        ) from error
    if is_folder:
        raise OutputError(path, "is a folder", A_FILE, "choose another name")
    if is_there and not force:
        raise OutputError(path, "exists already", remedy=OVERWRITE)
    if not has_folder:
        raise OutputError(
            path, f"is in the folder {path.parent}, which does not exist", remedy="create it first"
        )


def check_no_input(output: Path, inputs: Iterable[Path]) -> None:
    """Refuse to overwrite a file that is read.

    Raises
    ------
    OutputError
        If `output` is one of the `inputs`, under whatever name.
    """
    if output.exists() and any(exists(each) and output.samefile(each) for each in inputs):
        raise OutputError(output, "is one of the input files", A_FILE, "choose another name")


@contextmanager
def writing(path: Path, *, force: bool = False) -> Iterator[Path]:
    """Yield a temporary path beside `path`, and rename it to `path` on success.

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
    """Refuse to write a folder where something exists that may not be overwritten.

    Parameters
    ----------
    path : Path
    force : bool
        Whether a folder that contains only `files` may be overwritten.
    files : collection of str
        Names of the files that are written, or patterns such as ``*.html``.

    Raises
    ------
    OutputError
        If something at `path` may not be overwritten, or the parent of `path` is missing.
    """
    if not path.name:
        raise OutputError(path, "is the current folder", A_FOLDER, "choose another name")
    if not os.path.lexists(path):
        check_free(path, force=False)
    elif not force:
        raise OutputError(path, "exists already", remedy=OVERWRITE)
    elif path.is_symlink() or not path.is_dir():
        raise OutputError(path, "is not a folder", A_FOLDER, "choose another name")
    elif others := sorted(
        each.name for each in path.iterdir() if not (each.is_file() and any(map(each.match, files)))
    ):
        raise OutputError(
            path,
            f"contains {others[0]}, which gale does not write there",
            "a folder that may be overwritten as a whole",
            "choose another name",
        )


@contextmanager
def writing_folder(path: Path, *, replaces: Collection[str] | None = None) -> Iterator[Path]:
    """Yield a new folder beside `path`, and rename it to `path` on success.

    Parameters
    ----------
    path : Path
    replaces : collection of str, optional
        Names or patterns of files; a folder that contains only these is overwritten. By default
        nothing is overwritten.

    Raises
    ------
    OutputError
        If something exists at `path`, its parent is missing, or something cannot be written;
        nothing is left behind then.
    """
    if replaces is not None:
        check_folder_free(path, force=True, files=replaces)
    elif os.path.lexists(path):
        raise OutputError(path, "exists already", remedy="choose another name")
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
    """Rename a folder to `path`; delete what was there afterwards, or restore it on failure."""
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
        path,
        f"cannot be written ({error.strerror or error}), and nothing was left behind",
        remedy="free some space or choose another place",
    )
