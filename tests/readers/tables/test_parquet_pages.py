"""Declared sizes of Parquet pages, in files that polars wrote and in files written by hand."""

from __future__ import annotations

import io
import random
from typing import Any

import polars as pl
import pytest

from gale.errors import ReadError
from gale.readers import parse_run
from gale.readers.tables.parquet_pages import check_pages
from helpers.errors import refused
from helpers.run_files import small_run

LIMITS = (10_000, 1_000)


def varint(value: int) -> bytes:
    text = bytearray()
    while value > 127:
        text.append(value & 127 | 128)
        value >>= 7
    return bytes([*text, value])


def integer(step: int, value: int) -> bytes:
    """A field of a structure that is an integer, numbered `step` above the previous field."""
    return bytes([step << 4 | 6]) + varint(value << 1 if value >= 0 else (-value << 1) - 1)


def page(size: int, packed: int, values: int) -> bytes:
    """A data page of 10 bytes with a header that declares these numbers."""
    sizes = integer(1, 0) + integer(1, size) + integer(1, packed)
    return sizes + b"\x2c" + integer(1, values) + b"\0\0" + bytes(10)


def parquet(*pages: bytes, column: int | None = None, footer: int | None = None) -> bytes:
    """A file of one column, whose list of columns says how long the column is."""
    data = b"PAR1" + b"".join(pages)
    size = len(data) - 4 if column is None else column
    of_column = b"\x3c" + integer(7, size) + integer(2, 4) + b"\0\0"
    listed = integer(1, 1) + b"\x39\x1c\x19\x1c" + of_column + b"\0\0"
    length = len(listed) if footer is None else footer
    return data + listed + length.to_bytes(4, "little") + b"PAR1"


def test_pages_that_are_what_they_say() -> None:
    check_pages(parquet(page(20, 10, 5), page(9_980, 10, 1_000)), *LIMITS)


@pytest.mark.parametrize(
    ("data", "fact"),
    [
        (parquet(page(20, 10, -31)), "-31 values"),
        (parquet(page(20, 10, 1_001)), "1,001 values"),
        (parquet(page(20, 11, 5)), "page of 11 bytes .* 20$"),
        (parquet(page(20, -1, 5)), "page of -1 bytes"),
        (parquet(page(-1, 10, 5)), "page of 10 bytes .* -1$"),
        (parquet(page(5_000, 10, 5), page(5_001, 10, 5)), "page of 10 bytes .* 5,001$"),
        (parquet(page(2**62, 10, 5)), "4,611,686,018,427,387,904"),
        (parquet(page(20, 10, 5), column=10**6), "column of 1,000,000 bytes"),
        (parquet(page(20, 10, 5), column=-1), "column of -1 bytes"),
        (parquet(page(20, 10, 5), footer=10**6), "longer than the file"),
        (parquet(b"\x1c" * 60), "nested too deeply"),
        (parquet(b"\x16" + b"\xff" * 20), "cannot be read"),
        (parquet(b"\x1b\0"), "cannot be read"),
        (b"PAR1PAR1", "longer than the file"),
    ],
)
def test_pages_that_lie(data: bytes, fact: str) -> None:
    with pytest.raises(ValueError, match=fact):
        check_pages(data, *LIMITS)


@pytest.mark.parametrize("compression", ["uncompressed", "snappy", "gzip", "lz4", "zstd", "brotli"])
def test_files_of_polars(compression: Any) -> None:
    run = small_run(300)
    table = pl.DataFrame(
        {
            "time": run.time_min[run.scan_of_ion],
            "mass": run.mz,
            "intensity": run.intensity,
            "name": pl.Series(["a", None, "b", "c"] * run.n_ions, dtype=pl.Categorical)[
                : run.n_ions
            ],
        }
    )
    file = io.BytesIO()
    table.write_parquet(file, compression=compression, row_group_size=100, data_page_size=64)
    check_pages(file.getvalue(), 10**6, 10**4)
    found = parse_run(file.getvalue(), "x")
    assert found.n_ions == run.n_ions


def test_damage_causes_no_other_error() -> None:
    run = small_run(20)
    file = io.BytesIO()
    pl.DataFrame({"time": run.time_min[run.scan_of_ion], "mass": run.mz}).write_parquet(file)
    data, rng, n_refused = file.getvalue(), random.Random(0), 0
    for _ in range(3_000):
        spoiled = bytearray(data)
        spoiled[rng.randrange(len(data))] ^= 1 << rng.randrange(8)
        try:
            check_pages(bytes(spoiled), *LIMITS)
        except ValueError:
            n_refused += 1
    assert 100 < n_refused < 3_000


def test_a_lie_is_reported_as_damage() -> None:
    file = io.BytesIO()
    pl.DataFrame({"time": [1.0], "mass": [1.0], "intensity": [1.0]}).write_parquet(file)
    data = file.getvalue()
    spoiled = data[:-8] + (10**6).to_bytes(4, "little") + b"PAR1"
    with refused(ReadError, "x", found="Parquet"):
        parse_run(spoiled, "x")
