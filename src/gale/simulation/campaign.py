"""From libraries to a campaign."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from gale.errors import SimulationError
from gale.plumbing.arguments import check_kind, check_several, check_whole
from gale.plumbing.batches import Partial
from gale.plumbing.kinds import checked
from gale.plumbing.progress import Progress
from gale.plumbing.toml import unknown_key
from gale.plumbing.work import Work
from gale.simulation.design import Design, noisy_labels, take_compounds
from gale.simulation.label_sets import prevalence_of
from gale.simulation.physics import Physics
from gale.simulation.published import RUNS
from gale.simulation.series import (
    DESIGNS,
    MARS,
    Given,
    Setup,
    check_numbers,
    plan_series,
    read_analytes,
)
from gale.simulation.writing import (
    made_with,
    write_facts,
    write_runs,
    write_tables,
    writing_campaign,
)

if TYPE_CHECKING:
    from gale.chemistry.families import FamilyTable

SPLITS = ("train", "val", "test")
SHORTFALL = 0.01
"""A prevalence that is missed by more than this is noted."""


FEWEST_INSTRUMENTS, MOST_INSTRUMENTS, RUNS_OF_EACH = 3, 24, 66
"""Instruments by default: as many as have this many runs each. With fewer runs, an instrument
cannot hold the families of its share of the samples."""


def usual_instruments(n_runs: int) -> int:
    """Return how many instruments a campaign has by default.

    Examples
    --------
    >>> usual_instruments(40), usual_instruments(600), usual_instruments(1584)
    (3, 9, 24)
    """
    return min(max(n_runs // RUNS_OF_EACH, FEWEST_INSTRUMENTS), MOST_INSTRUMENTS)


@checked
def simulate(
    folder: Path | str,
    *,
    design: str = MARS,
    library: Given | Sequence[Given] | None = None,
    families: FamilyTable | None = None,
    prevalence: Mapping[str, float] | None = None,
    runs: Mapping[str, int] | int = RUNS,
    ions: int = 80_000,
    compounds: int | None = None,
    instruments: int | None = None,
    new_instrument: Collection[str] = (),
    new_compounds: Collection[str] = (),
    label_noise: float = 0.0,
    physics: Physics | None = None,
    seed: int = 0,
    keep: bool = False,
    resume: bool = False,
    restart: bool = False,
    work: Work | None = None,
) -> None:
    """Simulate a campaign of K families, with the truth of every run.

    Parameters
    ----------
    folder : Path or str
        A folder that does not exist yet, or its address; it appears when it is complete.
    design : {"mars", "different"}
        ``mars`` is built like the competition's campaign: samples are measured again in other
        amounts, families go with derivatization, and val and test differ from train in prevalence,
        in samples and in instruments. In ``different``, every run is of another sample, and the
        splits are alike.
    library : Library, str, path, or sequence of these, optional
        What samples are made of: libraries, their files, or names. ``gale`` are the metabolites and
        volatile compounds that come with it, ``further`` its further substances, and libraries that
        were added have a name (:func:`gale.add_library`). By default ``gale`` and all that were
        added.
    families : mapping of str to FamilyRule, optional
        The families, as :func:`gale.chemistry.families.read_family_table` reads them; by default
        the nine published ones.
    prevalence : mapping of str to float, optional
        Share of the training runs that hold a family, in place of the published one (0.1 for other
        families); 0 leaves a family without positives. In the design ``different`` it is that of
        the other splits, too.
    runs : mapping of split to int, or int
        Runs of each split; a single number is divided in the published proportions.
    ions : int
        Approximate ions per run; sets each instrument's detection threshold.
    compounds : int, optional
        Use only this many of the library's compounds; by default all.
    instruments : int, optional
        Number of instruments that the splits share; ``mars`` adds these after a drift and another.
        By default one for 66 runs, at least 3 and at most 24 (:func:`usual_instruments`): a model
        that has seen many is less sure of itself on the next one.
    new_instrument : collection of str
        Splits that are measured on an instrument of their own.
    new_compounds : collection of str
        Splits whose compounds are in no other split.
    label_noise : float
        Share of each family's labels, in train and val, that are moved to runs without the family;
        test labels stay right.
    physics : Physics, optional
        Ranges of the physical parameters.
    seed : int
        The same seed gives the same files on the same machine, for any number of workers.
    keep : bool
        Whether finished runs are kept in ``FOLDER.partial`` after an interruption.
    resume, restart : bool
        Whether to go on with what is kept there, or to discard it.
    work : Work, optional
        Number of processes, and where progress is shown.

    Raises
    ------
    SimulationError
        If the library or the options do not allow such a campaign.
    OutputError
        If `folder` exists, or cannot be written; if runs are kept and neither `resume` nor
        `restart` says what to do, or those that are kept are of another simulation.
    MissingExtraError
        If structures are needed and RDKit is not installed.

    Examples
    --------
    >>> import tempfile
    >>> import gale
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     gale.simulate(f"{folder}/small", runs={"train": 2, "test": 1}, ions=500, seed=1)
    ...     gale.Campaign.open(f"{folder}/small").split
    ('train', 'train', 'test')
    """
    if families is not None:
        check_kind("families", families, Mapping)
    check_whole("seed", seed)
    if design not in DESIGNS:
        raise SimulationError("design", *unknown_key(design, list(DESIGNS)))
    work, physics = work or Work(), physics or Physics.default()
    runs = _runs_by_split(runs)
    new_instrument = _splits_of("new_instrument", new_instrument, runs)
    new_compounds = _splits_of("new_compounds", new_compounds, runs)
    instruments = usual_instruments(sum(runs.values())) if instruments is None else instruments
    numbers = {"ions": ions, "compounds": compounds, "instruments": instruments}
    check_numbers({**numbers, "workers": work.workers}, prevalence, label_noise)
    output = Path(folder)
    with writing_campaign(output, resume=resume) as unfinished:
        analytes, source, libraries = read_analytes(library, families, work.progress, design)
        if compounds is not None:
            analytes = take_compounds(analytes, compounds, seed)
        setup = Setup(
            analytes,
            source,
            libraries,
            families,
            prevalence_of(analytes.family_names, prevalence),
            ions=ions,
            instruments=instruments,
            physics=physics,
            new_instrument=new_instrument,
            new_compounds=new_compounds,
            design=design,
        )
        place = output if keep or resume or restart else unfinished / "runs"
        how = made_with(setup, runs, compounds, seed)
        partial = Partial.open(place, how, "simulation", resume=resume, restart=restart)
        facts = {"runs": runs, "compounds": compounds, "label_noise": label_noise, "seed": seed}
        _write(unfinished, partial, setup, facts, work)
        if place != output:
            partial.discard()
    if place == output:
        partial.finish([output])


def _write(
    folder: Path, partial: Partial, setup: Setup, facts: Mapping[str, Any], work: Work
) -> None:
    """Plan the runs, and write them and their tables into a folder."""
    seed = facts["seed"]
    series = plan_series(setup, facts["runs"], seed)
    _note_shortfalls(series.design, setup.analytes.family_names, work.progress)
    finished = write_runs(folder, partial, series, work)
    labels = noisy_labels(series.design, facts["label_noise"], seed)
    write_tables(folder, series, finished, labels)
    write_facts(folder, series, setup, **facts)


def _note_shortfalls(design: Design, families: tuple[str, ...], progress: Progress) -> None:
    """Note the families whose prevalence the available compounds do not allow."""
    for split, prevalence in design.prevalence.items():
        wanted = design.wanted[split]
        for place in np.flatnonzero(np.abs(prevalence - wanted) > SHORTFALL):
            progress.note(
                f"{split}: {families[place]} will be in {prevalence[place]:.3f} of the runs; the "
                f"available compounds do not allow {wanted[place]:.3f}"
            )


def _runs_by_split(runs: Mapping[str, int] | int) -> dict[str, int]:
    """Number of runs of each split, in the order of the splits, without splits of no runs."""
    if isinstance(runs, int):
        total = sum(RUNS.values())
        shared = {split: round(runs * number / total) for split, number in RUNS.items()}
        shared["train"] += runs - sum(shared.values())
        runs = shared
    for split in sorted(runs.keys() - set(SPLITS)):
        raise SimulationError(f"runs: split {split!r}", *unknown_key(split, SPLITS))
    counts = {split: runs.get(split, 0) for split in SPLITS}
    if min(counts.values()) < 0 or not any(counts.values()):
        found = ", ".join(f"{number} {split}" for split, number in counts.items())
        raise SimulationError(
            "runs", f"are {found}", "1 or more in all and none below 0", "pass runs=100"
        )
    return {split: number for split, number in counts.items() if number}


def _splits_of(parameter: str, names: Collection[str], runs: Mapping[str, int]) -> tuple[str, ...]:
    """The splits that a parameter names, in the order of the splits; each must have runs."""
    check_several(parameter, names)
    for split in sorted(set(names) - runs.keys()):
        raise SimulationError(
            f"{parameter}: split {split!r}", "has no runs", f"one of {', '.join(runs)}"
        )
    return tuple(split for split in runs if split in names)
