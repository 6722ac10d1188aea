"""Graphs written without the package onnx, as that package reads and writes them."""

from __future__ import annotations

import numpy as np
import onnx
import pytest
from onnx import numpy_helper

from gale.model.graph import Graph, Header, ValueInfo
from helpers.whole_graphs import session_of

X = ValueInfo("x", ["rows", 3], "float32", "numbers")


def graph() -> Graph:
    """Nodes with attributes and constants of every kind."""
    made = Graph("my/")
    highest = made("TopK", "x", [2], axis=-1, outputs=2, which=0)
    place = made("TopK", "x", [2], axis=-1, outputs=2)
    normal = made("LayerNormalization", highest, np.ones(2), axis=-1, epsilon=1e-3)
    padded = made("Pad", normal, [0, -1], "", [1], mode="edge")
    pooled = made("MaxPool", made("Unsqueeze", padded, [0]), kernel_shape=[1], strides=[1])
    narrow = made("Cast", made.constant([[[2]]], "int8"), to=1)
    made.output("y", made("Mul", pooled, narrow), [1, "rows", 1], doc="scaled")
    made.output("place", place, ["rows", 2], dtype="int64")
    return made


def test_the_bytes_are_those_that_onnx_writes() -> None:
    header = Header("1.2", "here", 2**40, "two\nlines")
    data = graph().to_bytes([X], {"key": "ü", "empty": ""}, header)
    proto = onnx.load_from_string(data)
    onnx.checker.check_model(proto, full_check=True)
    assert bytes(proto.SerializeToString(deterministic=True)) == data
    assert (proto.producer_version, proto.domain) == ("1.2", "here")
    assert (proto.model_version, proto.doc_string) == (2**40, "two\nlines")
    assert proto.graph.input[0].doc_string == "numbers"
    assert [(each.key, each.value) for each in proto.metadata_props] == [
        ("key", "ü"),
        ("empty", ""),
    ]
    assert all(node.name.startswith("my/") for node in proto.graph.node if node.name[0] == "m")


def test_it_runs() -> None:
    x = np.array([[1, 3, 2], [9, 7, 8]], np.float32)
    y, place = session_of(graph().to_bytes([X], {})).run(None, {"x": x})
    np.testing.assert_array_equal(place, [[1, 2], [0, 2]])
    np.testing.assert_allclose(y, [[[2.0], [2.0]]], atol=0.01)


@pytest.mark.parametrize(
    "value",
    [True, 3, -(2**63), 2.5, [1.5, -0.0], np.zeros((2, 0, 3)), np.float64(np.nan), [[1], [2]]],
)
def test_constants_are_kept(value: object) -> None:
    made = Graph()
    array = np.asarray(value)
    name = made.constant(array)
    made.output("y", name, list(array.shape), dtype="float32" if array.dtype == "f8" else "int64")
    (kept,) = onnx.load_from_string(made.to_bytes([], {})).graph.initializer
    np.testing.assert_array_equal(numpy_helper.to_array(kept), array)


def test_the_same_node_and_the_same_constant_are_there_once() -> None:
    made = Graph()
    first = made("Add", "x", 1.0)
    assert made("Add", "x", 1.0) == first
    assert made("Add", "x", 2.0) != first
    assert made("Sum", "x", 1.0) != first
    assert made("Concat", "x", axis=0) != made("Concat", "x", axis=1)
    assert made.constant(1.0, "float64") != made.constant(1.0)
    proto = onnx.load_from_string(made.to_bytes([X], {}))
    assert len(proto.graph.node) == 5
    assert len(proto.graph.initializer) == 3
