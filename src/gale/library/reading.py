"""Reading a library from a path: its content says whether it is MSP or MassBank records."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

from gale.errors import ReadError
from gale.library import massbank, msp
from gale.library.columns import Library
from gale.library.records import Record, gather
from gale.plumbing.text import display_name
from gale.readers.archives import gunzip

NOT_MASSBANK = "not a MassBank record"
UNREADABLE = "the file cannot be read"


def read_library(path: str | os.PathLike[str]) -> Library:
    """Read an MSP file, a file of MassBank records (both also inside gzip), or a folder of them.

    A record that cannot be used is left out and counted by reason: it has no name or no peaks,
    their number is not the declared one, one of them is not a number or out of range, or it is
    not of electron ionisation.

    Parameters
    ----------
    path : str or path
        The file; or the folder, in which every ``.txt`` at any depth is one MassBank record.

    Returns
    -------
    Library

    Raises
    ------
    ReadError
        If the path is missing, may not be read, is damaged, or holds no spectrum that can be
        used.
    """
    place, source = Path(path), display_name(path)
    try:
        is_folder = place.is_dir()
    except OSError as error:
        raise _unreadable(source, error) from error
    if is_folder:
        return gather(_folder_records(place), source, columns=massbank.COLUMNS)
    text = _read_text(place)
    if massbank.is_massbank(text):
        return gather(massbank.split_records(text), source, columns=massbank.COLUMNS)
    return gather(msp.split_records(text), source, columns=msp.COLUMNS)


def _folder_records(folder: Path) -> Iterator[Record]:
    """Give the records of a folder in order of their paths; of another file, why it is none."""
    for file in sorted(folder.rglob("*.txt")):
        try:
            text = _read_text(file)
        except ReadError:
            yield Record(flaw=UNREADABLE)
            continue
        if massbank.is_massbank(text):
            yield from massbank.split_records(text)
        else:
            yield Record(flaw=NOT_MASSBANK)


def _read_text(file: Path) -> str:
    """Read a file as text: UTF-8, or Latin-1, in which anything can be read."""
    source = display_name(file)
    try:
        data = file.read_bytes()
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
        f"{source}: cannot be read ({error.strerror}); expected an MSP file or a folder of "
        "MassBank records; check the path and its permissions"
    )
