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

from gale.model.file import EVIDENCE, METADATA_KEY, OUTPUTS
from gale.plumbing.tables import UNLIKE
from gale.training.calibration import Calibration
from gale.training.networks.elution import ElutionNetwork
from gale.training.networks.layers import count_members
from gale.training.networks.unlike import Unlike

OPSET = 18


class Members(nn.Module):
    """The members of a part: a network, and which features of a run it is given.

    Parameters
    ----------
    network : nn.Module
        Of E members, features (E, R, D') to logits (E, R, K).
    columns : slice
        Those D' of the D features.
    """

    def __init__(self, network: nn.Module, columns: slice = slice(None)) -> None:
        super().__init__()
        self.network, self.columns = network, columns

    def forward(self, summary: Tensor) -> tuple[Tensor, Tensor | None]:
        """Return logits (E, R, K) and, of an elution network, those of spectra, (E, R, N, K)."""
        x, members = summary[:, self.columns], count_members(self.network)
        if not isinstance(self.network, ElutionNetwork):
            return self.network(x.expand(members, -1, -1)), None
        inputs = self.network.inputs(self.network.images(x))
        events = self.network.of_inputs(inputs.expand(members, -1, -1, -1))
        return self.network.of_events(events), events


class Ensemble(nn.Module):
    """The members of all parts, and how they become probabilities.

    Parameters
    ----------
    parts : sequence of Members, length P
    calibration : Calibration, optional
        Without it, the probability is the mean of those of all members.
    unlike : Unlike, optional
        How unlike the training runs others are, features (R, D) to scores (R,).
    """

    weight: Tensor
    bias: Tensor

    def __init__(
        self,
        parts: Sequence[Members],
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
        """Return what :attr:`outputs` names.

        A member's own probability is calibrated as if all parts said what it says. The evidence is
        of the mean over the members of the first elution network.
        """
        given = [part(summary) for part in self.parts]
        logits = [of_runs for of_runs, _ in given]
        if self.calibrated:
            pooled = torch.stack([of_part.mean(0) for of_part in logits])
            probability = torch.sigmoid((self.weight.unsqueeze(1) * pooled).sum(0) + self.bias)
            alone = torch.cat(logits) * self.weight.sum(0) + self.bias
            member_probability = torch.sigmoid(alone)
        else:
            member_probability = torch.sigmoid(torch.cat(logits))
            probability = member_probability.mean(0)
        evidence = [torch.sigmoid(events.mean(0)) for _, events in given if events is not None]
        unlike = [] if self.unlike is None else [self.unlike(summary)]
        return probability, member_probability, *evidence[:1], *unlike

    @property
    def outputs(self) -> list[str]:
        """Names of the outputs."""
        has_evidence = any(isinstance(part.network, ElutionNetwork) for part in self.parts)
        return [*OUTPUTS, *[EVIDENCE] * has_evidence, *[UNLIKE] * (self.unlike is not None)]


def to_onnx(
    parts: Sequence[Members],
    n_features: int,
    facts: Mapping[str, Any],
    calibration: Calibration | None = None,
    unlike: Unlike | None = None,
) -> bytes:
    """Write an ensemble as an ONNX file: input ``summary`` (R, D); outputs ``probability`` (R, K),
    ``member_probability`` (E, R, K), with an elution network ``evidence`` (R, N, K), and, if it is
    given, ``unlike`` (R,).

    Parameters
    ----------
    parts : sequence of Members
        On the CPU.
    n_features : int
        D.
    facts : mapping
        What the model knows of itself, see `gale.Model.facts`; kept as JSON.
    calibration, unlike
        See `Ensemble`.

    Returns
    -------
    bytes
        The same for the same networks and facts.
    """  # noqa: D205
    ensemble = Ensemble(parts, calibration, unlike).eval()
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
