"""What a model says of its making: facts, scores, and the fingerprint of its training."""

from __future__ import annotations

import datetime
import hashlib
import json
from collections.abc import Mapping
from importlib.metadata import version
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from gale.campaign import Campaign
from gale.evaluation import metrics
from gale.model.file import FORMAT
from gale.training.fitting import Weights
from gale.training.folds import held_out_by
from gale.training.members import Array
from gale.training.recipe import Recipe
from gale.training.runs import TrainingRuns


def fingerprint_of(
    recipe: Recipe, seed: int, runs: TrainingRuns, starts: Mapping[str, Weights]
) -> str:
    """Hash all that a training depends on; `starts` are the pre-trained weights of each part."""
    choices = [recipe.to_dict(), seed, runs.campaign.fingerprint(), torch.__version__]
    digest = hashlib.sha256(json.dumps(choices).encode() + runs.features.tobytes())
    for weights in starts.values():
        for value in weights.values():
            digest.update(value.tobytes())
    return digest.hexdigest()


def facts_of(
    recipe: Recipe, seed: int, runs: TrainingRuns, learned_from: Campaign
) -> dict[str, Any]:
    """What a model says of its making, and all that prediction needs besides the graph."""
    labels = learned_from.labels
    return {
        "format": FORMAT,
        "gale_version": version("gale-ms"),
        "created": datetime.datetime.now(datetime.UTC).isoformat(timespec="seconds"),
        "recipe": recipe.to_dict(),
        "seed": seed,
        "families": list(learned_from.families),
        "prevalence": [round(float(share), 6) for share in learned_from.prevalence()],
        "features": runs.spec.to_dict(),
        "columns": dict(learned_from.columns) if learned_from.columns else None,
        "training": {
            "campaign": learned_from.root.resolve().name,
            "runs": len(learned_from),
            "unreadable": runs.unreadable,
            "positive": np.nansum(labels, axis=0).astype(int).tolist(),
            "known": np.isfinite(labels).sum(axis=0).tolist(),
        },
    }


def scores_of(
    labels: Array, held_out: NDArray[np.float64], prior: NDArray[np.float64], n_folds: int
) -> dict[str, Any]:
    """Log loss on the runs that validated, beside that of the training prevalence."""
    n_runs = np.isfinite(held_out).all(axis=1).sum()
    return {
        "measured_on": f"{n_runs:,} runs, {held_out_by(n_folds)}",
        "caution": "these runs helped to choose (when to stop, what to keep, learned m/z), so the "
        "figures are optimistic",
        "log_loss": log_loss_of_held_out(labels, held_out),
        "prior_log_loss": log_loss_of_held_out(labels, prior),
    }


def log_loss_of_held_out(labels: Array, probability: NDArray[np.float64]) -> float:
    """Log loss on the runs that validated; the others have no probability."""
    held_out = np.isfinite(probability).all(axis=1)
    return metrics.log_loss(labels[held_out], probability[held_out])
