"""The format of a file, from its first bytes; its name plays no part."""

from __future__ import annotations

import re
import zlib

from gale.plumbing.tables import UTF16
from gale.readers import refused
from gale.readers.andi import netcdf
from gale.readers.limits import HEAD_BYTES
from gale.readers.tables.columnar import PARQUET, is_arrow
from gale.readers.tables.text import as_utf8, find_table
from gale.readers.vendors import chemstation

GZIP = b"\x1f\x8b"

ZIP = (b"PK\x03\x04", b"PK\x05\x06")
"""How a ZIP archive begins: with a file, or with the end of an empty list of files."""

_FIRST_LINE = re.compile(rb"(?:\xef\xbb\xbf)?[\r\n]*([^\r\n]*)")
_REMARKS = re.compile(rb"\A(?:\$\$[^\r\n]*\s+)+")
"""Comments that may come before the first label of JCAMP-DX."""

_CONTROL = bytes([*range(0x09), *range(0x0E, 0x20)])
"""Characters that no text has."""


def sniff(head: bytes) -> str | None:
    """Name the format of a file from its first bytes, inside gzip if it is packed.

    Parameters
    ----------
    head : bytes
        The beginning of the file; :data:`gale.readers.limits.HEAD_BYTES` are enough.

    Returns
    -------
    str or None
        ``csv`` (any table of text), ``parquet``, ``arrow``, ``andi`` (any netCDF), ``jcamp``,
        ``mzml``, ``mzxml`` or ``chemstation`` (Agilent's data.ms); a key of
        :data:`gale.readers.refused.UNSUPPORTED` if gale recognises the format but does not read
        it; None if it does not recognise it.
    """
    return name_format(opened_head(head))


def name_format(head: bytes) -> str | None:
    """Name the format of bytes that are no longer compressed; see :func:`sniff`."""
    if head.startswith(PARQUET):
        return "parquet"
    if is_arrow(head):
        return "arrow"
    if head.startswith(ZIP):
        return "zip"
    if head.startswith((*netcdf.CLASSIC, netcdf.HDF5)):
        return "andi"
    if chemstation.MAGIC.match(head):
        return "chemstation"
    if head.startswith(UTF16):
        return "csv" if find_table(as_utf8(head)) else "utf16"
    if name := refused.name_kind(head, refused.BINARY):
        return name
    text = head.removeprefix(b"\xef\xbb\xbf").lstrip()
    if len(head.translate(None, _CONTROL)) < len(head):
        # an XML file may have some that XML forbids
        return _name_xml(text, None) if text.startswith(b"<?xml") else None
    return _name_text(text)


def _name_text(text: bytes) -> str | None:
    if name := refused.name_kind(text, refused.TEXTS):
        return name
    if text.startswith(b"<"):
        return _name_xml(text, "xml")
    labels = _REMARKS.sub(b"", text)
    if labels.startswith(b"##") and b"=" in _first_line(labels):
        return "jcamp"
    if find_table(text):
        return "csv"
    return "text" if text else None


def opened_head(head: bytes) -> bytes:
    """Return the first bytes inside a gzip file, and `head` itself if it is not gzip."""
    if not head.startswith(GZIP):
        return head
    try:
        return zlib.decompressobj(wbits=31).decompress(head, HEAD_BYTES)
    except zlib.error:
        return b""


def _first_line(text: bytes) -> bytes:
    """Return the first line that is not blank, without byte order mark and line end."""
    match = _FIRST_LINE.match(text)
    return match[1] if match else b""


def _name_xml(text: bytes, other: str | None) -> str | None:
    """Name a format of XML; any other is `other`."""
    for tag, name in ((b"<mzML", "mzml"), (b"<indexedmzML", "mzml"), (b"<mzXML", "mzxml")):
        if tag in text:
            return name
    return other
