"""Waves: every job is fitted, whatever it is fitted beside, and its memory is estimated."""

from __future__ import annotations

import os
import signal
from collections.abc import Sequence
from dataclasses import replace
from functools import partial

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import nn
from torch.profiler import profile

from gale.errors import TrainingError
from gale.plumbing.cluster import dask_executor
from gale.training import waves
from gale.training.fitting import Examples, Fit, FittingStatus, Settings, Weights, fit, get_weights
from gale.training.losses import Loss
from gale.training.networks.elution import ElutionNetwork
from gale.training.networks.summary import summary_network
from gale.training.waves import Job, cut, find_device, fit_all, member_bytes
from helpers.errors import refused

SETTINGS = Settings(learning_rate=0.02, adam_epsilon=1e-4, batch_size=16, epochs=6, patience=2)
RUNS = Examples(
    torch.randn(60, 3, generator=torch.Generator().manual_seed(0)),
    (torch.rand(60, 2, generator=torch.Generator().manual_seed(1)) < 0.4).float(),
)


def job(number: int, first: int, **more: object) -> Job:
    """A job that trains on the runs before `first`, and validates on those after it."""
    return Job(f"job {number}", np.arange(first), np.arange(first, 60), seed=number, **more)  # type: ignore[arg-type]


def network(
    built: list[int], jobs: Sequence[int], generators: Sequence[torch.Generator]
) -> nn.Module:
    built.append(len(jobs))
    return summary_network(3, 2, generators, hidden=(4,))


def fits(
    jobs: Sequence[Job], statuses: list[FittingStatus] | None = None
) -> tuple[list[Fit], list[int]]:
    """The fits in the order of the jobs, and how many members each network had."""
    built: list[int] = []
    report = (lambda _: None) if statuses is None else statuses.append
    done = dict(fit_all(jobs, partial(network, built), RUNS, Loss(), SETTINGS, report))
    assert sorted(done) == list(range(len(jobs)))
    return [done[number] for number in range(len(jobs))], built


def assert_same_training(left: Fit, right: Fit) -> None:
    assert len(left.epochs) == len(right.epochs)
    assert left.validation == pytest.approx(right.validation, abs=1e-5)
    for name, value in left.weights.items():
        np.testing.assert_allclose(value, right.weights[name], atol=1e-4, err_msg=name)


@pytest.mark.slow
def test_jobs_are_fitted_as_if_alone_whatever_is_beside_them() -> None:
    jobs = [job(0, 40), job(1, 41), job(2, 40), job(3, 50), job(4, 41)]
    found, built = fits(jobs)
    assert built == [1, 2, 1, 2, 1, 1]  # for each size of fold a trial, and a wave
    for one, together in zip(jobs, found, strict=True):
        ((alone,), _) = fits([one])
        assert_same_training(together, alone)
    assert len({each.validation for each in found}) == 5


@pytest.mark.slow
def test_what_does_not_fit_into_memory_together_is_cut(monkeypatch: pytest.MonkeyPatch) -> None:
    jobs = [job(number, 40) for number in range(5)]
    at_once, _ = fits(jobs)
    needed = member_bytes(network([], [0], [torch.Generator()]), 16, 40)
    for budget, expected in ((2 * needed, [2, 2, 1]), (4 * needed, [3, 2]), (0, [1] * 5)):
        monkeypatch.setattr(waves, "CPU_BYTES", budget)
        statuses: list[FittingStatus] = []
        cut_up, built = fits(jobs, statuses)
        assert built[1:] == expected
        assert [status.epoch for status in statuses].count(1) == len(expected)
        for left, right in zip(at_once, cut_up, strict=True):
            assert_same_training(left, right)


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore::ResourceWarning", "ignore::DeprecationWarning")
def test_workers_of_dask_give_the_same_bytes_though_one_is_killed() -> None:
    pytest.importorskip("distributed", reason="the extra dask is not installed")
    jobs = [job(number, 30 + 4 * (number // 2)) for number in range(8)]  # four waves
    settings = replace(SETTINGS, epochs=40, patience=40)
    build = partial(network, [])
    n_threads = torch.get_num_threads()
    torch.set_num_threads(1)  # as workers do
    try:
        here = dict(fit_all(jobs, build, RUNS, Loss(), settings))
    finally:
        torch.set_num_threads(n_threads)
    with dask_executor("local:2") as executor:
        elsewhere: dict[int, Fit] = {}
        for number, done in fit_all(jobs, build, RUNS, Loss(), settings, begun=executor.begun):
            if not elsewhere:
                victim = next(iter(executor.client.run(os.getpid).values()))
                os.kill(victim, signal.SIGKILL)
            elsewhere[number] = done
    assert sorted(elsewhere) == sorted(here)
    for number, fitted in here.items():
        assert fitted.epochs == elsewhere[number].epochs
        for name, value in fitted.weights.items():
            assert value.tobytes() == elsewhere[number].weights[name].tobytes()


def test_a_start_takes_the_place_of_random_weights() -> None:
    first = get_weights(network([], [0], [torch.Generator().manual_seed(7)]), 0)
    called: list[int] = []

    def start() -> Weights:
        called.append(1)
        return first

    done, _ = fits([job(1, 40), job(7, 40), job(1, 40, start=start)])
    assert called == [1]
    assert done[0].epochs[0] != done[2].epochs[0] != done[1].epochs[0]
    for number, one in enumerate([job(1, 40), job(7, 40), job(1, 40, start=start)]):
        assert_same_training(done[number], fits([one])[0][0])


@pytest.mark.skipif(not torch.cuda.is_available(), reason="there is no GPU")
@pytest.mark.parametrize("products", [torch.float32, torch.bfloat16], ids=str)
def test_members_on_a_gpu_are_fitted_as_if_alone(products: torch.dtype) -> None:
    device = torch.device("cuda")
    runs = Examples(RUNS.features.to(device), RUNS.labels.to(device))

    def build(_: Sequence[int], generators: Sequence[torch.Generator]) -> nn.Module:
        return summary_network(3, 2, generators, hidden=(4,), products=products)

    jobs = [job(number, 40) for number in range(3)]
    together = dict(fit_all(jobs, build, runs, Loss(), SETTINGS))
    for number, one in enumerate(jobs):
        ((_, alone),) = fit_all([one], build, runs, Loss(), SETTINGS)
        assert_same_training(together[number], alone)
        assert alone.epochs[-1].train_loss < alone.epochs[0].train_loss


@pytest.mark.parametrize("name", ["gpu", "CPU", "cuda:x", "mps", ""])
def test_a_device_of_another_name(name: str) -> None:
    with refused(TrainingError, "device", found=repr(name), expected=("cpu", "cuda")):
        find_device(name)


def test_devices() -> None:
    assert find_device("cpu").type == "cpu"
    assert (find_device().type == "cuda") == torch.cuda.is_available()


def test_nothing_to_fit() -> None:
    assert fits([]) == ([], [])


@pytest.mark.slow
@given(st.lists(st.integers(0, 10**6), min_size=1, max_size=30), st.integers(0, 40))
def test_parts_are_almost_equal_and_no_larger_than_allowed(numbers: list[int], most: int) -> None:
    parts = cut(numbers, most)
    assert [number for part in parts for number in part] == numbers
    lengths = [len(part) for part in parts]
    assert max(lengths) <= max(most, 1)
    assert max(lengths) - min(lengths) <= 1
    assert len(parts) == -(-len(numbers) // max(most, 1))


@pytest.mark.parametrize("products", [torch.float32, torch.bfloat16], ids=str)
@pytest.mark.parametrize("hidden", [(256, 128), (64,), ()], ids=str)
@pytest.mark.parametrize("dropout", [0.0, 0.4])
def test_the_estimate_of_memory_is_above_what_is_needed_and_not_far(
    hidden: tuple[int, ...], products: torch.dtype, dropout: float
) -> None:
    generators = [torch.Generator().manual_seed(0)]
    net = summary_network(300, 9, generators, hidden=hidden, products=products, dropout=dropout)
    needed = measured_bytes(net, 300, generators, 128, 1000)
    assert needed < member_bytes(net, 128, 1000) < 3 * needed


@pytest.mark.parametrize("hidden", [(256, 128), (32,)], ids=str)
@pytest.mark.parametrize("batch_size", [64, 128, 350])
def test_the_estimate_of_memory_of_an_elution_network_likewise(
    hidden: tuple[int, ...], batch_size: int
) -> None:
    generators = [torch.Generator().manual_seed(0)]
    net = ElutionNetwork(
        (12, 100), 9, generators, hidden=hidden, dropout=0.3, abundance=0.5, mz_cut=0.2
    )
    needed = measured_bytes(net, 12 * 100, generators, batch_size, 400)
    estimate = member_bytes(net, batch_size, 400)
    assert needed < estimate < 3 * needed
    assert member_bytes(nn.Sequential(net), batch_size, 400) == estimate


def measured_bytes(
    net: nn.Module, n_features: int, generators: list[torch.Generator], batch_size: int, n_runs: int
) -> int:
    """Most memory that fitting one member to runs of nine families takes."""
    runs = Examples(torch.zeros(n_runs, n_features), torch.zeros(n_runs, 9))
    rows = torch.arange(n_runs)[None]
    settings = Settings(1e-3, 1e-7, batch_size=batch_size, epochs=2, patience=2)
    before = sum(4 * parameter.numel() for parameter in net.parameters())
    with profile(profile_memory=True) as profiled:
        list(fit(net, runs, rows, rows, Loss(), settings, generators, names=["a"]))
    peak, now = 0, 0
    for event in profiled.profiler.kineto_results.events():
        if event.name() == "[memory]":
            now += event.nbytes()
            peak = max(peak, now)
    return before + peak
