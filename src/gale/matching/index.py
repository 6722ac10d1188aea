"""Retention indices over the time of a run, interpolated between known ones."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

import numpy as np

from gale.errors import ReadError, TableError
from gale.plumbing.frames import CSV, Tabular, frame_bytes, frame_of
from gale.plumbing.kinds import checked
from gale.plumbing.reading import read_bytes
from gale.plumbing.text import counted, listed
from gale.readers.tables.cells import read_cells
from gale.readers.tables.headers import UNITS
from gale.readers.tables.names import meaning, words
from gale.readers.tables.text import BLANK, Text, as_utf8, possible_tables, with_units
from gale.readers.times import LONGEST_MIN, PER_MIN
from gale.run import Floats, Run

COLUMNS = ("time_min", "index")
EXPECTED = f"CSV with the columns {' and '.join(COLUMNS)}"

INDEX_NAMES = {"index", "kovats", "kovatsindex", "kovatsri", "lri", "retentionindex", "ri"}
"""What the column of indices may be called, without blanks and punctuation."""

LEAST_INDEX = 100
"""The index of methane; lower ones are carbon numbers or relative times."""


@dataclass(frozen=True, eq=False)
class IndexTable:
    """Times and retention indices of n-alkanes, or of other compounds, in one run or method.

    Between them, the index is linear in time (van den Dool & Kratz 1963, J. Chromatogr. 11, 463,
    for temperature programmes); before the first and after the last it is unknown.

    Parameters
    ----------
    time_min, index : arrays of shape (P,)
        Times in minutes and retention indices, both increasing; P is at least 2.
    source : str
        Name of the file in messages.

    Examples
    --------
    >>> import numpy as np
    >>> from gale.matching import IndexTable
    >>> table = IndexTable(np.array([2.0, 4.0]), np.array([800.0, 900.0]))
    >>> table.at(3.0), table.at(5.0)
    (850.0, nan)
    """

    time_min: Floats
    index: Floats
    source: str = "memory"

    @classmethod
    @checked
    def read(cls, path: Path | str | Tabular) -> IndexTable:
        """Read a table with columns such as ``time_min`` and ``index``.

        It is a file of text, or in memory: of polars, pandas or any other library that speaks
        Arrow, or a list of such tables. Like a run, it may have semicolons, tabs or decimal commas,
        other columns, and a time in seconds whose column says so, such as ``RT (s)``. The index may
        be called ``RI``, too.

        Raises
        ------
        TableError
            If it cannot be read, lacks a column or has several, contains values that are not
            numbers, has fewer than two rows, or if times or indices do not increase; if times are
            too late for minutes, or indices below :data:`LEAST_INDEX`, as carbon numbers are.
        """
        if isinstance(path, str | Path):
            data = _read(path)
        else:
            data, path = frame_bytes(frame_of(path, "table"), CSV), "table"
        text, time, index = _find_columns(path, data)
        try:
            frame = read_cells(text, [time.position, index], str(path))
        except ReadError as error:
            raise TableError(error.source, error.found, error.expected, error.remedy) from None
        times, indices = (column.to_numpy() for column in frame)
        names = tuple(text.header[at] for at in (time.position, index))
        _check_rows(path, times, indices, names)
        time_min = times / PER_MIN[time.unit]
        if (last := float(time_min[-1])) > LONGEST_MIN:
            raise TableError(
                f"{path}: column {names[0]}",
                f"ends at {last:,.0f} min",
                f"times in a run, at most {LONGEST_MIN:g} min",
                "call the column time_s if its times are in seconds",
            )
        if (lowest := float(indices[0])) < LEAST_INDEX:
            raise TableError(
                f"{path}: column {names[1]}",
                f"has the index {lowest:g}",
                f"retention indices, at least {LEAST_INDEX}, such as 800 for n-octane",
                "multiply carbon numbers by 100",
            )
        return cls(time_min, indices.astype(np.float64), str(path))

    def note_outside(self, run: Run) -> Iterator[str]:
        """Note if no time of the table lies within a run, so that it gives no index there."""
        if np.any((self.time_min >= run.time_min[0]) & (self.time_min <= run.time_min[-1])):
            return
        if np.isfinite([self.at(run.time_min[0]), self.at(run.time_min[-1])]).any():
            return  # the run lies between two of its times
        yield (
            f"{self.source}: none of its times, {self.time_min[0]:.4g} to {self.time_min[-1]:.4g} "
            f"min, is in {run.source}, {run.time_min[0]:.4g} to {run.time_min[-1]:.4g} min, so its "
            "retention indices are unknown; check the unit of the times"
        )

    def at(self, time_min: float) -> float:
        """Return the index at a time; NaN before the first and after the last."""
        return float(np.interp(time_min, self.time_min, self.index, left=np.nan, right=np.nan))


class _Time(NamedTuple):
    position: int
    unit: str


def _read(path: Path | str) -> bytes:
    try:
        return as_utf8(read_bytes(path))
    except OSError as error:
        raise TableError(
            path, f"cannot be read as a table of retention indices ({error.strerror})", EXPECTED
        ) from None


def _find_columns(path: Path | str, data: bytes) -> tuple[Text, _Time, int]:
    """Find the header of a table and the positions of its time, with the unit, and its index."""
    first: tuple[Text, list[str]] | None = None
    for text in possible_tables(data):
        times, indices = _candidates(text.header)
        for found in (times, indices):
            if len(found) > 1:
                names = listed(text.header[at] for at in found)
                raise TableError(path, f"has several columns, {names}", EXPECTED, "leave one")
        if times and indices:
            text = with_units(text)
            means = meaning(text.header[times[0]])
            key = means.key if means else None
            return text, _Time(times[0], UNITS[key or "time_min"]), indices[0]
        missing = [name for name, at in zip(COLUMNS, (times, indices), strict=True) if not at]
        if text.mark != BLANK and (first is None or len(missing) < len(first[1])):
            first = text, missing
    if first is None:
        raise TableError(path, "is empty or has one column", EXPECTED)
    text, missing = first
    raise TableError(
        path,
        f"has no column {' and '.join(missing)}, but {listed(text.header)}",
        EXPECTED,
        "rename the columns",
    )


def _candidates(header: Sequence[str]) -> tuple[list[int], list[int]]:
    """List the positions that may be the time and the index; those of COLUMNS come first."""
    roles = [meaning(name) for name in header]
    times = [at for at, role in enumerate(roles) if role and role.role == "time"]
    indices = [at for at, name in enumerate(header) if _squeezed(name) in INDEX_NAMES]
    exact = [[at for at in found if header[at] == name] for found, name in
             zip((times, indices), COLUMNS, strict=True)]  # fmt: skip
    return exact[0] or times, exact[1] or indices


def _squeezed(name: str) -> str:
    return "".join(words(name)).casefold()


def _check_rows(path: Path | str, times: Floats, indices: Floats, names: tuple[str, ...]) -> None:
    """Check that there are two rows or more, and that both columns increase."""
    if len(times) < 2:
        raise TableError(path, f"has {counted(len(times), 'row')}", "two rows or more")
    known = np.isfinite(times) & np.isfinite(indices)
    rising = (np.diff(times) > 0) & (np.diff(indices) > 0)
    if not (known.all() and rising.all()):
        at = int(np.argmin(known)) if not known.all() else int(np.argmin(rising)) + 1
        raise TableError(
            f"{path}: row {at + 2}",
            f"has {names[0]} {times[at]:g} and {names[1]} {indices[at]:g}",
            "numbers that increase from row to row in both columns",
        )
