"""ANDI in every form of netCDF: the classic ones byte by byte, netCDF-4 by h5py."""

from __future__ import annotations

import io
import struct
from collections.abc import Mapping
from typing import Any

import h5py
import numpy as np
from numpy.typing import NDArray

from gale.run import Run

CODES = {"i4": 4, "f4": 5, "f8": 6, "i8": 10}


def columns(run: Run) -> dict[str, NDArray[Any]]:
    return {
        "scan_acquisition_time": run.time_min * 60,
        "scan_index": run.scan_start[:-1].astype("i4"),
        "point_count": run.ions_per_scan.astype("i4"),
        "mass_values": run.mz,
        "intensity_values": run.intensity,
    }


def classic(
    run: Run, version: int, *, records: tuple[str, ...] = (), streamed: bool = False
) -> bytes:
    """ANDI in CDF-1, -2 or -5, byte by byte; variables in `records` have one value per record."""
    count, offset = {1: (">I", ">I"), 2: (">I", ">Q"), 5: (">Q", ">Q")}[version]

    def number(value: int) -> bytes:
        return struct.pack(count, value)

    def name(text: str) -> bytes:
        return number(len(text)) + text.encode() + b"\0" * (-len(text) % 4)

    values = {
        key: array.astype(array.dtype.newbyteorder(">")) for key, array in columns(run).items()
    }
    n_records = len(values[records[0]]) if records else 0
    kind = b"Centroided Mass Spectrum"
    head = b"CDF" + bytes([version])
    head += number(2 ** (8 * struct.calcsize(count)) - 1 if streamed else n_records)
    head += struct.pack(">I", 10) + number(len(values))
    for key, array in values.items():
        head += name(f"of_{key}") + number(0 if key in records else len(array))
    head += struct.pack(">I", 12) + number(1) + name("experiment_type")
    head += struct.pack(">I", 2) + number(len(kind)) + kind
    head += struct.pack(">I", 11) + number(len(values))
    entries = [
        name(key) + number(1) + number(i) + struct.pack(">I", 0) + number(0)
        + struct.pack(">I", CODES[array.dtype.str[1:]]) + number(array.nbytes)
        for i, (key, array) in enumerate(values.items())
    ]  # fmt: skip
    at = len(head) + sum(len(entry) + struct.calcsize(offset) for entry in entries)
    body = b""
    begins = {}
    for key, array in values.items():
        if key not in records:
            begins[key] = at + len(body)
            body += array.tobytes()
    start = at + len(body)
    for key in records:
        begins[key] = start
        start += values[key].dtype.itemsize
    for record in range(n_records):
        for key in records:
            body += (
                values[key][record : record + 1]
                .astype(values[key].dtype.newbyteorder(">"))
                .tobytes()
            )
    for key, entry in zip(values, entries, strict=True):
        head += entry + struct.pack(offset, begins[key])
    return head + body


def hdf5(run: Run, **options: Any) -> bytes:
    buffer = io.BytesIO()
    with h5py.File(buffer, "w") as file:
        file.attrs["experiment_type"] = np.bytes_("Centroided Mass Spectrum")
        for name, values in columns(run).items():
            file.create_dataset(name, data=values, **options)
    return buffer.getvalue()


def hdf5_of(variables: Mapping[str, Any]) -> bytes:
    """An HDF5 file of any variables."""
    buffer = io.BytesIO()
    with h5py.File(buffer, "w") as file:
        for name, values in variables.items():
            file.create_dataset(name, data=np.array(values))
    return buffer.getvalue()
