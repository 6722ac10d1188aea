"""Writing an ensemble as one ONNX graph, with all else that prediction needs in its metadata."""

from __future__ import annotations

import json
import logging
import warnings
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

import onnx
import onnxscript  # noqa: F401  (torch's exporter needs it: better missed here than after training)
import torch
from torch import Tensor, nn

from gale.model import METADATA_KEY, OUTPUTS
from gale.networks.layers import count_members
from gale.networks.unlike import Unlike
from gale.tables import UNLIKE

OPSET = 18


class Ensemble(nn.Module):
    """The members of one or more networks, side by side.

    Parameters
    ----------
    networks : sequence of nn.Module
        Each of some members, features (E, R, D) to logits (E, R, K).
    unlike : Unlike, optional
        How unlike the training runs others are, features (R, D) to scores (R,).
    """

    def __init__(self, networks: Sequence[nn.Module], unlike: Unlike | None = None) -> None:
        super().__init__()
        self.networks = nn.ModuleList(networks)
        self.unlike = unlike

    def forward(self, summary: Tensor) -> tuple[Tensor, ...]:
        """Return the mean probability (R, K), that of each member (E, R, K), and `unlike` (R,)."""
        member_probability = torch.cat(
            [
                torch.sigmoid(network(summary.expand(count_members(network), -1, -1)))
                for network in self.networks
            ]
        )
        outputs = (member_probability.mean(0), member_probability)
        return outputs if self.unlike is None else (*outputs, self.unlike(summary))


def export(
    networks: Sequence[nn.Module],
    n_features: int,
    facts: Mapping[str, Any],
    unlike: Unlike | None = None,
) -> bytes:
    """Write an ensemble as an ONNX file: input ``summary`` (R, D); outputs ``probability`` (R, K),
    ``member_probability`` (E, R, K) and, if it is given, ``unlike`` (R,).

    Parameters
    ----------
    networks : sequence of nn.Module
        See `Ensemble`; on the CPU.
    n_features : int
        D.
    facts : mapping
        What the model knows of itself, see `gale.Model.facts`; kept as JSON.
    unlike : Unlike, optional
        See `Ensemble`.

    Returns
    -------
    bytes
        The same for the same networks and facts.
    """  # noqa: D205
    with _quiet_exporter():
        program = torch.onnx.export(
            Ensemble(networks, unlike).eval(),
            (torch.zeros(2, n_features),),
            input_names=["summary"],
            output_names=OUTPUTS if unlike is None else [*OUTPUTS, UNLIKE],
            dynamic_shapes=({0: torch.export.Dim("runs")},),
            opset_version=OPSET,
            dynamo=True,
            verbose=False,
        )
    assert program is not None
    proto = program.model_proto
    _strip(proto)
    proto.metadata_props.add(key=METADATA_KEY, value=json.dumps(facts, sort_keys=True))
    return bytes(proto.SerializeToString(deterministic=True))


@contextmanager
def _quiet_exporter() -> Iterator[None]:
    """Keep the exporter's warnings about its own insides from the user."""
    logger = logging.getLogger("torch.onnx")
    level = logger.level
    logger.setLevel(logging.ERROR)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    finally:
        logger.setLevel(level)


def _strip(proto: onnx.ModelProto) -> None:
    """Remove the exporter's notes: they hold the paths of the machine that trained."""
    graph = proto.graph
    del proto.metadata_props[:], graph.metadata_props[:]
    for part in (
        *graph.node, *graph.input, *graph.output, *graph.value_info, *graph.initializer
    ):  # fmt: skip
        del part.metadata_props[:]
        part.doc_string = ""
