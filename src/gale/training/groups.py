"""Groups: runs that have more in common than what they contain, and are held out together.

Repeats of a sample, or the runs of a batch, a day or an instrument, are alike for reasons that a
new sample or batch does not share. A model that saw some of them predicts the others better than it
will ever predict new ones (Roberts et al. 2017, "Cross-validation strategies for data with
temporal, spatial, hierarchical, or phylogenetic structure", Ecography 40, 913).
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from gale.campaign import Campaign
from gale.campaign.labels import GROUP
from gale.errors import TrainingError
from gale.plumbing.progress import Progress
from gale.plumbing.text import counted, listed


def numbered(group: Sequence[str | None]) -> NDArray[np.int64] | None:
    """Number the groups of runs from 0, in order of their first runs; None is a group of its own.

    Returns
    -------
    array of shape (R,), or None
        None if every run is on its own.

    Examples
    --------
    >>> numbered(["monday", None, "monday", "friday"])
    array([0, 1, 0, 2])
    >>> numbered(["monday", None]) is None
    True
    """
    numbers: dict[object, int] = {}
    found = [
        numbers.setdefault((row,) if name is None else name, len(numbers))
        for row, name in enumerate(group)
    ]
    return np.array(found, dtype=np.int64) if len(numbers) < len(found) else None


def whole_groups(
    kinds: NDArray[np.bool_], group: NDArray[np.int64], count: int, seed: int
) -> NDArray[np.int64]:
    """Divide runs into parts without parting a group, every kind of runs as evenly as may be.

    The largest groups are dealt out first, and among groups of one size those that hold the rarest
    kind. Each goes to a part that it does not fill beyond an equal share of the runs, or else to
    the one that it overfills least; among these, to the one with the fewest runs of the group's
    rarest kind. So every part gets a group, and none has more runs than an equal share and one
    group together.

    Parameters
    ----------
    kinds : array of shape (R, any number)
        Whether each run is of a kind.
    group : array of shape (R,)
        See :func:`numbered`.
    count : int
        Number of parts.
    seed : int

    Returns
    -------
    array of shape (R,)
        The part of each run, from 0.

    Raises
    ------
    TrainingError
        If there are fewer groups than parts.
    """
    size = np.bincount(group)
    if len(size) < count:
        raise TrainingError(
            "folds.count",
            f"is {count:,}, but the {len(group):,} labelled runs are of only "
            f"{counted(len(size), 'group')}, and folds never part a group",
            "at most as many folds as groups",
            f"lower it in the recipe; without the column {GROUP} of the label table, there may be "
            "more folds, but figures flatter",
        )
    random = np.random.default_rng(seed)
    of_kind = np.zeros((len(size), kinds.shape[1]), np.int64)
    np.add.at(of_kind, group, kinds)
    in_all = of_kind.sum(axis=0)
    rarest = np.argmin(np.where(of_kind > 0, in_all, len(group) + 1), axis=1)
    part = np.zeros(len(size), np.int64)
    taken, held = np.zeros(count, np.int64), np.zeros((count, kinds.shape[1]), np.int64)
    for each in np.lexsort((random.random(len(size)), in_all[rarest], -size)):
        beyond = np.maximum(taken + size[each] - len(group) / count, 0)
        keys = (random.random(count), taken, held[:, rarest[each]], beyond)  # the last key rules
        part[each] = chosen = np.lexsort(keys)[0]
        taken[chosen] += size[each]
        held[chosen] += of_kind[each]
    dealt: NDArray[np.int64] = part[group]
    return dealt


def note_shared_groups(
    campaign: Campaign, learned: Sequence[str], held_out: str, progress: Progress
) -> None:
    """Note held-out runs of a split whose group is also in the splits that are learned from."""
    if sharing := runs_of_shared_groups(campaign, learned, held_out):
        groups = dict.fromkeys(campaign.group[campaign.runs.index(run)] or "" for run in sharing)
        progress.note(
            f"{counted(len(sharing), f'{held_out} run is', f'{held_out} runs are')} of groups that "
            f"are trained on ({listed(groups, 3)}), so figures on them say little about new groups"
        )


def runs_of_shared_groups(
    campaign: Campaign, learned: Sequence[str], held_out: str
) -> tuple[str, ...]:
    """Return the runs of a split whose group is also in the splits that are learned from."""
    rows = list(zip(campaign.runs, campaign.split, campaign.group, strict=True))
    known = {group for _, split, group in rows if split in learned} - {None}
    return tuple(run for run, split, group in rows if split == held_out and group in known)
