"""Packed files: gzip, and ZIP archives of one run, unpacked in memory and within limits."""

from __future__ import annotations

import gzip
import io
import re
import zipfile
import zlib
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath
from typing import IO, BinaryIO

from gale.errors import ReadError, UnsupportedFormatError
from gale.plumbing.reading import open_file
from gale.plumbing.text import display_name, listed
from gale.readers import refused
from gale.readers.formats import GZIP, ZIP, opened_head
from gale.readers.instrument_folders import RunFolder, identify, pack
from gale.readers.limits import HEAD_BYTES, max_unpacked

MAX_DEPTH = 2
"""Layers of packing that are opened; a gzipped file in a ZIP archive has two."""

MAX_DIRECTORY = 2**22
"""Limit of an archive's list of files in bytes; in memory the list takes ten times that."""

MAX_NESTED = 16
"""Files in more folders within each other belong to no folder of a run."""

MAX_MEMBERS = 1000
"""An archive with more files is refused, since the beginning of each would be unpacked."""

PACKED = (GZIP, *ZIP)
"""How packed files begin."""

_CHUNK = 2**20

_METHODS = (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED)
"""Methods that Python unpacks in pieces of limited size; with others a piece has no limit."""

_ENCRYPTED = 0x1

_DAMAGED = (zipfile.BadZipFile, EOFError, OSError, ValueError, NotImplementedError, zlib.error)
"""Errors that zipfile raises for a damaged archive."""


@dataclass(frozen=True)
class Content:
    """The content of a file, packed or not, whose beginning can be read alone.

    Parameters
    ----------
    source : str
        Name of the file in messages.
    head : bytes
        At least the first :data:`gale.readers.limits.HEAD_BYTES`, or all if there are fewer.
    open : callable
        Opens the whole file for reading.
    folder : RunFolder, optional
        The folder of a run in an archive, whose files are read instead of one file.
    """

    source: str
    head: bytes
    open: Callable[[], BinaryIO]
    folder: RunFolder | None = None

    @classmethod
    def of_bytes(cls, data: bytes, source: str) -> Content:
        """Make one from bytes in memory."""
        return cls(source, data[:HEAD_BYTES], lambda: io.BytesIO(data))

    @classmethod
    def of_file(cls, path: Path, source: str = "") -> Content:
        """Make one from a file and read its beginning; may raise OSError.

        In messages it is called `source`, by default as the file.
        """
        with open_file(path) as file:
            head = file.read(HEAD_BYTES)
        return cls(source or display_name(path), head, lambda: open_file(path))

    def read(self) -> bytes:
        """Read the whole file, or the files of a folder, packed."""
        if self.folder is not None:
            return pack(self.folder, self.source)
        with self.open() as file:
            return file.read()


def unpack(
    content: Content, is_run: Callable[[Content], bool], limit: int, depth: int = MAX_DEPTH
) -> Content:
    """Return the file inside gzip or a ZIP archive, and `content` itself if it is neither.

    Parameters
    ----------
    content : Content
    is_run : callable
        Whether an unpacked file of an archive looks like a run.
    limit : int
        How many bytes it may unpack to, see :func:`max_unpacked`.
    depth : int
        Layers of packing that may be opened.

    Raises
    ------
    ReadError
        If an archive is damaged, encrypted or too large, or has several runs. Damaged or too large
        gzip data are found only when the returned content is read.
    UnsupportedFormatError
        If an archive has no run, or there are more than `depth` layers of packing.
    """
    if not content.head.startswith(PACKED):
        return content
    if depth == 0:
        raise UnsupportedFormatError(
            content.source, f"is packed in more than {MAX_DEPTH} layers", refused.READS, "unpack it"
        )
    if content.head.startswith(GZIP):
        inside = Content(
            content.source,
            opened_head(content.head),
            lambda: io.BytesIO(gunzip(content.read(), content.source, limit)),
        )
    else:
        inside = _only_run(
            content, lambda file: is_run(unpack(file, is_run, limit, depth - 1)), limit
        )
    return unpack(inside, is_run, limit, depth - 1)


def gunzip(data: bytes, source: str, limit: int | None = None) -> bytes:
    """Decompress `data` if it is gzip; otherwise return it unchanged.

    Raises
    ------
    ReadError
        If the compressed data are cut short or damaged, or unpack to more than `limit` bytes, by
        default :func:`max_unpacked`.
    """
    if not data.startswith(GZIP):
        return data
    limit = max_unpacked(len(data)) if limit is None else limit
    try:
        with gzip.GzipFile(fileobj=io.BytesIO(data)) as file:
            return _read_within(file, limit, source)
    except (EOFError, OSError, zlib.error) as error:
        raise ReadError(
            source,
            f"has gzip data that are cut short or damaged ({error})",
            "a whole gzip file",
            "copy or download it again",
        ) from error


def _only_run(content: Content, is_run: Callable[[Content], bool], limit: int) -> Content:
    """Return the file of a ZIP archive that looks like a run, or its only file."""
    source = content.source
    entries = run_folders(files_of(content, limit), source)
    runs = entries if len(entries) == 1 else [each for each in entries if _looks_like(each, is_run)]
    folders = [each for each in entries if each.folder is not None]
    if not runs and len(folders) == 1:
        return folders[0]  # whose reader says what is wrong with it
    if len(runs) == 1:
        return runs[0]
    names = [each.source.removeprefix(f"{source}/") for each in runs or entries]
    if runs:
        raise ReadError(
            source,
            f"is a ZIP archive of {len(runs)} runs ({listed(names)})",
            "1 run",
            "unzip it and read each run by itself",
        )
    raise UnsupportedFormatError(
        source,
        f"is a ZIP archive without a run ({listed(names) or 'no files'})",
        refused.READS,
        "unzip it and choose a run",
    )


@dataclass(frozen=True)
class _Entry:
    """A file or folder in an archive; a folder has no content."""

    name: str
    content: Content | None = None
    inside: dict[str, _Entry] = field(default_factory=dict)

    @property
    def suffix(self) -> str:
        return PurePosixPath(self.name).suffix

    def iterdir(self) -> Iterable[_Entry]:
        return self.inside.values()

    def is_dir(self) -> bool:
        return self.content is None

    def is_file(self) -> bool:
        return self.content is not None

    def read_bytes(self) -> bytes:
        return b"" if self.content is None else self.content.read()


def run_folders(files: Sequence[tuple[str, Content]], source: str) -> list[Content]:
    """List what may be runs: folders of instruments, and the files outside them.

    The paths of `files` are names in a tree in memory, and never those of a disk.
    """
    root = _Entry(re.sub(r"(?i)\.zip$", "", source))
    found = []
    for path, content in files:
        *folders, name = [part for part in path.split("/") if part] or ["?"]
        if len(folders) > MAX_NESTED:
            found.append(content)
            continue
        place = root
        for folder in folders:
            place = place.inside.setdefault(folder, _Entry(folder))
        place.inside[name] = _Entry(name, content)
    waiting = [(source, root)]
    while waiting:
        path, entry = waiting.pop()
        if entry.content is not None:
            found.append(entry.content)
        elif run := identify(entry):
            found.append(Content(path, b"", io.BytesIO, run))
        else:
            inside = [(_below(path, each.name), each) for each in entry.iterdir()]
            waiting += reversed(inside)
    return found


def _below(path: str, name: str) -> str:
    return f"{path}/{_name(name)}" if path else _name(name)


def _looks_like(file: Content, is_run: Callable[[Content], bool]) -> bool:
    if file.folder is not None:
        return bool(file.folder.format)
    try:
        return is_run(file)
    except ReadError:
        return False


def files_of(content: Content, limit: int) -> list[tuple[str, Content]]:
    """Return the paths and files of an archive, without those that operating systems leave in it.

    Their names serve in messages only. An archive may state too small a size for a file; then no
    more than that is unpacked, and the checksum fails.
    """
    source = content.source
    try:
        with content.open() as file, zipfile.ZipFile(_Bounded(file)) as archive:
            infos = archive.infolist()
            if any(info.filename == "xl/workbook.xml" for info in infos):
                raise UnsupportedFormatError(
                    source, "is an Excel workbook", refused.READS, "save the sheet as CSV"
                )
            infos = [info for info in infos if not _is_litter(info)]
            _check_members(infos, source, limit)
            return [(info.filename, _member(content, archive, info, limit)) for info in infos]
    except _DAMAGED as error:
        raise _damaged(source, error) from error


def _check_members(infos: Sequence[zipfile.ZipInfo], source: str, limit: int) -> None:
    if len(infos) > MAX_MEMBERS:
        raise ReadError(source, f"is a ZIP archive of {len(infos):,} files", "1 run", "unzip it")
    if sum(info.file_size for info in infos) > limit:
        raise _too_large(source, limit)
    if any(info.flag_bits & _ENCRYPTED for info in infos):
        raise ReadError(source, "is an encrypted ZIP archive", "one without a password", "unzip it")
    if others := [info for info in infos if info.compress_type not in _METHODS]:
        raise ReadError(
            f"{source}/{_name(others[0].filename)}",
            f"is compressed by method {others[0].compress_type}",
            f"deflate ({zipfile.ZIP_DEFLATED}), as in most ZIP archives",
            "unzip it",
        )


def _is_litter(info: zipfile.ZipInfo) -> bool:
    *folders, name = info.filename.split("/")
    return not name or name.startswith(".") or name == "Thumbs.db" or "__MACOSX" in folders


def _member(
    content: Content, archive: zipfile.ZipFile, info: zipfile.ZipInfo, limit: int
) -> Content:
    source = f"{content.source}/{_name(info.filename)}"
    with archive.open(info) as inside:
        head = inside.read(HEAD_BYTES)

    def open_whole() -> BinaryIO:
        try:
            with (
                content.open() as file,
                zipfile.ZipFile(_Bounded(file)) as archive,
                archive.open(info) as inside,
            ):
                return io.BytesIO(_read_within(inside, limit, source))
        except _DAMAGED as error:
            raise _damaged(content.source, error) from error

    return Content(source, head, open_whole)


def _read_within(file: IO[bytes] | gzip.GzipFile, limit: int, source: str) -> bytes:
    """Read to the end in pieces, and at most `limit` bytes."""
    buffer = io.BytesIO()
    while chunk := file.read(_CHUNK):
        if buffer.tell() + len(chunk) > limit:
            raise _too_large(source, limit)
        buffer.write(chunk)
    return buffer.getvalue()


class _Bounded(io.RawIOBase):
    """A file that refuses to read more than :data:`MAX_DIRECTORY` bytes at once.

    zipfile reads an archive's whole list of files at once and makes an object for each of them.
    """

    def __init__(self, file: BinaryIO) -> None:
        self._file = file

    def read(self, size: int = -1) -> bytes:
        if size > MAX_DIRECTORY:
            raise zipfile.BadZipFile("its list of files is too long")
        return self._file.read(size)

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        return self._file.seek(offset, whence)

    def tell(self) -> int:
        return self._file.tell()

    def seekable(self) -> bool:
        return True


def _name(path: str) -> str:
    """Return the name of a file of an archive on one line, and at most 100 characters of it."""
    return "".join(sign if sign.isprintable() else "?" for sign in path)[-100:]


def _too_large(source: str, limit: int) -> ReadError:
    return ReadError(
        source,
        f"unpacks to more than {limit / 2**20:,.0f} MiB",
        "a run, which is far smaller",
        "unpack it and check its content",
    )


def _damaged(source: str, error: Exception) -> ReadError:
    return ReadError(
        source,
        f"is a ZIP archive that is cut short or damaged ({error})",
        "a whole ZIP archive",
        "copy or download it again",
    )
