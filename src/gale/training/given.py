"""Training on features that are given as a table, instead of runs."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from gale.campaign import Campaign
from gale.errors import TrainingError
from gale.features.given import GivenSpec
from gale.model import Model
from gale.plumbing.work import Work
from gale.training import Recipe, fit_model
from gale.training.runs import TrainingRuns, note_few

CAMPAIGN = Path("a table of features")
"""What the model calls where its runs are from."""


def train_features(
    features: NDArray[np.float32],
    labels: NDArray[np.float32],
    *,
    names: Sequence[str],
    families: Sequence[str],
    recipe: Recipe,
    groups: Sequence[object] | None = None,
    seed: int = 0,
    work: Work | None = None,
) -> Model:
    """Train a model on features, as :func:`gale.train` does on runs.

    Parameters
    ----------
    features : array of shape (R, D)
        Finite numbers.
    labels : array of shape (R, K)
        0 or 1; NaN where unknown. Rows without a known label are left out.
    names : sequence of str, length D
        Names of the features.
    families : sequence of str, length K
    recipe : Recipe
        Its section ``features`` does not count.
    groups : sequence of length R, optional
        The group of each row, see :attr:`gale.Campaign.group`.
    seed, work
        As in :func:`gale.train`.

    Raises
    ------
    TrainingError
        If the recipe needs runs, or there are too few rows.
    CampaignError
        If a family has no positive or no negative row.
    """
    work = work or Work()
    for part in recipe.members_of:
        if part.pretrain is not None or part.sees_events:
            raise TrainingError(
                f"recipe {recipe.name}",
                "needs runs: its networks see spectra over time",
                "a recipe of networks on features, such as quick, logistic or published",
                "pass recipe='quick', or runs instead of features",
            )
    if any(part.features is not None for part in recipe.parts):
        raise TrainingError(
            f"recipe {recipe.name}",
            "has parts with features of their own, and the features are given",
            "a recipe whose parts see the same features",
            "remove features from its parts",
        )
    rows = [f"row {number}" for number in range(len(features))]
    campaign = replace(
        Campaign.from_runs(list(map(Path, rows)), labels, families=families, groups=groups),
        root=CAMPAIGN,
    )
    known = campaign.labelled
    chosen = campaign.select(known)
    chosen.check_trainable()
    note_few(chosen, work.progress)
    spec = GivenSpec(tuple(names))
    runs = TrainingRuns(chosen, spec, features[known], [], ("",) * len(chosen))
    return fit_model(runs, recipe, seed, work)
