"""Facts of a campaign beside the published ones, and simulated runs beside real ones."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path

import numpy as np

from benchmarks.simulator.measures import MIN_SCANS, measure
from gale.campaign import Campaign
from gale.campaign.labels import prevalence_of
from gale.errors import GaleError
from gale.evaluation import metrics
from gale.readers import read_run
from gale.run import Floats, Run
from gale.simulation.published import DERIVATIZED, PREVALENCE, RUNS
from gale.training.folds import stratified_folds

PUBLISHED_FAMILIES_A_RUN = {0: 0.37, 1: 0.47, 8: 0.014}

REAL_FOLDERS = ("gunshot", "jcamp", "andi", "mzml")


def label_facts(campaign: Campaign) -> Iterator[tuple[str, str, str]]:
    """Give the name, published value and found value of each fact in the tables of a campaign."""
    for split, runs in RUNS.items():
        part = campaign.of_split(split)
        share = np.mean(part.derivatized == 1) if len(part) else np.nan
        yield f"runs, {split}", f"{runs}", f"{len(part)}"
        yield f"derivatized, {split}", f"{DERIVATIZED[split]:.2f}", f"{share:.2f}"
    train = campaign.of_split("train")
    found = dict(zip(train.families, train.prevalence(), strict=True))
    for family in train.families:
        published = PREVALENCE.get(family)
        known = "" if published is None else f"{published:.3f}"
        yield f"prevalence, {family}", known, f"{found[family]:.3f}"
    held = np.nansum(train.labels, axis=1)
    for number, share in PUBLISHED_FAMILIES_A_RUN.items():
        families = "family" if number == 1 else "families"
        yield f"runs with {number} {families}", f"{share:.3f}", f"{np.mean(held == number):.3f}"
    yield "log loss of the prevalence", "0.297 to 0.300", f"{prior_log_loss(train):.3f}"


def prior_log_loss(train: Campaign, count: int = 5, seed: int = 0) -> float:
    """Log loss of the prevalence of the other folds for every run."""
    labels = np.array(train.labels)
    prior = np.empty(labels.shape)
    for fold in stratified_folds(labels, train.families, count=count, by="rarest", seed=seed):
        prior[fold.validation] = prevalence_of(labels[fold.training])
    return metrics.log_loss(labels, prior)


def run_facts(runs: Iterable[Run]) -> Iterator[tuple[str, str, str]]:
    """Give the name, published value and found value (median, smallest to largest) of each."""
    rows = np.array(
        [
            (
                run.time_min[-1],
                run.time_min[0],
                run.mz.min(),
                run.mz.max(),
                run.intensity.max(),
                run.n_ions,
            )
            for run in runs
        ]
    )
    known = ("7 to 40", "0 or a delay", "4 is helium", "350 or 550", "up to 1e9", "about 80,000")
    names = ("last scan (min)", "first scan (min)", "m/z, lowest", "m/z, highest",
             "intensity, largest", "ions")  # fmt: skip
    for name, published, values in zip(names, known, rows.T, strict=True):
        yield name, published, spread(values)


def spread(values: Sequence[float] | Floats) -> str:
    """Write the median, and the smallest and the largest in brackets if there are several."""
    known = np.asarray(values, dtype=float)
    known = known[np.isfinite(known)]
    if len(known) == 0:
        return "-"
    if len(known) == 1:
        return f"{known[0]:.3g}"
    return f"{np.median(known):.3g} ({known.min():.3g} to {known.max():.3g})"


def real_runs(folder: Path) -> tuple[dict[str, list[Run]], list[str]]:
    """Read the real runs below a folder, by the name of their folder, and say what was left out."""
    groups: dict[str, list[Run]] = {}
    left_out = []
    for file in sorted(path for name in REAL_FOLDERS for path in (folder / name).glob("*")):
        try:
            run = read_run(file)
        except GaleError as error:
            left_out.append(str(error))
            continue
        if run.n_scans < MIN_SCANS:
            left_out.append(f"{file}: has {run.n_scans} scans; expected {MIN_SCANS} or more")
        else:
            groups.setdefault(file.parent.name, []).append(run)
    return groups, left_out


def sample(campaign: Campaign, number: int) -> Iterator[Run]:
    """Read some runs of a campaign, evenly spread over it."""
    for at in np.unique(np.linspace(0, len(campaign) - 1, number).astype(int)):
        yield read_run(campaign.paths[at], columns=campaign.columns)


def side_by_side(groups: Mapping[str, Iterable[Run]]) -> list[list[str]]:
    """Measure groups of runs: a table with one row per measure and one column per group."""
    measured = {name: [measure(run) for run in runs] for name, runs in groups.items()}
    first = next(iter(measured.values()))[0]
    header = ["", *(f"{name} ({len(rows)})" for name, rows in measured.items())]
    return [
        header,
        *(
            [name, *(spread([row[name] for row in rows]) for rows in measured.values())]
            for name in first
        ),
    ]
