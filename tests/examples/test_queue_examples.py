"""The examples for clusters: jobs that share a list of runs predict what one command predicts."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

import polars as pl
import pytest
from polars.testing import assert_frame_equal

import gale
from helpers.commands import succeed

EXAMPLES = Path(__file__).parents[2] / "examples"
MODEL = Path(__file__).parents[1] / "model" / "models" / "elution.onnx"
SNAKEMAKE = os.environ.get("SNAKEMAKE", "")

pytestmark = pytest.mark.slow


@pytest.fixture
def here(campaign: gale.Campaign, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with a model and a list of runs, one of which does not exist."""
    monkeypatch.chdir(tmp_path)
    shutil.copy(MODEL, "model.onnx")
    runs = [*campaign.of_split("test").paths[:6], tmp_path / "missing.csv"]
    Path("runs.txt").write_text("".join(f"{run}\n" for run in runs), "utf-8")
    return tmp_path


def run(*words: object, **variables: str) -> None:
    """Run a command with the tested gale on its path."""
    folders = [str(Path(sys.executable).parent), os.environ["PATH"]]
    environment: Mapping[str, str] = {**os.environ, "PATH": os.pathsep.join(folders), **variables}
    done = subprocess.run(list(map(str, words)), env=environment, check=False, text=True,
                          stdout=subprocess.PIPE, stderr=subprocess.STDOUT)  # fmt: skip
    assert done.returncode == 0, done.stdout


def check(predictions: pl.DataFrame) -> None:
    """Compare a table with that of one command."""
    words = ["--files-from", "runs.txt", "--model", "model.onnx", "-o", "whole.parquet"]
    succeed("predict", *words, "--allow-failed", "-q")
    whole = pl.read_parquet("whole.parquet").sort("run")
    assert whole.height == 7
    assert_frame_equal(predictions.sort("run"), whole, check_exact=False, abs_tol=1e-6)


@pytest.mark.skipif(shutil.which("bash") is None, reason="no bash here")
def test_an_array_of_jobs(here: Path) -> None:
    script = EXAMPLES / "slurm" / "predict.sbatch"
    for job in (2, 1, 3):
        variables = {"SLURM_ARRAY_TASK_ID": str(job), "SLURM_ARRAY_TASK_COUNT": "3"}
        run("bash", script, "runs.txt", "model.onnx", **variables)
    tables = sorted(Path("predictions").glob("*.parquet"))
    assert [table.name for table in tables] == ["1.parquet", "2.parquet", "3.parquet"]
    before = [table.stat().st_mtime_ns for table in tables]
    run("bash", script, "runs.txt", "model.onnx", **variables)
    assert [table.stat().st_mtime_ns for table in tables] == before
    check(pl.concat(pl.read_parquet(table) for table in tables))


@pytest.mark.skipif(not SNAKEMAKE, reason="$SNAKEMAKE names no snakemake")
def test_a_workflow_of_snakemake(here: Path) -> None:
    file = EXAMPLES / "snakemake" / "Snakefile"
    config = ["runs=runs.txt", "model=model.onnx", "shards=3"]
    run(SNAKEMAKE, "-s", file, "--cores", 2, "--config", *config)
    check(pl.read_parquet("predictions.parquet"))
