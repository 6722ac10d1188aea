"""Files of typed columns: Parquet, and Arrow IPC as a file (Feather) or a stream."""

from __future__ import annotations

import io
from collections.abc import Collection, Sequence
from typing import IO

import polars as pl

from gale.errors import ReadError
from gale.readers.limits import FREE_CELLS
from gale.readers.tables.parquet_pages import check_pages

PARQUET = b"PAR1"
ARROW_FILE = b"ARROW1\0\0"
ARROW_STREAM = b"\xff\xff\xff\xff"
"""How a message of a stream begins; its length follows."""

MAX_BYTES = 2**30
"""All pages of a Parquet file, including those of columns not read, may unpack to this."""

CELL_BYTES = 8
"""They may unpack to this for each cell that a file may have."""

_STREAM_END = ARROW_STREAM + bytes(4)

_NAMES = {"parquet": "Parquet", "arrow": "Arrow"}

_DAMAGED = (pl.exceptions.PolarsError, pl.exceptions.PanicException, OSError, ValueError)
"""Errors that polars and :func:`check_pages` raise for a damaged file."""


def is_arrow(head: bytes) -> bool:
    """Whether `head` begins an Arrow file, or an Arrow stream with a plausible length."""
    if head.startswith(ARROW_FILE):
        return True
    return head.startswith(ARROW_STREAM) and 0 < int.from_bytes(head[4:8], "little") < 2**24


def header(file: bytes | IO[bytes], source: str, format: str) -> list[str]:  # noqa: A002
    """Return the names of the columns.

    Parameters
    ----------
    file : bytes or file
        The content, or an open file, of which only the needed part is read.
    source : str
        Name of the file in messages.
    format : str
        ``parquet`` or ``arrow``.

    Raises
    ------
    ReadError
        If the file is damaged or cut short.
    """
    file = io.BytesIO(file) if isinstance(file, bytes) else file
    try:
        if format == "parquet":
            return list(pl.read_parquet_schema(file))
        if _is_stream(file):
            return pl.read_ipc_stream(file, n_rows=0).columns
        return list(pl.read_ipc_schema(file))
    except _DAMAGED as error:
        raise _damaged(source, format, error) from error


def read_numbers(
    data: bytes,
    source: str,
    format: str,  # noqa: A002
    names: Sequence[str],
    *,
    may_be_null: Collection[str] = (),
    most: int = FREE_CELLS,
) -> pl.DataFrame:
    """Read columns of numbers.

    Parameters
    ----------
    data : bytes
        The whole file.
    source : str
        Name of the file in messages.
    format : str
        ``parquet`` or ``arrow``.
    names : sequence of str
        The columns to read.
    may_be_null : collection of str
        The columns in which values may be missing.
    most : int
        How many cells it may have: a few bytes can encode any number of equal ones.

    Returns
    -------
    DataFrame
        The columns in the order of `names`, of any numeric type.

    Raises
    ------
    ReadError
        If the file is damaged or cut short, a column is not numeric, a value is missing, or there
        are more than `most` cells.
    """
    file = io.BytesIO(data)
    most_rows = most // len(names)
    try:
        if format == "parquet":
            check_pages(data, max(MAX_BYTES, CELL_BYTES * most), most)
            frame = pl.read_parquet(file, columns=list(names), n_rows=most_rows + 1)
        elif _is_stream(file):
            frame = pl.read_ipc_stream(file, columns=list(names), n_rows=most_rows + 1)
        else:
            frame = pl.read_ipc(file, columns=list(names), n_rows=most_rows + 1)
    except _DAMAGED as error:
        raise _damaged(source, format, error) from error
    if len(frame) > most_rows:
        raise ReadError(
            source,
            f"has more than {most_rows:,} rows",
            "a run, which has far fewer",
            "check that it is a run",
        )
    for name in names:
        _check_numbers(frame[name], source, may_be_null)
    return frame.select(names)


def note_no_end(data: bytes) -> tuple[str, ...]:
    """Return a note if an Arrow stream has no end mark, otherwise none."""
    if not data.startswith(ARROW_STREAM) or data.endswith(_STREAM_END):
        return ()
    return ("the stream has no end mark; it may be cut short",)


def _is_stream(file: IO[bytes]) -> bool:
    begins = file.read(len(ARROW_STREAM))
    file.seek(0)
    return begins == ARROW_STREAM


def _check_numbers(column: pl.Series, source: str, may_be_null: Collection[str]) -> None:
    """Check that a column has integers or floats (not decimals), and no nulls unless allowed."""
    name, dtype = column.name, column.dtype
    if not (dtype.is_integer() or dtype.is_float()):
        raise ReadError(
            f"{source}: column {name!r}",
            f"has type {_type_name(dtype)}",
            "integers or floating-point numbers",
            "convert it",
        )
    if column.null_count() and name not in may_be_null:
        row = int(column.is_null().arg_max() or 0) + 1
        raise ReadError(
            f"{source}: row {row:,}, column {name!r}",
            "is null",
            "a number",
            "correct or remove the row",
        )


def _type_name(dtype: pl.DataType) -> str:
    """Name a type in the terms of Arrow and Parquet."""
    if isinstance(dtype, pl.Categorical | pl.Enum):
        return f"dictionary ({dtype.base_type()})"
    return str(dtype)


def _damaged(source: str, format: str, error: BaseException) -> ReadError:  # noqa: A002
    why = str(error).partition("\n")[0]
    return ReadError(
        source,
        f"has {_NAMES[format]} data that are cut short or damaged ({why})",
        f"a whole {_NAMES[format]} file",
        "copy or export it again",
    )
