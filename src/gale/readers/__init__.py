"""Read a file or a folder as a run; its content, not its name, decides the format."""

from __future__ import annotations

import hashlib
import io
import logging
import os
import time
from collections.abc import Iterable, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import IO

from gale.errors import ReadError
from gale.plumbing.frames import ArrowTable, Tabular, frame_of
from gale.plumbing.kinds import checked
from gale.plumbing.reading import (
    ChangedError,
    SpecialFileError,
    open_file,
    read_unchanging,
    size_of,
)
from gale.plumbing.remote import EXAMPLE, AddressError, address_of
from gale.plumbing.text import display_name
from gale.readers import andi, instrument_folders, jcamp, refused, tables
from gale.readers.archives import PACKED, Content, files_of, run_folders, unpack
from gale.readers.centroids import centroid as to_centroids
from gale.readers.faults import faults_of
from gale.readers.formats import ZIP, name_format, sniff
from gale.readers.limits import HEAD_BYTES, max_cells, max_unpacked
from gale.readers.scans import (
    FACT_SPECTRA,
    looks_like_profile,
    profile_error,
)
from gale.readers.tables import columnar
from gale.readers.tables.headers import N_COLUMNS, check_names, count_columns
from gale.readers.tables.text import as_utf8, find_table
from gale.readers.times import note_unusual
from gale.readers.vendors import chemstation
from gale.readers.xml import mzml, mzxml
from gale.run import Run

LOG = logging.getLogger("gale.readers")

__all__ = [
    "glance",
    "is_run_file",
    "load",
    "parse_run",
    "read_run",
    "runs_among",
    "sniff",
]

VERSION = 3
"""Increase it when a file gives another run than before, so that cached features are not used."""

MEMORY = "memory"
"""What messages call bytes and tables without a name."""

SCAN_FORMATS = ("andi", "chemstation", "jcamp", "masshunter", "masslynx", "mzml", "mzxml")
"""Formats that are not tables."""


@checked
def read_run(
    path: str | os.PathLike[str] | bytes | IO[bytes] | Tabular,
    *,
    name: str | None = None,
    columns: Mapping[str, str] | None = None,
    centroid: bool = False,
) -> Run:
    r"""Read a run: CSV, Parquet, Arrow, ANDI netCDF, JCAMP-DX, mzML, mzXML or a folder.

    A file may be compressed with gzip, or be the only run in a ZIP archive.

    Parameters
    ----------
    path : str, path, bytes, binary file, or table
        The file, also at an address such as ``s3://bucket/run.csv`` (with the extra ``remote``), or
        the folder in which an Agilent or Waters instrument keeps a run; the content of a file; a
        file that is open for reading bytes, which is read to its end; or a table of polars, pandas
        or any other library that speaks Arrow, with the columns of a file.
    name : str, optional
        What to call it in messages; by default its path, the name of an open file, or ``memory``.
    columns : mapping, optional
        Names of columns of a table that gale does not recognise, or of which it finds several:
        ``{"time_min": "t", "mz": "x", "intensity": "y"}``, with ``time_s`` or ``time_ms`` instead
        of ``time_min`` for seconds or milliseconds.
    centroid : bool
        Whether to centroid profile data (see `gale.readers.centroids`) instead of refusing them;
        the run's facts and notes then say so.

    Returns
    -------
    Run

    Raises
    ------
    ReadError
        If the file is missing, empty, cut short or damaged, or `columns` has a wrong key.
    UnsupportedFormatError
        If the file has a format that gale does not read; the message names the format if gale
        recognises it.

    Examples
    --------
    >>> import tempfile
    >>> from pathlib import Path
    >>> import gale
    >>> folder = tempfile.TemporaryDirectory()
    >>> file = Path(folder.name, "run.csv")
    >>> _ = file.write_text("t,m/z,counts\n60,43,900\n60,57,400\n120,71,250\n")
    >>> run = gale.read_run(file, columns={"time_s": "t"})
    >>> run.time_min.tolist(), run.ions_per_scan.tolist()
    ([1.0, 2.0], [2, 1])
    >>> folder.cleanup()
    >>> content = b"time,mass,intensity\n1,43,900\n2,71,250\n"
    >>> gale.read_run(content, name="run.csv")
    <Run run.csv (csv): 2 scans, 1.00 to 2.00 min, 2 ions, m/z 43 to 71>
    """
    if isinstance(path, str | os.PathLike):
        data, own_name = load(path), display_name(path)
    else:
        data, own_name = _content_of(path, name or MEMORY)
    source = own_name if name is None else display_name(name)
    return parse_run(data, source, columns=columns, centroid=centroid)


def _content_of(run: bytes | IO[bytes] | Tabular, source: str) -> tuple[bytes, str]:
    """Return the content of a run that is no path, and what it calls itself."""
    if isinstance(run, bytes):
        return run, MEMORY
    if isinstance(run, ArrowTable | Sequence):
        content = io.BytesIO()
        frame_of(run, source).write_ipc_stream(content)  # type: ignore[arg-type]
        return content.getvalue(), getattr(run, "source", MEMORY)
    try:
        data: object = run.read()
    except (OSError, ValueError) as error:  # written only, closed, or no disk
        raise ReadError(source, f"cannot be read ({error})", "a file open for reading") from error
    if not isinstance(data, bytes):
        raise ReadError(
            source, "is open as text", "a file open for reading bytes", "open it with mode 'rb'"
        )
    named = getattr(run, "name", MEMORY)  # a number for a file that was opened by its descriptor
    return data, display_name(named) if isinstance(named, str | os.PathLike) else MEMORY


def load(path: str | os.PathLike[str]) -> bytes:
    """Return the bytes of a file, or those in the folder of a run that :func:`parse_run` needs.

    Raises
    ------
    ReadError
        If it is missing, empty, unreadable, changed meanwhile, or a folder that is not a run.
    UnsupportedFormatError
        If it is a folder of a run in a format that gale does not read.
    """
    file = Path(path)
    try:
        with faults_of(path):
            data = instrument_folders.load(file) if file.is_dir() else read_unchanging(file)
    except (OSError, ValueError) as error:
        raise _unreadable(path, error) from error
    if not data:
        raise _empty(path)
    return data


DIGITS = 16
"""First hexadecimal digits of a checksum, by which models and predictions know content again."""


def checksum_of(data: bytes) -> str:
    """Return the SHA-256 of what :func:`load` returned, in hexadecimal digits."""
    return hashlib.sha256(data).hexdigest()


def load_same(path: str | os.PathLike[str], checksum: str) -> bytes:
    """Load a run again, and make sure that it is what it was.

    Parameters
    ----------
    path : str or path
    checksum : str
        What :func:`checksum_of` gave the first time; empty if that is not known.

    Raises
    ------
    ReadError
        As :func:`load`, or if the content has changed.
    """
    data = load(path)
    if checksum and checksum_of(data) != checksum:
        raise ReadError(
            display_name(path),
            "has changed since it was predicted",
            "the same content until all is done",
            "repeat this when nothing writes it any more",
        )
    return data


def is_packed(path: Path) -> bool:
    """Whether a file is gzip or a ZIP archive; not if it cannot be read."""
    try:
        with open_file(path) as file:
            return file.read(max(map(len, PACKED))).startswith(PACKED)
    except OSError:
        return False


def unpacked(data: bytes, source: str, *, columns: Mapping[str, str] | None = None) -> bytes:
    """Return what is in gzip or a ZIP archive that :func:`load` returned, and other bytes as is.

    For parameters and errors see :func:`parse_run`. A folder in an archive gives the same bytes as
    the folder itself.
    """
    if isinstance(data, instrument_folders.PackedFolder):
        return data
    with faults_of(source):
        return _unpack(data, source, columns).read()


def _unpack(data: bytes, source: str, columns: Mapping[str, str] | None) -> Content:
    content = Content.of_bytes(data, source)
    return unpack(content, partial(_is_run, columns=columns), max_unpacked(len(data)))


def runs_among(
    files: Iterable[tuple[str, Path]], source: str, *, columns: Mapping[str, str] | None = None
) -> tuple[list[Content], list[str]]:
    """Find the runs among files that belong together: a folder, or an archive of several runs.

    Parameters
    ----------
    files : iterable of (str, Path)
        The name of each file in the folder, with slashes between its parts, and where it is. Names
        are never used as paths. A single ZIP archive stands for the files in it.
    source : str
        Name of the whole in messages.
    columns : mapping, optional
        As in :func:`read_run`.

    Returns
    -------
    runs : list of Content
        What :func:`parse_run` takes once it is read: files, and folders of instruments. What cannot
        be told from a run by its beginning, such as a damaged file, is one of them.
    left_out : list of str
        Names of files that are clearly no runs.

    Raises
    ------
    ReadError
        If it is an archive that is damaged, encrypted or too large.
    """
    contents = [(name, Content.of_file(path, name)) for name, path in files]
    with faults_of(source):
        if len(contents) == 1 and contents[0][1].head.startswith(ZIP):
            archive = contents[0][1]
            with archive.open() as file:
                size = file.seek(0, os.SEEK_END)
            contents = files_of(archive, max_unpacked(size))
        entries = run_folders(contents, source)
    runs = [each for each in entries if len(entries) == 1 or _may_be_run(each, columns)]
    left_out = [each.source for each in entries if not any(each is run for run in runs)]
    return runs, left_out


def _may_be_run(content: Content, columns: Mapping[str, str] | None) -> bool:
    if content.folder is not None:
        return True
    try:
        inside = unpack(content, partial(_is_run, columns=columns), max_unpacked(len(content.head)))
        name, header = _inspect(inside, columns)
    except ReadError:
        return True  # whose reader says what is wrong with it
    return _makes_run(name, header, columns) or (not header and name not in refused.NO_RUNS)


def parse_run(
    data: bytes,
    source: str,
    *,
    columns: Mapping[str, str] | None = None,
    centroid: bool = False,
) -> Run:
    """Read the bytes that :func:`load` returned; `source` names the file in messages.

    For parameters and errors see :func:`read_run`.
    """
    return parse_packed(data, source, columns=columns, centroid=centroid)[0]


def parse_packed(
    data: bytes,
    source: str,
    *,
    columns: Mapping[str, str] | None = None,
    centroid: bool = False,
) -> tuple[Run, bytes]:
    """Read bytes as :func:`parse_run`, and also return what was packed in them.

    That is what :func:`unpacked` gives: the same bytes if nothing was packed.
    """
    started = time.perf_counter()
    with faults_of(source):
        run, content = _parse(data, source, columns, centroid)
    LOG.info(
        "read %s: %s, %s scans, %s ions, %.2f s",
        run.source, run.format, run.n_scans, run.n_ions, time.perf_counter() - started,
    )  # fmt: skip
    return run, content


def _parse(
    data: bytes, source: str, columns: Mapping[str, str] | None, centroid: bool
) -> tuple[Run, bytes]:
    if not data:
        raise _empty(source)
    if isinstance(data, instrument_folders.PackedFolder):
        return _check(instrument_folders.read(data, source), centroid=centroid), data
    check_names(columns)
    size, content = len(data), _unpack(data, source, columns)
    data, source = content.read(), content.source
    if isinstance(data, instrument_folders.PackedFolder):
        return _check(instrument_folders.read(data, source), centroid=centroid), data
    match name := name_format(data[:HEAD_BYTES]):
        case "csv" | "text":  # with the caller's names of columns, a text may be a table
            run = tables.read_csv(data, source, columns=columns, most_cells=max_cells(size))
        case "parquet" | "arrow":
            run = tables.read_columnar(
                data, source, name, columns=columns, most_cells=max_cells(size)
            )
        case "andi":
            run = andi.read(data, source, profile=centroid)
        case "jcamp":
            run = jcamp.read(data, source, profile=centroid)
        case "mzml":
            run = mzml.read(data, source, profile=centroid)
        case "mzxml":
            run = mzxml.read(data, source, profile=centroid)
        case "chemstation":
            run = chemstation.read(data, source)
        case _:
            raise refused.refusal(name, data, source)
    return _check(run, centroid=centroid), data


def _check(run: Run, *, centroid: bool = False) -> Run:
    """Centroid profile data or refuse them, and note a run of unusual length."""
    if centroid:
        declared = run.facts.get(FACT_SPECTRA)
        undeclared_profile = declared is None and looks_like_profile(run, as_asked=True)
        if declared == "profile" or undeclared_profile:
            run = to_centroids(run)
        else:
            run = run.with_notes("the spectra are centroids already; they were left as they are")
    if run.facts.get(FACT_SPECTRA) != "centroid" and looks_like_profile(run):
        raise profile_error(
            run.source,
            "has points in small, equal steps of m/z, as in profile data",
        )
    return note_unusual(run)


def is_run_file(path: str | os.PathLike[str], *, columns: Mapping[str, str] | None = None) -> bool:
    """Whether a file looks like a run, judged by its beginning; a folder, by its names of files.

    A table looks like a run if it has the columns of one (`columns` as in :func:`read_run`). Other
    tables and texts do not, nor does a format that gale does not read.

    Raises
    ------
    ReadError
        If the file cannot be read.
    """
    file = Path(path)
    try:
        if file.is_dir():
            found = instrument_folders.identify(file)
            return found is not None and bool(found.format)
    except (OSError, ValueError) as error:
        raise _unreadable(path, error) from error
    if not file.is_file():
        return False
    return _makes_run(*glance(path, columns=columns), columns)


def glance(
    path: str | os.PathLike[str], *, columns: Mapping[str, str] | None = None
) -> tuple[str | None, list[str]]:
    """Name the format of a file as :func:`sniff` does, and list its columns if it is a table.

    For an archive with one run, they are those of the run. `columns`, as in :func:`read_run`,
    helps to find the header below other lines.

    Raises
    ------
    ReadError
        If the file is missing, a folder, unreadable, or damaged within gzip.
    """
    try:
        content = Content.of_file(Path(path))
        size = size_of(path)
    except (OSError, ValueError) as error:
        raise _unreadable(path, error) from error
    with faults_of(path):
        try:
            content = unpack(content, partial(_is_run, columns=columns), max_unpacked(size))
        except ReadError:
            return sniff(content.head), []
        return _inspect(content, columns)


def _is_run(content: Content, columns: Mapping[str, str] | None) -> bool:
    return _makes_run(*_inspect(content, columns), columns)


def _makes_run(name: str | None, header: Sequence[str], columns: Mapping[str, str] | None) -> bool:
    return name in SCAN_FORMATS or count_columns(header, columns) == N_COLUMNS


def _inspect(content: Content, columns: Mapping[str, str] | None) -> tuple[str | None, list[str]]:
    """Name the format of unpacked content, and list its columns if it is a table."""
    if content.folder is not None:
        return content.folder.format or None, []
    name = name_format(content.head)
    if name in ("csv", "text"):
        text = find_table(as_utf8(content.head), columns)
        return ("csv", list(text.header)) if text else (name, [])
    if name in ("parquet", "arrow"):
        with content.open() as file:
            try:
                return name, columnar.header(file, content.source, name)
            except ReadError:
                return name, []
    return name, []


def _empty(source: str | os.PathLike[str]) -> ReadError:
    return ReadError(display_name(source), "is empty", "a run", "copy or export it again")


def _unreadable(path: str | os.PathLike[str], error: OSError | ValueError) -> ReadError:
    source = display_name(path)
    if isinstance(error, FileNotFoundError):
        return ReadError(source, "does not exist", "a file", "check the path")
    found = f"cannot be read ({getattr(error, 'strerror', None) or error})"
    if isinstance(error, AddressError):
        return ReadError(source, found, EXAMPLE, error.remedy)
    if isinstance(error, IsADirectoryError) and address_of(path):
        return ReadError(source, "is a folder", "a file", "pack it into a ZIP archive, or copy it")
    if isinstance(error, ChangedError):
        expected = "a file that nothing writes"
        return ReadError(source, "was changed while it was read", expected, "repeat this later")
    if isinstance(error, SpecialFileError):
        return ReadError(source, found, "an ordinary file", "save its content as a file")
    return ReadError(source, found, "a file that you may read", "check its permissions")
