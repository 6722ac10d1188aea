"""Where a curve is highest: its local maxima, and how far each stands out.

As :func:`scipy.signal.find_peaks` finds them, whose import takes longer than most predictions.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray


def local_maxima(values: NDArray[Any]) -> NDArray[np.intp]:
    """Positions higher than what is on both sides of them, in order.

    The middle of a plateau is one, the left one of two middles; ends are none.

    Examples
    --------
    >>> local_maxima(np.array([0, 2, 1, 3, 3, 0, 5])).tolist()
    [1, 3]
    """
    start = np.flatnonzero(np.diff(values, prepend=np.nan) != 0)  # of each stretch of one height
    level = values[start]
    end = np.append(start[1:], len(values))
    higher = (level[1:-1] > level[:-2]) & (level[1:-1] > level[2:])
    middle: NDArray[np.intp] = (start[1:-1][higher] + end[1:-1][higher] - 1) // 2
    return middle


def prominences(values: NDArray[Any], peaks: NDArray[np.intp]) -> NDArray[Any]:
    """How far each local maximum stands above the way to a higher one, on its shallower side.

    Parameters
    ----------
    values : array of shape (N,)
    peaks : array of shape (P,)
        Positions of local maxima.

    Returns
    -------
    array of shape (P,)

    Examples
    --------
    >>> prominences(np.array([0, 5, 3, 4, 1]), np.array([1, 3])).tolist()
    [4, 1]
    """
    found = np.empty(len(peaks), dtype=values.dtype)
    for number, at in enumerate(peaks):
        higher = np.flatnonzero(values > values[at])
        place = np.searchsorted(higher, at)
        first = higher[place - 1] + 1 if place else 0
        last = higher[place] if place < len(higher) else len(values)
        found[number] = values[at] - max(values[first : at + 1].min(), values[at:last].min())
    return found
