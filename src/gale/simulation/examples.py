"""Simulated runs in memory, from many laboratories: examples to train on."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import Executor
from dataclasses import dataclass, replace
from itertools import chain
from typing import TYPE_CHECKING, Any, Generic, TypeVar

import numpy as np

from gale.errors import SimulationError
from gale.library import Library
from gale.plumbing.work import Work
from gale.plumbing.workers import worker_pool
from gale.run import Integers, Run
from gale.simulation.compounds import Flags
from gale.simulation.instrument import Instrument
from gale.simulation.label_sets import prevalence_of
from gale.simulation.laboratory import Laboratory, equip
from gale.simulation.physics import Physics
from gale.simulation.plan import Plan
from gale.simulation.run import Truth, simulate_run
from gale.simulation.series import Series, check_numbers, plan_series, read_analytes

if TYPE_CHECKING:
    from gale.chemistry.families import FamilyTable

Item = TypeVar("Item")
Make = Callable[[Run, list[Truth]], Item]


@dataclass(frozen=True)
class Example(Generic[Item]):
    """What is kept of a simulated run.

    Parameters
    ----------
    families : array of bool, shape (K,)
        What the sample holds, in the order in which the families were named.
    item : object
        What was made of the run.
    """

    families: Flags
    item: Item


def simulate_examples(
    make: Make[Item],
    *,
    families: Sequence[str],
    library: Library | Sequence[Library] | None = None,
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
    """Simulate runs, and give what `make` makes of each, one after the other.

    Every laboratory has its own instruments, contaminants, and compounds that are often in its
    samples. Its runs are those of the train split of a campaign that :func:`gale.simulate` makes
    with its seed (see :func:`laboratory_seeds`).

    Parameters
    ----------
    make : callable
        Takes a run and its truth, as :func:`simulate_run` gives it. It is called where the run was
        simulated, so that only what it returns travels between processes; with several workers it
        has to be picklable, and so has that.
    families : sequence of str, length K
        Others of `table` are in the samples, too, but not told.
    library : Library or sequence of Library, optional
        As :func:`gale.simulate` takes it.
    table : mapping of str to FamilyRule, optional
        The rules of the families; without it those of the nine published ones.
    prevalence : mapping of str to float, optional
        Share of the runs that hold a family of `table`, in place of the published one.
    runs, runs_per_laboratory : int
        The last laboratory has fewer, if need be.
    instruments, ions, physics
        Of each laboratory, as :func:`gale.simulate` takes them.
    seed : int
        The same seed gives the same examples in the same order, whatever the number of workers.
    work : Work, optional
        How many processes, and what is told how far they are.

    Returns
    -------
    iterator of Example, length `runs`
        At most two laboratories are ahead of what was taken.

    Raises
    ------
    SimulationError
        At once, if a family cannot be simulated, or the library or a number is of no use; while
        iterating, as :func:`plan_series` does.
    ReadError
        While iterating, if a simulated run has no ions or less than two scans.
    MissingExtraError
        If structures have to be looked at, and RDKit is not installed.
    """
    work = work or Work()
    check_numbers(
        {
            "runs": runs,
            "runs_per_laboratory": runs_per_laboratory,
            "instruments": instruments,
            "ions": ions,
            "workers": work.workers,
        },
        prevalence or {},
    )
    physics = physics or Physics.default()
    analytes, source = read_analytes(library, table, work.progress)
    columns = _columns(families, analytes.family_names)
    wanted = prevalence_of(analytes.family_names, prevalence)
    seeds = laboratory_seeds(seed, -(-runs // runs_per_laboratory))
    all_series = (
        plan_series(
            analytes,
            {"train": min(runs_per_laboratory, runs - number * runs_per_laboratory)},
            source=source,
            table=table,
            prevalence=wanted,
            ions=ions,
            instruments=instruments,
            physics=physics,
            seed=each,
        )
        for number, each in enumerate(seeds)
    )
    maker = Maker(equip(analytes, (), physics, table), make)
    return _examples(maker, all_series, columns, runs, work)


def laboratory_seeds(seed: int, number: int) -> list[int]:
    """Give the seeds of so many laboratories; the first ones are the same for any number."""
    seeds: list[int] = np.random.SeedSequence((seed, 10)).generate_state(number).tolist()
    return seeds


@dataclass(frozen=True)
class Task:
    """A run to be made, and what it does not share with other laboratories."""

    source: str
    instruments: tuple[Instrument, ...]
    plan: Plan
    threshold: float


class Maker(Generic[Item]):
    """Simulates runs and works on them.

    One for each process, which keeps what all laboratories have in common: the substances.
    """

    def __init__(self, stock: Laboratory, make: Make[Item]) -> None:
        self.stock, self._make = stock, make

    def make(self, task: Task) -> Item:
        """Simulate one run, and work on it."""
        laboratory = replace(self.stock, instruments=task.instruments)
        recorded, truth = simulate_run(laboratory, task.plan, task.threshold)
        run = Run.from_rows(recorded.time_min, recorded.mz, recorded.intensity, source=task.source)
        return self._make(run, truth)


_MAKER: list[Maker[Any]] = []
"""The maker of this process, where it is one of several."""


def _begin_worker(maker: Maker[Any]) -> None:
    _MAKER[:] = [maker]


def _make_in_worker(task: Task) -> Any:
    return _MAKER[0].make(task)


def _examples(
    maker: Maker[Item],
    all_series: Iterator[Series],
    columns: Integers,
    runs: int,
    work: Work,
) -> Iterator[Example[Item]]:
    with worker_pool(work.workers, _begin_worker, (maker,)) as executor:
        begun = (
            _begin_series(maker, series, number, columns, executor)
            for number, series in enumerate(all_series, start=1)
        )
        work.progress.begin("simulating runs", runs)
        # the processes work on one laboratory while this one plans the next
        for example in chain.from_iterable(_one_ahead(begun)):
            work.progress.step()
            yield example


def _begin_series(
    maker: Maker[Item],
    series: Series,
    number: int,
    columns: Integers,
    executor: Executor | None,
) -> Iterator[Example[Item]]:
    """Put the runs of a laboratory to work; wait for none of them."""
    plans = series.design.plans
    tasks = [
        Task(
            f"simulated run {place} of laboratory {number}",
            series.laboratory.instruments,
            plan,
            series.thresholds[plan.instrument],
        )
        for place, plan in enumerate(plans, start=1)
    ]
    items: Iterator[Item] = (
        map(maker.make, tasks)
        if executor is None
        else executor.map(_make_in_worker, tasks, chunksize=4)
    )
    told = (plan.families[columns] for plan in plans)
    return map(Example, told, items)


def _one_ahead(begun: Iterator[Iterator[Example[Item]]]) -> Iterator[Iterator[Example[Item]]]:
    """Begin each, of one or more, before the one before it is given."""
    before = next(begun)
    for following in begun:
        yield before
        before = following
    yield before


def _columns(families: Sequence[str], known: tuple[str, ...]) -> Integers:
    """Places of families among those that the simulator knows."""
    for family in families:
        if family not in known:
            raise SimulationError(
                f"{family!r} is no family that can be simulated; expected some of "
                f"{', '.join(known)}; give a table with the rule of each family (--families), or "
                "leave out pre-training"
            )
    return np.array([known.index(family) for family in families], dtype=np.int64)
