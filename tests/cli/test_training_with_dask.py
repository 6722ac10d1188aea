"""`gale train --dask` and `gale ablate --dask`, as commands: the files of a call without it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

import gale
from gale.plumbing.cluster import dask_executor
from helpers.commands import succeed

pytest.importorskip("distributed", reason="the extra dask is not installed")

pytestmark = [
    pytest.mark.slow,
    pytest.mark.filterwarnings("ignore::ResourceWarning", "ignore::DeprecationWarning"),
]

ALIKE = ("--device", "cpu", "-q", "--no-cache")


@pytest.fixture(scope="module")
def scheduler() -> Iterator[str]:
    """The address of a scheduler with two workers, which take seconds to start."""
    with dask_executor("local:2") as executor:
        yield str(executor.client.scheduler.address)


def test_train(campaign_folder: Path, recipe_file: Path, tmp_path: Path, scheduler: str) -> None:
    words = ("train", campaign_folder, "--recipe", recipe_file, "--no-report", *ALIKE)
    succeed(*words, "-o", tmp_path / "here.onnx")
    succeed(*words, "-o", tmp_path / "there.onnx", "--dask", scheduler)
    here, there = (gale.Model.load(tmp_path / f"{name}.onnx") for name in ("here", "there"))
    runs = gale.Campaign.open(campaign_folder).of_split("test").paths
    assert here.predict(runs).equals(there.predict(runs))
    for name in ("history", "out_of_fold"):
        files = [tmp_path / f"{each}.{name}.csv" for each in ("here", "there")]
        assert files[0].read_bytes() == files[1].read_bytes()


def test_ablate(campaign_folder: Path, recipe_file: Path, tmp_path: Path, scheduler: str) -> None:
    recipe = tmp_path / "tiny.toml"
    recipe.write_text(recipe_file.read_text("utf-8").replace('"none"', '"fixed"'), "utf-8")
    few = ("--trainings", 2, "--iterations", 1, *ALIKE)
    words = ("ablate", campaign_folder, "--recipe", recipe, *few)
    succeed(*words, "-o", tmp_path / "here")
    succeed(*words, "-o", tmp_path / "there", "--dask", scheduler)
    for name in ("table.csv", "trainings.csv", "curves.csv"):
        assert (tmp_path / "here" / name).read_bytes() == (tmp_path / "there" / name).read_bytes()
