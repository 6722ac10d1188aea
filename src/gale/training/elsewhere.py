"""Another instrument: how the parts are combined for runs of none of the training's instruments.

Networks that fit the instruments of the training best are not those that carry over best, and on a
new instrument all are too sure. So runs are grouped by how they were acquired, whole groups are
held out in turn from one more member of each part, and a second calibration, with shares of its
own, is fitted to what these say. A run gets the first or the second, or something between, by how
far it is from the training runs (`gale.model.unlike`): the first up to the usual distance, the
second alone from the distance at which runs of held-out groups typically are.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy.special import expit

from gale.model.unlike import fit_unlike, unlike
from gale.run import Floats
from gale.training.calibration import Away, cross_fitted, fit_calibration
from gale.training.ensemble import Ensemble, fit_part, prior_of_folds, shares_of
from gale.training.facts import log_loss_of_held_out
from gale.training.folds import Fold
from gale.training.groups import whole_groups
from gale.training.members import MemberFitter
from gale.training.novelty import Spectra, less_sure
from gale.training.recipe import Part
from gale.training.runs import TrainingRuns

SAME_MIN, SAME_SHARE, SAME_MZ, SAME_FLOOR = 0.5, 0.05, 3.0, 0.15
"""Runs are acquired alike if they start within so many minutes, last and scan equally long up to
this share, begin at the same m/z up to so much, and have the same floor up to this power of ten."""

LEAST_RUNS = 20
"""A group of fewer runs is not held out: it says too little."""

NEAREST_FAR = 1.25
"""Least distance from which the second calibration alone counts; 1 is the usual one."""


class Acquired(NamedTuple):
    """Groups of runs that were acquired alike.

    Parameters
    ----------
    group : array of shape (R,)
        Number of the group of each run, from 0.
    large : array of int
        Groups of at least :data:`LEAST_RUNS` runs.
    """

    group: NDArray[np.int64]
    large: NDArray[np.int64]


def acquired_alike(acquisition: NDArray[np.float32]) -> Acquired:
    """Group runs by how they were acquired; runs that a chain of alike ones joins are of one group.

    Parameters
    ----------
    acquisition : array of shape (R, 5)
        See `gale.features.acquisition.FACTS`.

    Examples
    --------
    >>> usual, slow = [3.0, 20.0, 0.8, 15.0, 2.3], [3.0, 20.0, 1.2, 15.0, 2.3]
    >>> acquired_alike(np.array([usual, slow, usual])).group
    array([0, 1, 0])
    """
    start, length, interval, lowest, floor = acquisition.astype(np.float64).T
    logs = np.log(np.maximum([length, interval], 1e-3)) / SAME_SHARE
    steps = (
        start / SAME_MIN, *logs, lowest / SAME_MZ, floor / SAME_FLOOR
    )  # fmt: skip
    # whole steps, so that archives of any size have few places to compare
    places, of_run = np.unique(np.round(np.column_stack(steps)), axis=0, return_inverse=True)
    # slow to import, and needed where groups are held out only
    from scipy.sparse import coo_array
    from scipy.sparse.csgraph import connected_components
    from scipy.spatial import KDTree

    one, other = KDTree(places).query_pairs(1.5, p=np.inf, output_type="ndarray").T
    near = coo_array((np.ones(len(one)), (one, other)), shape=(len(places), len(places)))
    _, joined = connected_components(near, directed=False)
    _, first, group = np.unique(joined[of_run.ravel()], return_index=True, return_inverse=True)
    group = np.argsort(np.argsort(first))[group.ravel()]
    return Acquired(group, np.flatnonzero(np.bincount(group) >= LEAST_RUNS))


def folds_elsewhere(runs: TrainingRuns, count: int, seed: int) -> list[Fold]:
    """Hold whole groups of runs that were acquired alike out, in up to `count` folds.

    There is none unless there are two large groups. Small groups are trained on in every fold.

    Parameters
    ----------
    runs : TrainingRuns
        With how they were acquired.
    count : int
    seed : int
    """
    if runs.acquisition is None or count < 2:
        return []
    group, large = acquired_alike(runs.acquisition)
    if len(large) < 2:
        return []
    rows = np.flatnonzero(np.isin(group, large))
    _, numbers = np.unique(group[rows], return_inverse=True)
    kinds = np.hstack([runs.labels == 1, runs.labels == 0])[rows]
    part = whole_groups(kinds, numbers.ravel(), min(len(large), count), seed)
    everything = np.arange(len(group))
    held_out = [rows[part == number] for number in np.unique(part)]
    return [Fold(np.setdiff1d(everything, each), each) for each in held_out]


def parts_elsewhere(parts: Mapping[str, Part]) -> dict[str, Part]:
    """Return the parts with a single member per fold, under other names."""
    return {
        f"{name}.elsewhere".lstrip("."): part.model_copy(
            update={"soup": part.soup.model_copy(update={"kind": "none", "size": 1})}
        )
        for name, part in parts.items()
    }


def fit_elsewhere(
    ensemble: Ensemble,
    fitters: Sequence[MemberFitter],
    runs: TrainingRuns,
    spectra: Spectra | None = None,
) -> tuple[Away | None, dict[str, Any]]:
    """Fit members that saw no run of a group, and a calibration to what they say of it.

    With `spectra` of the runs, what is new in them counts in the figures.

    Returns
    -------
    Away or None
        None if the calibration of the training's own instruments is as good there.
    dict
        What the model says of it.
    """
    assert ensemble.calibration is not None
    folds, logits = fitters[0].folds, np.stack([fit_part(fitter).logits for fitter in fitters])
    shares = shares_of(ensemble.parts)
    labels = known_labels(runs.labels, folds)
    calibration = fit_calibration(logits, labels, shares=shares)
    held_out = np.isfinite(logits).all(axis=(0, 2))
    prevalence = prior_of_folds(labels, folds)
    calibrated = [
        cross_fitted(logits, labels, folds, shares=shares),
        expit(ensemble.calibration.logits(logits)),
    ]
    if spectra is not None:
        calibrated = [less_sure(each, prevalence, spectra, folds) for each in calibrated]
    own, as_here, prior = (log_loss_of_held_out(labels, each) for each in (*calibrated, prevalence))
    far = max(NEAREST_FAR, float(np.median(_distances(runs, folds))))
    facts = {
        "folds": len(folds),
        "runs": int(held_out.sum()),
        "log_loss": min(own, as_here),
        "as_here_log_loss": as_here,
        "prior_log_loss": prior,
        "far": round(far, 6),
    }
    if not own < as_here:
        return None, facts
    return Away(calibration, far), facts | {"calibration": calibration.to_dict()}


def known_labels(labels: NDArray[np.float32], folds: Sequence[Fold]) -> NDArray[np.float32]:
    """Labels (R, K), but NaN where members could not learn what the family is."""
    known = labels.copy()
    for fold in folds:
        of_training = labels[fold.training]
        learned = (of_training == 1).any(axis=0) & (of_training == 0).any(axis=0)
        known[np.ix_(fold.validation, ~learned)] = np.nan
    return known


def _distances(runs: TrainingRuns, folds: Sequence[Fold]) -> Floats:
    """The distance of held-out runs from the others."""
    blocks = runs.spec.blocks
    return np.concatenate(
        [
            unlike(runs.features[fold.validation], fit_unlike(runs.features[fold.training], blocks))
            for fold in folds
        ]
    )
