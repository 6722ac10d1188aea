"""Tables as runs: long ones with one row per ion, wide ones with one row per scan."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager

import numpy as np
import polars as pl

from gale.errors import ReadError
from gale.readers import refused
from gale.readers.limits import max_cells
from gale.readers.scans import note_last_line
from gale.readers.tables import columnar
from gale.readers.tables.cells import read_cells
from gale.readers.tables.headers import (
    UNITS,
    Column,
    Long,
    Wide,
    describe,
    find_columns,
    remedy_of,
)
from gale.readers.tables.peaks import MANY_NAMES, MIN_NAMES, check_peaks, peak_names, refusal
from gale.readers.tables.text import as_utf8, find_table
from gale.readers.tables.wide import scans
from gale.readers.times import (
    LONGEST_MIN,
    LONGEST_STEP_S,
    PER_MIN,
    Pace,
    plausible_unit,
    without_repeats,
)
from gale.run import Floats, Run

FACT_COLUMNS = "columns"
"""The fact that names the columns that were read, and the unit of the time."""


def read_csv(
    data: bytes,
    source: str,
    *,
    columns: Mapping[str, str] | None = None,
    most_cells: int | None = None,
) -> Run:
    """Read a table of text whose cells are separated by commas, semicolons, tabs, bars or blanks.

    Long tables keep the order of their rows. Other columns, lines before the header and blank lines
    are ignored. See :mod:`gale.readers.tables.headers` for the columns.

    Parameters
    ----------
    data : bytes
        The whole file, not compressed.
    source : str
        Name of the file in messages.
    columns : mapping, optional
        See :func:`gale.read_run`.
    most_cells : int, optional
        How many cells it may have; by default :func:`gale.readers.limits.max_cells` of its size.

    Raises
    ------
    ReadError
        If a column is missing, appears twice or may be one of several, there are no rows, or a cell
        is not a number; the error names the row, the column and the cell. If there are too many.
    UnsupportedFormatError
        If no line has several cells.
    """
    text = find_table(as_utf8(data), columns)
    if text is None:
        raise refused.refusal("text", data, source)
    with _peaks_named(text.header, source):
        found = find_columns(text.header, columns, source)
    may_be_blank = found.mz_positions if isinstance(found, Wide) else ()
    with _peaks_named(text.header, source, MANY_NAMES):
        frame = read_cells(
            text,
            found.positions,
            source,
            may_be_blank=frozenset(may_be_blank),
            most=max_cells(len(data)) if most_cells is None else most_cells,
        )
    return _run(frame, found, text.header, source, "csv", note_last_line(text.data))


def read_columnar(
    data: bytes,
    source: str,
    format: str,  # noqa: A002
    *,
    columns: Mapping[str, str] | None = None,
    most_cells: int | None = None,
) -> Run:
    """Read a Parquet or Arrow file with columns as in :func:`read_csv`.

    Parameters
    ----------
    data : bytes
        The whole file, not compressed.
    source : str
        Name of the file in messages.
    format : str
        ``parquet`` or ``arrow``.
    columns : mapping, optional
        See :func:`gale.read_run`.
    most_cells : int, optional
        How many cells it may have; by default :func:`gale.readers.limits.max_cells` of its size.

    Raises
    ------
    ReadError
        If the file is damaged or cut short, a column is missing or may be one of several, a column
        has nulls or values that are not numbers, or there are no rows or too many cells.
    """
    header = columnar.header(data, source, format)
    with _peaks_named(header, source):
        found = find_columns(header, columns, source)
    may_be_null = found.mz_positions if isinstance(found, Wide) else ()
    names = [header[at] for at in found.positions]
    frame = columnar.read_numbers(
        data,
        source,
        format,
        names,
        may_be_null=frozenset(header[at] for at in may_be_null),
        most=max_cells(len(data)) if most_cells is None else most_cells,
    )
    notes = columnar.note_no_end(data)
    return _run(frame, found, header, source, format, notes)


@contextmanager
def _peaks_named(header: Sequence[str], source: str, least: int = MIN_NAMES) -> Iterator[None]:
    """Name a table that cannot be read for what it is, if its header is one of peaks."""
    try:
        yield
    except ReadError:
        if names := peak_names(header, least):
            raise refusal(source, names) from None
        raise


def _run(
    frame: pl.DataFrame,
    found: Long | Wide,
    header: Sequence[str],
    source: str,
    format: str,  # noqa: A002
    notes: tuple[str, ...],
) -> Run:
    """Make a run from `frame`, whose columns are those of `found`, in its order."""
    if frame.is_empty():
        raise ReadError(
            source, "has a header and no ions", "one row per ion", "export the run again"
        )
    time, *others = frame.iter_columns()
    times = time.cast(pl.Float64).to_numpy()
    notes = (*_check_unit(times, found.time, header, source), *notes)
    time_min = times / PER_MIN[UNITS[found.time.key]]
    facts = {FACT_COLUMNS: describe(found, header)}
    if isinstance(found, Long):
        mz, intensity = (column.cast(pl.Float64).to_numpy() for column in others)
        notes = (*check_peaks(time_min, mz, header, source), *notes)
        return Run.from_rows(
            time_min, mz, intensity, source=source, format=format, facts=facts, notes=notes
        )
    counts, mz, intensity = scans(frame.drop(time.name), found.mz)
    return Run.from_scans(
        time_min, counts, mz, intensity, source=source, format=format, facts=facts, notes=notes
    )


def _check_unit(times: Floats, time: Column, header: Sequence[str], source: str) -> tuple[str, ...]:
    """Check that times whose column names no unit can be in minutes; note if it is in doubt."""
    if time.known_by != "default":
        return ()
    times = without_repeats(times)
    if not np.isfinite(times).all():
        return ()  # Run refuses times that are not finite
    unit = plausible_unit(times, UNITS[time.key])
    in_minutes = Pace.of(times)
    if unit.name == UNITS[time.key] and in_minutes.length_min <= LONGEST_MIN:
        return unit.notes
    name = header[time.position].strip()
    hint = "" if unit.name == "minutes" else f", but {unit.name} would be usual"
    raise ReadError(
        f"{source}: column {name!r}",
        f"names no unit of time, and in minutes the run would last {in_minutes}{hint}",
        f"at most {LONGEST_MIN:g} min, and at most {LONGEST_STEP_S:g} s from scan to scan",
        remedy_of(*({key: name} for key in UNITS)),
    )
