"""The tool that makes the bundled model: a small one of it works, and disturbances are as said."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from scipy.special import expit

import gale
from gale.evaluation.metrics import log_loss
from gale.simulation import Physics
from tools import bundled_runs, make_bundled
from tools.bundled_runs import disturbed


def quiet_run(low: int, high: int) -> gale.Run:
    """A run of 600 scans with every m/z from low to high at 10."""
    time_min, mz = np.linspace(1, 9, 600), np.arange(low, high + 1).astype(float)
    counts = np.full(len(time_min), len(mz))
    n_ions = int(counts.sum())
    return gale.Run.from_scans(time_min, counts, np.tile(mz, 600), np.full(n_ions, 10.0))


def test_disturbances_are_seen_where_the_instrument_looks() -> None:
    run = quiet_run(40, 120)
    heights = []
    for seed in range(20):
        made = disturbed(run, np.random.default_rng(seed))
        assert made.time_min[[0, -1]].tolist() == [1.0, 9.0]
        assert set(np.rint(made.mz)) <= set(range(40, 121))
        assert (made.intensity >= 10).all()
        heights.append(float(made.intensity.max()))
    assert min(heights) == 10.0, "some runs have none"
    assert max(heights) > 100, "others have high ones"
    same, again = (disturbed(run, np.random.default_rng(4)) for _ in range(2))
    np.testing.assert_array_equal(same.intensity, again.intensity)


@pytest.mark.slow
def test_gases_are_those_of_air_water_and_carbon_dioxide(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bundled_runs, "HUMPS", 0.0)
    run = quiet_run(10, 60)
    grown = {
        int(np.rint(mz))
        for seed in range(10)
        for made in [disturbed(run, np.random.default_rng(seed))]
        for mz in made.mz[made.intensity > 10]
    }
    allowed = {mz for ions, _ in bundled_runs.GASES for mz in ions}
    assert {18, 28} <= grown <= allowed


def test_its_physics_can_be_read() -> None:
    physics = Physics.load(make_bundled.PHYSICS)
    assert physics.instrument["air"]["nitrogen"].high > Physics.default().instrument["air"][
        "nitrogen"
    ].high  # fmt: skip


def test_networks_are_those_of_the_shipped_model() -> None:
    """The tool would make the model that comes with gale again: its first members are these."""
    networks, shipped = make_bundled.Networks.load(), gale.bundled_model()
    assert networks.spec.to_dict() == shipped.facts["features"]
    features = networks.spec.features_of(quiet_run(20, 200))[None]
    calibration = shipped.facts["calibration"]
    logits = networks.logits(features.astype(np.float32))[:, 0]
    expected = expit(np.array(calibration["weight"]).sum(axis=0) * logits + calibration["bias"])
    found = shipped.predict_features(features)[1][: len(logits), 0]
    np.testing.assert_allclose(found, expected, atol=0.02)  # its weights have 8 bits
    assert shipped.facts["recipe"]["parts"][-1]["network"]["kind"] == "matching"


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore::gale.errors.GaleWarning")
def test_a_small_one(
    tmp_path: Path, campaign_folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "model.onnx"
    words = ["--runs", "40", "--of-laboratory", "8", "--instruments", "1", "--output", str(path)]
    words += ["--weights", str(tmp_path / "matching.npz")]
    make_bundled.main([*words, "--foreign", str(campaign_folder)])
    model = gale.Model.load(path)
    (foreign,) = model.facts["bundled"]["foreign"]
    test = gale.Campaign.open(campaign_folder).of_split("test")
    probability = model.predict(test).select(model.families).to_numpy()
    assert foreign["campaign"] == campaign_folder.name
    assert foreign["log_loss"] == pytest.approx(log_loss(test.labels, probability), abs=2e-3)
    assert model.facts["bundled"]["simulated"] == {"laboratories": 5, "instruments": 5}
    assert model.facts["training"]["runs"] == 40
