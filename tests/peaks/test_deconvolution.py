"""Compounds that elute together are told apart."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.optimize import nnls

from gale.peaks import find_peaks
from gale.peaks.deconvolution import _heights
from gale.run import Floats, Integers
from helpers.eluting import Eluting, run_of

FIRST = {41: 300.0, 55: 500.0, 69: 999.0, 83: 400.0, 112: 150.0}
SECOND = {41: 200.0, 55: 150.0, 71: 999.0, 86: 350.0, 114: 250.0}


def cosine(mz: Integers, intensity: Floats, ions: dict[int, float]) -> float:
    known, found = np.zeros(400), np.zeros(400)
    known[list(ions)] = list(ions.values())
    found[mz] = intensity
    return float(known @ found / np.linalg.norm(known) / np.linalg.norm(found))


@pytest.mark.parametrize("ratio", [1.0, 0.1])
@pytest.mark.parametrize("apart", [0.5, 1.0, 2.0])
def test_two_compounds_with_ions_in_common(apart: float, ratio: float) -> None:
    width = 2.355 * 3
    true = [Eluting(200, 5e4, FIRST), Eluting(200 + apart * width, ratio * 5e4, SECOND)]
    one, other = find_peaks(run_of(true), names=False)
    assert cosine(one.mz, one.intensity, FIRST) > 0.98
    assert cosine(other.mz, other.intensity, SECOND) > 0.95
    for peak, each in zip((one, other), true, strict=True):
        assert abs(peak.apex - each.scan) <= 1
        assert peak.area == pytest.approx(each.area, rel=0.25)
    if apart == 0.5:
        assert min(one.purity, other.purity) < 0.7
    else:
        assert one.purity > 0.8


@given(seed=st.integers(0, 999), rows=st.integers(6, 14), columns=st.integers(1, 4))
@settings(max_examples=40, deadline=None)
def test_heights_are_the_non_negative_least_squares(seed: int, rows: int, columns: int) -> None:
    rng = np.random.default_rng(seed)
    centres = np.linspace(1, rows - 2, columns)
    profiles = np.exp(-0.5 * ((np.arange(rows)[:, None] - centres) / 1.2) ** 2)
    window = profiles @ rng.uniform(-1, 3, (columns, 5)) + rng.uniform(0, 9, 5)
    heights, _ = _heights(profiles, window)
    ramp = np.linspace(-1, 1, rows)
    straight = np.stack([np.ones(rows), ramp, -np.ones(rows), -ramp], axis=1)
    for channel in range(5):
        known, _ = nnls(np.hstack([profiles, straight]), window[:, channel])
        expected = float(
            np.sum((np.hstack([profiles, straight]) @ known - window[:, channel]) ** 2)
        )
        rest = window[:, channel] - profiles @ heights[:, channel]
        fitted = np.linalg.lstsq(straight[:, :2], rest, rcond=None)[0]
        reached = float(np.sum((rest - straight[:, :2] @ fitted) ** 2))
        assert reached <= 1.02 * expected + 1e-3 * float(np.sum(window[:, channel] ** 2))
    assert np.all(heights >= 0)
