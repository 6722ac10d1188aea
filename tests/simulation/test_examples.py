"""Runs in memory: the same as on disk, whoever makes them and in however many processes."""

from __future__ import annotations

import os
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest

import gale
from gale.chemistry.families import default_family_table
from gale.errors import SimulationError
from gale.library import Library
from gale.plumbing.progress import Progress
from gale.plumbing.work import Work
from gale.run import Run
from gale.simulation import simulate
from gale.simulation.examples import Example, laboratory_seeds, simulate_examples
from gale.simulation.published import PREVALENCE
from gale.simulation.run import Truth
from helpers.errors import refused
from helpers.laboratories import MEMBERS, default_but, library
from helpers.work import with_work

pytestmark = pytest.mark.slow

FAMILIES = tuple(default_family_table())
PHYSICS = default_but()
Whole = tuple[Run, list[Truth]]


def keep(run: Run, truth: list[Truth]) -> Whole:
    return run, truth


def identify(run: Run, truth: list[Truth]) -> tuple[str, int, float]:
    return run.source, len(truth), float(run.intensity.sum())


def identify_with_process(run: Run, truth: list[Truth]) -> tuple[int, tuple[str, int, float]]:
    return os.getpid(), identify(run, truth)


def fail(run: Run, truth: list[Truth]) -> None:
    raise ValueError(run.source)


def give(transform: Any, **changes: Any) -> list[Example[Any]]:
    options = {
        "families": FAMILIES,
        "runs": 7,
        "runs_per_laboratory": 4,
        "ions": 6_000,
        "physics": PHYSICS,
        "seed": 11,
    }
    return list(simulate_examples(transform, **with_work(**{**options, **changes})))


@cache
def examples() -> list[Example[Whole]]:
    """Two laboratories, of four and three runs."""
    return give(keep)


def same_families(some: list[Example[Any]], others: list[Example[Any]]) -> bool:
    return np.array_equal([each.families for each in some], [each.families for each in others])


@pytest.mark.parametrize(("laboratory", "runs"), [(1, 4), (2, 3)])
def test_they_are_the_runs_of_a_campaign(tmp_path: Path, laboratory: int, runs: int) -> None:
    seed = laboratory_seeds(11, 2)[laboratory - 1]
    simulate(
        tmp_path / "campaign",
        design="different",
        runs={"train": runs},
        ions=6_000,
        physics=PHYSICS,
        seed=seed,
    )
    campaign = gale.Campaign.open(tmp_path / "campaign")
    labels = pl.read_csv(tmp_path / "campaign" / "train_labels.csv").select(FAMILIES).to_numpy()
    truth = pl.read_parquet(tmp_path / "campaign" / "truth.parquet")
    made = examples()[:4] if laboratory == 1 else examples()[4:]
    assert len(made) == runs
    for name, path, label, example in zip(campaign.runs, campaign.paths, labels, made, strict=True):
        run, rows = example.item
        read = gale.read_run(path)
        for array in ("time_min", "scan_start", "mz", "intensity"):
            np.testing.assert_array_equal(getattr(run, array), getattr(read, array), strict=True)
        assert run.notes == read.notes == ()
        np.testing.assert_array_equal(example.families, label == 1)
        assert truth.filter(run=name).drop("run").to_dicts() == rows


def test_each_run_has_a_name_of_its_own() -> None:
    assert [each.item[0].source for each in examples()] == [
        *(f"simulated run {number} of laboratory 1" for number in (1, 2, 3, 4)),
        *(f"simulated run {number} of laboratory 2" for number in (1, 2, 3)),
    ]
    assert {each.item[0].format for each in examples()} == {"memory"}


def test_several_workers_give_the_same_in_processes_of_their_own() -> None:
    others = give(identify_with_process, workers=2)
    assert [each.item[1] for each in others] == [identify(*each.item) for each in examples()]
    assert same_families(others, examples())
    assert os.getpid() not in {each.item[0] for each in others}


def test_one_worker_is_this_process() -> None:
    assert {each.item[0] for each in give(identify_with_process, runs=1)} == {os.getpid()}


def test_laboratories_have_instruments_of_their_own() -> None:
    lengths = [each.item[0].time_min[-1] for each in give(keep, instruments=1)]
    assert np.ptp(lengths[:4]) < 0.2
    assert np.ptp(lengths[4:]) < 0.2
    assert abs(lengths[0] - lengths[4]) > 0.5


def test_another_seed_gives_others() -> None:
    own = {identify(*each.item)[2] for each in examples()}
    assert not own & {each.item[2] for each in give(identify, seed=12)}


def test_seeds_of_laboratories() -> None:
    assert laboratory_seeds(3, 5)[:2] == laboratory_seeds(3, 2)
    assert len(set(laboratory_seeds(3, 500)) | set(laboratory_seeds(4, 500))) == 1_000


def test_families_are_in_the_order_of_their_names() -> None:
    named = ("mineral", "aromatic")
    columns = [FAMILIES.index(name) for name in named]
    for of_all, example in zip(examples(), give(keep, families=named), strict=True):
        np.testing.assert_array_equal(example.families, of_all.families[columns])
        np.testing.assert_array_equal(example.item[0].mz, of_all.item[0].mz)


def test_a_table_of_other_families() -> None:
    table = default_family_table()
    own = {"oh": table["alcohol"], "hydrocarbon": table["hydrocarbon"]}
    made = give(
        keep, families=("oh",), table=own, prevalence={"oh": 0.6}, runs=10, runs_per_laboratory=10
    )
    held = [
        any("oh" in row["families"] for row in each.item[1] if row["role"] == "compound")
        for each in made
    ]
    assert [each.families.tolist() for each in made] == [[each] for each in held]
    assert 5 <= sum(held) <= 7


def test_prevalence() -> None:
    wanted = {**dict.fromkeys(PREVALENCE, 0.0), "alcohol": 0.5}
    held = np.array([each.families for each in give(identify, prevalence=wanted, runs=8)])
    assert held.sum(axis=0).tolist() == [4 if name == "alcohol" else 0 for name in FAMILIES]


def test_a_library() -> None:
    made: Library = library()
    held = {
        row["compound"]
        for each in give(keep, library=made)
        for row in each.item[1]
        if row["role"] == "compound"
    }
    assert held
    assert held <= {name for name, *_ in MEMBERS}


def test_some_samples_are_derivatized() -> None:
    reacted = sum(
        any(row["role"] == "reagent" for row in each.item[1])
        for each in give(keep, runs=20, runs_per_laboratory=20, ions=500)
    )
    assert 1 <= reacted <= 14


def test_progress_and_those_who_stop_early() -> None:
    class Steps(Progress):
        total = done = 0

        def begin(self, what: str, total: int) -> None:
            self.total = total

        def step(self, text: str = "") -> None:
            self.done += 1

    progress = Steps()
    made = simulate_examples(
        identify,
        families=FAMILIES,
        runs=9,
        runs_per_laboratory=3,
        ions=500,
        physics=PHYSICS,
        work=Work(workers=2, progress=progress),
    )
    assert progress.total == 0
    next(made)
    next(made)
    assert (progress.done, progress.total) == (2, 9)
    made.close()  # type: ignore[attr-defined]  # an iterator, and here a generator
    assert list(made) == []


def test_an_error_of_the_work_is_raised_here() -> None:
    for workers in (1, 2):
        with pytest.raises(ValueError, match="simulated run 1 of laboratory 1"):
            give(fail, runs=1, workers=workers)


@pytest.mark.parametrize(
    ("changes", "source", "facts"),
    [
        ({"families": ("alcohol", "ester")}, "families: 'ester'",
         {"expected": "aromatic, ", "remedy": "pass table="}),
        ({"runs": 0}, "runs", {"found": "0"}),
        ({"runs_per_laboratory": 0}, "runs_per_laboratory", {"found": "0"}),
        ({"workers": 0}, "workers", {"found": "0"}),
        ({"prevalence": {"alcool": 0.1}}, "prevalence: family 'alcool'", {"remedy": "alcohol"}),
        ({"prevalence": {"alcohol": 1.0}}, "prevalence: family 'alcohol'", {"found": "1.0"}),
    ],
)  # fmt: skip
def test_what_cannot_be_simulated_is_refused_at_once(
    changes: dict[str, Any], source: str, facts: dict[str, Any]
) -> None:
    options = {"families": FAMILIES, "runs": 1, **changes}
    with refused(SimulationError, source, **facts):
        simulate_examples(identify, **with_work(**options))
