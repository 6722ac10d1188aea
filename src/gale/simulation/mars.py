"""The design `mars`: a campaign built like the competition's, as far as that is published.

Samples are measured again and again, in other amounts and across the splits; families go with
derivatization; prevalences differ between the splits; val and test hold more new samples, runs of
instruments that have drifted since the training runs, and runs of one that these lack.

`gale.simulation.published` has the figures. The constants here are free: they were chosen so that
the organisers' benchmark comes out about as published (docs/simulator.md).
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace

import numpy as np
from scipy.special import expit, logit

from gale.run import Floats, Integers
from gale.simulation import design
from gale.simulation.compounds import Booleans
from gale.simulation.design import Design, draw_quantiles, draw_shared, in_sequence
from gale.simulation.instrument import Instrument
from gale.simulation.label_sets import LabelSets, fit_published_sets
from gale.simulation.laboratory import Laboratory
from gale.simulation.physics import Physics
from gale.simulation.plan import Plan, Plans, Pool
from gale.simulation.published import BY_DERIVATIZATION, DERIVATIZED, OTHER_SPLITS, PREVALENCE
from gale.simulation.samples import Sample, Stock, amount_of, measure_sample

NEW_SAMPLES = {"train": 0.12, "val": 0.22, "test": 0.22}
"""Share of the runs that measure a sample which no run before measured."""

FEWER_NEW = 0.5
"""Samples of three families or more look like standards, which are few: factor of the share of new
ones for every three families."""

DRIFT = 0.13
"""How far an instrument has drifted: share of the way to another instrument."""

DRIFTED = 0.3
"""Share of the val and test runs that are of instruments that have drifted."""

UNKNOWN = 0.05
"""Share of the val and test runs that are of an instrument that train lacks."""

UNLIKE = 0.3
"""How far that one is from the first instrument: share of the way to any other."""


def draw_instruments(
    number: int, new_instrument: Collection[str], physics: Physics, seed: int
) -> tuple[Instrument, ...]:
    """Draw the shared instruments, these after a drift, one that train lacks, and splits' own."""
    drawn = design.draw_instruments(number, new_instrument, physics, seed)
    seeds = np.random.SeedSequence((seed, 11)).generate_state(number + 1).tolist()
    drifted = (
        instrument.drifted(physics, DRIFT, own_seed)
        for instrument, own_seed in zip(drawn[:number], seeds, strict=False)
    )
    # of the same laboratory, with contaminants of its own
    unknown = replace(drawn[0].drifted(physics, UNLIKE, seeds[-1]), seed=seeds[-1])
    return (*drawn[:number], *drifted, unknown, *drawn[number:])


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
        With the instruments of :func:`draw_instruments`.
    runs : mapping of str to int
        Number of runs of each split.
    allowed : mapping of str to array of bool, shape (C,)
        Records that each split may hold.
    prevalence : array of shape (K,)
        In train; the other splits differ from it as published.
    new_instrument : sequence of str
    seed : int
    """
    rng = np.random.default_rng((seed, 12))
    stock = Stock(laboratory)
    samples: list[Sample] = []
    instrument: list[Integers] = []
    prevalences: dict[str, Floats] = {}
    wanted: dict[str, Floats] = {}
    for split, number in runs.items():
        wanted[split] = prevalence_in(split, laboratory.compounds.family_names, prevalence)
        pools = _pools(laboratory, split, allowed[split], wanted[split])
        derivatized = draw_quantiles(number, rng) < DERIVATIZED[split]
        instruments = _assign(laboratory, split, number, new_instrument, rng)
        quantiles = np.zeros(number)
        for each in (derivatized, ~derivatized):
            quantiles[each] = draw_quantiles(int(each.sum()), rng)
        if split == "train":
            label_sets = [pools[each].label_sets for each in derivatized.tolist()]
            quantiles = design.with_every_family(quantiles, label_sets)
        instrument.append(instruments)
        for quantile, reacted in zip(quantiles.tolist(), derivatized.tolist(), strict=True):
            families = pools[reacted].label_sets.at(quantile)
            sample = stock.take(
                pools[reacted],
                families,
                NEW_SAMPLES[split] * FEWER_NEW ** int(families.sum() // 3),
                rng,
                derivatized=reacted,
                origin=allowed[split].tobytes(),
            )
            samples.append(sample)
        weights = DERIVATIZED[split], 1 - DERIVATIZED[split]
        shares = [pools[each].label_sets.prevalence for each in (True, False)]
        prevalences[split] = np.average(shares, axis=0, weights=weights)

    used = np.concatenate(instrument)

    def draw(run: int) -> Plan:
        return measure_sample(laboratory, int(used[run]), samples[run], (seed, 5, run))

    before, position = in_sequence(used, rng)
    return Design(
        tuple(split for split, number in runs.items() for _ in range(number)),
        Plans(draw, before, laboratory),
        used,
        np.array([sample.derivatized for sample in samples]),
        np.array([sample.families for sample in samples]),
        position,
        prevalences,
        wanted,
        _columns(laboratory, used, samples, seed, _n_shared(laboratory, new_instrument)),
    )


def prevalence_in(split: str, families: tuple[str, ...], prevalence: Floats) -> Floats:
    """Shift the prevalences in train, (K,), to those in a split.

    The odds of a family differ from those in train by the published factor.
    """
    if split == "train":
        return prevalence
    shifted = prevalence.copy()
    for (family, in_train), there in zip(PREVALENCE.items(), OTHER_SPLITS[split], strict=True):
        if family in families:
            place = families.index(family)
            shifted[place] = expit(logit(prevalence[place]) + logit(there) - logit(in_train))
    return shifted


def by_derivatization(
    families: tuple[str, ...], prevalence: Floats, derivatized: float
) -> tuple[Floats, Floats]:
    """Give the prevalences in derivatized runs and in the others, (K,) each.

    Together they are those of all runs, of which a share is derivatized. The ratio of their odds is
    the published one; families of which none is published are as frequent in both.
    """
    both = np.zeros((2, len(families)))
    for place, family in enumerate(families):
        odds = logit(BY_DERIVATIZATION.get(family, (0.5, 0.5)))
        if prevalence[place] > 0:
            both[:, place] = _with_mean(odds, prevalence[place], derivatized)
    return both[0], both[1]


def _with_mean(odds: Floats, mean: float, share: float) -> Floats:
    """Shift two log odds, the first of a share of the runs, so that the mean share is this."""
    weights = np.array([share, 1 - share])

    from scipy.optimize import brentq  # slow to import, and worker processes do not need it

    def excess(shift: float) -> float:
        return float(weights @ expit(odds + shift)) - mean

    return np.asarray(expit(odds + brentq(excess, -40, 40)))


def _pools(
    laboratory: Laboratory, split: str, allowed: Booleans, prevalence: Floats
) -> dict[bool, Pool]:
    """What samples of a split are made of, derivatized or not; every instrument sees it."""
    families = laboratory.compounds.family_names
    there = by_derivatization(families, prevalence, DERIVATIZED[split])

    def pool(derivatized: bool, wanted: Floats) -> Pool:
        def fit(patterns: Booleans) -> LabelSets:
            return fit_published_sets(patterns, families, wanted)

        everywhere = range(len(laboratory.instruments))
        return Pool.of(laboratory, everywhere, derivatized=derivatized, allowed=allowed, fit=fit)

    return {True: pool(True, there[0]), False: pool(False, there[1])}


def _assign(
    laboratory: Laboratory,
    split: str,
    number: int,
    new_instrument: Sequence[str],
    rng: np.random.Generator,
) -> Integers:
    """Draw the instrument that measures each run of a split, shape (`number`,)."""
    n_shared = _n_shared(laboratory, new_instrument)
    if split in new_instrument:
        return np.full(number, 2 * n_shared + 1 + new_instrument.index(split))
    instruments = draw_shared(n_shared, number, rng)
    if split != "train":
        place = rng.random(number)
        instruments[place < DRIFTED] += n_shared
        instruments[place >= 1 - UNKNOWN] = 2 * n_shared
    return instruments


def _n_shared(laboratory: Laboratory, new_instrument: Sequence[str]) -> int:
    return (len(laboratory.instruments) - 1 - len(new_instrument)) // 2


def _columns(
    laboratory: Laboratory,
    instrument: Integers,
    samples: Sequence[Sample],
    seed: int,
    n_shared: int,
) -> dict[str, list[float | None]]:
    """Say of each run which sample it measures, how much, and whether its instrument drifted."""
    amounts = (amount_of(laboratory, (seed, 5, run)) for run in range(len(samples)))
    return {
        "sample": [sample.number for sample in samples],
        "amount": [float(f"{amount:.4g}") for amount in amounts],
        "drifted_from": [
            each - n_shared if n_shared <= each < 2 * n_shared else None
            for each in instrument.tolist()
        ],
    }
