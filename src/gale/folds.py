"""Which runs are held out of a training, to stop it and to choose by."""

from __future__ import annotations

import warnings
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from sklearn.model_selection import KFold, StratifiedKFold

from gale.errors import TrainingError


@dataclass(frozen=True)
class Fold:
    """Row numbers of the runs that train, and of those that validate."""

    training: NDArray[np.int64]
    validation: NDArray[np.int64]


def split_fold(split: tuple[str, ...]) -> Fold:
    """Train on the runs of the train split, validate on those of the val split.

    Raises
    ------
    TrainingError
        If either split is empty.
    """
    rows = {name: np.flatnonzero(np.array(split) == name) for name in ("train", "val")}
    for name, found in rows.items():
        if len(found) == 0:
            raise TrainingError(
                f"no labelled run is in the {name} split; expected some, since the recipe has "
                "folds.count = 1; use 2 or more folds"
            )
    return Fold(rows["train"], rows["val"])


def stratified_folds(
    labels: NDArray[np.float32], families: tuple[str, ...], *, count: int, by: str, seed: int
) -> list[Fold]:
    """Divide the runs into `count` parts, each of which validates one fold.

    The parts have the same share of runs that hold the family `by`, as scikit-learn's
    StratifiedKFold divides them, or as nearly as there are runs of each kind. If there are fewer
    than `count` of both kinds, the parts are random.

    Parameters
    ----------
    labels : array of shape (R, K)
        NaN where unknown, which counts as not holding the family.
    families : tuple of str, length K
    count : int
        Number of folds, F, at least 2.
    by : str
        A family; ``"rarest"``, or one that is not there, is the family with fewest positive runs.
    seed : int

    Raises
    ------
    TrainingError
        If there are fewer runs than folds.
    """
    n_runs = len(labels)
    if n_runs < count:
        raise TrainingError(
            f"{n_runs} labelled runs for {count} folds; expected at least as many runs as folds; "
            "lower folds.count in the recipe"
        )
    column = families.index(by) if by in families else int(np.argmin(np.nansum(labels, axis=0)))
    positive = np.nan_to_num(labels[:, column]).astype(int)
    splitter_class = StratifiedKFold if np.bincount(positive).max() >= count else KFold
    splitter = splitter_class(count, shuffle=True, random_state=seed)
    with warnings.catch_warnings():  # that a rare family is missing from some parts is expected
        warnings.simplefilter("ignore", UserWarning)
        return [Fold(*parts) for parts in splitter.split(np.zeros(n_runs), positive)]
