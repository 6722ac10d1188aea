"""Reading a file as a run: its content, not its name, says what it is."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path

from gale.errors import ReadError
from gale.readers import andi, jcamp, mzml, mzxml, table, vendor
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

SCAN_FORMATS = ("andi", "jcamp", "mzml", "mzxml")
"""Formats of scans, which are not tables."""

SHORTEST_MIN, LONGEST_MIN = 1.0, 300.0
"""A GC-MS run outside these limits probably has its times in another unit."""


def read_run(path: str | os.PathLike[str], *, columns: Mapping[str, str] | None = None) -> Run:
    """Read a file as a run: CSV, Parquet, ANDI netCDF, JCAMP-DX, mzML or mzXML.

    Any of them may be inside gzip.

    Parameters
    ----------
    path : str or path
        The file. What it is follows from its content.
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
    """Give the bytes of a file.

    Raises
    ------
    ReadError
        If it is missing, empty, a folder, or may not be read.
    UnsupportedFormatError
        If it is the folder that an instrument's software keeps a run in.
    """
    file = Path(path)
    try:
        if file.is_dir():
            raise vendor.folder_refusal(file) or ReadError(
                f"{display_name(path)}: is a folder; expected the file of one run"
            )
        data = file.read_bytes()
    except OSError as error:
        raise _unreadable(path, error) from error
    if not data:
        raise _empty(path)
    return data


def parse_run(data: bytes, source: str, *, columns: Mapping[str, str] | None = None) -> Run:
    """Read the bytes of a file as a run; `source` names it in messages. See :func:`read_run`."""
    if not data:
        raise _empty(source)
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
        case "mzxml":
            run = mzxml.read(data, source)
        case _:
            raise vendor.refusal(word, data, source)
    if run.facts.get(FACT_SPECTRA) != "centroid" and looks_like_profile(run):
        raise profile_error(
            source, "its points follow each other in small equal steps of m/z, as in profile data"
        )
    return _note_length(run)


def is_run_file(path: str | os.PathLike[str], *, columns: Mapping[str, str] | None = None) -> bool:
    """Whether a file looks like a run, from its beginning alone.

    A table is a run when it has the columns (`columns` as in :func:`read_run`); a table of labels
    or a text is not, nor is a folder or what gale does not read.

    Raises
    ------
    ReadError
        If the file may not be read.
    """
    if not Path(path).is_file():
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
