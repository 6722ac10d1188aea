"""benchmarks.accuracy.scores: on numbers known."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import polars as pl
import pytest

import gale
from benchmarks.accuracy.costs import Costs, Result
from benchmarks.accuracy.scores import RESAMPLES, Figures, figures_of, goal_table, score_table
from gale.evaluation.metrics import log_loss, score
from gale.run import Floats

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
    rows = {row[0]: row[1:] for row in goal_table({"1": first, "2": second, "mean": mean})}
    assert rows["log loss / published"][:3] == [
        "<= 0.5", "0.500 [0.500, 0.500]", "0.750 [0.750, 0.750]",
    ]  # fmt: skip
    assert rows["log loss / published"][3].startswith("0.667 [")
    assert rows["log loss / logistic"] == ["<= 0.65", "-", "-", "-"]
    assert rows["training, min"] == ["<= 15", "2.0", "2.0", "2.0"]
    independent = np.std(mean["default"].draws)
    assert independent == pytest.approx(np.hypot(0.01, 0.03) / 2, rel=0.1)
