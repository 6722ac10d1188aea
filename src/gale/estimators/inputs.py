"""What scikit-learn calls ``X``: runs, or a table of features."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from gale.campaign import Campaign
from gale.errors import GaleError
from gale.features import PathOrRun
from gale.plumbing.cache import Cache
from gale.run import Run

EXPECTED = "a list of paths and Runs, or a campaign"


def runs_of(x: Any) -> list[PathOrRun] | None:
    """Return the runs among R samples; None if the samples are something else.

    Parameters
    ----------
    x : Campaign, or sequence of length R of paths and Runs
        Also an array of objects or a column of a data frame, as splits of scikit-learn make them.
    """
    if isinstance(x, Campaign):
        return list(x.sources)
    has_one_axis = isinstance(x, Sequence) or len(getattr(x, "shape", ())) == 1
    if isinstance(x, str | bytes) or not has_one_axis or not len(x):
        return None
    items = list(x)
    if not all(isinstance(item, str | os.PathLike | Run) for item in items):
        return None
    return [item if isinstance(item, Run) else Path(item) for item in items]


def need_runs(x: Any) -> list[PathOrRun]:
    """Return the runs, of which there has to be one at least.

    Raises
    ------
    GaleError
        If `x` is something else.
    """
    runs = runs_of(x)
    if runs is None:
        found = f"is an array of shape {np.shape(x)}" if hasattr(x, "shape") else "has no runs"
        raise GaleError("X", found, EXPECTED)
    return runs


def cache_of(cache: Cache | bool | None) -> Cache | None:
    """Return the cache that an estimator uses: its own, the usual one for True, or none."""
    if isinstance(cache, Cache):
        return cache
    return Cache.default() if cache else None
