"""The graph of a model file as part of another: its nodes and constants under names of their own.

With 8-bit weights, each matrix that multiplies is stored as whole numbers from −127 to 127 and a
scale for each of its columns, and becomes single precision when the graph is loaded.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from gale.model import protobuf
from gale.model.graph import ELEMENT_TYPES, Graph
from gale.model.graph import field as written
from gale.model.protobuf import fields, written_fields

MODEL_IR, MODEL_OPSET = 1, 8
NODE_OUTPUT, NODE_NAME = 2, 3
TENSOR_TYPE, TENSOR_FLOATS = 2, 4

PREFIX = "model/"
"""Put before every name of the graph of the model."""

LEAST_WEIGHTS = 1024
"""Smaller constants stay in single precision: they take little space, and biases matter more."""


class Constant(NamedTuple):
    """A constant of the graph: its name, its message, and its values if they are real numbers."""

    name: str
    message: memoryview
    values: NDArray[np.float32] | None


@dataclass
class Parts:
    """What the file of a model consists of."""

    nodes: list[memoryview] = field(default_factory=list)
    constants: list[Constant] = field(default_factory=list)
    opset: int = 0
    ir_version: int = 0


def parts_of(data: bytes) -> Parts:
    """Take a model file apart, which has been checked before."""
    parts = Parts()
    for number, value in fields(memoryview(data)):
        if number == MODEL_IR and isinstance(value, int):
            parts.ir_version = value
        elif isinstance(value, int):
            continue
        elif number == MODEL_OPSET:
            of_domain = dict(fields(value))
            if not of_domain.get(1) and isinstance(version := of_domain.get(2), int):
                parts.opset = version
        elif number == protobuf.MODEL_GRAPH:
            for inner, message in fields(value):
                assert not isinstance(message, int)
                if inner == protobuf.GRAPH_NODE:
                    parts.nodes.append(message)
                elif inner == protobuf.GRAPH_INITIALIZER:
                    parts.constants.append(_constant(message))
    return parts


def embed(graph: Graph, parts: Parts, *, int8: bool = False) -> None:
    """Append the graph of a model; what was ``x`` in it is ``model/x``."""
    narrow = _matrices(parts) if int8 else frozenset[str]()
    kept = list[bytes]()
    for constant in parts.constants:
        if constant.name in narrow and constant.values is not None:
            graph.name(PREFIX + constant.name, graph.in_8_bits(constant.values))
        else:
            kept.append(_renamed(constant.message, {protobuf.TENSOR_NAME}))
    names = {protobuf.NODE_INPUT, NODE_OUTPUT, NODE_NAME}
    graph.embed((_renamed(node, names) for node in parts.nodes), kept)


def _matrices(parts: Parts) -> frozenset[str]:
    """Names of the constants that are the second factor of a product, and large."""
    large = {
        constant.name
        for constant in parts.constants
        if constant.values is not None and constant.values.size >= LEAST_WEIGHTS
    }
    second = set()
    for node in parts.nodes:
        given = [_text(value) for number, value in fields(node) if number == protobuf.NODE_INPUT]
        operator = [_text(value) for number, value in fields(node) if number == protobuf.NODE_TYPE]
        if operator == ["MatMul"]:
            second.add(given[1])
    return frozenset(large & second)


def _constant(message: memoryview) -> Constant:
    name, dtype, dims, raw = "", 0, list[int](), memoryview(b"")
    for number, value in fields(message):
        if number == protobuf.TENSOR_DIMS:
            dims += protobuf.varints(value)
        elif number == TENSOR_TYPE and isinstance(value, int):
            dtype = value
        elif number == protobuf.TENSOR_NAME:
            name = _text(value)
        elif number in (protobuf.TENSOR_RAW, TENSOR_FLOATS) and not isinstance(value, int):
            raw = value
    values = None
    if dtype == ELEMENT_TYPES["float32"] and len(raw) == 4 * int(np.prod(dims)):
        values = np.frombuffer(raw, "<f4").reshape(dims)
    return Constant(name, message, values)


def _renamed(message: memoryview, numbers: set[int]) -> bytes:
    """A message with `PREFIX` before the texts of some of its fields, but empty ones."""
    return b"".join(
        written(number, PREFIX + _text(value)) if number in numbers and value else bytes(raw)
        for number, value, raw in written_fields(message)
    )


def _text(value: Any) -> str:
    return bytes(value).decode()
