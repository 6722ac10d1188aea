"""Centroids of curves whose peaks are known."""

from __future__ import annotations

from itertools import pairwise
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from gale.errors import UnsupportedFormatError
from gale.readers import parse_run
from gale.readers.centroids import centroid
from gale.readers.scans import MAX_PROFILE_GAP
from gale.run import TIC_NOTE, Run
from helpers.errors import refused
from helpers.run_files import PROFILE, andi, assert_same, cv, mzml

Floats = NDArray[np.float64]


def curve(
    peaks: dict[float, float], *, step: float = 0.05, zeros: bool = True
) -> tuple[Floats, Floats]:
    """Points of Gaussian peaks of some heights, 0.3 m/z wide."""
    mz = np.arange(40, 120, step)
    height = sum(top * np.exp(-0.5 * ((mz - at) / 0.13) ** 2) for at, top in peaks.items())
    height = np.where(np.asarray(height) < 1, 0.0, height)
    kept = slice(None) if zeros else height > 0
    return mz[kept], height[kept]


def run_of(*scans: tuple[NDArray[Any], NDArray[Any]], **facts: str) -> Run:
    mz, intensity = (np.concatenate(each) for each in zip(*scans, strict=True))
    counts = [len(of_scan) for of_scan, _ in scans]
    return Run.from_scans(np.arange(len(scans)) * 1.0, counts, mz, intensity, facts=facts)


@pytest.mark.parametrize("zeros", [True, False])
def test_peaks_are_found_where_they_are(zeros: bool) -> None:
    first, second = {57.07: 1_000.0, 71.11: 5_000.0, 72.1: 250.0}, {45.02: 400.0}
    nothing = np.empty(0), np.empty(0)
    run = centroid(run_of(curve(first, zeros=zeros), nothing, curve(second, zeros=zeros)))
    assert run.ions_per_scan.tolist() == [3, 0, 1]
    np.testing.assert_allclose(run.mz, [57.07, 71.11, 72.1, 45.02], atol=0.01)
    np.testing.assert_allclose(run.intensity, [1_000, 5_000, 250, 400], rtol=0.03)


def test_neighbours_are_divided_at_the_minimum_between_them() -> None:
    run = centroid(run_of(*[curve({60.0: 100.0, 60.5: 50.0})] * 2))
    np.testing.assert_allclose(run.mz, [60.0, 60.5] * 2, atol=0.02)


def test_peaks_at_the_ends_of_scans_are_their_own() -> None:
    scans = [(np.array([50.0, 50.1]), np.array([9.0, 5.0])), (np.array([50.2]), np.array([7.0]))]
    run = centroid(run_of(*scans))
    assert run.ions_per_scan.tolist() == [1, 1]
    assert run.intensity.tolist() == [9, 7]


@given(st.lists(st.lists(st.integers(0, 3), max_size=8), min_size=2, max_size=5))
def test_each_ion_is_a_maximum_of_its_scan(scans: list[list[int]]) -> None:
    scans.append([0, 1, 0])  # a run has an ion
    points = [(40 + 0.1 * np.arange(len(each)), np.array(each, np.float64)) for each in scans]
    run = run_of(*points)
    found = centroid(run)
    assert found.n_scans == run.n_scans
    for s, heights in enumerate(scans):
        padded = [0, *heights, 0]
        steps = [b - a for a, b in pairwise(padded) if b != a]
        n_maxima = sum(a > 0 > b for a, b in pairwise(steps))
        ions = slice(found.scan_start[s], found.scan_start[s + 1])
        assert len(found.mz[ions]) == n_maxima
        assert max(found.intensity[ions], default=0) == max(heights, default=0)
        assert np.all(np.diff(found.mz[ions]) > 0)


def test_files_are_centroided_only_if_asked() -> None:
    run = run_of(*(curve({57.07: 1_000.0 * scan}) for scan in range(1, 5)))
    declared = mzml(run, params=cv(PROFILE))
    continuum = andi(run).replace(b"Centroided Mass Spectrum", b"Continuum Mass Spectrum\0")
    silent = mzml(run, params="")
    for data in (declared, continuum, silent):
        with refused(UnsupportedFormatError, "x", found="profile", remedy="centroid=True"):
            parse_run(data, "x")
        found = parse_run(data, "x", centroid=True)
        assert found.ions_per_scan.tolist() == [1] * 4
        assert found.facts["spectra"] == "centroid"
        assert found.facts["centroided"].startswith("by gale")
        assert any(f"{run.n_ions:,} points" in note and "4 ions" in note for note in found.notes)
        assert sum(note.startswith(TIC_NOTE) for note in found.notes) <= 1


def test_centroids_stay_as_they_are() -> None:
    run = run_of(*(curve({57.07: 1_000.0 * scan}, step=1.0) for scan in range(1, 5)))
    found = parse_run(mzml(run), "x", centroid=True)
    assert found.facts.get("centroided") is None
    assert "centroids already" in found.notes[-1]


@pytest.mark.parametrize("step", [1, -1])
def test_centroids_that_declare_nothing_stay_as_they_are(step: int) -> None:
    rng = np.random.default_rng(0)
    scans = [np.sort(rng.choice(400, 6, replace=False))[::step] + 40 for _ in range(120)]
    rows = [f"{3 + s / 40},{mz},{mz + s}" for s, scan in enumerate(scans) for mz in scan]
    data = "\n".join(["time,mass,intensity", *rows, ""]).encode()
    found = parse_run(data, "x", centroid=True)
    assert_same(found, parse_run(data, "x"))
    assert "centroids already" in found.notes[-1]


def test_profile_data_in_any_order_are_recognised_and_centroided_alike() -> None:
    mz, height = curve({57.07: 1_000.0, 71.11: 5_000.0})
    texts = {}
    for name, order in (
        ("up", np.arange(len(mz))),
        ("down", np.arange(len(mz))[::-1]),
        ("any", np.random.default_rng(0).permutation(len(mz))),
    ):
        rows = [
            f"{t},{m},{h}" for t in (1, 2, 3) for m, h in zip(mz[order], height[order], strict=True)
        ]
        texts[name] = "\n".join(["time,mass,intensity", *rows, ""]).encode()
        with refused(UnsupportedFormatError, "x", found="profile"):
            parse_run(texts[name], "x")
    expected = parse_run(texts["up"], "x", centroid=True)
    assert expected.ions_per_scan.tolist() == [2, 2, 2]
    for data in texts.values():
        assert_same(parse_run(data, "x", centroid=True), expected)


@pytest.mark.slow
@given(
    st.lists(
        st.lists(st.tuples(st.floats(40, 60), st.floats(0, 1e6)), max_size=30),
        min_size=2,
        max_size=4,
    )
)
def test_every_centroid_lies_within_the_points_of_its_peak(
    scans: list[list[tuple[float, float]]],
) -> None:
    """No m/z is made up: between two points of the scan that are no gap apart, or on one."""
    scans = [*scans, [(50.0, 1.0)]]
    points = [tuple(np.array(scan, dtype=np.float64).reshape(-1, 2).T) for scan in scans]
    found = centroid(run_of(*points))  # type: ignore[arg-type]
    for s, scan in enumerate(scans):
        mz = np.sort([point[0] for point in scan])
        stretches = np.split(mz, np.flatnonzero(np.diff(mz) > MAX_PROFILE_GAP) + 1)
        for ion in found.mz[found.scan_start[s] : found.scan_start[s + 1]]:
            assert any(each[0] - 1e-9 <= ion <= each[-1] + 1e-9 for each in stretches if len(each))
