"""The design mars: samples measured again, families and derivatization, splits, instruments."""

from __future__ import annotations

from collections import Counter
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest

import gale
from gale.errors import SimulationError
from gale.library.substances import substances
from gale.simulation import simulate
from gale.simulation.alkanes import CARBONS, alkanes
from gale.simulation.compounds import Booleans, Compounds, join, read_compounds
from gale.simulation.design import Design, split_compounds
from gale.simulation.label_sets import fit_published_sets
from gale.simulation.laboratory import ANALYTE, Laboratory, build_laboratory
from gale.simulation.mars import (
    DRIFT,
    DRIFTED,
    NEW_SAMPLES,
    UNKNOWN,
    by_derivatization,
    design_runs,
    draw_instruments,
    prevalence_in,
)
from gale.simulation.peaks import COMPOUND, EVOLVED_GAS, REPEAT_DECADES, Peak
from gale.simulation.published import (
    BY_DERIVATIZATION,
    DERIVATIZED,
    LABEL_SETS,
    LETTERS,
    OTHER_SPLITS,
    PREVALENCE,
)
from gale.simulation.samples import MINERAL_MIN
from helpers.errors import refused
from helpers.laboratories import MEMBERS, bare, default_but, library
from helpers.work import with_work

FAMILIES = tuple(PREVALENCE)
WANTED = np.array(list(PREVALENCE.values()))
SPLITS = {"train": 500, "val": 250, "test": 250}
SHARED = 3
"""Instruments: 0 to 2 are shared, 3 to 5 are these after a drift, 6 is the one that train lacks."""


@cache
def compounds() -> Compounds:
    """A small library that can make up all published sets of families, and the n-alkanes."""
    furan = ("furan", "", 950, {68: 100, 39: 60}, ("aromatic",))
    return join([read_compounds(each) for each in (library((*MEMBERS, furan)), alkanes())])


def campaign(
    runs: dict[str, int] = SPLITS, *, seed: int = 1, new: tuple[str, ...] = (), **changes: Any
) -> tuple[Laboratory, Design]:
    physics = bare(**changes)
    instruments = draw_instruments(SHARED, new, physics, seed)
    made = build_laboratory(compounds(), instruments, physics, seed=seed)
    allowed = split_compounds(made, runs, new, seed)
    return made, design_runs(made, runs, allowed, WANTED, new, seed)


@pytest.fixture(scope="module")
def planned() -> tuple[Laboratory, Design]:
    return campaign()


def of_split(design: Design, split: str) -> Booleans:
    return np.array([each == split for each in design.splits])


def sample_peaks(design: Design, run: int) -> list[Peak]:
    return [each for each in design.plans[run].peaks if each.role in (COMPOUND, EVOLVED_GAS)]


def held(design: Design) -> np.ndarray:
    return np.array([plan.families for plan in design.plans])


def test_samples_are_measured_again_within_and_across_splits(
    planned: tuple[Laboratory, Design],
) -> None:
    design = planned[1]
    sample = np.array(design.columns["sample"])
    first = {number: run for run, number in reversed(list(enumerate(sample.tolist())))}
    new = np.array([first[number] == run for run, number in enumerate(sample.tolist())])
    for split, share in NEW_SAMPLES.items():
        # the first sample of its families is new, whatever the share
        assert share - 0.06 < new[of_split(design, split)].mean() < share + 0.12, split
    in_train = set(sample[of_split(design, "train")])
    for split in ("val", "test"):
        known = np.isin(sample[of_split(design, split)], list(in_train))
        assert 0.4 < known.mean() < 0.85
    counts = Counter(sample.tolist())
    assert max(counts.values()) > 20, "some often"
    assert sum(count == 1 for count in counts.values()) > 30, "some once"


def test_a_sample_has_the_same_substances_in_other_amounts(
    planned: tuple[Laboratory, Design],
) -> None:
    design = planned[1]
    runs_of: dict[float | None, list[int]] = {}
    for run, number in enumerate(design.columns["sample"]):
        runs_of.setdefault(number, []).append(run)
    ratios = []
    for runs in runs_of.values():
        first, *others = runs
        for run in others:
            one, other = sample_peaks(design, first), sample_peaks(design, run)
            assert [each.record for each in one] == [each.record for each in other]
            plans = design.plans[first], design.plans[run]
            assert plans[0].derivatized == plans[1].derivatized
            np.testing.assert_array_equal(plans[0].families, plans[1].families)
            heights = [np.log10([each.height for each in some]) for some in (one, other)]
            amounts = [np.log10(plan.conditions.injection_amount) for plan in plans]
            ratios += (heights[1] - heights[0] - (amounts[1] - amounts[0])).tolist()
    assert 0.1 < np.std(ratios) < 0.18, "the amount explains most of it"
    stated = np.array(design.columns["amount"], dtype=float)
    assert 0.3 < np.log10(stated).std() < 0.4
    np.testing.assert_allclose(
        stated, [plan.conditions.injection_amount for plan in design.plans], rtol=1e-3
    )


def test_every_run_holds_its_families(planned: tuple[Laboratory, Design]) -> None:
    made, design = planned
    for run, plan in enumerate(design.plans):
        records = [each.record for each in sample_peaks(design, run)]
        found = made.compounds.families[records].any(axis=0) if records else np.zeros(9, bool)
        np.testing.assert_array_equal(found, plan.families)
        elutes = [made.seen[plan.instrument, record] for record in records]
        assert all(elutes), "every instrument sees what is in a sample"


def test_prevalences_of_the_splits_are_as_published(planned: tuple[Laboratory, Design]) -> None:
    design = planned[1]
    published = {"train": tuple(WANTED), **OTHER_SPLITS}
    for split, shares in published.items():
        np.testing.assert_allclose(design.wanted[split], shares, atol=1e-12)
        np.testing.assert_allclose(design.prevalence[split], shares, atol=0.01)
        np.testing.assert_allclose(held(design)[of_split(design, split)].mean(0), shares, atol=0.02)
    hydrocarbon = FAMILIES.index("hydrocarbon")
    of = {split: held(design)[of_split(design, split), hydrocarbon].mean() for split in SPLITS}
    assert of["val"] < 0.6 * of["train"]


def test_families_go_with_derivatization(planned: tuple[Laboratory, Design]) -> None:
    design = planned[1]
    train = of_split(design, "train")
    derivatized = np.array([plan.derivatized for plan in design.plans])
    for split, share in DERIVATIZED.items():
        assert derivatized[of_split(design, split)].mean() == pytest.approx(share, abs=0.01)
    for place, family in enumerate(FAMILIES):
        for reacted, share in zip((True, False), BY_DERIVATIZATION[family], strict=True):
            found = held(design)[train & (derivatized == reacted), place].mean()
            assert found == pytest.approx(share, abs=0.03), family


def test_few_sets_of_families(planned: tuple[Laboratory, Design]) -> None:
    letters = {family: letter for letter, family in LETTERS.items()}
    sets = Counter(
        "".join(letters[family] for family, there in zip(FAMILIES, row, strict=True) if there)
        for row in held(planned[1]).tolist()
    )
    assert {frozenset(each) for each in sets} <= {frozenset(each) for each in LABEL_SETS}
    assert len(LABEL_SETS) == 28
    assert sum(LABEL_SETS.values()) == 809
    for family, letter in letters.items():
        counted = sum(count for each, count in LABEL_SETS.items() if letter in each)
        assert counted / 809 == pytest.approx(PREVALENCE[family], abs=0.002)


def test_only_val_and_test_are_of_instruments_that_drifted_or_that_train_lacks(
    planned: tuple[Laboratory, Design],
) -> None:
    design = planned[1]
    instrument = np.array([plan.instrument for plan in design.plans])
    assert set(instrument[of_split(design, "train")]) == {0, 1, 2}
    for split in ("val", "test"):
        used = instrument[of_split(design, split)]
        assert np.isin(used, (3, 4, 5)).mean() == pytest.approx(DRIFTED, abs=0.1)
        assert (used == 6).mean() == pytest.approx(UNKNOWN, abs=0.06)
    for number, origin in zip(instrument.tolist(), design.columns["drifted_from"], strict=True):
        assert origin == (number - SHARED if number in (3, 4, 5) else None)


def test_a_drifted_instrument_is_between_itself_and_another() -> None:
    physics = default_but()
    drawn = draw_instruments(SHARED, ("test",), physics, 1)
    assert len(drawn) == 2 * SHARED + 2
    for before, after in zip(drawn[:SHARED], drawn[SHARED : 2 * SHARED], strict=True):
        assert after.seed == before.seed, "its contaminants stay"
        moved = abs(after.bleed_rise_c - before.bleed_rise_c)
        assert 0 < moved <= DRIFT * (35 - 18)
        assert abs(np.log(after.bleed_level / before.bleed_level)) <= DRIFT * np.log(30)
        assert after.scan_last_mz == before.scan_last_mz == 350, "what has one value keeps it"
    assert len({each.seed for each in drawn}) == SHARED + 2
    quiet = draw_instruments(SHARED, (), physics.without("bleed"), 1)
    assert {each.bleed_level for each in quiet} == {0}


def test_a_split_with_compounds_and_an_instrument_of_its_own() -> None:
    made, design = campaign({"train": 200, "val": 40, "test": 60}, new=("test",))
    test = of_split(design, "test")
    instrument = np.array([plan.instrument for plan in design.plans])
    assert set(instrument[test]) == {7}
    assert not set(instrument[~test]) & {7}
    names = [
        {
            made.compounds.name[each.record]
            for run in np.flatnonzero(part).tolist()
            for each in sample_peaks(design, run)
            if made.kind[each.record] == ANALYTE
        }
        for part in (test, ~test)
    ]
    assert names[0]
    assert not names[0] & names[1]


@pytest.mark.parametrize("seed", range(6))
def test_even_a_small_train_split_holds_every_family(seed: int) -> None:
    design = campaign({"train": 20, "val": 8, "test": 12}, seed=seed)[1]
    assert held(design)[of_split(design, "train")].any(axis=0).all()


def test_hydrocarbons_alone_are_ladders(planned: tuple[Laboratory, Design]) -> None:
    made, design = planned
    alone = np.array([family == "hydrocarbon" for family in FAMILIES])
    even: dict[float | None, bool] = {}  # by sample
    for run, plan in enumerate(design.plans):
        if (plan.families == alone).all():
            records = [each.record for each in sample_peaks(design, run)]
            steps = np.diff(np.sort(made.compounds.index[records]))
            # this library lacks octane and others that the volatile compounds have
            is_ladder = len(steps) >= 5 and not (steps % 100).any() and steps.max() <= 400
            even[design.columns["sample"][run]] = bool(is_ladder)
    assert len(even) > 20
    assert 0.7 < np.mean(list(even.values())) < 0.98


def test_minerals_give_off_gas_early_and_a_lot(planned: tuple[Laboratory, Design]) -> None:
    made, design = planned
    n_gases = 0
    for run, plan in enumerate(design.plans):
        for peak in sample_peaks(design, run):
            if peak.role == EVOLVED_GAS:
                first = made.instruments[plan.instrument].time_min[0]
                assert MINERAL_MIN[0] <= peak.time_min - first <= MINERAL_MIN[1]
                decade = np.log10(peak.height / plan.conditions.injection_amount)
                assert 2.5 - 4 * REPEAT_DECADES < decade < 3 + 4 * REPEAT_DECADES
                n_gases += 1
    assert n_gases > 50


def test_the_same_seed_designs_the_same() -> None:
    small = {"train": 30, "val": 10}
    one, again = campaign(small)[1], campaign(small)[1]
    assert [plan.peaks for plan in one.plans] == [plan.peaks for plan in again.plans]
    assert one.columns == again.columns
    other = campaign(small, seed=2)[1]
    assert [plan.peaks for plan in one.plans] != [plan.peaks for plan in other.plans]


def test_shifted_prevalences() -> None:
    wanted = {**PREVALENCE, "alcohol": 0.3, "mineral": 0.0}
    families = ("own", *wanted)
    changed = np.array([0.2, *wanted.values()])
    np.testing.assert_array_equal(prevalence_in("train", families, changed), changed)
    val = dict(zip(families, prevalence_in("val", families, changed), strict=True))
    assert val["own"] == 0.2
    assert val["mineral"] == 0
    assert val["hydrocarbon"] == pytest.approx(0.143)
    assert 0.2 < val["alcohol"] < 0.3, "a little rarer than in train, as published"


def test_prevalences_by_derivatization() -> None:
    families = ("own", *FAMILIES)
    wanted = np.array([0.2, 0, *WANTED[1:]])
    reacted, others = by_derivatization(families, wanted, 0.4)
    np.testing.assert_allclose(0.4 * reacted + 0.6 * others, wanted)
    assert reacted[0] == pytest.approx(others[0])
    assert reacted[1] == others[1] == 0
    assert reacted[FAMILIES.index("alcohol") + 1] > 10 * others[FAMILIES.index("alcohol") + 1]


def test_sets_of_other_families_follow_from_the_compounds() -> None:
    patterns = np.eye(2, dtype=bool)
    found = fit_published_sets(patterns, ("metal", "glass"), np.array([0.4, 0.1]))
    np.testing.assert_allclose(found.prevalence, (0.4, 0.1))


def test_alkanes_beside_the_listed_ones() -> None:
    made = alkanes()
    listed = {len(s) for s in substances("volatile").smiles if set(s) == {"C"}} & set(CARBONS)
    numbers = sorted([*map(len, made.smiles), *listed])
    assert numbers == list(CARBONS)
    for place, smiles in enumerate(made.smiles):
        mz, _ = made.spectrum(place)
        assert mz[-1] == 14 * len(smiles) + 2, "the molecular ion"
        assert np.all(np.diff(mz) > 0)
        assert made.retention_index[place] == 100 * len(smiles)


OPTIONS: dict[str, Any] = {"ions": 2_000, "physics": default_but(), "seed": 1}


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("mars") / "campaign"
    simulate(path, runs={"train": 12, "val": 5, "test": 5}, **OPTIONS)
    return path


@pytest.mark.slow
def test_it_is_the_default_design(folder: Path) -> None:
    assert '"design": "mars"' in (folder / "simulation.json").read_text("utf-8")
    table = pl.read_csv(folder / "runs.csv")
    assert {"sample", "amount", "drifted_from"} < set(table.columns)
    assert table["sample"].n_unique() < len(table)
    assert gale.Campaign.open(folder).verify_checksums() == 22


def test_labels_are_what_the_samples_hold(folder: Path) -> None:
    truth = pl.read_parquet(folder / "truth.parquet").filter(
        pl.col("role").is_in([COMPOUND, EVOLVED_GAS])
    )
    for split in SPLITS:
        for row in pl.read_csv(folder / f"{split}_labels.csv").iter_rows(named=True):
            found = set(truth.filter(run=row["sample_id"])["families"].explode().drop_nulls())
            assert {name for name in FAMILIES if row[name]} == found


@pytest.mark.slow
def test_any_number_of_workers_gives_the_same_bytes(folder: Path, tmp_path: Path) -> None:
    again = tmp_path / "again"
    runs = {"train": 12, "val": 5, "test": 5}
    simulate(again, runs=runs, **with_work(**OPTIONS, workers=2))
    for path in folder.rglob("*"):
        if path.is_file():
            assert path.read_bytes() == (again / path.relative_to(folder)).read_bytes(), path


def test_an_unknown_design(tmp_path: Path) -> None:
    with refused(SimulationError, "design", remedy="mars"):
        simulate(tmp_path / "campaign", design="marz", **OPTIONS)
    assert list(tmp_path.iterdir()) == []
