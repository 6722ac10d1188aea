"""Deviations that features are divided by."""

from __future__ import annotations

import numpy as np
import pytest

from gale.training.scaling import LEAST_SHARE, floored

DEVIATION = np.array([1e-5, 2.0, 4.0, 6.0, 0.0, 1e-5, 1e-5, 3e-5])


def test_small_ones_are_raised_to_half_the_usual_of_their_block() -> None:
    found = floored(DEVIATION, [slice(0, 5), slice(5, 8)])
    usual = (2.0 + 4.0) / 2  # one that never varies is not counted
    expected = [LEAST_SHARE * usual, 2.0, 4.0, 6.0, 0.0, 1e-5, 1e-5, 3e-5]
    np.testing.assert_array_equal(found, expected)


@pytest.mark.parametrize("unit", [2.0**-20, 2.0**10])
def test_the_unit_does_not_matter(unit: float) -> None:
    blocks = [slice(0, 5), slice(5, 8)]
    np.testing.assert_array_equal(
        floored(unit * DEVIATION, blocks), unit * floored(DEVIATION, blocks)
    )


def test_nothing_else_is_changed() -> None:
    given = DEVIATION.copy()
    np.testing.assert_array_equal(floored(given, []), DEVIATION)
    floored(given, [slice(None)])
    np.testing.assert_array_equal(given, DEVIATION)
    np.testing.assert_array_equal(floored(np.zeros(3), [slice(None)]), np.zeros(3))
    assert floored(np.ones(2, dtype=np.float32), [slice(None)]).dtype == np.float32
