"""Networks with drawn weights, and the model files of them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import onnxruntime
import torch
from torch import nn

from gale.features.summary import SummarySpec
from gale.model.facts import FORMAT
from gale.run import Floats32
from gale.training.export import PartGraph, to_onnx
from gale.training.networks.layers import Dense, count_members
from gale.training.networks.summary import summary_network

SPEC = SummarySpec((10, 12), None, 300)
N_FEATURES, N_FAMILIES = SPEC.n_features, 3
GENERATORS = [torch.Generator()]
ALL = (True,) * 4
"""All the switches of a network: batch_norm, layer_norm, prior, standardise."""

FACTS: dict[str, Any] = {
    "calibrated": False,
    "columns": None,
    "created": "2026-01-02T03:04:05+00:00",
    "families": ["a", "b", "ç"],
    "features": SPEC.to_dict(),
    "folds": 2,
    "format": FORMAT,
    "gale_version": "0.1.0",
    "members": 1,
    "prevalence": [0.1, 0.2, 0.3],
    "recipe": {"name": "drawn", "kind": "network", "folds": {"count": 2}},
    "scores": {"caution": "", "measured_on": "", "log_loss": 0.1 + 0.2, "prior_log_loss": 0.4},
    "seed": 0,
    "training": {
        "campaign": "made up",
        "fingerprint": "",
        "known": [9, 9, 9],
        "positive": [1, 2, 3],
        "runs": 9,
        "unreadable": [],
    },
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
    stated = {**facts, "members": sum(map(count_members, networks))}
    return to_onnx([PartGraph(network) for network in networks], N_FEATURES, stated, **more)


def output_of(data: bytes, name: str, features: Floats32) -> Floats32:
    """An output of the graph of a model file, for features (R, D)."""
    session = onnxruntime.InferenceSession(data, providers=["CPUExecutionProvider"])
    (output,) = session.run([name], {"summary": features})
    return np.asarray(output)
