"""Building an ONNX graph: nodes and constants, named in the order in which they come."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import onnx
import torch
from numpy.typing import ArrayLike, NDArray
from onnx import TensorProto, helper, numpy_helper

OPSET = 18

IR_VERSION = 10
"""Version of the file format; onnxruntime 1.19 reads up to this one."""

WHOLE = 127
"""Largest whole number of a weight in 8 bits."""

Shape = Sequence[int | str]
"""Sizes; one that varies has a name."""

Input = str | ArrayLike | torch.Tensor


class Graph:
    """An ONNX graph in the making.

    Called with an operator of the ONNX standard and its inputs, it adds a node, or finds the one
    that does the same already. An input is the name of another node's output, or a number, array or
    tensor, which becomes a constant.

    Parameters
    ----------
    compact : bool
        Whether :meth:`weight` and :meth:`half` store fewer bits.

    Examples
    --------
    >>> import onnxruntime
    >>> graph = Graph()
    >>> half = graph("Mul", "x", 0.5)
    >>> graph.output("p", graph("Sigmoid", half), ["runs"])
    >>> model = graph.to_bytes({"x": ["runs"]}, {"made by": "hand"})
    >>> onnxruntime.InferenceSession(model).run(["p"], {"x": np.zeros(2, np.float32)})
    [array([0.5, 0.5], dtype=float32)]
    """

    def __init__(self, *, compact: bool = False) -> None:
        self._compact = compact
        self._nodes: dict[tuple[object, ...], onnx.NodeProto] = {}
        self._constants: dict[tuple[str, tuple[int, ...], bytes], str] = {}
        self._outputs: dict[str, Shape] = {}

    def __call__(self, operator: str, *inputs: Input, outputs: int = 1, **attributes: Any) -> str:
        """Add a node and return the name of its last output.

        Parameters
        ----------
        operator : str
            Of the ONNX standard, for example ``"MatMul"``.
        *inputs : str, number, array or tensor
            Real numbers become single precision, whole ones 64-bit integers.
        outputs : int
            Number of outputs that the operator has.
        **attributes
            Of the operator.
        """
        given = [value if isinstance(value, str) else self.constant(value) for value in inputs]
        key = (operator, *given, *attributes.items())
        if key not in self._nodes:
            name = f"{operator}_{len(self._nodes)}"
            names = [name if outputs == 1 else f"{name}_{number}" for number in range(outputs)]
            self._nodes[key] = helper.make_node(
                operator, given, names, name, None, None, **attributes
            )
        return str(self._nodes[key].output[-1])

    def output(self, name: str, value: str, shape: Shape) -> None:
        """Declare that the graph gives a value, under a name; a size that varies has a name."""
        self._nodes["output", name] = helper.make_node("Identity", [value], [name], name)
        self._outputs[name] = shape

    def constant(self, value: Input) -> str:
        """Return the name of a constant, the same for the same value."""
        array = _array(value)
        return self._stored(array.astype(np.float32 if array.dtype.kind == "f" else np.int64))

    def weight(self, value: ArrayLike | torch.Tensor) -> str:
        """Return the name of a matrix (…, D, D').

        In a compact graph, it is stored as whole numbers of 8 bits, each column divided by its
        largest weight: half a step of 254 is the largest error.
        """
        matrix = _array(value).astype(np.float32)
        if not self._compact:
            return self.constant(matrix)
        step = np.abs(matrix).max(axis=-2, keepdims=True) / WHOLE
        step = np.where(step > 0, step, np.float32(1))
        whole = self._stored(np.rint(matrix / step).astype(np.int8))
        return self("Mul", self("Cast", whole, to=TensorProto.FLOAT), step)

    def half(self, value: ArrayLike) -> str:
        """Return the name of a constant, which a compact graph stores in half precision."""
        if not self._compact:
            return self.constant(value)
        half = self._stored(_array(value).astype(np.float16))
        return self("Cast", half, to=TensorProto.FLOAT)

    def _stored(self, array: NDArray[Any]) -> str:
        key = (array.dtype.str, array.shape, array.tobytes())
        return self._constants.setdefault(key, f"constant_{len(self._constants)}")

    def to_bytes(self, inputs: Mapping[str, Shape], metadata: Mapping[str, str]) -> bytes:
        """Return an ONNX file, the same for the same nodes and metadata.

        Parameters
        ----------
        inputs : mapping of str to shape
            All of single precision.
        metadata : mapping of str to str
        """
        graph = helper.make_graph(
            list(self._nodes.values()),
            "gale",
            [_value(name, shape) for name, shape in inputs.items()],
            [_value(name, shape) for name, shape in self._outputs.items()],
            [
                numpy_helper.from_array(np.frombuffer(data, dtype).reshape(shape), name)
                for (dtype, shape, data), name in self._constants.items()
            ],
        )
        opset = helper.make_opsetid("", OPSET)
        model = helper.make_model(
            graph, producer_name="gale", ir_version=IR_VERSION, opset_imports=[opset]
        )
        helper.set_model_props(model, dict(metadata))
        return bytes(model.SerializeToString(deterministic=True))


def _array(value: Input) -> NDArray[Any]:
    return np.asarray(value.detach().cpu() if isinstance(value, torch.Tensor) else value)


def _value(name: str, shape: Shape) -> onnx.ValueInfoProto:
    return helper.make_tensor_value_info(name, TensorProto.FLOAT, shape)
