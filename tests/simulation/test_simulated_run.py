"""One run: what is recorded, and the truth of it."""

from __future__ import annotations

import numpy as np
import pytest

from gale.simulation.chromatogram import background, exponential_gaussian
from gale.simulation.compounds import N_MZ
from gale.simulation.detector import Recorded
from gale.simulation.peaks import COMPOUND, Peak
from gale.simulation.run import STEADY, find_threshold, simulate_run
from helpers.laboratories import bare, default_but, laboratory, plan, record_of

THRESHOLD = 20.0
NOISY = {
    "chemical_noise__level": 1.0,
    "detector__shot": 0.2,
    "spectra__discrimination": -0.3,
    "spectra__ion_spread": 0.2,
}


def decane(height: float, *, tail_min: float = 0.04) -> Peak:
    record = record_of(laboratory(bare()), "decane")
    return Peak(record, COMPOUND, height, 6.0, 0.05, tail_min)


def test_abundance_is_what_an_independent_computation_gives() -> None:
    physics = bare(**NOISY)
    made = laboratory(physics)
    instrument = made.instruments[0]
    content = decane(300.0)
    planned = plan(physics, content)
    _, (truth,) = simulate_run(made, planned, THRESHOLD)

    time_min = instrument.time_min
    course = 300 * exponential_gaussian(time_min, 6.0, 0.05, 0.04)
    highest = int(np.argmax(course))
    behind = np.zeros(N_MZ)
    behind[instrument.mz] = background(made, planned)[highest]
    best = 0.0
    normal = instrument.rng("spectrum", content.record).standard_normal(N_MZ)
    for mz, height in ((43, 1.0), (57, 0.9), (85, 0.3)):
        seen = height * np.exp(0.2 * normal[mz]) * np.exp(-0.3 * (mz - 100) / 100)
        limit = max(3 * np.sqrt(1 + 0.2 * behind[mz]), THRESHOLD - behind[mz])
        best = max(best, course[highest] * seen / limit)
    assert truth["abundance"] == pytest.approx(best, rel=1e-3)
    assert truth["retention_time_min"] == pytest.approx(time_min[highest], abs=1e-4)
    assert truth["width_min"] == pytest.approx(60 * ((course >= course.max() / 2).sum()) / 3600)
    assert truth["compound"] == "decane"
    assert truth["role"] == COMPOUND
    assert truth["families"] == ["hydrocarbon"]


def near(physics_height: float, seed: int) -> set[int]:
    """Ions recorded in the three scans around the peak of decane."""
    physics = bare(detector__shot=0.2)
    made = laboratory(physics)
    recorded, (truth,) = simulate_run(
        made, plan(physics, decane(physics_height), seed=(seed,)), THRESHOLD
    )
    around = abs(recorded.time_min - truth["retention_time_min"]) < 1.5 / 60
    return set(np.rint(recorded.mz[around]).astype(int).tolist())


@pytest.mark.slow
def test_what_is_abundant_is_seen_and_what_is_not_is_not() -> None:
    for seed in range(5):
        assert near(3000.0, seed) == {43, 57, 85}
        assert near(6.0, seed) == set()


def test_the_seed_of_a_run_is_that_of_its_noise() -> None:
    physics = default_but()
    made = laboratory(physics)
    first, again, other = (
        simulate_run(made, plan(physics, decane(1e4), seed=seed), THRESHOLD)[0]
        for seed in ((1, 2), (1, 2), (1, 3))
    )
    np.testing.assert_array_equal(first.intensity, again.intensity)
    np.testing.assert_array_equal(first.mz, again.mz)
    assert len(other.mz) != len(first.mz) or np.any(other.intensity != first.intensity)


def test_a_substance_outside_the_run_has_no_abundance() -> None:
    physics = bare(scan__delay_min=8.0)
    made = laboratory(physics)
    recorded, (truth,) = simulate_run(made, plan(physics, decane(1e5)), THRESHOLD)
    assert truth["abundance"] == 0
    assert len(recorded.mz) == 0


def recorded_blank(ions: int) -> Recorded:
    physics = default_but(threshold__ions=1.0, background__level=1.0)
    made = laboratory(physics)
    threshold = find_threshold(made, 0, ions, seed=5)
    recorded, _ = simulate_run(made, plan(physics, seed=(9,)), threshold)
    return recorded


def test_the_threshold_leaves_about_so_many_ions() -> None:
    assert len(recorded_blank(20_000).mz) == pytest.approx(20_000, rel=0.1)


def test_the_threshold_leaves_more_than_air_and_water() -> None:
    others = ~np.isin(np.rint(recorded_blank(1_000).mz), STEADY)
    assert others.sum() == pytest.approx(500, rel=0.4)


def test_the_threshold_is_never_in_the_noise_below_nought() -> None:
    physics = bare()
    made = laboratory(physics)
    threshold = find_threshold(made, 0, 100_000_000, seed=5)
    recorded, _ = simulate_run(made, plan(physics), threshold)
    assert threshold > 0
    assert np.all(np.isfinite(recorded.mz))
    assert recorded.intensity.min() > 0
