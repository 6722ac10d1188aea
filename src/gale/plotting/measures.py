"""Numbers that pictures of a run show."""

from __future__ import annotations

from dataclasses import dataclass, replace
from math import ceil

import numpy as np

from gale.errors import PlotError
from gale.plumbing.text import counted
from gale.run import Floats, Integers, Run

MOST_COLUMNS, MOST_ROWS = 1_400, 1_000
"""Largest size of an ion map, about the number of pixels that it is drawn on."""


CELLS_AT_ONCE = 2**20
"""Cells of scans × m/z that are summed at a time, which limits the memory used."""


@dataclass(frozen=True)
class IonMap:
    """Intensities over time and m/z: T columns of scans, M rows of m/z.

    Parameters
    ----------
    time_min : array of shape (T + 1,)
        Edges of the columns.
    mz : array of shape (M + 1,)
        Edges of the rows, half-way between whole numbers.
    intensity : array of shape (M, T)
        Sum of the ions of a row in a scan, the highest over the scans of a column.
    """

    time_min: Floats
    mz: Floats
    intensity: Floats


def cut_time(run: Run, time_range: tuple[float, float] | None) -> Run:
    """Return the scans within a range of times in minutes; all of them without a range.

    Raises
    ------
    PlotError
        If the range has fewer than two scans or no ions, or all scans have the same time.
    """
    if run.time_min[0] == run.time_min[-1]:
        raise PlotError(
            run.source,
            f"has all its scans at {run.time_min[0]:g} min",
            "scans over time",
            "correct the times",
        )
    if time_range is None:
        return run
    inside = np.flatnonzero((run.time_min >= time_range[0]) & (run.time_min <= time_range[1]))
    n_ions = int(run.ions_per_scan[inside].sum())
    if len(inside) < 2 or not n_ions:
        raise PlotError(
            run.source,
            f"has {counted(len(inside), 'scan')} and {n_ions} ions from "
            f"{time_range[0]:g} to {time_range[1]:g} min",
            f"two scans or more, with ions, within {run.time_min[0]:.3f} to "
            f"{run.time_min[-1]:.3f} min",
            "choose another range",
        )
    first, last = inside[0], inside[-1] + 1
    ions = slice(run.scan_start[first], run.scan_start[last])
    return replace(
        run,
        time_min=run.time_min[first:last],
        scan_start=run.scan_start[first : last + 1] - run.scan_start[first],
        mz=run.mz[ions],
        intensity=run.intensity[ions],
        stated_tic=None if run.stated_tic is None else run.stated_tic[first:last],
    )


def highest_ions(run: Run, most: int) -> Run:
    """Return a run with at most `most` ions: the highest ones."""
    if run.n_ions <= most:
        return run
    chosen = np.zeros(run.n_ions, dtype=np.bool_)
    chosen[np.argsort(-run.intensity, kind="stable")[:most]] = True
    return replace(
        run,
        scan_start=np.append(0, np.cumsum(chosen))[run.scan_start],
        mz=run.mz[chosen],
        intensity=run.intensity[chosen],
    )


def telling_scans(total: Floats, most: int) -> Integers:
    """Choose at most `most` scans that show all that a chromatogram does, in order.

    Parameters
    ----------
    total : array of shape (S,)
        Total ion current of the scans.
    most : int
        An even number.

    Returns
    -------
    array of int
        All scans, if they are not more; else of every few neighbours that with the highest and that
        with the lowest total, so that peaks keep their heights.
    """
    n_scans = len(total)
    if n_scans <= most:
        return np.arange(n_scans)
    width = ceil(2 * n_scans / most)
    n_bins = ceil(n_scans / width)
    padded = np.pad(total, (0, n_bins * width - n_scans), mode="edge").reshape(n_bins, width)
    begins = width * np.arange(n_bins)
    chosen = np.concatenate([begins + padded.argmax(axis=1), begins + padded.argmin(axis=1)])
    return np.unique(np.minimum(chosen, n_scans - 1))


def of_scans(run: Run, chosen: Integers) -> Run:
    """Return a run with some of the scans, in order."""
    if len(chosen) == run.n_scans:
        return run
    kept = np.zeros(run.n_scans, dtype=np.bool_)
    kept[chosen] = True
    ions = np.repeat(kept, run.ions_per_scan)
    return replace(
        run,
        time_min=run.time_min[chosen],
        scan_start=np.append(0, np.cumsum(run.ions_per_scan[chosen])),
        mz=run.mz[ions],
        intensity=run.intensity[ions],
        stated_tic=None if run.stated_tic is None else run.stated_tic[chosen],
    )


def base_peak(run: Run) -> Floats:
    """Return the highest intensity of each scan, shape (S,); 0 for a scan without ions."""
    highest = np.zeros(run.n_scans)
    np.maximum.at(highest, run.scan_of_ion, run.intensity)
    return highest


def ion_map(run: Run, mz_range: tuple[float, float] | None = None) -> IonMap:
    """Sum the ions of a run on a grid of time and m/z.

    Raises
    ------
    PlotError
        If the range of m/z has no ions.
    """
    low, high = mz_range or (run.mz.min(), run.mz.max())
    first, last = int(np.rint(low)), int(np.rint(high))
    nominal = np.rint(run.mz).astype(np.int64)
    inside = (nominal >= first) & (nominal <= last)
    if not inside.any():
        raise PlotError(
            run.source,
            f"has no ions from m/z {low:g} to {high:g}",
            f"a range within m/z {run.mz.min():.1f} to {run.mz.max():.1f}",
            "choose another range",
        )
    mz_width = ceil((last - first + 1) / MOST_ROWS)
    row = np.where(inside, (nominal - first) // mz_width, -1)
    n_rows = (last - first) // mz_width + 1
    width = ceil(run.n_scans / MOST_COLUMNS)
    begins = np.arange(0, run.n_scans, width)
    intensity = np.zeros((n_rows, len(begins)))
    some = max(CELLS_AT_ONCE // (width * n_rows), 1)
    for column in range(0, len(begins), some):
        columns = slice(column, column + some)
        intensity[:, columns] = _highest_sums(run, row, n_rows, begins[columns], width)
    return IonMap(
        np.append(_scan_edges(run.time_min)[begins], _scan_edges(run.time_min)[-1]),
        first - 0.5 + mz_width * np.arange(n_rows + 1, dtype=np.float64),
        intensity,
    )


def _highest_sums(run: Run, row: Integers, n_rows: int, begins: Integers, width: int) -> Floats:
    """Sums of rows of m/z in each scan, the highest of every `width` scans, shape (M, T).

    `row` has that of each ion, or -1; `begins` has the first of every `width` scans.
    """
    start, end = int(begins[0]), min(int(begins[-1]) + width, run.n_scans)
    ions = slice(run.scan_start[start], run.scan_start[end])
    scan = np.repeat(np.arange(end - start), run.ions_per_scan[start:end])
    inside = row[ions] >= 0
    cell = scan[inside] * n_rows + row[ions][inside]
    of_scan = np.bincount(cell, run.intensity[ions][inside], (end - start) * n_rows)
    sums = of_scan.reshape(end - start, n_rows)
    return np.asarray(np.maximum.reduceat(sums, begins - start, axis=0).T, dtype=np.float64)


def _scan_edges(time_min: Floats) -> Floats:
    """Edges of the scans, half-way to their neighbours, shape (S + 1,)."""
    middle = (time_min[1:] + time_min[:-1]) / 2
    first, last = 2 * time_min[0] - middle[0], 2 * time_min[-1] - middle[-1]
    return np.concatenate([[first], middle, [last]])
