"""Reading a file or a folder as a run: its content, not its name, says what it is."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path

from gale.errors import ReadError
from gale.readers import andi, chemstation, folders, jcamp, mzml, table, vendor
from gale.readers.formats import (
    HEAD_BYTES,
    display_name,
    gunzip,
    name_format,
    opened_head,
    sniff,
)
from gale.readers.scans import FACT_SPECTRA, looks_like_profile, profile_error
from gale.run import Run

__all__ = [
    "display_name",
    "glance",
    "is_run_file",
    "load",
    "parse_run",
    "read_run",
    "sniff",
]

SCAN_FORMATS = ("andi", "chemstation", "jcamp", "mzml")
"""Formats of scans, which are not tables."""

SHORTEST_MIN, LONGEST_MIN = 1.0, 300.0
"""A GC-MS run outside these limits probably has its times in another unit."""


def read_run(path: str | os.PathLike[str], *, columns: Mapping[str, str] | None = None) -> Run:
    """Read a run: CSV, Parquet, ANDI netCDF, JCAMP-DX, mzML or data.ms, also inside gzip.

    Parameters
    ----------
    path : str or path
        The file, or the folder in which an Agilent or Waters instrument keeps a run. What it is
        follows from its content.
    columns : mapping, optional
        For tables, the names of the columns where they are not ``time`` (minutes), ``mass`` and
        ``intensity``: ``{"time_min": "RT", "mz": "m/z", "intensity": "counts"}``, or with
        ``time_s`` in place of ``time_min`` for seconds.

    Returns
    -------
    Run

    Raises
    ------
    ReadError
        If the file is missing, empty, cut short or wrong.
    UnsupportedFormatError
        If the file is something that gale does not read; the message says what it is.
    """
    return parse_run(load(path), display_name(path), columns=columns)


def load(path: str | os.PathLike[str]) -> bytes:
    """Give the bytes of a file, or those of the folder of a run that matter.

    Raises
    ------
    ReadError
        If it is missing, empty, a folder of something else, or may not be read.
    UnsupportedFormatError
        If it is a folder of an instrument's software that gale does not read.
    """
    file = Path(path)
    try:
        if file.is_dir():
            return folders.load(file)
        data = file.read_bytes()
    except OSError as error:
        raise _unreadable(path, error) from error
    if not data:
        raise _empty(path)
    return data


def parse_run(data: bytes, source: str, *, columns: Mapping[str, str] | None = None) -> Run:
    """Read what :func:`load` gave as a run; `source` names it in messages. See :func:`read_run`."""
    if not data:
        raise _empty(source)
    if isinstance(data, folders.PackedFolder):
        return _check(folders.read(data, source))
    data = gunzip(data, source)
    match word := name_format(data[:HEAD_BYTES]):
        case "csv" | "parquet":
            run = table.read(data, source, columns=columns)
        case "andi":
            run = andi.read(data, source)
        case "jcamp":
            run = jcamp.read(data, source)
        case "mzml":
            run = mzml.read(data, source)
        case "chemstation":
            run = chemstation.read(data, source)
        case _:
            raise vendor.refusal(word, data, source)
    return _check(run)


def _check(run: Run) -> Run:
    """Refuse profile data, and note what is odd about the times."""
    if run.facts.get(FACT_SPECTRA) != "centroid" and looks_like_profile(run):
        raise profile_error(
            run.source,
            "its points follow each other in small equal steps of m/z, as in profile data",
        )
    return _note_length(run)


def is_run_file(path: str | os.PathLike[str], *, columns: Mapping[str, str] | None = None) -> bool:
    """Whether a file looks like a run, from its beginning alone; of a folder, from its names.

    A table is a run when it has the columns (`columns` as in :func:`read_run`); a table of labels
    or a text is not, nor is what gale does not read.

    Raises
    ------
    ReadError
        If the file may not be read.
    """
    file = Path(path)
    try:
        if file.is_dir():
            found = folders.recognise(file)
            return found is not None and bool(found.format)
    except OSError as error:
        raise _unreadable(path, error) from error
    if not file.is_file():
        return False
    word, header = glance(path)
    return word in SCAN_FORMATS or table.count_columns(header, columns) == table.N_COLUMNS


def glance(path: str | os.PathLike[str]) -> tuple[str | None, list[str]]:
    """Name the format of a file as :func:`sniff` does, and its columns if it is a table.

    Raises
    ------
    ReadError
        If the file is missing, a folder, damaged as a gzip file, or may not be read.
    """
    try:
        with Path(path).open("rb") as file:
            head = opened_head(file.read(HEAD_BYTES))
    except OSError as error:
        raise _unreadable(path, error) from error
    word = name_format(head)
    if word == "csv":
        return word, table.csv_header(head)
    if word == "parquet":
        return word, table.parquet_header(gunzip(load(path), display_name(path)))
    return word, []


def _empty(source: str | os.PathLike[str]) -> ReadError:
    return ReadError(f"{display_name(source)}: is empty; expected a run; copy or export it again")


def _unreadable(unreadable: str | os.PathLike[str], error: OSError) -> ReadError:
    path = display_name(unreadable)
    if isinstance(error, FileNotFoundError):
        return ReadError(f"{path}: does not exist; expected a file; check the path")
    return ReadError(
        f"{path}: cannot be read ({error.strerror}); expected a file that you may read; check its "
        "permissions"
    )


def _note_length(run: Run) -> Run:
    length = float(run.time_min[-1] - run.time_min[0])
    if SHORTEST_MIN <= length <= LONGEST_MIN:
        return run
    return run.with_notes(
        f"the run lasts {length:.3g} min, which is unusual; its times may be in another unit than "
        "was read"
    )
