"""Agilent ChemStation's ``data.ms``, the file of mass spectra in a ``.D`` folder.

The format follows the documentation of rainbow (LGPL) and thirteen real files. It is big-endian
throughout, and counts places in words of two bytes from 1. A directory states the place, time and
total of every scan, and each scan states them again with its length and the height of its base
peak. The scans as read are compared with all of these, so that a file of another dialect is refused
instead of misread.
"""

from __future__ import annotations

import re
import struct

import numpy as np
from numpy.typing import NDArray

from gale.errors import ReadError
from gale.readers.scans import FACT_CEILING, sort_ions
from gale.run import Floats, Integers, Run

MAGIC = re.compile(rb"\x01\d\0\0(?:\x11GC / MS DATA FILE|[\0\x11][\0 ]{17})", re.IGNORECASE)
"""How a data.ms of GC-MS begins: its version and its kind, each after its length. Some software
leaves the kind blank; what the file says of every scan then shows whether it is one."""

MAX_INTENSITY = 0x3FFF * 8**3
"""The highest intensity that the format can hold."""

_HEADER = struct.Struct(">260xII10xI")
"""The places of the directory and of the first scan, and the number of scans."""

_HEAD, _TAIL = 9, 5
"""Number of words of a scan before and after its ions."""

_TEXTS = {"title": 0x18, "date": 0xB2, "instrument": 0xD0, "method": 0xE4}
"""Bytes of the header at which texts are, each after its length."""


def read(data: bytes, source: str) -> Run:
    """Read a data.ms file.

    m/z are multiples of 1/20; intensities are 14 bits times a power of 8. So the ions of a scan sum
    to its stated total except for rounding, unless ions are clipped.

    Parameters
    ----------
    data : bytes
        The whole file.
    source : str
        Name of the file in messages.

    Raises
    ------
    ReadError
        If the file is cut short or unfinished, or its statements about a scan disagree.
    """
    words = np.frombuffer(data, ">u2", len(data) // 2)
    first, after, directory = _directory(data, source)
    place, time_ms, total = directory.T
    place = place - 1
    if not np.all((place >= 0) & (place + _HEAD < len(words))):
        raise _disagree(source, "has a directory with scans outside the file")
    count = words[place + 6].astype(np.int64)
    end = place + words[place]
    if not (
        np.array_equal(np.append(place, after), np.append(first, end))
        and np.all(end - place >= _HEAD + 2 * count + _TAIL)
        and np.array_equal(time_ms, _long(words, place + 1))
    ):
        raise _disagree(source, "has a directory and scans that differ in place, length or time")
    before = np.cumsum(count) - count
    pair = np.repeat(place + _HEAD - 2 * before, count) + 2 * np.arange(count.sum())
    mz, intensity = words[pair] / 20, _unpack(words[pair + 1])
    base = np.zeros(len(place))
    np.maximum.at(base, np.repeat(np.arange(len(place)), count), intensity)
    stated = _unpack(words[place + 8])
    # One is rounded and the other cut to 14 bits, of which at least the first 11 are used.
    if np.any(np.abs(base - stated) > np.maximum(1, base / 2048)):
        raise _disagree(source, "has scans whose highest ion is not the stated base peak")
    mz, intensity = sort_ions(count, mz, intensity)
    texts = {name: text for name, at in _TEXTS.items() if (text := _text(data, at))}
    return Run.from_scans(
        time_ms / 60_000,
        count,
        mz,
        intensity,
        source=source,
        format="chemstation",
        facts={**texts, FACT_CEILING: str(MAX_INTENSITY)},
        stated_tic=total,
    )


def _directory(data: bytes, source: str) -> tuple[int, int, Integers]:
    """Word of the first scan, word after the last, and place, time (ms) and total, shape (S, 3).

    The directory comes right after the scans.
    """
    if len(data) < _HEADER.size:
        raise _cut_short(source)
    directory, first, n_scans = _HEADER.unpack_from(data)
    start = 2 * (directory - 1)
    if start < _HEADER.size:
        raise ReadError(
            source,
            "has no directory of scans",
            "a finished acquisition",
            "open and save the run in the maker's software, and copy it again",
        )
    if start + 12 * n_scans > len(data):
        raise _cut_short(source)
    entries = np.frombuffer(data, ">u4", 3 * n_scans, start).reshape(n_scans, 3)
    return first - 1, directory - 1, entries.astype(np.int64)


def _disagree(source: str, found: str) -> ReadError:
    return ReadError(
        source,
        found,
        "a directory, scans and ions that agree",
        "copy the file again, or export the run as ANDI, since gale may not know this dialect",
    )


def _cut_short(source: str) -> ReadError:
    return ReadError(
        source, "ends before its directory of scans does", "a whole file", "copy the file again"
    )


def _long(words: NDArray[np.uint16], place: Integers) -> Integers:
    """Give the 32-bit numbers at these places."""
    return words[place].astype(np.int64) << 16 | words[place + 1]


def _unpack(packed: NDArray[np.uint16]) -> Floats:
    return (packed & 0x3FFF) * 8.0 ** (packed >> 14)


def _text(data: bytes, at: int) -> str:
    length = data[at]
    return " ".join(data[at + 1 : at + 1 + length].decode("latin-1").replace("\0", " ").split())
