"""benchmarks.trust.early: parts of runs, and what is said of calls."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

import gale
from benchmarks.trust import early
from helpers.benchmark_runs import rows_of


@pytest.mark.slow
def test_the_last_part_is_the_whole_run(campaign: gale.Campaign, stack: gale.Model) -> None:
    run = gale.read_run(campaign.paths[0])
    parts = early.parts_of(stack, run)
    whole = stack.predict_features(stack.spec.features_of(run)[None])[0][0]
    np.testing.assert_array_equal(parts[-1], whole)
    assert len({row.tobytes() for row in parts}) == len(early.SHARES)


def test_the_threshold_is_the_lowest_of_its_precision() -> None:
    probability = np.array([[0.9, 0.8, 0.7, 0.6, 0.5, 0.4]], np.float32)
    labels = np.array([[1, 1, 0, 1, np.nan, 0]], np.float32)
    assert early.threshold(probability, labels, 0.75) == pytest.approx(0.6)
    assert early.threshold(probability, labels, 0.76) == pytest.approx(0.8)
    assert early.threshold(probability, 0 * labels, 0.5) == 1.0


def test_calls_of_parts() -> None:
    labels = np.array([[1, 1, 0, np.nan]], np.float32)
    predicted = np.array([[[0.9, 0.1, 0.8, 0.9]], [[0.9, 0.7, 0.2, 0.9]]], np.float32)
    called, right, taken_back = early.calls(predicted, labels, 0.5)
    assert called.tolist() == [0.5, 1.0]
    assert right.tolist() == [0.5, 1.0]
    assert taken_back.tolist() == [0.5, 0.0]


def test_the_table_and_the_figure(
    campaign_folder: Path, stack_file: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    figure = tmp_path / "early.png"
    words = (stack_file, campaign_folder, "--runs", "3", "--precision", "0.2", "--figure", figure)
    early.main([str(word) for word in words])
    assert rows_of(capsys.readouterr().out).keys() >= {"10%", "100%"}
    assert figure.read_bytes().startswith(b"\x89PNG")
