"""The facts of an ablation: how it was made, as plain values."""

from __future__ import annotations

import datetime
import platform
from importlib.metadata import version
from typing import Any

import torch

from gale.ablation.steps import REPORTED_ITERATIONS, REPORTED_TRAININGS
from gale.training.folds import Fold
from gale.training.recipe import Recipe
from gale.training.runs import TrainingRuns

PACKAGES = ("gale-ms", "numpy", "polars", "torch")


def facts_of(
    recipe: Recipe, runs: TrainingRuns, fold: Fold, test: TrainingRuns | None, device: torch.device
) -> dict[str, Any]:
    """Return how an ablation was made, but for its numbers of trainings and iterations."""
    unreadable = runs.unreadable + ([] if test is None else test.unreadable)
    return {
        "created": datetime.datetime.now(datetime.UTC).isoformat(timespec="seconds"),
        "recipe": recipe.to_dict(),
        "campaign": {
            "name": runs.campaign.root.resolve().name,
            "fingerprint": runs.campaign.fingerprint(),
            "families": list(runs.campaign.families),
            "runs": {
                "train": len(fold.training),
                "val": len(fold.validation),
                "test": 0 if test is None else len(test.campaign),
            },
            "test_fingerprint": None if test is None else test.campaign.fingerprint(),
            "unreadable": unreadable,
        },
        "device": device.type,
        "versions": {
            "python": platform.python_version(),
            **{package: version(package) for package in PACKAGES},
        },
        "author": {
            "what": "published validation log losses, of the author's own runs",
            "trainings": REPORTED_TRAININGS,
            "iterations": REPORTED_ITERATIONS,
        },
    }
