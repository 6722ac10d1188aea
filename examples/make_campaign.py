"""Make up a campaign of GC-MS runs with known families, in the competition's layout.

A plain stand-in for demos, tests and benchmarks. The compounds are invented, their spectra only
look like electron-ionisation spectra, and the instruments are three sets of round numbers: **a
score on such a campaign says nothing about real samples.**

    python examples/make_campaign.py OUT [--train N] [--val N] [--test N] [--ions N] [--seed S]

The same seed gives the same bytes, whatever the number of workers. Shapes: S scans, M m/z (the
index is the m/z), C compounds, K families.
"""

from __future__ import annotations

import argparse
import hashlib
import io
import math
import multiprocessing
import os
from collections.abc import Mapping
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from functools import cache
from itertools import repeat
from pathlib import Path

import numpy as np
import polars as pl
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Flags = NDArray[np.bool_]

PREVALENCE_AND_IONS = {
    "aromatic": (0.098, (39, 50, 51, 63, 65, 77, 78, 91, 105, 115, 128, 141, 152)),
    "hydrocarbon": (0.328, (27, 29, 41, 43, 55, 57, 69, 71, 85, 99, 113, 127)),
    "carboxylic_acid": (0.142, (41, 43, 45, 55, 60, 73, 87, 101, 115, 129)),
    "nitrogen_bearing_compound": (0.119, (27, 30, 44, 52, 58, 72, 79, 80, 86, 93, 106)),
    "chlorine_bearing_compound": (0.022, (35, 36, 38, 47, 49, 62, 64, 83, 85, 112, 114)),
    "sulfur_bearing_compound": (0.038, (34, 45, 47, 48, 58, 64, 76, 84, 97, 110)),
    "alcohol": (0.032, (29, 31, 41, 43, 45, 55, 59, 69, 73, 83)),
    "other_oxygen_bearing_compound": (0.026, (29, 43, 58, 71, 72, 81, 85, 86, 96, 99)),
    "mineral": (0.145, (17, 18, 28, 32, 44, 46, 48, 64, 76)),
}
FAMILIES = tuple(PREVALENCE_AND_IONS)
PREVALENCE, FAMILY_IONS = zip(*PREVALENCE_AND_IONS.values(), strict=True)
FAMILY_COUNT = {0: 0.37, 1: 0.47, 2: 0.09, 3: 0.03, 4: 0.015, 5: 0.011, 8: 0.014}
"""How many families a run holds, and in what share of the runs."""
DERIVATIZED = {"train": 0.32, "val": 0.46, "test": 0.35}

CORES = os.cpu_count() or 1
OPTIONS = {
    "train": (80, 1, "runs of the training split"),
    "val": (32, 0, "runs of the validation split"),
    "test": (46, 0, "runs of the test split"),
    "ions": (8000, 1, "rows of a run, on average"),
    "seed": (0, 0, "the same seed gives the same bytes"),
    "workers": (CORES, 1, "processes"),
}
"""Of the command line: default, least, and what it is."""

# background by m/z, in units of the noise
AIR = {4: 1000, 17: 60, 18: 250, 28: 400, 32: 90, 40: 25, 44: 40}
BLEED = {73: 60, 147: 15, 207: 120, 221: 12, 281: 50, 355: 15, 429: 8}
SILYLATED = ("carboxylic_acid", "alcohol")
SILYL = {73: 1.0, 75: 0.5, 147: 0.3}

N_MZ = 551
N_COMPOUNDS = 63
N_CONTAMINANTS = 9
ABUNDANCE_DECADES = (0.5, 4.0)
"""Range of log10 of a compound's highest ion over the noise: the least are nearly invisible."""


@dataclass(frozen=True)
class Compounds:
    """C compounds; those of no family are contaminants."""

    families: Flags  # (C, K)
    spectrum: Floats  # (C, M), highest ion 1
    retention: Floats  # (C,), 0 to 1


@dataclass(frozen=True)
class SetUp:
    """An instrument and its method."""

    mz: tuple[int, int]  # first and last
    length_min: tuple[float, float]  # the shortest and the longest run
    delay: float  # solvent delay, as a share of the run
    shift: float  # a compound elutes at shift + stretch * retention, as a share of the run
    stretch: float
    scans: float  # per square root of the ions of a run
    noise: float  # mean intensity of the noise
    decimals: int  # of the intensity
    dtype: type[np.int64] | type[np.float64]


# only the first sees the helium; the delay of the third hides what elutes first
SET_UPS = (
    SetUp((4, 350), (7, 18), 0.20, 0.18, 0.75, scans=6.0, noise=1e4, decimals=0, dtype=np.float64),
    SetUp((12, 550), (20, 40), 0.0, 0.02, 0.90, scans=4.5, noise=2e2, decimals=2, dtype=np.float64),
    SetUp((15, 550), (18, 30), 0.25, 0.20, 0.70, scans=4.0, noise=3e4, decimals=0, dtype=np.int64),
)


@cache
def make_compounds() -> Compounds:
    """Invent the compounds, the same ones for every campaign.

    Each has ions typical of its families, some of its own, and a molecular ion, and elutes the
    later the heavier it is.
    """
    rng = np.random.default_rng(2022)
    n, n_families = N_COMPOUNDS + N_CONTAMINANTS, len(FAMILIES)
    families = np.zeros((n, n_families), dtype=bool)
    spectrum = np.zeros((n, N_MZ))
    mass = rng.integers(70, 400, size=n)
    for c in range(n):
        if c < N_COMPOUNDS:
            families[c, c % n_families] = True
            if c >= 2 * n_families:  # the first two of each family belong to it alone
                more = rng.choice(3, p=(0.5, 0.35, 0.15))
                families[c, rng.choice(n_families, size=more, replace=False)] = True
        # a contaminant borrows the ions of four families
        like = np.flatnonzero(families[c]) if c < N_COMPOUNDS else rng.permutation(n_families)[:4]
        for f in like:
            ions = np.array(FAMILY_IONS[f])
            ions = ions[(ions < mass[c]) & (rng.random(len(ions)) < 0.8)]
            spectrum[c, ions] += rng.exponential(size=len(ions)) / len(like)
        own = rng.integers(26, mass[c], size=10)
        spectrum[c, own] += rng.exponential(0.5, size=len(own))
        spectrum[c, mass[c]] += rng.uniform(0.05, 1.0)
        spectrum[c, mass[c] + 1] += 0.1 * spectrum[c, mass[c]]
    spectrum /= spectrum.max(axis=1, keepdims=True)
    retention = (mass - 70) / 330 + rng.normal(0, 0.08, size=n)
    return Compounds(families, spectrum, retention.clip(0.02, 0.98))


def draw_families(rng: np.random.Generator) -> Flags:
    """Draw which of the K families a run holds, about as often as in the competition's runs."""
    n_families = rng.choice(list(FAMILY_COUNT), p=list(FAMILY_COUNT.values()))
    # the few runs that hold nearly all families add about 0.012 to each prevalence
    weight = np.array(PREVALENCE) - 0.012
    drawn = rng.choice(len(weight), size=n_families, replace=False, p=weight / weight.sum())
    return np.isin(np.arange(len(weight)), drawn)


def make_run(
    families: Flags,
    *,
    derivatized: bool = False,
    ions: int = 8000,
    seed: int | np.random.Generator = 0,
) -> pl.DataFrame:
    """Make one run that holds the given families and no others.

    Parameters
    ----------
    families : array of bool, shape (K,)
        In the order of `FAMILIES`.
    derivatized : bool
        Whether acids and alcohols carry a silyl group: other ions, and they elute later.
    ions : int
        Rows on average; a run has half to twice as many.
    seed : int or numpy.random.Generator

    Returns
    -------
    polars.DataFrame
        `time` in minutes, `mass` and `intensity`, ordered by time, then mass.
    """
    rng = np.random.default_rng(seed)
    set_up = SET_UPS[rng.integers(len(SET_UPS))]
    # the second is for very many ions: a scan has room for 300 or more
    n_scans = max(round(set_up.scans * math.sqrt(ions)), ions // 80)
    position = np.linspace(set_up.delay, 1, n_scans)
    compounds = choose_compounds(rng, families)
    if derivatized:
        compounds = silylate(compounds)
    expected = _elute(rng, set_up, compounds, position) + _background(rng, position, derivatized)
    measured = _measure(rng, expected[:, set_up.mz[0] : set_up.mz[1] + 1])

    # the acquisition threshold is whatever leaves the number of ions asked for
    n_ions = math.ceil(ions * np.clip(rng.lognormal(-0.045, 0.3), 0.5, 2))
    threshold = np.partition(measured, measured.size - n_ions, axis=None)[-n_ions]
    scan, channel = np.nonzero(measured >= threshold)
    time_min = rng.uniform(*set_up.length_min) * position
    jitter = rng.normal(0, 0.1, size=len(scan)).clip(-0.45, 0.45)
    intensity = measured[scan, channel] * set_up.noise * rng.lognormal(0, 0.5)
    return pl.DataFrame(
        {
            "time": time_min.round(6)[scan],
            "mass": (set_up.mz[0] + channel + jitter).round(6),
            "intensity": intensity.round(set_up.decimals).astype(set_up.dtype),
        }
    )


def choose_compounds(rng: np.random.Generator, families: Flags) -> Compounds:
    """Choose one to three compounds of every family held, and up to three contaminants."""
    known = make_compounds()
    fits = ~(known.families & ~families).any(axis=1)
    contaminant = ~known.families.any(axis=1)
    chosen = [rng.choice(np.flatnonzero(contaminant), size=rng.integers(4), replace=False)]
    for f in np.flatnonzero(families):
        candidates = np.flatnonzero(fits & known.families[:, f])
        size = min(int(rng.integers(1, 4)), len(candidates))
        chosen.append(rng.choice(candidates, size=size, replace=False))
    # a compound of two families may have been chosen twice
    index = np.unique(np.concatenate(chosen))
    return Compounds(known.families[index], known.spectrum[index], known.retention[index])


def silylate(compounds: Compounds) -> Compounds:
    """Give the acids and alcohols the ions of a silyl group and a later retention."""
    reacts = np.any(compounds.families[:, np.isin(FAMILIES, SILYLATED)], axis=1)
    return Compounds(
        compounds.families,
        np.where(reacts[:, None], 0.5 * compounds.spectrum + _lines(SILYL), compounds.spectrum),
        compounds.retention + 0.05 * reacts,
    )


def _elute(
    rng: np.random.Generator, set_up: SetUp, compounds: Compounds, position: Floats
) -> Floats:
    """Sum the peaks of the compounds, shape (S, M), in units of the noise."""
    n = len(compounds.retention)
    centre = set_up.shift + set_up.stretch * compounds.retention + rng.normal(0, 0.01, size=n)
    width = rng.uniform(0.003, 0.006, size=n)
    height = 10 ** rng.uniform(*ABUNDANCE_DECADES, size=n)
    peaks = height * np.exp(-0.5 * ((position[:, None] - centre) / width) ** 2)
    # einsum and not a matrix product, whose last bits may depend on the number of threads
    signal: Floats = np.einsum("sc,cm->sm", peaks, compounds.spectrum)
    return signal


def _background(rng: np.random.Generator, position: Floats, derivatized: bool) -> Floats:
    """Sum helium, air, water and the rising column bleed, (S, M), in units of the noise."""
    wave = 1 + 0.2 * np.sin(2 * np.pi * (position * rng.uniform(0.5, 2) + rng.random()))
    rise = np.exp(4 * (position - 1))
    air, bleed, silyl = rng.lognormal(0, 0.5, size=3)
    throughout = air * _lines(AIR) + derivatized * 5 * silyl * _lines(SILYL)
    return np.outer(wave, throughout) + np.outer(rise, bleed * _lines(BLEED))


def _measure(rng: np.random.Generator, expected: Floats) -> Floats:
    """Add counting noise and each channel's own noise; shape (S, M) of the set-up's channels."""
    level = rng.lognormal(0, 0.2, size=expected.shape[1])
    counted = expected + np.sqrt(expected) * rng.standard_normal(expected.shape)
    return counted + level * rng.standard_exponential(expected.shape)


def _lines(ions: Mapping[int, float]) -> Floats:
    """Turn a table of ions into a spectrum, shape (M,)."""
    spectrum = np.zeros(N_MZ)
    spectrum[list(ions)] = list(ions.values())
    return spectrum


def make_campaign(
    out: Path,
    *,
    train: int = 80,
    val: int = 32,
    test: int = 46,
    ions: int = 8000,
    seed: int = 0,
    workers: int = CORES,
) -> None:
    """Write a campaign into the new folder `out`; `metadata.csv` is written last.

    Parameters
    ----------
    out : Path
        A folder that does not exist yet.
    train, val, test : int
        Number of runs of each split, one or more in all.
    ions : int
        Rows of a run on average.
    seed : int
    workers : int
        Number of processes, by default one for each core. With 1, none is started.

    Raises
    ------
    FileExistsError
        If `out` exists.
    """
    sizes = {"train": train, "val": val, "test": test}
    splits = [split for split, size in sizes.items() for _ in range(size)]
    out.mkdir(parents=True)
    for split in sizes:
        (out / f"{split}_features").mkdir()
    tasks = (repeat(out), splits, range(len(splits)), repeat(ions), repeat(seed))
    if workers == 1:
        rows = list(map(_write_run, *tasks))
    else:
        spawn = multiprocessing.get_context("spawn")  # polars does not survive a fork
        with ProcessPoolExecutor(workers, mp_context=spawn) as executor:
            rows = list(executor.map(_write_run, *tasks, chunksize=4))
    _write_tables(out, pl.DataFrame(rows, schema_overrides={"derivatized": pl.Int64}))


def _write_run(
    out: Path, split: str, index: int, ions: int, seed: int
) -> dict[str, str | int | None]:
    """Write one run and return its metadata and labels."""
    rng = np.random.default_rng(np.random.SeedSequence((seed, index)))
    derivatized = rng.random() < DERIVATIZED[split]
    families = draw_families(rng)
    text = io.BytesIO()
    make_run(families, derivatized=derivatized, ions=ions, seed=rng).write_csv(text)
    path = f"{split}_features/S{index:04d}.csv"
    (out / path).write_bytes(text.getbuffer())
    return {
        "sample_id": f"S{index:04d}",
        "split": split,
        "derivatized": 1 if derivatized else None,
        "features_path": path,
        "features_md5_hash": hashlib.md5(text.getbuffer(), usedforsecurity=False).hexdigest(),
        **dict(zip(FAMILIES, families.astype(int).tolist(), strict=True)),
    }


def _write_tables(out: Path, runs: pl.DataFrame) -> None:
    labels = runs.select("split", "sample_id", *FAMILIES)
    for split in DERIVATIZED:
        labels.filter(split=split).drop("split").write_csv(out / f"{split}_labels.csv")
    asked = labels.filter(pl.col("split") != "train").drop("split")  # val, then test
    asked.with_columns(pl.lit(0.0).alias(family) for family in FAMILIES).write_csv(
        out / "submission_format.csv"
    )
    runs.drop(FAMILIES).write_csv(out / "metadata.csv")


def main() -> None:
    """Read the command line and make the campaign."""
    parser = argparse.ArgumentParser(
        description="Make up a campaign of GC-MS runs with known families, in the competition's "
        "layout. A stand-in for demos and tests: scores on it say nothing about real samples."
    )
    parser.add_argument("out", type=Path, help="folder to make")
    for name, (default, _, text) in OPTIONS.items():
        parser.add_argument(
            f"--{name}", type=int, default=default, metavar="N", help=f"{text} (default {default})"
        )
    given = vars(parser.parse_args())
    for name, (_, least, _) in OPTIONS.items():
        if given[name] < least:
            parser.error(f"--{name}: {given[name]} was found; expected {least} or more")
    if given["out"].exists():
        parser.error(f"{given['out']}: exists already; name a folder that does not")
    make_campaign(**given)


if __name__ == "__main__":
    main()
