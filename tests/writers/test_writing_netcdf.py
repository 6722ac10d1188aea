"""netCDF in its classic form, by gale and by scipy."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from scipy.io import netcdf_file

from gale.readers.andi.netcdf import read
from gale.writers import netcdf
from gale.writers.netcdf import Variable

VARIABLES = {
    "whole": Variable(["three"], np.array([1, -2, 3], ">i4")),
    "short": Variable(["three"], np.array([4, 5, -6], ">i2"), {"units": "m", "empty": ""}),
    "real": Variable(["two", "three"], (np.arange(6).reshape(2, 3) / 3).astype(">f8")),
    "name": Variable(["five"], netcdf.text("a\N{GREEK SMALL LETTER BETA}cdef", 5)),
}


@pytest.mark.parametrize("version", [1, 2])
def test_both_readers_find_what_was_written(
    version: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    if version == 2:
        monkeypatch.setattr(netcdf, "MAX_OFFSET", 100)
    path = tmp_path / "a.nc"
    netcdf.write({"three": 3, "two": 2, "five": 5}, {"title": "x"}, VARIABLES, path)
    data = path.read_bytes()
    assert data.startswith(b"CDF" + bytes([version]))
    mine = read(data, "a.nc")
    assert dict(mine.attributes) == {"title": b"x"}
    with netcdf_file(path, mmap=False) as file:
        assert file.version_byte == version
        assert dict(file.dimensions) == {"three": 3, "two": 2, "five": 5}
        assert file.title == b"x"
        assert file.variables["short"].units == b"m"
        for name, each in VARIABLES.items():
            assert file.variables[name].dimensions == tuple(each.dimensions)
            np.testing.assert_array_equal(file.variables[name][:], each.data)
            np.testing.assert_array_equal(mine.variables[name].data, each.data)


def test_a_text_that_is_too_long_is_cut_between_characters() -> None:
    assert netcdf.text("a\N{GREEK SMALL LETTER BETA}cdef", 5).tobytes() == "aβc".encode() + b"\0"
    assert netcdf.text("aaa\N{GREEK SMALL LETTER BETA}", 5).tobytes() == b"aaa\0\0"
