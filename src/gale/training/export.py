"""Writing an ensemble as one ONNX graph, with the facts that prediction needs in its metadata.

Each kind of layer is a few nodes of the ONNX standard; tests compare the graph with the networks.
Values have the shape (E, R, ·) of E members and R runs, except the features, (R, D), which the
first product spreads over the members.
"""

from __future__ import annotations

import json
import math
from collections.abc import Mapping, Sequence
from itertools import pairwise
from typing import Any, Literal, NamedTuple

import numpy as np
import torch
from numpy.typing import ArrayLike, NDArray
from torch import nn

from gale.model.file import CHECKSUM, EVIDENCE, METADATA_KEY, OUTPUTS, sealed
from gale.model.graph import ELEMENT_TYPES, Graph, Input, ValueInfo
from gale.model.support import Support
from gale.model.unlike import SOFTNESS, Block, n_neighbours
from gale.plumbing.tables import UNLIKE
from gale.training.calibration import Away, Calibration
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
from gale.training.networks.matching import HEIGHT_SCALE as MATCHING_HEIGHT_SCALE
from gale.training.networks.matching import (
    INPUTS,
    LEAST_LENGTH,
    LIKENESS_SCALE,
    NO_LIKENESS,
    USUAL_HEIGHT,
    MatchingNetwork,
)

Precision = Literal["float32", "float16", "int8"]
"""How weights are stored in a file."""

SUMMARY = "summary"
"""Input of every graph: features (R, D)."""

PROBABILITY, MEMBER_PROBABILITY = OUTPUTS

TO_THE_LAST = np.iinfo(np.int64).max


class PartGraph(NamedTuple):
    """The members of a part: their network, and the features that it sees.

    Parameters
    ----------
    network : nn.Module
        E members, features (E, R, D') to logits (E, R, K).
    columns : slice
        The D' of the D features.
    """

    network: nn.Module
    columns: slice = slice(None)


class _TorchGraph(Graph):
    """A graph whose constants may be tensors, and which may store fewer bits of some."""

    def __init__(self, precision: Precision) -> None:
        super().__init__()
        self._precision = precision

    def constant(self, value: Input | torch.Tensor, dtype: str = "") -> str:
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


def to_onnx(
    parts: Sequence[PartGraph],
    n_features: int,
    facts: Mapping[str, Any],
    calibration: Calibration | None = None,
    unlike: Sequence[Block] = (),
    support: Support | None = None,
    *,
    away: Away | None = None,
    precision: Precision = "float32",
) -> bytes:
    """Write an ensemble as an ONNX file.

    The input is ``summary`` (R, D). The outputs are ``probability`` (R, K), ``member_probability``
    (E, R, K), with an elution network ``evidence`` (R, N, K), and with `unlike` ``unlike`` (R,).

    Parameters
    ----------
    parts : sequence of PartGraph
    n_features : int
        D.
    facts : mapping
        What the model says of itself, see `gale.Model.facts`; written as JSON.
    calibration : Calibration, optional
        Without it, the probability is the mean over all members.
    unlike : sequence of Block
        From `gale.model.unlike.fit_unlike`: how to measure the distance from the training runs.
    support : Support, optional
        What limits the probability, but not those of the members.
    away : Away, optional
        A second calibration, for runs far from the training runs; needs `unlike`.
    precision : str
        In which weights are stored; the places of training runs are then stored in half precision,
        if that is less than single. All is computed in single precision.

    Returns
    -------
    bytes
        The same for the same networks and facts.
    """
    graph = _TorchGraph(precision)
    n_members = sum(count_members(part.network) for part in parts)
    logits = [_layer(part.network, graph, _columns(graph, part.columns)) for part in parts]
    distance = _distances(graph, unlike) if unlike else None
    far = (away, _share(graph, distance, away)) if away and distance else None
    probability, of_members = _probabilities(graph, logits, calibration, far)
    if support is not None:
        probability = graph("Add", graph("Mul", probability, support.scale), support.least)
    n_families = _n_families(parts[0].network)
    graph.output(PROBABILITY, probability, ["runs", n_families])
    graph.output(MEMBER_PROBABILITY, of_members, [n_members, "runs", n_families])
    if evidence := _evidence(graph, parts, calibration):
        graph.output(EVIDENCE, evidence[0], ["runs", evidence[1], n_families])
    if distance:
        graph.output(UNLIKE, distance, ["runs"])
    stated = json.dumps({**facts, "checksum": CHECKSUM}, sort_keys=True, allow_nan=False)
    inputs = [ValueInfo(SUMMARY, ["runs", n_features])]
    return sealed(graph.to_bytes(inputs, {METADATA_KEY: stated}))


def _evidence(
    graph: _TorchGraph, parts: Sequence[PartGraph], calibration: Calibration | None
) -> tuple[str, int] | None:
    """What spectra say alone, (R, N, K), and N; None without an elution network.

    It is that of the first elution network, and of a matching network as much as it counts.
    """
    logits, weights, n_spectra = [], [], 0
    for at, (network, columns) in enumerate(parts):
        if isinstance(network, ElutionNetwork) and not n_spectra:
            n_spectra = network.shape[0]
            of_spectra = _of_spectra(network, graph, _columns(graph, columns))
        elif isinstance(network, MatchingNetwork):
            of_spectra = _of_matches(network, graph, _columns(graph, columns))
        else:
            continue
        logits.append(_mean(graph, of_spectra))
        weights.append(np.ones(1) if calibration is None else calibration.weight[at])
    if not n_spectra:
        return None
    combined = logits[0]
    if len(logits) > 1:
        shares = np.stack(weights) / np.sum(weights, axis=0)
        weighted = [graph("Mul", each, share) for each, share in zip(logits, shares, strict=True)]
        combined = graph("Add", *weighted)
    return graph("Sigmoid", combined), n_spectra


def _n_families(network: nn.Module) -> int:
    return [layer.n_out for layer in network.modules() if isinstance(layer, Dense)][-1]


def _columns(graph: Graph, columns: slice) -> str:
    start, stop = columns.start or 0, columns.stop or TO_THE_LAST
    return graph("Slice", SUMMARY, [start], [stop], [1])


def _mean(graph: Graph, x: str) -> str:
    """The mean over the members."""
    return graph("ReduceMean", x, [0], keepdims=0)


def _stack(graph: Graph, values: Sequence[str]) -> str:
    return graph("Concat", *[graph("Unsqueeze", value, [0]) for value in values], axis=0)


def _probabilities(
    graph: Graph,
    logits: Sequence[str],
    calibration: Calibration | None,
    far: tuple[Away, str] | None,
) -> tuple[str, str]:
    """The probability (R, K), and those of the members (E, R, K), of the logits of each part.

    A member's own probability is calibrated as if every part had its logit. With `far`, a second
    calibration counts as much as its value (R, 1) says.
    """
    of_members = graph("Concat", *logits, axis=0)
    if calibration is None:
        each = graph("Sigmoid", of_members)
        return _mean(graph, each), each
    means = _stack(graph, [_mean(graph, part) for part in logits])
    both = _calibrated(graph, means, of_members, calibration)
    if far is not None:
        away, share = far
        others = _calibrated(graph, means, of_members, away.calibration)
        both = [
            graph("Add", here, graph("Mul", share, graph("Sub", there, here)))
            for here, there in zip(both, others, strict=True)
        ]
    combined, alone = both
    return graph("Sigmoid", combined), graph("Sigmoid", alone)


def _calibrated(graph: Graph, means: str, of_members: str, calibration: Calibration) -> list[str]:
    """The calibrated logits (R, K), and those of the members (E, R, K)."""
    weighted = graph("Mul", means, calibration.weight[:, None])
    combined = graph("Add", graph("ReduceSum", weighted, [0], keepdims=0), calibration.bias)
    alone = graph("Add", graph("Mul", of_members, calibration.weight.sum(0)), calibration.bias)
    return [combined, alone]


def _share(graph: Graph, distance: str, away: Away) -> str:
    """How much the second calibration counts, (R, 1); see `share_elsewhere`."""
    share = graph("Div", graph("Sub", distance, 1.0), away.far - 1)
    return graph("Unsqueeze", graph("Clip", share, 0.0, 1.0), [1])


def _layer(layer: nn.Module, graph: _TorchGraph, x: str) -> str:
    """Write a layer: from a value (E, R, D), or features (R, D), to one of (E, R, D')."""
    match layer:
        case nn.Sequential():
            for each in layer:
                x = _layer(each, graph, x)
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
            return graph("ReduceLogSumExp", _of_spectra(layer, graph, x), [-2], keepdims=0)
        case MatchingNetwork():
            return graph("ReduceLogSumExp", _of_matches(layer, graph, x), [-2], keepdims=0)
    raise TypeError(f"{type(layer).__name__} has no nodes in an ONNX graph")


def _of_spectra(network: ElutionNetwork, graph: _TorchGraph, x: str) -> str:
    """The logits of spectra (E, R, N, K), of event features (R, N·M)."""
    n_spectra, n_mz = network.shape
    spectra = graph("Reshape", x, [-1, n_mz])
    place = ""
    if network.apexes:  # most of the spectra of a run are of no apex, and have one answer together
        found = graph("Greater", graph("ReduceMax", spectra, [1], keepdims=0), 0.0)
        number = graph("CumSum", graph("Cast", found, to=ELEMENT_TYPES["int64"]), 0)
        last = graph("ReduceMax", graph("Concat", number, [0], axis=0), keepdims=0)
        place = graph("Where", found, graph("Sub", number, 1), last)
        spectra = graph("Pad", graph("Compress", spectra, found, axis=0), [0, 0, 1, 0], 0.0)
    signal = graph("Sub", graph("Exp", spectra), 1.0)
    total = graph("Add", graph("ReduceSum", signal, [-1], keepdims=1), network.quiet)
    heights = graph("Mul", spectra, HEIGHT_SCALE)
    shares = graph("Mul", graph("Sqrt", graph("Div", signal, total)), SHARE_SCALE)
    logits = _layer(network.dense, graph, graph("Concat", heights, shares, axis=-1))
    if network.apexes:
        logits = graph("Gather", logits, place, axis=1)
    shape = [count_members(network), -1, n_spectra, _n_families(network)]
    return graph("Reshape", logits, shape)


def _of_matches(network: MatchingNetwork, graph: _TorchGraph, x: str) -> str:
    """The logits of spectra (E, R, N, K) by what they are like, of event features (R, N·M)."""
    n_spectra, n_mz = network.shape
    signal = graph("Sub", graph("Exp", graph("Reshape", x, [-1, n_mz])), 1.0)
    weighted = graph("Mul", graph("Sqrt", graph("Relu", signal)), network.mz_weight)
    length = graph("Add", graph("ReduceL2", weighted, [1], keepdims=1), LEAST_LENGTH)
    cosine = graph("MatMul", graph("Div", weighted, length), graph.weight(network.spectra))
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
        graph("Mul", height, MATCHING_HEIGHT_SCALE),
    ]
    inputs = graph("Concat", *(graph("Unsqueeze", each, [2]) for each in seen), axis=2)
    head = network.head
    of_each = _layer(head.dense, graph, graph("Reshape", inputs, [-1, len(INPUTS)]))
    shape = [count_members(head), -1, *head.shape]
    offset = head.offset[:, None, None] - math.log(n_spectra)
    return graph("Add", graph("Reshape", of_each, shape), offset)


def _distances(graph: _TorchGraph, blocks: Sequence[Block]) -> str:
    """The distance from the training runs, (R,)."""
    distances = _stack(graph, [_distance(graph, block) for block in blocks])
    return graph("ReduceMax", distances, [0], keepdims=0)


def _distance(graph: _TorchGraph, block: Block) -> str:
    """The distance from the training runs in a block of features, (R,)."""
    runs = graph.half(block.runs)
    softened = graph("Asinh", graph("Div", _columns(graph, block.columns), SOFTNESS))
    placed = graph("MatMul", graph("Sub", softened, block.centre), block.windows)
    # The squared norm of `placed` is left out: it is the same for all training runs.
    products = graph("MatMul", graph("Mul", placed, -2.0), graph("Transpose", runs))
    order = graph("Add", products, np.square(block.runs).sum(axis=1))
    count = [n_neighbours(len(block.runs))]
    nearest = graph("Gather", runs, graph("TopK", order, count, largest=0, outputs=2))
    # Computed again, since a small difference of large squares is not exact.
    apart = graph("Sub", nearest, graph("Unsqueeze", placed, [1]))
    distance = graph("ReduceL2", apart, [2], keepdims=0)
    return graph("Div", graph("ReduceMean", distance, [1], keepdims=0), block.usual)
