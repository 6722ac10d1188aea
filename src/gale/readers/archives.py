"""Packed files: gzip, and ZIP archives of one run, unpacked within bounds and in memory only."""

from __future__ import annotations

import gzip
import io
import zipfile
import zlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import IO, BinaryIO

from gale.errors import ReadError, UnsupportedFormatError
from gale.plumbing.text import display_name
from gale.readers import refused
from gale.readers.formats import GZIP, ZIP, opened_head
from gale.readers.limits import HEAD_BYTES, max_unpacked

MAX_DEPTH = 2
"""So many packings within each other are opened, as a gzipped file in a ZIP archive."""

MAX_DIRECTORY = 2**22
"""The list of files of an archive is at most so long (bytes); in memory it takes ten times that."""

MAX_MEMBERS = 1000
"""An archive with more files is refused, since each of them would have to be looked at."""

_CHUNK = 2**20

_METHODS = (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED)
"""Of these Python unpacks a piece at a time; of others, as much as a piece unpacks to."""

_ENCRYPTED = 0x1

_DAMAGED = (zipfile.BadZipFile, EOFError, OSError, ValueError, NotImplementedError, zlib.error)
"""What zipfile raises for a damaged archive."""


@dataclass(frozen=True)
class Content:
    """The content of a file, packed or not, of which the beginning can be had alone.

    Parameters
    ----------
    source : str
        Name of the file in messages.
    head : bytes
        The first :data:`gale.readers.limits.HEAD_BYTES` at least, or all if there are fewer.
    open : callable
        Opens the whole for reading.
    """

    source: str
    head: bytes
    open: Callable[[], BinaryIO]

    @classmethod
    def of_bytes(cls, data: bytes, source: str) -> Content:
        """Make one of bytes in memory."""
        return cls(source, data[:HEAD_BYTES], lambda: io.BytesIO(data))

    @classmethod
    def of_file(cls, path: Path) -> Content:
        """Make one of a file, of which only the beginning is read now; may raise OSError."""
        with path.open("rb") as file:
            head = file.read(HEAD_BYTES)
        return cls(display_name(path), head, lambda: path.open("rb"))

    def read(self) -> bytes:
        """Read the whole."""
        with self.open() as file:
            return file.read()


def unpack(
    content: Content, is_run: Callable[[Content], bool], limit: int, depth: int = MAX_DEPTH
) -> Content:
    """Give what is inside a gzip file or a ZIP archive; `content` itself if it is neither.

    Parameters
    ----------
    content : Content
    is_run : callable
        Says whether a file of an archive, unpacked, looks like a run.
    limit : int
        Most bytes that anything in it may unpack to, see :func:`max_unpacked`.
    depth : int
        How many packings within each other may be opened.

    Raises
    ------
    ReadError
        If an archive is damaged, encrypted or too large, or holds no run or several. That gzip
        data are damaged or too large shows only when the content that is given is read.
    UnsupportedFormatError
        If there are more packings than `depth`.
    """
    if not content.head.startswith((GZIP, *ZIP)):
        return content
    if depth == 0:
        raise UnsupportedFormatError(
            f"{content.source}: is packed in more than {MAX_DEPTH} layers; expected "
            f"{refused.READS}; unpack it"
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
    """Decompress `data` if it is gzip, and give it back as it is otherwise.

    Raises
    ------
    ReadError
        If the compressed data end early or are damaged, or unpack to more than `limit`, by default
        :func:`max_unpacked`.
    """
    if not data.startswith(GZIP):
        return data
    limit = max_unpacked(len(data)) if limit is None else limit
    try:
        with gzip.GzipFile(fileobj=io.BytesIO(data)) as file:
            return _read_within(file, limit, source)
    except (EOFError, OSError, zlib.error) as error:
        raise ReadError(
            f"{source}: the gzip data are cut short or damaged ({error}); expected a whole gzip "
            "file; copy or download it again"
        ) from error


def _only_run(content: Content, is_run: Callable[[Content], bool], limit: int) -> Content:
    """Give the file of a ZIP archive that is a run, or may be meant as one as the only file."""
    source = content.source
    files = _files(content, limit)
    runs = files if len(files) == 1 else [file for file in files if _looks_like(file, is_run)]
    if len(runs) == 1:
        return runs[0]
    names = [file.source.removeprefix(f"{source}/") for file in runs or files]
    listed = ", ".join(names[:10]) + (", ..." if len(names) > 10 else "")
    if runs:
        raise ReadError(
            f"{source}: is a ZIP archive of {len(runs)} runs ({listed}); expected one; unzip it "
            "and read each by itself"
        )
    raise UnsupportedFormatError(
        f"{source}: is a ZIP archive without a run ({listed or 'no files'}); expected "
        f"{refused.READS}; unzip it and see what is inside"
    )


def _looks_like(file: Content, is_run: Callable[[Content], bool]) -> bool:
    try:
        return is_run(file)
    except ReadError:
        return False


def _files(content: Content, limit: int) -> list[Content]:
    """Give the files of an archive, without what systems leave in it.

    Their names are for messages and nothing else. What an archive says of their sizes may be too
    little, but then no more than that is unpacked, and the checksum is wrong.
    """
    source = content.source
    try:
        with content.open() as file, zipfile.ZipFile(_Bounded(file)) as archive:
            infos = archive.infolist()
            if any(info.filename == "xl/workbook.xml" for info in infos):
                raise UnsupportedFormatError(
                    f"{source}: is an Excel workbook; expected {refused.READS}; save the sheet as "
                    "CSV"
                )
            infos = [info for info in infos if not _is_litter(info)]
            _check_members(infos, source, limit)
            return [_member(content, archive, info, limit) for info in infos]
    except _DAMAGED as error:
        raise _damaged(source, error) from error


def _check_members(infos: Sequence[zipfile.ZipInfo], source: str, limit: int) -> None:
    if len(infos) > MAX_MEMBERS:
        raise ReadError(
            f"{source}: is a ZIP archive of {len(infos):,} files; expected one run; unzip it"
        )
    if sum(info.file_size for info in infos) > limit:
        raise _too_large(source, limit)
    if any(info.flag_bits & _ENCRYPTED for info in infos):
        raise ReadError(
            f"{source}: is an encrypted ZIP archive; expected one without a password; unzip it"
        )
    if odd := [info for info in infos if info.compress_type not in _METHODS]:
        raise ReadError(
            f"{source}: holds {_name(odd[0])}, compressed by method {odd[0].compress_type}; "
            "expected deflate, as in most ZIP archives; unzip it"
        )


def _is_litter(info: zipfile.ZipInfo) -> bool:
    *folders, name = info.filename.split("/")
    return not name or name.startswith(".") or name == "Thumbs.db" or "__MACOSX" in folders


def _member(
    content: Content, archive: zipfile.ZipFile, info: zipfile.ZipInfo, limit: int
) -> Content:
    source = f"{content.source}/{_name(info)}"
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
    """Read to the end, a piece at a time, and no more than `limit`."""
    buffer = io.BytesIO()
    while chunk := file.read(_CHUNK):
        if buffer.tell() + len(chunk) > limit:
            raise _too_large(source, limit)
        buffer.write(chunk)
    return buffer.getvalue()


class _Bounded(io.RawIOBase):
    """A file of which no more can be read at once than a list of files may be long.

    zipfile reads the list of files of an archive at once, and makes an object for each.
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


def _name(info: zipfile.ZipInfo) -> str:
    """Give the name of a file of an archive on one line, and not too long."""
    return "".join(sign if sign.isprintable() else "?" for sign in info.filename)[-100:]


def _too_large(source: str, limit: int) -> ReadError:
    return ReadError(
        f"{source}: unpacks to more than {limit / 2**20:,.0f} MiB; expected a run, which is far "
        "smaller; unpack it and look at what it is"
    )


def _damaged(source: str, error: Exception) -> ReadError:
    return ReadError(
        f"{source}: the ZIP archive is cut short or damaged ({error}); expected a whole one; copy "
        "or download it again"
    )
