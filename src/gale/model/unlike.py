"""The distance of a run from the training runs: column ``unlike`` of predictions.

Another instrument, a broken file or pure noise changes many features a little; another compound
changes few features a lot. So features are first compressed as asinh(x / 0.1), which grows like a
logarithm, averaged over windows of neighbouring m/z, and divided by the standard deviation among
the training runs. In each block of features, the distance of a run is its mean distance to its 5
nearest training runs (the score of Angiulli and Pizzuti, 2002, "Fast outlier detection in high
dimensional spaces", PKDD). It is divided by the 95th percentile of the training runs, each compared
with the others. The largest distance over the blocks counts, divided by its 95th percentile again.
So 5 % of the training runs are above 1; there is no upper bound.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

from gale.run import Floats, Floats32

FAR = 2.0
"""A run with a larger distance gets a note."""

NOTED_SHARE = 0.25
"""Least share of the calibration for other instruments that is noted."""

NEIGHBOURS = 5
"""Number of nearest training runs whose distances are averaged."""

QUANTILE = 0.95
"""Share of the training runs whose distance is at most 1."""

SOFTNESS = 0.1
"""Features are linear below it and logarithmic above."""

WINDOW = 16
"""Number of neighbouring features that are averaged."""

FLOOR = 0.05
"""Added to the deviation of a window, as a share of that of the whole block: otherwise windows that
hardly vary among the training runs would decide alone."""

TINY = 1e-9
"""A smaller deviation or distance is rounding and counts as 0."""

MOST_RUNS = 1500
"""Largest number of training runs that a model file holds."""


def unlike_notes(unlike: float | None) -> tuple[str, ...]:
    """Note that a run is far from the training runs, if it is."""
    if unlike is None or unlike <= FAR:
        return ()
    return (f"far from the training runs (distance {unlike:,.1f}; 95 % of them are within 1)",)


def share_elsewhere(unlike: float, far: float) -> float:
    """How much a model's calibration for other instruments counts: from 0 to 1.

    Parameters
    ----------
    unlike : float
        Up to 1, the usual distance, it does not count.
    far : float
        Distance from which it alone counts, more than 1.

    Examples
    --------
    >>> [share_elsewhere(unlike, far=2.0) for unlike in (0.8, 1.5, 3.0)]
    [0.0, 0.5, 1.0]
    """
    return min(max((unlike - 1) / (far - 1), 0.0), 1.0)


def elsewhere_notes(unlike: float | None, far: float | None) -> tuple[str, ...]:
    """Note that a run is predicted as one of another instrument, if it is noticeably so.

    Parameters
    ----------
    unlike : float or None
    far : float or None
        See :func:`share_elsewhere`; None if the model has no calibration for other instruments.
    """
    if unlike is None or far is None or (share := share_elsewhere(unlike, far)) < NOTED_SHARE:
        return ()
    how = "" if share == 1 else f"to {share:.0%} "
    return (f"{how}predicted as a run of another instrument",)


@dataclass(frozen=True, eq=False)
class Block:
    """The training runs in one block of features, to measure distances to: B features, W windows.

    Parameters
    ----------
    columns : slice
        Position of the block in the features, of length B.
    centre : array of shape (B,)
        Mean of the compressed features.
    windows : array of shape (B, W)
        Weights of the features in each window, divided by its deviation.
    runs : array of shape (R, W)
        Places of the training runs.
    usual : float
        The distance that counts as 1.
    """

    columns: slice
    centre: Floats
    windows: Floats
    runs: Floats
    usual: float

    def place(self, features: Floats32) -> Floats:
        """Place runs of features (R', D) among the training runs, shape (R', W)."""
        placed: Floats = (_compressed(features, self.columns) - self.centre) @ self.windows
        return placed


def fit_unlike(
    features: Floats32, blocks: Mapping[str, slice], *, most_runs: int = MOST_RUNS
) -> tuple[Block, ...]:
    """Learn from training runs how to measure the distance from them.

    Parameters
    ----------
    features : array of shape (R, D)
        Features of at least two runs. Fewer than six are each compared with all others.
    blocks : mapping of str to slice
        Position of each block in the features; without any there is no distance.
    most_runs : int
        If there are more runs, this many are used, evenly spaced.
    """
    if not blocks:
        return ()
    chosen = np.linspace(0, len(features) - 1, min(len(features), most_runs)).astype(int)
    fitted = [_fit_block(features[chosen], columns) for columns in blocks.values()]
    own = np.array([_distance(block.runs, block.runs, left_out=True) for block in fitted])
    usual = np.array([_usual(distance) for distance in own])
    usual *= _usual((own / usual[:, None]).max(axis=0))
    return tuple(
        replace(block, usual=float(value)) for block, value in zip(fitted, usual, strict=True)
    )


def unlike(features: Floats32, blocks: Sequence[Block]) -> Floats:
    """Return the distance from the training runs of runs of features (R', D), shape (R',)."""
    of_blocks = [_distance(block.place(features), block.runs) / block.usual for block in blocks]
    return np.asarray(np.max(of_blocks, axis=0))


def n_neighbours(runs: int) -> int:
    """Number of neighbours among this many training runs, one of which may be left out."""
    return min(NEIGHBOURS, runs - 1)


def _fit_block(features: Floats32, columns: slice) -> Block:
    compressed = _compressed(features, columns)
    centre = compressed.mean(axis=0)
    size = len(centre)
    windows = np.zeros((size, max(1, round(size / WINDOW))))
    for number, members in enumerate(np.array_split(np.arange(size), windows.shape[1])):
        windows[members, number] = 1 / len(members)
    placed = (compressed - centre) @ windows
    deviation = placed.std(axis=0)
    deviation += FLOOR * np.sqrt(np.mean(deviation**2))
    windows /= np.where(deviation > TINY, deviation, 1.0)
    return Block(columns, centre, windows, (compressed - centre) @ windows, 1.0)


def _compressed(features: Floats32, columns: slice) -> Floats:
    compressed: Floats = np.arcsinh(features[:, columns].astype(np.float64) / SOFTNESS)
    return compressed


def _usual(distance: Floats) -> float:
    """The 95th percentile of distances; 1 if it is 0, as among equal runs."""
    usual = float(np.quantile(distance, QUANTILE))
    return usual if usual > TINY else 1.0


def _distance(placed: Floats, runs: Floats, *, left_out: bool = False) -> Floats:
    """Mean distance of places (R', W) to their nearest runs (R, W), shape (R',).

    With `left_out`, the places are the runs themselves, and none is its own neighbour.
    """
    squares = np.square(placed).sum(axis=1)[:, None] + np.square(runs).sum(axis=1)
    squares -= 2 * placed @ runs.T
    if left_out:
        np.fill_diagonal(squares, np.inf)
    count = n_neighbours(len(runs))
    nearest = np.argpartition(squares, count - 1, axis=1)[:, :count]
    # computed again, since a small difference of large squares is not exact
    distance = np.sqrt(np.square(runs[nearest] - placed[:, None]).sum(axis=2))
    return np.asarray(distance.mean(axis=1))
