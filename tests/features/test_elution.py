"""Elution images against a slow oracle, and what must not matter to them."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from scipy import ndimage

from gale.errors import ModelError, ReadError
from gale.features import elution
from gale.features.elution import ElutionSpec, excess, highest, over_noise, seen_ions
from gale.run import Run
from helpers.elution_runs import elution_image, noisy_run, run_of, signal_of
from helpers.errors import refused

SPEC = ElutionSpec(bins=64, mz_first=12, mz_last=110)
PEAKS = {0.25: {43: 300.0, 57: 200.0, 71: 90.0}, 0.7: {91: 800.0, 92: 500.0, 65: 100.0}}
BACKGROUND = {18: 60.0, 28: 900.0, 44: 12.0}

Scan = Sequence[tuple[float, float]]
"""m/z and intensity of the ions of a scan."""

MZ = [1.0, 4.0, 3.5, 4.49, 5.2, 5.5, 6.5, 8.4, 8.51, 40.0]
scans_of_runs = st.lists(
    st.lists(st.tuples(st.sampled_from(MZ), st.integers(0, 4).map(float)), max_size=4),
    min_size=2,
    max_size=12,
)


def run_of_scans(scans: Sequence[Scan], times: Sequence[float]) -> Run:
    ions = [ion for scan in scans for ion in scan]
    mz, intensity = np.reshape(ions, (-1, 2)).T
    return Run.from_scans(times, [len(scan) for scan in scans], mz, intensity)


def slow_image(
    scans: Sequence[Scan], times: Sequence[float], spec: ElutionSpec
) -> list[list[float]]:
    """The image, one bin at a time."""
    kept = [
        [(round(mz), i) for mz, i in scan if spec.mz_first <= round(mz) <= spec.mz_last]
        for scan in scans
    ]
    kept = [[(mz, i) for mz, i in scan if mz != 4 and i > 0] for scan in kept]
    floor = float(np.quantile([i for scan in kept for _, i in scan], 0.005))
    length = (times[-1] - times[0]) or 1
    of_bin: dict[int, list[tuple[int, float]]] = {}
    for time, scan in zip(times, kept, strict=True):
        at = min(int((time - times[0]) / length * spec.bins), spec.bins - 1)
        of_bin.setdefault(at, []).extend(scan)
    columns = []
    for mz in range(spec.mz_first, spec.mz_last + 1):
        signal: list[float] = []
        for at in range(spec.bins):
            ions = of_bin[max(b for b in of_bin if b <= at)]
            signal.append(max([1.0, *(i / floor for m, i in ions if m == mz)]))
        above = slow_excess(signal, round(spec.baseline * spec.bins / 2))
        noise = 1 + float(np.median(above))
        columns.append([float(np.log1p(each / noise)) for each in above])
    return [list(row) for row in zip(*columns, strict=True)]


def slow_excess(signal: list[float], half: int) -> list[float]:
    """What is above the highest of the lowest of the signal, smoothed, around each bin."""

    def around(values: list[float], t: int, reach: int) -> list[float]:
        return [values[min(max(t + k, 0), len(values) - 1)] for k in range(-reach, reach + 1)]

    places = range(len(signal))
    smooth = [sum(around(signal, t, 2)) / 5 for t in places]
    lowest = [min(around(smooth, t, half)) for t in places]
    return [max(signal[t] - max(around(lowest, t, half)), 0.0) for t in places]


@pytest.mark.slow
@given(scans_of_runs, st.integers(1, 9), st.sampled_from([0.05, 0.4, 1.0]), st.data())
@settings(max_examples=150, deadline=None)
def test_the_image_is_that_of_the_slow_oracle(
    scans: list[Scan], bins: int, baseline: float, data: st.DataObject
) -> None:
    spec = ElutionSpec(bins, 3, 8, baseline)
    assume(any(round(m) in (3, 5, 6, 7, 8) and i > 0 for scan in scans for m, i in scan))
    n = len(scans)
    steps = data.draw(st.lists(st.sampled_from([0.0, 0.5, 1.0, 6.0]), min_size=n, max_size=n))
    times = np.cumsum(steps).tolist()
    found = elution_image(run_of_scans(scans, times), spec)
    assert found.shape == (bins, 6)
    assert found.dtype == np.float32
    np.testing.assert_allclose(found, slow_image(scans, times, spec), rtol=1e-4, atol=1e-5)


def test_a_peak_is_where_and_as_high_as_it_was_put() -> None:
    mz = np.arange(10.0, 121.0)
    signal = signal_of({0.5: {43: 400.0, 57: 200.0}}, mz, 1281, {28: 50.0, 90: 1.0})
    image = elution_image(run_of(signal, mz), SPEC)
    assert image.shape == (64, 99)
    assert int(image.argmax()) == 32 * 99 + 43 - 12
    assert image.max() == pytest.approx(np.log1p(400 - 1), abs=0.02)
    assert image[32, 57 - 12] == pytest.approx(np.log1p(200 - 1), abs=0.02)
    image[:, [43 - 12, 57 - 12]] = 0
    assert image.max() < 0.6  # hardly anything is left of the background


@settings(max_examples=10, deadline=None)
@given(st.floats(1e-3, 1e6))
def test_the_unit_of_intensity_does_not_matter(unit: float) -> None:
    usual = elution_image(noisy_run(PEAKS, background=BACKGROUND), SPEC)
    np.testing.assert_allclose(
        elution_image(noisy_run(PEAKS, background=BACKGROUND, unit=unit), SPEC), usual, atol=1e-4
    )


def test_the_length_of_the_run_in_minutes_does_not_matter() -> None:
    usual, long = (
        elution_image(noisy_run(PEAKS, minutes=minutes, background=BACKGROUND), SPEC)
        for minutes in (10.0, 20.0)
    )
    np.testing.assert_array_equal(usual, long)


@pytest.mark.parametrize("n_scans", [300, 512, 4096])
def test_the_scan_rate_hardly_matters(n_scans: int) -> None:
    usual = elution_image(noisy_run(PEAKS, background=BACKGROUND), SPEC)
    found = elution_image(noisy_run(PEAKS, background=BACKGROUND, n_scans=n_scans), SPEC)
    peaks = usual > 3
    assert peaks.sum() > 10
    np.testing.assert_allclose(found[peaks], usual[peaks], atol=0.7)
    assert found.mean() == pytest.approx(usual.mean(), abs=0.1)


def test_another_threshold_takes_weak_ions_only() -> None:
    low, high = (
        excess(noisy_run(PEAKS, background=BACKGROUND, threshold=threshold), SPEC) * threshold
        for threshold in (1.0, 4.0)
    )
    strong = low > 100
    assert strong.sum() > 10
    # the floor of few ions is a little above the threshold
    np.testing.assert_allclose(np.log(high[strong]), np.log(low[strong]), atol=0.5)


def test_mz_that_were_not_scanned_are_zero_and_the_others_as_before() -> None:
    whole = noisy_run(PEAKS, background=BACKGROUND)
    scan = np.repeat(np.arange(whole.n_scans), whole.ions_per_scan)
    scanned = whole.mz >= 35
    cut = Run.from_scans(
        whole.time_min,
        np.bincount(scan[scanned], minlength=whole.n_scans),
        whole.mz[scanned],
        whole.intensity[scanned],
    )
    before, found = elution_image(whole, SPEC), elution_image(cut, SPEC)
    assert (found[:, : 35 - 12] == 0).all()
    np.testing.assert_allclose(found[:, 35 - 12 :], before[:, 35 - 12 :], atol=0.1)


def test_ions_that_cross_the_threshold_now_and_then_make_no_peaks() -> None:
    image = elution_image(noisy_run(PEAKS, threshold=3.0), SPEC)
    elutes = signal_of(PEAKS, np.arange(12.0, 111.0), 64).max(axis=0) > 0
    assert image[:, ~elutes].max() < 1.0
    assert image[:, elutes].max() > 4.0


def test_bins_finer_than_scans_show_the_scan_before() -> None:
    run = run_of_scans([[(20, 2.0)], [(20, 8.0)], [(20, 2.0)]], [0.0, 5.0, 10.0])
    spec = ElutionSpec(bins=10, mz_first=20, mz_last=20)
    signal = highest(run, spec, seen_ions(run, spec))[:, 0]
    np.testing.assert_allclose(signal, [1] * 5 + [4] * 4 + [1])


@pytest.mark.parametrize(("bins", "half"), [(3, 1), (64, 16), (65, 0), (40, 64), (256, 64)])
def test_what_lasts_is_an_opening(bins: int, half: int) -> None:
    signal = np.random.default_rng(bins).lognormal(0, 2, (bins, 5)).astype(np.float32)
    opened = ndimage.minimum_filter1d(signal, 2 * half + 1, axis=0, mode="nearest")
    opened = ndimage.maximum_filter1d(opened, 2 * half + 1, axis=0, mode="nearest")
    np.testing.assert_array_equal(elution._opening(signal, half), opened)


def test_helium_stays_zero() -> None:
    run = run_of_scans([[(4.0, 9.0), (6.0, 1.0)], [(4.0, 90.0), (6.0, 5.0)]], [0.0, 1.0])
    image = elution_image(run, ElutionSpec(bins=8, mz_first=2, mz_last=8))
    assert (image[:, 4 - 2] == 0).all()
    assert image.max() > 0


@pytest.mark.parametrize(("least", "most"), [(5e-324, 1e30), (5e-324, 5e-324), (1e30, 1e30)])
def test_absurd_intensities_stay_finite(least: float, most: float) -> None:
    run = run_of_scans([[(20, least)], [(20, most)], [(20, least)]], [0.0, 5.0, 10.0])
    image = elution_image(run, ElutionSpec(bins=10, mz_first=20, mz_last=22))
    assert np.isfinite(image).all()
    assert (image.max() > 0) == (most > least)


def test_noise_is_the_floor_and_the_usual_excess() -> None:
    image = over_noise(np.array([[0, 3], [0, 3], [5, 11]], dtype=np.float32))
    np.testing.assert_allclose(image, np.log1p([[0, 3 / 4], [0, 3 / 4], [5, 11 / 4]]), rtol=1e-6)


def test_the_run_is_left_alone() -> None:
    run = noisy_run(PEAKS)
    before = run.intensity.copy()
    elution_image(run, SPEC)
    np.testing.assert_array_equal(run.intensity, before)


@pytest.mark.parametrize("ion", [(4.0, 9.0), (200.0, 9.0), (20.0, 0.0)])
def test_a_run_without_ions_that_count_is_refused(ion: tuple[float, float]) -> None:
    with refused(ReadError, "memory", found=["m/z 2 to 110", "above 0", " 2"], expected="a run"):
        elution_image(run_of_scans([[ion], [ion]], [0.0, 1.0]), ElutionSpec(8, 2, 110))


def test_a_spec_travels_and_another_version_is_refused() -> None:
    spec = ElutionSpec(32, 20, 90, 0.25)
    assert spec.n_mz == 71
    assert ElutionSpec.from_dict(json.loads(json.dumps(spec.to_dict())), "m.onnx") == spec
    with refused(ModelError, "m.onnx", found=["elution", "version 7"], expected="version 1"):
        ElutionSpec.from_dict({**spec.to_dict(), "version": 7}, "m.onnx")


def test_the_fingerprint_tells_specs_and_versions_of_the_code_apart(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    changes: list[dict[str, int | float]] = [
        {}, {"bins": 9}, {"mz_first": 9}, {"mz_last": 99}, {"baseline": 0.3}
    ]  # fmt: skip
    before = {replace(SPEC, **change).fingerprint for change in changes}  # type: ignore[arg-type]
    assert len(before) == 5
    monkeypatch.setattr(elution, "VERSION", elution.VERSION + 1)
    assert SPEC.fingerprint not in before
