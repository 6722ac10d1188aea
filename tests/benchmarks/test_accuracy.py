"""benchmarks/accuracy.py: on a tiny campaign through the real commands, and on numbers known."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import numpy as np
import polars as pl
import pytest

import gale
from commands import GALE
from conftest import RARE, SHORT_RUNS
from gale.metrics import log_loss, score

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


@pytest.fixture
def run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]):  # type: ignore[no-untyped-def]
    """Run the script on a tiny campaign, and give what it prints."""
    if not GALE.exists():
        pytest.skip("the command gale is not installed beside this Python")
    monkeypatch.setitem(accuracy.CAMPAIGNS, "embedded", TINY)

    def script(*words: str) -> str:
        given = ("--out", tmp_path / "out", "--campaigns", "embedded", "--runs", "60", *words)
        monkeypatch.setattr("sys.argv", ["accuracy.py", *map(str, given)])
        accuracy.main()
        return capsys.readouterr().out

    return script


def test_from_campaign_to_tables_and_again(  # type: ignore[no-untyped-def]
    run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    printed = run("--recipes", "prior", "logistic", "quick")
    results = tmp_path / "out" / "results" / "embedded"
    campaign = gale.Campaign.open(tmp_path / "out" / "campaigns" / "embedded")
    test = campaign.of_split("test")

    rows = {line.split("  ")[0]: line for line in printed.splitlines()}
    for recipe in ("logistic", "quick"):
        table = pl.read_csv(results / f"{recipe}-0" / "predictions.csv")
        assert table["run"].to_list() == list(test.runs)
        expected = log_loss(test.labels, table.select(test.families).to_numpy())
        assert f"  {expected:.3f} [" in rows[recipe]
        costs = json.loads((results / f"{recipe}-0" / "result.json").read_text("utf-8"))["costs"]
        assert costs["train_seconds"] > 0.5
        assert costs["train_peak_mb"] > costs["predict_peak_mb"] > 50
        model = results / f"{recipe}-0" / "model.onnx"
        assert costs["model_mb"] == pytest.approx(model.stat().st_size / 1e6)
        assert 1 < costs["predict_runs_per_s"] < 1000
    share = np.nanmean(campaign.of_split("train", "val").labels, axis=0)
    prior = log_loss(test.labels, np.tile(share, (len(test), 1)))
    assert f"  {prior:.3f} [" in rows["prior"]
    assert rows["prior"].split()[-5:] == ["-"] * 5
    assert rows["training, min"].split()[-2:] == ["15", "-"]  # default was not asked for

    def stop(*command: object) -> None:
        raise AssertionError(f"{command} was run again")

    monkeypatch.setattr(accuracy_costs, "measured", stop)
    assert run("--recipes", "prior", "logistic", "quick") == printed
    assert "\n| quick | " in run("--recipes", "quick", "--markdown")
    with pytest.raises(AssertionError, match=r"'train'.*was run again"):
        run("--recipes", "quick", "--seeds", "0", "1")
    with pytest.raises(SystemExit, match=r"expected --seed 1 .* --runs 80; name another folder"):
        run("--runs", "80")


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


def result(test: gale.Campaign, folder: Path, number: int) -> tuple[Result, np.ndarray]:
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


def made(log_loss: float, draws: np.ndarray) -> Figures:
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
