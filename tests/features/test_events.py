"""Event features: the profile and the busiest rows of the elution image, and when these were."""

from __future__ import annotations

import json
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gale.errors import ModelError, ReadError
from gale.features.elution import ElutionSpec
from gale.features.events import EventSpec, busiest
from gale.features.kinds import feature_spec
from gale.features.profile import ProfileSpec
from gale.run import Floats, Run
from helpers.elution_runs import elution_image, noisy_run, run_of
from helpers.errors import refused

PROFILE = ProfileSpec(ElutionSpec(bins=40, mz_first=12, mz_last=100), losses=20)
SPEC = EventSpec(PROFILE, events=6)
PEAKS = {0.25: {43: 300.0, 57: 200.0, 71: 90.0}, 0.7: {91: 800.0, 92: 500.0, 65: 100.0}}
BACKGROUND = {18: 60.0, 28: 900.0, 44: 12.0}


def obvious(run: Run, spec: EventSpec) -> tuple[list[float], list[float]]:
    """Vector and times of a run, from its image and its profile, one row after the other."""
    elution = spec.profile.elution
    image = elution_image(run, elution).astype(float)
    busy = sorted(range(elution.bins), key=lambda row: (-image[row].sum(), row))
    rows = sorted(busy[: spec.events])
    width = (run.time_min[-1] - run.time_min[0]) / elution.bins
    times = [run.time_min[0] + width * row + width / 2 for row in rows]
    return [*spec.profile.features_of(run), *(x for row in rows for x in image[row])], times


@given(st.integers(0, 10**6), st.integers(1, 12), st.integers(1, 12), st.integers(2, 30))
@settings(max_examples=60, deadline=None)
def test_the_vector_is_put_together_in_the_obvious_way(
    seed: int, n_events: int, bins: int, n_scans: int
) -> None:
    signal = 10 * np.random.default_rng(seed).lognormal(size=(n_scans, 5))
    run = run_of(signal, np.arange(20.0, 25.0), threshold=4.0)
    spec = EventSpec(ProfileSpec(ElutionSpec(bins, 20, 24), losses=3), n_events)
    vector, times = spec.describe(run)
    expected, when = obvious(run, spec)
    assert vector.dtype == np.float32
    assert vector.shape == (spec.n_features,)
    assert np.isfinite(vector).all()
    np.testing.assert_allclose(vector, expected, rtol=1e-6)
    np.testing.assert_allclose(times, when, rtol=1e-12)
    np.testing.assert_array_equal(spec.features_of(run), vector)


def test_shape_length_and_blocks() -> None:
    assert SPEC.shape == (6, 89)
    assert SPEC.n_features == PROFILE.n_features + 6 * 89
    assert SPEC.mz == PROFILE.mz == tuple(range(12, 101))
    assert SPEC.blocks == PROFILE.blocks
    assert EventSpec().shape == (96, 339)


def test_the_spectra_are_those_of_the_peaks_in_the_order_of_time() -> None:
    run = noisy_run(PEAKS, background=BACKGROUND, minutes=20.0)  # from minute 2
    vector, times = replace(SPEC, events=2).describe(run)
    np.testing.assert_allclose(times, [2 + 0.25 * 20, 2 + 0.7 * 20], atol=0.5)
    early, late = vector[PROFILE.n_features :].reshape(2, 89)
    assert set(np.argsort(early)[-3:] + 12) == {43, 57, 71}
    assert set(np.argsort(late)[-3:] + 12) == {91, 92, 65}


def test_more_events_than_bins_are_all_bins() -> None:
    spec = replace(SPEC, events=1000)
    run = noisy_run(PEAKS)
    vector, times = spec.describe(run)
    assert spec.shape == (40, 89)
    image = elution_image(run, PROFILE.elution)
    np.testing.assert_array_equal(vector[PROFILE.n_features :].reshape(40, 89), image)
    width = 20 / 40
    np.testing.assert_allclose(times, 2 + width * (np.arange(40) + 0.5))


@pytest.mark.parametrize("time_min", [(1.0, 3.0), (2.0, 2.0)])
def test_a_run_of_two_scans(time_min: tuple[float, float]) -> None:
    run = Run.from_scans(time_min, [1, 2], [43.0, 43.0, 57.0], [5.0, 50.0, 20.0])
    vector, times = SPEC.describe(run)
    assert np.isfinite(vector).all()
    assert times.shape == (6,)
    assert (np.diff(times) >= 0).all()
    assert times.min() >= time_min[0]
    assert times.max() <= time_min[1]


@pytest.mark.parametrize(("least", "most"), [(5e-324, 1e30), (1e30, 1e30)])
def test_absurd_intensities_stay_finite(least: float, most: float) -> None:
    run = Run.from_scans([0.0, 5.0, 10.0], [1, 1, 1], [20.0] * 3, [least, most, least])
    assert np.isfinite(SPEC.features_of(run)).all()


@pytest.mark.parametrize(
    ("sums", "number", "rows"),
    [
        ((1, 5, 2, 7), 2, [1, 3]),
        ((3, 3, 3, 3), 2, [0, 1]),  # of equal ones, the first
        ((1, 5), 9, [0, 1]),
        ((0, 0, 1), 1, [2]),
    ],
)
def test_the_busiest_bins(sums: tuple[float, ...], number: int, rows: list[int]) -> None:
    image = np.array([sums, np.zeros(len(sums))], dtype=np.float32).T
    assert busiest(image, number).tolist() == rows


def test_sums_of_many_mz_are_not_rounded() -> None:
    # in single precision 2^24 + 1 is 2^24, and the first of the two would be the busiest
    image = np.array([[2**24, 0, 0], [2**24, 1, 0]], dtype=np.float32)
    assert busiest(image, 1).tolist() == [1]


def test_a_run_without_ions_that_count_is_refused() -> None:
    signal: Floats = np.full((2, 2), 5.0)
    with refused(ReadError, "memory", found=["m/z 12 to 100", " 4"]):
        SPEC.describe(run_of(signal, np.array([300.0, 301.0])))


def test_a_spec_travels_and_another_version_is_refused() -> None:
    values = json.loads(json.dumps(SPEC.to_dict()))
    assert EventSpec.from_dict(values, "m.onnx") == SPEC
    assert feature_spec(values, "m.onnx") == SPEC
    inside = {**PROFILE.to_dict(), "version": 7}
    for kind, change in (("events", {"version": 7}), ("profile", {"profile": inside})):
        with refused(ModelError, "m.onnx", found=[kind, "version 7"], expected="version 1"):
            feature_spec({**SPEC.to_dict(), **change}, "m.onnx")


def test_the_fingerprint_tells_specs_and_versions_of_the_code_apart(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    others: list[EventSpec | ProfileSpec] = [
        replace(SPEC, events=7),
        replace(SPEC, profile=replace(PROFILE, losses=9)),
        replace(SPEC, profile=replace(PROFILE, elution=ElutionSpec(bins=9))),
        PROFILE,
    ]
    before = {each.fingerprint for each in (SPEC, *others)}
    assert len(before) == 5
    monkeypatch.setattr(EventSpec, "version", EventSpec.version + 1)
    assert SPEC.fingerprint not in before
