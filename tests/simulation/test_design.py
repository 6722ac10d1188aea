"""Which run is of which split, instrument and sample."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gale.errors import SimulationError
from gale.simulation.design import (
    Design,
    check_families,
    design_runs,
    draw_instruments,
    mislabel,
    split_compounds,
    take_compounds,
)
from gale.simulation.label_sets import fit_label_sets
from gale.simulation.laboratory import ANALYTE
from gale.simulation.peaks import CARRY_OVER
from gale.simulation.published import DERIVATIZED, PREVALENCE
from helpers.errors import refused
from helpers.laboratories import analytes, bare, design, laboratory

SPLITS = {"train": 60, "val": 30, "test": 40}
WANTED = np.array(list(PREVALENCE.values()))


@pytest.fixture(scope="module")
def of_splits() -> Design:
    return design(bare(), SPLITS, instruments=2)[1]


def families(planned: Design) -> list[tuple[bool, ...]]:
    return [tuple(plan.families.tolist()) for plan in planned.plans]


@pytest.mark.slow
def test_the_same_seed_designs_the_same(of_splits: Design) -> None:
    again = design(bare(), SPLITS, instruments=2)[1]
    assert families(again) == families(of_splits)
    assert [plan.peaks for plan in again.plans] == [plan.peaks for plan in of_splits.plans]
    other = design(bare(), SPLITS, instruments=2, seed=4)[1]
    assert [plan.peaks for plan in other.plans] != [plan.peaks for plan in of_splits.plans]


def test_runs_of_each_split(of_splits: Design) -> None:
    assert Counter(of_splits.splits) == SPLITS
    assert list(dict.fromkeys(of_splits.splits)) == list(SPLITS)
    assert len({plan.seed for plan in of_splits.plans}) == len(of_splits.plans)


def test_sampling_is_systematic() -> None:
    made, planned = design(bare(), 400)
    # both pools, of derivatives and without, can make up the same sets
    patterns = made.compounds.families[(made.kind == ANALYTE) | made.evolved]
    sets = fit_label_sets(patterns, WANTED)
    counts = Counter(families(planned))
    assert counts.keys() <= {tuple(row) for row in sets.sets.tolist()}
    for row, probability in zip(sets.sets.tolist(), sets.probability, strict=True):
        assert abs(counts[tuple(row)] - 400 * probability) < 2


@pytest.mark.parametrize("seed", range(1, 6))
def test_a_small_training_split_has_every_family(seed: int) -> None:
    """Of 18 runs, one in fifty would hold chlorine, or none of them; no model learns from none."""
    held = np.array(families(design(bare(), {"train": 18, "test": 10}, seed=seed)[1]))
    assert held[:18].any(axis=0).all()
    assert held[:18].mean(axis=0).max() < 0.5


def test_published_shares() -> None:
    _, planned = design(bare(), {"train": 400, "val": 200})
    held = np.array([plan.families for plan in planned.plans])
    np.testing.assert_allclose(held[:400].mean(axis=0), WANTED, atol=0.015)
    np.testing.assert_allclose(held[400:].mean(axis=0), WANTED, atol=0.03)
    derivatized = np.array([plan.derivatized for plan in planned.plans])
    assert derivatized[:400].mean() == pytest.approx(DERIVATIZED["train"], abs=0.08)
    assert derivatized[400:].mean() == pytest.approx(DERIVATIZED["val"], abs=0.11)


def test_every_instrument_has_one_sequence_of_all_splits(of_splits: Design) -> None:
    instrument = np.array([plan.instrument for plan in of_splits.plans])
    assert set(instrument) == {0, 1}
    for number in (0, 1):
        position = of_splits.position[instrument == number]
        assert sorted(position) == list(range(len(position)))
        splits = np.array(of_splits.splits)[instrument == number][np.argsort(position)]
        assert len(set(splits[:20])) >= 2, "mixed"


def test_carry_over_follows_the_sequence() -> None:
    _, planned = design(bare(carry_over__share=0.1), SPLITS, instruments=2)
    by_place = {
        (plan.instrument, place): plan
        for plan, place in zip(planned.plans, planned.position.tolist(), strict=True)
    }
    left_somewhere = 0
    for (instrument, place), plan in by_place.items():
        left = [(each.record, each.height) for each in plan.peaks if each.role == CARRY_OVER]
        before = by_place.get((instrument, place - 1))
        expected = [] if before is None else [
            (each.record, 0.1 * each.height) for each in before.peaks if each.role == "compound"
        ]  # fmt: skip
        assert left == expected
        left_somewhere += bool(left)
    assert left_somewhere > 40


def test_a_split_with_an_instrument_of_its_own() -> None:
    made = laboratory(bare(), instruments=3)
    allowed = dict.fromkeys(SPLITS, np.ones(len(made.compounds), dtype=bool))
    planned = design_runs(made, SPLITS, allowed, WANTED, ["test"], seed=1)
    used = {
        split: {
            plan.instrument
            for plan, of in zip(planned.plans, planned.splits, strict=True)
            if of == split
        }
        for split in SPLITS
    }
    assert used == {"train": {0, 1}, "val": {0, 1}, "test": {2}}


def test_instruments_of_splits_come_beside_the_shared_ones() -> None:
    physics = bare(calibration__offset=0.1)
    assert len(draw_instruments(3, (), physics, 1)) == 3
    drawn = draw_instruments(3, ("val", "test"), physics, 1)
    assert len({each.seed for each in drawn}) == 5
    assert draw_instruments(3, ("val", "test"), physics, 1) == drawn
    assert draw_instruments(3, ("val", "test"), physics, 2) != drawn


def test_take_compounds() -> None:
    compounds = analytes()
    taken = take_compounds(compounds, 5, seed=1)
    chosen = set(taken.compound.tolist())
    assert len(chosen) == 5
    assert len(taken) == sum(each in chosen for each in compounds.compound.tolist())
    assert take_compounds(compounds, 5, seed=1).name == taken.name
    assert any(take_compounds(compounds, 5, seed=s).name != taken.name for s in range(2, 5))
    everything = len(np.unique(compounds.compound))
    assert len(take_compounds(compounds, everything, seed=1)) == len(compounds)
    found, remedy = (f"{everything + 1}", f"{everything}"), f"pass compounds={everything}"
    with refused(SimulationError, "compounds", found=found, remedy=remedy):
        take_compounds(compounds, everything + 1, seed=1)


def test_a_few_compounds_are_of_all_sets_of_families() -> None:
    compounds = analytes()
    patterns = np.unique(compounds.families, axis=0)
    for seed in range(5):
        taken = take_compounds(compounds, len(patterns), seed)
        np.testing.assert_array_equal(np.unique(taken.families, axis=0), patterns)


@pytest.mark.parametrize("new", [("test",), ("val", "test")])
def test_new_compounds_are_in_no_other_split(new: Sequence[str]) -> None:
    made = laboratory(bare())
    allowed = split_compounds(made, ("train", "val", "test"), new, seed=1)
    analyte = made.kind == ANALYTE
    keys = {
        split: set(made.compounds.compound[records & analyte].tolist())
        for split, records in allowed.items()
    }
    for split in new:
        assert keys[split]
        for other in keys.keys() - {split}:
            assert not keys[split] & keys[other]
    assert set().union(*keys.values()) == set(made.compounds.compound[analyte].tolist())


def test_without_new_compounds_all_are_shared() -> None:
    made = laboratory(bare())
    allowed = split_compounds(made, ("train", "test"), (), seed=1)
    for records in allowed.values():
        assert records.all()


def test_a_wanted_family_must_be_there() -> None:
    made = laboratory(bare())
    nothing = np.zeros(len(made.compounds), dtype=bool)
    with refused(
        SimulationError, "small library", found=("alcohol", "test"), remedy="'alcohol': 0"
    ) as caught:
        check_families(made, {"test": nothing}, WANTED, "small library")
    assert "mineral" not in str(caught.value), "gases are there, whatever the library"
    gases = np.where(made.compounds.families[made.evolved].any(axis=0), WANTED, 0)
    check_families(made, {"test": nothing}, gases, "small library")


@settings(deadline=None)
@given(st.integers(0, 2**32 - 1), st.floats(0, 0.99))
def test_label_noise_moves_labels(seed: int, share: float) -> None:
    labels = np.random.default_rng(seed).random((60, 4)) < [0.0, 0.1, 0.3, 0.9]
    noisy = mislabel(labels, share, seed)
    np.testing.assert_array_equal(noisy.sum(axis=0), labels.sum(axis=0))
    moved = (labels & ~noisy).sum(axis=0)
    room = (~labels).sum(axis=0)
    expected = [
        min(round(share * n), free) for n, free in zip(labels.sum(axis=0), room, strict=True)
    ]
    assert moved.tolist() == expected
