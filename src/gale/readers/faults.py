"""What may go wrong with any file: turned into an error of that file, which stops no batch."""

from __future__ import annotations

import os
import struct
from collections.abc import Iterator
from contextlib import contextmanager

import polars as pl
from lxml import etree

from gale.errors import ReadError
from gale.plumbing.text import display_name

OF_CONTENT = (
    OverflowError,
    struct.error,
    etree.LxmlError,
    pl.exceptions.PolarsError,
    pl.exceptions.PanicException,
)
"""Errors of number types, lxml and polars that only the content of a file can cause."""


@contextmanager
def faults_of(source: str | os.PathLike[str]) -> Iterator[None]:
    """Raise what goes wrong within as an error of the file `source`.

    Mistakes of this package, such as a KeyError, stay what they are.

    Raises
    ------
    ReadError
        If the memory is exhausted, the content is nested too deeply, or a library refuses it.

    Examples
    --------
    >>> with faults_of("run.csv"):
    ...     raise MemoryError
    Traceback (most recent call last):
        ...
    gale.errors.ReadError: run.csv: does not fit into the memory; expected a run, which is far
    smaller; check what the file is, or read it on a larger machine
    """
    try:
        yield
    except MemoryError as error:
        raise ReadError(
            display_name(source),
            "does not fit into the memory",
            "a run, which is far smaller",
            "check what the file is, or read it on a larger machine",
        ) from error
    except RecursionError as error:
        raise ReadError(
            display_name(source), "is nested too deeply", "a run", "check what the file is"
        ) from error
    except OF_CONTENT as error:
        why = " ".join(str(error).split())[:120]
        raise ReadError(
            display_name(source),
            f"has content that cannot be read ({why or type(error).__name__})",
            "a run",
            "copy or export it again",
        ) from error
