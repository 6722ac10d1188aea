"""From libraries to a campaign."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from gale.errors import SimulationError
from gale.library import Library
from gale.plumbing.files import writing_folder
from gale.plumbing.progress import Progress
from gale.plumbing.work import Work
from gale.plumbing.workers import worker_pool
from gale.run import Floats
from gale.simulation.design import Design, mislabel, take_compounds
from gale.simulation.label_sets import prevalence_of
from gale.simulation.physics import Physics
from gale.simulation.series import check_numbers, plan_series, read_analytes
from gale.simulation.writing import Writer, begin_worker, write_facts, write_runs, write_tables

if TYPE_CHECKING:
    from gale.chemistry.families import FamilyTable

SPLITS = ("train", "val", "test")
RUNS = {"train": 809, "val": 312, "test": 463}
"""Published number of runs of each split."""

SHORTFALL = 0.01
"""A prevalence that is missed by more is told."""


def simulate(
    folder: Path | str,
    *,
    library: Library | Sequence[Library] | None = None,
    families: FamilyTable | None = None,
    prevalence: Mapping[str, float] | None = None,
    runs: Mapping[str, int] | int = RUNS,
    ions: int = 80_000,
    compounds: int | None = None,
    instruments: int = 3,
    new_instrument: Collection[str] = (),
    new_compounds: Collection[str] = (),
    label_noise: float = 0.0,
    physics: Physics | None = None,
    seed: int = 0,
    work: Work | None = None,
) -> None:
    """Simulate a campaign of K families, with the truth of every run.

    Parameters
    ----------
    folder : Path
        A folder that does not exist yet. It appears when it is complete.
    library : Library or sequence of Library, optional
        What the samples hold; without it the metabolites and the volatile compounds that come with
        gale.
    families : mapping of str to FamilyRule, optional
        The families, as :func:`gale.chemistry.families.read_family_table` gives them;
        without it the nine published ones.
    prevalence : mapping of str to float, optional
        Share of the runs that hold a family, in place of the published one (0.1 for others); 0
        leaves a family without positives.
    runs : mapping of split to int, or int
        Runs of each split; a number is divided as the published campaign is.
    ions : int
        Ions of a run, about.
    compounds : int, optional
        How many of the library's compounds samples are made of; all without it.
    instruments : int
        How many instruments the splits share.
    new_instrument : collection of str
        Splits that are measured on an instrument of their own.
    new_compounds : collection of str
        Splits whose compounds are in no other split.
    label_noise : float
        Share of the labels of train and val that are moved to runs that do not hold the family;
        those of test are right.
    physics : Physics, optional
        Ranges of the physical parameters.
    seed : int
        The same seed gives the same files on the same machine, whatever the number of workers.
    work : Work, optional
        How many processes, and what is told how far they are.

    Raises
    ------
    SimulationError
        If the library or the options do not allow such a campaign.
    OutputError
        If `folder` exists, or cannot be written.
    MissingExtraError
        If structures have to be looked at, and RDKit is not installed.
    """
    work = work or Work()
    runs = _runs(runs)
    new_instrument, new_compounds = _splits(new_instrument, runs), _splits(new_compounds, runs)
    check_numbers(
        {"ions": ions, "compounds": compounds, "instruments": instruments, "workers": work.workers},
        {"label_noise": label_noise, **(prevalence or {})},
    )
    physics, progress = physics or Physics.default(), work.progress
    with writing_folder(Path(folder)) as unfinished:
        analytes, source = read_analytes(library, families, progress)
        if compounds is not None:
            analytes = take_compounds(analytes, compounds, seed)
        wanted = prevalence_of(analytes.family_names, prevalence)
        series = plan_series(
            analytes,
            runs,
            source=source,
            table=families,
            prevalence=wanted,
            ions=ions,
            instruments=instruments,
            new_instrument=new_instrument,
            new_compounds=new_compounds,
            physics=physics,
            seed=seed,
        )
        laboratory, design, thresholds = series.laboratory, series.design, series.thresholds
        _tell_shortfalls(design, wanted, analytes.family_names, progress)
        begin = (unfinished, laboratory, thresholds)
        with worker_pool(work.workers, begin_worker, begin) as executor:
            written = write_runs(Writer(*begin), design, executor, progress)
        truth = np.array([plan.families for plan in design.plans])
        told = np.array([split != "test" for split in design.splits])
        labels = truth.copy()
        labels[told] = mislabel(truth[told], label_noise, seed)
        write_tables(unfinished, design, labels, laboratory, written)
        write_facts(
            unfinished,
            laboratory,
            thresholds,
            {
                "gale": version("gale-ms"),
                "library": source,
                "seed": seed,
                "runs": runs,
                "ions": ions,
                "compounds": compounds,
                "new_instrument": list(new_instrument),
                "new_compounds": list(new_compounds),
                "label_noise": label_noise,
                "physics": physics.to_dict(),
                "prevalence": dict(zip(analytes.family_names, wanted.tolist(), strict=True)),
            },
        )


def _tell_shortfalls(
    design: Design, wanted: Floats, families: tuple[str, ...], progress: Progress
) -> None:
    """Note families that the compounds at hand cannot make as frequent as they shall be."""
    for split, prevalence in design.prevalence.items():
        for family in np.flatnonzero(np.abs(prevalence - wanted) > SHORTFALL):
            progress.note(
                f"{split}: {families[family]} will be in {prevalence[family]:.3f} of the runs, not "
                f"in {wanted[family]:.3f}; the compounds that can be there make up no more"
            )


def _runs(runs: Mapping[str, int] | int) -> dict[str, int]:
    """Number of runs of each split, in order, none of them 0."""
    if isinstance(runs, int):
        total = sum(RUNS.values())
        shared = {split: round(runs * number / total) for split, number in RUNS.items()}
        shared["train"] += runs - sum(shared.values())
        runs = shared
    if unknown := runs.keys() - set(SPLITS):
        raise SimulationError(f"{min(unknown)!r} is no split; expected {', '.join(SPLITS)}")
    counts = {split: runs.get(split, 0) for split in SPLITS}
    if min(counts.values()) < 0 or not any(counts.values()):
        asked = ", ".join(f"{number} {split}" for split, number in counts.items())
        raise SimulationError(f"{asked} runs were asked for; expected 1 or more in all")
    return {split: number for split, number in counts.items() if number}


def _splits(names: Collection[str], runs: Mapping[str, int]) -> tuple[str, ...]:
    if unknown := set(names) - runs.keys():
        raise SimulationError(
            f"{min(unknown)!r} is no split that has runs; expected one of {', '.join(runs)}"
        )
    return tuple(split for split in runs if split in names)
