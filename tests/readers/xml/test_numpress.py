from __future__ import annotations

import struct

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gale.errors import ReadError
from gale.readers import parse_run
from gale.readers.xml import numpress
from helpers.errors import refused
from helpers.run_files import at, mzml_file, small_run
from helpers.xml_files import linear, numpress_mzml, numpress_spectrum, pic, slof


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
    found = parse_run(numpress_mzml(run, intensities, zlib_as=zlib_as), "x")
    np.testing.assert_array_equal(found.scan_start, run.scan_start)
    np.testing.assert_allclose(found.mz, run.mz, atol=1e-5)
    np.testing.assert_allclose(found.intensity, run.intensity, rtol=2e-4, atol=0.51)


@pytest.mark.parametrize("length", [1, 3, 30_000_000])
def test_a_length_that_lies(length: int) -> None:
    raw = {"linear": linear([50.0, 60.0], 1e5), "slof": slof([1.0, 2.0], 3000.0)}
    data = mzml_file([numpress_spectrum(at(1.0), raw, length, "", zlib_as="")])
    with refused(ReadError, "x: spectrum scan", found="numpress", expected=f"{length:,} numbers"):
        parse_run(data, "x")
