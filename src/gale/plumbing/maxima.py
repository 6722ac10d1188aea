"""Where a curve is highest: its local maxima.

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
