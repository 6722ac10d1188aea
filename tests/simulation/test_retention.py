"""Retention times against theory, and against published ones."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gale.errors import SimulationError
from gale.simulation import retention
from gale.simulation.retention import Programme, retention_time_min
from helpers.errors import refused

METHYL_ESTERS = {
    8: 7.812, 9: 9.248, 10: 10.647, 12: 13.250, 14: 15.597, 16: 17.723, 18: 19.663,
    20: 21.438, 22: 23.092, 24: 24.62, 26: 26.07, 28: 27.42, 30: 28.70,
}  # fmt: skip
"""Minutes at which fatty acid methyl esters of so many carbons elute: Kind et al. 2009."""

programmes = st.builds(
    Programme,
    start_c=st.floats(35, 80),
    hold_min=st.floats(0, 3),
    ramp_c_per_min=st.floats(5, 40),
    end_c=st.floats(250, 330),
    end_hold_min=st.floats(0.5, 10),
)


def test_published_times() -> None:
    programme = Programme(60, 1, 10, 325, 10)
    index = np.array([100 * carbons + 326 for carbons in METHYL_ESTERS], dtype=float)
    times = retention_time_min(index, programme, dead_time_min=1.45, phase_ratio=250)
    np.testing.assert_allclose(times, list(METHYL_ESTERS.values()), rtol=0, atol=0.07)


@pytest.mark.parametrize("celsius", [60.0, 100.0, 180.0])
def test_at_one_temperature_it_is_the_retention_factor(celsius: float) -> None:
    # indices of the grid, so that nothing is interpolated
    index = np.array([0.0, 500.0, 800.0, 1050.0])
    kelvin = celsius + 273.15
    ln_k = (retention.H0 + retention.H1 * index / 100) / (8.314 * kelvin) - (
        retention.S0 + retention.S1 * index / 100
    ) / 8.314
    factor = np.exp(ln_k) / 120
    programme = Programme(celsius, 0, 10, celsius, end_hold_min=60)
    times = retention_time_min(index, programme, dead_time_min=1.3, phase_ratio=120)
    np.testing.assert_allclose(times, 1.3 * (1 + factor), rtol=1e-9)


@settings(deadline=None, max_examples=30)
@given(programmes, st.floats(0.8, 2), st.floats(100, 500))
def test_alkanes_elute_in_order_and_after_the_gas(
    programme: Programme, dead_time_min: float, phase_ratio: float
) -> None:
    times = retention_time_min(
        np.arange(100.0, 4100.0, 100.0), programme, dead_time_min, phase_ratio
    )
    eluting = times[np.isfinite(times)]
    assert len(eluting) >= 10
    assert np.all(np.isposinf(times[len(eluting) :]))
    assert np.all(np.diff(eluting) > 0)
    assert eluting[0] >= dead_time_min - 1e-9
    assert eluting[-1] <= programme.length_min + 0.03


def test_between_alkanes_it_is_between_their_times() -> None:
    programme = Programme(60, 1, 10, 325, 10)
    times = retention_time_min(np.array([1000.0, 1030.0, 1100.0]), programme, 1.45, 250)
    assert times[0] < times[1] < times[2]


def test_a_faster_ramp_and_a_thinner_film_elute_earlier() -> None:
    index = np.array([1500.0])

    def elutes(ramp: float, phase_ratio: float) -> float:
        return float(retention_time_min(index, Programme(50, 1, ramp, 320, 5), 1, phase_ratio)[0])

    assert elutes(20, 250) < elutes(10, 250)
    assert elutes(10, 500) < elutes(10, 250)


def test_what_does_not_leave_the_column() -> None:
    programme = Programme(50, 1, 20, 250, 1)
    times = retention_time_min(np.array([1000.0, 5999.0, 9000.0]), programme, 1.2, 250)
    assert np.isfinite(times[0])
    assert np.all(np.isposinf(times[1:]))


def test_the_oven() -> None:
    programme = Programme(50, 2, 10, 100, 3)
    assert programme.length_min == 10
    np.testing.assert_allclose(
        programme.temperature_c(np.array([0.0, 2.0, 4.5, 7.0, 9.0])), [50, 50, 75, 100, 100]
    )


@pytest.mark.parametrize("dead_time_min", [20.999, 21.0, 500.0, float("inf")])
def test_a_dead_time_as_long_as_the_programme(dead_time_min: float) -> None:
    programme = Programme(60, 1, 10, 250, 1)
    with refused(SimulationError, found="dead time", remedy="dead_time_min"):
        retention_time_min(np.array([500.0]), programme, dead_time_min, phase_ratio=250)


def test_an_oven_that_only_cools() -> None:
    with refused(SimulationError, found="programme"):
        retention_time_min(np.array([500.0]), Programme(300, 0, 10, 40, 1), 1.5, 250)
