"""Writing an ensemble as one ONNX graph, with the facts that prediction needs in its metadata.

`gale.training.nodes` writes its networks.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np
from torch import nn

from gale.matching.matcher import weigh
from gale.matching.novelty import KNOWN, LEAST_HEIGHT, NEW, WHOLE
from gale.model.file import CHECKSUM, EVIDENCE, METADATA_KEY, NOVELTY, OUTPUTS, sealed
from gale.model.graph import Graph, Input, ValueInfo
from gale.model.support import Support
from gale.model.unlike import SOFTNESS, Block, n_neighbours
from gale.plumbing.tables import UNLIKE
from gale.training.calibration import Away, Calibration
from gale.training.networks.elution import ElutionNetwork
from gale.training.networks.layers import count_members
from gale.training.networks.matching import MatchingNetwork
from gale.training.nodes import (
    Precision,
    TorchGraph,
    as_compared,
    count_families,
    layer_nodes,
    of_matches,
    of_spectra,
    with_ions,
)
from gale.training.novelty import UNSURE, Novelty

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


def to_onnx(
    parts: Sequence[PartGraph],
    n_features: int,
    facts: Mapping[str, Any],
    calibration: Calibration | None = None,
    unlike: Sequence[Block] = (),
    support: Support | None = None,
    *,
    away: Away | None = None,
    novelty: Novelty | None = None,
    precision: Precision = "float32",
) -> bytes:
    """Write an ensemble as an ONNX file.

    The input is ``summary`` (R, D). The outputs are ``probability`` (R, K), ``member_probability``
    (E, R, K), with an elution network ``evidence`` (R, N, K), with `unlike` ``unlike`` (R,), and
    with `novelty` ``novelty`` (R,).

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
    novelty : Novelty, optional
        What makes the probabilities of runs of new compounds less sure; needs `calibration`.
    precision : str
        In which weights are stored; the places of training runs are then stored in half precision,
        if that is less than single. All is computed in single precision.

    Returns
    -------
    bytes
        The same for the same networks and facts.
    """
    graph = TorchGraph(precision)
    n_members = sum(count_members(part.network) for part in parts)
    logits = [layer_nodes(part.network, graph, _columns(graph, part.columns)) for part in parts]
    distance = _distances(graph, unlike) if unlike else None
    far = (away, _share(graph, distance, away)) if away and distance else None
    new = (novelty, _novelty(graph, novelty)) if novelty else None
    probability, of_members = _probabilities(graph, logits, calibration, far, new)
    if support is not None:
        probability = graph("Add", graph("Mul", probability, support.scale), support.least)
    n_families = count_families(parts[0].network)
    graph.output(PROBABILITY, probability, ["runs", n_families])
    graph.output(MEMBER_PROBABILITY, of_members, [n_members, "runs", n_families])
    if evidence := _evidence(graph, parts, calibration):
        graph.output(EVIDENCE, evidence[0], ["runs", evidence[1], n_families])
    if distance:
        graph.output(UNLIKE, distance, ["runs"])
    if new:
        graph.output(NOVELTY, new[1], ["runs"])
    stated = json.dumps({**facts, "checksum": CHECKSUM}, sort_keys=True, allow_nan=False)
    inputs = [ValueInfo(SUMMARY, ["runs", n_features])]
    return sealed(graph.to_bytes(inputs, {METADATA_KEY: stated}))


def _evidence(
    graph: TorchGraph, parts: Sequence[PartGraph], calibration: Calibration | None
) -> tuple[str, int] | None:
    """What spectra say alone, (R, N, K), and N; None without an elution network.

    It is that of the first elution network, and of a matching network as much as it counts.
    """
    elution = ((part.network, part.columns) for part in parts)
    first = next(((each, of) for each, of in elution if isinstance(each, ElutionNetwork)), None)
    if first is None:
        return None
    n_spectra = first[0].shape[0]
    logits, weights = [], []
    for at, (network, columns) in enumerate(parts):
        if network is first[0]:
            of_each = of_spectra(first[0], graph, _columns(graph, columns))
        elif isinstance(network, MatchingNetwork) and columns == first[1]:
            of_each = of_matches(network, graph, _columns(graph, columns))
        else:
            continue
        logits.append(_mean(graph, of_each))
        weights.append(np.ones(1) if calibration is None else calibration.weight[at])
    combined = logits[0]
    if len(logits) > 1:
        shares = np.stack(weights) / np.sum(weights, axis=0)
        weighted = [graph("Mul", each, share) for each, share in zip(logits, shares, strict=True)]
        combined = graph("Add", *weighted)
    return graph("Sigmoid", combined), n_spectra


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
    new: tuple[Novelty, str] | None,
) -> tuple[str, str]:
    """The probability (R, K), and those of the members (E, R, K), of the logits of each part.

    A member's own probability is calibrated as if every part had its logit. With `far`, a second
    calibration counts as much as its value (R, 1) says. With `new`, logits go towards those of the
    prevalence as its value (R,) says.
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
            _towards(graph, share, there, here) for here, there in zip(both, others, strict=True)
        ]
    if new is not None:
        novelty, of_run = new
        share = graph("Unsqueeze", graph("Mul", of_run, UNSURE), [1])
        both = [_towards(graph, share, novelty.log_odds, here) for here in both]
    combined, alone = both
    return graph("Sigmoid", combined), graph("Sigmoid", alone)


def _towards(graph: Graph, share: str, there: Input, here: str) -> str:
    """What is a share (R, 1) of the way from `here` to `there`."""
    return graph("Add", here, graph("Mul", share, graph("Sub", there, here)))


def _novelty(graph: TorchGraph, novelty: Novelty) -> str:
    """How new what is in a run is, (R,), see `gale.matching.novelty`."""
    n_mz = novelty.spectra.shape[1]
    images = graph("Reshape", _columns(graph, novelty.columns), [-1, n_mz])
    spectra, place = with_ions(graph, images)
    signal = graph("Sub", graph("Exp", spectra), 1.0)
    mz_weight = weigh(np.ones((1, n_mz)), novelty.first_mz)[0]
    cosines = graph("MatMul", as_compared(graph, signal, mz_weight), graph.half(novelty.spectra.T))
    cosine = graph("ReduceMax", cosines, [1], keepdims=0)
    total = graph("Log", graph("Add", graph("ReduceSum", signal, [1], keepdims=0), 1.0))
    height = graph("Relu", graph("Sub", total, LEAST_HEIGHT))
    new = graph("Clip", graph("Div", graph("Sub", KNOWN, cosine), KNOWN - NEW), 0.0, 1.0)
    of_each = graph("Gather", graph("Mul", new, height), place, axis=0)
    n_spectra = (novelty.columns.stop - novelty.columns.start) // n_mz
    of_run = graph("ReduceSum", graph("Reshape", of_each, [-1, n_spectra]), [1], keepdims=0)
    return graph("Clip", graph("Div", of_run, WHOLE), 0.0, 1.0)


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


def _distances(graph: TorchGraph, blocks: Sequence[Block]) -> str:
    """The distance from the training runs, (R,)."""
    distances = _stack(graph, [_distance(graph, block) for block in blocks])
    return graph("ReduceMax", distances, [0], keepdims=0)


def _distance(graph: TorchGraph, block: Block) -> str:
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
