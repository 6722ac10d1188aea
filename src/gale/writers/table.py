"""Long tables, one row an ion, with the columns that `gale.read_run` expects."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import polars as pl

from gale.errors import OutputError
from gale.readers.scans import LONGEST_MIN
from gale.run import Run


def write_csv(run: Run, path: Path) -> None:
    """Write a run as CSV, in the shortest numbers that read back as they are."""
    _frame(run).write_csv(path)


def write_parquet(run: Run, path: Path) -> None:
    """Write a run as Parquet."""
    _frame(run).write_parquet(path)


def _frame(run: Run) -> pl.DataFrame:
    """One row an ion, shape (N,), and a row of m/z 0 and intensity 0 for each scan without ions."""
    same = np.diff(run.time_min) == 0
    if same.any():
        raise OutputError(
            f"{run.source}: {int(same.sum()):,} scans have the time of the scan before, the first "
            f"at {run.time_min[int(np.argmax(same))]:.6g} min; expected different times, as a "
            "table holds rows of equal time for one scan; write mzML, which keeps them apart"
        )
    # a table of this length has to say its unit, or it is taken for one in seconds
    is_long = run.time_min[-1] - run.time_min[0] > LONGEST_MIN
    empty = run.ions_per_scan == 0
    before = run.scan_start[:-1][empty]
    return pl.DataFrame(
        {
            "time_min" if is_long else "time": np.repeat(
                run.time_min, np.maximum(run.ions_per_scan, 1)
            ),
            "mass": np.insert(run.mz, before, 0.0),
            "intensity": np.insert(run.intensity, before, 0.0),
        }
    )
