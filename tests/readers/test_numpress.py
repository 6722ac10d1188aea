from __future__ import annotations

import math
import struct

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from xml_files import numpress_spectrum

from gale.errors import ReadError
from gale.readers import numpress, parse_run
from run_files import CENTROID, at, cv, mzml_file, small_run


def nibbles_of(value: int) -> list[int]:
    """One integer of 32 bits as half bytes, by the published rule."""
    digits = [(value >> (4 * i)) & 15 for i in range(8)]  # the least significant first
    zeros = next((i for i, digit in enumerate(reversed(digits)) if digit), 8)
    if zeros:
        return [zeros, *digits[: 8 - zeros]]
    ones = next((i for i, digit in enumerate(reversed(digits)) if digit != 15), 7)
    ones = min(ones, 7)
    return [ones + 8 if ones else 0, *digits[: 8 - ones]]


def packed(values: list[int]) -> bytes:
    halves = [half for value in values for half in nibbles_of(value & 0xFFFFFFFF)]
    halves += [0] * (len(halves) % 2)
    return bytes(16 * a + b for a, b in zip(halves[::2], halves[1::2], strict=True))


def linear(values: list[float], fixed_point: float) -> bytes:
    whole = [round(value * fixed_point) for value in values]
    errors = [c - (2 * b - a) for a, b, c in zip(whole, whole[1:], whole[2:], strict=False)]
    first = b"".join(struct.pack("<I", value) for value in whole[:2])
    return struct.pack(">d", fixed_point) + first + packed(errors)


def pic(values: list[float]) -> bytes:
    return packed([round(value) for value in values])


def slof(values: list[float], fixed_point: float) -> bytes:
    shorts = [int(math.log(value + 1) * fixed_point + 0.5) for value in values]
    return struct.pack(">d", fixed_point) + struct.pack(f"<{len(shorts)}H", *shorts)


def test_bytes_written_by_hand() -> None:
    # 0: head 8. 5: head 7 and the half byte 5. -1: head 15 and the half byte 15.
    assert numpress.pic(b"\x87\x50", 2).tolist() == [0, 5]
    head = struct.pack(">d", 100.0) + struct.pack("<II", 5000, 6000)
    assert numpress.linear(head + b"\x87\x5f\xf0", 5).tolist() == [50, 60, 70, 80.05, 90.09]


@given(st.lists(st.integers(0, 2**31 - 1), max_size=30))
def test_pic(values: list[int]) -> None:
    assert numpress.pic(pic([float(v) for v in values]), len(values)).tolist() == values


@given(st.lists(st.floats(1, 2000), max_size=30))
def test_linear(values: list[float]) -> None:
    found = numpress.linear(linear(values, 100_000.0), len(values))
    np.testing.assert_allclose(found, values, atol=0.6e-5)


@given(st.lists(st.floats(0, 1e8), max_size=30))
def test_slof(values: list[float]) -> None:
    found = numpress.slof(slof(values, 3000.0), len(values))
    np.testing.assert_allclose(found, values, rtol=2e-4, atol=2e-4)


@given(st.binary(max_size=60), st.integers(0, 40))
def test_any_bytes_are_values_or_a_value_error(data: bytes, length: int) -> None:
    for decode in (numpress.linear, numpress.pic, numpress.slof):
        try:
            assert len(decode(data, length)) == length
        except ValueError:
            continue


@pytest.mark.parametrize("zlib_as", ["", "own", "beside"])
@pytest.mark.parametrize("intensities", ["slof", "pic"])
def test_runs(zlib_as: str, intensities: str) -> None:
    run = small_run(empty=(3,))
    spectra = []
    for s in range(run.n_scans):
        ions = slice(run.scan_start[s], run.scan_start[s + 1])
        mz, counts = run.mz[ions].tolist(), run.intensity[ions].tolist()
        how = slof(counts, 3000.0) if intensities == "slof" else pic(counts)
        raw = {"linear": linear(mz, 1e5), intensities: how}
        spectra.append(
            numpress_spectrum(at(run.time_min[s]), raw, len(mz), cv(CENTROID), zlib_as=zlib_as)
        )
    found = parse_run(mzml_file(spectra), "x")
    np.testing.assert_array_equal(found.scan_start, run.scan_start)
    np.testing.assert_allclose(found.mz, run.mz, atol=1e-5)
    np.testing.assert_allclose(found.intensity, run.intensity, rtol=2e-4, atol=0.51)


@pytest.mark.parametrize("length", [1, 3, 30_000_000])
def test_a_length_that_lies(length: int) -> None:
    raw = {"linear": linear([50.0, 60.0], 1e5), "slof": slof([1.0, 2.0], 3000.0)}
    data = mzml_file([numpress_spectrum(at(1.0), raw, length, "", zlib_as="")])
    with pytest.raises(ReadError, match=r"^x: spectrum scan has damaged data .*numpress"):
        parse_run(data, "x")
