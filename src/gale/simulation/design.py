"""The design of a campaign: the split, instrument and sample of every run.

Here are what all designs share, and the design `different`: every run is of another sample, and the
splits are alike. The design `mars` is in its own module.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache

import numpy as np

from gale.errors import SimulationError
from gale.run import Floats, Integers
from gale.simulation.compounds import Booleans, Compounds
from gale.simulation.instrument import Instrument
from gale.simulation.label_sets import LabelSets, fit_label_sets
from gale.simulation.laboratory import ANALYTE, Laboratory
from gale.simulation.physics import Physics
from gale.simulation.plan import Plan, Plans, Pool, plan_run
from gale.simulation.published import DERIVATIZED

RUNS_PER_FAMILY = 2
"""A training split with as many runs for each family holds every family."""

NEW_SHARE = 0.3
"""Share of the compounds that only the split with new compounds holds."""


@dataclass(frozen=True)
class Design:
    """R runs.

    Parameters
    ----------
    splits : tuple of str, length R
    plans : sequence of Plan, length R
        Each is drawn when it is asked for.
    instrument : array of int, shape (R,)
    derivatized : array of bool, shape (R,)
    families : array of bool, shape (R, K)
        What the plans say of these, without drawing them.
    position : array of int, shape (R,)
        Position of each run in the sequence of its instrument, from 0.
    prevalence, wanted : mapping of str to array of shape (K,)
        Share of each split's runs that hold each family, as the mean over many campaigns, and the
        share that was asked for.
    columns : mapping of str to sequence, length R
        Further facts of each run, by their name in ``runs.csv``.
    """

    splits: tuple[str, ...]
    plans: Sequence[Plan]
    instrument: Integers
    derivatized: Booleans
    families: Booleans
    position: Integers
    prevalence: Mapping[str, Floats]
    wanted: Mapping[str, Floats]
    columns: Mapping[str, Sequence[float | None]] = field(default_factory=dict)


def draw_instruments(
    number: int, new_instrument: Collection[str], physics: Physics, seed: int
) -> tuple[Instrument, ...]:
    """Draw the instruments that splits share, then one for each split that has its own."""
    seeds = np.random.SeedSequence((seed, 1)).generate_state(number + len(new_instrument))
    return tuple(Instrument.draw(physics, int(own_seed)) for own_seed in seeds)


def take_compounds(compounds: Compounds, number: int, seed: int) -> Compounds:
    """Take a number of compounds, with all records of each; two of every set of families first.

    Raises
    ------
    SimulationError
        If there are fewer.
    """
    known = np.unique(compounds.compound)
    if number > len(known):
        raise SimulationError(
            "compounds",
            f"is {number:,}, but only {len(known):,} compounds of the library can be simulated",
            remedy=f"pass compounds={len(known)} or fewer, or choose a larger library",
        )
    rng = np.random.default_rng((seed, 2))
    order = rng.permutation(len(compounds))
    _, first = np.unique(compounds.compound[order], return_index=True)
    order = order[np.sort(first)]  # one record of each compound
    _, pattern = np.unique(compounds.families[order], axis=0, return_inverse=True)
    rank = np.array([(pattern[:place] == number).sum() for place, number in enumerate(pattern)])
    chosen = order[np.argsort(np.minimum(rank, 2), kind="stable")][:number]
    names = compounds.compound[chosen]
    return compounds.take(np.flatnonzero(np.isin(compounds.compound, names)))


def split_compounds(
    laboratory: Laboratory, splits: Collection[str], new_compounds: Collection[str], seed: int
) -> dict[str, Booleans]:
    """Decide which records each split may hold.

    A split with new compounds has a share of the compounds of each set of families to itself and
    holds no others; all other splits share the rest, which has at least one compound of each set
    if there are enough. Gases that minerals give off may be in any split.

    Returns
    -------
    dict of str to array of bool, shape (C,)
    """
    compounds = laboratory.compounds
    rng = np.random.default_rng((seed, 3))
    owner = np.full(len(compounds), "", dtype=object)
    analyte = laboratory.kind == ANALYTE
    for pattern in np.unique(compounds.families[analyte], axis=0):
        alike = analyte & (compounds.families == pattern).all(axis=1)
        names = rng.permutation(np.unique(compounds.compound[alike & (owner == "")]))
        share = max(round(NEW_SHARE * len(names)), 1)
        owners = [*np.repeat(list(new_compounds), share)][: max(len(names) - 1, 0)]
        if len(names) <= len(new_compounds):  # not one for each
            owners = rng.permutation([*new_compounds, ""])[: len(names)].tolist()
        for name, split in zip(names, owners, strict=False):
            owner[compounds.compound == name] = split
    return {split: owner == (split if split in new_compounds else "") for split in splits}


def check_families(
    laboratory: Laboratory, allowed: Mapping[str, Booleans], prevalence: Floats, source: str
) -> None:
    """Refuse wanted families that no record of a split has.

    Raises
    ------
    SimulationError
    """
    families = laboratory.compounds.families
    for split, records in allowed.items():
        there = families[(records & (laboratory.kind == ANALYTE)) | laboratory.evolved].any(axis=0)
        lacking = np.flatnonzero((prevalence > 0) & ~there)
        if len(lacking):
            names = [laboratory.compounds.family_names[k] for k in lacking]
            raise SimulationError(
                source,
                f"has no compound of {', '.join(names)} for the {split} runs",
                "at least one of each family",
                "choose a larger library or more compounds, or "
                f"pass prevalence={dict.fromkeys(names, 0)}",
            )


def design_runs(
    laboratory: Laboratory,
    runs: Mapping[str, int],
    allowed: Mapping[str, Booleans],
    prevalence: Floats,
    new_instrument: Sequence[str],
    seed: int,
) -> Design:
    """Draw what is in every run.

    Parameters
    ----------
    laboratory : Laboratory
        The splits in `new_instrument` use its last instruments.
    runs : mapping of str to int
        Number of runs of each split.
    allowed : mapping of str to array of bool, shape (C,)
        Records that each split may hold.
    prevalence : array of shape (K,)
    new_instrument : sequence of str
    seed : int
    """
    rng = np.random.default_rng((seed, 4))

    @cache
    def pool(split: str, instrument: int, derivatized: bool) -> Pool:
        return Pool.of(
            laboratory,
            [instrument],
            derivatized=derivatized,
            allowed=allowed[split],
            fit=lambda patterns: fit_label_sets(patterns, prevalence),
        )

    pools: list[Pool] = []
    parts: list[tuple[Integers, Booleans, Floats]] = []
    prevalences: dict[str, Floats] = {}
    for split, number in runs.items():
        quantiles = draw_quantiles(number, rng)
        instruments = _assign(laboratory, split, number, new_instrument, rng)
        derivatized = rng.random(number) < DERIVATIZED[split]
        keys = zip(instruments.tolist(), derivatized.tolist(), strict=True)
        used = [pool(split, *key) for key in keys]
        if split == "train":
            quantiles = with_every_family(quantiles, [each.label_sets for each in used])
        prevalences[split] = np.mean([each.label_sets.prevalence for each in used], axis=0)
        parts.append((instruments, derivatized, quantiles))
        pools += used
    instruments, derivatized, quantiles = map(np.concatenate, zip(*parts, strict=True))

    def draw(run: int) -> Plan:
        return plan_run(
            laboratory,
            int(instruments[run]),
            pools[run],
            derivatized=bool(derivatized[run]),
            quantile=float(quantiles[run]),
            seed=(seed, 5, run),
        )

    before, position = in_sequence(instruments, rng)
    return Design(
        tuple(split for split, number in runs.items() for _ in range(number)),
        Plans(draw, before, laboratory),
        instruments,
        derivatized,
        np.array([each.label_sets.at(q) for each, q in zip(pools, quantiles, strict=True)]),
        position,
        prevalences,
        dict.fromkeys(runs, prevalence),
    )


def draw_quantiles(number: int, rng: np.random.Generator) -> Floats:
    """Draw quantiles for label sets, shape (`number`,).

    The sampling is systematic: families are as frequent as wanted even in a small split.
    """
    return np.asarray((rng.permutation(number) + rng.random(number)) / number)


def with_every_family(quantiles: Floats, label_sets: Sequence[LabelSets]) -> Floats:
    """Let each family be in a run, so that a model can be trained; a rare one may be in none.

    A family that is in none gets a run that has no family, but only where there are several runs
    for each family: in fewer, such a run would be far from the wanted prevalence.
    """
    sets = np.array([each.at(q) for each, q in zip(label_sets, quantiles, strict=True)])
    if len(quantiles) < RUNS_PER_FAMILY * sets.shape[1]:
        return quantiles
    quantiles = quantiles.copy()
    without = iter(np.flatnonzero(~sets.any(axis=1)).tolist())
    for family in np.flatnonzero(~sets.any(axis=0)).tolist():
        for run in without:
            if (quantile := label_sets[run].quantile_with(family)) is not None:
                quantiles[run] = quantile
                break
    return quantiles


def _assign(
    laboratory: Laboratory,
    split: str,
    number: int,
    new_instrument: Sequence[str],
    rng: np.random.Generator,
) -> Integers:
    """Draw the instrument that measures each run of a split, shape (`number`,)."""
    n_shared = len(laboratory.instruments) - len(new_instrument)
    if split in new_instrument:
        return np.full(number, n_shared + new_instrument.index(split))
    return draw_shared(n_shared, number, rng)


def draw_shared(n_shared: int, number: int, rng: np.random.Generator) -> Integers:
    """Draw one of the shared instruments for each run of a split, shape (`number`,).

    Splits share the instruments but use them in different proportions.
    """
    return rng.choice(n_shared, size=number, p=rng.dirichlet(np.full(n_shared, 5.0)))


def in_sequence(instrument: Integers, rng: np.random.Generator) -> tuple[Integers, Integers]:
    """Put runs of all splits, of which each has an instrument, in one random order.

    Returns
    -------
    before : array of int, shape (R,)
        The run that was measured before on the same instrument, -1 for the first.
    position : array of int, shape (R,)
        From 0, of each run among those of its instrument.
    """
    order = rng.permutation(len(instrument))
    before, position = np.full(len(instrument), -1), np.zeros(len(instrument), dtype=np.int64)
    for number in np.unique(instrument):
        sequence = order[instrument[order] == number]
        position[sequence] = np.arange(len(sequence))
        before[sequence[1:]] = sequence[:-1]
    return before, position


def noisy_labels(design: Design, share: float, seed: int) -> Booleans:
    """Return the labels of all runs, (R, K), with a share of those of train and val moved."""
    labels = design.families.copy()
    noisy = np.array([split != "test" for split in design.splits])
    labels[noisy] = mislabel(labels[noisy], share, seed)
    return labels


def mislabel(labels: Booleans, share: float, seed: int) -> Booleans:
    """Move a share of each family's labels to runs that do not hold it.

    The number of positive labels of each family does not change.

    Parameters
    ----------
    labels : array of bool, shape (R, K)
    share : float
        From 0 to 1, of the runs that hold the family.
    seed : int
    """
    rng = np.random.default_rng((seed, 6))
    noisy = labels.copy()
    for family, column in enumerate(labels.T):
        positive, negative = np.flatnonzero(column), np.flatnonzero(~column)
        number = min(round(share * len(positive)), len(negative))
        noisy[rng.choice(positive, size=number, replace=False), family] = False
        noisy[rng.choice(negative, size=number, replace=False), family] = True
    return noisy
