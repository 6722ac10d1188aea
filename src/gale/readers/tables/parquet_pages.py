"""Check the sizes that the pages of a Parquet file declare before anything relies on them.

polars allocates the memory that a page declares; a page that declares exabytes ends the process.
The header of each page and the list of columns at the end of the file are structures in Thrift's
compact protocol (https://parquet.apache.org/docs/file-format, and
https://github.com/apache/thrift/blob/master/doc/specs/thrift-compact-protocol.md).
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from typing import Any

FOOTER = 8
"""Bytes at the end of a file: the length of the list of columns, then ``PAR1``."""

MAX_DEPTH = 32
"""Structures within each other that are read."""

# Numbers of fields in the definition of the format.
ROW_GROUPS, COLUMNS, COLUMN = 4, 1, 3
COMPRESSED_SIZE, DATA_PAGE, INDEX_PAGE, DICTIONARY_PAGE = 7, 9, 10, 11
PAGE_SIZE, PAGE_COMPRESSED_SIZE = 2, 3
HEADERS_WITH_VALUES, N_VALUES = (5, 7, 8), 1

_UNREADABLE = "its page headers cannot be read"

Fields = dict[int, Any]
"""The fields of a structure, by number."""


def check_pages(data: bytes, max_bytes: int, max_values: int) -> None:
    """Check that no page declares to be larger than it can be.

    Parameters
    ----------
    data : bytes
        The whole file.
    max_bytes : int
        How many bytes all pages together may unpack to.
    max_values : int
        How many values a page may have.

    Raises
    ------
    ValueError
        If a page declares too much, or the headers of pages cannot be read.
    """
    try:
        size = int.from_bytes(data[-FOOTER:-4], "little")
        start = len(data) - FOOTER - size
        if start < 0:
            raise ValueError("the list of its columns is longer than the file")
        footer, _ = _struct(data, start)
        for column in _columns(footer):
            max_bytes -= _check_column(data, column, max_bytes, max_values)
    except (IndexError, KeyError, TypeError, AttributeError, struct.error) as error:
        raise ValueError(_UNREADABLE) from error


def _columns(footer: Fields) -> Iterator[Fields]:
    for group in footer[ROW_GROUPS]:
        for chunk in group[COLUMNS]:
            yield chunk[COLUMN]


def _check_column(data: bytes, column: Fields, max_bytes: int, max_values: int) -> int:
    """Check that the pages of a column fit into it, and return the bytes that they unpack to."""
    places = [column[key] for key in (DATA_PAGE, INDEX_PAGE, DICTIONARY_PAGE) if key in column]
    at = min(place for place in places if place > 0)
    end = at + column[COMPRESSED_SIZE]
    if not at <= end <= len(data):
        raise ValueError(f"a column of {column[COMPRESSED_SIZE]:,} bytes does not fit into it")
    unpacked = 0
    while at < end:
        header, at = _struct(data, at)
        packed, page = header[PAGE_COMPRESSED_SIZE], header[PAGE_SIZE]
        unpacked += page
        if not (0 <= packed <= end - at and page >= 0 and unpacked <= max_bytes):
            raise ValueError(f"a page of {packed:,} bytes declares to unpack to {page:,}")
        values = [header[key][N_VALUES] for key in HEADERS_WITH_VALUES if key in header]
        if not all(0 <= each <= max_values for each in values):
            raise ValueError(f"a page declares {max(values):,} values")
        at += packed
    return unpacked


def _struct(data: bytes, at: int, depth: int = 0) -> tuple[Fields, int]:
    """Read a structure at a position; return its fields and the position of its end."""
    if depth > MAX_DEPTH:
        raise ValueError("its page headers are nested too deeply")
    fields: Fields = {}
    number = 0
    while (head := data[at]) != 0:
        step, kind = head >> 4, head & 15
        at += 1
        if step:
            number += step
        else:
            number, at = _integer(data, at)
        fields[number], at = _value(data, at, kind, depth)
    return fields, at + 1


def _value(data: bytes, at: int, kind: int, depth: int) -> tuple[Any, int]:
    """Read a value of one of the protocol's types (without maps)."""
    match kind:
        case 1 | 2:
            return kind == 1, at
        case 3:
            return data[at], at + 1
        case 4 | 5 | 6:
            return _integer(data, at)
        case 7:
            return struct.unpack_from("<d", data, at)[0], at + 8
        case 8:
            size, at = _varint(data, at)
            return data[at : at + size], at + size
        case 9 | 10:
            return _list(data, at, depth)
        case 12:
            return _struct(data, at, depth + 1)
    raise ValueError(_UNREADABLE)


def _list(data: bytes, at: int, depth: int) -> tuple[list[Any], int]:
    size, kind = data[at] >> 4, data[at] & 15
    at += 1
    if size == 15:
        size, at = _varint(data, at)
    values = []
    for _ in range(size):
        # In a list, booleans are bytes; in a structure, they are in the head of the field.
        value, at = (data[at] == 1, at + 1) if kind in (1, 2) else _value(data, at, kind, depth + 1)
        values.append(value)
    return values, at


def _integer(data: bytes, at: int) -> tuple[int, int]:
    """Read a signed integer in zigzag encoding (0, -1, 1, -2, ...)."""
    value, at = _varint(data, at)
    return (value >> 1) ^ -(value & 1), at


def _varint(data: bytes, at: int) -> tuple[int, int]:
    """Read an integer with seven bits per byte, the lowest first."""
    value = shift = 0
    while True:
        byte = data[at]
        at += 1
        value |= (byte & 127) << shift
        if byte < 128:
            return value, at
        shift += 7
        if shift > 63:
            raise ValueError(_UNREADABLE)
