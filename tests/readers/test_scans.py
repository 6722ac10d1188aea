from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from gale.errors import UnsupportedFormatError
from gale.readers import parse_run
from gale.readers.scans import looks_like_profile, sort_ions
from gale.run import Run
from helpers.errors import refused
from helpers.run_files import WRITERS


def profile_run(step: float, *, trimmed: bool) -> Run:
    """Gaussian peaks at nominal masses sampled every `step`; if `trimmed`, without low points."""
    grid = np.arange(40.0, 80.0, step)
    distance = np.abs(grid - np.round(grid))
    curve = 1000 * np.exp(-0.5 * (distance / 0.15) ** 2)
    points = curve > 10 if trimmed else np.ones(len(grid), dtype=bool)
    mz, intensity = grid[points], curve[points]
    return Run.from_scans([1, 2, 3], [len(mz)] * 3, np.tile(mz, 3), np.tile(intensity, 3))


@pytest.mark.parametrize("step", [0.2, 0.1, 0.05, 0.01])
@pytest.mark.parametrize("trimmed", [False, True])
def test_profile_is_seen(step: float, trimmed: bool) -> None:
    assert looks_like_profile(profile_run(step, trimmed=trimmed))


def centroid_run(rng: np.random.Generator, gaps: NDArray[np.float64]) -> Run:
    mz = np.concatenate([30 + np.cumsum(scan) for scan in gaps])
    return Run.from_scans(
        np.arange(1.0, len(gaps) + 1), [gaps.shape[1]] * len(gaps), mz, rng.random(len(mz))
    )


@pytest.mark.parametrize("decimals", [0, 1, 4])
def test_every_nominal_mass_is_no_profile(decimals: int) -> None:
    rng = np.random.default_rng(0)
    mz = np.tile(np.arange(40.0, 540.0), 10) + np.round(rng.uniform(-0.1, 0.1, 5000), decimals)
    run = Run.from_scans(np.arange(1.0, 11.0), [500] * 10, mz, rng.random(5000))
    assert not looks_like_profile(run)


@pytest.mark.parametrize("density", [1.0, 10.0, 100.0])
def test_high_resolution_centroids_are_no_profile(density: float) -> None:
    rng = np.random.default_rng(0)
    assert not looks_like_profile(centroid_run(rng, rng.exponential(1 / density, (10, 400))))


def test_scans_of_two_ions_say_nothing() -> None:
    mz = np.tile([50.0, 50.1], 500)
    run = Run.from_scans(np.arange(1.0, 501.0), [2] * 500, mz, np.ones(1000))
    assert not looks_like_profile(run)


@pytest.mark.parametrize(
    ("name", "options"),
    [
        ("csv", {}),
        ("parquet", {}),
        ("jcamp", {}),
        ("andi", {"attributes": {"experiment_title": "a run"}}),
        ("mzml", {"params": ""}),
    ],
)
def test_undeclared_profile_is_refused(name: str, options: dict[str, Any]) -> None:
    run = profile_run(0.1, trimmed=False)
    with refused(
        UnsupportedFormatError, "x", found="profile", remedy=["pass centroid=True", "msconvert"]
    ):
        parse_run(WRITERS[name](run, **options), "x")


@pytest.mark.parametrize("name", ["andi", "mzml"])
def test_declared_centroid_wins(name: str) -> None:
    run = profile_run(0.1, trimmed=False)
    assert parse_run(WRITERS[name](run), "x").n_ions == run.n_ions


@given(st.lists(st.lists(st.integers(1, 9), max_size=5), max_size=6))
def test_sort_ions_sorts_each_scan(scans: list[list[int]]) -> None:
    mz = np.array([mz for scan in scans for mz in scan], dtype=np.float64)
    number = np.arange(float(len(mz)))
    counts = np.array([len(scan) for scan in scans], dtype=np.int64)
    found_mz, found_number = sort_ions(counts, mz, number)
    pairs = list(zip(mz, number, strict=True))
    starts = np.cumsum(counts) - counts
    expected = [
        ion
        for start, count in zip(starts, counts, strict=True)
        for ion in sorted(pairs[start : start + count], key=lambda pair: pair[0])
    ]
    assert list(zip(found_mz, found_number, strict=True)) == expected
