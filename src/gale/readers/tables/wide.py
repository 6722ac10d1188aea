"""The ions of wide tables, which have one row per scan and one column per m/z."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import polars as pl

from gale.run import Floats, Integers

ROWS_AT_ONCE = 1024
"""Rows that are searched at a time, which limits the memory used beside the table."""


def scans(table: pl.DataFrame, mz: Sequence[float]) -> tuple[Integers, Floats, Floats]:
    """Return the ions of a wide table: its cells that are neither 0 nor blank.

    Parameters
    ----------
    table : DataFrame
        Numbers in S rows and one column per m/z. Null and NaN are blank cells, which pivoted tables
        have.
    mz : sequence of float
        The m/z of each column, in increasing order.

    Returns
    -------
    ions_per_scan : array of shape (S,)
        Ions in each scan, possibly 0.
    mz, intensity : arrays of shape (N,)
        The ions, scan after scan.
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
