"""Tests of mixtures of training runs."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from gale import Recipe
from gale.errors import RecipeError
from gale.features.events import EventSpec
from gale.features.profile import ProfileSpec
from gale.training.mixtures import (
    Mixture,
    add_profiles,
    add_spectra,
    union_of,
)
from gale.training.networks.build import mixture_of
from tests.helpers.fits import seeded

NAN = float("nan")


def test_a_mixture_holds_the_families_of_both_runs() -> None:
    ours = torch.tensor([1, 1, 1, 0, 0, 0, NAN, NAN, NAN])
    others = torch.tensor([1, 0, NAN, 1, 0, NAN, 1, 0, NAN])
    expected = [1, 1, 1, 1, 0, NAN, 1, NAN, NAN]
    np.testing.assert_array_equal(union_of(ours, others).numpy(), expected)


def test_spectra_of_both_runs_compete_for_their_places() -> None:
    ours = torch.tensor([[[[1.0, 0.0], [5.0, 5.0]]]]).flatten(-2)
    others = torch.tensor([[[[3.0, 3.0], [0.0, 0.0]]]]).flatten(-2)
    mixed = add_spectra(ours, others, torch.ones(1, 1, 1), (2, 2)).reshape(2, 2)
    np.testing.assert_allclose(sorted(mixed.tolist()), [[3, 3], [5, 5]], rtol=1e-6)


def test_the_factor_is_on_the_signal_of_the_run_that_is_added() -> None:
    ours, others = torch.zeros(1, 1, 2), torch.log1p(torch.tensor([[[1.0, 3.0]]]))
    mixed = add_spectra(ours, others, torch.full((1, 1, 1), 2.0), (1, 2))
    np.testing.assert_allclose(torch.expm1(mixed).flatten(), [2, 6], rtol=1e-6)


def test_profiles_take_the_higher_of_two_maxima() -> None:
    mixed = add_profiles(torch.tensor([[[1.0, 4.0]]]), torch.tensor([[[2.0, 3.0]]]), torch.ones(1))
    assert mixed.flatten().tolist() == [2, 4]


def test_only_a_share_of_the_batch_is_mixed_and_each_member_for_itself() -> None:
    features = torch.arange(40.0).reshape(2, 10, 2)
    labels = torch.zeros(2, 10, 3)
    labels[:, :, 0] = torch.arange(10) % 2
    mixed, union = Mixture(0.3, add_profiles)(features, labels, seeded(0, 1))
    torch.testing.assert_close(mixed[:, 3:], features[:, 3:])
    torch.testing.assert_close(union[:, 3:], labels[:, 3:])
    assert (mixed >= features).all()
    assert (union >= labels).all()
    assert not torch.equal(mixed[0, :3], mixed[1, :3] - 20)  # other partners
    alone, _ = Mixture(0.3, add_profiles)(features[1:], labels[1:], seeded(1))
    torch.testing.assert_close(alone[0], mixed[1])


def _recipe(features: str, network: str = "") -> Recipe:
    return Recipe.parse(
        f"name = 'r'\nfeatures.kind = '{features}'\naugment.mixture = 0.5\n{network}", "r.toml"
    )


def test_each_kind_of_network_has_its_own_way_to_add_runs() -> None:
    elution = _recipe("events", "network = { kind = 'elution' }")
    assert mixture_of(Recipe.load("quick"), ProfileSpec()) is None
    assert mixture_of(_recipe("profile"), ProfileSpec()) == Mixture(0.5, add_profiles)
    made = mixture_of(elution, EventSpec(events=3))
    assert made is not None
    width = 3 * EventSpec().shape[1]
    assert made.add(
        torch.ones(1, 2, width), torch.ones(1, 2, width), torch.ones(1, 2, 1)
    ).shape == (
        1,
        2,
        width,
    )


def test_summary_features_cannot_be_added() -> None:
    with pytest.raises(RecipeError) as caught:
        _recipe("summary")
    assert caught.value.source == "r.toml: augment"
