"""`gale train`, and the way from a campaign to a score through the installed command."""

from __future__ import annotations

import errno
import json
import os
import re
import shutil
import signal
import subprocess
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest

import gale
from gale.errors import CampaignError, OutputError, RecipeError, TrainingError
from helpers.commands import GALE, error_of, invoke, start, succeed
from helpers.errors import check_error
from helpers.interruptions import interrupt_after
from helpers.model_files import undated
from helpers.training import TINY, Exported, Trained

Train = Callable[..., Sequence[object]]

WRITTEN = {"model.history.csv", "model.onnx", "model.out_of_fold.csv"}
"""Files of a training without a report."""


@pytest.fixture
def train(
    campaign_folder: Path, recipe_file: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Train:
    """Arguments of a training in an empty folder."""
    monkeypatch.chdir(tmp_path)

    def arguments(*more: object) -> Sequence[object]:
        recipe = () if "--recipe" in more else ("--recipe", recipe_file)
        return ("train", campaign_folder, "-o", "model.onnx", "--no-report", *recipe, *more)

    return arguments


@pytest.mark.slow
def test_from_campaign_to_score_in_a_fresh_folder(
    campaign_folder: Path, recipe_file: Path, trained: Trained, tmp_path: Path
) -> None:
    """The installed command, one process a verb, each result read again."""

    def run(*arguments: object) -> str:
        done = start(*arguments, cwd=tmp_path)
        assert done.returncode == 0, done.stderr
        return done.stdout

    out = run("train", campaign_folder, "-o", "model.onnx", "--recipe", recipe_file)
    assert undated((tmp_path / "model.onnx").read_bytes()) == undated(trained.path.read_bytes())
    assert (tmp_path / "model.history.csv").read_bytes() == trained.history.read_bytes()
    assert out.startswith("model.onnx: tiny: 9 families, 4 members, trained on 84 runs, ")
    run("predict", campaign_folder, "--split", "test", "--model", "model.onnx", "-o", "p.csv")
    table = pl.read_csv(tmp_path / "p.csv")
    assert table["status"].to_list() == ["ok"] * 24
    labels = campaign_folder / "test_labels.csv"
    out = run("evaluate", "p.csv", "--labels", labels, "--json", "scores.json")
    assert "scored 24 of 24 runs" in out
    scores = json.loads((tmp_path / "scores.json").read_text("utf-8"))["evaluations"][0]
    known = pl.read_csv(labels)
    families = known.columns[1:]
    y, p = known.select(families).to_numpy(), table.select(families).to_numpy()
    expected = -np.mean(np.where(y == 1, np.log(p), np.log1p(-p)))
    assert scores["scores"]["mean"]["log_loss"]["value"] == pytest.approx(expected, abs=1e-9)
    assert "model.onnx: a model" in run("inspect", "model.onnx")
    assert sorted(path.name for path in tmp_path.iterdir()) == [
        "model.history.csv", "model.onnx", "model.out_of_fold.csv", "model.report.html", "p.csv",
        "p.json", "scores.json",
    ]  # fmt: skip


@pytest.mark.slow
def test_what_is_written_and_said(train: Train, exported: Exported, campaign_folder: Path) -> None:
    result = succeed(*train("--seed", "3", "--verify"))
    model = gale.Model.load("model.onnx")
    assert model.facts["seed"] == 3
    assert {path.name for path in Path().iterdir()} == WRITTEN
    scores = model.facts["scores"]
    *files, last, worse = result.stdout.splitlines()
    assert scores["log_loss"] > scores["prior_log_loss"]
    assert worse == "that is no better than the training prevalence: do not rely on this model"
    assert [line.partition(": ")[0] for line in files] == [
        "model.onnx", "model.history.csv", "model.out_of_fold.csv"
    ]  # fmt: skip
    for name in ("log_loss", "prior_log_loss"):
        assert f"{scores[name]:.3f}" in last
    assert last.endswith(f"on {scores['measured_on']}; {scores['caution']}")
    positive = model.facts["training"]["positive"]
    shown = re.findall(r"^  (\w+) +(\d+) +(\d+) +(\d+)$", result.stderr, flags=re.MULTILINE)
    assert shown == [
        (family, str(n), str(84 - n), "0")
        for family, n in zip(model.families, positive, strict=True)
    ]
    assert "[4 of 4] fold 1, member 1: " in result.stderr
    assert f"{campaign_folder}: 108 runs" in result.stderr


def test_no_report_stays_of_another_model(train: Train, exported: Exported) -> None:
    Path("model.report.html").write_text("old", "utf-8")
    succeed(*train("--force"))
    assert not Path("model.report.html").exists()


def test_quiet(train: Train, exported: Exported) -> None:
    result = succeed(*train("--quiet"))
    assert result.stderr == ""
    assert result.stdout.startswith("model.onnx: ")


def test_the_recipes_that_gale_brings_along_are_named(train: Train) -> None:
    error = error_of(*train("--recipe", "fast"))
    assert isinstance(error, RecipeError)
    assert "default, flight, logistic, published, quick" in str(error)


@pytest.mark.slow
def test_the_history_of_logistic_has_no_epochs_not_even_old_ones(
    train: Train, exported: Exported
) -> None:
    succeed(*train())
    Path("logistic.toml").write_text(TINY + "[logistic]\nc = 0.01\n", "utf-8")
    text = Path("logistic.toml").read_text("utf-8").replace('"tiny"', '"tiny"\nkind = "logistic"')
    Path("logistic.toml").write_text(text, "utf-8")
    succeed(*train("--recipe", "logistic.toml", "--force"))
    assert pl.read_csv("model.history.csv").height == 0


@pytest.mark.slow
@pytest.mark.parametrize(
    "there", ["model.onnx", "model.history.csv", "model.out_of_fold.csv", "model.report.html"]
)
def test_an_output_that_exists(train: Train, exported: Exported, there: str) -> None:
    Path(there).write_text("old", "utf-8")
    error = error_of(*train())
    check_error(error, there, remedy="force", kind=OutputError)
    assert Path(there).read_text("utf-8") == "old"
    assert [path.name for path in Path().iterdir()] == [there]
    succeed(*train("--force"))
    assert gale.Model.load("model.onnx").facts["members"] == 4
    assert pl.read_csv("model.history.csv").height == 20


@pytest.mark.parametrize(
    ("output", "found"), [("nowhere/model.onnx", "the folder nowhere"), (".", "is a folder")]
)
def test_an_output_that_cannot_be(train: Train, output: str, found: str) -> None:
    check_error(error_of(*train("-o", output, "--force")), output, found=found, kind=OutputError)


def test_other_labels(train: Train, exported: Exported, campaign_folder: Path) -> None:
    train_labels = pl.read_csv(campaign_folder / "train_labels.csv")
    train_labels.select("sample_id", *train_labels.columns[:0:-1]).write_csv("mine.csv")
    succeed(*train("--labels", "mine.csv"))
    facts = gale.Model.load("model.onnx").facts
    assert facts["families"] == train_labels.columns[:0:-1]
    assert facts["training"]["runs"] == 60


def test_a_folder_of_runs_with_other_columns(
    campaign_folder: Path, exported: Exported, train: Train
) -> None:
    labels = pl.read_csv(campaign_folder / "train_labels.csv")
    labels.select("sample_id", "hydrocarbon", "mineral").write_csv("labels.csv")
    Path("runs").mkdir()
    for run in labels["sample_id"]:
        text = (campaign_folder / "train_features" / f"{run}.csv").read_text("utf-8")
        renamed = text.replace("time,mass,intensity", "RT,m/z,counts")
        Path(f"runs/{run}.csv").write_text(renamed, "utf-8")
    names = ("time_min=RT", "mz=m/z", "intensity=counts")
    columns = [word for name in names for word in ("--column", name)]
    _, _, *rest = train("--labels", "labels.csv", *columns, "--no-cache")
    succeed("train", "runs", *rest)
    model = gale.Model.load("model.onnx")
    assert model.facts["columns"] == {"time_min": "RT", "mz": "m/z", "intensity": "counts"}
    assert model.facts["training"]["runs"] == 60


@pytest.fixture
def one_empty(campaign_folder: Path, tmp_path: Path) -> Path:
    """The campaign with one run that cannot be read."""
    folder = tmp_path / "spoiled"
    shutil.copytree(campaign_folder, folder, copy_function=os.link)
    spoiled = folder / "train_features" / "S0004.csv"
    spoiled.unlink()
    spoiled.touch()
    return folder


@pytest.mark.slow
def test_an_unreadable_run(
    train: Train, exported: Exported, one_empty: Path, recipe_file: Path
) -> None:
    rest = ("-o", "model.onnx", "--recipe", recipe_file, "--no-report")
    result = invoke("train", one_empty, *rest, "--quiet")
    assert result.exit_code == 1
    assert result.stderr.startswith("note: run S0004 is left out: ")
    assert result.stderr.count("\n") == 1
    assert re.search("^1 run left out", result.stdout, re.MULTILINE)
    assert gale.Model.load("model.onnx").facts["training"]["unreadable"] == ["S0004"]
    error = error_of("train", one_empty, *rest, "--strict", "--force")
    assert isinstance(error, TrainingError)
    assert "S0004" in str(error)


def test_checksums(train: Train, one_empty: Path, recipe_file: Path) -> None:
    error = error_of("train", one_empty, "-o", "model.onnx", "--recipe", recipe_file, "--verify")
    assert isinstance(error, CampaignError)
    assert "S0004.csv: " in str(error)
    assert "d41d8cd98f00b204e9800998ecf8427e" in str(error)


@pytest.mark.slow
def test_an_interruption_keeps_what_is_finished(
    train: Train, exported: Exported, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as patch:
        interrupt_after(patch, 3)
        result = invoke(*train())
    assert result.exit_code == 130
    last = result.stderr.splitlines()[-1]
    assert last.startswith("gale: interrupted; 3 finished fits are kept in model.onnx.partial; ")
    assert "--resume" in last
    assert not Path("model.onnx").exists()
    again, other = error_of(*train()), error_of(*train("--resume", "--seed", "1"))
    check_error(again, "model.onnx.partial", found="3", kind=TrainingError)
    check_error(other, "model.onnx.partial", found="seed", kind=TrainingError)
    succeed(*train("--resume"))
    succeed(*train("-o", "whole.onnx"))
    np.testing.assert_allclose(exported.weights(0), exported.weights(1), atol=5e-3)
    histories = [pl.read_csv(f"{name}.history.csv") for name in ("model", "whole")]
    assert histories[0].shape == histories[1].shape
    assert histories[0]["epoch"].equals(histories[1]["epoch"])
    assert not Path("model.onnx.partial").exists()


@pytest.mark.slow
def test_force_discards_an_interrupted_training_once_the_campaign_is_open(
    train: Train, exported: Exported, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as patch:
        interrupt_after(patch, 1)
        invoke(*train())
    error_of(*train("--force", "--labels", "nowhere.csv"))
    assert [path.name for path in Path("model.onnx.partial").glob("*.npz")] == ["fold0_member0.npz"]
    Path("many.toml").write_text(TINY.replace("count = 2", "count = 500"), "utf-8")
    error_of(*train("--force", "--recipe", "many.toml"))
    assert [path.name for path in Path("model.onnx.partial").glob("*.npz")] == ["fold0_member0.npz"]
    succeed(*train("--force", "--seed", "1"))
    assert gale.Model.load("model.onnx").facts["seed"] == 1


@pytest.mark.slow
def test_a_failed_first_fit_stands_in_nobodys_way(train: Train, exported: Exported) -> None:
    Path("hot.toml").write_text(TINY.replace("3e-3", "1e30"), "utf-8")
    error = error_of(*train("--recipe", "hot.toml"))
    assert "kept" not in str(error)
    succeed(*train())


@pytest.mark.slow
def test_a_full_disk_loses_no_training(
    train: Train, exported: Exported, monkeypatch: pytest.MonkeyPatch
) -> None:
    write = Path.write_bytes

    def full(path: Path, data: bytes) -> int:
        """Take the journal, and only the beginning of the model."""
        if not path.name.startswith(".model.onnx."):
            return write(path, data)
        write(path, data[:100])
        raise OSError(errno.ENOSPC, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr(Path, "write_bytes", full)
        error = error_of(*train())
    assert isinstance(error, OutputError)
    kept = ("4 finished fits are kept in model.onnx.partial", "--resume")
    check_error(error, "model.onnx", found="No space left on device", remedy=kept)
    assert [path.name for path in Path().iterdir()] == ["model.onnx.partial"]
    assert len(list(Path("model.onnx.partial").glob("*.npz"))) == 4  # nothing is lost
    succeed(*train("--resume"))
    assert {path.name for path in Path().iterdir()} == WRITTEN


@pytest.mark.slow
def test_a_training_that_ends_early_leaves_the_files_of_the_model_that_is_there(
    train: Train, exported: Exported, monkeypatch: pytest.MonkeyPatch
) -> None:
    succeed(*train())
    before = {path.name: path.read_bytes() for path in Path().iterdir()}
    with monkeypatch.context() as patch:
        interrupt_after(patch, 3)
        assert invoke(*train("--force", "--seed", "1")).exit_code == 130
    left = {path.name: path.read_bytes() for path in Path().iterdir() if path.is_file()}
    assert left == before


@pytest.mark.parametrize(
    "arguments",
    [
        ["train"],
        ["train", "campaign"],
        ["train", "campaign", "-o", "m.onnx", "--seed", "-1"],
        ["train", "campaign", "-o", "m.onnx", "--workers", "0"],
        ["train", "campaign", "-o", "m.onnx", "--column", "mass=m/z"],
        ["train", "campaign", "-o", "m.onnx", "--column", "mz"],
        ["train", "campaign", "-o", "m.onnx", "--epochs", "3"],
    ],
)
def test_usage_errors(arguments: list[str]) -> None:
    result = invoke(*arguments)
    assert result.exit_code == 2
    assert "Usage: " in result.stderr


@pytest.mark.slow
def test_ctrl_c_in_a_terminal(
    campaign_folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A real signal in the middle of a real training, which then goes on to its end."""
    # Members end at epochs of their own, so that some are finished while others go on.
    recipe = TINY.replace('"none"\nsize = 2', '"uniform"\nsize = 12')
    recipe = recipe.replace("epochs = 5", "epochs = 1000\npatience = 3")
    (tmp_path / "long.toml").write_text(recipe, "utf-8")
    rest: list[Any] = ["train", campaign_folder, "--recipe", "long.toml", "--quiet", "-o"]
    process = subprocess.Popen(
        [str(GALE), *map(str, rest), "model.onnx"], cwd=tmp_path, stderr=subprocess.PIPE, text=True
    )
    partial = tmp_path / "model.onnx.partial"
    deadline = time.monotonic() + 240
    while len(list(partial.glob("*.npz"))) < 2 and time.monotonic() < deadline:
        time.sleep(0.01)
    process.send_signal(signal.SIGINT)
    _, stderr = process.communicate(timeout=240)
    assert process.returncode == 130
    (n_fits,) = re.findall(r"^gale: interrupted; (\d+) finished fits are kept in", stderr)
    assert 2 <= int(n_fits) == len(list(partial.glob("*.npz"))) < 24
    assert len(stderr.splitlines()) == 1
    monkeypatch.chdir(tmp_path)
    succeed(*rest, "model.onnx", "--resume")
    assert gale.Model.load(tmp_path / "model.onnx").facts["members"] == 2
    history = pl.read_csv(tmp_path / "model.history.csv")
    assert history.select("fold", "member").n_unique() == 24
    assert not partial.exists()
