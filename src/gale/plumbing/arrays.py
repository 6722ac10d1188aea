"""Arrays in NPZ files that may be damaged, or made by somebody else."""

from __future__ import annotations

import io
import threading
import tokenize
import zipfile
import zlib
from typing import Any

import numpy as np
from numpy.typing import NDArray

DAMAGED = (
    EOFError,
    KeyError,
    MemoryError,
    OSError,
    OverflowError,
    RuntimeError,
    SyntaxError,
    TypeError,
    ValueError,
    tokenize.TokenError,
    zipfile.BadZipFile,
    zlib.error,
)
"""What numpy and zipfile raise for content that is cut short, damaged or planted."""

_ONE_AT_A_TIME = threading.Lock()
"""numpy parses headers as Python, which Python 3.11 may fail to do (SystemError) where two threads
do it at the same time."""

Arrays = dict[str, NDArray[Any]]


def load_arrays(data: bytes) -> Arrays | None:
    """Return the arrays of an NPZ file by name; None if it is none, or has pickled objects.

    Examples
    --------
    >>> load_arrays(b"PK and other words") is None
    True
    """
    try:
        with _ONE_AT_A_TIME, np.load(io.BytesIO(data), allow_pickle=False) as arrays:
            return dict(arrays)
    except DAMAGED:
        return None


STEP = 32
"""One in as many numbers shows between which ones a quantile is."""


def quantile(values: NDArray[np.float64], share: float) -> float:
    """Find a quantile of many finite numbers: that of `numpy.quantile`, but faster.

    Parameters
    ----------
    values : array of shape (N,)
    share : float
        Share of the numbers that are below it.

    Examples
    --------
    >>> float(quantile(np.arange(100_001.0), 0.005))
    500.0
    """
    at = (len(values) - 1) * share
    sample = np.sort(values[::STEP])
    place, margin = int(share * len(sample)), 2 * int(np.sqrt(len(sample)))
    if margin < len(sample) // 4:
        low, high = sample[max(place - margin, 0)], sample[min(place + margin, len(sample) - 1)]
        near = values[(values >= low) & (values <= high)]
        first = int(at) - np.count_nonzero(values < low)
        if 0 <= first < len(near) - 1:
            pair = np.partition(near, (first, first + 1))[first : first + 2]
            values, share = pair, at - int(at)
    found: float = np.quantile(values, share)
    return found


def moving_mean(values: NDArray[Any], before: NDArray[Any], after: NDArray[Any]) -> NDArray[Any]:
    """Mean of each row of an array and those around it, of the same type.

    It is what `scipy.ndimage.uniform_filter1d` gives, which takes longer to import than to compute.

    Parameters
    ----------
    values : array of shape (N, M)
    before, after : arrays of shape (W, M)
        W rows that are taken to come before the first one, and after the last one.

    Examples
    --------
    >>> moving_mean(np.array([[3.0], [6.0]]), np.array([[0.0]]), np.array([[9.0]])).tolist()
    [[3.0], [6.0]]
    """
    rows = np.concatenate([before, values, after], dtype=np.float64)
    width = len(before) + len(after) + 1
    steps = np.concatenate([np.sum(rows[:width], axis=0)[None], rows[width:] - rows[:-width]])
    means: NDArray[Any] = (np.cumsum(steps, axis=0) / width).astype(values.dtype)
    return means


def is_finite(array: NDArray[Any]) -> bool:
    """Whether an array has numbers only, and none of them is infinite or NaN."""
    return bool(array.dtype.kind in "iuf" and np.isfinite(array).all())
