"""Wide tables: one row a scan, one column an m/z; the cells that hold an ion."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import polars as pl

from gale.run import Floats, Integers

ROWS_AT_ONCE = 1024
"""Rows that are searched at a time, so that little is in memory beside the table itself."""


def scans(table: pl.DataFrame, mz: Sequence[float]) -> tuple[Integers, Floats, Floats]:
    """Give the ions of a wide table: its cells that are neither 0 nor blank.

    Parameters
    ----------
    table : DataFrame
        Of numbers, S rows and one column for each m/z. Null and NaN are blank cells, as tables
        that were pivoted have them.
    mz : sequence of float
        In increasing order.

    Returns
    -------
    ions_per_scan : array of shape (S,)
        Some of them 0.
    mz, intensity : arrays of shape (N,)
    """
    names = np.asarray(mz, dtype=np.float64)
    counts, columns, intensities = [], [], []
    for part in table.iter_slices(ROWS_AT_ONCE):
        cells = part.cast(pl.Float64).fill_null(0).fill_nan(0).to_numpy()
        row, column = np.nonzero(cells)
        counts.append(np.bincount(row, minlength=len(cells)))
        columns.append(column)
        intensities.append(cells[row, column])
    return (
        np.concatenate(counts).astype(np.int64),
        names[np.concatenate(columns)],
        np.concatenate(intensities),
    )
