"""Tables with one row an ion: CSV and Parquet."""

from __future__ import annotations

import csv
import io
from collections.abc import Mapping, Sequence

import numpy as np
import polars as pl

from gale.errors import ReadError
from gale.readers.formats import first_line, note_last_line, separator
from gale.run import Floats, Run

DEFAULT_COLUMNS = {"time_min": "time", "mz": "mass", "intensity": "intensity"}
"""The names of the columns unless the caller gives others; time in minutes."""

N_COLUMNS = len(DEFAULT_COLUMNS)

_MAX_HEADER = 100_000
"""A header is within these first bytes; a longer field is beyond what the csv module takes."""

_DAMAGED = (pl.exceptions.PolarsError, pl.exceptions.PanicException, OSError)
"""What polars raises for a damaged Parquet file."""


def read(data: bytes, source: str, *, columns: Mapping[str, str] | None = None) -> Run:
    """Read a table that is not compressed, whichever kind it is.

    See :func:`read_csv` and :func:`read_parquet`.
    """
    reader = read_parquet if data.startswith(b"PAR1") else read_csv
    return reader(data, source, columns=columns)


def read_csv(data: bytes, source: str, *, columns: Mapping[str, str] | None = None) -> Run:
    """Read a CSV of one row an ion, with a header; extra columns are ignored.

    The rows keep their order. Comma, semicolon or tab separate the fields, as in the header.
    Blanks around the names of columns do not matter.

    Parameters
    ----------
    data : bytes
        The whole file, not compressed.
    source : str
        Name of the file in messages.
    columns : mapping, optional
        See :func:`gale.read_run`.

    Raises
    ------
    ReadError
        If a column is missing or there twice, there are no rows, or a cell is not a number; the
        message names the row, the column and the cell.
    """
    header = csv_header(data)
    names = _find_columns(columns, header, source)
    mark = separator(first_line(data)) or ","
    wanted = list(names.values())
    try:
        frame = pl.read_csv(
            data,
            columns=wanted,
            schema_overrides=dict.fromkeys(wanted, pl.Float64),
            infer_schema=False,
            separator=mark,
        )
    except pl.exceptions.PolarsError:
        frame = None
    if frame is None or any(frame.null_count().row(0)):
        found = _read_slowly(data, source, wanted, header, mark)
    else:
        found = [frame[name].to_numpy() for name in wanted]
    return _run(dict(zip(names, found, strict=True)), source, "csv", note_last_line(data))


def read_parquet(data: bytes, source: str, *, columns: Mapping[str, str] | None = None) -> Run:
    """Read a Parquet file with the columns of :func:`read_csv`.

    Raises
    ------
    ReadError
        If the file is damaged or cut short, a column is missing or there twice, is not of numbers
        or has nulls, or there are no rows.
    """
    try:
        header = list(pl.read_parquet_schema(io.BytesIO(data)))
        names = _find_columns(columns, header, source)
        frame = pl.read_parquet(io.BytesIO(data), columns=list(names.values()))
    except _DAMAGED as error:
        why = str(error).partition("\n")[0]
        raise ReadError(
            f"{source}: the Parquet data are cut short or damaged ({why}); expected a whole file; "
            "copy or export it again"
        ) from error
    for name in names.values():
        column = frame[name]
        if not column.dtype.is_numeric():
            raise ReadError(
                f"{source}: column {name!r} is of type {column.dtype}; expected numbers; convert it"
            )
        if column.null_count():
            row = int(column.is_null().arg_max() or 0) + 1
            raise ReadError(
                f"{source}: row {row:,}, column {name!r} is null; expected a number; fill or "
                "remove the row"
            )
    found = {key: frame[name].cast(pl.Float64).to_numpy() for key, name in names.items()}
    return _run(found, source, "parquet")


def csv_header(data: bytes) -> list[str]:
    """Give the names of the columns of a CSV."""
    line = first_line(data[:_MAX_HEADER])
    text = line.decode("utf-8", errors="replace")
    return next(csv.reader([text], delimiter=separator(line) or ","), [])


def parquet_header(data: bytes) -> list[str]:
    """Give the names of the columns of a Parquet file; none if it is damaged."""
    try:
        return list(pl.read_parquet_schema(io.BytesIO(data)))
    except _DAMAGED:
        return []


def count_columns(header: Sequence[str], columns: Mapping[str, str] | None = None) -> int:
    """Say how many of the three columns of a run a header has."""
    bare = {name.strip() for name in header}
    return max(len(bare & set(names.values())) for names in _candidates(columns, "columns"))


def _candidates(columns: Mapping[str, str] | None, source: str) -> list[dict[str, str]]:
    """Give the names that the three columns may have, by what they hold, the likely ones first."""
    given = dict(columns or {})
    unknown = set(given) - {"time_min", "time_s", "mz", "intensity"}
    if unknown or {"time_min", "time_s"} <= set(given):
        raise ReadError(
            f"{source}: columns are named for {', '.join(given)}; expected time_min or time_s, mz "
            "and intensity; correct the names"
        )
    time = "time_s" if "time_s" in given else "time_min"
    names = {time: DEFAULT_COLUMNS["time_min"], **DEFAULT_COLUMNS, **given}
    return [{key: names[key] for key in (time, "mz", "intensity")}, DEFAULT_COLUMNS]


def _find_columns(
    columns: Mapping[str, str] | None, header: Sequence[str], source: str
) -> dict[str, str]:
    """Give the names of the three columns as the header has them, blanks and all.

    They are those that the caller gives, unless the header has the default ones in their place.
    """
    bare = [name.strip() for name in header]
    candidates = _candidates(columns, source)
    names = next((each for each in candidates if set(each.values()) <= set(bare)), candidates[0])
    shown = ", ".join(bare[:12])[:200] + (", ..." if len(bare) > 12 else "")
    if missing := {key: name for key, name in names.items() if name not in bare}:
        raise ReadError(
            f"{source}: column {', '.join(missing.values())} is missing; found {shown}; expected "
            f"{', '.join(names.values())}; name this file's columns, for example with "
            f"--column {next(iter(missing))}=NAME"
        )
    if doubled := [name for name in names.values() if bare.count(name) > 1]:
        raise ReadError(
            f"{source}: column {', '.join(doubled)} is there twice; found {shown}; expected one; "
            "rename or remove the other"
        )
    return {key: header[bare.index(name)] for key, name in names.items()}


def _read_slowly(
    data: bytes, source: str, wanted: list[str], header: list[str], mark: str
) -> list[Floats]:
    """Read what the fast reader refused, row by row, and say which cell is wrong."""
    text = data.decode("utf-8-sig", errors="replace")
    lines = csv.reader(io.StringIO(text, newline=""), delimiter=mark)
    rows = (line for line in lines if line)
    places = [(header.index(name), name) for name in wanted]
    values: list[list[float]] = []
    try:
        next(rows)
        for number, row in enumerate(rows, start=1):
            where = f"{source}: row {number:,} (line {lines.line_num:,})"
            if len(row) != len(header):
                is_last = len(row) < len(header) and next(rows, None) is None
                hint = "the file may be cut short" if is_last else "look for decimal commas"
                raise ReadError(
                    f"{where} has {len(row)} fields; expected {len(header)}, as the header; {hint}"
                )
            values.append([_number(row[place], where, name) for place, name in places])
    except csv.Error as error:
        raise ReadError(
            f"{source}: line {lines.line_num:,} is not CSV ({error}); expected one row an ion"
        ) from error
    return list(np.array(values, dtype=np.float64).reshape(-1, len(wanted)).T)


def _number(cell: str, where: str, name: str) -> float:
    try:
        return float(cell)
    except ValueError:
        found = f"holds {cell[:40]!r}" if cell.strip() else "is blank"
        raise ReadError(
            f"{where}, column {name!r} {found}; expected a number; correct or remove the row"
        ) from None


def _run(
    columns: Mapping[str, Floats],
    source: str,
    format: str,  # noqa: A002
    notes: tuple[str, ...] = (),
) -> Run:
    if len(columns["mz"]) == 0:
        raise ReadError(f"{source}: has a header and no ions; expected one row an ion")
    time_min = columns["time_min"] if "time_min" in columns else columns["time_s"] / 60
    return Run.from_rows(
        time_min, columns["mz"], columns["intensity"], source=source, format=format, notes=notes
    )
