"""Members that are fitted together, against one at a time."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
import torch
from torch import Tensor

from gale.training.fitting import (
    Examples,
    FittingStatus,
    fit,
)
from gale.training.losses import Loss
from helpers.fits import (
    PLAIN,
    SETTINGS,
    assert_close,
    fits_of,
    network,
    noisy,
    seeded,
)
from helpers.one_at_a_time import fit_one, plain_network

FOLDS = [(0, 37), (13, 50), (5, 42), (0, 37)]
"""First and last training run of each of four members; the other 13 runs validate."""


SWITCHES: list[dict[str, Any]] = [
    {},
    {"dropout": 0.3},
    {"batch_norm": False},
    {"layer_norm": False},
    {"batch_norm": False, "layer_norm": False},
]


def four_members() -> tuple[Examples, Tensor, Tensor]:
    training = torch.stack([torch.arange(*fold) for fold in FOLDS])
    validation = [[row for row in range(50) if row not in range(*fold)] for fold in FOLDS]
    return noisy(50), training, torch.tensor(validation)


@pytest.mark.slow
@pytest.mark.parametrize("loss", [PLAIN, Loss()], ids=["plain", "published"])
@pytest.mark.parametrize("switches", SWITCHES, ids=str)
def test_each_member_is_fitted_as_if_it_were_alone(switches: dict[str, Any], loss: Loss) -> None:
    # The bias of a layer before BatchNorm has a gradient of 0 but for rounding, which Adam blows up
    # to a step of any size unless its epsilon is larger than that.
    changes: dict[str, Any] = {
        "epochs": 12,
        "patience": 3,
        "adam_epsilon": 1e-4,
        "weight_decay": 0.2,
    }
    runs, training, validation = four_members()
    prior = torch.tensor([[0.1, -0.2], [0.2, 0.3], [0.0, 0.1], [0.1, 0.1]])
    mean, deviation = torch.randn(4, 3, generator=seeded(9)[0]), torch.ones(4, 3) * 1.5
    generators = seeded(*range(4))
    net = network(*generators, prior=prior, scale=(mean, deviation), **switches)
    found = fits_of(net, runs, training, validation, loss, generators=generators, **changes)
    for member, generator in enumerate(seeded(*range(4))):
        plain = plain_network(
            3, 2, generator, hidden=(8,), prior=prior[member],
            scale=(mean[member], deviation[member]), **switches,
        )  # fmt: skip
        learned, held_out = (
            (runs.features[of], runs.labels[of]) for of in (training[member], validation[member])
        )
        settings = replace(SETTINGS, **changes)
        assert_close(found[member], fit_one(plain, learned, held_out, loss, settings, generator))


@pytest.mark.slow
def test_members_end_at_different_times_and_the_others_go_on_as_if_alone() -> None:
    runs, training, validation = four_members()
    statuses: list[FittingStatus] = []
    changes: dict[str, Any] = {
        "learning_rate": 0.05,
        "epochs": 40,
        "patience": 4,
        "adam_epsilon": 1e-4,
    }
    generators = seeded(*range(4))
    together = fits_of(
        network(*generators, dropout=0.2), runs, training, validation, Loss(),
        generators=generators, statuses=statuses, **changes,
    )  # fmt: skip
    lengths = [len(done.epochs) for done in together]
    assert len(set(lengths)) > 2
    assert [status.active for status in statuses] == [
        sum(length > number for length in lengths) for number in range(1, max(lengths) + 1)
    ]
    assert [status.epoch for status in statuses] == list(range(1, max(lengths) + 1))
    assert statuses[-1].lowest == min(done.validation for done in together)
    for member in range(4):
        one = slice(member, member + 1)
        (alone,) = fits_of(
            network(*(own := seeded(member)), dropout=0.2), runs, training[one], validation[one],
            Loss(), generators=own, **changes,
        )  # fmt: skip
        assert_close(together[member], alone, atol=1e-4)


def test_members_are_handed_over_when_they_finish() -> None:
    runs, training, validation = four_members()
    seen: list[int] = []
    settings = replace(SETTINGS, learning_rate=0.05, epochs=40, patience=4)
    order = []
    for _, done in fit(
        network(*seeded(*range(4))), runs, training, validation, Loss(), settings,
        seeded(*range(4)), names=list("abcd"), report=lambda status: seen.append(status.epoch),
    ):  # fmt: skip
        assert len(done.epochs) == seen[-1]
        order.append(len(done.epochs))
    assert order == sorted(order)
