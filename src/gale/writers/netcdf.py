"""The classic form of netCDF, written: a header of big-endian numbers, then each variable.

See the "File Format Specifications" of the NetCDF User's Guide. Offsets have 32 bits (CDF-1) where
that is enough, and 64 (CDF-2) otherwise.
"""

from __future__ import annotations

import struct
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from itertools import accumulate
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

DIMENSIONS, VARIABLES, ATTRIBUTES = 10, 11, 12
TYPES = {"S1": 2, ">i2": 3, ">i4": 4, ">f4": 5, ">f8": 6}
TEXT = TYPES["S1"]

MAX_OFFSET = 2**31 - 1
"""Largest offset of CDF-1."""

MAX_SIZE = 2**32 - 1
"""What the size of a variable is stated as where it is not less."""


@dataclass(frozen=True)
class Variable:
    """A variable to be written.

    Parameters
    ----------
    dimensions : sequence of str
        Their names; their sizes are the shape of `data`.
    data : array
        Of a type of :data:`TYPES`.
    attributes : mapping of str to str
    """

    dimensions: Sequence[str]
    data: NDArray[Any]
    attributes: Mapping[str, str] = field(default_factory=dict)


def write(
    dimensions: Mapping[str, int],
    attributes: Mapping[str, str],
    variables: Mapping[str, Variable],
    path: Path,
) -> None:
    """Write a netCDF file without record variables.

    Parameters
    ----------
    dimensions : mapping of str to int
        Sizes by name, each at least 1: a dimension of 0 stands for records.
    attributes : mapping of str to str
        Those of the whole file.
    variables : mapping of str to Variable
    path : Path
    """
    number_of = {name: number for number, name in enumerate(dimensions)}
    head = [
        struct.pack(">I", 0),
        _list(DIMENSIONS, [_name(name) + _number(size) for name, size in dimensions.items()]),
        _attributes(attributes),
    ]
    described = [_described(name, each, number_of) for name, each in variables.items()]
    sizes = [_padded_size(each.data) for each in variables.values()]
    version, offset, begins = 1, ">I", _begins(head, described, sizes, 4)
    if begins[-1] > MAX_OFFSET:
        version, offset, begins = 2, ">Q", _begins(head, described, sizes, 8)
    entries = [
        entry + struct.pack(offset, begin) for entry, begin in zip(described, begins, strict=True)
    ]
    with path.open("wb") as file:
        file.write(b"".join([b"CDF", bytes([version]), *head, _list(VARIABLES, entries)]))
        for each in variables.values():
            file.write(np.ascontiguousarray(each.data).data)
            file.write(bytes(-each.data.nbytes % 4))


def _begins(
    head: Sequence[bytes], described: Sequence[bytes], sizes: Sequence[int], offset_bytes: int
) -> list[int]:
    """Return the byte at which each variable begins, behind the header."""
    tags = 4 + 8  # the magic number, the tag and the length of the list of variables
    first = tags + sum(map(len, (*head, *described))) + offset_bytes * len(described)
    return [first + before for before in accumulate(sizes[:-1], initial=0)]


def text(value: str, size: int) -> NDArray[Any]:
    """Return a text as characters of shape (`size`,), cut to leave room for a null."""
    encoded = value.encode()[: size - 1].decode(errors="ignore").encode()
    return np.frombuffer(encoded.ljust(size, b"\0"), "S1")


def _described(name: str, variable: Variable, number_of: Mapping[str, int]) -> bytes:
    """Return what the header says of a variable, but for its offset."""
    dtype = variable.data.dtype
    kind = TYPES["S1" if dtype.kind == "S" else dtype.str]
    return b"".join(
        [
            _name(name),
            _number(len(variable.dimensions)),
            *(_number(number_of[each]) for each in variable.dimensions),
            _attributes(variable.attributes),
            _number(kind),
            _number(min(_padded_size(variable.data), MAX_SIZE)),
        ]
    )


def _padded_size(data: NDArray[Any]) -> int:
    return data.nbytes + -data.nbytes % 4


def _attributes(attributes: Mapping[str, str]) -> bytes:
    return _list(
        ATTRIBUTES,
        [_name(name) + _number(TEXT) + _name(value) for name, value in attributes.items()],
    )


def _list(tag: int, entries: Sequence[bytes]) -> bytes:
    return _number(tag if entries else 0) + _number(len(entries)) + b"".join(entries)


def _name(value: str) -> bytes:
    """Return a text with its length before it, padded to words of four bytes."""
    encoded = value.encode()
    return _number(len(encoded)) + encoded + bytes(-len(encoded) % 4)


def _number(value: int) -> bytes:
    return struct.pack(">I", value)
