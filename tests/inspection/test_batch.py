"""Notes on batches: instruments and prevalences that are not those of training."""

from __future__ import annotations

import numpy as np
import polars as pl
import pytest

from gale.inspection.batch import MIN_RUNS, batch_notes

PREVALENCE = {"alcohol": 0.1, "mineral": 0.4}


def predictions(
    n_runs: int, alcohol: float = 0.1, mineral: float = 0.4, far: float = 0.0
) -> pl.DataFrame:
    n_far = round(far * n_runs)
    return pl.DataFrame(
        {
            "status": ["ok"] * n_runs + ["failed"],
            "unlike": [*np.repeat([1.5, 0.5], [n_far, n_runs - n_far]), None],
            "alcohol": [*np.full(n_runs, alcohol), None],
            "mineral": [*np.full(n_runs, mineral), None],
        }
    )


@pytest.mark.parametrize("n_runs", [0, MIN_RUNS, 463])
def test_nothing_is_said_of_a_usual_batch(n_runs: int) -> None:
    assert batch_notes(predictions(n_runs, far=0.05), PREVALENCE) == []
    assert batch_notes(predictions(n_runs, alcohol=0.19, mineral=0.31), PREVALENCE) == []


def test_nothing_is_said_of_a_few_runs() -> None:
    assert batch_notes(predictions(MIN_RUNS - 1, mineral=0.99, far=1.0), PREVALENCE) == []


def test_another_instrument() -> None:
    (note,) = batch_notes(predictions(100, far=0.27), PREVALENCE)
    assert "27 %" in note
    assert "95 %" in note
    assert batch_notes(predictions(20, far=0.2), PREVALENCE) == []


def test_other_samples() -> None:
    (note,) = batch_notes(predictions(400, alcohol=0.02, mineral=0.61), PREVALENCE)
    assert "mineral 0.61 (0.40)" in note
    assert "alcohol" not in note
    assert batch_notes(predictions(20, mineral=0.61), PREVALENCE) == []


def test_models_that_do_not_measure_the_distance() -> None:
    table = predictions(100).with_columns(pl.lit(None, pl.Float64).alias("unlike"))
    assert batch_notes(table, PREVALENCE) == []
