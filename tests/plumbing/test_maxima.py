"""Local maxima are those of SciPy."""

from __future__ import annotations

import numpy as np
from hypothesis import example, given
from hypothesis import strategies as st
from scipy.signal import find_peaks

from gale.plumbing.maxima import local_maxima

CURVES = st.lists(
    st.integers(-3, 3) | st.floats(-1e6, 1e6, allow_nan=False), max_size=40
)  # few heights, so that plateaus are common


@given(CURVES)
@example([])
@example([1.0])
@example([0.0, 1.0, 1.0])
@example([0.0, 1.0, 1.0, 1.0, 1.0, 0.0, 1.0, 0.0])
def test_they_are_those_of_scipy(curve: list[float]) -> None:
    values = np.array(curve, dtype=np.float64)
    np.testing.assert_array_equal(local_maxima(values), find_peaks(values)[0])
