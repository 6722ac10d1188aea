"""Results as tables: the same as `gale predict` writes, and as Parquet and XLSX."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import polars as pl

from gale.model import Model
from gale.plumbing.frames import frame_bytes
from gale.plumbing.tables import SPREAD, UNLIKE
from gale.serve.store import StoredRun

MEDIA_TYPES = {
    "csv": "text/csv; charset=utf-8",
    "parquet": "application/vnd.apache.parquet",
    "xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
}


def row_of(run: StoredRun, model_sha256: str) -> dict[str, Any] | None:
    """The prediction of one model in a finished run; None if it was not asked."""
    rows = () if run.result is None else run.result["predictions"]
    return next((row for row in rows if row["model_sha256"] == model_sha256), None)


def table_of(runs: Sequence[StoredRun], model: Model) -> pl.DataFrame:
    """Make the table of one model, as `gale.Model.predict` does: a row for each finished run."""
    found = [(run.name, row) for run in runs if (row := row_of(run, model.sha256)) is not None]
    return row_table(found, model)


def row_table(found: Sequence[tuple[str, Mapping[str, Any]]], model: Model) -> pl.DataFrame:
    """Make the table of named rows, as workers give them."""
    names = _different([name for name, _ in found])
    columns: dict[str, pl.Series] = {
        "run": pl.Series(names, dtype=pl.String),
        "status": pl.Series([row["status"] for _, row in found], dtype=pl.String),
        "message": pl.Series([row["message"] for _, row in found], dtype=pl.String),
        UNLIKE: pl.Series([row[UNLIKE] for _, row in found], dtype=pl.Float64),
    }
    for at, ending in enumerate(("", SPREAD)):
        for family in model.families:
            values = [row["families"][family][at] for _, row in found]
            columns[family + ending] = pl.Series(values, dtype=pl.Float64)
    return pl.DataFrame(columns)


def _different(names: Sequence[str]) -> list[str]:
    """Number names that came several times, since tables are joined by them."""
    taken: dict[str, None] = {}
    for name in names:
        number, other = 1, name
        while other in taken:
            number += 1
            other = f"{name} ({number})"
        taken[other] = None
    return list(taken)


def table_bytes(table: pl.DataFrame, form: str) -> bytes:
    """Write a table as ``csv``, ``parquet`` or ``xlsx``, in numbers as short as they can be."""
    return frame_bytes(table.cast({pl.Float64: pl.Float32}), f".{form}", ["message"])
