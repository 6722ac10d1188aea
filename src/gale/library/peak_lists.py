"""Peak lists of all records at once: from text to numbers, and the flaws of each record."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import polars as pl
from numpy.typing import NDArray

from gale.readers.scans import sort_ions
from gale.run import MAX_INTENSITY, MAX_MZ, Floats, Integers

NO_PEAKS = "no peaks"
OTHER_COUNT = "peak count differs from the declared"
NOT_A_NUMBER = "a peak is not a number"
OUT_OF_RANGE = "an m/z or intensity is out of range"

_ANNOTATION = r'"[^"\n]*"'
_WORD = r"[^\s,;:(){}\[\]]+"


@dataclass(frozen=True)
class PeakLists:
    """The peaks of R records, N ions in all.

    Parameters
    ----------
    flaw : tuple of str of length R
        Why a record cannot be used; empty if it can.
    count : array of shape (R,)
        Number of ions of each record, 0 for a record with a flaw.
    mz, intensity : arrays of shape (N,)
        The ions, record after record, in ascending order of m/z.
    """

    flaw: tuple[str, ...]
    count: Integers
    mz: Floats
    intensity: Floats


def parse_peak_lists(texts: Sequence[str], declared: Sequence[int], columns: int) -> PeakLists:
    """Read the peak lists of R records.

    Parameters
    ----------
    texts : sequence of str of length R
        Numbers separated by white space, commas, semicolons, colons or brackets; text in quotation
        marks is an annotation.
    declared : sequence of int of length R
        Number of peaks that each record declares.
    columns : int
        Numbers per peak, the first m/z and the second intensity.

    Examples
    --------
    >>> peaks = parse_peak_lists(["73 999; 147 12", "73 999"], declared=[2, 3], columns=2)
    >>> peaks.mz, peaks.intensity
    (array([ 73., 147.]), array([999.,  12.]))
    >>> peaks.flaw
    ('', 'peak count differs from the declared')
    """
    token = pl.Series(texts, dtype=pl.String)
    token = token.str.replace_all(_ANNOTATION, " ").str.extract_all(_WORD)
    n_tokens = token.list.len().to_numpy().astype(np.int64)
    n_declared = np.array(declared, dtype=np.int64)
    complete = (n_tokens > 0) & (n_tokens == columns * n_declared)
    number = token.filter(pl.Series(complete, dtype=pl.Boolean)).explode()
    number = number.cast(pl.Float64, strict=False).fill_null(np.nan)  # null: not a number
    mz, intensity = number.to_numpy().reshape(-1, columns)[:, :2].T
    record = np.repeat(np.arange(len(texts)), np.where(complete, n_declared, 0))

    def has(ions: NDArray[np.bool_]) -> NDArray[np.bool_]:
        return np.bincount(record[ions], minlength=len(texts)) > 0

    is_number = np.isfinite(mz) & np.isfinite(intensity)
    in_range = (mz > 0) & (mz <= MAX_MZ) & (intensity >= 0) & (intensity <= MAX_INTENSITY)
    flaw = np.select(
        [
            (n_tokens == 0) | (n_declared == 0),
            ~complete,
            has(~is_number),
            has(~in_range),
            ~has(intensity > 0),
        ],
        [NO_PEAKS, OTHER_COUNT, NOT_A_NUMBER, OUT_OF_RANGE, NO_PEAKS],
        default="",
    )
    count = np.where(flaw == "", n_declared, 0)
    usable = (flaw == "")[record]
    return PeakLists(tuple(flaw.tolist()), count, *sort_ions(count, mz[usable], intensity[usable]))
