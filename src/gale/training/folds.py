"""Which runs are held out of a training, to stop it and to choose by."""

from __future__ import annotations

import warnings
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from sklearn.model_selection import KFold, StratifiedKFold

from gale.campaign import Campaign
from gale.errors import TrainingError
from gale.plumbing.progress import Progress
from gale.training.settings import FoldSettings


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
    labels: NDArray[np.float32],
    families: tuple[str, ...],
    *,
    count: int,
    by: str,
    seed: int,
    derivatized: NDArray[np.float32] | None = None,
) -> list[Fold]:
    """Divide the runs into `count` parts, each of which validates one fold.

    The parts have the same share of runs that hold the family `by`, as scikit-learn's
    StratifiedKFold divides them, or as nearly as there are runs of each kind. If there are fewer
    than `count` of both kinds, the parts are random.

    If `by` is ``"all"``, the parts have the same share of every family as nearly as can be, by
    iterative stratification (Sechidis, Tsoumakas & Vlahavas 2011, "On the stratification of
    multi-label data", ECML PKDD). Unlike there, full parts take no more runs, so that sizes differ
    by 1 at most, and runs known not to hold a family are spread like those that hold it, which
    keeps the share of common families and of those with unknown labels.

    Parameters
    ----------
    labels : array of shape (R, K)
        NaN where unknown, which counts as not holding the family `by`; for ``"all"``, neither as
        holding nor as not holding it.
    families : tuple of str, length K
    count : int
        Number of folds, F, at least 2.
    by : str
        ``"all"``, or a family; ``"rarest"``, or one that is not there, is the family with fewest
        positive runs. The two words mean this even where a family has such a name.
    seed : int
    derivatized : array of shape (R,), optional
        1 where the sample is known to have been derivatized, else NaN: for ``"all"``, this is
        spread as a family is, since it changes a run as much.

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
    if by == "all":
        spread = labels if derivatized is None else np.column_stack([labels, derivatized])
        kinds = np.hstack([spread == 1, spread == 0])
        part = _even_parts(kinds, count, np.random.default_rng(seed))
        return [Fold(np.flatnonzero(part != f), np.flatnonzero(part == f)) for f in range(count)]
    named = by != "rarest" and by in families
    column = families.index(by) if named else int(np.argmin(np.nansum(labels, axis=0)))
    positive = np.nan_to_num(labels[:, column]).astype(int)
    splitter_class = StratifiedKFold if np.bincount(positive).max() >= count else KFold
    splitter = splitter_class(count, shuffle=True, random_state=seed)
    with warnings.catch_warnings():  # that a rare family is missing from some parts is expected
        warnings.simplefilter("ignore", UserWarning)
        return [Fold(*parts) for parts in splitter.split(np.zeros(n_runs), positive)]


def _even_parts(
    kinds: NDArray[np.bool_], count: int, random: np.random.Generator
) -> NDArray[np.int64]:
    """Part of each run (R,), so that runs of each kind (R, any number) are spread evenly.

    The rarest kind is dealt out first. All parts want equally many runs of a kind, so that the
    part which wants most is the one that has fewest.
    """
    n_runs, n_kinds = kinds.shape
    part = np.full(n_runs, -1)
    room = n_runs // count + (np.arange(count) < n_runs % count)
    held = np.zeros((count, n_kinds), np.int64)
    while (left := kinds[part < 0].sum(axis=0)).any():
        rarest = np.argmin(np.where(left > 0, left, n_runs + 1))
        for run in random.permutation(np.flatnonzero(kinds[:, rarest] & (part < 0))):
            wish = (random.random(count), -room, held[:, rarest], room == 0)  # the last rules
            chosen = np.lexsort(wish)[0]
            part[run] = chosen
            room[chosen] -= 1
            held[chosen] += kinds[run]
    part[part < 0] = random.permutation(np.repeat(np.arange(count), room))
    return part


def folds_of(
    campaign: Campaign, settings: FoldSettings, seed: int, progress: Progress
) -> list[Fold]:
    """Split the runs of a campaign as a recipe says."""
    if settings.count == 1:
        return [split_fold(campaign.split)]
    by = settings.stratify_by
    if by not in ("all", "rarest", *campaign.families):
        progress.note(f"no family is called {by}; folds keep the share of the rarest family")
    try:
        return stratified_folds(
            campaign.labels,
            campaign.families,
            count=settings.count,
            by=by,
            seed=seed if settings.seed is None else settings.seed,
            derivatized=campaign.derivatized,
        )
    except TrainingError as error:
        raise TrainingError(f"{campaign.root}: {error}") from None


def held_out_by(n_folds: int) -> str:
    """Say by whom runs are judged that a training holds out."""
    return "each by members that did not train on it " + (
        f"({n_folds} folds)" if n_folds > 1 else "(the val split)"
    )
