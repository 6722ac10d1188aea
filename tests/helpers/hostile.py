"""Small files of every format, ways of damaging them, and what reading the result may give.

A new format needs one line in :func:`samples`. tools/fuzz.py uses this for longer than the tests.
"""

from __future__ import annotations

import gzip
import io
import random
import re
import struct
import zipfile
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any, NamedTuple

import numpy as np

from gale.errors import GaleError
from gale.readers import instrument_folders as folders
from gale.readers import parse_run
from gale.run import Run
from helpers.errors import check_error
from helpers.netcdf_files import classic, hdf5
from helpers.run_files import PROFILE, WRITERS, csv, cv, frame, mzml, small_run
from helpers.vendor_files import FOLDERS, data_ms, lower, masslynx, nominal_run
from helpers.xml_files import mzxml, numpress_mzml

SOURCE = "a name"
N_SCANS = 5


@dataclass(frozen=True)
class Sample:
    """A file, and the function that reads it."""

    data: bytes
    read: Callable[[bytes], Run]


def samples() -> dict[str, Sample]:
    """A file of each format and dialect, by name."""
    run = small_run(N_SCANS)
    files = {name: write(run) for name, write in WRITERS.items()}
    files |= {
        "csv.gz": gzip.compress(csv(run)),
        "csv.zip": _zipped("run.csv", csv(run)),
        "wide csv": _wide_csv(run),
        "tab separated": csv(run).replace(b",", b"\t").replace(b"\n", b"\r\n"),
        "parquet of uncompressed pages": _parquet(run, "uncompressed"),
        "parquet of many pages": _parquet(run, "snappy", data_page_size=64, row_group_size=16),
        "arrow": _arrow(run),
        "arrow in zstd": _arrow(run, "zstd"),
        "arrow stream": _arrow_stream(run),
        "arrow stream in lz4": _arrow_stream(run, "lz4"),
        "mzml as 32-bit numbers": mzml(run, dtype="<f4", compress=False),
        "mzml.gz": gzip.compress(mzml(run)),
        "mzml with numpress": numpress_mzml(run, "slof", zlib_as=""),
        "mzml with numpress and zlib": numpress_mzml(run, "pic", zlib_as="own"),
        "mzxml": mzxml(run),
        "mzxml.zlib": mzxml(run, precision=32, compress=True),
        "andi in CDF-5": classic(run, 5, records=("scan_index",)),
        "andi in netCDF-4": hdf5(run, compression="gzip"),
        "chemstation": data_ms(nominal_run(N_SCANS)),
    }
    found = {name: Sample(data, partial(parse_run, source=SOURCE)) for name, data in files.items()}
    to_centroids = partial(parse_run, source=SOURCE, centroid=True)
    found["mzml of a profile"] = Sample(mzml(_profile(run), params=cv(PROFILE)), to_centroids)
    for maker, write in FOLDERS.items():
        found |= _of_folder(maker, lower(write(nominal_run(N_SCANS))))
    calibrated = masslynx(nominal_run(N_SCANS), header="$$ Cal Function 1: 0.1,1,1e-5,T0\n")
    return found | _of_folder("masslynx", lower(calibrated))


def _profile(run: Run) -> Run:
    """A run in which each ion is a curve of five points."""
    step = np.arange(-2, 3)
    mz = (run.mz[:, None] + 0.05 * step).ravel()
    intensity = (run.intensity[:, None] / (1 + step**2)).ravel()
    return Run.from_scans(run.time_min, 5 * run.ions_per_scan, mz, intensity)


def _of_folder(maker: str, files: Mapping[str, bytes]) -> dict[str, Sample]:
    """One sample per file of a folder; the other files stay whole."""

    def read(name: str, data: bytes) -> Run:
        return folders.READERS[maker]({**files, name: data}, SOURCE)

    return {f"{maker} {name}": Sample(data, partial(read, name)) for name, data in files.items()}


def _zipped(name: str, data: bytes) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr(name, data)
    return buffer.getvalue()


def _wide_csv(run: Run) -> bytes:
    """One row per scan and one column per m/z, as OpenChrom exports them."""
    table = np.zeros((run.n_scans, 400))  # m/z 15 to 414
    scan = np.repeat(np.arange(run.n_scans), run.ions_per_scan)
    table[scan, run.mz.astype(int) - 15] = run.intensity
    lines = [
        "RT(milliseconds);RT(minutes) - NOT USED BY IMPORT;RI;" + ";".join(map(str, range(15, 415)))
    ]
    for minutes, row in zip(run.time_min, table, strict=True):
        lines.append(f"{round(minutes * 60_000)};{minutes};0.0;" + ";".join(f"{v:g}" for v in row))
    return "\n".join(lines).encode()


def _parquet(run: Run, compression: Any, **pages: Any) -> bytes:
    buffer = io.BytesIO()
    frame(run).write_parquet(buffer, compression=compression, **pages)
    return buffer.getvalue()


def _arrow(run: Run, compression: Any = "uncompressed") -> bytes:
    buffer = io.BytesIO()
    frame(run).write_ipc(buffer, compression=compression)
    return buffer.getvalue()


def _arrow_stream(run: Run, compression: Any = "uncompressed") -> bytes:
    buffer = io.BytesIO()
    frame(run).write_ipc_stream(buffer, compression=compression)
    return buffer.getvalue()


NUMBERS = (0, 1, 0x7F, 0xFF, 0x7FFF, 0x8000, 0xFFFF, 0x7FFFFFFF, 0x80000000, 0xFFFFFFFF, 2**63 - 1)
FLOATS = (float("nan"), float("inf"), -1.0, 1e308, 5e-324)
WORDS = (
    b"",
    b"0",
    b"-1",
    b"1e999",
    b"nan",
    b"99999999999",
    b"2147483648",
    b"\xff",
    b"&a;",
    b"<!--",
)


class Change(NamedTuple):
    """One damage to a file: its kind, its position (0 to 1), and a number for the rest."""

    kind: str
    where: float
    number: int


def damage(data: bytes, change: Change) -> bytes:
    """Return the file with a change made to it."""
    at = min(int(change.where * len(data)), max(len(data) - 1, 0))
    return KINDS[change.kind](data, at, change.number)


def _flip(data: bytes, at: int, number: int) -> bytes:
    return data[:at] + bytes([data[at] ^ 1 << number % 8]) + data[at + 1 :] if data else data


def _insert(data: bytes, at: int, number: int) -> bytes:
    return data[:at] + random.Random(number).randbytes(number % 9 + 1) + data[at:]


def _delete(data: bytes, at: int, number: int) -> bytes:
    return data[:at] + data[at + number % 64 + 1 :]


def _repeat(data: bytes, at: int, number: int) -> bytes:
    return data[:at] + data[at : at + number % 300] * (number % 5) + data[at:]


def _lie(data: bytes, at: int, number: int) -> bytes:
    """Overwrite bytes with an extreme integer or float of any width and byte order."""
    order, code = "<>"[number % 2], "BHIQfd"[number // 2 % 6]
    if code in "fd":
        with np.errstate(over="ignore"):
            floats = np.array(FLOATS, f"{order}f{'48'[code == 'd']}")
        lie = bytes(floats[number // 12 % len(FLOATS)].tobytes())
    else:
        whole = NUMBERS[number // 12 % len(NUMBERS)] & (1 << 8 * struct.calcsize(code)) - 1
        lie = struct.pack(order + code, whole)
    return data[:at] + lie + data[at + len(lie) :]


def _say(data: bytes, at: int, number: int) -> bytes:
    """Replace the next number in text by a word."""
    match = re.compile(rb"[-+.0-9eE]+").search(data, at)
    if match is None:
        return data
    return data[: match.start()] + WORDS[number % len(WORDS)] + data[match.end() :]


KINDS: dict[str, Callable[[bytes, int, int], bytes]] = {
    "cut": lambda data, at, _: data[:at],
    "flip": _flip,
    "insert": _insert,
    "delete": _delete,
    "repeat": _repeat,
    "lie": _lie,
    "say": _say,
}


def check(sample: Sample, data: bytes) -> str:
    """Read damaged data, check that a run or a GaleError results, and return its type's name.

    Raises
    ------
    AssertionError
        If the run is not valid, or the error does not name its source or is too long.
    """
    try:
        run = sample.read(data)
    except GaleError as error:
        return _check_refusal(error)
    assert run.n_scans >= 2
    assert np.all(np.isfinite(run.time_min))
    assert np.all(np.diff(run.time_min) >= 0)
    assert np.all((run.mz > 0) & (run.mz <= 20_000))
    assert np.all((run.intensity >= 0) & np.isfinite(run.intensity))
    assert run.scan_start[0] == 0
    assert run.scan_start[-1] == run.n_ions == len(run.intensity)
    assert np.all(np.diff(run.scan_start) >= 0)
    assert all(note and "\n" not in note and len(note) < 2_000 for note in run.notes)
    return "Run"


def _check_refusal(error: GaleError) -> str:
    check_error(error)
    assert error.source.startswith(SOURCE)
    assert len(str(error)) < 2_000
    return type(error).__name__
