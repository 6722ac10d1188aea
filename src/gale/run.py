"""A run: one GC-MS acquisition as arrays."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, fields, replace
from types import MappingProxyType
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import ArrayLike, NDArray

from gale.errors import PlotError, ReadError
from gale.plumbing.display import ShownInNotebooks
from gale.plumbing.kinds import checked

if TYPE_CHECKING:
    import polars as pl

Floats = NDArray[np.float64]
"""An array of double precision."""

Floats32 = NDArray[np.float32]
"""An array of single precision."""

Integers = NDArray[np.int64]
"""An array of 64-bit integers."""

MAX_MZ = 20_000.0
"""A larger m/z is a fill value or a reading error, never an ion of a GC-MS run."""

MAX_INTENSITY = 1e30
"""A larger intensity is a fill value or a reading error."""

TIC_NOTE = "the file's own total ion current"
"""How a note on the total ion current begins."""

MAX_TIC_DEVIATION = 0.01
"""Relative difference between the total ion current that a file states for a scan and the sum of
the scan's ions above which the run gets a note."""

EARLIEST_MIN = -0.1
"""Times down to this many minutes are kept: some clocks start a little before the first scan."""

REPEATED_SHARE, MIN_SCANS = 0.05, 50
"""Rows of equal time are several scans in one if their m/z repeat in at least this share of the
times, of which there have to be some."""

MOSTLY = 0.67
"""m/z within scans are in order if they rise, or fall, at least in this share of the steps."""

_CHECK_VALUE = "check the columns and remove fill values"


@dataclass(frozen=True, eq=False, repr=False)
class Run(ShownInNotebooks):
    """One GC-MS acquisition: S scans over time with N ions in total.

    Make one with :meth:`from_rows` or :meth:`from_scans`, which check it, or read a file with
    :func:`gale.read_run`. The arrays are read-only.

    Parameters
    ----------
    time_min : array of shape (S,)
        Time of each scan in minutes, never decreasing.
    scan_start : array of shape (S + 1,)
        Scan s has the ions ``scan_start[s]`` to ``scan_start[s + 1] - 1``, possibly none.
    mz : array of shape (N,)
        m/z of each ion; within a scan, in the order of the file.
    intensity : array of shape (N,)
        Intensity of each ion, at least 0, in the unit of the file.
    source : str
        Name of the file in messages.
    format : str
        Format of the file: ``csv``, ``parquet``, ``arrow``, ``andi``, ``jcamp``, ``mzml``,
        ``mzxml``, ``chemstation``, ``masshunter`` or ``masslynx``; ``memory`` without a file.
    facts : mapping
        What the file says about itself (title, date, instrument), as text.
    notes : tuple of str
        What is odd about the file and how it was handled, one sentence each.
    stated_tic : array of shape (S,), optional
        Total ion current that the file states for each scan; NaN where it states none.

    Examples
    --------
    >>> from gale import Run
    >>> run = Run.from_scans([1.0, 1.5], [2, 1], [43.0, 57.0, 71.0], [900.0, 400.0, 250.0])
    >>> run
    <Run memory (memory): 2 scans, 1.00 to 1.50 min, 3 ions, m/z 43 to 71>
    >>> run.total_ion_current.tolist()
    [1300.0, 250.0]
    >>> run.mz[run.scan_start[0] : run.scan_start[1]].tolist()
    [43.0, 57.0]
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
        """Number of ions in each scan, shape (S,)."""
        return np.diff(self.scan_start)

    @property
    def total_ion_current(self) -> Floats:
        """Sum of the intensities of each scan, shape (S,)."""
        total = np.bincount(self.scan_of_ion, weights=self.intensity, minlength=self.n_scans)
        return total.astype(np.float64)

    @property
    def scan_of_ion(self) -> Integers:
        """Scan of each ion, counted from 0, shape (N,)."""
        return np.repeat(np.arange(self.n_scans), self.ions_per_scan)

    @property
    def tic_ratio(self) -> Floats | None:
        """Sum of each scan's ions divided by the stated total, shape (S,); None if none is stated.

        NaN in scans without a stated total; infinity where 0 is stated for a scan with ions.
        """
        if self.stated_tic is None:
            return None
        total, stated = self.total_ion_current, self.stated_tic
        with np.errstate(divide="ignore", invalid="ignore", over="ignore"):
            ratio = np.where(total == stated, 1.0, total / stated)  # 0 / 0 agrees, too
        return np.where(np.isfinite(stated) & (stated >= 0), ratio, np.nan)

    def to_frame(self) -> pl.DataFrame:
        """Return the ions as a table, which any library that speaks Arrow takes.

        Returns
        -------
        DataFrame
            One row per ion: ``scan``, counted from 0, ``time_min``, ``mz`` and ``intensity``. Scans
            without ions have no row.

        Examples
        --------
        >>> from gale import Run
        >>> run = Run.from_scans([1.0, 1.5], [2, 1], [43.0, 57.0, 71.0], [900.0, 400.0, 250.0])
        >>> run.to_frame().rows()[:2]
        [(0, 1.0, 43.0, 900.0), (0, 1.0, 57.0, 400.0)]
        """
        import polars as pl

        scan = self.scan_of_ion
        columns = {"time_min": self.time_min[scan], "mz": self.mz, "intensity": self.intensity}
        return pl.DataFrame({"scan": scan, **columns})

    def __arrow_c_stream__(self, requested_schema: object | None = None) -> object:
        """Offer the table of :meth:`to_frame` to other libraries, by the PyCapsule interface."""
        return self.to_frame().__arrow_c_stream__(requested_schema)

    @checked
    def chromatogram(self, mz: int | Sequence[int] | None = None) -> pl.DataFrame:
        """Return the total ion current over time, or that of some m/z.

        Parameters
        ----------
        mz : int or sequence of int, optional
            m/z to extract; ions are rounded to them. By default, all ions are summed.

        Returns
        -------
        DataFrame
            One row per scan: ``time_min``, then ``total``, or a column for each m/z, called by its
            number.

        Examples
        --------
        >>> from gale import Run
        >>> run = Run.from_scans([1.0, 1.5], [2, 1], [43.0, 57.1, 71.0], [900.0, 400.0, 250.0])
        >>> run.chromatogram().rows(), run.chromatogram(57).rows()
        ([(1.0, 1300.0), (1.5, 250.0)], [(1.0, 400.0), (1.5, 0.0)])
        """
        import polars as pl

        if mz is None:
            columns = {"total": self.total_ion_current}
        else:
            wanted = mz if isinstance(mz, Sequence | np.ndarray) else [mz]
            columns = {str(each): extracted_ion(self, each) for each in wanted}
        return pl.DataFrame({"time_min": self.time_min, **columns})

    @checked
    def spectrum(self, at_min: float) -> pl.DataFrame:
        """Return the scan nearest to a time.

        Parameters
        ----------
        at_min : float
            Time in minutes.

        Returns
        -------
        DataFrame
            One row per ion, in order of m/z: ``mz`` and ``intensity``.

        Raises
        ------
        PlotError
            If the time is outside the run.

        Examples
        --------
        >>> from gale import Run
        >>> run = Run.from_scans([1.0, 1.5], [2, 1], [43.0, 57.0, 71.0], [900.0, 400.0, 250.0])
        >>> run.spectrum(1.1).rows()
        [(43.0, 900.0), (57.0, 400.0)]
        """
        import polars as pl

        scan = nearest_scan(self, at_min)
        ions = slice(self.scan_start[scan], self.scan_start[scan + 1])
        return pl.DataFrame({"mz": self.mz[ions], "intensity": self.intensity[ions]}).sort("mz")

    @classmethod
    @checked
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
        """Make a run from a long table: one row per ion, with the time of its scan.

        Rows with the same time form a scan. A time with a single row of m/z 0 and intensity 0 is a
        scan without ions. Rows out of time order are sorted, which adds a note; within a scan, the
        order of the rows stays.

        Parameters
        ----------
        time_min, mz, intensity : arrays of shape (N,)
        source, format, facts, notes
            See :class:`Run`.

        Raises
        ------
        ReadError
            If the columns differ in length or there are fewer than two scans, or if a value is not
            finite, a time negative, or an m/z or intensity too large to be one.

        Examples
        --------
        >>> from gale import Run
        >>> run = Run.from_rows([1.0, 1.0, 1.5], [43.0, 57.0, 71.0], [900.0, 400.0, 250.0])
        >>> run.time_min.tolist(), run.ions_per_scan.tolist()
        ([1.0, 1.5], [2, 1])
        """
        with np.errstate(invalid="ignore"):  # damaged files may hold signalling NaNs
            rows = tuple(np.asarray(each, np.float64) for each in (time_min, mz, intensity))
        time_row, mz_row, intensity_row = rows
        if len({len(column) for column in rows}) > 1:
            raise ReadError(
                source,
                f"has columns of different lengths (time {len(time_row):,}, m/z {len(mz_row):,}, "
                f"intensity {len(intensity_row):,})",
                "columns of equal length",
                "export the run again",
            )
        _check_finite(
            source, "row", ("a time", time_row), ("an m/z", mz_row), ("an intensity", intensity_row)
        )
        if np.any(time_row[1:] < time_row[:-1]):
            lost = _lost_times(time_row, (mz_row == 0) & (intensity_row == 0))
            time_row, mz_row, intensity_row = (column[~lost] for column in rows)
            notes = (*notes, *_note_lost(int(lost.sum())))
        if np.any(time_row[1:] < time_row[:-1]):
            order = np.argsort(time_row, kind="stable")
            time_row, mz_row, intensity_row = (
                column[order] for column in (time_row, mz_row, intensity_row)
            )
            notes = (*notes, "rows were not in order of time; they were sorted")
        first = np.append(0, np.flatnonzero(time_row[1:] != time_row[:-1]) + 1)[: len(time_row)]
        count = np.diff(first, append=len(time_row))
        notes = (*notes, *_note_merged(count, mz_row))
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
    @checked
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

        Scans out of time order are sorted, but those at time 0 after later ones are left out if
        they have no ions or are several, since their times were lost. Ions without a positive m/z
        are fill values and are dropped; negative intensities, which background subtraction leaves,
        become 0. Notes count all of these, and times below 0.

        Parameters
        ----------
        time_min, ions_per_scan : arrays of shape (S,)
        mz, intensity : arrays of shape (N,)
        source, format, facts, notes
            See :class:`Run`.
        stated_tic : array of shape (S,), optional
            Total ion current that the file states, NaN where it states none. A note says where it
            differs from the sum of the ions.

        Raises
        ------
        ReadError
            If the lengths disagree or there are fewer than two scans, or if a value is not finite,
            a time below :data:`EARLIEST_MIN`, or an m/z or intensity too large to be one.

        Examples
        --------
        >>> from gale import Run
        >>> run = Run.from_scans([1.0, 1.5], [2, 1], [43.0, 57.0, 71.0], [900.0, -5.0, 250.0])
        >>> run.intensity.tolist(), run.notes
        ([900.0, 0.0, 250.0], ('1 negative intensity was set to 0',))
        """
        time, mz_, intensity_ = _columns(time_min, mz, intensity)
        count = np.asarray(ions_per_scan, dtype=np.int64)
        _check_finite(source, "scan", ("a time", time))
        _check_finite(source, "ion", ("an m/z", mz_), ("an intensity", intensity_))
        _check_number(source, len(time))
        _check_lengths(source, time, count, mz_, intensity_)
        stated = None if stated_tic is None else _columns(stated_tic)[0]
        n_scans = len(time)
        order, notes = _in_order(time, count, notes)
        if order is not None:
            ions = _ions_of(order, count)
            time, count, mz_, intensity_ = time[order], count[order], mz_[ions], intensity_[ions]
            if stated is not None and len(stated) == n_scans:
                stated = stated[order]
        notes = (*notes, *_check_times(source, time))
        fill = mz_ <= 0
        if n_fill := int(fill.sum()):
            ions_dropped = (
                "ion without a positive m/z was dropped as a fill value"
                if n_fill == 1
                else "ions without a positive m/z were dropped as fill values"
            )
            notes = (*notes, f"{n_fill:,} {ions_dropped}")
            scan = np.repeat(np.arange(len(time)), count)[~fill]
            count = np.bincount(scan, minlength=len(time))
            mz_, intensity_ = mz_[~fill], intensity_[~fill]
        _check_sizes(source, len(time), mz_, intensity_)
        negative = intensity_ < 0
        if n_negative := int(negative.sum()):
            intensities = "intensity was" if n_negative == 1 else "intensities were"
            notes = (*notes, f"{n_negative:,} negative {intensities} set to 0")
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
        return run if stated is None else _with_tic(run, stated)

    def with_notes(self, *notes: str) -> Run:
        """Return the same run with further notes.

        Examples
        --------
        >>> from gale import Run
        >>> run = Run.from_scans([1.0, 1.5], [1, 1], [43.0, 57.0], [900.0, 400.0])
        >>> run.with_notes("the second detector was left out").notes
        ('the second detector was left out',)
        """
        return replace(self, notes=(*self.notes, *notes))


def extracted_ion(run: Run, mz: int) -> Floats:
    """Return the intensity of the ions whose m/z rounds to `mz` in each scan, shape (S,)."""
    chosen = np.rint(run.mz) == mz
    total = np.bincount(
        run.scan_of_ion[chosen], weights=run.intensity[chosen], minlength=run.n_scans
    )
    return total.astype(np.float64)


def nearest_scan(run: Run, at_min: float) -> int:
    """Return the number of the scan nearest to a time, from 0.

    Raises
    ------
    PlotError
        If the time is outside the run.
    """
    if not run.time_min[0] <= at_min <= run.time_min[-1]:
        raise PlotError(
            run.source,
            f"has no scan at {at_min:g} min",
            f"a time from {run.time_min[0]:.3f} to {run.time_min[-1]:.3f} min",
            "choose another time",
        )
    return int(np.argmin(np.abs(run.time_min - at_min)))


def _columns(*columns: ArrayLike) -> tuple[Floats, ...]:
    """Copy columns as float64, so that a run shares no memory with its caller."""
    with np.errstate(invalid="ignore"):  # damaged files may hold signalling NaNs
        copies = tuple(np.array(column, dtype=np.float64) for column in columns)
    if shapes := [copy.shape for copy in copies if copy.ndim != 1]:
        raise ReadError(
            "a column", f"is an array of shape {shapes[0]}", "one axis", "pass one run at a time"
        )
    return copies


def _check_finite(source: str, unit: str, *columns: tuple[str, Floats]) -> None:
    for name, values in columns:
        bad = ~np.isfinite(values)
        if n_bad := int(bad.sum()):
            first = int(np.argmax(bad))
            more = f", the first of {n_bad:,} such values" if n_bad > 1 else ""
            raise ReadError(
                f"{source}: {unit} {first + 1:,}",
                f"has {name} of {values[first]}{more}",
                "a finite number",
                "correct or remove it",
            )


def _check_sizes(source: str, n_scans: int, mz: Floats, intensity: Floats) -> None:
    """Check that there are ions, and that no m/z or intensity is absurd."""
    if len(mz) == 0:
        raise ReadError(
            source, f"has no ions in {n_scans:,} scans", "a run", "export the mass spectra"
        )
    if (largest := float(mz.max())) > MAX_MZ:
        raise ReadError(
            source, f"has an m/z of {largest:.6g}", f"at most {MAX_MZ:,.0f}", _CHECK_VALUE
        )
    if (largest := float(intensity.max())) > MAX_INTENSITY:
        raise ReadError(
            source, f"has an intensity of {largest:.6g}", f"at most {MAX_INTENSITY:g}", _CHECK_VALUE
        )


def _check_lengths(
    source: str, time_min: Floats, count: Integers, mz: Floats, intensity: Floats
) -> None:
    fits = len(count) == len(time_min) and count.sum() == len(mz) == len(intensity)
    if not fits or count.min() < 0:
        raise ReadError(
            source,
            f"has {len(time_min):,} scan times, {len(count):,} scans with {count.sum():,} ions, "
            f"{len(mz):,} m/z and {len(intensity):,} intensities",
            "as many times as scans, and an m/z and an intensity for each ion",
            "copy or export it again: it may be cut short",
        )


def _lost_times(time_min: Floats, empty: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """Which scans without ions have lost their time: it is 0, but later scans come before."""
    lost: NDArray[np.bool_] = empty & (time_min == 0) & (np.maximum.accumulate(time_min) > 0)
    return lost


def _note_lost(n_lost: int) -> Iterator[str]:
    if n_lost:
        scans = (
            "scan at time 0 after later ones was"
            if n_lost == 1
            else "scans at time 0 after later ones were"
        )
        yield f"{n_lost:,} {scans} left out, since the times were lost"


def _in_order(
    time_min: Floats, count: Integers, notes: tuple[str, ...]
) -> tuple[Integers | None, tuple[str, ...]]:
    """The scans to keep in order of time, and the notes on it; None if all are in order."""
    if not np.any(time_min[1:] < time_min[:-1]):
        return None, notes
    at_zero = _lost_times(time_min, np.ones_like(time_min, dtype=np.bool_))
    lost = at_zero & ((count == 0) | (at_zero.sum() > 1))
    kept = np.flatnonzero(~lost)
    order = kept[np.argsort(time_min[kept], kind="stable")]
    notes = (*notes, *_note_lost(int(lost.sum())))
    if not np.array_equal(order, kept):
        notes = (*notes, "scans were not in order of time; they were sorted")
    return order, notes


def _ions_of(scans: Integers, count: Integers) -> Integers:
    """Places of the ions of some scans, scan after scan, among the ions of all."""
    start = (np.cumsum(count) - count)[scans]
    n_ions = count[scans]
    before = np.cumsum(n_ions) - n_ions
    return np.repeat(start - before, n_ions) + np.arange(n_ions.sum())


def _note_merged(count: Integers, mz: Floats) -> Iterator[str]:
    """Note if rows of equal time look like several scans: their m/z start over or repeat."""
    if len(count) < MIN_SCANS:
        return
    scan = np.repeat(np.arange(len(count)), count)
    step = np.diff(mz)
    within = scan[1:] == scan[:-1]
    falls, rises = within & (step < 0), within & (step > 0)
    fewer = falls if falls.sum() <= rises.sum() else rises
    if fewer.sum() <= (1 - MOSTLY) * max(int((falls | rises).sum()), 1):
        again = scan[1:][within & ((step == 0) | fewer)]
    else:  # in no order
        order = np.lexsort((mz, scan))
        again = scan[1:][within & (np.diff(mz[order]) == 0)]
    if (n_again := len(np.unique(again))) >= REPEATED_SHARE * len(count):
        yield (
            f"at {n_again:,} of {len(count):,} times the m/z start over or repeat: scans whose "
            "times were rounded alike are probably read as one; export times with more decimals"
        )


def _check_number(source: str, n_scans: int) -> None:
    if n_scans < 2:
        raise ReadError(
            source,
            "has only 1 scan" if n_scans == 1 else "has no scans",
            "at least two: a run is a series of spectra over time",
            "export the whole run",
        )


def _check_times(source: str, time_min: Floats) -> tuple[str, ...]:
    """Refuse times before the start, and note those that are only a little before it."""
    _check_number(source, len(time_min))
    first = float(time_min[0])
    if first >= 0:
        return ()
    if first < EARLIEST_MIN:
        raise ReadError(
            source,
            f"has a time of {first:g} min",
            f"times of at least 0, or a little before ({EARLIEST_MIN:g} min)",
            "check the times",
        )
    n_before = int(np.sum(time_min < 0))
    times = "time is" if n_before == 1 else "times are"
    return (f"{n_before:,} {times} below 0, the first {first * 60:.3g} s; they were kept",)


def _with_tic(run: Run, stated: Floats) -> Run:
    """Add the file's own total, and note in how many scans the sum of the ions differs from it.

    Instruments have good reasons for a difference (a threshold applied after the total was taken),
    so it is never an error.
    """
    if len(stated) != run.n_scans:
        return run.with_notes(
            f"the file states {len(stated):,} total ion currents for {run.n_scans:,} scans; they "
            "were left out"
        )
    if np.isnan(stated).all():
        return run
    run = replace(run, stated_tic=stated)
    ratio = run.tic_ratio
    assert ratio is not None
    differs = np.abs(ratio - 1) > MAX_TIC_DEVIATION
    if not differs.any():
        return run
    return run.with_notes(
        f"{TIC_NOTE} differs from the sum of the ions in {int(differs.sum()):,} of "
        f"{int(np.sum(~np.isnan(ratio))):,} scans (median ratio sum / stated "
        f"{np.median(ratio[differs]):.3g})"
    )
