"""Small fits: seeds, runs that can be learned, and how fits are compared."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from gale.training.fitting import Examples, Fit, FittingStatus, Settings, Weights, fit
from gale.training.losses import Loss
from gale.training.networks.summary import summary_network

PLAIN = Loss(hinge=0, label_correlation=0)
SETTINGS = Settings(learning_rate=0.01, adam_epsilon=1e-7, batch_size=16, epochs=100, patience=10)


def seeded(*seeds: int) -> list[torch.Generator]:
    return [torch.Generator().manual_seed(seed) for seed in seeds]


def examples(n_runs: int, seed: int = 0) -> Examples:
    """Runs of three features and two families: the first is positive, and the opposite."""
    x = torch.randn(n_runs, 3, generator=seeded(seed)[0])
    positive = (x[:, :1] > 0).float()
    return Examples(x, torch.cat([positive, 1 - positive], dim=1))


def noisy(n_runs: int, seed: int = 0) -> Examples:
    """Runs whose labels cannot all be learned, some of them unknown."""
    known = examples(n_runs, seed)
    random = torch.rand(known.labels.shape, generator=seeded(seed + 1)[0])
    labels = torch.where(random < 0.25, 1 - known.labels, known.labels)
    return Examples(known.features, torch.where(random > 0.9, math.nan, labels))


def rows(start: int, stop: int, members: int = 1) -> Tensor:
    return torch.arange(start, stop).expand(members, -1)


def network(*generators: torch.Generator, **switches: Any) -> nn.Sequential:
    return summary_network(3, 2, generators or seeded(0), hidden=(8,), **switches)


def fits_of(
    net: nn.Module,
    runs: Examples,
    training: Tensor,
    validation: Tensor,
    loss: Loss = PLAIN,
    *,
    seeds: Sequence[int] | None = None,
    generators: Sequence[torch.Generator] | None = None,
    statuses: list[FittingStatus] | None = None,
    **changes: Any,
) -> list[Fit]:
    """Fit, and give the fits in the order of the members."""
    members = len(training)
    done = dict(
        fit(
            net, runs, training, validation, loss, replace(SETTINGS, **changes),
            generators or seeded(*(seeds or range(members))),
            names=[f"member {number}" for number in range(members)],
            report=lambda status: None if statuses is None else statuses.append(status),
        )
    )  # fmt: skip
    assert sorted(done) == list(range(members))
    return [done[member] for member in range(members)]


def assert_same(left: Weights, right: Weights) -> None:
    assert left.keys() == right.keys()
    for name, value in left.items():
        np.testing.assert_array_equal(value, right[name], err_msg=name)


def assert_close(left: Fit, right: Fit, atol: float = 2e-5) -> None:
    """The same training but for rounding."""
    assert len(left.epochs) == len(right.epochs)
    for name in ("train_loss", "validation"):
        found, expected = (
            [getattr(epoch, name) for epoch in each.epochs] for each in (left, right)
        )
        np.testing.assert_allclose(found, expected, atol=atol, err_msg=name)
    assert left.validation == pytest.approx(right.validation, abs=atol)
    assert left.weights.keys() == right.weights.keys()
    for name, value in left.weights.items():
        np.testing.assert_allclose(value, right.weights[name], atol=10 * atol, err_msg=name)
