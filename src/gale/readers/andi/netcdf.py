"""netCDF: variables and attributes of its classic forms (CDF-1, -2, -5) and of netCDF-4 (HDF5).

The classic form has a header of big-endian numbers and padded names; then come the values of each
variable in one piece, or in one piece per record. See the "File Format Specifications" of the
NetCDF User's Guide. Every length is checked against the size of the file before it is used.
"""

from __future__ import annotations

import io
import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from gale.errors import MissingExtraError, ReadError

CLASSIC = (b"CDF\x01", b"CDF\x02", b"CDF\x05")
HDF5 = b"\x89HDF\r\n\x1a\n"

_TYPES = {1: "i1", 2: "S1", 3: ">i2", 4: ">i4", 5: ">f4", 6: ">f8"}
_TYPES |= {7: "u1", 8: ">u2", 9: ">u4", 10: ">i8", 11: ">u8"}  # of CDF-5
_DIMENSIONS, _VARIABLES, _ATTRIBUTES = 10, 11, 12

_MAX_RATIO = 1100
"""Deflate packs at most 1,032 bytes into one, so a dataset that declares more is wrong."""


@dataclass(frozen=True)
class Variable:
    """Values of a variable as stored, and its attributes."""

    data: NDArray[Any]
    attributes: Mapping[str, Any]


@dataclass(frozen=True)
class NetCDF:
    """The variables of a file and its global attributes, by name."""

    variables: Mapping[str, Variable]
    attributes: Mapping[str, Any]


def read(data: bytes, source: str) -> NetCDF:
    """Read a netCDF file of any form.

    Raises
    ------
    ReadError
        If it is cut short or damaged.
    MissingExtraError
        If it is netCDF-4 and h5py is not installed.
    """
    try:
        return _read_hdf5(data, source) if data.startswith(HDF5) else _Classic(data).read()
    except (ValueError, TypeError, KeyError, IndexError, OverflowError, RuntimeError, OSError) as e:
        why = " ".join(str(e).split())[:120]
        raise ReadError(
            source,
            f"has netCDF data that are cut short or damaged ({why})",
            "a whole file",
            "copy or export it again",
        ) from e


@dataclass
class _Classic:
    """A reader of the classic form, at the byte `at` of the file."""

    data: bytes
    at: int = 4
    count_bytes: int = field(init=False)
    offset_bytes: int = field(init=False)

    def __post_init__(self) -> None:
        self.count_bytes = 8 if self.data[3] == 5 else 4
        self.offset_bytes = 4 if self.data[3] == 1 else 8

    def read(self) -> NetCDF:
        records = self.number(self.count_bytes)
        streamed = records == 256**self.count_bytes - 1
        sizes = [self.dimension() for _ in range(self.list_length(_DIMENSIONS))]
        attributes = self.attributes()
        stored = [self.variable(sizes) for _ in range(self.list_length(_VARIABLES))]
        of_records = [variable for variable in stored if variable.has_records]
        stride = sum(variable.padded_bytes for variable in of_records)
        if len(of_records) == 1:
            stride = of_records[0].bytes_per_record  # alone, it is not padded
        if streamed and stride:
            records = (len(self.data) - min(variable.begin for variable in of_records)) // stride
        variables = {
            variable.name: variable.values(self.data, records, stride) for variable in stored
        }
        return NetCDF(variables, attributes)

    def take(self, size: int) -> bytes:
        if size > len(self.data) - self.at:
            raise ValueError(f"{size:,} bytes at {self.at:,} of {len(self.data):,}")
        taken = self.data[self.at : self.at + size]
        self.at += size
        return taken

    def number(self, size: int) -> int:
        return int.from_bytes(self.take(size), "big")

    def padded(self, size: int) -> bytes:
        taken = self.take(size)
        self.at += -size % 4
        return taken

    def name(self) -> str:
        return self.padded(self.number(self.count_bytes)).decode("latin-1")

    def list_length(self, expected: int) -> int:
        tag, length = self.number(4), self.number(self.count_bytes)
        if tag not in (0, expected) or (tag == 0 and length):
            raise ValueError(f"list {tag} of {length}")
        return length

    def dimension(self) -> int:
        self.name()
        return self.number(self.count_bytes)

    def attributes(self) -> dict[str, Any]:
        return dict(self.attribute() for _ in range(self.list_length(_ATTRIBUTES)))

    def attribute(self) -> tuple[str, Any]:
        name, kind, length = self.name(), self.number(4), self.number(self.count_bytes)
        dtype = np.dtype(_TYPES[kind])
        raw = self.padded(length * dtype.itemsize)
        return name, raw if kind == 2 else _scalar(np.frombuffer(raw, dtype))

    def variable(self, sizes: list[int]) -> _Stored:
        name = self.name()
        n_dimensions = self.number(self.count_bytes)
        if n_dimensions > len(self.data):
            raise ValueError(f"{n_dimensions:,} dimensions")
        shape = [sizes[self.number(self.count_bytes)] for _ in range(n_dimensions)]
        attributes = self.attributes()
        dtype = np.dtype(_TYPES[self.number(4)])
        self.number(self.count_bytes)  # the size in bytes, which the shape gives as well
        return _Stored(name, shape, attributes, dtype, self.number(self.offset_bytes))


@dataclass(frozen=True)
class _Stored:
    """A variable of the classic form, as the header describes it."""

    name: str
    shape: list[int]
    attributes: dict[str, Any]
    dtype: np.dtype[Any]
    begin: int

    @property
    def has_records(self) -> bool:
        return bool(self.shape) and self.shape[0] == 0

    @property
    def bytes_per_record(self) -> int:
        return math.prod(self.shape[1:]) * self.dtype.itemsize

    @property
    def padded_bytes(self) -> int:
        return self.bytes_per_record + -self.bytes_per_record % 4

    def values(self, data: bytes, records: int, stride: int) -> Variable:
        """View the values in the file; TypeError or ValueError if they reach beyond its end."""
        if not self.has_records:
            return Variable(
                np.ndarray(tuple(self.shape), self.dtype, data, self.begin), self.attributes
            )
        shape = (records, *self.shape[1:])
        if 0 in shape:
            return Variable(np.empty(0, self.dtype), self.attributes)
        fits = self.bytes_per_record < len(data)
        strides = np.empty(self.shape[1:], self.dtype).strides if fits else ()
        return Variable(
            np.ndarray(shape, self.dtype, data, self.begin, (stride, *strides)), self.attributes
        )


def _scalar(values: NDArray[Any]) -> Any:
    return values.item() if values.size == 1 else values


def _read_hdf5(data: bytes, source: str) -> NetCDF:
    try:
        import h5py
    except ImportError:
        raise MissingExtraError(
            source,
            "is an HDF5 (netCDF-4) file",
            "h5py to be installed",
            'run pip install "gale-ms[hdf5]", or rewrite the file with nccopy -k classic',
        ) from None
    with h5py.File(io.BytesIO(data), "r") as file:
        variables = {}
        for name in file:
            # Links to other files are not followed.
            if not isinstance(file.get(name, getlink=True), h5py.HardLink):
                continue
            stored = file[name]
            if not isinstance(stored, h5py.Dataset) or stored.dtype.kind not in "iufS":
                continue
            if stored.external or stored.is_virtual:
                raise ValueError(f"{name} is stored in another file")
            if stored.nbytes > _MAX_RATIO * len(data):
                raise ValueError(f"{name} declares {stored.nbytes:,} bytes")
            variables[name] = Variable(np.asarray(stored[()]), _hdf5_attributes(stored))
        return NetCDF(variables, _hdf5_attributes(file))


def _hdf5_attributes(holder: Any) -> dict[str, Any]:
    """Attributes of a file or dataset, without those in which HDF5 stores dimensions."""
    found = {}
    for name in holder.attrs:
        if name in ("DIMENSION_LIST", "REFERENCE_LIST"):
            continue
        value = holder.attrs[name]
        found[name] = value if isinstance(value, str | bytes) else _scalar(np.asarray(value))
    return found
