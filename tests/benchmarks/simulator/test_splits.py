"""benchmarks.simulator.splits: what is harder in val than in folds of train."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import polars as pl
import pytest

import gale
from benchmarks.simulator import splits
from benchmarks.simulator.splits import PARTS, PUBLISHED, by_part, losses, parts_of_val
from gale.evaluation import metrics
from gale.simulation import simulate
from gale.simulation.published import PREVALENCE
from helpers.laboratories import default_but


def test_losses() -> None:
    rng = np.random.default_rng(1)
    labels, predicted = rng.random((30, 4)) < 0.4, rng.random((30, 4))
    each = losses(labels.astype(float), predicted)
    assert each.mean() == pytest.approx(metrics.log_loss(labels.astype(np.float32), predicted))


def test_what_is_published_adds_up() -> None:
    assert {len(column) for column in PUBLISHED.values()} == {len(PREVALENCE)}
    assert np.mean(PUBLISHED["folds"]) == pytest.approx(splits.PUBLISHED_FOLDS, abs=0.001)


@pytest.mark.slow
def test_parts_of_val_are_all_of_it(tmp_path: Path, campaign: gale.Campaign) -> None:
    simulate(tmp_path / "c", runs={"train": 10, "val": 30}, ions=300, physics=default_but())
    parts = parts_of_val(gale.Campaign.open(tmp_path / "c"))
    assert parts is not None
    assert parts.sum(axis=1).tolist() == [1] * 30
    drifted = pl.read_csv(tmp_path / "c" / "runs.csv")["drifted_from"].tail(30).is_not_null()
    assert parts[:, 2].tolist() == drifted.to_list()
    rows = by_part(parts, np.arange(30.0))
    assert [row[0] for row in rows[1:]] == list(PARTS)
    assert rows[1][2] == f"{np.arange(30)[parts[:, 0]].mean():.3f}"
    assert parts_of_val(campaign) is None, "of another design"


@pytest.mark.slow
def test_the_tables(campaign_folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    splits.main([str(campaign_folder), "--markdown"])
    printed = capsys.readouterr().out
    assert all(f"| {family} |" in printed for family in PREVALENCE)
    assert "| 1.29 |" in printed, "the published ratio"
    assert "Parts of val" not in printed
