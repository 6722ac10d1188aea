"""Retention indices of a run's times, from times at which they are known."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import polars as pl

from gale.errors import TableError
from gale.run import Floats

COLUMNS = ("time_min", "index")


@dataclass(frozen=True, eq=False)
class IndexTable:
    """Times and retention indices of n-alkanes, or of other compounds, in one run or method.

    Between them the index is linear in time (van den Dool & Kratz 1963, J. Chromatogr. 11, 463, for
    temperature programmes); beyond them it is not known.

    Parameters
    ----------
    time_min, index : arrays of shape (P,)
        Both increasing; P is at least 2.
    """

    time_min: Floats
    index: Floats

    @classmethod
    def read(cls, path: Path | str) -> IndexTable:
        """Read a CSV table with columns ``time_min`` and ``index``.

        Raises
        ------
        TableError
            If it cannot be read, lacks a column, holds what is no number, has less than two rows,
            or if times or indices do not increase.
        """
        try:
            table = pl.read_csv(path, schema_overrides=dict.fromkeys(COLUMNS, pl.Float64))
        except (OSError, pl.exceptions.PolarsError) as error:
            why = str(error).partition("\n")[0]
            raise TableError(
                f"{path}: cannot be read as a table of retention indices ({why}); expected CSV "
                f"with columns {' and '.join(COLUMNS)}"
            ) from None
        if missing := [name for name in COLUMNS if name not in table.columns]:
            raise TableError(
                f"{path}: column {', '.join(missing)} is missing; found "
                f"{', '.join(table.columns)}; expected {' and '.join(COLUMNS)}"
            )
        time_min, index = (table[name].to_numpy().astype(np.float64) for name in COLUMNS)
        known = np.isfinite(time_min) & np.isfinite(index)
        rising = (np.diff(time_min) > 0) & (np.diff(index) > 0)
        if len(table) < 2 or not known.all() or not rising.all():
            raise TableError(
                f"{path}: has {len(table)} rows; expected two or more, of numbers that increase in "
                f"both {' and '.join(COLUMNS)}"
            )
        return cls(time_min, index)

    def at(self, time_min: float) -> float:
        """Return the index at a time; NaN before the first and after the last."""
        return float(np.interp(time_min, self.time_min, self.index, left=np.nan, right=np.nan))
