"""Writing an ensemble as one ONNX graph, with the facts that prediction needs in its metadata."""

from __future__ import annotations

import json
import logging
import warnings
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

import onnx
import onnxscript  # noqa: F401  (torch's exporter needs it: fail here, not after training)
import torch
from torch import Tensor, nn

from gale.model.file import CHECKSUM, EVIDENCE, METADATA_KEY, OUTPUTS, sealed
from gale.plumbing.tables import UNLIKE
from gale.training.calibration import Calibration
from gale.training.networks.elution import ElutionNetwork
from gale.training.networks.layers import count_members
from gale.training.networks.unlike import Unlike

OPSET = 18


class PartGraph(nn.Module):
    """The members of a part: their network, and the features that it sees.

    Parameters
    ----------
    network : nn.Module
        E members, features (E, R, D') to logits (E, R, K).
    columns : slice
        The D' of the D features.
    """

    def __init__(self, network: nn.Module, columns: slice = slice(None)) -> None:
        super().__init__()
        self.network, self.columns = network, columns

    def forward(self, summary: Tensor) -> tuple[Tensor, Tensor | None]:
        """Return logits (E, R, K) and, for an elution network, logits of spectra (E, R, N, K)."""
        x, members = summary[:, self.columns], count_members(self.network)
        if not isinstance(self.network, ElutionNetwork):
            return self.network(x.expand(members, -1, -1)), None
        inputs = self.network.inputs(self.network.images(x))
        events = self.network.of_inputs(inputs.expand(members, -1, -1, -1))
        return self.network.of_events(events), events


class EnsembleGraph(nn.Module):
    """All parts, their calibration, and the distance from the training runs.

    Parameters
    ----------
    parts : sequence of PartGraph, length P
    calibration : Calibration, optional
        Without it, the probability is the mean over all members.
    unlike : Unlike, optional
        Distance from the training runs, features (R, D) to (R,).
    """

    weight: Tensor
    bias: Tensor

    def __init__(
        self,
        parts: Sequence[PartGraph],
        calibration: Calibration | None = None,
        unlike: Unlike | None = None,
    ) -> None:
        super().__init__()
        self.parts = nn.ModuleList(parts)
        self.unlike = unlike
        self.calibrated = calibration is not None
        if calibration is not None:
            weight, bias = (torch.from_numpy(x) for x in (calibration.weight, calibration.bias))
            self.register_buffer("weight", weight.float())
            self.register_buffer("bias", bias.float())

    def forward(self, summary: Tensor) -> tuple[Tensor, ...]:
        """Return the outputs named by :attr:`outputs`.

        A member's own probability is calibrated as if every part had its logit. The evidence is the
        mean over the members of the first elution network.
        """
        answers = [part(summary) for part in self.parts]
        logits = [run_logits for run_logits, _ in answers]
        if self.calibrated:
            means = torch.stack([part_logits.mean(0) for part_logits in logits])
            probability = torch.sigmoid((self.weight.unsqueeze(1) * means).sum(0) + self.bias)
            member_logits = torch.cat(logits) * self.weight.sum(0) + self.bias
            member_probability = torch.sigmoid(member_logits)
        else:
            member_probability = torch.sigmoid(torch.cat(logits))
            probability = member_probability.mean(0)
        evidence = [torch.sigmoid(events.mean(0)) for _, events in answers if events is not None]
        unlike = [] if self.unlike is None else [self.unlike(summary)]
        return probability, member_probability, *evidence[:1], *unlike

    @property
    def outputs(self) -> list[str]:
        """Names of the outputs."""
        has_evidence = any(isinstance(part.network, ElutionNetwork) for part in self.parts)
        return [*OUTPUTS, *[EVIDENCE] * has_evidence, *[UNLIKE] * (self.unlike is not None)]


def to_onnx(
    parts: Sequence[PartGraph],
    n_features: int,
    facts: Mapping[str, Any],
    calibration: Calibration | None = None,
    unlike: Unlike | None = None,
) -> bytes:
    """Write an ensemble as an ONNX file.

    The input is ``summary`` (R, D). The outputs are ``probability`` (R, K), ``member_probability``
    (E, R, K), with an elution network ``evidence`` (R, N, K), and with `unlike` ``unlike`` (R,).

    Parameters
    ----------
    parts : sequence of PartGraph
        On the CPU.
    n_features : int
        D.
    facts : mapping
        What the model says of itself, see `gale.Model.facts`; written as JSON.
    calibration, unlike
        See `EnsembleGraph`.

    Returns
    -------
    bytes
        The same for the same networks and facts.
    """
    ensemble = EnsembleGraph(parts, calibration, unlike).eval()
    with _quiet_exporter():
        program = torch.onnx.export(
            ensemble,
            (torch.zeros(2, n_features),),
            input_names=["summary"],
            output_names=ensemble.outputs,
            dynamic_shapes=({0: torch.export.Dim("runs")},),
            opset_version=OPSET,
            dynamo=True,
            verbose=False,
        )
    assert program is not None
    proto = program.model_proto
    _strip(proto)
    stated = json.dumps({**facts, "checksum": CHECKSUM}, sort_keys=True, allow_nan=False)
    proto.metadata_props.add(key=METADATA_KEY, value=stated)
    return sealed(bytes(proto.SerializeToString(deterministic=True)))


@contextmanager
def _quiet_exporter() -> Iterator[None]:
    """Hide the exporter's warnings about its own internals."""
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
    """Remove the exporter's notes, which have paths of the machine that trained."""
    graph = proto.graph
    del proto.metadata_props[:], graph.metadata_props[:]
    for item in (
        *graph.node, *graph.input, *graph.output, *graph.value_info, *graph.initializer
    ):  # fmt: skip
        del item.metadata_props[:]
        item.doc_string = ""
