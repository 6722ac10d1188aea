"""What is printed of predictions: a submission has no column message to look into."""

from __future__ import annotations

from pathlib import Path

import polars as pl
import pytest

import gale
from gale.cli.summary import Counts, print_summary
from helpers.training import Trained

RUNS = 5


@pytest.mark.parametrize("submission", [False, True])
def test_a_summary_points_at_what_is_there(
    submission: bool, trained: Trained, capsys: pytest.CaptureFixture[str]
) -> None:
    model: gale.Model = trained.model
    table = pl.DataFrame(
        {
            "run": [f"r{number}.csv" for number in range(RUNS)],
            "status": ["doubtful"] * (RUNS - 1) + ["ok"],
            "message": ["far"] * RUNS,
            "unlike": [3.0] * RUNS,
            **{family: [0.5] * RUNS for family in model.families},
        }
    )
    counts = Counts()
    for at in range(RUNS):  # as many tables
        counts.add(table[at : at + 1], model.families)
    print_summary(Path("p.csv"), model, counts, [], submission)
    said = capsys.readouterr().out
    assert "4 runs are doubtful" in said
    assert "1 run is odd" in said
    assert ("the column message" in said) is not submission
    assert ("gale predict without --submission says why" in said) is submission
