"""benchmarks/accuracy.py: on a tiny campaign through the real commands, and on numbers known."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import polars as pl
import pytest

import gale
from conftest import RARE, SHORT_RUNS
from gale.evaluation.metrics import log_loss, score
from gale.run import Floats
from helpers.commands import GALE, succeed
from helpers.training import Exported

sys.path.append(str(Path(__file__).parents[2] / "benchmarks"))

import accuracy
import accuracy_costs
from accuracy_costs import Costs, Result
from accuracy_scores import RESAMPLES, Figures, figures_of, reach_table, score_table
from campaign import measured

TINY = (
    *("--seed", "1", "--ions", "1500", "--physics", str(SHORT_RUNS)),
    *(word for family in RARE for word in ("--prevalence", f"{family}=0.2")),
)


Script = Callable[..., str]


@pytest.fixture
def script(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Script:
    """Run the script on a tiny campaign, and give what it prints."""
    monkeypatch.setitem(accuracy.CAMPAIGNS, "embedded", TINY)

    def run(*words: object) -> str:
        given = ("--out", tmp_path, "--campaigns", "embedded", "--runs", "60", *words)
        monkeypatch.setattr("sys.argv", ["accuracy.py", *map(str, given)])
        accuracy.main()
        return capsys.readouterr().out

    return run


def check_scores(printed: str, out: Path, *trained: str) -> None:
    """Compare the log losses of a table with those of the predictions that are kept."""
    campaign = gale.Campaign.open(out / "campaigns" / "embedded")
    test = campaign.of_split("test")
    rows = {line.split("  ")[0]: line for line in printed.splitlines()}
    for name in trained:
        table = pl.read_csv(out / "results" / "embedded" / f"{name}-0" / "predictions.csv")
        assert table["run"].to_list() == list(test.runs)
        expected = log_loss(test.labels, table.select(test.families).to_numpy())
        assert f"  {expected:.3f} [" in rows[name]
    share = np.nanmean(campaign.of_split("train", "val").labels, axis=0)
    prior = log_loss(test.labels, np.tile(share, (len(test), 1)))
    assert f"  {prior:.3f} [" in rows["prior"]
    assert rows["prior"].split()[-5:] == ["-"] * 5
    assert rows["training, min"].split()[-2:] == ["15", "-"]  # default was not asked for


@pytest.fixture
def commands_run(exported: Exported, monkeypatch: pytest.MonkeyPatch) -> list[list[str]]:
    """The commands that were run: within this process, and as if each took 2 s and 300 MB."""
    run: list[list[str]] = []

    def within(_gale: Path, *words: object) -> tuple[float, float, str]:
        run.append([str(word) for word in words])
        return 2.0, 300.0, succeed(*words).output

    monkeypatch.setattr(accuracy_costs, "measured", within)
    return run


def test_what_is_finished_is_not_done_again(
    script: Script, commands_run: list[list[str]], recipe_file: Path, tmp_path: Path
) -> None:
    recipe = tmp_path / "mine.toml"
    recipe.write_bytes(recipe_file.read_bytes())
    printed = script("--recipes", "prior", recipe)
    check_scores(printed, tmp_path, "mine")
    assert [command[0] for command in commands_run] == ["simulate", "train", "train", "predict"]
    warm_up, train, predict = commands_run[1:]
    assert "warm-up.onnx" in warm_up[3]
    assert train[train.index("--recipe") + 1] == str(recipe)
    assert "--no-cache" in predict
    assert "--no-cache" not in train
    assert predict[predict.index("--split") + 1] == "test"
    size = (tmp_path / "results/embedded/mine-0/model.onnx").stat().st_size / 1e6
    n_test = len(gale.Campaign.open(tmp_path / "campaigns/embedded").of_split("test"))
    costs = f"2  300  {n_test / 2:.1f}  300  {size:.1f}".split()
    (row,) = [line.split() for line in printed.splitlines() if line.startswith("mine  ")]
    assert row[-5:] == costs

    commands_run.clear()
    assert script("--recipes", "prior", recipe) == printed
    assert "\n| mine | " in script("--recipes", recipe, "--markdown")
    with pytest.raises(SystemExit, match=r"expected --seed 1 .* --runs 80; name another folder"):
        script("--runs", "80")
    assert commands_run == []

    kept = tmp_path / "results/embedded/mine-0/result.json"
    kept.write_text(kept.read_text("utf-8").replace('"code": "', '"code": "other '), "utf-8")
    told = "1 of 1 results were measured with another state of gale's code"
    assert told in script("--recipes", recipe)
    assert commands_run == []

    recipe.write_text(recipe.read_text("utf-8").replace("epochs = 5", "epochs = 4"), "utf-8")
    script("--recipes", recipe, "--seeds", "0", "1")  # another recipe, and another seed
    words = [command for command in commands_run if "warm-up" not in command[3]]
    assert [command[0] for command in words] == ["train", "predict"] * 2
    assert [command[command.index("--seed") + 1] for command in words[::2]] == ["0", "1"]


@pytest.mark.slow
@pytest.mark.skipif(not GALE.exists(), reason="gale is not installed beside this Python")
def test_with_the_commands_as_a_user_starts_them(script: Script, tmp_path: Path) -> None:
    check_scores(script("--recipes", "prior", "logistic", "quick"), tmp_path, "logistic", "quick")
    for recipe in ("logistic", "quick"):
        kept = tmp_path / "results" / "embedded" / f"{recipe}-0" / "result.json"
        costs = json.loads(kept.read_text("utf-8"))["costs"]
        assert costs["train_seconds"] > 0.5
        assert costs["train_peak_mb"] > costs["predict_peak_mb"] > 50
        assert 1 < costs["predict_runs_per_s"] < 1000


def test_memory_is_that_of_the_command_and_not_of_this_process() -> None:
    _, small, said = measured(sys.executable, "-S", "-c", "print('here')")
    assert said == "here\n"
    assert small < 40  # this process has loaded numpy and more
    _, large, _ = measured(sys.executable, "-S", "-c", "bytearray(200_000_000)")
    assert large - small == pytest.approx(200e6 / 2**20, rel=0.1)


def test_a_command_that_fails_stops_the_benchmark() -> None:
    with pytest.raises(SystemExit, match="exit status 3"):
        measured(sys.executable, "-S", "-c", "raise SystemExit(3)")


def test_published_soup_is_the_published_recipe_with_one_smaller_soup() -> None:
    complete = gale.Recipe.load("published").to_dict()
    soup = gale.Recipe.load(accuracy.PUBLISHED).to_dict()
    assert (soup["soup"]["iterations"], soup["folds"]["count"]) == (5, 1)
    assert soup["fitting"].pop("products") == "bfloat16"  # half the time
    assert complete["fitting"].pop("products") == "float32"
    for section in ("kind", "features", "network", "loss", "fitting"):
        assert soup[section] == complete[section]
    assert soup["soup"] == {**complete["soup"], "iterations": 5}


def test_campaigns_without_their_library_are_left_out(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.delenv("GALE_EXTRA_DATA", raising=False)
    words = accuracy.campaign_words(list(accuracy.CAMPAIGNS), None, 200)
    assert list(words) == ["embedded", "embedded-new"]
    assert words["embedded"][-2:] == ("--runs", "200")
    assert "massbank-new is left out: no --library" in capsys.readouterr().err

    library = tmp_path / "libraries" / "massbank_ei.msp.gz"
    library.parent.mkdir()
    library.touch()
    monkeypatch.setenv("GALE_EXTRA_DATA", str(tmp_path))
    words = accuracy.campaign_words(["massbank-new"], None, 200)
    assert str(library.resolve()) in words["massbank-new"]
    with pytest.raises(SystemExit, match="no campaign is left"):
        accuracy.campaign_words(["massbank"], tmp_path / "absent.msp", 200)


COSTS = Costs(120.0, 600.0, 40.0, 200.0, 30.0)


def result(test: gale.Campaign, folder: Path, number: int) -> tuple[Result, Floats]:
    """Predictions of a seed for the test runs, and where they are."""
    random = np.random.default_rng(number)
    probability = np.clip(0.2 + 0.5 * test.labels + random.normal(0, 0.1, test.labels.shape), 0, 1)
    probability = probability.clip(0.02, 0.98)
    table = pl.DataFrame({"run": test.runs}).with_columns(status=pl.lit("ok"), message=pl.lit(""))
    table = table.hstack(pl.DataFrame(probability, schema=list(test.families)))
    table.reverse().write_csv(folder / f"{number}.csv")  # rows are joined by name
    return Result(folder / f"{number}.csv", COSTS, "code", "machine"), probability


def test_figures_are_those_of_the_metrics(campaign: gale.Campaign, tmp_path: Path) -> None:
    test = campaign.of_split("test")
    results, probabilities = zip(*(result(test, tmp_path, n) for n in (1, 2)), strict=True)
    one, both = figures_of(test, results[:1], 5), figures_of(test, results, 5)

    scores = score(test.labels, probabilities[0], test.families, resamples=RESAMPLES, seed=5)
    loss = scores.mean["log_loss"]
    assert one.log_loss == pytest.approx([float(loss.value)])
    low, high = np.percentile(one.draws, [2.5, 97.5])
    assert (low, high) == pytest.approx((float(loss.low), float(loss.high)))
    assert one.calibration_error == pytest.approx(scores.calibration_error)
    assert one.roc_auc == pytest.approx(float(scores.mean["roc_auc"].value))
    np.testing.assert_allclose(one.per_family, scores.per_family["log_loss"].value)

    assert both.log_loss == pytest.approx([log_loss(test.labels, p) for p in probabilities])
    other = figures_of(test, results[1:], 5)
    np.testing.assert_allclose(both.draws, (one.draws + other.draws) / 2)
    assert len(score_table({"a": both})[0]) == len(score_table({"a": one})[0]) + 1
    assert score_table({"a": both})[1][2] == f"{both.log_loss.std(ddof=1):.3f}"


def made(log_loss: float, draws: Floats) -> Figures:
    return Figures(np.array([log_loss]), log_loss * draws, np.full(9, log_loss), 0.01, 0.9, COSTS)


def test_ratios_are_paired_and_campaigns_are_averaged() -> None:
    draws = np.random.default_rng(0).normal(1, 0.1, RESAMPLES)
    other = np.random.default_rng(1).normal(1, 0.1, RESAMPLES)
    first = {"default": made(0.1, draws), "published": made(0.2, draws)}
    second = {"default": made(0.3, other), "published": made(0.4, other)}
    mean = {name: Figures.mean([first[name], second[name]]) for name in first}
    rows = {row[0]: row[1:] for row in reach_table({"1": first, "2": second, "mean": mean})}
    assert rows["log loss / published"][:3] == [
        "<= 0.5", "0.500 [0.500, 0.500]", "0.750 [0.750, 0.750]",
    ]  # fmt: skip
    assert rows["log loss / published"][3].startswith("0.667 [")
    assert rows["log loss / logistic"] == ["<= 0.65", "-", "-", "-"]
    assert rows["training, min"] == ["<= 15", "2.0", "2.0", "2.0"]
    independent = np.std(mean["default"].draws)
    assert independent == pytest.approx(np.hypot(0.01, 0.03) / 2, rel=0.1)
