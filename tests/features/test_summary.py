"""Summary features against a slow oracle, values worked out by hand, and the published code."""

from __future__ import annotations

import json
import math
import os
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import assume, example, given, settings
from hypothesis import strategies as st

from gale.errors import ModelError, ReadError
from gale.features import summary
from gale.features.summary import (
    BLOCKS,
    HELIUM,
    LARGEST_LEARNED_MZ,
    PUBLISHED_MZ,
    SummarySpec,
    intensity_moments,
    learn_mz,
)
from gale.readers import read_run
from gale.run import Run
from helpers.errors import refused

Row = tuple[float, float]
"""m/z and intensity of an ion."""

MZ = [0.3, 2.6, 3.4, 4.0, 4.4, 4.5, 4.6, 6.0, 6.5, 7.5, 9.2, 48.9, 50.0, 50.5, 51.0, 100.4, 326.6,
      349.0, 349.5, 350.4, 351.0, 352.0, 360.0, 550.0, 900.2]  # fmt: skip
"""m/z beside, on and beyond the kept ones, halves to round, and helium."""

KEPT = [PUBLISHED_MZ, (1,), (2,), (3, 4), (4, 50), (6, 7, 8, 50), (350,), (5, 550)]

rows_of_runs = st.lists(
    st.tuples(
        st.sampled_from(MZ),
        st.integers(0, 3).map(float) | st.floats(0, 1e9, allow_subnormal=False),  # ties and not
    ),
    min_size=1,
    max_size=40,
)


def run_of(rows: Sequence[Row]) -> Run:
    """A run of two scans; where its scans end does not matter to the features."""
    return Run.from_scans([0, 1], [1, len(rows) - 1], *np.transpose(rows))


def slow_summary(rows: Sequence[Row], kept: Sequence[int]) -> list[float]:
    """The features of the published system, one row and one m/z at a time."""
    m = [round(mz) for mz, _ in rows]  # half to even
    scan, passed = [], 0
    for i in range(len(rows)):
        if i + 1 < len(rows) and m[i + 1] < m[i]:
            passed += 1
        scan.append(passed)

    left = [(m[i], rows[i][1]) for i in range(len(rows)) if m[i] != 4]
    differences: list[tuple[int, float, float, float, float]] = []
    for i, (mz, here) in enumerate(left):
        d1 = (here - left[i - 1][1]) / 1000 if i >= 1 else 0.0
        d2 = (here - left[i - 2][1]) / 1000 if i >= 2 else 0.0
        dd = (here - 2 * left[i - 1][1] + left[i - 2][1]) / 10 if i >= 2 else 0.0
        differences.append((mz, here, d1, d2, dd))
    top = max((here for mz, here, *_ in differences if mz - 1 in kept), default=0.0)

    blocks: dict[str, list[float]] = {name: [] for name in BLOCKS}
    for k in kept:
        peak = [(rows[i][1], scan[i]) for i in range(len(rows)) if m[i] == k]
        height, at = max(peak, key=lambda ion: ion[0], default=(-1.0, -1))  # the first of equals
        blocks["time"].append(at / max(passed, 1) if peak else -1.0)
        blocks["height"].append(math.log(1 + height) / 10 if peak else -1.0)
        inside = [row[1:] for row in differences if row[0] == k + 1]
        here, d1, d2, dd = (
            (sum(column) / len(inside) for column in zip(*inside, strict=True))
            if inside
            else (0.0, 0.0, 0.0, 0.0)
        )
        blocks["mean"].append(math.log(1 + here))
        blocks["d1"].append(math.copysign(math.log(1 + abs(d1)), d1))
        blocks["d2"].append(math.copysign(math.log(1 + abs(d2)), d2))
        blocks["dd"].append(math.copysign(math.log(1 + abs(dd)), dd))
        blocks["relative"].append(max((row[0] for row in inside), default=0.0) / (top or 1.0))
    order = ("mean", "d1", "time", "height", "d2", "relative", "dd")
    return [value for name in order for value in blocks[name]]


@pytest.mark.slow
@given(rows_of_runs, st.sampled_from(KEPT))
@example([(350.0, 0.5)], PUBLISHED_MZ)
@example([(4.0, 9.0), (350.0, 0.5), (350.0, 0.25)], PUBLISHED_MZ)
@settings(max_examples=200, deadline=None)
def test_features_are_those_of_the_slow_oracle(rows: list[Row], kept: tuple[int, ...]) -> None:
    assume(any(round(mz) in kept or round(mz) - 1 in kept for mz, _ in rows))
    found = SummarySpec(kept).features_of(run_of(rows))
    assert found.dtype == np.float32
    assert np.isfinite(found).all()
    np.testing.assert_allclose(found, slow_summary(rows, kept), rtol=1e-5, atol=1e-5)


def test_a_long_run_is_that_of_the_slow_oracle() -> None:
    random = np.random.default_rng(1)
    mz = np.sort(random.uniform(1, 400, (60, 50)), axis=1).ravel()
    rows = list(zip(mz.tolist(), random.integers(1, 10**9, mz.size).tolist(), strict=True))
    found = SummarySpec().features_of(run_of(rows))
    np.testing.assert_allclose(found, slow_summary(rows, PUBLISHED_MZ), rtol=1e-5, atol=1e-5)


def test_features_worked_out_by_hand() -> None:
    # m/z falls after the third and the fifth row. There a scan ends, and its last ion counts to
    # the next scan: the scan indices of the rows are 0 0 1 1 2 2 2.
    rows = [(4.0, 900), (10.0, 5000), (11.4, 3000), (10.5, 7000), (11.0, 6000), (9.6, 1000),
            (13.2, 2000)]  # fmt: skip
    # Without helium:       m/z 10     11     10     11     10     13
    #                      I  5000   3000   7000   6000   1000   2000
    #        (I − I₋₁) / 1000     0     −2      4     −1     −5      1
    #        (I − I₋₂) / 1000     0      0      2      3     −6     −4
    #   (I − 2 I₋₁ + I₋₂) / 10    0      0    600   −500   −400    600
    # The means of m/z 10, 11 and 12 are those of the ions at 11, 12 (none) and 13.
    log = math.log
    expected = {
        "mean": [log(4501), 0, log(2001)],
        "d1": [-log(2.5), 0, log(2)],
        "time": [1 / 2, 2 / 2, -1],
        "height": [log(7001) / 10, log(6001) / 10, -1],
        "d2": [log(2.5), 0, -log(5)],
        "relative": [6000 / 6000, 0, 2000 / 6000],
        "dd": [-log(251), 0, log(601)],
    }
    found = SummarySpec((10, 11, 12)).features_of(run_of(rows)).reshape(7, 3)
    for block, values in zip(BLOCKS, found, strict=True):
        np.testing.assert_allclose(values, expected[block], atol=1e-6, err_msg=block)


@given(rows_of_runs, st.sampled_from([None, 1, 4, 50]), st.sampled_from([None, 3, 50, 350, 900]))
@settings(max_examples=60, deadline=None)
def test_ions_outside_the_range_might_never_have_been_recorded(
    rows: list[Row], low: int | None, high: int | None
) -> None:
    inside = [row for row in rows if (low or 0) <= round(row[0]) <= (high or 1000)]
    assume(any(round(mz) in PUBLISHED_MZ or round(mz) - 1 in PUBLISHED_MZ for mz, _ in inside))
    found = SummarySpec(mz_min=low, mz_max=high).features_of(run_of(rows))
    np.testing.assert_allclose(found, slow_summary(inside, PUBLISHED_MZ), rtol=1e-5, atol=1e-5)


def test_summarising_leaves_the_run_alone() -> None:
    run = run_of([(4.0, 9), (60.4, 5), (900.0, 7)])
    SummarySpec().features_of(run)
    assert run.mz.tolist() == [4.0, 60.4, 900.0]
    assert run.intensity.tolist() == [9, 5, 7]


def test_length() -> None:
    assert BLOCKS == ("mean", "d1", "time", "height", "d2", "relative", "dd")
    assert SummarySpec((10, 12)).n_features == 14
    assert SummarySpec().n_features == 2268


def test_a_run_without_any_kept_mz_is_refused() -> None:
    run = run_of([(4.0, 9), (60.4, 5), (900.0, 7)])
    with refused(ReadError, "memory", found=["from 10 to 13", "3 ions"], expected="a run"):
        SummarySpec((10, 12)).features_of(run)


def test_a_spec_travels_and_another_version_is_refused() -> None:
    spec = SummarySpec((10, 12), 5, None)
    assert SummarySpec.from_dict(json.loads(json.dumps(spec.to_dict())), "m.onnx") == spec
    with refused(ModelError, "m.onnx", found=["summary", "version 7"], expected="version 1"):
        SummarySpec.from_dict({**spec.to_dict(), "version": 7}, "m.onnx")


def test_the_published_mz() -> None:
    assert len(PUBLISHED_MZ) == 324
    assert list(PUBLISHED_MZ) == sorted(set(PUBLISHED_MZ))
    assert (PUBLISHED_MZ[0], PUBLISHED_MZ[-1]) == (6, 349)
    assert HELIUM not in PUBLISHED_MZ


@pytest.mark.skipif("GALE_EXTRA_DATA" not in os.environ, reason="GALE_EXTRA_DATA is not set")
@pytest.mark.parametrize("number", range(6))
def test_features_are_those_of_the_published_code(number: int) -> None:
    folder = Path(os.environ["GALE_EXTRA_DATA"]) / "golden"
    with np.load(folder / "expected.npz") as expected:
        assert expected["mz"].tolist() == list(PUBLISHED_MZ)
        found = SummarySpec().features_of(read_run(folder / f"run{number}.csv.gz"))
        np.testing.assert_allclose(found, expected["features"][number], rtol=0, atol=1e-5)


def test_the_fingerprint_tells_specs_and_versions_of_the_code_apart(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    spec = SummarySpec((10, 12), 5, 300)
    others = [replace(spec, mz=(10, 13)), replace(spec, mz_min=6), replace(spec, mz_max=None)]
    before = {each.fingerprint for each in (spec, *others)}
    assert len(before) == 4
    assert SummarySpec((10, 12), 5, 300).fingerprint == spec.fingerprint
    monkeypatch.setattr(summary, "VERSION", summary.VERSION + 1)
    assert spec.fingerprint not in before


def random_runs(seed: int, n_runs: int) -> list[Run]:
    """Runs whose intensities vary the more the smaller they are, the higher the m/z."""
    random = np.random.default_rng(seed)
    mz = random.choice([4, 20, 40, 60, 80, LARGEST_LEARNED_MZ, 560], (n_runs, 90))
    intensity = 10 * (1000 - mz) + mz * random.random(mz.shape)
    return [run_of(list(zip(*run, strict=True))) for run in zip(mz, intensity, strict=True)]


@pytest.mark.parametrize("dropped", [0, 1, 3, 9])
def test_learned_mz_are_those_of_largest_variance(dropped: int) -> None:
    runs = random_runs(0, 4)
    mz = np.concatenate([run.mz for run in runs])
    intensity = np.concatenate([run.intensity for run in runs])
    seen = {20, 40, 60, 80, LARGEST_LEARNED_MZ}
    ranked = sorted(seen, key=lambda k: float(np.var(intensity[mz == k])))
    kept = learn_mz((intensity_moments(run, None, None) for run in runs), dropped)
    assert kept == tuple(sorted(ranked[dropped:]))


def test_moments_are_count_mean_and_sum_of_squared_deviations() -> None:
    moments = intensity_moments(run_of([(20.4, 2.0), (19.6, 3.0), (30.0, 5.0), (560, 1.0)]), 10, 25)
    assert moments.shape == (3, LARGEST_LEARNED_MZ + 1)
    assert moments[:, 20].tolist() == [2, 2.5, 0.5]
    assert moments.sum() == 5


def test_small_variance_of_large_intensities_is_not_lost() -> None:
    quiet = [run_of([(20.0, 1e9 + 1), (30.0, 5.0)]), run_of([(20.0, 1e9 - 1), (30.0, 1.0)])]
    assert learn_mz((intensity_moments(run, None, None) for run in quiet), 1) == (30,)
