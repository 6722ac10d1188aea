"""The parts of an ONNX file that are looked at before it runs, read without the package onnx.

An ONNX file is a message of protocol buffers: fields, each a number with a value, some of which are
messages again. The numbers are those of ``onnx.proto``.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

MODEL_GRAPH, MODEL_METADATA, MODEL_TRAINING, MODEL_FUNCTIONS = 7, 14, 20, 25
GRAPH_NODE, GRAPH_INITIALIZER, GRAPH_SPARSE = 1, 5, 15
NODE_INPUT, NODE_ATTRIBUTE, NODE_DOMAIN, NODE_TYPE = 1, 5, 7, 4
ATTRIBUTE_TENSOR, ATTRIBUTE_TENSORS = 5, 10
ATTRIBUTE_GRAPHS = (6, 11)
TENSOR_DIMS, TENSOR_INT64, TENSOR_NAME, TENSOR_RAW = 1, 7, 8, 9
TENSOR_EXTERNAL, TENSOR_LOCATION = 13, 14

VARINT, FIXED64, BYTES, FIXED32 = 0, 1, 2, 5
"""Kinds of values on the wire."""

Value = int | memoryview


class NotProtobufError(ValueError):
    """Bytes that are not a message."""


@dataclass(frozen=True)
class Node:
    """A node of a graph: its operator, its inputs, and whether an attribute has a graph."""

    operator: str
    inputs: tuple[str, ...]
    has_graph: bool


@dataclass
class OnnxFile:
    """What an ONNX file has in it.

    Parameters
    ----------
    metadata : list of (key, value)
    nodes : list of Node
        Operators of other domains than that of ONNX have the domain before their name.
    shapes : dict of str to tuple of int
        Values of the whole numbers among the constants, by name.
    extras : list of str
        What else it has that gale never writes, in words.
    """

    metadata: list[tuple[str, str]] = field(default_factory=list)
    nodes: list[Node] = field(default_factory=list)
    shapes: dict[str, tuple[int, ...]] = field(default_factory=dict)
    extras: list[str] = field(default_factory=list)


def read_onnx(data: bytes) -> OnnxFile:
    """Read what an ONNX file has in it.

    Raises
    ------
    NotProtobufError
        If it is not one.
    """
    found, n_graphs = OnnxFile(), 0
    for number, value in fields(memoryview(data)):
        if number == MODEL_GRAPH:
            n_graphs += 1
            _read_graph(_message(value), found)
        elif number == MODEL_METADATA:
            entry = dict(fields(_message(value)))
            found.metadata.append((_text(entry.get(1)), _text(entry.get(2))))
        elif number == MODEL_FUNCTIONS:
            found.extras.append("functions of its own")
        elif number == MODEL_TRAINING:
            found.extras.append("a graph of training")
    if n_graphs != 1:
        raise NotProtobufError(f"{n_graphs} graphs")
    return found


def fields(message: memoryview) -> Iterator[tuple[int, Value]]:
    """Yield the number and value of each field of a message.

    Raises
    ------
    NotProtobufError
        If the bytes are no message.
    """
    return ((number, value) for number, value, _ in written_fields(message))


def written_fields(message: memoryview) -> Iterator[tuple[int, Value, memoryview]]:
    """Yield the number, the value and all bytes of each field of a message.

    Raises
    ------
    NotProtobufError
        If the bytes are no message.
    """
    at = 0
    while at < len(message):
        start = at
        tag, at = _varint(message, at)
        number, kind = tag >> 3, tag & 7
        if number == 0:
            raise NotProtobufError("a field without a number")
        if kind == VARINT:
            value, at = _varint(message, at)
            yield number, value, message[start:at]
            continue
        if kind == BYTES:
            size, at = _varint(message, at)
        elif kind in (FIXED32, FIXED64):
            size = 4 if kind == FIXED32 else 8
        else:
            raise NotProtobufError(f"a field of kind {kind}")
        if at + size > len(message):
            raise NotProtobufError("a field beyond the end")
        yield number, message[at : at + size], message[start : at + size]
        at += size


def _read_graph(graph: memoryview, found: OnnxFile) -> None:
    for number, value in fields(graph):
        if number == GRAPH_NODE:
            found.nodes.append(_node(_message(value), found))
        elif number == GRAPH_INITIALIZER:
            _read_tensor(_message(value), found)
        elif number == GRAPH_SPARSE:
            found.extras.append("sparse constants")


def _node(node: memoryview, found: OnnxFile) -> Node:
    inputs, operator, domain, has_graph = [], "", "", False
    for number, value in fields(node):
        if number == NODE_INPUT:
            inputs.append(_text(value))
        elif number == NODE_TYPE:
            operator = _text(value)
        elif number == NODE_DOMAIN:
            domain = _text(value)
        elif number == NODE_ATTRIBUTE:
            for part, inner in fields(_message(value)):
                has_graph |= part in ATTRIBUTE_GRAPHS
                if part in (ATTRIBUTE_TENSOR, ATTRIBUTE_TENSORS):
                    _read_tensor(_message(inner), found)
    name = operator if domain in ("", "ai.onnx") else f"{domain}.{operator}"
    return Node(name, tuple(inputs), has_graph)


def _read_tensor(tensor: memoryview, found: OnnxFile) -> None:
    name, raw, numbers = "", memoryview(b""), list[int]()
    for number, value in fields(tensor):
        if number == TENSOR_EXTERNAL or (number == TENSOR_LOCATION and value != 0):
            found.extras.append("weights in another file")
        elif number == TENSOR_NAME:
            name = _text(value)
        elif number == TENSOR_RAW:
            raw = _message(value)
        elif number == TENSOR_INT64:
            numbers += varints(value)
    if len(raw) % 8 == 0 and len(raw) <= 8 * 16:  # a shape; weights are longer, or never asked for
        numbers += [
            int.from_bytes(raw[at : at + 8], "little", signed=True) for at in range(0, len(raw), 8)
        ]
    found.shapes[name] = tuple(numbers)


def varints(value: Value) -> list[int]:
    """Read whole numbers that are packed into one value, or the one that is not."""
    if isinstance(value, int):
        return [value]
    numbers, at = [], 0
    while at < len(value):
        number, at = _varint(value, at)
        numbers.append(number if number < 2**63 else number - 2**64)
    return numbers


def _varint(message: memoryview, at: int) -> tuple[int, int]:
    """Read a number of 1 to 10 bytes; return it and the place behind it."""
    number = 0
    for shift in range(0, 70, 7):
        if at >= len(message):
            break
        byte = message[at]
        at += 1
        number |= (byte & 0x7F) << shift
        if byte < 0x80:
            return number, at
    raise NotProtobufError("a number beyond the end")


def _message(value: Value | None) -> memoryview:
    if not isinstance(value, memoryview):
        raise NotProtobufError("a number where a message belongs")
    return value


def _text(value: Value | None) -> str:
    try:
        return bytes(_message(value)).decode() if value is not None else ""
    except UnicodeDecodeError:
        raise NotProtobufError("a text that is not UTF-8") from None
