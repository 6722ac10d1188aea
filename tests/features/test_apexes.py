"""Apex features: where ions rise and fall together, and the spectra there."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gale import Run
from gale.errors import ModelError, ReadError
from gale.features import apexes
from gale.features.apexes import LEVELS, ApexSpec, groups_of, kernel_of
from gale.features.elution import ElutionSpec
from gale.features.kinds import feature_spec
from gale.features.profile import ProfileSpec
from helpers.errors import refused

SPEC = ApexSpec(ProfileSpec(ElutionSpec(24, 20, 60), losses=5), events=16)
N_SCANS = 1500


def a_run(*peaks: tuple[float, float, float, dict[int, float]], seed: int = 0) -> Run:
    """A run with noise at every m/z, and Gaussian peaks: scan, deviation, height, spectrum."""
    random = np.random.default_rng(seed)
    signal = random.uniform(0.5, 1.5, (N_SCANS, 41))
    scans = np.arange(N_SCANS)
    for at, sigma, height, spectrum in peaks:
        shape = height * np.exp(-0.5 * ((scans - at) / sigma) ** 2)
        for mz, share in spectrum.items():
            signal[:, mz - 20] += share * shape
    scan, channel = np.nonzero(signal > 1)
    return Run.from_rows(scan / 60, channel + 20.0, signal[scan, channel])


def beside(run: Run, scan: float) -> tuple[float, dict[int, float]]:
    """How far the highest apex within three scans is away, and its ions of 5 % and more."""
    events = SPEC.events_of(run)
    away = np.abs(events.time_min * 60 - scan)
    at = int(np.where(away <= 3, events.signal.max(axis=1), -1).argmax())
    row = events.signal[at]
    ions = {int(mz) + 20: float(row[mz]) for mz in np.flatnonzero(row > 0.05 * row.max())}
    return float(away[at]), ions


@pytest.mark.parametrize("sigma", [1.0, 2.0, 4.0])
@pytest.mark.parametrize("height", [8.0, 100.0, 1e5])
def test_a_peak_has_its_time_its_ions_and_its_height(sigma: float, height: float) -> None:
    away, ions = beside(a_run((150, sigma, height, {43: 1.0, 57: 0.6})), 150)
    assert away <= 1
    assert ions.keys() >= {43, 57}
    assert ions[43] == max(ions.values())
    assert 0.4 * height < ions[43] < 1.3 * height + 1


def test_peaks_that_overlap_are_apart() -> None:
    run = a_run((150, 2, 500, {31: 1.0}), (162, 2, 300, {45: 1.0}))
    first, second = beside(run, 150), beside(run, 162)
    assert first[0] <= 1
    assert second[0] <= 1
    assert max(first[1], key=first[1].__getitem__) == 31
    assert max(second[1], key=second[1].__getitem__) == 45


def test_a_hump_does_not_hide_a_peak_nor_a_peak_a_hump() -> None:
    run = a_run((200, 15, 50, {44: 1.0}), (208, 2, 60, {57: 1.0}))
    events = SPEC.events_of(run)
    highest = events.signal.argmax(axis=1) + 20
    assert {44, 57} <= set(highest.tolist())
    narrow = events.time_min[highest == 57] * 60
    assert np.abs(narrow - 208).min() <= 1


def test_noise_alone_has_hardly_any_apex() -> None:
    counts = [len(SPEC.events_of(a_run(seed=seed)).time_min) for seed in range(10)]
    assert np.mean(counts) < 3


@pytest.mark.slow
@given(st.integers(0, 10_000), st.floats(1e-3, 1e6))
def test_the_unit_of_intensities_does_not_matter(seed: int, unit: float) -> None:
    run = a_run((100, 2, 40, {30: 1.0, 41: 0.5}), seed=seed)
    other = Run(run.time_min, run.scan_start, run.mz, run.intensity * unit)
    np.testing.assert_allclose(SPEC.features_of(run), SPEC.features_of(other), atol=2e-3)


@pytest.mark.slow
@given(st.integers(2, 40), st.integers(1, 200), st.integers(0, 2**32))
def test_any_run_gives_finite_features_in_order_of_time(n_scans: int, n: int, seed: int) -> None:
    random = np.random.default_rng(seed)
    time = np.sort(random.integers(1, n_scans, n + 1)).astype(float)
    time[0] = 0
    run = Run.from_rows(time, random.uniform(20, 60, n + 1), random.lognormal(3, 3, n + 1))
    events = SPEC.events_of(run)
    assert events.vector.shape == (SPEC.n_features,)
    assert np.isfinite(events.vector).all()
    assert len(events.time_min) == len(events.signal) <= SPEC.events
    assert (np.diff(events.time_min) >= 0).all()
    assert (events.start_min <= events.time_min).all()
    assert (events.time_min <= events.end_min).all()
    rows = events.vector[SPEC.profile.n_features :].reshape(SPEC.shape)
    np.testing.assert_array_equal(rows[: len(events.signal)], np.log1p(events.signal))
    assert not rows[len(events.signal) :].any()


def test_of_too_many_apexes_the_highest_stay() -> None:
    peaks = [(20 + 30 * n, 2.0, 20.0 * 2**n, {30 + n: 1.0}) for n in range(12)]
    events = replace(SPEC, events=6).events_of(a_run(*peaks))
    highest = set((events.signal.argmax(axis=1) + 20).tolist())
    assert highest <= set(range(36, 42))
    assert 41 in highest
    assert len(events.time_min) <= 6


def test_groups_are_all_levels_and_all_apexes() -> None:
    for number in (1, 7, 8, 64):
        groups = groups_of(number)
        assert sum(most for _, most in groups) == number
        assert [at for levels, _ in groups for at in levels] == list(range(len(LEVELS)))


@pytest.mark.parametrize("sigma", sorted({sigma for sigma, _ in LEVELS}))
def test_the_kernel_gives_the_height_of_a_peak_above_a_slope(sigma: float) -> None:
    kernel = kernel_of(sigma)
    x = np.arange(len(kernel)) - len(kernel) // 2
    signal = 3.0 + 0.25 * x + 7.0 * np.exp(-0.5 * (x / sigma) ** 2)
    assert float(kernel @ signal) == pytest.approx(7.0, rel=1e-4)


def test_scans_of_a_very_long_run_are_taken_together(monkeypatch: pytest.MonkeyPatch) -> None:
    run = a_run((150, 3, 100, {43: 1.0, 57: 0.6}))
    scans = np.repeat(np.arange(N_SCANS), 3)  # each scan three times
    ions = np.concatenate([np.arange(*run.scan_start[scan : scan + 2]) for scan in scans])
    often = Run.from_scans(
        np.arange(3 * N_SCANS) / 180, run.ions_per_scan[scans], run.mz[ions], run.intensity[ions]
    )
    monkeypatch.setattr(apexes, "LONGEST", N_SCANS)
    once, thrice = SPEC.events_of(run), SPEC.events_of(often)
    np.testing.assert_allclose(once.signal, thrice.signal, rtol=1e-4, atol=1e-4)
    np.testing.assert_allclose(once.time_min + 1 / 180, thrice.time_min, atol=1e-6)


def test_no_ion_in_range_is_refused() -> None:
    with refused(ReadError, "memory", found="no ion at m/z 20 to 60"):
        SPEC.features_of(Run.from_rows([0.0, 1.0], [5.0, 300.0], [1.0, 1.0]))


def test_a_description_makes_the_same_features() -> None:
    assert feature_spec(SPEC.to_dict(), "model.onnx") == SPEC
    assert type(feature_spec(SPEC.to_dict(), "model.onnx")) is ApexSpec
    assert SPEC.fingerprint != replace(SPEC, events=17).fingerprint
    with refused(ModelError, "model.onnx", found="version 99"):
        feature_spec({**SPEC.to_dict(), "version": 99}, "model.onnx")


def test_a_file_cannot_ask_for_more_spectra_than_memory_holds() -> None:
    with refused(ModelError, "model.onnx", found="1,000,000,000 spectra of 41 m/z"):
        feature_spec({**SPEC.to_dict(), "events": 10**9}, "model.onnx")
