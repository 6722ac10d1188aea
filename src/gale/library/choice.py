"""What the names of libraries stand for, and which libraries are used where none is named."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import replace
from functools import cache

from gale.library.embedded import embedded_library
from gale.library.installed import installed, installed_names
from gale.library.library import Library
from gale.library.reading import read_library
from gale.library.substances import KINDS, default_libraries, substances

OWN, FURTHER = "gale", "further"
"""What comes with gale: what is used by default, and further substances."""

Named = str | os.PathLike[str]
"""The name of a library, or the path of a file or folder."""


def read_named(name: Named) -> Library:
    """Read further substances, a library that was added, or else the file or folder of a path.

    A text that is a name comes before a file that is called so, which ``./NAME`` stands for.

    Raises
    ------
    ReadError
        If it is none of these, or cannot be read.
    """
    if isinstance(name, str) and name == FURTHER:
        return replace(substances("further"), source=FURTHER)
    if isinstance(name, str) and name in installed_names():
        (library,) = installed([name])
        return library
    return read_library(name)


def references(names: Sequence[Named] | None = None) -> tuple[Library, ...]:
    """Read what spectra are compared with.

    Parameters
    ----------
    names : sequence of str or path, optional
        ``gale`` stands for all that comes with gale. By default that, and what was added.

    Raises
    ------
    ReadError

    Examples
    --------
    >>> [library.source for library in references(["gale"])]
    ['gale']
    """
    if names is None:
        return _own_references(), *installed()
    return tuple(
        _own_references() if isinstance(name, str) and name == OWN else read_named(name)
        for name in names
    )


def analytes(names: Sequence[Named]) -> list[Library]:
    """Read what simulated samples are made of.

    Parameters
    ----------
    names : sequence of str or path
        ``gale`` stands for metabolites and volatile compounds, of which samples are made by
        default.

    Raises
    ------
    ReadError

    Examples
    --------
    >>> [len(library) for library in analytes(["gale", "further"])][:2]
    [1284, 125]
    """
    libraries: list[Library] = []
    for name in names:
        libraries += default_libraries() if name == OWN else [read_named(name)]
    return libraries


@cache
def _own_references() -> Library:
    others = [substances(kind) for kind in KINDS]
    return replace(Library.join([embedded_library(), *others]), source=OWN)
