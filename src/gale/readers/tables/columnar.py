"""Files of columns with types: Parquet, and Arrow IPC as a file (Feather) or a stream."""

from __future__ import annotations

import io
from collections.abc import Collection, Sequence
from typing import IO

import polars as pl

from gale.errors import ReadError
from gale.readers.tables.parquet_pages import check_pages

PARQUET = b"PAR1"
ARROW_FILE = b"ARROW1\0\0"
ARROW_STREAM = b"\xff\xff\xff\xff"
"""What a message of a stream begins with; its length is next."""

MAX_CELLS = 2**25
"""A table of more cells is no run: they would take 256 MiB. A few bytes can stand for any number of
equal cells, so the file being small says nothing."""

MAX_BYTES = 2**30
"""All pages of a Parquet file, of columns that are not read, too, unpack to no more than this."""

_STREAM_END = ARROW_STREAM + bytes(4)

_NAMES = {"parquet": "Parquet", "arrow": "Arrow"}

_DAMAGED = (pl.exceptions.PolarsError, pl.exceptions.PanicException, OSError, ValueError)
"""What polars, and :func:`check_pages`, raise for a damaged file."""


def is_arrow(head: bytes) -> bool:
    """Whether a file that begins so is of Arrow: a file, or a stream with a plausible length."""
    if head.startswith(ARROW_FILE):
        return True
    return head.startswith(ARROW_STREAM) and 0 < int.from_bytes(head[4:8], "little") < 2**24


def header(file: bytes | IO[bytes], source: str, format: str) -> list[str]:  # noqa: A002
    """Give the names of the columns.

    Parameters
    ----------
    file : bytes or file
        Of a file, only what is needed is read.
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
        Which columns.
    may_be_null : collection of str
        Those of them in which a value may be missing.

    Returns
    -------
    DataFrame
        The columns in order of `names`, of any type of numbers.

    Raises
    ------
    ReadError
        If the file is damaged or cut short, a column is not of numbers, a value is missing, or
        there are more than :data:`MAX_CELLS`.
    """
    file = io.BytesIO(data)
    most = MAX_CELLS // len(names)
    try:
        if format == "parquet":
            check_pages(data, MAX_BYTES, MAX_CELLS)
            frame = pl.read_parquet(file, columns=list(names), n_rows=most + 1)
        elif _is_stream(file):
            frame = pl.read_ipc_stream(file, columns=list(names), n_rows=most + 1)
        else:
            frame = pl.read_ipc(file, columns=list(names), n_rows=most + 1)
    except _DAMAGED as error:
        raise _damaged(source, format, error) from error
    if len(frame) > most:
        raise ReadError(
            f"{source}: has more than {most:,} rows; expected a run, which has far fewer; look at "
            "what it is"
        )
    for name in names:
        _check_numbers(frame[name], source, may_be_null)
    return frame.select(names)


def note_no_end(data: bytes) -> tuple[str, ...]:
    """Note that an Arrow stream has no end: one or no sentence."""
    if not data.startswith(ARROW_STREAM) or data.endswith(_STREAM_END):
        return ()
    return ("the stream has no end mark; it may be cut short",)


def _is_stream(file: IO[bytes]) -> bool:
    begins = file.read(len(ARROW_STREAM))
    file.seek(0)
    return begins == ARROW_STREAM


def _check_numbers(column: pl.Series, source: str, may_be_null: Collection[str]) -> None:
    """See that a column is of integers or floats; a decimal or a dictionary may be anything."""
    name, dtype = column.name, column.dtype
    if not (dtype.is_integer() or dtype.is_float()):
        raise ReadError(
            f"{source}: column {name!r} is of type {_type_name(dtype)}; expected integers or "
            "floating-point numbers; convert it"
        )
    if column.null_count() and name not in may_be_null:
        row = int(column.is_null().arg_max() or 0) + 1
        raise ReadError(
            f"{source}: row {row:,}, column {name!r} is null; expected a number; fill or "
            "remove the row"
        )


def _type_name(dtype: pl.DataType) -> str:
    """Name a type as people say who write such files."""
    if isinstance(dtype, pl.Categorical | pl.Enum):
        return f"dictionary ({dtype.base_type()})"
    return str(dtype)


def _damaged(source: str, format: str, error: BaseException) -> ReadError:  # noqa: A002
    why = str(error).partition("\n")[0]
    return ReadError(
        f"{source}: the {_NAMES[format]} data are cut short or damaged ({why}); expected a whole "
        "file; copy or export it again"
    )
