"""A run: one GC-MS acquisition, as columns."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, fields, replace
from types import MappingProxyType

import numpy as np
from numpy.typing import ArrayLike, NDArray

from gale.errors import ReadError

Floats = NDArray[np.float64]
Floats32 = NDArray[np.float32]
Integers = NDArray[np.int64]

MAX_MZ = 20_000.0
"""An m/z above this is a fill value or an error of reading, never an ion of a GC-MS run."""

MAX_INTENSITY = 1e30
"""An intensity above this is a fill value, or an error of reading."""

TIC_NOTE = "the file's own total ion current"
"""What the note on it begins with."""

MAX_TIC_DEVIATION = 0.01
"""Relative difference between a file's own total ion current and the sum of a scan's ions that is
worth a note."""


@dataclass(frozen=True, eq=False, repr=False)
class Run:
    """One GC-MS acquisition: S scans over time, N ions in all.

    Make one with :meth:`from_rows` or :meth:`from_scans`, which check it; `gale.read_run` does so
    for files. The arrays are read-only.

    Parameters
    ----------
    time_min : array of shape (S,)
        Time of each scan in minutes, never decreasing.
    scan_start : array of shape (S + 1,)
        The ions of scan s are those from ``scan_start[s]`` to ``scan_start[s + 1]``. A scan may
        have none.
    mz : array of shape (N,)
        m/z of every ion, in the order of the file within a scan.
    intensity : array of shape (N,)
        Intensity of every ion, not negative, in the unit of the file.
    source : str
        Name of the file, as used in messages.
    format : str
        What the file was: ``csv``, ``parquet``, ``arrow``, ``andi``, ``jcamp``, ``mzml``,
        ``mzxml``, ``chemstation``, ``masshunter``, ``masslynx``, or ``memory``.
    facts : mapping
        What the file says of itself (title, date, instrument), as text.
    notes : tuple of str
        What is odd about the file, and what was done about it; one sentence each.
    stated_tic : array of shape (S,), optional
        Total ion current of each scan as the file states it; NaN where it states none.
    """

    time_min: Floats
    scan_start: Integers
    mz: Floats
    intensity: Floats
    source: str = "memory"
    format: str = "memory"
    facts: Mapping[str, str] = field(default_factory=dict)
    notes: tuple[str, ...] = ()
    stated_tic: Floats | None = None

    def __post_init__(self) -> None:
        for name in ("time_min", "scan_start", "mz", "intensity", "stated_tic"):
            if (column := getattr(self, name)) is not None:
                read_only = column.view()
                read_only.setflags(write=False)
                object.__setattr__(self, name, read_only)
        object.__setattr__(self, "facts", MappingProxyType(dict(self.facts)))

    def __reduce__(self) -> tuple[type[Run], tuple[object, ...]]:
        values = {each.name: getattr(self, each.name) for each in fields(self)}
        return Run, tuple({**values, "facts": dict(self.facts)}.values())

    def __repr__(self) -> str:
        return (
            f"<Run {self.source} ({self.format}): {self.n_scans:,} scans, "
            f"{self.time_min[0]:.2f} to {self.time_min[-1]:.2f} min, {self.n_ions:,} ions, "
            f"m/z {self.mz.min():.0f} to {self.mz.max():.0f}>"
        )

    @property
    def n_scans(self) -> int:
        """Number of scans, S."""
        return len(self.time_min)

    @property
    def n_ions(self) -> int:
        """Number of ions, N."""
        return len(self.mz)

    @property
    def ions_per_scan(self) -> Integers:
        """Number of ions of each scan, shape (S,)."""
        return np.diff(self.scan_start)

    @property
    def total_ion_current(self) -> Floats:
        """Sum of the intensities of each scan, shape (S,)."""
        total = np.bincount(self.scan_of_ion, weights=self.intensity, minlength=self.n_scans)
        return total.astype(np.float64)

    @property
    def scan_of_ion(self) -> Integers:
        """Number of the scan of each ion, from 0, shape (N,)."""
        return np.repeat(np.arange(self.n_scans), self.ions_per_scan)

    @property
    def tic_ratio(self) -> Floats | None:
        """Sum of the ions over the total that the file states, shape (S,); None if it states none.

        NaN in scans without a stated total, infinity where the stated total of ions is 0.
        """
        if self.stated_tic is None:
            return None
        found, stated = self.total_ion_current, self.stated_tic
        with np.errstate(divide="ignore", invalid="ignore", over="ignore"):
            ratio = np.where(found == stated, 1.0, found / stated)  # of no ions, 0 / 0
        return np.where(np.isfinite(stated) & (stated >= 0), ratio, np.nan)

    @classmethod
    def from_rows(
        cls,
        time_min: ArrayLike,
        mz: ArrayLike,
        intensity: ArrayLike,
        *,
        source: str = "memory",
        format: str = "memory",  # noqa: A002
        facts: Mapping[str, str] | None = None,
        notes: tuple[str, ...] = (),
    ) -> Run:
        """Make a run from a long table: one row an ion, each with the time of its scan.

        Rows of equal time are one scan; a time with one row alone, of m/z 0 and intensity 0, is a
        scan without ions. Rows that are not in order of time are put in order (keeping the file's
        order within a scan), which is noted.

        Parameters
        ----------
        time_min, mz, intensity : arrays of shape (N,)

        Raises
        ------
        ReadError
            If the columns differ in length, a value is not finite, a time is negative, an m/z is
            absurd, or fewer than two scans are there.
        """
        with np.errstate(invalid="ignore"):  # a signalling NaN of a damaged file
            rows = tuple(np.asarray(each, np.float64) for each in (time_min, mz, intensity))
        time_row, mz_row, intensity_row = rows
        if len({len(column) for column in rows}) > 1:
            raise ReadError(
                f"{source}: {len(time_row):,} times, {len(mz_row):,} m/z and "
                f"{len(intensity_row):,} intensities were found; expected equal numbers"
            )
        _check_finite(
            source, "row", ("time", time_row), ("m/z", mz_row), ("intensity", intensity_row)
        )
        if np.any(time_row[1:] < time_row[:-1]):
            order = np.argsort(time_row, kind="stable")
            time_row, mz_row, intensity_row = (column[order] for column in rows)
            notes = (*notes, "rows were not in order of time; they were sorted")
        first = np.append(0, np.flatnonzero(time_row[1:] != time_row[:-1]) + 1)[: len(time_row)]
        count = np.diff(first, append=len(time_row))
        empty = (count == 1) & (mz_row[first] == 0) & (intensity_row[first] == 0)
        if empty.any():
            ions = np.repeat(~empty, count)
            mz_row, intensity_row = mz_row[ions], intensity_row[ions]
        return cls.from_scans(
            time_row[first],
            np.where(empty, 0, count),
            mz_row,
            intensity_row,
            source=source,
            format=format,
            facts=facts,
            notes=notes,
        )

    @classmethod
    def from_scans(
        cls,
        time_min: ArrayLike,
        ions_per_scan: ArrayLike,
        mz: ArrayLike,
        intensity: ArrayLike,
        *,
        source: str = "memory",
        format: str = "memory",  # noqa: A002
        facts: Mapping[str, str] | None = None,
        notes: tuple[str, ...] = (),
        stated_tic: ArrayLike | None = None,
    ) -> Run:
        """Make a run from scans and their ions, one scan after the other.

        Ions without a positive m/z are fill and dropped; negative intensities, which background
        subtraction leaves behind, become 0. Both are counted in the notes.

        Parameters
        ----------
        time_min, ions_per_scan : arrays of shape (S,)
        mz, intensity : arrays of shape (N,)
        stated_tic : array of shape (S,), optional
            Total ion current as the file states it, compared with the sum of the ions; NaN where
            the file states none.

        Raises
        ------
        ReadError
            If lengths do not fit together, a value is not finite, a time is negative or runs
            backwards, an m/z or an intensity is absurd, or fewer than two scans are there.
        """
        time, mz_, intensity_ = _columns(time_min, mz, intensity)
        count = np.asarray(ions_per_scan, dtype=np.int64)
        _check_finite(source, "scan", ("time", time))
        _check_finite(source, "ion", ("m/z", mz_), ("intensity", intensity_))
        _check_times(source, time)
        _check_lengths(source, time, count, mz_, intensity_)
        fill = mz_ <= 0
        if n_fill := int(fill.sum()):
            notes = (*notes, f"{n_fill:,} ions without a positive m/z were dropped as fill values")
            scan = np.repeat(np.arange(len(time)), count)[~fill]
            count = np.bincount(scan, minlength=len(time))
            mz_, intensity_ = mz_[~fill], intensity_[~fill]
        if len(mz_) == 0:
            raise ReadError(f"{source}: no ions were found in {len(time):,} scans; expected a run")
        if (largest := float(mz_.max())) > MAX_MZ:
            raise ReadError(
                f"{source}: an m/z of {largest:.6g} was found; expected at most {MAX_MZ:,.0f}; "
                "it is probably a fill value, or the columns are mixed up"
            )
        if (largest := float(intensity_.max())) > MAX_INTENSITY:
            raise ReadError(
                f"{source}: an intensity of {largest:.6g} was found; expected at most "
                f"{MAX_INTENSITY:g}; it is probably a fill value, or the columns are mixed up"
            )
        negative = intensity_ < 0
        if n_negative := int(negative.sum()):
            notes = (*notes, f"{n_negative:,} negative intensities were set to 0")
            intensity_ = np.where(negative, 0.0, intensity_)
        run = cls(
            time,
            np.append(0, np.cumsum(count)),
            mz_,
            intensity_,
            source=source,
            format=format,
            facts=facts or {},
            notes=notes,
        )
        return run if stated_tic is None else _with_tic(run, stated_tic)

    def with_notes(self, *notes: str) -> Run:
        """Return the same run with further notes."""
        return replace(self, notes=(*self.notes, *notes))


def _columns(*columns: ArrayLike) -> tuple[Floats, ...]:
    """Copies as contiguous float64, so that a run never shares memory with its maker."""
    with np.errstate(invalid="ignore"):  # a signalling NaN of a damaged file
        return tuple(np.array(column, dtype=np.float64) for column in columns)


def _check_finite(source: str, unit: str, *columns: tuple[str, Floats]) -> None:
    for name, values in columns:
        bad = ~np.isfinite(values)
        if bad.any():
            where = int(np.argmax(bad))
            raise ReadError(
                f"{source}: {name} of {unit} {where + 1:,} is {values[where]}; expected a finite "
                f"number ({int(bad.sum()):,} such values); correct or remove them"
            )


def _check_lengths(
    source: str, time_min: Floats, count: Integers, mz: Floats, intensity: Floats
) -> None:
    fits = len(count) == len(time_min) and count.sum() == len(mz) == len(intensity)
    if not fits or count.min() < 0:
        raise ReadError(
            f"{source}: {len(time_min):,} scan times, {len(count):,} scans of {count.sum():,} "
            f"ions, {len(mz):,} m/z and {len(intensity):,} intensities were found; expected "
            "numbers that fit together; the file may be cut short"
        )


def _check_times(source: str, time_min: Floats) -> None:
    if len(time_min) < 2:
        raise ReadError(
            f"{source}: {len(time_min)} scan was found; expected at least two, since a run is a "
            "series of spectra over time"
            if len(time_min) == 1
            else f"{source}: no scans were found; expected at least two"
        )
    if (first := float(time_min.min())) < 0:
        raise ReadError(
            f"{source}: a time of {first:g} min was found; expected times from 0 up; "
            "check the time column"
        )
    backwards = np.flatnonzero(np.diff(time_min) < 0)
    if len(backwards):
        at = int(backwards[0]) + 1
        raise ReadError(
            f"{source}: scan {at + 1:,} at {time_min[at]:g} min comes after one at "
            f"{time_min[at - 1]:g} min; expected scans in order of time"
        )


def _with_tic(run: Run, stated_tic: ArrayLike) -> Run:
    """Keep the file's own total, and note in how many scans the sum of the ions differs from it.

    Makers have good reasons for a difference (a threshold applied after the total was taken), so
    this is a note and never an error.
    """
    (stated,) = _columns(stated_tic)
    if len(stated) != run.n_scans:
        return run.with_notes(
            f"{len(stated):,} total ion currents are stated for {run.n_scans:,} scans"
        )
    if np.isnan(stated).all():
        return run
    run = replace(run, stated_tic=stated)
    ratio = run.tic_ratio
    assert ratio is not None
    off = np.abs(ratio - 1) > MAX_TIC_DEVIATION
    if not off.any():
        return run
    return run.with_notes(
        f"{TIC_NOTE} differs from the sum of its ions in {int(off.sum()):,} "
        f"of {int(np.sum(~np.isnan(ratio))):,} scans (median ratio sum / stated "
        f"{np.median(ratio[off]):.3g})"
    )
