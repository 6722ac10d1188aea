"""Reading a library from a path: the content tells in which format it is."""

from __future__ import annotations

import logging
import os
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import NamedTuple

from gale.errors import ReadError, warn
from gale.library import amdis, jcamp, massbank, msp
from gale.library.library import Library
from gale.library.records import Record, build_library
from gale.plumbing.kinds import checked
from gale.plumbing.reading import is_within, read_bytes
from gale.plumbing.text import display_name
from gale.readers.archives import gunzip

LOG = logging.getLogger("gale.library")


class Format(NamedTuple):
    """A format of libraries.

    Parameters
    ----------
    is_format : callable
        Whether a text is of this format.
    split_records : callable
        Yields the records of a text.
    peak_columns : int
        Numbers per peak.
    """

    is_format: Callable[[str], bool]
    split_records: Callable[[str], Iterator[Record]]
    peak_columns: int


FORMATS = (
    Format(massbank.is_massbank, massbank.split_records, massbank.PEAK_COLUMNS),
    Format(jcamp.is_jcamp, jcamp.split_records, jcamp.PEAK_COLUMNS),
    Format(amdis.is_amdis, amdis.split_records, amdis.PEAK_COLUMNS),
    Format(lambda _: True, msp.split_records, msp.PEAK_COLUMNS),
)
"""What is tried, in order."""

NOT_MASSBANK = "not a MassBank record"
UNREADABLE = "the file cannot be read"


@checked
def read_library(path: str | os.PathLike[str]) -> Library:
    r"""Read a file of reference spectra, which may be gzipped, or a folder of MassBank records.

    A file is MSP, an AMDIS library (``.MSL``), components that AMDIS found (``.ELU``, ``.FIN``),
    JCAMP-DX, or MassBank records; its content tells which.

    Unusable records are left out, counted by reason in `Library.skipped` and warned of
    (`gale.GaleWarning`): records without a name or peaks, with another number of peaks than
    declared, with a peak that is not a number or out of range, or not from electron ionisation.

    Parameters
    ----------
    path : str or path
        The file, or a folder in which every ``.txt`` file at any depth has MassBank records.

    Returns
    -------
    Library

    Raises
    ------
    ReadError
        If the path is missing, unreadable or damaged, or has no usable spectrum.

    Examples
    --------
    >>> import tempfile
    >>> from pathlib import Path
    >>> from gale import read_library
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     path = Path(folder, "mine.msp")
    ...     _ = path.write_text("Name: methane\nRI: 100\nNum Peaks: 2\n15 888\n16 999\n")
    ...     library = read_library(path)
    >>> library.name, library.retention_index
    (('methane',), array([100.]))
    """
    place, source = Path(path), display_name(path)
    try:
        is_folder = place.is_dir()
    except OSError as error:
        raise _unreadable(source, error) from error
    library = _read(place, source, is_folder)
    LOG.info("library %s: %s spectra", source, len(library))
    if library.note:
        warn(library.note)
    return library


def _read(place: Path, source: str, is_folder: bool) -> Library:
    if is_folder:
        return build_library(_folder_records(place), source, massbank.PEAK_COLUMNS)
    text = _read_text(place)
    found = next(each for each in FORMATS if each.is_format(text))
    return build_library(found.split_records(text), source, found.peak_columns)


def _folder_records(folder: Path) -> Iterator[Record]:
    """Yield the records of a folder in order of their paths, and a flawed one for other files."""
    for file in sorted(folder.rglob("*.txt")):
        try:
            text = _read_text(file) if is_within(file, folder) else None
        except ReadError:
            text = None
        if text is None:
            yield Record(flaw=UNREADABLE)
            continue
        if massbank.is_massbank(text):
            yield from massbank.split_records(text)
        else:
            yield Record(flaw=NOT_MASSBANK)


def _read_text(file: Path) -> str:
    """Read a file as text: UTF-8, or else Latin-1, which can decode anything."""
    source = display_name(file)
    try:
        data = read_bytes(file)
    except OSError as error:
        raise _unreadable(source, error) from error
    data = gunzip(data, source)
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError:
        text = data.decode("latin-1")
    return text.replace("\r\n", "\n").replace("\r", "\n")


def _unreadable(source: str, error: OSError) -> ReadError:
    return ReadError(
        source,
        f"cannot be read ({error.strerror})",
        "a library (MSP, MSL, ELU, JCAMP-DX) or a folder of MassBank records",
        "check the path and its permissions",
    )
