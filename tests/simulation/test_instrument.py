"""Instruments: what follows from what was drawn."""

from __future__ import annotations

import numpy as np
import pytest

from gale.simulation import Physics
from gale.simulation.compounds import N_MZ
from gale.simulation.instrument import MAX_LENGTH_MIN, Instrument
from helpers.laboratories import bare


def draw(seed: int = 1, **values: float) -> Instrument:
    return Instrument.draw(bare(**values), seed)


def test_the_same_seed_draws_the_same() -> None:
    physics = Physics.default()
    assert Instrument.draw(physics, 3) == Instrument.draw(physics, 3)
    assert Instrument.draw(physics, 3) != Instrument.draw(physics, 4)


def test_scans_are_even_from_the_delay_to_the_end() -> None:
    instrument = draw(scan__delay_min=2.0, scan__rate_hz=2.0)
    np.testing.assert_allclose(np.diff(instrument.time_min), 1 / 120)
    assert instrument.time_min[0] == pytest.approx(2 + 1 / 120)
    end = 1 + 250 / 20 + 1  # hold, ramp, hold
    assert end - 1 / 60 <= instrument.time_min[-1] <= end


def test_a_delay_below_nought_is_none() -> None:
    np.testing.assert_array_equal(draw(scan__delay_min=-2.0).time_min, draw().time_min)
    assert draw().time_min[0] > 0


def test_runs_are_cut() -> None:
    assert draw(column__end_hold_min=60.0).time_min[-1] < MAX_LENGTH_MIN


@pytest.mark.parametrize(
    ("first", "last", "scanned"), [(2, 350, slice(2, 351)), (33.4, 900, slice(33, N_MZ))]
)
def test_the_range_of_mz(first: float, last: float, scanned: slice) -> None:
    assert draw(scan__first_mz=first, scan__last_mz=last).mz == scanned


def test_a_source_of_random_numbers_for_each_purpose() -> None:
    instrument, other = draw(1), draw(2)
    assert instrument.rng("bleed").random() == instrument.rng("bleed").random()
    assert instrument.rng("bleed").random() != instrument.rng("solvent").random()
    assert instrument.rng("spectrum", 1).random() != instrument.rng("spectrum", 2).random()
    assert instrument.rng("bleed").random() != other.rng("bleed").random()


def test_response() -> None:
    assert draw(spectra__discrimination=-0.4).response[[100, 200]] == pytest.approx(
        [1, np.exp(-0.4)]
    )
    np.testing.assert_array_equal(draw().response, 1)


def test_integers_are_written_where_a_unit_of_noise_is_large() -> None:
    assert draw(unit__decades=2.1).writes_integers
    assert not draw(unit__decades=2.0).writes_integers
