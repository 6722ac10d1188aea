"""Libraries that a user has added: converted once, then used without being named again.

Each is one file ``NAME.gale-library`` in the user's data folder, or in the one that the environment
variable :data:`FOLDER_VARIABLE` names: the SHA-256 of what follows, then an NPZ file with the
columns of a :class:`~gale.library.library.Library`, as arrays and JSON, and where it is from.
"""

from __future__ import annotations

import io
import json
import os
import re
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np
import platformdirs

from gale.errors import GaleError, ReadError
from gale.library.library import Library
from gale.plumbing.arrays import load_arrays
from gale.plumbing.checksums import checked_content, with_checksum
from gale.plumbing.files import writing
from gale.plumbing.kinds import checked
from gale.plumbing.outputs import make_folder
from gale.plumbing.reading import read_bytes
from gale.plumbing.schema import read_json

FOLDER_VARIABLE = "GALE_LIBRARIES"
"""Environment variable that names another folder for added libraries."""

FORMAT = 1
"""Raised when files change so that an older gale cannot read them."""

SUFFIX = ".gale-library"
RESERVED = ("gale", "further")
"""Names that stand for something else."""

_NAME = re.compile(r"[a-z0-9][a-z0-9_-]{0,49}")
_TEXTS = ("name", "formula", "smiles", "inchi", "inchikey", "derivative", "families")
_ARRAYS = {"spectrum_start": "i8", "mz": "f8", "intensity": "f8", "retention_index": "f8"}


@dataclass(frozen=True)
class InstalledLibrary:
    """A library that was added, without its spectra.

    Parameters
    ----------
    name : str
    spectra, with_index, with_families : int
        Spectra in all, with a retention index, and with known families.
    source : str
        The file or folder that it was converted from.
    sha256 : str
        See :attr:`gale.library.library.Library.sha256`.
    gale_version : str
        What converted it.

    Examples
    --------
    >>> from gale.library import InstalledLibrary
    >>> InstalledLibrary("alkanes", 32, 32, 32, "alkanes.msp", "0a" * 32, "0.1.0").facts
    {'name': 'alkanes', 'spectra': 32, 'sha256': '0a0a...'}
    """

    name: str
    spectra: int
    with_index: int
    with_families: int
    source: str
    sha256: str
    gale_version: str

    @property
    def facts(self) -> dict[str, str | int]:
        """What a result says of a library that it used."""
        return {"name": self.name, "spectra": self.spectra, "sha256": self.sha256}


def library_folder() -> Path:
    """Return the folder of added libraries, which need not exist."""
    if named := os.environ.get(FOLDER_VARIABLE):
        return Path(named)
    return platformdirs.user_data_path("gale", appauthor=False) / "libraries"


def check_name(name: str) -> None:
    """Refuse what cannot be the name of an added library.

    Raises
    ------
    GaleError
    """
    if name in RESERVED:
        raise GaleError(
            f"library {name!r}",
            "is a name that stands for something else",
            "a name of your own",
            "choose another name",
        )
    if not _NAME.fullmatch(name):
        raise GaleError(
            f"library {name!r}",
            "cannot be a name",
            "up to 50 lower-case letters, digits, - and _, a letter or digit first",
            "choose another name",
        )


def install(library: Library, name: str, *, force: bool = False) -> InstalledLibrary:
    """Write a library under a name into the folder of added libraries.

    :func:`gale.add_library` also reads it and finds out its families.

    Raises
    ------
    GaleError
        If the name cannot be one.
    OutputError
        If there is one of this name and `force` is false, or it cannot be written.
    """
    check_name(name)
    path = _path(name)
    make_folder(path.parent)
    added = InstalledLibrary(
        name,
        spectra=len(library),
        with_index=int(np.isfinite(library.retention_index).sum()),
        with_families=sum(each is not None for each in library.families),
        source=library.source,
        sha256=library.sha256,
        gale_version=version("gale-ms"),
    )
    texts = {column: getattr(library, column) for column in _TEXTS}
    arrays: dict[str, Any] = {
        column: np.asarray(getattr(library, column), kind) for column, kind in _ARRAYS.items()
    }
    buffer = io.BytesIO()
    np.savez_compressed(
        buffer,
        **arrays,
        texts=_as_bytes(texts),
        facts=_as_bytes({"format": FORMAT, **asdict(added)}),
    )
    with writing(path, force=force) as temporary:
        temporary.write_bytes(with_checksum(buffer.getvalue()))
    return added


def installed_libraries() -> tuple[InstalledLibrary, ...]:
    """List the libraries that were added, by name, without their spectra.

    Raises
    ------
    ReadError
        If the file of one is damaged.

    Examples
    --------
    >>> import gale
    >>> [library.name for library in gale.installed_libraries()]
    []
    """
    return tuple(_read(name)[1] for name in installed_names())


def installed_names() -> list[str]:
    """Name the libraries that were added, sorted.

    Raises
    ------
    ReadError
        If their folder cannot be read.
    """
    folder = library_folder()
    try:
        names = [path.name.removesuffix(SUFFIX) for path in folder.glob(f"*{SUFFIX}")]
    except OSError as error:
        raise ReadError(
            str(folder),
            f"cannot be read ({error.strerror})",
            "a folder of added libraries",
            f"correct the environment variable {FOLDER_VARIABLE}",
        ) from error
    return sorted(name for name in names if _NAME.fullmatch(name))


def installed(names: Sequence[str] | None = None) -> tuple[Library, ...]:
    """Read libraries that were added, by default all of them, in the order of their names.

    Raises
    ------
    ReadError
        If there is none of a name, or its file is damaged.

    Examples
    --------
    >>> from gale.library import installed
    >>> installed()
    ()
    """
    return tuple(_read(name)[0] for name in (installed_names() if names is None else names))


@checked
def remove_library(name: str) -> None:
    """Remove a library that was added.

    Raises
    ------
    ReadError
        If there is none of this name, or its file cannot be deleted.

    Examples
    --------
    >>> import gale
    >>> gale.remove_library("mine")
    Traceback (most recent call last):
        ...
    gale.errors.ReadError: library 'mine': was not added; ...
    """
    try:
        if not _NAME.fullmatch(name):
            raise _not_added(name)
        _path(name).unlink()
    except FileNotFoundError as error:
        raise _not_added(name) from error
    except OSError as error:
        raise ReadError(
            f"library {name!r}",
            f"cannot be removed ({error.strerror})",
            remedy=f"delete {_path(name)} by hand",
        ) from error


def _path(name: str) -> Path:
    return library_folder() / f"{name}{SUFFIX}"


def _as_bytes(value: object) -> Any:
    return np.frombuffer(json.dumps(value).encode(), np.uint8)


def _read(name: str) -> tuple[Library, InstalledLibrary]:
    """Read a library that was added, and compare it with its checksum."""
    path = _path(name)
    try:
        data = read_bytes(path)
    except FileNotFoundError as error:
        raise _not_added(name) from error
    except OSError as error:
        raise _damaged(name, f"cannot be read ({error.strerror})") from error
    content = checked_content(data)
    arrays = None if content is None else load_arrays(content)
    if arrays is None:
        raise _damaged(name)
    try:
        facts = read_json(arrays["facts"].tobytes())
        number = facts.pop("format")
        if number == FORMAT:
            added = InstalledLibrary(**facts)
            library = _library(arrays, added.name)
            sha256 = library.sha256
    except (KeyError, ValueError, TypeError, AttributeError) as error:
        raise _damaged(name) from error
    if number != FORMAT:
        raise _damaged(name, f"was converted by another gale (format {number}, not {FORMAT})")
    if (added.name, added.sha256) != (name, sha256):
        raise _damaged(name)
    return library, added


def _library(arrays: dict[str, Any], name: str) -> Library:
    texts = read_json(arrays["texts"].tobytes())
    families = tuple(None if each is None else tuple(each) for each in texts.pop("families"))
    columns: dict[str, Any] = {column: tuple(value) for column, value in texts.items()}
    columns |= {column: arrays[column].astype(kind) for column, kind in _ARRAYS.items()}
    return Library(**columns, families=families, source=name)


def _not_added(name: str) -> ReadError:
    names = installed_names()
    return ReadError(
        f"library {name!r}",
        "was not added",
        f"one of {', '.join(names)}" if names else "",
        "see what was added with gale.installed_libraries()",
    )


def _damaged(name: str, found: str = "is damaged") -> ReadError:
    return ReadError(
        f"library {name!r} ({_path(name)})",
        found,
        "what gale.add_library wrote",
        "remove it with gale.remove_library and add it again",
    )
