"""From signal to record: noise, flicker, saturation, threshold, centroids."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gale.simulation.detector import (
    MASS_DEFECT,
    Recorded,
    detection_limit,
    measure,
    noise_deviation,
    record,
)
from gale.simulation.instrument import Instrument
from gale.simulation.physics import Physics
from helpers.laboratories import bare

MANY = (300, 349)


def instrument_of(physics: Physics) -> Instrument:
    return Instrument.draw(physics, 1)


def measured(level: float, seed: int = 0, **values: float) -> np.ndarray:
    signal = np.full(MANY, level, dtype=np.float32)
    return measure(signal, instrument_of(bare(**values)), np.random.default_rng(seed))


def recorded(
    signal: np.ndarray, threshold: float = 1.0, drift: float = 0.0, **values: float
) -> Recorded:
    instrument = instrument_of(bare(**values))
    whole = np.zeros((len(instrument.time_min), 349), dtype=np.float32)
    whole[: len(signal)] = signal
    return record(whole, threshold, instrument, drift, np.random.default_rng(0))


def test_electronic_noise_is_the_unit() -> None:
    assert measured(0.0).std() == pytest.approx(1, rel=0.02)
    assert measured(1e4).std() == pytest.approx(1, rel=0.02), "shot noise and flicker are off"
    assert measured(1e4).mean() == pytest.approx(1e4, rel=1e-4)


@pytest.mark.parametrize("level", [10.0, 1e3, 1e5])
def test_shot_noise_has_its_variance(level: float) -> None:
    variance = measured(level, detector__shot=0.5).var()
    assert variance == pytest.approx(1 + 0.5 * level, rel=0.03)


def test_flicker_is_of_whole_scans() -> None:
    share = measured(1e6, detector__flicker=0.02) / 1e6
    assert share.mean(axis=1).std() == pytest.approx(0.02, rel=0.15)
    assert share.std(axis=1).max() < 1e-4
    assert (measured(1e6) / 1e6).mean(axis=1).std() < 1e-6


def test_saturation() -> None:
    assert measured(1e6, detector__full_scale_decades=5.0).max() == 1e5
    assert measured(1e4, detector__full_scale_decades=5.0).max() < 1.1e4
    assert measured(1e12).max() >= 1e12, "switched off"


def test_what_is_below_the_threshold_is_not_recorded() -> None:
    signal = np.zeros((4, 349), dtype=np.float32)
    signal[1, 10], signal[1, 20], signal[2, 30] = 5.0, 4.9, 50.0
    found = recorded(signal, threshold=5.0, unit__decades=0.0)
    instrument = instrument_of(bare())
    np.testing.assert_allclose(found.time_min, instrument.time_min[[1, 2]], atol=1e-6)
    np.testing.assert_allclose(found.mz, np.array([12, 32]) * (1 + MASS_DEFECT), atol=1e-6)
    np.testing.assert_allclose(found.intensity, [5, 50])


def test_dropped_scans() -> None:
    full = np.full((500, 349), 10, dtype=np.float32)
    kept = recorded(full, scan__dropped=0.2)
    assert len(np.unique(kept.time_min)) == pytest.approx(400, abs=45)
    assert len(kept.time_min) == 349 * len(np.unique(kept.time_min)), "whole scans"
    assert len(np.unique(recorded(full).time_min)) == 500


def errors(**values: float) -> np.ndarray:
    """m/z less the true one, (S, M)."""
    drift = values.pop("drift", 0.0)
    found = recorded(np.full(MANY, 10, np.float32), threshold=10.0, drift=drift, **values)
    nominal = np.arange(2, 351)
    return found.mz.reshape(MANY) - nominal * (1 + MASS_DEFECT)


def test_calibration() -> None:
    mz = np.arange(2, 351)
    off = errors(calibration__offset=0.1, calibration__slope=-0.03, drift=0.02)
    np.testing.assert_allclose(off, np.tile(0.12 - 0.03 * mz / 100, (300, 1)), atol=1e-6)
    np.testing.assert_allclose(errors(), 0, atol=1e-6)


def test_weak_ions_scatter_more() -> None:
    assert errors(calibration__jitter=0.1).std() == pytest.approx(0.1, rel=0.03)
    signal = np.full(MANY, 40, np.float32)
    strong = recorded(signal, threshold=10.0, calibration__jitter=0.1)
    rest = strong.mz.reshape(MANY) - np.arange(2, 351) * (1 + MASS_DEFECT)
    assert rest.std() == pytest.approx(0.05, rel=0.03), "four times as many ions, half the error"
    assert errors().std() < 1e-6


@settings(deadline=None, max_examples=20)
@given(st.floats(0, 2), st.floats(-1, 1), st.floats(-0.3, 0.3))
def test_ions_stay_in_order_within_a_scan(jitter: float, offset: float, slope: float) -> None:
    found = recorded(
        np.full((20, 349), 1.0, np.float32),
        calibration__jitter=jitter,
        calibration__offset=offset,
        calibration__slope=slope,
    )
    assert np.all(np.diff(found.mz.reshape(20, 349), axis=1) > 0)


def test_the_unit_in_which_it_is_written() -> None:
    signal = np.full((3, 349), 12.345, dtype=np.float32)
    coarse, fine = recorded(signal, unit__decades=1.5), recorded(signal, unit__decades=3.0)
    assert coarse.intensity.dtype == np.float64
    np.testing.assert_allclose(coarse.intensity, 12.345 * 10**1.5, atol=0.006)
    assert fine.intensity.dtype == np.int64
    assert set(fine.intensity) == {12345}


@pytest.mark.parametrize(("level", "counted"), [(10.2, 9.0), (1.2, 3.0), (7.6, 9.0)])
def test_intensities_are_counted_in_steps(level: float, counted: float) -> None:
    signal = np.full((3, 349), level, dtype=np.float32)
    stepped = recorded(signal, unit__decades=0.0, detector__step=3.0)
    assert set(stepped.intensity) == {counted}, "an ion that is recorded is one step or more"
    assert set(recorded(signal, unit__decades=0.0).intensity) == {level}


def test_the_detection_limit_is_of_noise_or_threshold() -> None:
    instrument = instrument_of(bare(detector__shot=0.5))
    level = np.array([0, 10, 1000], dtype=np.float32)
    np.testing.assert_allclose(noise_deviation(level, instrument), np.sqrt(1 + 0.5 * level))
    low = detection_limit(level, 2.0, instrument)
    np.testing.assert_allclose(low, 3 * np.sqrt(1 + 0.5 * level), rtol=1e-6)
    high = detection_limit(level, 500.0, instrument)
    np.testing.assert_allclose(high, [500, 490, 3 * np.sqrt(501)], rtol=1e-6)
