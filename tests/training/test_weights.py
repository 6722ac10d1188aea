"""Weights of one member, and what a network gives with them in inference."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from gale.training.fitting import evaluate, get_weights, set_weights
from gale.training.losses import log_loss
from helpers.fits import (
    assert_same,
    examples,
    fits_of,
    network,
    noisy,
    rows,
    seeded,
)
from helpers.predictions import probability_of


def test_evaluation_is_the_log_loss_in_inference() -> None:
    net, known = network(*seeded(0, 1)), noisy(700)
    before = get_weights(net, 1)
    of = torch.stack([torch.arange(600), torch.arange(100, 700)])
    found = evaluate(net.train(), known, of)
    assert found.shape == (2,)
    net.eval()
    for member in range(2):
        logits = net(known.features.expand(2, -1, -1))[member, of[member]]
        expected = log_loss(logits, known.labels[of[member]])
        assert found[member].item() == pytest.approx(expected.item(), rel=1e-6)
    assert_same(get_weights(net, 1), before)


def test_prediction_is_the_probability_of_each_member_in_inference() -> None:
    net, x = network(*seeded(0, 1)), examples(12).features
    found = probability_of(net.train(), x.numpy())
    expected = torch.sigmoid(net.eval()(x.expand(2, -1, -1))).detach()
    np.testing.assert_allclose(found, expected, rtol=1e-6)


def test_weights_are_copies() -> None:
    net = network()
    before = get_weights(net, 0)
    kept = {name: value.copy() for name, value in before.items()}
    fits_of(net, examples(20), rows(0, 20), rows(0, 20), epochs=1)
    assert_same(before, kept)


def test_weights_of_one_member_go_into_any_other() -> None:
    left, right = network(*seeded(0, 1)), network(*seeded(2, 3, 4))
    others = get_weights(right, 0), get_weights(right, 1)
    set_weights(right, 2, get_weights(left, 1))
    assert_same(get_weights(right, 2), get_weights(left, 1))
    assert_same(get_weights(right, 0), others[0])
    assert_same(get_weights(right, 1), others[1])
