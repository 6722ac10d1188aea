"""Folds: which runs are held out of a training, to stop it and to choose with."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from gale.campaign import Campaign
from gale.errors import TrainingError
from gale.plumbing.progress import Progress
from gale.plumbing.text import counted
from gale.training.groups import (
    note_shared_groups,
    numbered,
    runs_of_shared_groups,
    whole_groups,
)
from gale.training.settings import FoldSettings

MOST_VAL = 0.5
"""Largest share of the runs in a val split that is a fold of its own."""


@dataclass(frozen=True)
class Fold:
    """Row numbers of the training runs and of the validation runs."""

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
    for name, of_split in rows.items():
        if len(of_split) == 0:
            raise TrainingError(
                "folds.count",
                f"is 1, but the {name} split has no labelled run",
                "labelled runs in the train and val splits",
                "raise it in the recipe",
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
    group: NDArray[np.int64] | None = None,
) -> list[Fold]:
    """Divide the runs into `count` parts, each of which validates one fold.

    The parts have the same share of runs that hold the family `by`, as divided by scikit-learn's
    StratifiedKFold. If there are fewer than `count` runs that hold it and fewer that do not, the
    parts are random.

    If `by` is ``"all"``, the parts have as nearly as possible the same share of every family, by
    iterative stratification (Sechidis, Tsoumakas & Vlahavas 2011, "On the stratification of
    multi-label data", ECML PKDD). Unlike there, full parts take no more runs, so sizes differ by at
    most 1. Runs known not to hold a family are spread like those that hold it, which preserves the
    share of common families and of families with unknown labels.

    With groups, whole groups are dealt out, as nearly as possible with the same number of runs and
    the same shares in all parts.

    Parameters
    ----------
    labels : array of shape (R, K)
        NaN where unknown, which counts as not holding the family `by`; for ``"all"``, it does not
        count.
    families : tuple of str, length K
    count : int
        Number of folds, F, at least 2.
    by : str
        ``"all"``, ``"rarest"`` or a family. ``"rarest"``, and any other name, stands for the family
        with the fewest positive runs. The two words take precedence over families with such names.
    seed : int
    derivatized : array of shape (R,), optional
        1 for samples known to be derivatized, else NaN. For ``"all"`` it is spread like a family,
        since derivatization changes a run as much.
    group : array of shape (R,), optional
        Number of the group of each run, see :func:`gale.training.groups.numbered`; no fold parts
        one.

    Raises
    ------
    TrainingError
        If there are fewer runs, or groups, than folds.
    """
    n_runs = len(labels)
    if n_runs < count:
        raise TrainingError(
            "folds.count",
            f"is {count:,}, but there are only {n_runs:,} labelled runs",
            "at most as many folds as runs",
            "lower it in the recipe",
        )
    if by == "all":
        spread = labels if derivatized is None else np.column_stack([labels, derivatized])
        kinds = np.hstack([spread == 1, spread == 0])
        if group is None:
            return _of_parts(_even_parts(kinds, count, np.random.default_rng(seed)), count)
        return _of_parts(whole_groups(kinds, group, count, seed), count)
    named = by != "rarest" and by in families
    column = families.index(by) if named else int(np.argmin(np.nansum(labels, axis=0)))
    positive = np.nan_to_num(labels[:, column]).astype(int)
    if group is not None:
        kinds = np.column_stack([positive == 1, positive == 0])
        return _of_parts(whole_groups(kinds, group, count, seed), count)
    if np.bincount(positive).max() >= count:
        return folds_of_kinds(positive, count, seed)
    part = np.empty(n_runs, dtype=np.int64)
    part[np.random.RandomState(seed).permutation(n_runs)] = np.sort(np.arange(n_runs) % count)
    return _of_parts(part, count)


def folds_of_kinds(kind: NDArray[np.int64], count: int, seed: int) -> list[Fold]:
    """Divide runs into `count` parts that have the same share of each kind (R,), up to one run.

    The parts are those of scikit-learn's StratifiedKFold with ``shuffle=True``, which the published
    system used: the runs, kind by kind in the order in which kinds appear, are dealt out in turn;
    which run of a kind is in which part is drawn.
    """
    random = np.random.RandomState(seed)
    dealt = np.arange(len(kind)) % count
    part = np.empty(len(kind), dtype=np.int64)
    found, first = np.unique(kind, return_index=True)
    for each in found[np.argsort(first)]:
        rows = np.flatnonzero(kind == each)
        parts, dealt = np.sort(dealt[: len(rows)]), dealt[len(rows) :]
        random.shuffle(parts)
        part[rows] = parts
    return _of_parts(part, count)


def _even_parts(
    kinds: NDArray[np.bool_], count: int, random: np.random.Generator
) -> NDArray[np.int64]:
    """Return the part of each run (R,) that spreads runs of each kind (R, any number) evenly.

    The rarest kind is dealt out first. Each run goes to the part that has the fewest of its kind.
    """
    n_runs, n_kinds = kinds.shape
    part = np.full(n_runs, -1)
    room = n_runs // count + (np.arange(count) < n_runs % count)
    held = np.zeros((count, n_kinds), np.int64)
    while (left := kinds[part < 0].sum(axis=0)).any():
        rarest = np.argmin(np.where(left > 0, left, n_runs + 1))
        for run in random.permutation(np.flatnonzero(kinds[:, rarest] & (part < 0))):
            keys = (random.random(count), -room, held[:, rarest], room == 0)  # the last key rules
            chosen = np.lexsort(keys)[0]
            part[run] = chosen
            room[chosen] -= 1
            held[chosen] += kinds[run]
    part[part < 0] = random.permutation(np.repeat(np.arange(count), room))
    return part


def _of_parts(part: NDArray[np.int64], count: int) -> list[Fold]:
    """Let each part, of runs (R,), validate one fold."""
    return [Fold(np.flatnonzero(part != f), np.flatnonzero(part == f)) for f in range(count)]


def folds_of(
    campaign: Campaign, settings: FoldSettings, seed: int, progress: Progress
) -> list[Fold]:
    """Split the runs of a campaign as a recipe says.

    Raises
    ------
    TrainingError
        If there are too few labelled runs.
    """
    if settings.count == 1:
        note_shared_groups(campaign, ("train",), "val", progress)
        return [split_fold(campaign.split)]
    by = settings.stratify_by
    if by not in ("all", "rarest", *campaign.families):
        progress.note(f"folds.stratify_by: there is no family {by}; the rarest family is used")
    if settings.val == "apart" and "val" in campaign.split:
        if why := _must_be_mixed(campaign, settings.count):
            progress.note(f"the val split is divided among the folds like the train split: {why}")
        else:
            return _val_apart(campaign, settings, seed)
    return _stratified(campaign, settings.count, settings, seed)


def val_of(split: Sequence[str], folds: Sequence[Fold]) -> NDArray[np.int64] | None:
    """Return the rows of the val split if one of several folds validates just these."""
    rows = np.flatnonzero(np.array(split) == "val")
    apart = any(np.array_equal(np.sort(fold.validation), rows) for fold in folds)
    return rows if apart and len(folds) > 1 else None


def _must_be_mixed(campaign: Campaign, count: int) -> str:
    """Say why the val split cannot be a fold of its own, if so."""
    is_val = np.array(campaign.split) == "val"
    least = len(campaign) / (2 * count)
    if is_val.sum() < least:
        return f"it has {is_val.sum():,} runs, and a fold of its own takes {least:,.0f}"
    if is_val.mean() > MOST_VAL:
        return f"it has {is_val.mean():.0%} of the runs, and too few would be left to learn from"
    known = campaign.labels[~is_val]
    for family, column in zip(campaign.families, known.T, strict=True):
        if not ((column == 1).any() and (column == 0).any()):
            return f"the train split alone does not tell what {family} is"
    if shared := runs_of_shared_groups(campaign, ("train",), "val"):
        return f"{counted(len(shared), 'of its runs is', 'of its runs are')} of groups of train"
    return ""


def _val_apart(campaign: Campaign, settings: FoldSettings, seed: int) -> list[Fold]:
    """Let the val split validate the last fold, and parts of the train split the others."""
    is_val = np.array(campaign.split) == "val"
    train, val = np.flatnonzero(~is_val), np.flatnonzero(is_val)
    parts = [train]
    if settings.count > 2:
        of_train = _stratified(campaign.select(train), settings.count - 1, settings, seed)
        parts = [train[fold.validation] for fold in of_train]
    everything = np.arange(len(campaign))
    return [Fold(np.setdiff1d(everything, part), part) for part in (*parts, val)]


def _stratified(campaign: Campaign, count: int, settings: FoldSettings, seed: int) -> list[Fold]:
    """Divide runs among folds as a recipe says."""
    return stratified_folds(
        campaign.labels,
        campaign.families,
        count=count,
        by=settings.stratify_by,
        seed=seed if settings.seed is None else settings.seed,
        derivatized=campaign.derivatized,
        group=numbered(campaign.group),
    )


def held_out_by(n_folds: int, *, apart: bool = False) -> str:
    """Say which members predict held-out runs; `apart` if no group is on both sides."""
    saw = "saw no run of its group" if apart else "did not train on it"
    return f"each by members that {saw} " + (
        f"({n_folds} folds)" if n_folds > 1 else "(the val split)"
    )
