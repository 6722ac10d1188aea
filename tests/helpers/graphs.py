"""Networks with drawn weights, and the model files of them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import onnxruntime
import torch
from torch import nn

from gale.features.summary import SummarySpec
from gale.model.file import FORMAT, REQUIRED
from gale.run import Floats32
from gale.training.export import PartGraph, to_onnx
from gale.training.networks.layers import Dense
from gale.training.networks.summary import summary_network

SPEC = SummarySpec((10, 12), None, 300)
N_FEATURES, N_FAMILIES = SPEC.n_features, 3
GENERATORS = [torch.Generator()]
ALL = (True,) * 4
"""All the switches of a network: batch_norm, layer_norm, prior, standardise."""

FACTS = {
    **dict.fromkeys(REQUIRED, "said"),
    "format": FORMAT,
    "families": ["a", "b", "ç"],
    "features": SPEC.to_dict(),
    "prevalence": [0.1, 0.2, 0.3],
    "score": 0.1 + 0.2,
    "nested": {"list": [1, 2.5, None, True]},
}


def network(seed: int, switches: tuple[bool, ...], hidden: tuple[int, ...] = (8,)) -> nn.Module:
    """A network in whose state nothing is as it begins."""
    batch_norm, layer_norm, prior, standardise = switches
    member = summary_network(
        N_FEATURES,
        N_FAMILIES,
        GENERATORS,
        hidden=hidden,
        batch_norm=batch_norm,
        layer_norm=layer_norm,
        prior=torch.zeros(1, N_FAMILIES) if prior else None,
        scale=(torch.zeros(1, N_FEATURES), torch.ones(1, N_FEATURES)) if standardise else None,
    )
    return draw_state(member, seed)


def linear(seed: int) -> nn.Module:
    return draw_state(Dense(N_FEATURES, N_FAMILIES, GENERATORS), seed)


def draw_state(member: nn.Module, seed: int) -> nn.Module:
    generator = torch.Generator().manual_seed(seed)
    for value in member.state_dict().values():
        value.copy_(torch.rand(value.shape, generator=generator) + 0.1)
    return member.eval()


def file_of(networks: Sequence[nn.Module], facts: Mapping[str, Any] = FACTS, **more: Any) -> bytes:
    """The model file of networks that take all features."""
    return to_onnx([PartGraph(network) for network in networks], N_FEATURES, facts, **more)


def output_of(data: bytes, name: str, features: Floats32) -> Floats32:
    """An output of the graph of a model file, for features (R, D)."""
    session = onnxruntime.InferenceSession(data, providers=["CPUExecutionProvider"])
    (output,) = session.run([name], {"summary": features})
    return np.asarray(output)
