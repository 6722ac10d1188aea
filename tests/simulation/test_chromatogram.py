"""The signal: peaks against a numerical convolution, and every part of the background."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.integrate import quad

from gale.simulation.chromatogram import SILYL, add_peak, background, exponential_gaussian
from gale.simulation.instrument import Instrument
from gale.simulation.peaks import COMPOUND, Peak
from gale.simulation.physics import Physics
from gale.simulation.plan import Plan
from helpers.laboratories import bare, laboratory, plan, record_of

SECOND = 1 / 60


def course(physics: Physics, mz: int, *, derivatized: bool = False, seed: int = 1) -> np.ndarray:
    """Background of one m/z over time."""
    made = laboratory(physics, seed=seed)
    signal = background(made, plan(physics, derivatized=derivatized))
    return signal[:, mz - made.instruments[0].mz.start]


def instrument_of(physics: Physics) -> Instrument:
    return Instrument.draw(physics, 1)


@pytest.mark.parametrize("tail", [2e-3, 0.01, 0.1, 0.3, 1.0, 3.0, 10.0, 100.0])
def test_peak_is_the_convolution(tail: float) -> None:
    sigma, centre = 0.02, 5.0
    for deviations in (-4.0, -1.0, 0.0, 0.5, 1.0, 3.0, 10.0, 40.0):
        distance = deviations * sigma

        def height(delay: float, distance: float = distance) -> float:
            gaussian = np.exp(-0.5 * ((distance - delay) / sigma) ** 2)
            return float(gaussian * np.exp(-delay / (tail * sigma)) / (tail * sigma))

        near = [max(distance + step * sigma, 0.0) for step in (-6, -3, 0, 3, 6)]
        points = sorted({*near, tail * sigma, 10 * tail * sigma})
        bounds = [0.0, *points, max(points) + 60 * tail * sigma]
        expected = sum(
            quad(height, low, high, epsabs=1e-13)[0] for low, high in pairwise(bounds) if high > low
        )
        found = exponential_gaussian(np.array([centre + distance]), centre, sigma, tail * sigma)
        assert found[0] == pytest.approx(expected, rel=1e-6, abs=1e-11)


@pytest.mark.parametrize("tail", [0.0, 1e-5, 0.5, 2.0, 30.0])
def test_a_tail_keeps_the_area(tail: float) -> None:
    sigma = 0.03
    time_min = np.arange(-1, 1 + 40 * tail * sigma, sigma / 50)
    area = np.trapezoid(exponential_gaussian(time_min, 0.0, sigma, tail * sigma), time_min)
    assert area == pytest.approx(sigma * np.sqrt(2 * np.pi), rel=1e-6)


@settings(deadline=None)
@given(
    st.floats(1e-4, 10),
    st.one_of(st.just(0.0), st.floats(-9, 6).map(lambda decade: 10**decade)),
    st.floats(-100, 100),
)
def test_a_peak_is_always_a_number(sigma: float, tail: float, centre: float) -> None:
    time_min = np.linspace(-200, 200, 401)
    heights = exponential_gaussian(time_min, centre, sigma, tail * sigma)
    assert np.isfinite(heights).all()
    assert np.all(heights >= 0)
    assert np.all(heights <= 1 + 1e-9)


def test_without_effects_nothing_is_there() -> None:
    for derivatized in (False, True):
        signal = background(laboratory(bare()), plan(bare(), derivatized=derivatized))
        assert signal.shape == (len(instrument_of(bare()).time_min), 349)
        assert not signal.any()


def test_bleed_rises_with_the_ramp() -> None:
    physics = bare(bleed__level=80.0, bleed__rise_c=30.0, column__end_c=320.0)
    level = course(physics, 207)
    instrument = instrument_of(physics)
    temperature = instrument.programme.temperature_c(instrument.time_min)
    at_300 = np.argmin(abs(temperature - 300))
    assert level[at_300] == pytest.approx(80, rel=0.02)
    np.testing.assert_allclose(level, 80 * np.exp((temperature - 300) / 30), rtol=1e-4)
    assert not course(physics.without("bleed"), 207).any()


@pytest.mark.parametrize(
    ("mz", "level"),
    [(28, 1000.0), (32, 1000 * 0.21 / 0.78), (40, 1000 * 0.0093 / 0.78), (18, 300.0)],
)
def test_air_and_water(mz: int, level: float) -> None:
    physics = bare(air__nitrogen=1000.0, air__water=300.0)
    np.testing.assert_allclose(course(physics, mz), level, rtol=0.03)
    assert not course(physics.without("air"), mz).any()


def test_the_carrier_is_seen_where_its_ion_is_scanned() -> None:
    physics = bare(carrier__helium=5e3)
    np.testing.assert_allclose(course(physics, 4), 5e3, rtol=1e-5)
    assert not course(physics.without("carrier"), 4).any()
    above = bare(carrier__helium=5e3, scan__first_mz=10.0)
    assert not background(laboratory(above), plan(above)).any()


def test_chemical_noise_is_everywhere_and_falls() -> None:
    physics = bare(chemical_noise__level=2.0, chemical_noise__fall_mz=100.0)
    signal = background(laboratory(physics), plan(physics))
    assert np.all(signal > 0)
    low, high = signal[0, 45 - 2 : 95 - 2].mean(), signal[0, 245 - 2 : 295 - 2].mean()
    assert low / high == pytest.approx(np.exp(2), rel=0.4)
    assert 1 < low < 6
    assert not background(laboratory(bare()), plan(bare())).any()


@pytest.mark.slow
def test_reagent_is_in_derivatized_runs_alone() -> None:
    physics = bare(reagent__level=30.0)
    for mz in SILYL:
        assert course(physics, mz, derivatized=True).min() > 0
        assert not course(physics, mz).any()
    np.testing.assert_allclose(course(physics, 73, derivatized=True), 30, rtol=1e-5)
    assert not course(physics.without("reagent"), 73, derivatized=True).any()


def test_a_run_has_its_level_of_the_background() -> None:
    physics = bare(air__nitrogen=1000.0)
    doubled = bare(air__nitrogen=1000.0, background__level=2.0)
    np.testing.assert_allclose(course(doubled, 28), 2 * course(physics, 28), rtol=1e-5)


def test_the_background_wanders() -> None:
    physics = bare(air__nitrogen=1000.0, air__water=1000.0, background__wander=0.2)
    nitrogen, water = np.log(course(physics, 28) / 1000), np.log(course(physics, 18) / 1000)
    assert 0.02 < nitrogen.std() <= 0.2
    assert np.abs(np.diff(nitrogen)).max() < 0.02, "slowly"
    assert not np.allclose(nitrogen, water, atol=0.01), "each on its own"
    assert np.ptp(course(physics.without("background"), 28)) == 0


def test_mass_discrimination_has_its_slope() -> None:
    physics = bare(chemical_noise__level=1.0, spectra__discrimination=-0.4)
    with_it = background(laboratory(physics), plan(physics))[0]
    plain = physics.without("spectra")
    without_it = background(laboratory(plain), plan(plain))[0]
    mz = np.arange(2, 351)
    np.testing.assert_allclose(np.log(with_it / without_it), -0.4 * (mz - 100) / 100, atol=1e-4)


def peak(time_min: float, *, sigma_min: float = 3 * SECOND, tail_min: float = 0.0) -> Peak:
    record = record_of(laboratory(bare()), "decane")
    return Peak(record, COMPOUND, 500.0, time_min, sigma_min, tail_min)


def test_a_peak_in_the_signal() -> None:
    made = laboratory(bare())
    instrument = made.instruments[0]
    signal = background(made, plan(bare()))
    centre = float(instrument.time_min[200])
    added = add_peak(signal, made, instrument, peak(centre))
    assert added.apex == 200
    assert np.argmax(signal[:, 43 - 2]) == 200
    assert signal[200, 43 - 2] == pytest.approx(500, rel=1e-5)
    assert signal[200, 57 - 2] == pytest.approx(450, rel=1e-5)
    np.testing.assert_array_equal(added.spectrum, signal[200])
    assert added.width_min == pytest.approx(2.355 * 3 * SECOND, abs=SECOND)
    assert set(np.flatnonzero(signal.any(axis=0)) + 2) == {43, 57, 85}
    area = signal[:, 43 - 2].sum() / 60 / instrument.scan_rate_hz
    assert area == pytest.approx(500 * 3 * SECOND * np.sqrt(2 * np.pi), rel=1e-3)


def test_a_tail_moves_the_highest_point_later() -> None:
    made = laboratory(bare())
    instrument = made.instruments[0]
    signal = background(made, plan(bare()))
    centre = float(instrument.time_min[200])
    tailed = add_peak(signal, made, instrument, peak(centre, tail_min=10 * SECOND))
    assert 201 <= tailed.apex <= 210
    assert tailed.spectrum.max() < 500
    before, after = signal[:, 41], signal[:, 41]
    assert after[tailed.apex + 15] > 10 * before[tailed.apex - 15]


@pytest.mark.parametrize("time_min", [-3.0, 0.0, 100.0])
def test_a_peak_outside_the_run(time_min: float) -> None:
    made = laboratory(bare(scan__delay_min=2.0))
    instrument = made.instruments[0]
    signal = background(made, plan(bare(scan__delay_min=2.0)))
    added = add_peak(signal, made, instrument, peak(time_min))
    assert not signal.any()
    assert not added.spectrum.any()
    assert added.apex == (0 if time_min < 2 else len(signal) - 1)
    assert added.width_min == 0


def test_ions_that_are_not_scanned_are_not_there() -> None:
    physics = bare(scan__first_mz=50.0, scan__last_mz=80.0)
    made = laboratory(physics)
    signal = background(made, Plan(0, False, plan(physics).conditions, (), np.zeros(9, bool), (1,)))
    add_peak(signal, made, made.instruments[0], peak(5.0))
    assert signal.shape[1] == 31
    assert set(np.flatnonzero(signal.any(axis=0)) + 50) == {57}
