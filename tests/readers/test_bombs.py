"""Small files that ask for much memory: what reading them takes, in another process."""

from __future__ import annotations

import base64
import gzip
import io
import multiprocessing
import struct
import sys
import zipfile
import zlib
from collections.abc import Callable, Iterator
from concurrent.futures import BrokenExecutor, ProcessPoolExecutor
from pathlib import Path

import polars as pl
import pytest

from helpers import memory
from helpers.run_files import CENTROID, andi, at, csv, cv, jcamp, mzml, mzml_file, small_run
from helpers.vendor_files import data_ms, nominal_run

MB = 1 << 20
MAX_SECONDS = 60
STUCK_SECONDS = 900
"""Even on a busy machine, what takes longer waits for something that does not come."""

BASE_MB = 1_000
"""Memory that reading any file may take: a few copies of what every file may unpack to."""

TIMES_ITS_SIZE = 25
"""Memory that reading may take in addition, as a multiple of the size of the file."""

LAUGHS = (
    '<!DOCTYPE a [<!ENTITY a0 "ha">'
    + "".join(f'<!ENTITY a{n} "{f"&a{n - 1};" * 10}">' for n in range(1, 12))
    + "]>"
)


def spectrum_of(n_numbers: int, packed: bytes, *, dtype: str = "MS:1000523") -> str:
    arrays = "".join(
        f"<binaryDataArray>{cv(dtype)}{cv('MS:1000574')}{cv(kind)}"
        f"<binary>{base64.b64encode(packed).decode()}</binary></binaryDataArray>"
        for kind in ("MS:1000514", "MS:1000515")
    )
    return (
        f'<spectrum id="s" defaultArrayLength="{n_numbers}">{cv(CENTROID)}'
        f"<scanList><scan>{at(1.0)}</scan></scanList>"
        f"<binaryDataArrayList>{arrays}</binaryDataArrayList></spectrum>"
    )


def gzip_bomb() -> bytes:
    member = gzip.compress(bytes(64 * MB))
    return gzip.compress(b"time,mass,intensity\n") + member * 160  # 10 GiB, ten times too much


def zip_bomb() -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("run.csv", bytes(200 * MB))
    return buffer.getvalue()


def zip_that_lies() -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        archive.writestr("run.csv", csv(small_run()))
    data = buffer.getvalue()
    size = struct.pack("<I", len(csv(small_run())))
    return data.replace(size, struct.pack("<I", 0xF0000000))


def mzml_bomb() -> bytes:
    packed = zlib.compress(bytes(8 * 9_000_000))
    return mzml_file([spectrum_of(9_000_000, packed)] * 8)


def parquet_bomb() -> bytes:
    buffer = io.BytesIO()
    column = pl.repeat(1.0, 15_000_000, eager=True)
    pl.DataFrame({"time": column, "mass": column, "intensity": column}).write_parquet(buffer)
    return buffer.getvalue()


def arrow_bomb() -> bytes:
    buffer = io.BytesIO()
    column = pl.repeat(1.0, 15_000_000, eager=True)
    frame = pl.DataFrame({"time": column, "mass": column, "intensity": column})
    frame.write_ipc(buffer, compression="zstd")
    return buffer.getvalue()


def andi_that_lies() -> bytes:
    data = andi(small_run())
    length = struct.pack(">I", small_run().n_ions)
    return data.replace(length, struct.pack(">I", 1_250_000_000))


def data_ms_that_lies() -> bytes:
    data = bytearray(data_ms(nominal_run()))
    data[0x116:0x11A] = b"\x3f\xff\xff\xff"
    return bytes(data)


BOMBS: dict[str, Callable[[], bytes]] = {
    "gzip": gzip_bomb,
    "zip": zip_bomb,
    "zip that lies": zip_that_lies,
    "mzml arrays": mzml_bomb,
    "mzml entities": lambda: mzml(small_run()).replace(
        b"<mzML", LAUGHS.encode() + b"<mzML&a11;", 1
    ),
    "mzml entities in another encoding": lambda: (
        f'<?xml version="1.0" encoding="UTF-7"?>{LAUGHS}<mzML>&a11;</mzML>'.replace(
            "<!", "+ADwAIQ-"
        ).encode()
    ),
    "mzml depth": lambda: b"<mzML>" + b"<a>" * 2_000_000,
    "mzml attribute": lambda: b'<mzML id="' + b"a" * 20_000_000 + b'"></mzML>',
    "mzml groups": lambda: b"<mzML>" + b"<referenceableParamGroup/>" * 300_000 + b"</mzML>",
    "parquet": parquet_bomb,
    "arrow": arrow_bomb,
    "andi that lies": andi_that_lies,
    "data.ms that lies": data_ms_that_lies,
    "jcamp that lies": lambda: jcamp(small_run()).replace(b"NPOINTS= ", b"NPOINTS= 999999999"),
    "jcamp of one scan": lambda: (
        b"##TITLE= a\n##PAGE= T=1\n##XYDATA= (XY..XY)\n" + b"1,1\n" * 1_000_000
    ),
    "jcamp of scans without ions": lambda: b"##TITLE= a\n" + b"##PAGE= T=1\n" * 500_000,
    "csv of one line": lambda: b"time,mass,intensity\n" + b"1," * 3_000_000,
    "csv of an open quote": lambda: b'time,mass,intensity\n1,2,"' + b"3\n" * 3_000_000,
    "csv of columns": lambda: (
        b"time,mass,intensity" + b",a" * 1_000_000 + b"\n" + b"1," * 1_000_003
    ),
    "gzip of columns": lambda: gzip.compress(
        b"time"
        + b"".join(b",%d.%02d" % divmod(n, 50) for n in range(49_000))
        + b"\n"
        + (b"1" + b",0" * 49_000 + b"\n") * 2_000
    ),
    "gzip of short rows": lambda: gzip.compress(
        b"time" + b"".join(b",%d.%02d" % divmod(n, 50) for n in range(49_000)) + b"\n1" * 9_000_000
    ),
    "gzip of one row": lambda: gzip.compress(b"time,mass,intensity\n" + b"1," * 120_000_000),
    "gzip of one header": lambda: gzip.compress(b"a b\n" + b"1 " * 120_000_000),
    "gzip of rows in quotes": lambda: gzip.compress(
        b"time,mass,intensity\n" + b'"\n",' * 40_000_000
    ),
    "csv of bad rows": lambda: b"time,mass,intensity\n" + b"1,50,1\n" * 500_000 + b"x,1,1\n",
}


@pytest.fixture(scope="module")
def reader() -> Iterator[list[ProcessPoolExecutor]]:
    """One process that reads file after file; a test that it does not survive leaves none."""
    started: list[ProcessPoolExecutor] = []
    yield started
    for each in started:
        each.shutdown()


def reading(path: Path, reader: list[ProcessPoolExecutor]) -> memory.Reading:
    if not reader:
        context = multiprocessing.get_context("spawn")
        reader.append(ProcessPoolExecutor(1, context, initializer=memory.begin))
    try:
        return reader[0].submit(memory.read, path).result(timeout=STUCK_SECONDS)
    except (BrokenExecutor, TimeoutError):
        pool = reader.pop()
        for process in pool._processes.values():
            process.kill()
        pool.shutdown()
        raise


@pytest.mark.slow
@pytest.mark.skipif(sys.platform != "linux", reason="needs /proc/self/status")
@pytest.mark.parametrize("name", BOMBS)
def test_a_bomb_is_defused(name: str, tmp_path: Path, reader: list[ProcessPoolExecutor]) -> None:
    path = tmp_path / "bomb"
    path.write_bytes(BOMBS[name]())
    found = reading(path, reader)
    assert found.outcome.endswith("Error")
    assert found.seconds < MAX_SECONDS
    assert found.grown_mb < BASE_MB + TIMES_ITS_SIZE * path.stat().st_size / MB
