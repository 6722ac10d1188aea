"""What benchmarks.simulator measures: on runs and campaigns whose numbers are known."""

from pathlib import Path

import numpy as np
import pytest

import gale
from benchmarks.simulator import figures, likeness
from benchmarks.simulator.facts import (
    label_facts,
    prior_log_loss,
    real_runs,
    run_facts,
    side_by_side,
    spread,
)
from benchmarks.simulator.measures import Measured, measure, noise_power, steady_noise
from benchmarks.simulator.scores import HELIUM, N_BINS, time_bins
from gale.evaluation import metrics
from gale.run import Floats, Run

N_SCANS = 1200
INTERVAL_S = 0.5
STEADY = {18: 2000.0, 28: 5000.0, 44: 3000.0, 207: 1000.0}
NOISE, JITTER = 0.05, 0.03
WIDTH_S = {200: 4.0, 500: 4.0, 800: 8.0, 1000: 8.0}
"""Full width at half maximum of the peak at each scan."""


def made_run() -> Run:
    """Steady ions of known noise, and four Gaussian peaks of five ions each; one scan is empty."""
    rng = np.random.default_rng(3)
    scans = np.arange(N_SCANS)
    traces = np.zeros((N_SCANS, 301))
    for mz, level in STEADY.items():
        traces[:, mz] = level * (1 + NOISE * rng.standard_normal(N_SCANS))
    for number, (apex, width) in enumerate(WIDTH_S.items()):
        sigma = width / INTERVAL_S / 2.3548
        peak = 1e6 * np.exp(-0.5 * ((scans - apex) / sigma) ** 2)
        for ion in range(5):
            traces[:, 60 + 20 * number + ion] += peak / (1 + ion)
    traces[1100] = 0
    return as_run(traces, 0.1 + JITTER * rng.standard_normal(traces.shape))


def as_run(traces: Floats, defect: Floats | float = 0.0) -> Run:
    scan, mz = np.nonzero(traces > 1)
    shift = np.broadcast_to(defect, traces.shape)[scan, mz]
    return Run.from_scans(
        np.arange(len(traces)) * INTERVAL_S / 60,
        np.bincount(scan, minlength=len(traces)),
        mz + shift,
        traces[scan, mz],
    )


@pytest.fixture(scope="module")
def measured() -> dict[str, float]:
    return measure(made_run())


def test_scans_and_intensities_are_counted(measured: dict[str, float]) -> None:
    assert measured["scans per second"] == pytest.approx(1 / INTERVAL_S)
    assert measured["length (min)"] == pytest.approx((N_SCANS - 1) * INTERVAL_S / 60)
    assert measured["ions per scan, median"] == len(STEADY)
    assert measured["scans without ions (%)"] == pytest.approx(100 / N_SCANS)
    assert measured["decades, largest over smallest"] == pytest.approx(6, abs=0.1)
    assert measured["m/z, highest"] == pytest.approx(207.1, abs=0.2)


def test_peaks_are_found_with_their_width(measured: dict[str, float]) -> None:
    peaks = Measured(made_run()).peaks
    np.testing.assert_array_equal(peaks.apex, list(WIDTH_S))
    np.testing.assert_allclose(peaks.width_scans * INTERVAL_S, list(WIDTH_S.values()), rtol=0.03)
    assert measured["peak width, late over early"] == pytest.approx(2, rel=0.05)
    assert measured["peak tailing (behind over before)"] == pytest.approx(1, rel=0.05)
    assert measured["peaks per minute"] == pytest.approx(4 / measured["length (min)"])
    inside = 4 * sum(WIDTH_S.values()) / (N_SCANS * INTERVAL_S)
    assert measured["scans outside peaks (%)"] == pytest.approx(100 * (1 - inside), abs=1)


def test_a_tail_is_seen() -> None:
    before, behind = np.arange(-20, 1) / 3, np.arange(1, 60) / 9
    peak = 1e6 * np.exp(-0.5 * np.concatenate([before, behind]) ** 2)
    traces = np.pad(peak[:, None], ((200, 200), (50, 2))) + 5
    traces[:, [50, 51, 52]] = traces[:, [50]]
    assert measure(as_run(traces))["peak tailing (behind over before)"] == pytest.approx(3, rel=0.1)


def test_noise_alone_has_no_peaks() -> None:
    traces = 1000 * np.random.default_rng(1).exponential(size=(400, 80))
    found = measure(as_run(traces))
    assert found["peaks per minute"] == 0
    assert np.isnan(found["peak width (s)"])


def test_defects_and_noise_are_those_put_in(measured: dict[str, float]) -> None:
    assert measured["m/z defect, mean"] == pytest.approx(0.1, abs=0.005)
    for row in ("m/z defect, sd", "m/z defect, sd in a channel"):
        assert measured[row] == pytest.approx(JITTER, rel=0.1)
    assert measured["m/z step scan to scan, strongest 5 %"] == pytest.approx(JITTER, rel=0.3)
    assert measured["steady ions (present in 90 % of scans)"] == len(STEADY)
    assert measured["noise of steady ions (sd / mean)"] == pytest.approx(NOISE, rel=0.15)
    assert measured["baseline, last tenth / first"] == pytest.approx(1, rel=0.02)


def test_a_slope_is_no_noise() -> None:
    ramp = np.linspace(1000, 9000, 500)[:, None] * np.ones(3)
    assert steady_noise(ramp).max() < 1e-6


def test_noise_of_counted_ions_grows_with_the_root_of_their_number() -> None:
    random = np.random.default_rng(1)
    level: Floats = 10 ** np.linspace(1.5, 5.5, 40)
    counted = random.poisson(level, size=(1000, 40)).astype(np.float64)
    wavering = level * np.exp(0.1 * random.standard_normal((1000, 40)))
    assert noise_power(7 * counted) == pytest.approx(0.5, abs=0.03)
    assert noise_power(wavering) == pytest.approx(1, abs=0.03)


def test_ions_are_counted_that_share_an_intensity_or_an_m_z() -> None:
    run = Run.from_rows([0, 0, 0, 1, 2], [50.1, 49.9, 60, 50, 70], [5, 5, 5, 8, 90])
    found = measure(run)
    assert found["ions of the commonest intensity (%)"] == pytest.approx(60)
    assert found["ions that share scan and nominal m/z (%)"] == pytest.approx(25)
    assert found["weaker half of ions, median m/z over highest"] == pytest.approx(50.1 / 70)


@pytest.fixture
def real(campaign: gale.Campaign, tmp_path: Path) -> Path:
    """A folder that plays the real runs: two of them, a short one, and a file that is none."""
    gunshot = tmp_path / "real" / "gunshot"
    gunshot.mkdir(parents=True)
    for path in campaign.paths[:2]:
        (gunshot / path.name).write_bytes(path.read_bytes())
    (gunshot / "short.csv").write_text("time,mass,intensity\n1,50,9\n2,50,9\n", "utf-8")
    (gunshot / "notes.txt").write_text("no run\n", "utf-8")
    return tmp_path / "real"


def test_facts_of_labels(campaign: gale.Campaign) -> None:
    facts = {name: (published, found) for name, published, found in label_facts(campaign)}
    train = campaign.of_split("train")
    mineral = train.labels[:, train.families.index("mineral")].mean()
    none = np.mean(train.labels.sum(axis=1) == 0)
    assert facts["runs, train"] == ("809", f"{len(train)}")
    assert facts["prevalence, mineral"] == ("0.145", f"{mineral:.3f}")
    assert facts["runs with 0 families"] == ("0.370", f"{none:.3f}")


def test_prior_is_that_of_the_other_folds(campaign: gale.Campaign) -> None:
    train = campaign.of_split("train")
    of_all = metrics.log_loss(train.labels, np.tile(train.prevalence(), (len(train), 1)))
    # which sees the runs that it is scored on, so it must be better, though not by much
    assert of_all < prior_log_loss(train) < of_all + 0.1


def test_real_runs_are_read_or_named(real: Path) -> None:
    groups, left_out = real_runs(real)
    assert {name: len(runs) for name, runs in groups.items()} == {"gunshot": 2}
    assert ["notes.txt" in line for line in left_out] == [True, False]
    assert "2 scans" in left_out[1]


def test_table_has_a_column_for_each_group() -> None:
    table = side_by_side({"simulated": [made_run()], "real": [made_run(), made_run()]})
    assert table[0] == ["", "simulated (1)", "real (2)"]
    rows = {row[0]: row[1:] for row in table}
    assert rows["ions per scan, median"] == ["4", "4 (4 to 4)"]
    facts = {name: found for name, _, found in run_facts([made_run()])}
    assert facts["last scan (min)"] == "9.99"


def test_spread_leaves_out_what_is_unknown() -> None:
    assert spread([np.nan]) == "-"
    assert spread([1, np.nan, 3, 8]) == "3 (1 to 8)"


def test_time_bins_are_those_of_the_organisers() -> None:
    run = Run.from_rows(
        [0, 0, 0, 5, 5, 10],
        [HELIUM, 28.2, 351, 27.9, 44, 28],
        [1e9, 10, 1e9, 60, 7, 35],
    )
    bins = time_bins(run, longest_min=10.0).toarray().reshape(-1, N_BINS)
    # helium and 351 are left out; 28 loses its least, 10, and 44 all it has
    assert np.count_nonzero(bins) == 2
    assert bins[28, N_BINS // 2] == 1
    assert bins[28, -1] == 0.5


@pytest.mark.slow
def test_command_line(
    campaign_folder: Path,
    real: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setattr(figures, "N_ROWS", 1)
    folder = tmp_path / "figures"
    words = [campaign_folder, "--real", real, "--runs", "3", "--figures", folder]
    likeness.main(list(map(str, words)))
    printed = capsys.readouterr().out
    for expected in ("derivatized, train", "campaign (3)", "gunshot (2)", "notes.txt"):
        assert expected in printed
    drawn = {path.name: path.read_bytes() for path in folder.iterdir()}
    assert drawn.keys() >= {"ion_map.png", "spectra.png"}
    assert all(content.startswith(b"\x89PNG") for content in drawn.values())
