"""Reading a file or a folder as a run: its content, not its name, says what it is."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from functools import partial
from pathlib import Path

from gale.errors import ReadError
from gale.plumbing.text import display_name
from gale.readers import andi, instrument_folders, jcamp, refused, tables
from gale.readers.archives import Content, unpack
from gale.readers.centroids import centroid as to_centroids
from gale.readers.formats import name_format, sniff
from gale.readers.limits import HEAD_BYTES, max_unpacked
from gale.readers.scans import (
    FACT_SPECTRA,
    LONGEST_MIN,
    SHORTEST_MIN,
    looks_like_profile,
    profile_error,
)
from gale.readers.tables import columnar
from gale.readers.tables.headers import N_COLUMNS, count_columns, given_names
from gale.readers.tables.text import as_utf8, find_table
from gale.readers.vendors import chemstation
from gale.readers.xml import mzml, mzxml
from gale.run import Run

__all__ = [
    "glance",
    "is_run_file",
    "load",
    "parse_run",
    "read_run",
    "sniff",
]

VERSION = 1
"""Raised when a file gives another run than before, so that kept features are not used any more."""

SCAN_FORMATS = ("andi", "chemstation", "jcamp", "mzml", "mzxml")
"""Formats of scans, which are not tables."""


def read_run(
    path: str | os.PathLike[str],
    *,
    columns: Mapping[str, str] | None = None,
    centroid: bool = False,
) -> Run:
    """Read a run: CSV, Parquet, Arrow, ANDI netCDF, JCAMP-DX, mzML, mzXML or a folder.

    Any file of these may be in gzip, or in a ZIP archive as its only run.

    Parameters
    ----------
    path : str or path
        The file, or the folder in which an Agilent or Waters instrument keeps a run. What it is
        follows from its content.
    columns : mapping, optional
        For tables, the names of columns that do not say what they are, or of which several may be
        meant: ``{"time_min": "t", "mz": "x", "intensity": "y"}``, or with ``time_s`` or
        ``time_ms`` in place of ``time_min`` for seconds and milliseconds.
    centroid : bool
        Whether profile data are made centroids, see `gale.readers.centroids`, rather than refused;
        the run's facts and notes then say so.

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
    return parse_run(load(path), display_name(path), columns=columns, centroid=centroid)


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
            return instrument_folders.load(file)
        data = file.read_bytes()
    except OSError as error:
        raise _unreadable(path, error) from error
    if not data:
        raise _empty(path)
    return data


def parse_run(
    data: bytes,
    source: str,
    *,
    columns: Mapping[str, str] | None = None,
    centroid: bool = False,
) -> Run:
    """Read what :func:`load` gave as a run; `source` names it in messages. See :func:`read_run`."""
    if not data:
        raise _empty(source)
    if isinstance(data, instrument_folders.PackedFolder):
        return _check(instrument_folders.read(data, source))
    given_names(columns, source)
    content = Content.of_bytes(data, source)
    content = unpack(content, partial(_is_run, columns=columns), max_unpacked(len(data)))
    data, source = content.read(), content.source
    match word := name_format(data[:HEAD_BYTES]):
        case "csv" | "text":  # a text may be a table by the caller's names
            run = tables.read_csv(data, source, columns=columns)
        case "parquet" | "arrow":
            run = tables.read_columnar(data, source, word, columns=columns)
        case "andi":
            run = andi.read(data, source, profile=centroid)
        case "jcamp":
            run = jcamp.read(data, source)
        case "mzml":
            run = mzml.read(data, source, profile=centroid)
        case "mzxml":
            run = mzxml.read(data, source, profile=centroid)
        case "chemstation":
            run = chemstation.read(data, source)
        case _:
            raise refused.refusal(word, data, source)
    return _check(run, centroid=centroid)


def _check(run: Run, *, centroid: bool = False) -> Run:
    """Refuse profile data or make them centroids, and note what is odd about the times."""
    if centroid and run.facts.get(FACT_SPECTRA) != "centroid":
        run = to_centroids(run)
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
            found = instrument_folders.identify(file)
            return found is not None and bool(found.format)
    except OSError as error:
        raise _unreadable(path, error) from error
    if not file.is_file():
        return False
    return _makes_run(*glance(path, columns=columns), columns)


def glance(
    path: str | os.PathLike[str], *, columns: Mapping[str, str] | None = None
) -> tuple[str | None, list[str]]:
    """Name the format of a file as :func:`sniff` does, and its columns if it is a table.

    Of an archive with one run they are those of the run. With `columns`, see :func:`read_run`, a
    header with those names is recognised below other lines.

    Raises
    ------
    ReadError
        If the file is missing, a folder, damaged as a gzip file, or may not be read.
    """
    try:
        content = Content.of_file(Path(path))
        size = Path(path).stat().st_size
    except OSError as error:
        raise _unreadable(path, error) from error
    try:
        content = unpack(content, partial(_is_run, columns=columns), max_unpacked(size))
    except ReadError:
        return sniff(content.head), []
    return _look(content, columns)


def _is_run(content: Content, columns: Mapping[str, str] | None) -> bool:
    return _makes_run(*_look(content, columns), columns)


def _makes_run(word: str | None, header: Sequence[str], columns: Mapping[str, str] | None) -> bool:
    return word in SCAN_FORMATS or count_columns(header, columns) == N_COLUMNS


def _look(content: Content, columns: Mapping[str, str] | None) -> tuple[str | None, list[str]]:
    """Name the format of what is not packed, and its columns if it is a table."""
    word = name_format(content.head)
    if word in ("csv", "text"):
        text = find_table(as_utf8(content.head), columns)
        return ("csv", list(text.header)) if text else (word, [])
    if word in ("parquet", "arrow"):
        with content.open() as file:
            try:
                return word, columnar.header(file, content.source, word)
            except ReadError:
                return word, []
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
