"""`gale ablate`: the folder that it makes, and what it says."""

from __future__ import annotations

import json
import os
import re
import shutil
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
import polars as pl
import pytest
from polars.testing import assert_frame_equal

from gale.ablation.saving import FILES
from gale.errors import CampaignError, OutputError, RecipeError, TableError, TrainingError
from helpers.commands import error_of, invoke, start, succeed
from helpers.errors import check_error
from helpers.interruptions import interrupt_after

pytestmark = pytest.mark.slow

Ablate = Callable[..., Sequence[object]]

STEPS = ["base", "hinge", "prior bias", "BatchNorm", "LayerNorm", "LCG loss", "FixedSoup"]


@pytest.fixture
def recipe(recipe_file: Path, tmp_path: Path) -> Path:
    """The tiny recipe with a soup of two."""
    path = tmp_path / "tiny.toml"
    path.write_text(recipe_file.read_text("utf-8").replace('"none"', '"fixed"'), "utf-8")
    return path


@pytest.fixture
def ablate(
    campaign_folder: Path, recipe: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Ablate:
    """Arguments of an ablation in an empty folder."""
    folder = tmp_path / "here"
    folder.mkdir()
    monkeypatch.chdir(folder)

    def arguments(*more: object, campaign: Path = campaign_folder) -> Sequence[object]:
        few = ("--trainings", 2, "--iterations", 1)
        return ("ablate", campaign, "-o", "out", "--recipe", recipe, *few, *more)

    return arguments


def names(folder: str) -> list[str]:
    return sorted(path.name for path in Path(folder).iterdir())


def test_what_is_written_and_said(ablate: Ablate) -> None:
    result = succeed(*ablate("--seed", 3))
    assert (names("."), names("out")) == (["out"], sorted(FILES))
    table, trainings = pl.read_csv("out/table.csv"), pl.read_csv("out/trainings.csv")
    assert table["step"].to_list() == STEPS
    assert trainings.height == 2 * len(STEPS)
    for row in table.iter_rows(named=True):
        of_step = trainings.filter(step=row["step"])["test_log_loss"].to_numpy()
        assert row["test_log_loss"] == pytest.approx(of_step.mean())
        assert row["test_sd"] == pytest.approx(of_step.std(ddof=1))
        shown = f"{row['test_log_loss']:.4f} ± {row['test_sd']:.4f}"
        assert f"| {shown} | {row['author_val_log_loss']:.4f} ± " in result.stdout
    curves = pl.read_csv("out/curves.csv")
    last = curves.filter(method="fixed_soup", iteration=1)["val_log_loss"]
    assert last.to_list() == trainings.filter(step="FixedSoup")["val_log_loss"].to_list()
    assert re.search(r"^out: .*out/ablation.md$", result.stdout, re.MULTILINE)
    assert "[18 of 18] LCG_loss training " in result.stderr


def test_the_page_and_the_facts(ablate: Ablate, campaign_folder: Path) -> None:
    result = succeed(*ablate("--seed", 3, "--quiet"))
    assert result.stderr == ""
    page = Path("out/ablation.md").read_text("utf-8")
    printed = result.stdout.splitlines()
    assert "\n".join(printed[:10]) in page
    assert "60 of train, 24 of val, 24 of test" in page
    for picture in re.findall(r"!\[.*\]\((.+)\)", page):
        assert (Path("out") / picture).read_bytes().startswith(b"\x89PNG")
    assert Path("out/curves.svg").read_text("utf-8").startswith("<?xml")
    facts = json.loads(Path("out/ablation.json").read_text("utf-8"))
    assert (facts["seed"], facts["trainings"], facts["iterations"]) == (3, 2, 1)
    assert facts["recipe"]["soup"]["size"] == 2
    assert facts["prior"]["test"] > 0
    assert {"gale-ms", "torch"} <= facts["versions"].keys()
    assert facts["campaign"]["name"] == campaign_folder.name


def test_the_same_seed_gives_the_same_tables(ablate: Ablate) -> None:
    succeed(*ablate())
    first = {name: Path("out", name).read_bytes() for name in FILES if name != "ablation.json"}
    check_error(error_of(*ablate()), "out", kind=OutputError)
    succeed(*ablate("--force"))
    del first["ablation.md"]
    assert {name: Path("out", name).read_bytes() for name in first} == first
    assert names(".") == ["out"]


def test_what_must_not_be_overwritten(ablate: Ablate) -> None:
    Path("out").mkdir()
    Path("out/notes.txt").write_text("mine", "utf-8")
    error = error_of(*ablate("--force"))
    check_error(error, "out", found="notes.txt", kind=OutputError)
    assert names("out") == ["notes.txt"]


@pytest.fixture
def without_test_labels(campaign_folder: Path, tmp_path: Path) -> Path:
    folder = tmp_path / "unknown"
    ignored = shutil.ignore_patterns("test_labels.csv")
    shutil.copytree(campaign_folder, folder, copy_function=os.link, ignore=ignored)
    return folder


def test_labels_of_test_may_come_later(
    ablate: Ablate, without_test_labels: Path, campaign_folder: Path
) -> None:
    succeed(*ablate(campaign=without_test_labels))
    assert pl.read_csv("out/trainings.csv")["test_log_loss"].null_count() == 14
    labels = campaign_folder / "test_labels.csv"
    succeed(*ablate("--force", "--test-labels", labels, campaign=without_test_labels))
    given = pl.read_csv("out/trainings.csv")
    succeed(*ablate("--force"))
    assert_frame_equal(given, pl.read_csv("out/trainings.csv"))


def test_an_interruption_keeps_what_is_finished(
    ablate: Ablate, monkeypatch: pytest.MonkeyPatch
) -> None:
    succeed(*ablate("-o", "whole"))
    with monkeypatch.context() as patch:
        interrupt_after(patch, 5)
        result = invoke(*ablate())
    assert result.exit_code == 130
    assert "5 finished fits are kept in out.partial" in result.stderr.splitlines()[-1]
    assert "--resume" in result.stderr.splitlines()[-1]
    assert names(".") == ["out.partial", "whole"]
    check_error(error_of(*ablate()), "out.partial", found="5", kind=TrainingError)
    succeed(*ablate("--resume"))
    assert names(".") == ["out", "whole"]
    found, whole = (pl.read_csv(f"{name}/trainings.csv") for name in ("out", "whole"))
    np.testing.assert_allclose(found["val_log_loss"], whole["val_log_loss"], atol=5e-3)


def test_force_discards_an_interrupted_ablation(
    ablate: Ablate, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as patch:
        interrupt_after(patch, 1)
        invoke(*ablate())
    succeed(*ablate("--force", "--seed", 1))
    assert json.loads(Path("out/ablation.json").read_text("utf-8"))["seed"] == 1
    assert names(".") == ["out"]


def test_a_run_that_cannot_be_read(ablate: Ablate, without_test_labels: Path) -> None:
    spoiled = without_test_labels / "train_features" / "S0004.csv"
    spoiled.unlink()
    spoiled.touch()
    result = invoke(*ablate("--quiet", campaign=without_test_labels))
    assert result.exit_code == 1
    assert result.stderr.startswith("note: run S0004 is left out: ")
    assert re.search("^1 run left out", result.stdout, re.MULTILINE)
    facts = json.loads(Path("out/ablation.json").read_text("utf-8"))
    assert facts["campaign"]["unreadable"] == ["S0004"]


def test_errors(ablate: Ablate, tmp_path: Path) -> None:
    assert isinstance(error_of(*ablate("--recipe", "logistic")), RecipeError)
    check_error(error_of(*ablate("--test-labels", "nowhere.csv")), "nowhere.csv", kind=TableError)
    runs = tmp_path / "runs"
    runs.mkdir()
    (runs / "a.csv").write_text("time,mass,intensity\n0,4,1\n", "utf-8")
    (runs / "labels.csv").write_text("run,mineral\na.csv,1\n", "utf-8")
    error = error_of(*ablate(campaign=runs))
    check_error(error, runs, found="val", kind=CampaignError)
    assert names(".") == []


@pytest.mark.parametrize(
    "more",
    [("--trainings", "0"), ("--iterations", "0"), ("--seed", "-1"), ("--recipes", "quick")],
)
def test_usage_errors(ablate: Ablate, more: tuple[str, str]) -> None:
    result = invoke(*ablate(*more))
    assert result.exit_code == 2
    assert "Usage: " in result.stderr


def test_the_installed_command(ablate: Ablate, tmp_path: Path) -> None:
    done = start(*ablate("--trainings", 1), cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    table = pl.read_csv(tmp_path / "out" / "table.csv")
    assert table["val_sd"].null_count() == len(STEPS)
    assert "± " not in done.stdout.splitlines()[2].rpartition("|")[0].rpartition("|")[0]
