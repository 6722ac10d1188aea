"""What a model says of its training: facts, scores, and a fingerprint."""

from __future__ import annotations

import datetime
import hashlib
import json
from collections.abc import Mapping, Sequence
from importlib.metadata import version
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from gale.campaign import Campaign
from gale.evaluation import metrics
from gale.model.facts import FORMAT
from gale.readers import DIGITS
from gale.run import Floats
from gale.training.fitting import Weights
from gale.training.folds import Fold, held_out_by
from gale.training.recipe import Recipe
from gale.training.runs import TrainingRuns


def fingerprint_of(
    recipe: Recipe,
    seed: int,
    runs: TrainingRuns,
    folds: Sequence[Fold],
    starts: Mapping[str, Weights],
) -> str:
    """Hash all that a training depends on; `starts` has the pre-trained weights of each part.

    The folds are hashed themselves, since they depend on more than labels and seed: on the splits
    of the campaign, and on which samples are derivatized.
    """
    rows = [[fold.training.tolist(), fold.validation.tolist()] for fold in folds]
    choices = [recipe.to_dict(), seed, runs.campaign.fingerprint(), rows, torch.__version__]
    digest = hashlib.sha256(json.dumps(choices).encode())
    for features in runs.features:  # one copy of all is enough
        digest.update(np.ascontiguousarray(features).data)
    for weights in starts.values():
        for value in weights.values():
            digest.update(value.tobytes())
    return digest.hexdigest()


def facts_of(
    recipe: Recipe, seed: int, runs: TrainingRuns, learned_from: Campaign, fingerprint: str
) -> dict[str, Any]:
    """Return how a model was made, and what prediction needs besides the graph.

    Parameters
    ----------
    recipe : Recipe
    seed : int
    runs : TrainingRuns
    learned_from : Campaign
        Those of the runs that train in any fold.
    fingerprint : str
        See :func:`fingerprint_of`.
    """
    labels = learned_from.labels
    sha256_of = dict(zip(runs.campaign.runs, runs.checksums, strict=True))
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
            "copies": runs.copies,
            "content": [known[:DIGITS] for run in learned_from.runs if (known := sha256_of[run])],
            "positive": np.nansum(labels, axis=0).astype(int).tolist(),
            "known": np.isfinite(labels).sum(axis=0).tolist(),
            "fingerprint": fingerprint,
            "labels": runs.campaign.labels_fingerprint(),
        },
    }


def caution_of(recipe: Recipe) -> str:
    """Say which choices of a recipe look at the held-out runs, so that scores on them flatter."""
    networks = [part for part in recipe.members_of if part.kind == "network"]
    choices = {
        "when to stop": bool(networks),
        "what to keep": any(
            part.soup.kind in ("fixed", "greedy") or len(part.soup.interpolate) > 1
            for part in networks
        ),
        "which m/z to learn": any(
            getattr(features, "mz", "") == "learned" for features in recipe.all_features
        ),
    }
    if made := [choice for choice, is_made in choices.items() if is_made]:
        return (
            f"these runs were also used for choices ({', '.join(made)}), so the figures are "
            "optimistic"
        )
    return (
        "no choice was made with these runs, but they are of the same campaign as those of the "
        "training"
    )


def scores_of(
    labels: NDArray[np.float32],
    held_out: Floats,
    prior: Floats,
    n_folds: int,
    caution: str,
    *,
    apart: bool = False,
    val: NDArray[np.int64] | None = None,
) -> dict[str, Any]:
    """Return the log loss on the held-out runs, and that of the training prevalence.

    If the val split is a fold of its own, they are those on its runs, which tell more of new
    runs; ``pooled_log_loss`` is that on all held-out runs.

    Parameters
    ----------
    labels, held_out, prior : array of shape (R, K)
        Labels, probabilities, and training prevalence; NaN for runs that are not held out.
    n_folds : int
    caution : str
        See :func:`caution_of`.
    apart : bool
        Whether no run is held out from members that saw others of its group.
    val : array of int, optional
        Rows of the val split, if it is a fold of its own.
    """
    n_runs = np.isfinite(held_out).all(axis=1).sum()
    pooled = log_loss_of_held_out(labels, held_out)
    by_members = held_out_by(n_folds, apart=apart)
    rows = slice(None) if val is None else val
    scores = {
        "measured_on": f"{n_runs:,} runs, {by_members}",
        "caution": caution,
        "log_loss": log_loss_of_held_out(labels[rows], held_out[rows]),
        "prior_log_loss": log_loss_of_held_out(labels[rows], prior[rows]),
    }
    if val is not None:
        scores["measured_on"] = (
            f"{len(val):,} runs of the val split, by members that trained on the train split alone "
            f"({pooled:.3f} on all {n_runs:,} runs, {by_members})"
        )
        scores["pooled_log_loss"] = pooled
    return scores


def log_loss_of_held_out(labels: NDArray[np.float32], probability: Floats) -> float:
    """Return the log loss on the held-out runs; the others have no probability."""
    held_out = np.isfinite(probability).all(axis=1)
    return metrics.log_loss(labels[held_out], probability[held_out])
