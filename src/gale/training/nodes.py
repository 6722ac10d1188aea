"""Layers and networks as nodes of an ONNX graph.

Each kind of layer is a few nodes of the ONNX standard; tests compare the graph with the networks.
Values have the shape (E, R, ·) of E members and R runs, except the features, (R, D), which the
first product spreads over the members.
"""

from __future__ import annotations

import math
from itertools import pairwise
from typing import Any, Literal

import numpy as np
import torch
from numpy.typing import ArrayLike, NDArray
from torch import nn

from gale.model.graph import ELEMENT_TYPES, Graph, Input
from gale.training.networks.augment import AugmentProfile
from gale.training.networks.elution import HEIGHT_SCALE, SHARE_SCALE, ElutionNetwork
from gale.training.networks.layers import (
    BatchNorm,
    Dense,
    Dropout,
    FixedBias,
    LayerNorm,
    Standardise,
    count_members,
)
from gale.training.networks.matching import (
    HEIGHT_WEIGHT,
    INPUTS,
    LEAST_LENGTH,
    LIKENESS_SCALE,
    NO_LIKENESS,
    USUAL_HEIGHT,
    MatchingNetwork,
)

Precision = Literal["float32", "float16", "int8"]
"""How weights are stored in a file."""


class TorchGraph(Graph):
    """A graph whose constants may be tensors, and which may store fewer bits of some."""

    def __init__(self, precision: Precision) -> None:
        super().__init__()
        self._precision = precision

    def constant(self, value: Input | torch.Tensor, dtype: str = "") -> str:
        """Return the name of a constant, the same for the same value."""
        return super().constant(_array(value), dtype)

    def weight(self, value: torch.Tensor) -> str:
        """Return the name of a matrix (…, D, D')."""
        matrix = _array(value)
        return self.in_8_bits(matrix) if self._precision == "int8" else self.half(matrix)

    def half(self, value: ArrayLike) -> str:
        """Return the name of a constant, of half precision if weights have less than single."""
        return self.constant(value) if self._precision == "float32" else self.in_16_bits(value)


def _array(value: ArrayLike | torch.Tensor) -> NDArray[Any]:
    return np.asarray(value.detach().cpu() if isinstance(value, torch.Tensor) else value)


def layer_nodes(layer: nn.Module, graph: TorchGraph, x: str) -> str:
    """Write a layer: from a value (E, R, D), or features (R, D), to one of (E, R, D')."""
    match layer:
        case nn.Sequential():
            for each in layer:
                x = layer_nodes(each, graph, x)
            return x
        case Dense():
            return graph(
                "Add", graph("MatMul", x, graph.weight(layer.weight)), layer.bias.unsqueeze(1)
            )
        case BatchNorm():
            scale = layer.weight * (layer.running_variance + layer.epsilon).rsqrt()
            centred = graph("Sub", x, layer.running_mean.unsqueeze(1))
            scaled = graph("Mul", centred, scale.unsqueeze(1))
            return graph("Add", scaled, layer.bias.unsqueeze(1))
        case LayerNorm():
            ones = np.ones(layer.weight.shape[-1])
            normal = graph("LayerNormalization", x, ones, axis=-1, epsilon=layer.epsilon)
            scaled = graph("Mul", normal, layer.weight.unsqueeze(1))
            return graph("Add", scaled, layer.bias.unsqueeze(1))
        case nn.ReLU():
            return graph("Relu", x)
        case Dropout() | AugmentProfile():
            return x
        case Standardise():
            centred = graph("Sub", x, layer.mean.unsqueeze(1))
            return graph("Mul", centred, layer.scale.unsqueeze(1))
        case FixedBias():
            return graph("Add", x, layer.bias.unsqueeze(1))
        case nn.SiLU():
            return graph("Mul", x, graph("Sigmoid", x))
        case ElutionNetwork():
            return graph("ReduceLogSumExp", of_spectra(layer, graph, x), [-2], keepdims=0)
        case MatchingNetwork():
            return graph("ReduceLogSumExp", of_matches(layer, graph, x), [-2], keepdims=0)
    raise TypeError(f"{type(layer).__name__} has no nodes in an ONNX graph")


def of_spectra(network: ElutionNetwork, graph: TorchGraph, x: str) -> str:
    """The logits of spectra (E, R, N, K), of event features (R, N·M)."""
    n_spectra, n_mz = network.shape
    spectra, place = graph("Reshape", x, [-1, n_mz]), ""
    if network.apexes:
        spectra, place = with_ions(graph, spectra)
    signal = graph("Sub", graph("Exp", spectra), 1.0)
    total = graph("Add", graph("ReduceSum", signal, [-1], keepdims=1), network.quiet)
    heights = graph("Mul", spectra, HEIGHT_SCALE)
    shares = graph("Mul", graph("Sqrt", graph("Div", signal, total)), SHARE_SCALE)
    logits = layer_nodes(network.dense, graph, graph("Concat", heights, shares, axis=-1))
    if place:
        logits = graph("Gather", logits, place, axis=1)
    shape = [count_members(network), -1, n_spectra, count_families(network)]
    return graph("Reshape", logits, shape)


def with_ions(graph: Graph, spectra: str) -> tuple[str, str]:
    """Those of spectra (R·N, M) that have ions, then one without; and the place of each in these.

    Most of the spectra of a run are of no apex, and have one answer together.
    """
    found = graph("Greater", graph("ReduceMax", spectra, [1], keepdims=0), 0.0)
    number = graph("CumSum", graph("Cast", found, to=ELEMENT_TYPES["int64"]), 0)
    last = graph("ReduceMax", graph("Concat", number, [0], axis=0), keepdims=0)
    place = graph("Where", found, graph("Sub", number, 1), last)
    return graph("Pad", graph("Compress", spectra, found, axis=0), [0, 0, 1, 0], 0.0), place


def as_compared(graph: Graph, signal: str, mz_weight: ArrayLike | torch.Tensor) -> str:
    """Spectra (S, M) of length 1, weighted as `gale.matching` compares them."""
    weighted = graph("Mul", graph("Sqrt", graph("Relu", signal)), mz_weight)
    length = graph("Add", graph("ReduceL2", weighted, [1], keepdims=1), LEAST_LENGTH)
    return graph("Div", weighted, length)


def of_matches(network: MatchingNetwork, graph: TorchGraph, x: str) -> str:
    """The logits of spectra (E, R, N, K) by what they are like, of event features (R, N·M)."""
    n_spectra, n_mz = network.shape
    spectra, place = with_ions(graph, graph("Reshape", x, [-1, n_mz]))
    signal = graph("Sub", graph("Exp", spectra), 1.0)
    cosine = graph(
        "MatMul", as_compared(graph, signal, network.mz_weight), graph.weight(network.spectra)
    )
    ends = np.cumsum([0, *network.sizes])
    parts = [graph("Slice", cosine, [start], [end], [1]) for start, end in pairwise(ends)]
    best = graph("Concat", *(graph("ReduceMax", each, [1], keepdims=1) for each in parts), axis=1)

    def highest(which: torch.Tensor) -> str:
        return graph(
            "ReduceMax", graph("Mul", graph("Unsqueeze", best, [2]), which), [1], keepdims=0
        )

    inside, outside = highest(network.of_family), highest(1 - network.of_family)
    for_each = graph("Mul", inside, 0.0)  # spreads what is the same for all families
    usual = graph("Add", for_each, highest(network.background.unsqueeze(1)))
    total = graph("Add", graph("ReduceSum", signal, [1], keepdims=1), 1.0)
    height = graph("Sub", graph("Add", for_each, graph("Log", total)), USUAL_HEIGHT)
    above = (graph("Relu", graph("Sub", each, NO_LIKENESS)) for each in (inside, outside, usual))
    apart = (graph("Sub", inside, each) for each in (outside, usual))
    seen = [
        *(graph("Mul", each, LIKENESS_SCALE) for each in (*above, *apart)),
        graph("Mul", height, HEIGHT_WEIGHT),
    ]
    inputs = graph("Concat", *(graph("Unsqueeze", each, [2]) for each in seen), axis=2)
    head = network.head
    of_each = layer_nodes(head.dense, graph, graph("Reshape", inputs, [-1, len(INPUTS)]))
    n_families = head.shape[1]
    logits = graph("Reshape", of_each, [count_members(head), -1, n_families])
    shape = [count_members(head), -1, *head.shape]
    offset = head.offset[:, None, None] - math.log(n_spectra)
    return graph("Add", graph("Reshape", graph("Gather", logits, place, axis=1), shape), offset)


def count_families(network: nn.Module) -> int:
    """Return K of a network."""
    return [layer.n_out for layer in network.modules() if isinstance(layer, Dense)][-1]
