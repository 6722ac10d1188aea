"""Profile features against a slow oracle, by hand, and what must not matter to them."""

from __future__ import annotations

import json
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gale.errors import ModelError, ReadError
from gale.features import profile
from gale.features.elution import ElutionSpec, excess
from gale.features.profile import BLOCKS, SCALE, ProfileSpec, shares
from gale.run import Run
from helpers.elution_runs import noisy_run, run_of, signal_of
from helpers.errors import refused

SPEC = ProfileSpec(ElutionSpec(bins=64, mz_first=12, mz_last=110), losses=30)
PEAKS = {0.25: {43: 300.0, 57: 200.0, 71: 90.0}, 0.7: {91: 800.0, 92: 500.0, 65: 100.0}}
BACKGROUND = {18: 60.0, 28: 900.0, 44: 12.0}


def blocks_of(run: Run, spec: ProfileSpec = SPEC) -> dict[str, np.ndarray]:
    """The blocks before they are scaled."""
    vector = spec.features_of(run)
    assert vector.shape == (spec.n_features,)
    assert vector.dtype == np.float32
    assert np.isfinite(vector).all()
    return {name: vector[where] / SCALE[name] for name, where in spec.blocks.items()}


def slow_profile(signal: np.ndarray, losses: int) -> list[float]:
    """The vector of an excess (T, M), one number at a time."""
    n_bins, n_mz = signal.shape
    whole = [sum(map(float, row)) for row in signal]
    usual = 1 + float(np.median(whole))
    share = [[float(x) / (whole[t] + 2 * usual) for x in signal[t]] for t in range(n_bins)]
    height, largest, loss = [], [], []
    for m in range(n_mz):
        noise = 1 + float(np.median(signal[:, m]))
        height.append(np.log(1 + max(map(float, signal[:, m])) / noise))
        largest.append(max(row[m] for row in share) ** 0.5)
    for moved in range(1, losses + 1):
        alike = [
            sum((row[m] * row[m + moved]) ** 0.5 for m in range(n_mz - moved)) for row in share
        ]
        loss.append(max(alike))
    return [*(0.2 * h for h in height), *(12 * s for s in largest), *(10 * x for x in loss)]


@given(st.integers(0, 10**6), st.integers(1, 12), st.integers(1, 30))
@settings(max_examples=40, deadline=None)
def test_the_vector_is_that_of_the_slow_oracle(seed: int, n_mz: int, losses: int) -> None:
    rng = np.random.default_rng(seed)
    mz = np.arange(20.0, 20 + n_mz)
    run = run_of(10 * rng.lognormal(size=(30, n_mz)), mz, threshold=5.0)
    spec = ProfileSpec(ElutionSpec(bins=9, mz_first=20, mz_last=20 + n_mz - 1), losses)
    expected = slow_profile(excess(run, spec.elution), losses)
    np.testing.assert_allclose(spec.features_of(run), expected, rtol=1e-4, atol=1e-5)


def test_a_pure_spectrum_gives_its_shares_and_losses() -> None:
    mz = np.arange(10.0, 121.0)
    spectrum = {40: 6000.0, 58: 3000.0, 60: 1000.0}
    blocks = blocks_of(run_of(signal_of({0.5: spectrum}, mz, 1281, {90: 1.0}), mz))
    share = dict(zip(range(12, 111), blocks["share"] ** 2, strict=True))
    assert {m for m, each in share.items() if each > 0.02} == {40, 58, 60}
    assert [share[m] for m in (40, 58, 60)] == pytest.approx([0.6, 0.3, 0.1], abs=0.01)
    loss = dict(enumerate(blocks["loss"], start=1))
    assert {m for m, each in loss.items() if each > 0.02} == {2, 18, 20}
    expected = [0.03**0.5, 0.18**0.5, 0.06**0.5]
    assert [loss[m] for m in (2, 18, 20)] == pytest.approx(expected, abs=0.01)


def test_a_little_of_a_compound_that_elutes_alone_has_a_large_share() -> None:
    peaks = {0.3: {43: 60.0}, 0.7: {91: 9000.0, 92: 6000.0}}
    blocks = blocks_of(noisy_run(peaks, threshold=3.0, background={28: 300.0}))
    assert blocks["share"][43 - 12] > 0.6
    assert blocks["height"][43 - 12] < 0.5 * blocks["height"][91 - 12]


def test_background_without_peaks_has_no_height() -> None:
    blank = blocks_of(noisy_run({}, threshold=2.0, background=BACKGROUND))
    eluting = blocks_of(noisy_run(PEAKS, threshold=2.0, background=BACKGROUND))
    assert blank["height"].max() < 0.4 * eluting["height"].max()
    assert np.median(blank["share"]) < 0.3 * eluting["share"].max()


@settings(max_examples=10, deadline=None)
@given(st.floats(1e-3, 1e6))
def test_the_unit_of_intensity_does_not_matter(unit: float) -> None:
    usual, found = (
        SPEC.features_of(noisy_run(PEAKS, background=BACKGROUND, unit=each)) for each in (1.0, unit)
    )
    np.testing.assert_allclose(found, usual, atol=1e-3)


@pytest.mark.parametrize("n_scans", [512, 4096])
def test_the_scan_rate_hardly_matters(n_scans: int) -> None:
    usual = blocks_of(noisy_run(PEAKS, threshold=3.0, background=BACKGROUND))
    found = blocks_of(
        noisy_run(PEAKS, threshold=3.0, background=BACKGROUND, n_scans=n_scans, minutes=9.0)
    )
    for name, tolerance in zip(BLOCKS, (0.4, 0.1, 0.1), strict=True):
        strong = usual[name] > 0.4 * usual[name].max()
        np.testing.assert_allclose(found[name][strong], usual[name][strong], atol=tolerance)


def test_when_something_elutes_does_not_matter() -> None:
    mz = np.arange(10.0, 121.0)
    early, late = (
        blocks_of(run_of(signal_of({at: PEAKS[0.25]}, mz, 1281, {90: 1.0}), mz))
        for at in (0.25, 0.75)
    )
    for name in BLOCKS:
        np.testing.assert_allclose(late[name], early[name], atol=0.02)


def test_mz_that_were_not_scanned_are_zero() -> None:
    run = noisy_run(PEAKS, mz=np.arange(50.0, 121.0))
    blocks = blocks_of(run)
    assert (blocks["height"][: 50 - 12] == 0).all()
    assert (blocks["share"][: 50 - 12] == 0).all()


def test_shares_of_bins_in_which_nothing_elutes_are_small() -> None:
    signal = np.zeros((10, 4), dtype=np.float32)
    signal[:, 0] = 1
    signal[3] = (1000, 0, 3000, 0)
    np.testing.assert_allclose(shares(signal)[0], [1 / (1 + 2 * 2), 0, 0, 0], rtol=1e-6)
    np.testing.assert_allclose(shares(signal)[3], [1000 / 4004, 0, 3000 / 4004, 0], rtol=1e-6)


def test_length_and_blocks() -> None:
    assert ProfileSpec().n_features == 2 * 339 + 60
    assert SPEC.blocks == {
        "height": slice(0, 99), "share": slice(99, 198), "loss": slice(198, 228)
    }  # fmt: skip


def test_losses_beyond_the_range_of_mz_are_zero() -> None:
    spec = ProfileSpec(ElutionSpec(bins=8, mz_first=20, mz_last=22), losses=6)
    run = run_of(np.eye(9, 3) * 50 + 1, np.arange(20.0, 23.0))
    assert (blocks_of(run, spec)["loss"][2:] == 0).all()


def test_a_run_without_ions_that_count_is_refused() -> None:
    with refused(ReadError, "memory", found=["m/z 12 to 110", " 4"]):
        SPEC.features_of(run_of(np.full((2, 2), 5.0), np.array([300.0, 301.0])))


def test_a_spec_travels_and_another_version_is_refused() -> None:
    assert ProfileSpec.from_dict(json.loads(json.dumps(SPEC.to_dict())), "m.onnx") == SPEC
    inside = {**SPEC.elution.to_dict(), "version": 7}
    for kind, change in (("profile", {"version": 7}), ("elution", {"elution": inside})):
        with refused(ModelError, "m.onnx", found=[kind, "version 7"], expected="version 1"):
            ProfileSpec.from_dict({**SPEC.to_dict(), **change}, "m.onnx")


def test_the_fingerprint_tells_specs_and_versions_of_the_code_apart(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    others = [replace(SPEC, losses=9), replace(SPEC, elution=ElutionSpec(bins=9))]
    before = {each.fingerprint for each in (SPEC, *others)}
    assert len(before) == 3
    monkeypatch.setattr(profile, "VERSION", profile.VERSION + 1)
    assert SPEC.fingerprint not in before
