"""The graph of a model file as part of another: its nodes and constants under names of their own.

With 8-bit weights, each matrix that multiplies is stored as whole numbers from −127 to 127 and a
scale for each of its columns, and becomes single precision when the graph is loaded.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from gale.errors import ModelError
from gale.model import Model, protobuf
from gale.model.graph import ELEMENT_TYPES, OPSET, Graph
from gale.model.graph import field as written
from gale.model.protobuf import fields, written_fields

MODEL_IR, MODEL_OPSET = 1, 8
NODE_OUTPUT, NODE_NAME = 2, 3
TENSOR_TYPE, TENSOR_FLOATS = 2, 4

PREFIX = "model/"
"""Put before every name of the graph of the model."""

LEAST_WEIGHTS = 1024
"""Smaller matrices stay as they are: they take little space."""

TYPES = {"float32": "<f4", "float16": "<f2", "int8": "<i1"}
"""In what weights may be stored."""


class Node(NamedTuple):
    """A node of the graph: its message, and what is in it."""

    message: memoryview
    operator: str
    inputs: list[str]
    outputs: list[str]


class Constant(NamedTuple):
    """A constant of the graph: its name, its message, its type, and its values if it has one."""

    name: str
    message: memoryview
    dtype: str = ""
    values: NDArray[Any] | None = None


@dataclass
class Parts:
    """What the file of a model consists of."""

    nodes: list[Node] = field(default_factory=list)
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
                    parts.nodes.append(_node(message))
                elif inner == protobuf.GRAPH_INITIALIZER:
                    parts.constants.append(_constant(message))
    return parts


def embeddable(model: Model) -> Parts:
    """Take a model apart whose graph the nodes of others can be put beside.

    Raises
    ------
    ModelError
        If it is of an older operator set than these are.
    """
    parts = parts_of(model.content)
    if parts.opset < OPSET:
        raise ModelError(
            model.source,
            f"is a graph of ONNX operator set {parts.opset}",
            f"{OPSET} or newer",
            "train again",
        )
    return parts


def embed(graph: Graph, parts: Parts, *, int8: bool = False) -> None:
    """Append the graph of a model; what was ``x`` in it is ``model/x``."""
    wide = {
        name: constant.values.astype(np.float32)
        for name, constant in _matrices(parts).items()
        if int8 and constant.dtype != "int8" and constant.values is not None
    }
    for name, values in wide.items():
        graph.name(PREFIX + name, graph.in_8_bits(values))
    nodes = [node for node in parts.nodes if wide.keys().isdisjoint(node.outputs)]
    used = {name for node in nodes for name in node.inputs} - wide.keys()
    names = {protobuf.NODE_INPUT, NODE_OUTPUT, NODE_NAME}
    graph.embed(
        (_renamed(node.message, names) for node in nodes),
        (
            _renamed(constant.message, {protobuf.TENSOR_NAME})
            for constant in parts.constants
            if constant.name in used
        ),
    )


def weights_of(parts: Parts, *, int8: bool = False) -> str:
    """In what most weights of large matrices are stored, one of `TYPES`."""
    if int8:
        return "int8"
    sizes = dict.fromkeys(TYPES, 0)
    for constant in _matrices(parts).values():
        assert constant.values is not None
        sizes[constant.dtype] += constant.values.size
    return max(sizes, key=sizes.__getitem__)


def _matrices(parts: Parts) -> dict[str, Constant]:
    """The large constants that are the second factor of a product, by the name of that factor.

    It may be made of a constant that is stored in fewer bits: by Cast, or by Cast and Mul.
    """
    makers = {name: node for node in parts.nodes for name in node.outputs}
    constants = {constant.name: constant for constant in parts.constants}
    found = {}
    for node in parts.nodes:
        if node.operator != "MatMul":
            continue
        origin, scaled = node.inputs[1], False
        for operator in ("Mul", "Cast"):
            if (maker := makers.get(origin)) is not None and maker.operator == operator:
                origin, scaled = maker.inputs[0], scaled or operator == "Mul"
        constant = constants.get(origin)
        if constant is None or constant.values is None or scaled != (constant.dtype == "int8"):
            continue
        if constant.values.size >= LEAST_WEIGHTS:
            found[node.inputs[1]] = constant
    return found


def _node(message: memoryview) -> Node:
    inputs, outputs, operator = list[str](), list[str](), ""
    for number, value in fields(message):
        if number == protobuf.NODE_INPUT:
            inputs.append(_text(value))
        elif number == NODE_OUTPUT:
            outputs.append(_text(value))
        elif number == protobuf.NODE_TYPE:
            operator = _text(value)
    return Node(message, operator, inputs, outputs)


def _constant(message: memoryview) -> Constant:
    name, number_of_type, dims, raw = "", 0, list[int](), memoryview(b"")
    for number, value in fields(message):
        if number == protobuf.TENSOR_DIMS:
            dims += protobuf.varints(value)
        elif number == TENSOR_TYPE and isinstance(value, int):
            number_of_type = value
        elif number == protobuf.TENSOR_NAME:
            name = _text(value)
        elif number in (protobuf.TENSOR_RAW, TENSOR_FLOATS) and not isinstance(value, int):
            raw = value
    for dtype, layout in TYPES.items():
        size = np.dtype(layout).itemsize * int(np.prod(dims))
        if number_of_type == ELEMENT_TYPES[dtype] and len(raw) == size:
            return Constant(name, message, dtype, np.frombuffer(raw, layout).reshape(dims))
    return Constant(name, message)


def _renamed(message: memoryview, numbers: set[int]) -> bytes:
    """A message with `PREFIX` before the texts of some of its fields, but empty ones."""
    return b"".join(
        written(number, PREFIX + _text(value)) if number in numbers and value else bytes(raw)
        for number, value, raw in written_fields(message)
    )


def _text(value: Any) -> str:
    return bytes(value).decode()
