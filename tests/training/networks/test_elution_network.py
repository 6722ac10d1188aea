"""The elution network against one member written plainly."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from torch import Tensor

from gale.training.fitting import Examples, Settings, _ActiveMembers, fit, get_weights, set_weights
from gale.training.losses import Loss
from gale.training.networks.augment import AugmentSpectra
from gale.training.networks.elution import HEIGHT_SCALE, QUIET, SHARE_SCALE, ElutionNetwork
from gale.training.networks.layers import Dropout, Random

N, M, K = 4, 6, 3
PRIOR = torch.tensor([[0.5, -1.0, -2.0], [0.0, 1.0, -3.0]])


def seeded(*seeds: int) -> list[torch.Generator]:
    return [torch.Generator().manual_seed(seed) for seed in seeds]


def spectra(n_runs: int, *, members: int = 2, seed: int = 0, n_mz: int = M) -> Tensor:
    """Event features (E, R, N·M): a third of the signals is 0, as is the last spectrum."""
    draws = torch.rand(members, n_runs, N, n_mz, generator=seeded(seed)[0])
    images = 5 * (draws - 1 / 3).clamp(min=0)
    images[:, :, -1] = 0
    return images.flatten(2)


def network(*seeds: int, **switches: Any) -> ElutionNetwork:
    return ElutionNetwork((N, M), K, seeded(*seeds), **{"hidden": (5, 4), **switches})


def plain_logits(
    weights: Mapping[str, np.ndarray], run: Tensor, layer_norm: bool, batch_norm: bool
) -> tuple[Tensor, Tensor]:
    """Logits (K,) of one run (N·M,) by one member, and those of its spectra, (N, K)."""
    of = {name.removeprefix("dense."): torch.tensor(value) for name, value in weights.items()}
    of_spectra = []
    for event in range(N):
        image = [float(x) for x in run[event * M : (event + 1) * M]]
        signal = [math.exp(x) - 1 for x in image]
        root = [math.sqrt(x / (sum(signal) + QUIET)) for x in signal]
        h = torch.tensor([*(HEIGHT_SCALE * x for x in image), *(SHARE_SCALE * x for x in root)])
        at = 0
        for _ in range(2):
            h = F.linear(h, of[f"{at}.weight"].T, of[f"{at}.bias"])
            at += 1
            if batch_norm:
                mean, variance = of[f"{at}.running_mean"], of[f"{at}.running_variance"]
                h = (h - mean) / (variance + 1e-3).sqrt() * of[f"{at}.weight"] + of[f"{at}.bias"]
                at += 1
            if layer_norm:
                h = F.layer_norm(h, h.shape, of[f"{at}.weight"], of[f"{at}.bias"], 1e-3)
                at += 1
            h = F.relu(h)
            at += 1
        logits = F.linear(h, of[f"{at}.weight"].T, of[f"{at}.bias"])
        of_spectra.append(logits + of[f"{at + 1}.bias"])
    total = [math.log(sum(math.exp(float(each[k])) for each in of_spectra)) for k in range(K)]
    return torch.tensor(total), torch.stack(of_spectra)


@pytest.mark.parametrize("layer_norm", [False, True])
@pytest.mark.parametrize("batch_norm", [False, True])
def test_logits_are_those_of_one_member_and_run_at_a_time(
    layer_norm: bool, batch_norm: bool
) -> None:
    net = network(0, 1, prior=PRIOR, layer_norm=layer_norm, batch_norm=batch_norm).eval()
    for seed, value in enumerate(net.state_dict().values()):
        value.add_(0.3 * torch.rand(value.shape, generator=seeded(seed)[0]))
    x = spectra(3)
    found, events = net(x).detach(), net.event_logits(x).detach()
    assert found.shape == (2, 3, K)
    assert events.shape == (2, 3, N, K)
    for member in range(2):
        weights = get_weights(net, member)
        for row in range(3):
            of_run, of_spectra = plain_logits(weights, x[member, row], layer_norm, batch_norm)
            torch.testing.assert_close(found[member, row], of_run, rtol=1e-5, atol=1e-5)
            torch.testing.assert_close(events[member, row], of_spectra, rtol=1e-5, atol=1e-5)


def test_a_run_begins_with_the_prior() -> None:
    net = network(0, 1, prior=PRIOR).eval()
    net.get_parameter("dense.6.weight").data.zero_()
    torch.testing.assert_close(net(spectra(3)), PRIOR[:, None].expand(-1, 3, -1))


def test_one_good_spectrum_is_enough_and_weak_ones_add_up() -> None:
    net = network(0)
    logits = torch.tensor([-20.0, -20.0, 3.0, -20.0]), torch.full((4,), -5.0)
    events = torch.stack(logits, -1)[None, None].expand(1, 1, N, 2)
    net.event_logits = lambda x: events  # type: ignore[method-assign]
    torch.testing.assert_close(net(torch.zeros(1, 1, N * M))[0, 0], torch.tensor([3.0, -3.6137]))


def test_huge_signals_stay_finite() -> None:
    net = network(0).eval()
    assert net(torch.full((1, 2, N * M), 27.7)).isfinite().all()  # log of the largest range


def test_members_do_not_depend_on_each_other() -> None:
    both, alone, x = network(1, 2, prior=PRIOR), network(2, prior=PRIOR[1:]), spectra(3)
    for mode in (True, False):
        both.train(mode)
        alone.train(mode)
        assert torch.equal(both(x)[1], alone(x[1:])[0])
    assert not torch.equal(both(x)[0], both(x[[1, 1]])[0])


@pytest.mark.parametrize("products", [torch.float32, torch.bfloat16], ids=str)
def test_the_gradient_is_finite_for_spectra_of_which_nothing_is_left(
    products: torch.dtype,
) -> None:
    net = network(0, 1, prior=PRIOR, abundance=0.5, mz_cut=0.9, dropout=0.2, products=products)
    x = spectra(8)
    x[0] = 0
    net.train()(x).sum().backward()
    for name, parameter in net.named_parameters():
        assert parameter.grad is not None, name
        assert parameter.grad.isfinite().all(), name
    of_second = net.get_parameter("dense.0.weight").grad
    assert of_second is not None
    assert of_second[1].any()


def test_numbers_are_drawn_from_each_members_own_generator() -> None:
    layer = Random(seeded(1, 2))
    uniform, normal = layer.draw((4000, 3)), layer.draw((4000, 3), normal=True)
    assert uniform.shape == normal.shape == (2, 4000, 3)
    assert uniform.min() >= 0
    assert uniform.max() < 1
    np.testing.assert_allclose(uniform.mean((1, 2)), 0.5, atol=0.02)
    np.testing.assert_allclose(normal.mean((1, 2)), 0, atol=0.04)
    np.testing.assert_allclose(normal.std((1, 2)), 1, atol=0.04)
    (generator,) = seeded(2)
    assert torch.equal(uniform[1], torch.empty(4000, 3).uniform_(generator=generator))
    assert torch.equal(normal[1], torch.empty(4000, 3).normal_(generator=generator))


def test_the_generators_of_members_that_have_finished_are_taken_out() -> None:
    """Members end at different times; the others draw what they would have drawn alone."""
    labels = (spectra(40, members=1)[0, :, :K] > 1).float()
    noisy = torch.where(torch.rand(40, K, generator=seeded(8)[0]) < 0.3, 1 - labels, labels)
    runs = Examples(spectra(40, members=1)[0], noisy)
    rows = torch.arange(40)
    settings = Settings(0.05, 1e-4, batch_size=10, epochs=30, patience=2)

    def fits(*seeds: int) -> tuple[ElutionNetwork, list[Any]]:
        generators = seeded(*seeds)
        net = ElutionNetwork(
            (N, M), K, generators, hidden=(5,), dropout=0.3, abundance=0.5, mz_cut=0.3
        )
        training, validation = (of.expand(len(seeds), -1) for of in (rows[:30], rows[30:]))
        names = list(map(str, seeds))
        found = dict(
            fit(net, runs, training, validation, Loss(0, 0), settings, generators, names=names)
        )
        return net, [found[member] for member in range(len(seeds))]

    net, together = fits(1, 2, 3, 4)
    lengths = [len(done.epochs) for done in together]
    assert len(set(lengths)) > 1
    left = lengths.count(max(lengths))
    random = [layer for layer in net.modules() if isinstance(layer, Random)]
    assert [type(layer) for layer in random] == [AugmentSpectra, Dropout]
    assert [len(layer.generators) for layer in random] == [left, left]
    for seed, done in zip((1, 2, 3, 4), together, strict=True):
        _, (alone,) = fits(seed)
        found, expected = ([each.validation for each in of.epochs] for of in (done, alone))
        np.testing.assert_allclose(found, expected, atol=1e-4)


def test_all_random_layers_keep_the_generators_of_the_members_that_go_on() -> None:
    generators, rows = seeded(1, 2, 3, 4), torch.arange(12).expand(4, -1)
    net = ElutionNetwork((N, M), K, generators, hidden=(5, 4), dropout=0.3, abundance=0.5)
    runs = Examples(spectra(12, members=1)[0], torch.ones(12, K))
    settings = Settings(0.05, 1e-4, batch_size=6, epochs=3, patience=3)
    wave = _ActiveMembers(net, runs, rows, rows, Loss(0, 0), settings, generators, None)
    wave.train()
    wave.keep_only([1, 3])
    random = [layer for layer in net.modules() if isinstance(layer, Random)]
    assert [type(layer) for layer in random] == [AugmentSpectra, Dropout, Dropout]
    for held in (wave.generators, *(layer.generators for layer in random)):
        assert [id(each) for each in held] == [id(generators[at]) for at in (1, 3)]
    assert wave.train().shape == wave.validate().shape == (2,)


def test_weights_of_a_member_go_into_another() -> None:
    left, right, x = (
        network(0, 1, prior=PRIOR).eval(),
        network(2, prior=PRIOR[:1]).eval(),
        spectra(3),
    )
    set_weights(right, 0, get_weights(left, 1))
    torch.testing.assert_close(right(x[1:])[0], left(x)[1])


def apex_network(seeds: Sequence[int], dropout: float, **changes: Any) -> ElutionNetwork:
    """Networks for runs of at most 12 apexes and 7 m/z."""
    generators = [torch.Generator().manual_seed(seed) for seed in seeds]
    return ElutionNetwork(
        (12, 7), 3, generators, hidden=(8, 4), dropout=dropout, apexes=True, **changes
    )


def apexes_of(n_runs: int, seed: int) -> Tensor:
    """Features (2, R, N·M) of runs with 0 to 12 apexes, the second member's with fewer."""
    generator = torch.Generator().manual_seed(seed)
    images = torch.rand(2, n_runs, 12, 7, generator=generator) * 3
    most = torch.tensor([13, 4])
    number = (torch.rand(2, n_runs, generator=generator) * most.unsqueeze(1)).long()
    return (images * (torch.arange(12) < number.unsqueeze(-1)).unsqueeze(-1)).flatten(2)


@pytest.mark.parametrize("seed", range(5))
def test_apexes_that_are_lacking_are_computed_once(seed: int) -> None:
    network, x = apex_network([1, 2], 0.0), apexes_of(9, seed)
    assert network.is_sparse
    sparse = network.event_logits(x)
    network.is_sparse = False
    torch.testing.assert_close(sparse, network.event_logits(x))
    none = network.event_logits(torch.zeros_like(x))
    assert (none == none[:, :1, :1]).all()


def test_what_a_member_draws_does_not_depend_on_how_many_apexes_another_has() -> None:
    both, alone = apex_network([1, 2], 0.5).train(), apex_network([2], 0.5).train()
    for seed in range(3):
        x = apexes_of(9, seed)
        torch.testing.assert_close(both(x)[1], alone(x[1:])[0])


def test_with_batch_normalisation_all_spectra_count() -> None:
    assert not apex_network([1], 0.0, batch_norm=True).is_sparse
