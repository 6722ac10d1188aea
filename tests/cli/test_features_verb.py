"""`gale features`, and a training from what it wrote."""

from __future__ import annotations

import shutil
from pathlib import Path

import polars as pl
import pytest

import gale
from helpers.commands import error_of, invoke, succeed


@pytest.fixture
def own(campaign_folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return shutil.copytree(campaign_folder, tmp_path / "campaign")


@pytest.mark.slow
def test_features_then_train(own: Path, recipe_file: Path) -> None:
    result = succeed("features", "campaign", "-o", "features", "--recipe", recipe_file, "-q")
    assert result.stdout.startswith("features: features of 108 runs in ")
    assert pl.read_parquet("features").height == 108
    succeed(
        "train", "campaign", "-o", "m.onnx", "--recipe", recipe_file, "--features", "features", "-q"
    )
    assert gale.Model.load("m.onnx").facts["training"]["runs"] == 84
    assert not Path("m.report.html").exists()
    other = ["train", "campaign", "-o", "n.onnx", "--features", "features", "-q"]
    assert error_of(*other, "--recipe", "logistic").source == "features"


@pytest.mark.slow
def test_runs_that_fail_are_named_and_end_with_status_1(own: Path, recipe_file: Path) -> None:
    run = sorted((own / "train_features").iterdir())[0]
    run.write_text("nothing")
    result = invoke("features", "campaign", "-o", "features", "--recipe", recipe_file, "-q")
    assert result.exit_code == 1
    assert result.stderr.startswith(f"failed: {run.stem}: ")
    assert "107 runs" in result.stdout
