"""Numbers as XML formats carry them: base64, often compressed, with a length that may lie."""

from __future__ import annotations

import base64
import binascii
import re
import zlib

from gale.errors import ReadError

_LENGTH = re.compile(r"[0-9]{1,8}")
"""A hundred million numbers would be no scan, but an attack."""


def read_length(text: str, where: str) -> int:
    """Give a length that a file declares.

    Raises
    ------
    ReadError
        If it is no whole number, or has more than eight digits.
    """
    if not _LENGTH.fullmatch(text):
        raise ReadError(
            f"{where} has an array without a known length ({text[:40]!r}); expected the number of "
            "its values; export the run again"
        )
    return int(text)


def unpack(text: str, max_bytes: int, where: str, *, compressed: bool) -> bytes:
    """Decode base64, and zlib where it is `compressed`.

    Parameters
    ----------
    text : str
        The base64, in which line ends do not matter.
    max_bytes : int
        What was declared: no more than one byte over it is ever decompressed.
    where : str
        File and spectrum, for messages.

    Raises
    ------
    ReadError
        If either is damaged.
    """
    try:
        raw = base64.b64decode(text)
        if compressed and raw:
            raw = zlib.decompressobj().decompress(raw, max_bytes + 1)
    except (ValueError, binascii.Error, zlib.error) as error:
        raise ReadError(f"{where} has damaged data ({error}); export the run again") from error
    return raw


def check_size(raw: bytes, size: int, length: int, where: str) -> None:
    """Refuse an array of another size in bytes than its declared length needs.

    Raises
    ------
    ReadError
        If `raw` is not `size` bytes.
    """
    if len(raw) != size:
        raise ReadError(
            f"{where} has {len(raw):,} bytes in an array; expected {size:,} for {length} numbers; "
            "the file may be damaged"
        )
