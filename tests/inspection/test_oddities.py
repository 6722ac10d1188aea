"""Every rule finds what it should, with the numbers, and nothing elsewhere."""

from __future__ import annotations

import itertools
import os
from dataclasses import replace
from pathlib import Path

import numpy as np
import polars as pl
import pytest

import gale
from gale.inspection import ROUNDING, RULES, RULES_OF_PEAKS, oddities
from gale.inspection.measures import Elution, plateau, repeated_share
from gale.run import Run
from helpers.scanned_runs import MZ, N_SCANS, STEP_S, Matrix, background, run_of, with_peaks

USUAL = with_peaks(background())
TIME_MIN = np.arange(N_SCANS) * STEP_S / 60


def found(run: Run) -> dict[str, str]:
    return {oddity.rule: oddity.text for oddity in oddities(run)}


def monitored(mz: list[int], *, dropped: float = 0.0) -> Run:
    """Selected-ion monitoring of `mz`, some of whose ions are below the threshold."""
    matrix = USUAL[:, : len(mz)] + np.random.default_rng(2).lognormal(4, 0.1, (N_SCANS, len(mz)))
    matrix[np.random.default_rng(3).random(matrix.shape) < dropped] = 0
    return run_of(matrix, mz=mz)


def test_nothing_is_odd_about_a_usual_run() -> None:
    assert oddities(run_of(USUAL)) == ()


def test_simulated_runs(campaign: gale.Campaign, campaign_folder: Path) -> None:
    """Of these some are saturated, and some truly hold little but contaminants."""
    truth = pl.read_parquet(campaign_folder / "truth.parquet")
    for name, path in list(zip(campaign.runs, campaign.paths, strict=True))[:40]:
        said = found(gale.read_run(path))
        assert said.keys() <= {"saturation", "blank"}
        if "blank" in said:
            sample = truth.filter(run=name, role="compound")
            assert sample.filter(pl.col("abundance") > 1).is_empty()


def test_notes_of_the_reader_come_first() -> None:
    run = run_of(USUAL[:10]).with_notes("was mended")
    assert oddities(run)[0] == ("reading", "was mended")
    assert oddities(run)[1].rule == "few scans"


def test_few_scans() -> None:
    assert "20 scans" in found(run_of(USUAL[140:160]))["few scans"]


def test_empty_scans() -> None:
    matrix = USUAL.copy()
    matrix[::5] = 0
    assert "120 of 600 scans (20 %)" in found(run_of(matrix))["empty scans"]
    matrix = USUAL.copy()
    matrix[:20] = 0
    assert "empty scans" not in found(run_of(matrix))


def test_gaps() -> None:
    time_min = TIME_MIN.copy()
    time_min[100:] += 0.2
    time_min[300:] += 0.5
    said = found(run_of(USUAL, time_min=time_min))
    assert said.keys() == {"gaps"}
    for fact in ("2 gaps", "30.5 s", "2.692 min", "0.5 s"):
        assert fact in said["gaps"]


def test_a_scan_left_out_now_and_then_is_no_gap() -> None:
    kept = np.setdiff1d(np.arange(N_SCANS), [100, 101, 200, 350])
    assert oddities(run_of(USUAL[kept], time_min=TIME_MIN[kept])) == ()


def test_scan_rate() -> None:
    time_min = np.cumsum(np.where(np.arange(N_SCANS) < 400, STEP_S, 1.0)) / 60
    said = found(run_of(USUAL, time_min=time_min))["scan rate"]
    for fact in ("33 %", "20 %", "0.5 s", "0.5 and 1 s"):
        assert fact in said


def test_equal_times() -> None:
    time_min = TIME_MIN.copy()
    time_min[[7, 8, 300]] = time_min[[6, 6, 299]]
    said = found(run_of(USUAL, time_min=time_min))
    assert said.keys() == {"equal times"}
    assert "3 scans" in said["equal times"]
    assert "0.050 min" in said["equal times"]
    assert "equal times" in found(run_of(USUAL, time_min=np.zeros(N_SCANS)))


@pytest.mark.slow
@pytest.mark.parametrize("mz", [[57], [57, 73], [50, 57, 73, 91, 129, 147, 207, 281]])
@pytest.mark.parametrize("dropped", [0.0, 0.05])
def test_selected_ion_monitoring(mz: list[int], dropped: float) -> None:
    said = found(monitored(mz, dropped=dropped))["monitoring"]
    assert f"{len(mz)} m/z ({', '.join(map(str, mz))})" in said


def test_selected_ion_monitoring_in_groups() -> None:
    matrix = np.zeros((N_SCANS, 3 * 5))
    for group in range(3):
        matrix[group * 200 : (group + 1) * 200, group * 5 : (group + 1) * 5] = 300.0
    said = found(run_of(matrix, mz=np.arange(15) * 17 + 50))["monitoring"]
    assert "15 m/z (50, 67, " in said
    assert "and 5 more)" in said


def test_a_scan_over_a_narrow_range_is_no_monitoring() -> None:
    matrix = USUAL[:, :50] + 100
    assert "monitoring" not in found(run_of(matrix, mz=MZ[:50]))


def test_profile() -> None:
    mz = np.arange(40, 60, 0.05)
    rng = np.random.default_rng(0)
    run = run_of(rng.lognormal(5, 1, (60, len(mz))), mz=mz)
    assert "profile" in found(run)
    assert "profile" not in found(run_of(USUAL))


def test_saturation() -> None:
    clipped = np.minimum(with_peaks(background(), 1e8), 8_388_096.0)
    top = plateau(run_of(clipped))
    said = found(run_of(clipped))["saturation"]
    n_ions, n_scans = int(np.sum(clipped == 8_388_096)), int(np.any(clipped == 8_388_096, 1).sum())
    assert (top.ions, top.scans) == (n_ions, n_scans)
    for fact in (f"{n_ions:,} ions", f"{n_scans:,} scans", "8,388,096", "m/z "):
        assert fact in said


def test_small_counts_are_not_saturated() -> None:
    counts = np.minimum(np.random.default_rng(0).poisson(3, USUAL.shape), 7)
    assert "saturation" not in found(run_of(counts))


def test_scaled_scans() -> None:
    scaled = USUAL / USUAL.max(axis=1, keepdims=True) * 999
    said = found(run_of(scaled))
    assert " 999" in said["scaled scans"]
    assert "saturation" not in said


@pytest.mark.parametrize(("shift", "odd"), [(0.0, False), (0.3, False), (0.45, True)])
def test_rounding(shift: float, odd: bool) -> None:
    run = run_of(USUAL, mz=MZ + shift)
    assert ("rounding" in found(run)) is odd
    if odd:
        for fact in ("100 %", "0.1", ROUNDING):
            assert fact in found(run)["rounding"]


@pytest.mark.parametrize(
    ("facts", "what"),
    [
        ({"ionisation": "field ionisation", "polarity": "positive"}, "field ionisation"),
        ({"ionisation": "electron ionisation", "polarity": "negative"}, "negative ions"),
        ({"ionisation": "electron ionisation", "polarity": "positive"}, ""),
        ({"ionisation": "a slip\nof a writer"}, ""),
    ],
)
def test_ionisation(facts: dict[str, str], what: str) -> None:
    said = found(replace(run_of(USUAL), facts=facts)).get("ionisation", "")
    assert what in said
    assert bool(what) == bool(said)


@pytest.mark.parametrize("seed", range(3))
def test_a_blank(seed: int) -> None:
    matrix = background(seed)
    said = found(run_of(np.where(matrix < 50, 0, matrix)))
    assert said.keys() == {"blank"}
    assert "3 m/z" in said["blank"]


def test_spikes_of_one_scan_are_no_peaks() -> None:
    matrix = background()
    matrix[200, np.arange(100)] = 1e7
    assert Elution(run_of(matrix)).standing_together(5.0) == 0
    matrix[201, np.arange(100)] = 1e7
    assert Elution(run_of(matrix)).standing_together(5.0) == 100


def air(n_scans: int, spikes: int, spike: int, *, seed: int = 0, leak: bool = False) -> Run:
    """Air alone, with noise that lasts a few scans at any m/z; perhaps it comes through a leak."""
    random = np.random.default_rng(seed)
    mz = np.array([14, 16, 17, 18, 28, 32, 40, 44, *range(45, 300)], dtype=float)
    levels = np.array([4e5, 3e5, 8e4, 3e5, 5e6, 1.2e6, 1e5, 2e4])
    matrix = np.zeros((n_scans, len(mz)))
    matrix[:, :8] = levels * random.normal(1, 0.1, (n_scans, 8))
    for _ in range(spikes):
        first, column = random.integers(n_scans - spike), random.integers(8, len(mz))
        matrix[first : first + spike, column] += 100 * (1 + random.exponential(3, spike))
    if leak:
        matrix[n_scans // 3 : n_scans // 3 + 9, :8] *= 20
    return run_of(matrix, mz=mz)


@pytest.mark.parametrize("n_scans", [60, 120, 300, 600])
@pytest.mark.parametrize(("spikes", "spike"), [(0.2, 2), (1, 2), (1, 3), (10, 1)])
def test_air_and_noise_are_a_blank(n_scans: int, spikes: float, spike: int) -> None:
    """A compound has several ions at the same time; noise has one."""
    said = found(air(n_scans, round(spikes * n_scans), spike, seed=n_scans))
    assert "blank" in said
    assert "air" not in said


def test_a_leak_is_no_blank_but_said() -> None:
    said = found(air(600, 600, 2, leak=True))
    assert "leak" in said["air"]
    assert "blank" not in said


def slow_repeated_share(matrix: Matrix) -> float:
    present = [set(np.flatnonzero(row)) for row in matrix]
    pairs = list(itertools.pairwise(present))
    return sum(len(a & b) for a, b in pairs) / sum(len(a | b) for a, b in pairs)


def test_repeated_share_against_sets() -> None:
    assert repeated_share(run_of(USUAL)) == pytest.approx(slow_repeated_share(USUAL), rel=1e-12)


def test_the_smallest_run() -> None:
    run = Run.from_scans([1.0, 1.0], [1, 0], [57.0], [0.0])
    assert found(run).keys() == {"few scans", "empty scans", "equal times", "blank"}
    assert run.tic_ratio is None


ROOT = Path(os.environ.get("GALE_EXTRA_DATA", "")) / "real"
LOUD = {
    "andi/EXTREL_CENTSCNL.CDF": {"reading", "few scans"},
    "andi/FINNIGAN_CENTSCNL.CDF": {"reading", "few scans"},
    "andi/TEKNIVNT_CENTSCNH.CDF": {"few scans"},
    "andi/HP_CENTSCNH.CDF": set(),
    "andi/TEST_QD.CDF": set(),
    "andi/TEKNIVNT_CENTSCNL.CDF": set(),
    "andi/agilent-gcms.cdf": set(),
    "andi/agilent_200ppm.CDF": set(),
    "gunshot/GECO_4_SUBTRACT.JDX": {"rounding"},
    "jcamp/aa_4_aq_110124_056.func_0.JDX": {"rounding", "scan rate"},
}


@pytest.mark.skipif("GALE_EXTRA_DATA" not in os.environ, reason="GALE_EXTRA_DATA is not set")
@pytest.mark.parametrize("name", LOUD)
def test_real_files(name: str) -> None:
    assert found(gale.read_run(ROOT / name)).keys() == LOUD[name]


def test_every_rule_is_tested() -> None:
    text = Path(__file__).read_text("utf-8")
    assert [rule for rule in (*RULES, *RULES_OF_PEAKS) if f'"{rule}"' not in text] == []


@pytest.mark.parametrize("text", ["high", "", "nan"])
def test_a_ceiling_that_is_no_number_says_nothing(text: str) -> None:
    run = run_of(background())
    facts = {**run.facts, "ceiling": text}
    assert oddities(replace(run, facts=facts)) == oddities(run)
