"""The apex is the scan in which the ions are highest, wherever time bins begin and end."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from gale.evidence.apex import ApexFinder
from gale.features.elution import time_bins
from gale.run import Run


def run_of(time_min: np.ndarray, height: np.ndarray) -> Run:
    """Each scan with m/z 28, always at 500, and 57."""
    n_scans = len(time_min)
    mz, intensity = np.tile([28.0, 57.0], n_scans), np.full(2 * n_scans, 500.0)
    intensity[1::2] = height
    return Run.from_scans(time_min, np.full(n_scans, 2), mz, intensity)


@given(apex=st.floats(0.1, 9.9), bins=st.integers(3, 150), width=st.floats(0.03, 1.0))
def test_the_apex_of_a_peak_is_found_from_its_bin(apex: float, bins: int, width: float) -> None:
    """A slow, obvious search over all scans says the same."""
    time_min = np.linspace(0, 10, 501)
    height = 1 + 900 * np.exp(-0.5 * ((time_min - apex) / width) ** 2)
    run = run_of(time_min, height)
    highest = int(height.argmax())
    of_apex = int(time_bins(run, bins)[highest])
    assert ApexFinder(run, bins).scan(of_apex, [57]) == highest
    assert ApexFinder(run, bins).scan(of_apex, [28, 57]) == highest


def test_a_peak_over_the_edge_of_a_bin_is_followed_to_its_top() -> None:
    time_min = np.arange(8.0)
    run = run_of(time_min, np.array([1, 2, 3, 9, 20, 5, 1, 1.0]))
    finder = ApexFinder(run, bins=2)
    assert time_bins(run, 2).tolist() == [0, 0, 0, 0, 1, 1, 1, 1]
    assert finder.scan(0, [57]) == 4
    assert finder.scan(1, [57]) == 4


def test_the_middle_of_clipped_scans() -> None:
    run = run_of(np.arange(8.0), np.array([1, 2, 9, 9, 9, 2, 1, 1.0]))
    assert ApexFinder(run, bins=1).scan(0, [57]) == 3


def test_a_bin_between_scans_shows_the_earlier_one() -> None:
    run = run_of(np.array([0.0, 1, 2, 3, 10]), np.array([1, 5, 2, 7, 1.0]))
    assert [ApexFinder(run, bins=10).scan(at, [57]) for at in (3, 5, 8)] == [3, 3, 3]
