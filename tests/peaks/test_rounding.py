"""Nominal m/z of instruments whose decimals grow with m/z."""

from __future__ import annotations

import numpy as np
import pytest

from gale.peaks.rounding import calibrated_nominal
from gale.run import Run


def run_of(slope: float, offset: float, whole: bool = False) -> tuple[Run, np.ndarray]:
    rng = np.random.default_rng(3)
    true = rng.integers(40, 450, 3000)
    mz = true * (1 + 0.0004) + true * slope + offset + rng.normal(0, 0.02, 3000)
    scans = np.repeat(np.arange(100), 30)
    order = np.lexsort((mz, scans))
    mz = np.where(whole, true, mz)
    return (
        Run.from_scans(np.arange(100) / 10, np.full(100, 30), mz[order], rng.uniform(1, 9, 3000)),
        true[order],
    )


@pytest.mark.parametrize(
    ("slope", "offset", "whole"),
    [(0, 0, True), (0, 0, False), (0, 0.2, False), (0.004, -0.5, False), (0.0035, -0.2, False)],
)
def test_ions_get_their_number(slope: float, offset: float, whole: bool) -> None:
    run, true = run_of(slope, offset, whole)
    assert np.mean(calibrated_nominal(run) == true) > 0.999
    if slope:
        assert np.mean(np.rint(run.mz) == true) < 0.9


def test_decimals_without_order_are_rounded_as_they_are() -> None:
    rng = np.random.default_rng(0)
    mz = np.sort(rng.uniform(40, 400, (50, 20)), axis=1).ravel()
    run = Run.from_scans(np.arange(50), np.full(50, 20), mz, rng.uniform(1, 9, 1000))
    np.testing.assert_array_equal(calibrated_nominal(run), np.rint(mz))
