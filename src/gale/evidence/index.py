"""Retention indices over the time of a run, interpolated between known ones."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import polars as pl

from gale.errors import TableError
from gale.plumbing.kinds import checked
from gale.plumbing.text import counted
from gale.run import Floats

COLUMNS = ("time_min", "index")


@dataclass(frozen=True, eq=False)
class IndexTable:
    """Times and retention indices of n-alkanes, or of other compounds, in one run or method.

    Between them, the index is linear in time (van den Dool & Kratz 1963, J. Chromatogr. 11, 463,
    for temperature programmes); before the first and after the last it is unknown.

    Parameters
    ----------
    time_min, index : arrays of shape (P,)
        Times in minutes and retention indices, both increasing; P is at least 2.

    Examples
    --------
    >>> import numpy as np
    >>> from gale.evidence import IndexTable
    >>> table = IndexTable(np.array([2.0, 4.0]), np.array([800.0, 900.0]))
    >>> table.at(3.0), table.at(5.0)
    (850.0, nan)
    """

    time_min: Floats
    index: Floats

    @classmethod
    @checked
    def read(cls, path: Path | str) -> IndexTable:
        """Read a CSV table with columns ``time_min`` and ``index``.

        Raises
        ------
        TableError
            If it cannot be read, lacks a column, contains values that are not numbers, has fewer
            than two rows, or if times or indices do not increase.
        """
        try:
            table = pl.read_csv(path, schema_overrides=dict.fromkeys(COLUMNS, pl.Float64))
        except (OSError, pl.exceptions.PolarsError) as error:
            why = str(error).partition("\n")[0]
            raise TableError(
                path,
                f"cannot be read as a table of retention indices ({why})",
                f"CSV with the columns {' and '.join(COLUMNS)}",
            ) from None
        if missing := [name for name in COLUMNS if name not in table.columns]:
            raise TableError(
                path,
                f"has no column {' and '.join(missing)}, but {', '.join(table.columns)}",
                f"the columns {' and '.join(COLUMNS)}",
                "rename the columns",
            )
        time_min, index = (table[name].to_numpy().astype(np.float64) for name in COLUMNS)
        known = np.isfinite(time_min) & np.isfinite(index)
        rising = (np.diff(time_min) > 0) & (np.diff(index) > 0)
        if len(table) < 2:
            rows = counted(len(table), "row")
            raise TableError(path, f"has {rows}", "two rows or more")
        if not (known.all() and rising.all()):
            at = int(np.argmin(known)) if not known.all() else int(np.argmin(rising)) + 1
            raise TableError(
                f"{path}: row {at + 2}",
                f"has {COLUMNS[0]} {time_min[at]:g} and {COLUMNS[1]} {index[at]:g}",
                "numbers that increase from row to row in both columns",
            )
        return cls(time_min, index)

    def at(self, time_min: float) -> float:
        """Return the index at a time; NaN before the first and after the last."""
        return float(np.interp(time_min, self.time_min, self.index, left=np.nan, right=np.nan))
