"""Windows of models that look at apexes."""

from __future__ import annotations

import numpy as np

from gale import Run, find_windows
from gale.features.apexes import ApexSpec
from gale.features.elution import ElutionSpec
from gale.features.profile import ProfileSpec
from helpers.whole_graphs import drawn_model

SPEC = ApexSpec(ProfileSpec(ElutionSpec(24, 20, 60), losses=5), events=16)
SIGMA = 3.0


def run_of(*peaks: tuple[int, dict[int, float]]) -> Run:
    """A run of 900 scans in 15 minutes with noise, and peaks: scan and spectrum."""
    random = np.random.default_rng(5)
    signal = random.uniform(0.5, 1.5, (900, 41))
    for at, spectrum in peaks:
        shape = np.exp(-0.5 * ((np.arange(900) - at) / SIGMA) ** 2)
        for mz, height in spectrum.items():
            signal[:, mz - 20] += height * shape
    scan, channel = np.nonzero(signal > 1)
    return Run.from_rows(scan / 60, channel + 20.0, signal[scan, channel])


def test_apexes_are_scans_of_the_peaks_and_windows_are_not_wider_than_they() -> None:
    peaks = {300: {43: 900.0, 57: 500.0}, 620: {31: 2000.0, 45: 800.0}}
    run = run_of(*peaks.items())
    windows = find_windows(drawn_model(SPEC), run, least=0.0)
    assert {window.family for window in windows}
    for window in windows:
        scan = window.apex_min * 60
        assert min(abs(scan - at) for at in peaks) <= 1
        assert window.start_min <= window.apex_min <= window.end_min
        assert (window.end_min - window.start_min) * 60 <= 8 * SIGMA
        highest = int(window.spectrum.argmax()) + 20
        assert highest in {43, 31}


def test_a_run_without_apexes_has_no_windows() -> None:
    steady = Run.from_rows(np.repeat(np.arange(100.0), 2), np.tile([30.0, 50.0], 100), np.ones(200))
    model = drawn_model(SPEC)
    assert find_windows(model, steady, least=0.0) == []
    assert model.evidence(steady).height == 0
