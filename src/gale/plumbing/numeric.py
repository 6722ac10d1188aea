"""What SciPy computes, too; but its import takes longer than most predictions."""

from __future__ import annotations

from itertools import combinations
from typing import Any

import numpy as np
from numpy.typing import NDArray

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

    It is what :func:`scipy.ndimage.uniform_filter1d` gives.

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


BLOCK = 128
"""Rows that are filtered at a time: as many as the processor's cache holds."""


def correlated(values: NDArray[Any], kernel: NDArray[np.float64]) -> NDArray[Any]:
    """Correlate each column with a kernel.

    Before the first row and after the last come others like it, as with mode "nearest" of
    :func:`scipy.ndimage.correlate1d`.

    Parameters
    ----------
    values : array of shape (N, M)
    kernel : array of shape (2 * R + 1,)

    Returns
    -------
    array of shape (N, M)
        Of the type of `values`; the sums have double precision.

    Examples
    --------
    >>> correlated(np.array([[3.0], [6.0], [3.0]]), np.array([0.0, 1.0, 2.0])).ravel().tolist()
    [15.0, 12.0, 9.0]
    """
    reach = len(kernel) // 2
    padded = np.pad(values, ((reach, reach), (0, 0)), "edge").astype(np.float64)
    found = np.empty_like(values)
    for first in range(0, len(values), BLOCK):
        rows = padded[first : first + BLOCK + 2 * reach]
        n_rows = len(rows) - 2 * reach
        total = rows[:n_rows] * kernel[0]
        for at in range(1, len(kernel)):
            total += rows[at : at + n_rows] * kernel[at]
        found[first : first + n_rows] = total
    return found


def smoothed(values: NDArray[np.float64], sigma: float) -> NDArray[np.float64]:
    """Smooth a curve with a Gaussian of standard deviation `sigma`; beyond its ends there is 0.

    It is what :func:`scipy.ndimage.gaussian_filter1d` gives.

    Examples
    --------
    >>> smoothed(np.array([0.0, 0.0, 1.0, 0.0]), 0.5).round(2).tolist()
    [0.0, 0.11, 0.79, 0.11]
    """
    reach = int(4 * sigma + 0.5)
    weight = np.exp(-0.5 * (np.arange(-reach, reach + 1) / sigma) ** 2)
    return np.convolve(values, weight / weight.sum())[reach : reach + len(values)]


def logit(probability: NDArray[np.float64]) -> NDArray[np.float64]:
    """Log-odds of probabilities between 0 and 1.

    Examples
    --------
    >>> logit(np.array([0.5, 0.9])).round(3).tolist()
    [0.0, 2.197]
    """
    return np.log(probability) - np.log1p(-probability)


def softmax(values: NDArray[Any]) -> NDArray[Any]:
    """Shares of N numbers, in proportion to their exponentials.

    Examples
    --------
    >>> softmax(np.array([1000.0, 1000.0])).tolist()
    [0.5, 0.5]
    """
    powers = np.exp(values - np.max(values))
    return np.asarray(powers / powers.sum())


def least_squares_above_0(
    terms: NDArray[np.float64], values: NDArray[np.float64]
) -> NDArray[np.float64]:
    """Fit a sum of few terms to values, with weights of the terms that are not negative.

    The best of the fits with some of the terms that gives no negative weight, as by
    :func:`scipy.optimize.nnls`.

    Parameters
    ----------
    terms : array of shape (N, T)
        T is small: there are 2 ** T fits.
    values : array of shape (N,)

    Returns
    -------
    array of shape (T,)

    Examples
    --------
    >>> least_squares_above_0(np.eye(2), np.array([3.0, -1.0])).tolist()
    [3.0, 0.0]
    """
    n_terms = terms.shape[1]
    best, least = np.zeros(n_terms), float(values @ values)
    for number in range(1, n_terms + 1):
        for some in combinations(range(n_terms), number):
            weight = np.linalg.lstsq(terms[:, some], values, rcond=None)[0]
            left = values - terms[:, some] @ weight
            if (weight >= 0).all() and left @ left < least:
                best, least = np.zeros(n_terms), float(left @ left)
                best[list(some)] = weight
    return best


def local_maxima(values: NDArray[Any]) -> NDArray[np.intp]:
    """Positions higher than what is on both sides of them, in order.

    They are those of :func:`scipy.signal.find_peaks`. The middle of a plateau is one, the left one
    of two middles; ends are none.

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
