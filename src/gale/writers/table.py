"""Long tables, one row per ion, with the columns that `gale.read_run` expects."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import polars as pl

from gale.errors import OutputError
from gale.plumbing import files
from gale.plumbing.text import counted
from gale.readers.limits import max_cells
from gale.readers.times import LONGEST_MIN, Unit, plausible_unit
from gale.run import Run


def write_csv(run: Run, path: Path) -> None:
    """Write a run as CSV, with the shortest numbers that read back unchanged."""
    files.write_csv(_frame(run), path)


def write_parquet(run: Run, path: Path) -> None:
    """Write a run as Parquet.

    Raises
    ------
    OutputError
        If the run is so large, and the file so small, that reading it again would be refused.
    """
    frame = _frame(run)
    files.write_parquet(frame, path)
    n_cells, most = frame.height * frame.width, max_cells(path.stat().st_size)
    if n_cells > most:
        raise OutputError(
            path,
            f"would have {n_cells:,} cells",
            f"at most {most:,} in a file of its size, so that it can be read again",
            "write CSV or mzML",
        )


def _frame(run: Run) -> pl.DataFrame:
    """Make a table of one row per ion, and one of m/z 0 and intensity 0 per scan without ions."""
    same = np.diff(run.time_min) == 0
    if same.any():
        n_same = int(same.sum())
        raise OutputError(
            run.source,
            f"{counted(n_same, 'scan')} {'has' if n_same == 1 else 'have'} the same time as the "
            f"scan before, first at {run.time_min[int(np.argmax(same))]:.6g} min",
            "different times, since rows of a table with the same time are one scan",
            "write mzML, which keeps them apart",
        )
    # times that may be in another unit are refused when they are read, unless the column names it
    is_long = run.time_min[-1] - run.time_min[0] > LONGEST_MIN
    in_doubt = is_long or plausible_unit(run.time_min, "minutes") != Unit("minutes")
    empty = run.ions_per_scan == 0
    before = run.scan_start[:-1][empty]
    return pl.DataFrame(
        {
            "time_min" if in_doubt else "time": np.repeat(
                run.time_min, np.maximum(run.ions_per_scan, 1)
            ),
            "mass": np.insert(run.mz, before, 0.0),
            "intensity": np.insert(run.intensity, before, 0.0),
        }
    )
