"""Files of gale's own that begin with the checksum of what follows, so that damage is noticed."""

from __future__ import annotations

import hashlib

DIGEST_BYTES = 32
"""Length of the checksum, a SHA-256."""


def with_checksum(content: bytes) -> bytes:
    """Put the checksum of a content in front of it."""
    return hashlib.sha256(content).digest() + content


def checked_content(stored: bytes) -> bytes | None:
    """Return what follows the checksum; None if it is not what was stored.

    Examples
    --------
    >>> stored = with_checksum(b"arrays")
    >>> checked_content(stored), checked_content(stored[:-1])
    (b'arrays', None)
    """
    content = stored[DIGEST_BYTES:]
    return content if hashlib.sha256(content).digest() == stored[:DIGEST_BYTES] else None
