"""How unlike the training runs a run is: its distance to the nearest of them.

Another instrument, a broken file or a run of noise differs from the training runs in many features
by a little, another compound in few by a lot. So features are first made softer, as asinh(x / 0.1),
which grows like a logarithm, and averaged over windows of neighbouring m/z, each divided by its
deviation among the training runs. In each block of the features, the distance of a run is its mean
distance to its 5 nearest training runs (the score of Angiulli and Pizzuti, 2002, "Fast outlier
detection in high dimensional spaces", PKDD). It is divided by what 95 % of the training runs, each
left out of its own neighbours, do not exceed; the largest of the blocks counts, divided so again.
1 therefore is as unlike as one in twenty of the training runs, and there is no upper bound.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]

FAR = 2.0
"""Above it a run is said to be unlike the training runs."""

NEIGHBOURS = 5
"""Training runs, the nearest, that a distance is the mean of."""

QUANTILE = 0.95
"""Share of the training runs whose score is at most 1."""

SOFTNESS = 0.1
"""Features below it count in proportion, those above it as their logarithm."""

WINDOW = 16
"""Neighbouring features that are averaged."""

FLOOR = 0.05
"""Deviations count as at least this share of that of all windows of the block: what hardly varies
among the training runs would else be all that matters."""

TINY = 1e-9
"""What is smaller is the rounding of what does not vary."""

MOST_RUNS = 1500
"""Training runs that a model keeps, as numbers of windows."""


def unlike_notes(unlike: float | None) -> tuple[str, ...]:
    """Say that a run is far from the training runs, if it is."""
    if unlike is None or unlike <= FAR:
        return ()
    return (f"unlike the training runs ({unlike:,.1f} times the usual distance)",)


@dataclass(frozen=True, eq=False)
class Block:
    """What distances in one block of the features need; B features in W windows.

    Parameters
    ----------
    columns : slice
        Where the block lies in the features, of length B.
    centre : array of shape (B,)
        Mean of the softened features.
    windows : array of shape (B, W)
        What centred features are multiplied by: the windows, each over its deviation.
    runs : array of shape (R, W)
        The training runs.
    usual : float
        The distance that counts as 1.
    """

    columns: slice
    centre: Array
    windows: Array
    runs: Array
    usual: float

    def place(self, features: NDArray[np.float32]) -> Array:
        """Return where runs (R', D) lie among the training runs, shape (R', W)."""
        placed: Array = (_softened(features, self.columns) - self.centre) @ self.windows
        return placed


def fit_unlike(
    features: NDArray[np.float32], blocks: Mapping[str, slice], *, most_runs: int = MOST_RUNS
) -> tuple[Block, ...]:
    """Learn from training runs what :func:`unlike` needs.

    Parameters
    ----------
    features : array of shape (R, D)
        Of at least two runs. Fewer than six are each compared to all others.
    blocks : mapping of str to slice
        Where the blocks lie in the features.
    most_runs : int
        If there are more runs, so many are taken, spread evenly.
    """
    kept = np.linspace(0, len(features) - 1, min(len(features), most_runs)).astype(int)
    fitted = [_fit_block(features[kept], columns) for columns in blocks.values()]
    alone = np.array([_distance(block.runs, block.runs, left_out=True) for block in fitted])
    usual = np.array([_usual(distance) for distance in alone])
    usual *= _usual((alone / usual[:, None]).max(axis=0))
    return tuple(
        replace(block, usual=float(each)) for block, each in zip(fitted, usual, strict=True)
    )


def unlike(features: NDArray[np.float32], blocks: Sequence[Block]) -> Array:
    """Return how unlike the training runs the runs of features (R', D) are, shape (R',)."""
    each = [_distance(block.place(features), block.runs) / block.usual for block in blocks]
    return np.asarray(np.max(each, axis=0))


def n_neighbours(runs: int) -> int:
    """How many of so many training runs a distance is the mean of: one can be left out."""
    return min(NEIGHBOURS, runs - 1)


def _fit_block(features: NDArray[np.float32], columns: slice) -> Block:
    softened = _softened(features, columns)
    centre = softened.mean(axis=0)
    size = len(centre)
    windows = np.zeros((size, max(1, round(size / WINDOW))))
    for number, members in enumerate(np.array_split(np.arange(size), windows.shape[1])):
        windows[members, number] = 1 / len(members)
    placed = (softened - centre) @ windows
    deviation = placed.std(axis=0)
    deviation += FLOOR * np.sqrt(np.mean(deviation**2))
    windows /= np.where(deviation > TINY, deviation, 1.0)
    return Block(columns, centre, windows, (softened - centre) @ windows, 1.0)


def _softened(features: NDArray[np.float32], columns: slice) -> Array:
    softened: Array = np.arcsinh(features[:, columns].astype(np.float64) / SOFTNESS)
    return softened


def _usual(distance: Array) -> float:
    """The distance that one in twenty exceeds; 1 if there is none, as among equal runs."""
    usual = float(np.quantile(distance, QUANTILE))
    return usual if usual > TINY else 1.0


def _distance(placed: Array, runs: Array, *, left_out: bool = False) -> Array:
    """Mean distance of each of some places (R', W) to its nearest of the runs (R, W), shape (R',).

    With `left_out` the places are the runs, and none is a neighbour of its own.
    """
    squares = np.square(placed).sum(axis=1)[:, None] + np.square(runs).sum(axis=1)
    squares -= 2 * placed @ runs.T
    if left_out:
        np.fill_diagonal(squares, np.inf)
    count = n_neighbours(len(runs))
    nearest = np.argpartition(squares, count - 1, axis=1)[:, :count]
    # anew, since a small difference of large squares is not exact
    distance = np.sqrt(np.square(runs[nearest] - placed[:, None]).sum(axis=2))
    return np.asarray(distance.mean(axis=1))
