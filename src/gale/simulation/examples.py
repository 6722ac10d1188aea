"""Simulated runs in memory, from many laboratories: examples to train on."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import Executor
from dataclasses import dataclass, replace
from itertools import chain
from typing import TYPE_CHECKING, Any, Generic, TypeVar

import numpy as np

from gale.errors import SimulationError
from gale.plumbing.work import Work
from gale.plumbing.workers import worker_pool
from gale.run import Integers, Run
from gale.simulation.compounds import Booleans
from gale.simulation.instrument import Instrument
from gale.simulation.label_sets import prevalence_of
from gale.simulation.laboratory import Laboratory, build_laboratory
from gale.simulation.physics import Physics
from gale.simulation.plan import Plan
from gale.simulation.run import Truth, simulate_run
from gale.simulation.series import (
    Given,
    Series,
    Setup,
    check_numbers,
    plan_series,
    read_analytes,
)

if TYPE_CHECKING:
    from gale.chemistry.families import FamilyTable

Item = TypeVar("Item")
Transform = Callable[[Run, list[Truth]], Item]


@dataclass(frozen=True)
class Example(Generic[Item]):
    """A simulated run to train on.

    Parameters
    ----------
    families : array of bool, shape (K,)
        What the sample holds, in the order in which the families were named.
    item : object
        What the run was transformed into.
    """

    families: Booleans
    item: Item


def simulate_examples(
    transform: Transform[Item],
    *,
    families: Sequence[str],
    library: Given | Sequence[Given] | None = None,
    table: FamilyTable | None = None,
    prevalence: Mapping[str, float] | None = None,
    runs: int,
    runs_per_laboratory: int = 320,
    instruments: int = 3,
    ions: int = 60_000,
    physics: Physics | None = None,
    seed: int = 0,
    work: Work | None = None,
) -> Iterator[Example[Item]]:
    """Simulate runs and yield each of them transformed.

    Every laboratory has its own instruments, contaminants and frequent compounds. Its runs are
    those of the train split of a campaign that :func:`gale.simulate` makes with its seed (see
    :func:`laboratory_seeds`).

    Parameters
    ----------
    transform : callable
        Takes a run and its truth, as :func:`simulate_run` returns it. It is called in the process
        that simulated the run, so that only its result travels between processes; with several
        workers, it and its result must be picklable.
    families : sequence of str, length K
        The families that examples name; samples may hold other families of `table` too.
    library : Library, str, path, or sequence of these, optional
        As :func:`gale.simulate` takes it.
    table : mapping of str to FamilyRule, optional
        The rules of the families; by default those of the nine published ones.
    prevalence : mapping of str to float, optional
        Share of the runs that hold a family of `table`, in place of the published one.
    runs, runs_per_laboratory : int
        The last laboratory may have fewer runs.
    instruments, ions, physics
        Of each laboratory, as :func:`gale.simulate` takes them.
    seed : int
        The same seed gives the same examples in the same order, for any number of workers.
    work : Work, optional
        Number of processes, and where progress is shown.

    Returns
    -------
    iterator of Example, length `runs`
        It runs at most two laboratories ahead of what was taken from it.

    Raises
    ------
    SimulationError
        At once, if a family cannot be simulated, or the library or a number cannot be used; while
        iterating, as :func:`plan_series` does.
    ReadError
        While iterating, if a simulated run has no ions or fewer than two scans.
    MissingExtraError
        If structures are needed and RDKit is not installed.
    """
    work, physics = work or Work(), physics or Physics.default()
    numbers = {"instruments": instruments, "ions": ions, "workers": work.workers}
    check_numbers({"runs": runs, "runs_per_laboratory": runs_per_laboratory, **numbers}, prevalence)
    analytes, source, libraries = read_analytes(library, table, work.progress)
    columns = _columns(families, analytes.family_names)
    wanted = prevalence_of(analytes.family_names, prevalence)
    setup = Setup(
        analytes,
        source,
        libraries,
        table,
        wanted,
        ions=ions,
        instruments=instruments,
        physics=physics,
    )
    n_laboratories = -(-runs // runs_per_laboratory)
    all_series = (
        plan_series(
            setup,
            {"train": min(runs_per_laboratory, runs - number * runs_per_laboratory)},
            laboratory_seed,
        )
        for number, laboratory_seed in enumerate(laboratory_seeds(seed, n_laboratories))
    )
    simulator = RunSimulator(build_laboratory(analytes, (), physics, table), transform)
    return _examples(simulator, all_series, columns, runs, work)


def laboratory_seeds(seed: int, number: int) -> list[int]:
    """Return the seeds of laboratories; the first ones do not depend on the number."""
    seeds: list[int] = np.random.SeedSequence((seed, 10)).generate_state(number).tolist()
    return seeds


@dataclass(frozen=True)
class PlannedRun:
    """A run to simulate, with what it does not share with other laboratories."""

    source: str
    instruments: tuple[Instrument, ...]
    plan: Plan
    threshold: float


class RunSimulator(Generic[Item]):
    """Simulates and transforms runs.

    Each process has one, which holds what all laboratories share: the substances.
    """

    def __init__(self, substances: Laboratory, transform: Transform[Item]) -> None:
        self._substances, self._transform = substances, transform

    def simulate(self, planned: PlannedRun) -> Item:
        """Simulate and transform one run."""
        laboratory = replace(self._substances, instruments=planned.instruments)
        recorded, truth = simulate_run(laboratory, planned.plan, planned.threshold)
        run = Run.from_rows(
            recorded.time_min, recorded.mz, recorded.intensity, source=planned.source
        )
        return self._transform(run, truth)


_SIMULATOR: list[RunSimulator[Any]] = []
"""The simulator of a worker process."""


def _begin_worker(simulator: RunSimulator[Any]) -> None:
    _SIMULATOR[:] = [simulator]


def _simulate_in_worker(planned: PlannedRun) -> Any:
    return _SIMULATOR[0].simulate(planned)


def _examples(
    simulator: RunSimulator[Item],
    all_series: Iterator[Series],
    columns: Integers,
    runs: int,
    work: Work,
) -> Iterator[Example[Item]]:
    with worker_pool(work.workers, _begin_worker, (simulator,), work.executor) as executor:
        begun = (
            _begin_series(simulator, series, number, columns, executor)
            for number, series in enumerate(all_series, start=1)
        )
        work.progress.begin("simulating runs", runs)
        # the workers simulate one laboratory while this process plans the next
        for example in chain.from_iterable(_one_ahead(begun)):
            work.progress.step()
            yield example


def _begin_series(
    simulator: RunSimulator[Item],
    series: Series,
    number: int,
    columns: Integers,
    executor: Executor | None,
) -> Iterator[Example[Item]]:
    """Begin to simulate the runs of a laboratory, without waiting for any of them."""
    planned = [
        PlannedRun(
            f"simulated run {place} of laboratory {number}",
            series.laboratory.instruments,
            plan,
            series.thresholds[plan.instrument],
        )
        for place, plan in enumerate(series.design.plans, start=1)
    ]
    items: Iterator[Item] = (
        map(simulator.simulate, planned)
        if executor is None
        else executor.map(_simulate_in_worker, planned, chunksize=4)
    )
    return map(Example, series.design.families[:, columns], items)


def _one_ahead(begun: Iterator[Iterator[Example[Item]]]) -> Iterator[Iterator[Example[Item]]]:
    """Begin each item, of one or more, before the previous one is yielded."""
    previous = next(begun)
    for following in begun:
        yield previous
        previous = following
    yield previous


def _columns(families: Sequence[str], known: tuple[str, ...]) -> Integers:
    """Positions of families among those that the simulator knows."""
    for family in families:
        if family not in known:
            raise SimulationError(
                f"families: {family!r}",
                "cannot be simulated",
                f"some of {', '.join(known)}",
                "pass table=..., with a rule for each family",
            )
    return np.array([known.index(family) for family in families], dtype=np.int64)
