"""What a file is, from its first bytes; its name is never asked."""

from __future__ import annotations

import gzip
import io
import os
import re
import zlib

from gale.errors import ReadError
from gale.readers import netcdf, vendor

HEAD_BYTES = 4096
"""How much of a file is enough to say what it is."""

MAX_BYTES = 2**31
"""A file that unpacks to more than this is refused: it is no run, and would fill the memory."""

GZIP = b"\x1f\x8b"

_FIRST_LINE = re.compile(rb"(?:\xef\xbb\xbf)?[\r\n]*([^\r\n]*)")
_REMARKS = re.compile(rb"\A(?:\$\$[^\r\n]*\s+)+")
"""What may stand before the first label of JCAMP-DX."""

_CONTROL = re.compile(rb"[\x00-\x08\x0e-\x1f]")


def display_name(path: str | os.PathLike[str]) -> str:
    """Give the name of a file as text for messages: what is not UTF-8 in it as an escape."""
    return os.fsencode(path).decode("utf-8", "backslashreplace")


def sniff(head: bytes) -> str | None:
    """Name the format of a file from its first bytes, gzip opened first.

    Parameters
    ----------
    head : bytes
        The beginning of the file; :data:`HEAD_BYTES` are enough.

    Returns
    -------
    str or None
        ``csv`` (any table of text), ``parquet``, ``andi`` (any netCDF), ``jcamp``, ``mzml`` or
        ``mzxml``;
        a key of :data:`gale.readers.vendor.UNSUPPORTED` for what is recognised and not read;
        None for the rest.
    """
    return name_format(opened_head(head))


def name_format(head: bytes) -> str | None:
    """Name the format of bytes that are not compressed any more; see :func:`sniff`."""
    if head.startswith(b"PAR1"):
        return "parquet"
    if head.startswith((*netcdf.CLASSIC, netcdf.HDF5)):
        return "andi"
    for word, kind in vendor.UNSUPPORTED.items():
        if kind.magic and head.startswith(kind.magic):
            return word
    if _CONTROL.search(head):
        return None
    text = head.removeprefix(b"\xef\xbb\xbf").lstrip()
    if text.startswith(b"<"):
        return _name_xml(text)
    labels = _REMARKS.sub(b"", text)
    if labels.startswith(b"##") and b"=" in first_line(labels):
        return "jcamp"
    if separator(first_line(text)):
        return "csv"
    return "text" if text else None


def opened_head(head: bytes) -> bytes:
    """Give the first bytes of what is inside a gzip file; `head` itself if it is none."""
    if not head.startswith(GZIP):
        return head
    try:
        return zlib.decompressobj(wbits=31).decompress(head, HEAD_BYTES)
    except zlib.error:
        return b""


def gunzip(data: bytes, source: str) -> bytes:
    """Decompress `data` if it is gzip, and give it back as it is otherwise.

    Raises
    ------
    ReadError
        If the compressed data end early or are damaged, or unpack to more than
        :data:`MAX_BYTES`.
    """
    if not data.startswith(GZIP):
        return data
    try:
        with gzip.GzipFile(fileobj=io.BytesIO(data)) as file:
            inside = file.read(MAX_BYTES + 1)
    except (EOFError, OSError, zlib.error) as error:
        raise ReadError(
            f"{source}: the gzip data are cut short or damaged ({error}); expected a whole gzip "
            "file; copy or download it again"
        ) from error
    if len(inside) > MAX_BYTES:
        raise ReadError(
            f"{source}: unpacks to more than {MAX_BYTES / 2**30:g} GiB; expected a run, which is "
            "far smaller; unpack it and look at what it is"
        )
    return inside


def first_line(text: bytes) -> bytes:
    """Give the first line that is not blank, without byte order mark and line end."""
    match = _FIRST_LINE.match(text)
    return match[1] if match else b""


def separator(line: bytes) -> str | None:
    """Say what separates the fields of a header: comma, semicolon, tab, or None of them."""
    found = max(",;\t", key=lambda mark: line.count(mark.encode()))
    return found if found.encode() in line else None


def note_last_line(data: bytes) -> tuple[str, ...]:
    """Note that a text ends within a line: one or no sentence."""
    if data.endswith((b"\n", b"\r")):
        return ()
    return ("the last line has no line end; the file may be cut short within its last number",)


def _name_xml(text: bytes) -> str:
    for tag, word in ((b"<mzML", "mzml"), (b"<indexedmzML", "mzml"), (b"<mzXML", "mzxml")):
        if tag in text:
            return word
    return "xml"
