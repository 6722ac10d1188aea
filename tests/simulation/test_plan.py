"""What is in a run, effect by effect."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence

import numpy as np
import pytest

from gale.simulation.laboratory import CONTAMINANT, REAGENT, SOLVENT, Laboratory
from gale.simulation.peaks import CARRY_OVER, COMPOUND, EVOLVED_GAS, OVERLOADED, Peak
from gale.simulation.plan import Plan, Plans
from helpers.laboratories import bare, conditions, design, laboratory, record_of

SECOND = 1 / 60


def peaks(plans: Sequence[Plan], role: str) -> list[Peak]:
    return [each for plan in plans for each in plan.peaks if each.role == role]


def decades(some: list[Peak]) -> np.ndarray:
    return np.log10([each.height for each in some])


def elutes(made: Laboratory, some: list[Peak]) -> np.ndarray:
    """Minutes from when each should elute from the first instrument."""
    return np.array([each.time_min - made.retention_time_min[0, each.record] for each in some])


def test_without_effects_a_run_holds_its_sample_alone() -> None:
    made, planned = design(bare(), 80)
    for plan in planned.plans:
        assert {each.role for each in plan.peaks} <= {COMPOUND, EVOLVED_GAS}
        assert bool(plan.peaks) >= plan.families.any()
    found = peaks(planned.plans, COMPOUND)
    np.testing.assert_allclose(elutes(made, found), 0, atol=1e-12)
    np.testing.assert_allclose([each.sigma_min for each in found], 2 * SECOND)
    assert {each.tail_min for each in found} == {0}
    assert 2 <= decades(found).min() < 2.2 < 2.8 < decades(found).max() <= 3


def test_labels_are_the_families_of_the_sample() -> None:
    physics = bare(
        contaminants__number=5.0, solvent__share=1.0, reagent__artefacts=5.0, carry_over__share=0.5
    )
    made, planned = design(physics, 120)
    seen = set()
    for plan in planned.plans:
        held = np.zeros(9, dtype=bool)
        for each in plan.peaks:
            seen.add(each.role)
            if each.role in (COMPOUND, EVOLVED_GAS):
                held |= made.compounds.families[each.record]
        np.testing.assert_array_equal(plan.families, held)
    assert seen >= {COMPOUND, EVOLVED_GAS, CARRY_OVER, CONTAMINANT, REAGENT, SOLVENT}


def test_derivatives_are_in_derivatized_runs_alone() -> None:
    made, planned = design(bare(impurities__number=4.0), 150)
    forms = {name: {True: set[str](), False: set[str]()} for name in ("octanol", "decane")}
    for plan in planned.plans:
        for each in plan.peaks:
            name = made.compounds.name[each.record]
            if each.role == COMPOUND and name in forms:
                forms[name][plan.derivatized].add(made.compounds.derivative[each.record])
    assert forms == {
        "octanol": {True: {"1 TMS"}, False: {""}},
        "decane": {True: {""}, False: {""}},
    }


def test_impurities() -> None:
    made, planned = design(bare(impurities__number=3.0), 60)
    _, pure = design(bare(), 60)
    for plan, alone in zip(planned.plans, pure.plans, strict=True):
        records = [each.record for each in plan.peaks if each.role == COMPOUND]
        assert len(set(records)) == len(records)
        for record in records:
            assert not (made.compounds.families[record] & ~plan.families).any()
        assert len(plan.peaks) >= len(alone.peaks)
    assert len(peaks(planned.plans, COMPOUND)) > len(peaks(pure.plans, COMPOUND)) + 20


def test_only_what_an_instrument_can_see() -> None:
    made, planned = design(bare(scan__first_mz=45.0, scan__delay_min=4.0), 150)
    instrument = made.instruments[0]
    names = {made.compounds.name[each.record] for plan in planned.plans for each in plan.peaks}
    assert "sulfur dioxide" in names
    assert not names & {"water", "carbon dioxide", "oxygen", "octylamine"}, "all below m/z 45"
    assert not names & {"thiophene", "toluene"}, "before the detector is on"
    for each in peaks(planned.plans, COMPOUND):
        assert made.compounds.spectrum[each.record, instrument.mz].max() >= 0.1
        assert each.time_min >= instrument.time_min[0]


def test_minerals_give_off_gases_for_minutes() -> None:
    made, planned = design(bare(minerals__width_min=2.0), 200)
    gases = peaks(planned.plans, EVOLVED_GAS)
    assert len(gases) >= 20
    assert all(made.evolved[each.record] for each in gases)
    sigma = np.array([each.sigma_min for each in gases])
    assert 1 <= sigma.min() < 1.4 < 2.6 < sigma.max() <= 3
    assert sigma.min() > 20 * peaks(planned.plans, COMPOUND)[0].sigma_min
    times = np.array([each.time_min for each in gases])
    first, last = made.instruments[0].time_min[[0, -1]]
    assert first <= times.min() < 4 < last - 3 < times.max() <= last


def test_contaminants() -> None:
    physics = bare(
        contaminants__number=3.0,
        contaminants__lowest_decade=1.0,
        contaminants__highest_decade=2.0,
    )
    made, planned = design(physics, 150)
    found = peaks(planned.plans, CONTAMINANT)
    assert {made.kind[each.record] for each in found} == {CONTAMINANT}
    assert len(found) / 150 == pytest.approx(3, rel=0.2)
    assert 0 < decades(found).min() < decades(found).max() < 3.2
    records = np.array([each.record for each in found])
    _, often = np.unique(records, return_counts=True)
    assert often.max() > 3 * np.median(often), "an instrument has its own"
    levels = decades(found)[records == records[0]]
    assert levels.std() == pytest.approx(0.3, rel=0.5)


def test_reagent_artefacts_are_in_derivatized_runs_alone() -> None:
    physics = bare(reagent__artefacts=3.0, reagent__lowest_decade=2.0, reagent__highest_decade=4.0)
    made, planned = design(physics, 60)
    for plan in planned.plans:
        artefacts = peaks((plan,), REAGENT)
        assert len(artefacts) == (3 if plan.derivatized else 0)
        assert all(made.kind[each.record] == REAGENT for each in artefacts)
    assert decades(peaks(planned.plans, REAGENT)).min() >= 2
    assert decades(peaks(planned.plans, REAGENT)).max() <= 4
    assert len({each.record for each in peaks(planned.plans, REAGENT)}) <= 5


def test_the_solvent_and_its_tail() -> None:
    physics = bare(
        solvent__share=1.0, solvent__height=1e5, solvent__tail_share=0.01, solvent__tail_min=0.5
    )
    made, planned = design(physics, 20)
    for plan in planned.plans:
        peak, slow = peaks((plan,), SOLVENT)
        assert made.kind[peak.record] == SOLVENT
        assert (peak.height, slow.height) == (1e5, 1e3)
        assert peak.sigma_min == pytest.approx(OVERLOADED * 2 * SECOND)
        assert slow.tail_min == 0.5
        assert slow.time_min == peak.time_min
    assert len({each.record for each in peaks(planned.plans, SOLVENT)}) == 1
    _, half = design(bare(solvent__share=0.5), 100)
    assert 30 < len(peaks(half.plans, SOLVENT)) / 2 < 70


def test_the_injected_amount_is_of_all_peaks_of_the_sample() -> None:
    _, single = design(bare(), 30)
    _, double = design(bare(injection__amount=2.0), 30)
    for role in (COMPOUND, EVOLVED_GAS):
        before, after = peaks(single.plans, role), peaks(double.plans, role)
        assert before
        np.testing.assert_allclose(decades(after) - decades(before), np.log10(2))


def test_retention_of_a_run_is_off_by_a_factor() -> None:
    made, planned = design(bare(retention__shift=0.01), 30)
    found = peaks(planned.plans, COMPOUND)
    expected = [0.01 * made.retention_time_min[0, each.record] for each in found]
    np.testing.assert_allclose(elutes(made, found), expected)


def test_retention_of_a_peak_scatters() -> None:
    made, planned = design(bare(retention__scatter_s=3.0), 200)
    scatter_s = 60 * elutes(made, peaks(planned.plans, COMPOUND))
    assert scatter_s.std() == pytest.approx(3, rel=0.15)
    assert abs(scatter_s.mean()) < 1


def test_peaks_broaden_with_time() -> None:
    made, planned = design(bare(peaks__broadening=1.5), 40)
    last = made.instruments[0].time_min[-1]
    for each in peaks(planned.plans, COMPOUND):
        assert each.sigma_min == pytest.approx(2 * SECOND * (1 + 1.5 * each.time_min / last))


def test_peaks_tail() -> None:
    _, planned = design(bare(peaks__tail=0.5), 200)
    found = peaks(planned.plans, COMPOUND)
    np.testing.assert_allclose([each.tail_min / each.sigma_min for each in found], 0.5)
    _, spread = design(bare(peaks__tail=0.5, peaks__tail_spread=0.4), 200)
    tails = np.log([each.tail_min / each.sigma_min for each in peaks(spread.plans, COMPOUND)])
    assert np.median(tails) == pytest.approx(np.log(0.5), abs=0.1)
    assert tails.std() == pytest.approx(0.4, rel=0.15)


def single(made: Laboratory, name: str, instrument: int, height: float = 1000.0) -> Plan:
    content = Peak(record_of(made, name), COMPOUND, height, 5.0, 0.05, 0.01)
    return Plan(
        instrument, False, conditions(made.physics), (content,), np.zeros(9, bool), seed=(1,)
    )


def test_carry_over_is_of_the_run_before_on_the_same_instrument() -> None:
    made = laboratory(bare(carry_over__share=0.01), instruments=2)
    gas = dataclasses.replace(single(made, "toluene", 0).peaks[0], role=EVOLVED_GAS)
    first = single(made, "decane", 0)
    first = dataclasses.replace(first, peaks=(*first.peaks, gas))
    plans = [
        first,
        single(made, "octanol", 1),
        single(made, "toluene", 0),
        single(made, "thiophene", 0),
        single(made, "quinoline", 1),
    ]
    carried = Plans(plans.__getitem__, np.array([-1, -1, 0, 2, 1]), made)
    left = [peaks((plan,), CARRY_OVER) for plan in carried]
    names = [[made.compounds.name[each.record] for each in some] for some in left]
    assert names == [[], [], ["decane"], ["toluene"], ["octanol"]], "and not two runs long"
    for some in left[2:]:
        assert [each.height for each in some] == [10.0]
        assert [each.time_min for each in some] == [5.0]
    for before, after in zip(plans, carried, strict=True):
        assert after.peaks[: len(before.peaks)] == before.peaks


def test_without_carry_over_nothing_is_left() -> None:
    made = laboratory(bare())
    plans = [single(made, "decane", 0), single(made, "octanol", 0)]
    assert Plans(plans.__getitem__, np.array([-1, 0]), made)[:] == plans
