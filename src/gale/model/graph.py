"""Building an ONNX graph and writing it as a file, without the package onnx.

A file is a message of protocol buffers (see `gale.model.protobuf`). Its fields are written in the
order of their numbers, so the same graph gives the same bytes.
"""

from __future__ import annotations

import struct
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from gale.model.protobuf import BYTES, FIXED32, VARINT

OPSET = 18

IR_VERSION = 10
"""Version of the file format; onnxruntime 1.19 reads up to this one."""

Shape = Sequence[int | str]
"""Sizes; one that varies has a name."""

Input = str | ArrayLike

ELEMENT_TYPES = {"float32": 1, "int8": 3, "int64": 7, "bool": 9, "float16": 10, "float64": 11}
"""Number of each type of values that graphs of gale have."""

STEPS = 127
"""Largest whole number of a weight in 8 bits; the scale is symmetric, so that 0 stays 0."""

_FLOAT, _INT, _STRING, _INTS = 1, 2, 3, 7
"""Types of attributes."""


@dataclass(frozen=True)
class ValueInfo:
    """What a graph says of an input or output."""

    name: str
    shape: Shape
    dtype: str = "float32"
    doc: str = ""


@dataclass(frozen=True)
class Header:
    """What an ONNX file says of itself besides its metadata; see the fields of ``ModelProto``."""

    producer_version: str = ""
    domain: str = ""
    model_version: int = 0
    doc: str = ""


class Graph:
    """An ONNX graph in the making.

    Called with an operator of the ONNX standard and its inputs, it adds a node, or finds the one
    that does the same already. An input is the name of another node's output, or a number or array,
    which becomes a constant.

    Parameters
    ----------
    prefix : str
        Put before the name of every node and constant.

    Examples
    --------
    >>> import onnxruntime
    >>> graph = Graph()
    >>> half = graph("Mul", "x", 0.5)
    >>> graph.output("p", graph("Sigmoid", half), ["runs"])
    >>> model = graph.to_bytes([ValueInfo("x", ["runs"])], {"made by": "hand"})
    >>> onnxruntime.InferenceSession(model).run(["p"], {"x": np.zeros(2, np.float32)})
    [array([0.5, 0.5], dtype=float32)]
    """

    def __init__(self, prefix: str = "") -> None:
        self._prefix = prefix
        self._nodes = list[bytes]()
        self._names = dict[tuple[str, ...], list[str]]()
        self._constants = dict[tuple[str, tuple[int, ...], bytes], str]()
        self._tensors = list[bytes]()
        self._outputs = list[ValueInfo]()

    def __call__(
        self, operator: str, *inputs: Input, outputs: int = 1, which: int = -1, **attributes: Any
    ) -> str:
        """Add a node and return the name of one of its outputs.

        Parameters
        ----------
        operator : str
            Of the ONNX standard, for example ``"MatMul"``.
        *inputs : str, number or array
            Real numbers become single precision, whole ones 64-bit integers.
        outputs : int
            Number of outputs that the operator has.
        which : int
            The output that is returned, by default the last.
        **attributes
            Of the operator: whole numbers, real numbers, texts, or lists of whole numbers.
        """
        given = [value if isinstance(value, str) else self.constant(value) for value in inputs]
        key = (operator, *given, *(f"{name}={value}" for name, value in attributes.items()))
        if key not in self._names:
            name = f"{self._prefix}{operator}_{len(self._nodes)}"
            names = [name if outputs == 1 else f"{name}_{number}" for number in range(outputs)]
            self._names[key] = names
            self._nodes.append(_node(operator, given, names, name, attributes))
        return self._names[key][which]

    def output(
        self, name: str, value: str, shape: Shape, *, dtype: str = "float32", doc: str = ""
    ) -> None:
        """Declare that the graph gives a value, under a name; a size that varies has a name."""
        self.name(name, value)
        self._outputs.append(ValueInfo(name, shape, dtype, doc))

    def name(self, name: str, value: str) -> None:
        """Give a value another name, by which a later node may know it."""
        self._nodes.append(_node("Identity", [value], [name], name, {}))

    def constant(self, value: Input, dtype: str = "") -> str:
        """Return the name of a constant, the same for the same value.

        Parameters
        ----------
        value : number or array
        dtype : str, optional
            One of `ELEMENT_TYPES`; by default single precision, or 64-bit integers.
        """
        array = np.asarray(value)
        array = array.astype(dtype or ("float32" if array.dtype.kind == "f" else "int64"))
        key = (array.dtype.name, array.shape, array.tobytes())
        if key not in self._constants:
            self._constants[key] = f"{self._prefix}constant_{len(self._constants)}"
            self._tensors.append(tensor(self._constants[key], array))
        return self._constants[key]

    def in_8_bits(self, matrix: ArrayLike) -> str:
        """Store weights (…, D, D') as whole numbers of 8 bits and a scale for each column.

        The largest error is half of the 127th part of a column's largest weight.
        """
        values = np.asarray(matrix, dtype=np.float32)
        largest = np.abs(values).max(axis=-2, keepdims=True)
        scale = np.where(largest > 0, largest, np.float32(1)) / np.float32(STEPS)
        steps = self.constant(np.rint(values / scale), "int8")
        return self("Mul", self("Cast", steps, to=ELEMENT_TYPES["float32"]), scale)

    def in_16_bits(self, value: ArrayLike) -> str:
        """Store a constant in half precision."""
        return self("Cast", self.constant(value, "float16"), to=ELEMENT_TYPES["float32"])

    def embed(self, nodes: Iterable[bytes], constants: Iterable[bytes]) -> None:
        """Append nodes and constants of another graph, as messages of names of their own."""
        self._nodes.extend(nodes)
        self._tensors.extend(constants)

    def to_bytes(
        self,
        inputs: Sequence[ValueInfo],
        metadata: Mapping[str, str],
        header: Header | None = None,
        *,
        opset: int = OPSET,
        ir_version: int = IR_VERSION,
    ) -> bytes:
        """Return an ONNX file, the same for the same nodes and metadata."""
        graph = [
            *(field(1, node) for node in self._nodes),
            field(2, "gale"),
            *(field(5, each) for each in self._tensors),
            *(field(11, _value_info(each)) for each in inputs),
            *(field(12, _value_info(each)) for each in self._outputs),
        ]
        header = header or Header()
        said = (
            (3, header.producer_version),
            (4, header.domain),
            (5, header.model_version),
            (6, header.doc),
        )
        return b"".join(
            [
                field(1, ir_version),
                field(2, "gale"),
                *(field(number, value) for number, value in said if value),
                field(7, b"".join(graph)),
                field(8, field(1, "") + field(2, opset)),
                *(field(14, field(1, key) + field(2, text)) for key, text in metadata.items()),
            ]
        )


def field(number: int, value: int | float | str | bytes) -> bytes:
    """Write a field of a message: a whole number, a real one (single precision), text or bytes."""
    if isinstance(value, int):
        return _varint(number << 3 | VARINT) + _varint(value)
    if isinstance(value, float):
        return _varint(number << 3 | FIXED32) + struct.pack("<f", value)
    data = value.encode() if isinstance(value, str) else value
    return _varint(number << 3 | BYTES) + _varint(len(data)) + data


def tensor(name: str, array: NDArray[Any]) -> bytes:
    """Write a constant, as the message ``TensorProto``."""
    dims = b"".join(field(1, size) for size in array.shape)
    data = array.astype(array.dtype.newbyteorder("<")).tobytes()
    return dims + field(2, ELEMENT_TYPES[array.dtype.name]) + field(8, name) + field(9, data)


def _node(
    operator: str,
    inputs: Sequence[str],
    outputs: Sequence[str],
    name: str,
    attributes: Mapping[str, Any],
) -> bytes:
    return b"".join(
        [
            *(field(1, each) for each in inputs),
            *(field(2, each) for each in outputs),
            field(3, name),
            field(4, operator),
            *(field(5, _attribute(key, attributes[key])) for key in sorted(attributes)),
        ]
    )


def _attribute(name: str, value: int | float | str | Sequence[int]) -> bytes:
    match value:
        case int():
            said = field(3, value) + field(20, _INT)
        case float():
            said = field(2, value) + field(20, _FLOAT)
        case str():
            said = field(4, value) + field(20, _STRING)
        case _:
            said = b"".join(field(8, each) for each in value) + field(20, _INTS)
    return field(1, name) + said


def _value_info(value: ValueInfo) -> bytes:
    sizes = b"".join(
        field(1, field(1 if isinstance(size, int) else 2, size)) for size in value.shape
    )
    of_tensor = field(1, ELEMENT_TYPES[value.dtype]) + field(2, sizes)
    doc = field(3, value.doc) if value.doc else b""
    return field(1, value.name) + field(2, field(1, of_tensor)) + doc


def _varint(value: int) -> bytes:
    """Write a whole number in groups of 7 bits, negative ones as the 64-bit number they equal."""
    value &= 2**64 - 1
    written = bytearray()
    while value >= 0x80:
        written.append(value & 0x7F | 0x80)
        value >>= 7
    written.append(value)
    return bytes(written)
