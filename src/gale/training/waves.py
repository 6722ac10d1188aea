"""Fitting any number of members in waves of as many as fit into memory."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import BrokenExecutor, Executor, as_completed
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from gale.errors import TrainingError
from gale.training.fitting import (
    ROWS_AT_ONCE,
    Examples,
    Fit,
    FittingStatus,
    Settings,
    Weights,
    fit,
    set_weights,
)
from gale.training.losses import Loss
from gale.training.mixtures import Mixture
from gale.training.networks.elution import ElutionNetwork
from gale.training.networks.layers import Dense

CPU_BYTES = 400_000_000
"""Memory for the members of a wave on a CPU: four of the published network. Larger waves are hardly
faster, and finish their first members, which an interrupted training keeps, later."""

GPU_SHARE = 0.8
"""Share of a GPU's free memory for the members of a wave."""

Build = Callable[[Sequence[int], Sequence[torch.Generator]], nn.Module]
"""Makes a network of E members from their job numbers and generators."""

Begun = Callable[[Callable[..., object], tuple[Any, ...]], Executor]
"""Gives an executor whose workers call a function with arguments before their first task."""


@dataclass(frozen=True)
class Job:
    """A member to fit.

    Parameters
    ----------
    name : str
        Its name in messages.
    training, validation : array of int
        Row numbers.
    seed : int
        Seed of its initial weights, shuffles and noise.
    start : callable, optional
        Returns the weights to begin with, which are random by default.
    """

    name: str
    training: NDArray[np.int64]
    validation: NDArray[np.int64]
    seed: int
    start: Callable[[], Weights] | None = None


def find_device(name: str | None = None) -> torch.device:
    """Return the device ``cpu`` or ``cuda``; by default a GPU, if there is one.

    Raises
    ------
    TrainingError
        If there is no such device.
    """
    if name not in (None, "cpu", "cuda"):
        raise TrainingError("device", f"is {name!r}", "cpu or cuda", "pass device='cpu'")
    if name == "cuda" and not torch.cuda.is_available():
        raise TrainingError(
            "device",
            "is 'cuda', but PyTorch finds no GPU that it can use",
            remedy="pass device='cpu', or install a build of PyTorch for your GPU",
        )
    return torch.device(name or ("cuda" if torch.cuda.is_available() else "cpu"))


def fit_all(
    jobs: Sequence[Job],
    build: Build,
    runs: Examples,
    loss: Loss,
    settings: Settings,
    report: Callable[[FittingStatus], object] = lambda _: None,
    mixture: Mixture | None = None,
    begun: Begun | None = None,
) -> Iterator[tuple[int, Fit]]:
    """Fit all members on the device of the runs, in waves of members with equally many runs.

    With other workers, and on a CPU, each fits whole waves, of the same members.

    Parameters
    ----------
    jobs : sequence of Job
    build : callable
    runs : Examples
    loss, settings, report, mixture
        As for :func:`gale.training.fitting.fit`; workers report nothing.
    begun : callable, optional
        Gives the executor of other workers, which begin with the runs.

    Yields
    ------
    pair of int and Fit
        The number of a job and its fit, as soon as it, or else its wave, has finished.

    Raises
    ------
    TrainingError
        If a loss is not a finite number, or several workers end at the same wave.
    """
    waves = _waves(jobs, build, runs.features.device, settings)
    if begun is not None and runs.features.device.type == "cpu":
        executor = begun(_begin, (runs.features, runs.labels))
        yield from _fit_elsewhere(waves, partial(_fit_wave, loss, settings, mixture), executor)
        return
    for wave in waves:
        for member, done in wave.fit(runs, loss, settings, mixture, report):
            yield wave.jobs[member], done


@dataclass(frozen=True)
class Wave:
    """Members that are fitted together.

    Parameters
    ----------
    jobs : list of int, length E
        Their numbers.
    names : list of str
    network : nn.Module
    generators : list of torch.Generator
    training, validation : int64 Tensors of shape (E, number of rows)
    """

    jobs: list[int]
    names: list[str]
    network: nn.Module
    generators: list[torch.Generator]
    training: Tensor
    validation: Tensor

    def fit(
        self,
        runs: Examples,
        loss: Loss,
        settings: Settings,
        mixture: Mixture | None,
        report: Callable[[FittingStatus], object] = lambda _: None,
    ) -> Iterator[tuple[int, Fit]]:
        """Fit the members, see :func:`gale.training.fitting.fit`."""
        return fit(
            self.network, runs, self.training, self.validation, loss, settings, self.generators,
            names=self.names, mixture=mixture, report=report,
        )  # fmt: skip


def _waves(
    jobs: Sequence[Job], build: Build, device: torch.device, settings: Settings
) -> Iterator[Wave]:
    """Make the waves one by one, as they are asked for."""
    for group in _alike(jobs):
        trial = build(group[:1], [torch.Generator(device)])
        needed = member_bytes(trial, settings.batch_size, len(jobs[group[0]].training))
        for wave in cut(group, most=_budget(device) // needed):
            chosen = [jobs[number] for number in wave]
            generators = [torch.Generator(device).manual_seed(job.seed) for job in chosen]
            network = build(wave, generators).to(device)
            for member, job in enumerate(chosen):
                if job.start is not None:
                    set_weights(network, member, job.start())
            yield Wave(
                wave,
                [job.name for job in chosen],
                network,
                generators,
                torch.from_numpy(np.stack([job.training for job in chosen])).to(device),
                torch.from_numpy(np.stack([job.validation for job in chosen])).to(device),
            )


def _fit_elsewhere(
    waves: Iterator[Wave], fit_wave: Callable[[Wave], list[tuple[int, Fit]]], executor: Executor
) -> Iterator[tuple[int, Fit]]:
    """Let workers fit waves; what one has finished is given before the others have."""
    futures = {executor.submit(fit_wave, wave): wave.jobs for wave in waves}
    try:
        for future in as_completed(futures):
            for member, done in future.result():
                yield futures[future][member], done
    except BrokenExecutor as error:
        raise TrainingError(
            "fitting", f"ended several workers ({error})", remedy="give workers more memory"
        ) from error
    finally:
        for future in futures:
            future.cancel()


_RUNS: list[Examples] = []
"""The runs that a worker fits members to."""


def _begin(features: Tensor, labels: Tensor) -> None:
    _RUNS[:] = [Examples(features, labels)]


def _fit_wave(
    loss: Loss, settings: Settings, mixture: Mixture | None, wave: Wave
) -> list[tuple[int, Fit]]:
    return list(wave.fit(_RUNS[0], loss, settings, mixture))


def _alike(jobs: Sequence[Job]) -> list[list[int]]:
    """Group the numbers of jobs with equally many runs, whose batches have equal sizes."""
    groups: dict[tuple[int, int], list[int]] = {}
    for number, job in enumerate(jobs):
        groups.setdefault((len(job.training), len(job.validation)), []).append(number)
    return list(groups.values())


def cut(numbers: Sequence[int], most: int) -> list[list[int]]:
    """Cut into parts of almost equal length, at most `most` (but 1 if `most` is 0)."""
    n_waves = math.ceil(len(numbers) / max(most, 1))
    return [part.tolist() for part in np.array_split(np.array(numbers), n_waves)]


def member_bytes(network: nn.Module, batch_size: int, n_runs: int) -> int:
    """Return an upper estimate of the memory, in bytes, that fitting takes per member.

    Parameters
    ----------
    network : nn.Module
        One member.
    batch_size : int
    n_runs : int
        Training runs.
    """
    dense = [layer for layer in network.modules() if isinstance(layer, Dense)]
    n_weights = sum(parameter.numel() for parameter in network.parameters())
    # Weights, gradients, two moments, best weights; factors and gradients of lower precision; and
    # a copy of the largest while finished members are removed.
    state = 7 * n_weights
    rows = max(min(batch_size, n_runs), ROWS_AT_ONCE // 2)  # evaluation needs half as much per run
    layers = rows * sum(2 * layer.n_in + 10 * layer.n_out for layer in dense)
    for elution in (each for each in network.modules() if isinstance(each, ElutionNetwork)):
        # The layers see each spectrum; their input is computed with several whole images.
        n_spectra, n_mz = elution.shape
        images = 8 * max(min(batch_size, n_runs), ROWS_AT_ONCE) * n_spectra * n_mz
        layers = max(layers * n_spectra, images)
    n_families = dense[-1].n_out
    grids = (2 * n_runs + 20 * rows) * n_families**2
    return 4 * (state + layers + grids)


def _budget(device: torch.device) -> int:
    if device.type != "cuda":
        return CPU_BYTES
    torch.cuda.empty_cache()
    free, _ = torch.cuda.mem_get_info(device)
    return int(GPU_SHARE * free)
