"""Writing results: whole or not at all, and never over something by accident."""

from __future__ import annotations

import os
import shutil
import uuid
from collections.abc import Collection, Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path

from gale.errors import OutputError
from gale.tables import exists, listed


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


@contextmanager
def writing_folder(path: Path, *, replaces: Collection[str] = ()) -> Iterator[Path]:
    """Give a new folder beside `path`, and rename it to `path` if all goes well.

    Parameters
    ----------
    path : Path
    replaces : collection of str
        A folder that holds nothing but files with these suffixes is replaced.

    Raises
    ------
    OutputError
        If something else is at `path`, its folder is missing, or something cannot be written;
        nothing is left behind then.
    """
    check_free_folder(path, replaces=replaces)
    temporary = path.with_name(f".{path.name}.{uuid.uuid4().hex[:8]}.tmp")
    old = temporary.with_suffix(".old")
    try:
        temporary.mkdir()
        yield temporary
        if path.exists():
            path.rename(old)
        temporary.rename(path)
    except OSError as error:
        raise _unwritable(path, error) from error
    finally:
        if old.exists() and not path.exists():
            old.rename(path)
        for each in (temporary, old):
            shutil.rmtree(each, ignore_errors=True)


def check_free_folder(path: Path, *, replaces: Collection[str] = ()) -> None:
    """Refuse a path at which something is that :func:`writing_folder` does not replace.

    Raises
    ------
    OutputError
    """
    if not os.path.lexists(path):
        check_free(path, force=False)
    elif not replaces:
        raise OutputError(f"{path}: exists already; name a folder that does not")
    elif path.is_symlink() or not path.is_dir():
        raise OutputError(f"{path}: is no folder; expected one to replace; name another")
    elif others := sorted(each.name for each in path.iterdir() if each.suffix not in replaces):
        raise OutputError(
            f"{path}: holds {listed(others, 3)}; expected nothing but {', '.join(replaces)} files, "
            "to replace it; name another folder"
        )


def _unwritable(path: Path, error: OSError) -> OutputError:
    return OutputError(
        f"{path}: cannot be written ({error.strerror or error}); nothing was left behind; "
        "free some space or choose another place"
    )
