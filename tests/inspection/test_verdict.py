"""What predictions say of a run: why they are doubtful, then what else is odd."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

import gale
from gale.errors import GaleWarning
from gale.inspection import RULES, RULES_OF_PEAKS
from gale.inspection.verdict import BY_WEIGHT, DOUBTFUL, verdict
from gale.run import Run
from helpers.training import Trained

Change = Callable[[Run], Run]


@pytest.fixture
def run(runs: list[Path]) -> Run:
    return gale.read_run(runs[0])


def scans(run: Run, last: int) -> Run:
    """The first scans of a run."""
    ions = slice(0, run.scan_start[last])
    return Run.from_scans(
        run.time_min[:last], run.ions_per_scan[:last], run.mz[ions], run.intensity[ions]
    )


def only(run: Run, wanted: NDArray[np.bool_], intensity: float | None = None) -> Run:
    heights = run.intensity if intensity is None else np.full(run.n_ions, intensity)
    return Run.from_rows(run.time_min[run.scan_of_ion][wanted], run.mz[wanted], heights[wanted])


DOUBTS: dict[str, tuple[Change, str]] = {
    "two scans": (lambda run: scans(run, 2), "only 2 scans"),
    "the first 5 %": (lambda run: scans(run, run.n_scans // 20), "scans"),
    "no signal": (lambda run: only(run, run.mz > 0, 0.0), "blank"),
    "air alone": (
        lambda run: only(run, np.isin(np.rint(run.mz), (18, 28, 32, 40, 44))),
        "blank",
    ),
    "cut short": (
        lambda run: run.with_notes("the file has 7 scans and states 10; it may be part of a run"),
        "part of a run",
    ),
}
"""Runs that no model can judge, and words that say so."""


@pytest.mark.parametrize("name", DOUBTS)
def test_what_no_model_can_judge_is_doubtful(name: str, run: Run, trained: Trained) -> None:
    change, words = DOUBTS[name]
    changed = change(run)
    assert words in verdict(changed).weighty[0]
    with pytest.warns(GaleWarning, match="1 of 1 run doubtful"):
        table = trained.model.predict(changed)
    assert table["status"].to_list() == ["doubtful"]
    assert table["message"][0].startswith(verdict(changed).weighty[0])
    assert table.select(trained.model.families).null_count().row(0) == (0,) * 9


def chromatogram(n_scans: int, length_min: float, *, peaks: bool = True) -> Run:
    """A full-scan run of a quadrupole: air, noise at random m/z, and peaks every minute or so."""
    random = np.random.default_rng(4)
    time = np.linspace(3, 3 + length_min, n_scans)
    air, mz = np.array([18, 28, 32, 40, 44]), np.arange(45, 350)
    levels = np.array([3e4, 9e5, 2e5, 1e4, 2e4])
    background = random.poisson(levels, (n_scans, 5))
    noise = random.poisson(30, (n_scans, len(mz))) * (random.random((n_scans, len(mz))) < 0.02)
    if peaks:
        for apex in np.arange(7, 3 + length_min):
            shape = np.exp(-0.5 * ((time - apex) / 0.05) ** 2)
            ions = random.choice(len(mz), 20, replace=False)
            noise[:, ions] += (2e4 * shape[:, None]).astype(int)
    heights = np.hstack([background, noise])
    scan, ion = np.nonzero(heights)
    return Run.from_rows(
        time[scan], np.concatenate([air, mz])[ion].astype(float), heights[scan, ion].astype(float)
    )


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (lambda run: scans(run, run.n_scans // 20), "beginning"),
        (lambda run: scans(run, 2), "only 2 scans"),
        (lambda run: only(run, run.mz > 0, 0.0), "every intensity is 0"),
        (lambda run: scans(only(run, run.mz > 0, 0.0), 80), "0"),
        (lambda _: chromatogram(1200, 30, peaks=False), "blank"),
    ],
)
def test_runs_of_usual_length_without_a_sample(change: Change, words: str) -> None:
    run = chromatogram(1200, 30)
    assert verdict(run).weighty == ()
    (why, *_) = verdict(change(run)).weighty
    assert words in why
    assert "scaled" not in "".join(verdict(change(run)).weighty)


@pytest.mark.parametrize(
    ("n_scans", "length_min", "is_doubtful"),
    [(60, 1.5, True), (400, 1.5, True), (150, 4, True), (600, 4, False), (150, 8, False)],
)
def test_short_runs(n_scans: int, length_min: float, is_doubtful: bool) -> None:
    why = verdict(chromatogram(n_scans, length_min)).weighty
    assert any("beginning" in each for each in why) == is_doubtful


def test_a_file_that_is_cut_within_a_line(
    runs: list[Path], trained: Trained, tmp_path: Path
) -> None:
    data = runs[0].read_bytes()
    cut = tmp_path / "cut.csv"
    cut.write_bytes(data[: data.rindex(b"\n", 0, 7 * len(data) // 10)])  # a whole number less
    with pytest.warns(GaleWarning, match="1 of 1 run doubtful"):
        table = trained.model.predict(cut)
    assert "cut short" in table["message"][0]


def test_a_usual_run_is_not_doubtful(run: Run, trained: Trained) -> None:
    assert verdict(run).weighty == ()
    assert trained.model.predict(run)["status"].to_list() == ["ok"]


def test_every_rule_has_its_weight() -> None:
    assert {*DOUBTFUL, *BY_WEIGHT} == {*RULES, *RULES_OF_PEAKS}


def test_many_oddities_are_counted(run: Run, trained: Trained) -> None:
    many = run.with_notes(*(f"note {number}" for number in range(9)))
    with pytest.warns(GaleWarning, match="with a note"):
        message = trained.model.predict(many)["message"][0]
    assert message.startswith("note 0; note 1; note 2; note 3; and ")
    assert message.endswith("more oddities")
