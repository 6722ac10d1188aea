"""benchmarks.accuracy.recipes: on the campaign of the tests, through the real commands."""

from __future__ import annotations

import json
from collections.abc import Callable
from functools import partial
from pathlib import Path

import numpy as np
import polars as pl
import pytest

import gale
from benchmarks import campaigns
from benchmarks.accuracy import costs, recipes
from benchmarks.commands import Measured
from gale.evaluation.metrics import log_loss
from helpers.benchmark_runs import runner
from helpers.commands import succeed
from helpers.training import Exported

Script = Callable[..., str]


@pytest.fixture
def script(tmp_path: Path, campaign_folder: Path, capsys: pytest.CaptureFixture[str]) -> Script:
    """Run the benchmark on the campaign of the tests, and give what it prints."""
    run = runner(capsys, "--out", tmp_path, "--campaigns", campaign_folder)
    return partial(run, recipes.main)


def check_scores(printed: str, test: gale.Campaign, results: Path, *trained: str) -> None:
    """Compare the log losses of a table with those of the predictions that are kept."""
    rows = {line.split("  ")[0]: line for line in printed.splitlines()}
    for name in trained:
        table = pl.read_csv(results / f"{name}-0" / "predictions.csv")
        assert table["run"].to_list() == list(test.runs)
        expected = log_loss(test.labels, table.select(test.families).to_numpy())
        assert f"  {expected:.3f} [" in rows[name]
    assert rows["training, min"].split()[-2:] == ["15", "-"]  # default was not asked for


def check_prior(printed: str, campaign: gale.Campaign) -> None:
    test = campaign.of_split("test")
    share = np.nanmean(campaign.of_split("train", "val").labels, axis=0)
    prior = log_loss(test.labels, np.tile(share, (len(test), 1)))
    (row,) = [line for line in printed.splitlines() if line.startswith("prior") and "[" in line]
    assert f"  {prior:.3f} [" in row
    assert row.split()[-5:] == ["-"] * 5


@pytest.fixture
def commands_run(exported: Exported, monkeypatch: pytest.MonkeyPatch) -> list[list[str]]:
    """The commands that were run: within this process, and as if each took 2 s and 300 MB."""
    run: list[list[str]] = []

    def within(*words: object) -> Measured:
        run.append([str(word) for word in words])
        return Measured(2.0, 300.0, succeed(*words).output)

    monkeypatch.setattr(costs, "gale", within)
    return run


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore::gale.errors.GaleWarning")
def test_the_bundled_model_beside_the_prior(
    script: Script, commands_run: list[list[str]], campaign: gale.Campaign, tmp_path: Path
) -> None:
    printed = script("--recipes", "prior", "bundled")
    test = campaign.of_split("test")
    check_scores(printed, test, tmp_path / "results" / "campaign")
    expected = gale.bundled_model().predict(test).select(test.families).to_numpy()
    (row,) = [line for line in printed.splitlines() if line.startswith("bundled") and "[" in line]
    assert f"  {log_loss(test.labels, expected):.3f} [" in row
    assert row.split()[-5:] == ["-"] * 5, "it cost nothing here"
    assert script("--recipes", "prior", "bundled") == printed
    assert [command[0] for command in commands_run] == ["predict"]


@pytest.mark.slow
def test_what_is_finished_is_not_done_again(
    script: Script,
    commands_run: list[list[str]],
    campaign: gale.Campaign,
    recipe_file: Path,
    tmp_path: Path,
) -> None:
    recipe, results = tmp_path / "mine.toml", tmp_path / "results" / "campaign"
    recipe.write_bytes(recipe_file.read_bytes())
    printed = script("--recipes", "prior", recipe)
    test = campaign.of_split("test")
    check_prior(printed, campaign)
    check_scores(printed, test, results, "mine")
    assert [command[0] for command in commands_run] == ["train", "train", "predict"]
    warm_up, train, predict = commands_run
    assert "warm-up.onnx" in warm_up[3]
    assert train[train.index("--recipe") + 1] == str(recipe)
    assert "--no-cache" in predict
    assert "--no-cache" not in train
    assert predict[predict.index("--split") + 1] == "test"
    size = (results / "mine-0" / "model.onnx").stat().st_size / 1e6
    shown = f"2  300  {len(test) / 2:.1f}  300  {size:.1f}".split()
    (row,) = [line.split() for line in printed.splitlines() if line.startswith("mine  ")]
    assert row[-5:] == shown

    commands_run.clear()
    assert script("--recipes", "prior", recipe) == printed
    assert "\n| mine | " in script("--recipes", recipe, "--markdown")
    assert commands_run == []

    kept = results / "mine-0" / "result.json"
    stated = json.loads(kept.read_text("utf-8"))
    stated["result"]["code"] += " of before"
    kept.write_text(json.dumps(stated), "utf-8")
    assert "1 of 1 results" in script("--recipes", recipe)
    assert commands_run == []

    recipe.write_text(recipe.read_text("utf-8").replace("epochs = 5", "epochs = 4"), "utf-8")
    script("--recipes", recipe, "--seeds", "0", "1")  # another recipe, and another seed
    words = [command for command in commands_run if "warm-up" not in command[3]]
    assert [command[0] for command in words] == ["train", "predict"] * 2
    assert [command[command.index("--seed") + 1] for command in words[::2]] == ["0", "1"]


@pytest.mark.slow
def test_results_of_another_campaign_are_not_taken(
    script: Script,
    commands_run: list[list[str]],
    recipe_file: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    script("--recipes", recipe_file)
    commands_run.clear()
    monkeypatch.setattr(campaigns, "identity", lambda _: "another")
    script("--recipes", recipe_file)
    assert [command[0] for command in commands_run] == ["train", "train", "predict"]


@pytest.mark.slow
def test_with_the_commands_as_a_user_starts_them(
    script: Script, campaign: gale.Campaign, tmp_path: Path
) -> None:
    results = tmp_path / "results" / "campaign"
    printed = script("--recipes", "prior", "logistic")
    check_prior(printed, campaign)
    check_scores(printed, campaign.of_split("test"), results, "logistic")
    kept = json.loads((results / "logistic-0" / "result.json").read_text("utf-8"))
    measured = kept["result"]["costs"]
    assert measured["train_seconds"] > 0
    assert measured["train_peak_mb"] > measured["predict_peak_mb"] > 50
    assert measured["predict_runs_per_s"] > 0


def test_published_soup_is_the_published_recipe_with_one_smaller_soup() -> None:
    complete = gale.Recipe.load("published").to_dict()
    soup = gale.Recipe.load(recipes.PUBLISHED).to_dict()
    assert (soup["soup"]["iterations"], soup["folds"]["count"]) == (5, 1)
    assert soup["fitting"].pop("products") == "fastest"
    assert complete["fitting"].pop("products") == "float32"
    for section in ("kind", "features", "network", "loss", "fitting"):
        assert soup[section] == complete[section]
    assert soup["soup"] == {**complete["soup"], "iterations": 5}
