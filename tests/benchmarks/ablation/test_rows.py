"""What the rows of benchmarks.ablation compute themselves."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from scipy.special import expit

from benchmarks.ablation.fits import MixtureLoss
from benchmarks.ablation.rows import DERIVATIZED_DEVIATION, derivatized_offset


def test_offsets_of_derivatized_samples() -> None:
    rng = np.random.default_rng(0)
    logits = rng.normal(-1, 1, (20_000, 2))
    labels = (rng.random(logits.shape) < expit(logits + np.array([0.7, -0.4]))).astype(np.float64)
    labels[::3, 0] = np.nan
    np.testing.assert_allclose(derivatized_offset(logits, labels), [0.7, -0.4], atol=0.05)
    one = derivatized_offset(np.zeros((1, 1)), np.ones((1, 1)))
    # where the slopes of the log loss and of the prior meet
    assert expit(-one[0]) == pytest.approx(one[0] / DERIVATIZED_DEVIATION**2, abs=1e-3)


def test_the_loss_of_mixtures() -> None:
    probability = torch.tensor([[[0.2, 0.5], [0.6, 0.9], [0.1, 0.3]]])
    logits, nan = torch.logit(probability), float("nan")
    labels = torch.tensor([[[1.0, 0.0], [0.0, nan], [0.0, 1.0]]])
    noise = torch.zeros(1, 3, 2)
    found = MixtureLoss(0.0, 0.0)(logits, labels, noise)
    odds = probability / (1 - probability)
    mixed = odds + odds[:, [2, 0, 1]]
    chance = (mixed / (1 + mixed))[0].numpy()
    # of runs 0+2, 1+0, 2+1; unknown where one is unknown and the other does not hold it
    expected = [np.log(chance[0, 0]), np.log(chance[0, 1]), np.log(chance[1, 0])]
    expected += [np.log(1 - chance[2, 0]), np.log(chance[2, 1])]
    own = [np.log(0.2), np.log(0.5), np.log(0.4), np.log(0.9), np.log(0.3)]
    assert found.item() == pytest.approx(-np.mean(expected) - np.mean(own), abs=1e-5)
