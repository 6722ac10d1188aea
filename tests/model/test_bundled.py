"""The model that comes with gale: small, honest, and usable without any extra."""

from __future__ import annotations

from importlib.resources import files
from pathlib import Path

import numpy as np
import pytest

import gale
from gale.chemistry.families import default_family_table
from gale.model import Model
from gale.model.bundled import FILE
from helpers.commands import start, without


@pytest.fixture(scope="module")
def bundled() -> Model:
    return gale.bundled_model()


def test_it_is_small_and_knows_the_published_families(bundled: Model) -> None:
    assert (files("gale") / "data" / FILE).stat().st_size < 700_000  # type: ignore[attr-defined]
    assert set(bundled.families) == set(default_family_table())
    assert bundled.has_checksum
    assert bundled.has_elution_network
    assert bundled.facts["calibrated"]
    assert gale.bundled_model() is bundled


def test_it_says_what_it_learned_from(bundled: Model) -> None:
    facts = bundled.facts["bundled"]
    assert len(facts["foreign"]) == 2
    for each in facts["foreign"]:
        assert each["runs"] >= 100
        for value in (each["log_loss"], each["prior"]):
            assert f"{value:.2f}" in bundled.caution
    assert "simulated runs alone" in bundled.caution
    assert bundled.caution[1:] in gale.model_card(bundled)


def test_other_models_need_no_such_words(stack: Model) -> None:
    assert stack.caution == ""


def test_short_weights_change_little(bundled: Model) -> None:
    precision = bundled.facts["bundled"]["precision"]
    assert 0 < precision["largest_change"] < 0.02
    assert abs(precision["log_loss"] - precision["full"]) < 0.002


@pytest.mark.filterwarnings("ignore::gale.errors.GaleWarning")
def test_it_finds_what_is_in_an_obvious_run(bundled: Model) -> None:
    """Xylene and dodecane, far above the noise; a run of nothing but noise has no family."""
    rng = np.random.default_rng(3)
    peaks = {
        4.0: {91: 1.0, 106: 0.6, 105: 0.25, 77: 0.13, 51: 0.1, 39: 0.1, 65: 0.08, 27: 0.05},
        9.0: {57: 1.0, 43: 0.9, 71: 0.6, 85: 0.4, 41: 0.35, 29: 0.2, 55: 0.15, 99: 0.07},
    }
    time_min, mz = np.linspace(2, 14, 1400), np.arange(20, 300)
    signal = rng.gamma(2.0, 3.0, (len(time_min), len(mz)))
    blank = signal.copy()
    for at, ions in peaks.items():
        shape = 30_000 * np.exp(-0.5 * ((time_min - at) / 0.03) ** 2)
        for ion, height in ions.items():
            signal[:, mz == ion] += height * shape[:, None]

    def run_of(intensity: np.ndarray) -> gale.Run:
        scan, ion = np.nonzero(intensity > 12)
        return gale.Run.from_rows(time_min[scan], mz[ion].astype(float), intensity[scan, ion])

    full, empty = (bundled.predict(run_of(each)).row(0, named=True) for each in (signal, blank))
    assert full["hydrocarbon"] > 0.5 > full["chlorine_bearing_compound"]
    assert full["aromatic"] > 0.5
    assert max(empty[family] for family in bundled.families) < 0.5


@pytest.mark.slow
def test_the_base_install_predicts(tmp_path: Path, runs: list[Path]) -> None:
    environment = without(tmp_path, "torch", "onnx", "sklearn", "pydantic", "rdkit", "xlsxwriter")
    done = start("predict", runs[0], "-q", cwd=tmp_path, env={**environment, "GALE_MODEL": ""})
    assert done.returncode == 0, done.stderr
    assert "hydrocarbon" in done.stdout
    assert "learned from simulated runs alone" in done.stdout
