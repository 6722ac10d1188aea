"""The schedule of the learning rate, and that fitting follows it."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import pytest
import torch
from torch import Tensor

from gale.training.fitting import Examples, Fit, Settings, fit
from gale.training.losses import Loss
from gale.training.networks.layers import Dense
from gale.training.networks.summary import summary_network

PLAIN = Loss(hinge=0, label_correlation=0)
CONSTANT = Settings(0.02, 1e-4, batch_size=10, epochs=5, patience=5)
COSINE = replace(CONSTANT, schedule="cosine")


def seeded(*seeds: int) -> list[torch.Generator]:
    return [torch.Generator().manual_seed(seed) for seed in seeds]


def examples(n_runs: int = 40) -> Examples:
    x = torch.randn(n_runs, 3, generator=seeded(0)[0])
    noise = torch.randn(n_runs, 2, generator=seeded(1)[0])
    return Examples(x, (x[:, :2] + noise > 0).float())


def fits(settings: Settings, *seeds: int) -> list[Fit]:
    """Fit a member for each seed, to 30 runs, which are not quite the same ones for all."""
    generators = seeded(*seeds)
    net = summary_network(3, 2, generators, hidden=(6,))
    training = torch.stack([torch.arange(30) + seed % 3 for seed in seeds])
    validation = torch.arange(33, 40).expand(len(seeds), -1)
    names = list(map(str, seeds))
    done = dict(
        fit(net, examples(), training, validation, Loss(), settings, generators, names=names)
    )
    return [done[member] for member in range(len(seeds))]


def test_a_constant_rate() -> None:
    assert {CONSTANT.learning_rate_at(done) for done in np.linspace(0, 1, 11)} == {0.02}


def test_the_rate_rises_over_the_first_tenth_and_falls_along_half_a_cosine() -> None:
    done = np.linspace(0, 1, 1001)
    rate = np.array([COSINE.learning_rate_at(share) for share in done])
    steps = np.diff(rate)
    assert (steps[:90] > 0).all()
    np.testing.assert_allclose(steps[:90], steps[0])
    assert 0 < rate[0] <= 0.02 / 10, "no step is for nothing"
    assert rate.max() == pytest.approx(0.02)
    np.testing.assert_allclose(rate[90:101], 0.02)
    fall = (done[100:] - 0.1) / 0.9
    np.testing.assert_allclose(rate[100:], 0.02 * (1 + np.cos(np.pi * fall)) / 2, atol=1e-15)
    assert rate[-1] == pytest.approx(0, abs=1e-15)


def rates_of(settings: Settings) -> list[float]:
    """The largest change of a bias at each step, which Adam makes almost the learning rate."""

    class Pulls(Loss):
        def __call__(self, logits: Tensor, labels: Tensor, noise: Tensor) -> Tensor:
            seen.append(net.bias.detach().clone())
            return logits.mean(1).sum(1)

    seen: list[Tensor] = []
    net = Dense(3, 2, seeded(0))
    rows = torch.arange(30)[None]
    list(fit(net, examples(), rows, rows, Pulls(0, 0), settings, seeded(0), names=["a"]))
    steps = torch.stack([*seen, net.bias.detach()]).diff(dim=0)
    return [float(step.abs().max()) for step in steps]


@pytest.mark.parametrize("batch_size", [10, 8, 64])
def test_every_step_has_the_rate_of_its_schedule(batch_size: int) -> None:
    per_epoch = math.ceil(30 / batch_size)
    changes = {"batch_size": batch_size, "adam_epsilon": 1e-12}
    for settings in (replace(CONSTANT, **changes), replace(COSINE, **changes)):  # type: ignore[arg-type]
        total = per_epoch * settings.epochs
        expected = [settings.learning_rate_at(step / total) for step in range(total)]
        found = rates_of(settings)
        assert len(found) == total
        np.testing.assert_allclose(found, expected, rtol=1e-3)


def test_the_schedule_changes_what_is_learned() -> None:
    (constant,), (cosine,) = fits(CONSTANT, 1), fits(COSINE, 1)
    assert constant.epochs[0].train_loss != cosine.epochs[0].train_loss
    assert not np.allclose(constant.weights["0.weight"], cosine.weights["0.weight"], atol=1e-3)


def test_a_schedule_is_of_all_epochs_however_many_there_will_be() -> None:
    settings = replace(COSINE, epochs=40, learning_rate=0.3)
    (early,) = fits(replace(settings, patience=1), 1)
    (late,) = fits(replace(settings, patience=40), 1)
    assert len(early.epochs) < len(late.epochs)
    assert early.epochs == late.epochs[: len(early.epochs)]


def test_members_are_fitted_as_if_alone() -> None:
    settings = replace(COSINE, epochs=30, patience=3, learning_rate=0.1)
    together = fits(settings, 1, 2, 3, 4)
    assert len({len(done.epochs) for done in together}) > 1, "some end before others"
    for seed, done in zip((1, 2, 3, 4), together, strict=True):
        (alone,) = fits(settings, seed)
        assert len(alone.epochs) == len(done.epochs)
        for name, value in alone.weights.items():
            np.testing.assert_allclose(done.weights[name], value, atol=2e-4, err_msg=name)
