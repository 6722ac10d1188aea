"""Decoding MS-Numpress, the compression of mzML arrays of Teleman et al. 2014 (MCP 13, 1537).

*linear* (m/z): a fixed point, two values as 32-bit integers, then for each further value the error
of extrapolating the two before it. *pic* (counts): each value rounded to an integer. *slof*
(intensities): the logarithm of each value in 16 bits. The integers of the first two are packed into
half bytes: a head gives the number of leading half bytes that are 0 (0 to 8) or 15 (9 to 15 for 1
to 7 of them); the others follow, the least significant first.
"""

from __future__ import annotations

import struct

import numpy as np

from gale.run import Floats, Integers

_STEP = bytes(9 - head if head <= 8 else 17 - head for head in range(16)).ljust(256, b"\0")
"""Number of half bytes of an integer, its head included, by head."""

_FILL = np.array(
    [0] * 9 + [(0xFFFFFFFF << (4 * (16 - head))) & 0xFFFFFFFF for head in range(9, 16)],
    dtype=np.int64,
)
"""Value of the leading half bytes, by head."""


def linear(data: bytes, length: int) -> Floats:
    """Decode `length` values of the linear prediction; ValueError if `data` do not hold them."""
    if length == 0:
        return np.empty(0)
    fixed_point = _fixed_point(data)
    n_stored = min(length, 2)
    if len(data) < 8 + 4 * n_stored:
        raise ValueError("numpress data end early")
    stored = np.frombuffer(data, "<u4", n_stored, 8).astype(np.int64)
    if length <= 2:
        if len(data) != 8 + 4 * n_stored:
            raise ValueError("more numpress data than values")
        return stored / fixed_point
    errors = _integers(data[16:], length - 2)
    errors -= (errors >= 2**31) * 2**32  # these are signed
    steps = np.cumsum(np.concatenate([[stored[1] - stored[0]], errors]))
    values = stored[0] + np.cumsum(np.concatenate([[0], steps]))
    return np.asarray(values / fixed_point, dtype=np.float64)


def pic(data: bytes, length: int) -> Floats:
    """Decode `length` positive integers; ValueError if `data` do not hold them."""
    return _integers(data, length).astype(np.float64)


def slof(data: bytes, length: int) -> Floats:
    """Decode `length` short logged floats; ValueError if `data` do not hold them."""
    if length == 0:
        return np.empty(0)
    fixed_point = _fixed_point(data)
    if len(data) != 8 + 2 * length:
        raise ValueError(f"{len(data):,} bytes of numpress slof for {length:,} values")
    with np.errstate(over="ignore"):  # Run reports what is not finite
        return np.expm1(np.frombuffer(data, "<u2", length, 8) / fixed_point)


def _fixed_point(data: bytes) -> float:
    if len(data) < 8:
        raise ValueError("numpress data end early")
    (value,) = struct.unpack(">d", data[:8])
    if not (np.isfinite(value) and value > 0):
        raise ValueError(f"a numpress fixed point of {value}")
    return float(value)


def _integers(data: bytes, length: int) -> Integers:
    """Decode `length` integers of 32 bits, taken as unsigned, shape (length,)."""
    packed = np.frombuffer(data, np.uint8)
    halves = np.empty(2 * len(packed) + 8, np.uint8)
    halves[-8:] = 0  # so that heads near the end can look beyond it
    halves[:-8:2], halves[1:-8:2] = packed >> 4, packed & 15
    end = 2 * len(packed)
    if length > end:
        raise ValueError("numpress data end early")
    steps = halves.tobytes().translate(_STEP)
    heads = np.empty(length, np.int64)
    at = 0
    for i in range(length):  # each begins where the one before it ends
        heads[i] = at
        at += steps[at]
        if at > end:
            raise ValueError("numpress data end early")
    if end - at > 1 or halves[at:end].any():
        raise ValueError("more numpress data than values")
    head = halves[heads]
    values = _FILL[head]
    n_follow = np.where(head <= 8, 8 - head.astype(np.int64), 16 - head.astype(np.int64))
    for place in range(8):
        has = np.flatnonzero(n_follow > place)
        values[has] |= halves[heads[has] + 1 + place].astype(np.int64) << (4 * place)
    return values
