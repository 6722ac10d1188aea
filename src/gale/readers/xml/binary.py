"""Arrays as XML formats carry them: base64, often compressed, with a length that may be wrong."""

from __future__ import annotations

import base64
import binascii
import re
import zlib

from gale.errors import ReadError

EXPORT_AGAIN = "export the run again"
RECOMPRESS = "convert it again with ProteoWizard's msconvert (zlib compression on)"
"""What to do with a damaged file, and with another compression than gale reads."""

_LENGTH = re.compile(r"[0-9]{1,8}")
"""At most eight digits: a hundred million numbers would be an attack rather than a scan."""


def read_length(text: str, source: str) -> int:
    """Parse the length that a file declares for an array.

    Raises
    ------
    ReadError
        If it is not a whole number, or has more than eight digits.
    """
    if not _LENGTH.fullmatch(text):
        raise ReadError(
            source,
            f"declares the length {text[:40]!r} for an array",
            "a whole number of at most 8 digits",
            EXPORT_AGAIN,
        )
    return int(text)


def unpack(text: str, max_bytes: int, source: str, *, compressed: bool) -> bytes:
    """Decode base64, and zlib if the array is `compressed`.

    Parameters
    ----------
    text : str
        The base64, with or without line ends.
    max_bytes : int
        The declared size: at most one byte more is decompressed.
    source : str
        File and spectrum, for messages.

    Raises
    ------
    ReadError
        If the base64 or the compressed data are damaged.
    """
    try:
        raw = base64.b64decode(text)
        if compressed and raw:
            raw = zlib.decompressobj().decompress(raw, max_bytes + 1)
    except (ValueError, binascii.Error, zlib.error) as error:
        raise ReadError(
            source,
            f"has damaged data ({error})",
            "zlib data in base64" if compressed else "base64",
            EXPORT_AGAIN,
        ) from error
    return raw


def check_size(raw: bytes, size: int, length: int, source: str) -> None:
    """Refuse an array whose size in bytes differs from what its declared length needs.

    Raises
    ------
    ReadError
        If `raw` does not have `size` bytes.
    """
    if len(raw) != size:
        raise ReadError(
            source,
            f"has {len(raw):,} bytes in an array",
            f"{size:,} for {length:,} numbers",
            EXPORT_AGAIN,
        )
