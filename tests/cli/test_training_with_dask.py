"""`gale train --dask` and `gale ablate --dask`, as commands: the files of a call without it."""

from __future__ import annotations

from pathlib import Path

import pytest

import gale
from helpers.commands import start, succeed

pytest.importorskip("distributed", reason="the extra dask is not installed")

pytestmark = pytest.mark.slow

ALIKE = ("--device", "cpu", "-q")


def run(folder: Path, *words: object) -> None:
    """Run a command with one thread, which is what a worker has."""
    done = start(*words, *ALIKE, cwd=folder, env={"OMP_NUM_THREADS": "1"})
    assert done.returncode == 0, done.stderr


def test_train(campaign_folder: Path, recipe_file: Path, tmp_path: Path) -> None:
    words = ("train", campaign_folder, "--recipe", recipe_file, "--no-report", "--no-cache")
    succeed(*words, "-o", tmp_path / "here.onnx", *ALIKE)
    run(tmp_path, *words, "-o", "there.onnx", "--dask", "local:2")
    here, there = (gale.Model.load(tmp_path / f"{name}.onnx") for name in ("here", "there"))
    runs = gale.Campaign.open(campaign_folder).of_split("test").paths
    assert here.predict(runs).equals(there.predict(runs))
    for name in ("history", "out_of_fold"):
        files = [tmp_path / f"{each}.{name}.csv" for each in ("here", "there")]
        assert files[0].read_bytes() == files[1].read_bytes()


def test_ablate(campaign_folder: Path, recipe_file: Path, tmp_path: Path) -> None:
    recipe = tmp_path / "tiny.toml"
    recipe.write_text(recipe_file.read_text("utf-8").replace('"none"', '"fixed"'), "utf-8")
    few = ("--trainings", 2, "--iterations", 1, "--no-cache")
    words = ("ablate", campaign_folder, "--recipe", recipe, *few)
    succeed(*words, "-o", tmp_path / "here", *ALIKE)
    run(tmp_path, *words, "-o", "there", "--dask", "local:1")
    for name in ("table.csv", "trainings.csv", "curves.csv"):
        assert (tmp_path / "here" / name).read_bytes() == (tmp_path / "there" / name).read_bytes()
