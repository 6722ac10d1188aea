"""The same table in several libraries."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pandas as pd
import polars as pl


class Capsule:
    """A table of a library that speaks Arrow and nothing else."""

    def __init__(self, frame: pl.DataFrame) -> None:
        self._frame = frame

    def __arrow_c_stream__(self, requested_schema: Any = None) -> Any:
        return self._frame.__arrow_c_stream__(requested_schema)


def in_pandas(frame: pl.DataFrame) -> pd.DataFrame:
    """The table in pandas, which polars itself can make only with pyarrow."""
    return pd.DataFrame(frame.to_dict(as_series=False))


def in_parts(frame: pl.DataFrame) -> list[object]:
    """The rows in several tables, of several libraries."""
    return [frame[:1], in_pandas(frame[1:2]), Capsule(frame[2:])]


LIBRARIES: dict[str, Callable[[pl.DataFrame], Any]] = {
    "polars": lambda frame: frame,
    "pandas": in_pandas,
    "pandas with an index": lambda frame: in_pandas(frame).set_index(frame.columns[0]),
    "arrow": Capsule,
    "several": in_parts,
}
