"""What training does to its runs: factors on all signals, and ranges of m/z."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor

from gale.features.elution import ElutionSpec
from gale.features.profile import SCALE, ProfileSpec
from gale.training.networks.augment import AugmentProfile, AugmentSpectra
from tests.helpers.fits import seeded

N, M = 4, 6


def changed(x: Tensor, *seeds: int, **how: float) -> Tensor:
    settings = {"abundance": 0.0, "mz_cut": 0.0, **how}
    augment = AugmentSpectra(settings["abundance"], settings["mz_cut"], seeded(*seeds))
    return vary(augment.train(), x)


def vary(augment: AugmentSpectra, x: Tensor) -> Tensor:
    """Vary images (E, R, N, M), whose spectra are in order of their runs."""
    run = torch.arange(x.shape[1]).repeat_interleave(x.shape[2]).expand(len(x), -1)
    return torch.as_tensor(augment(x.flatten(1, 2), run, x.shape[1])).reshape(x.shape)


def images(n_runs: int, n_mz: int = M, members: int = 2) -> Tensor:
    """Spectra of runs: a third of the signals is 0."""
    draws = torch.rand(members, n_runs, N, n_mz, generator=seeded(0)[0])
    return 5 * (draws - 1 / 3).clamp(min=0)


def test_runs_are_changed_in_training_only_and_each_time_anew() -> None:
    augment, x = AugmentSpectra(0.5, 0.5, seeded(0, 1)), images(20)
    first, second = vary(augment, x), vary(augment, x)
    assert not torch.equal(first, second)
    assert not torch.equal(first, x)
    spectra = x.flatten(1, 2)
    run = torch.zeros(spectra.shape[:2], dtype=torch.int64)
    assert augment.eval()(spectra, run, 20) is spectra
    assert not list(augment.state_dict())


def test_nothing_is_changed_unless_it_is_asked_for() -> None:
    x = images(5)
    assert torch.equal(changed(x, 0, 1), x)


@pytest.mark.parametrize("how", [{"abundance": 0.5}, {"mz_cut": 0.5}], ids=str)
def test_changes_are_those_of_the_members_own_generator(how: dict[str, float]) -> None:
    x = images(20)
    both = changed(x, 3, 4, **how)
    assert torch.equal(both, changed(x, 3, 4, **how))
    assert torch.equal(both[1], changed(x[1:], 4, **how)[0])
    assert not torch.equal(both[1], changed(x, 3, 5, **how)[1])
    assert not torch.equal(both[0] / x[0], both[1] / x[1])


@pytest.mark.slow
def test_abundance_is_one_factor_on_all_signals_of_a_run() -> None:
    x = images(2000)
    seen = x > 0
    factor = torch.expm1(changed(x, 0, 1, abundance=0.5).double()) / torch.expm1(x.double())
    of_run = torch.stack([factor[m, r][seen[m, r]][0] for m in range(2) for r in range(2000)])
    expected = of_run.reshape(2, 2000, 1, 1).expand(x.shape)
    torch.testing.assert_close(factor[seen], expected[seen], rtol=1e-4, atol=0)
    assert float(of_run.log().mean()) == pytest.approx(0, abs=0.03)
    assert float(of_run.log().std()) == pytest.approx(0.5, abs=0.02)
    assert (changed(x, 0, 1, abundance=0.5)[~seen] == 0).all()


def test_the_cut_takes_the_ends_of_the_mz_of_a_share_of_the_runs() -> None:
    x = torch.rand(2, 4000, N, 80, generator=seeded(5)[0]) + 0.1
    found = changed(x, 0, 1, mz_cut=0.3)
    left = found > 0
    assert torch.equal(found[left], x[left]), "what is left is as it was"
    assert (left == left[:, :, :1]).all(), "all spectra of a run have the same range"
    of_run = left[:, :, 0].flatten(0, 1)  # (E·R, M)
    starts, ends = of_run.float().argmax(1), 80 - of_run.flip(1).float().argmax(1)
    assert (of_run.sum(1) == ends - starts).all(), "only the ends are lost"
    assert starts.max() == 80 // 8
    assert ends.min() in (32, 33)
    cut = of_run.sum(1) < 80
    assert float(cut.float().mean()) == pytest.approx(0.3, abs=0.02)
    assert float(ends[cut].float().mean()) == pytest.approx(80 * 0.7, abs=1)


PROFILE = ProfileSpec(ElutionSpec(mz_first=10, mz_last=49), losses=5)
"""40 m/z: heights, shares, and 5 losses."""


def profiles(n_runs: int, members: int = 2) -> Tensor:
    return torch.rand(members, n_runs, PROFILE.n_features, generator=seeded(1)[0]) + 0.1


def blocks(x: Tensor) -> list[Tensor]:
    return [x[..., columns] for columns in PROFILE.blocks.values()]


def test_profiles_lose_heights_and_shares_at_the_same_mz() -> None:
    x = profiles(2000)
    height, share, loss = blocks(
        AugmentProfile(40, SCALE["height"], 0.0, 0.5, seeded(0, 1)).train()(x)
    )
    torch.testing.assert_close(height == 0, share == 0)
    assert float((height == 0).any(-1).float().mean()) == pytest.approx(0.5, abs=0.05)
    torch.testing.assert_close(loss, blocks(x)[2])
    torch.testing.assert_close(height[height > 0], blocks(x)[0][height > 0])


def test_the_abundance_of_a_profile_is_a_factor_on_its_signals() -> None:
    x = profiles(2000)
    height, share, loss = blocks(
        AugmentProfile(40, SCALE["height"], 0.5, 0.0, seeded(0, 1)).train()(x)
    )
    torch.testing.assert_close(share, blocks(x)[1])
    torch.testing.assert_close(loss, blocks(x)[2])
    signal, was = (torch.expm1(each.double() / SCALE["height"]) for each in (height, blocks(x)[0]))
    factor = signal / was
    torch.testing.assert_close(factor, factor[..., :1].expand(factor.shape), rtol=1e-4, atol=0)
    assert float(factor[..., 0].log().std()) == pytest.approx(0.5, abs=0.03)


def test_profiles_are_varied_in_training_only() -> None:
    augment, x = AugmentProfile(40, SCALE["height"], 0.5, 0.5, seeded(0, 1)), profiles(20)
    assert not torch.equal(augment(x), augment(x))
    assert augment.eval()(x) is x
