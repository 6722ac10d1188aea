"""Leave one run out: train on all others, predict the one left out, for each run in turn.

    python benchmarks/leave_one_out.py FOLDER --recipe RECIPE.toml [--recipe logistic] [--seeds 3]

FOLDER holds runs and labels.csv. Each run is predicted by models that never saw it, neither to
train nor to stop nor to choose. The prior of a run is the prevalence among the other runs, as its
model knows it.
"""

from __future__ import annotations

import argparse
import time
from pathlib import Path

import numpy as np

from gale.campaign import Campaign
from gale.evaluation import metrics
from gale.plumbing.cache import Cache, default_folder
from gale.plumbing.work import Work
from gale.training import train
from gale.training.recipe import Recipe


def leave_one_out(
    campaign: Campaign, recipe: Recipe, seed: int, cache: Cache
) -> tuple[np.ndarray, np.ndarray]:
    """Give the prediction and the prior of every run, each of shape (R, K)."""
    predicted, prior = np.zeros(campaign.labels.shape), np.zeros(campaign.labels.shape)
    for run in range(len(campaign)):
        others = [other for other in range(len(campaign)) if other != run]
        model = train(campaign.select(others), recipe, seed=seed, work=Work(cache=cache))
        table = model.predict(campaign.select([run]), work=Work(cache=cache))
        predicted[run] = table.select(model.families).row(0)
        prior[run] = list(model.prevalence.values())
    return predicted, prior


def main() -> None:
    """Print a table: one row for each recipe and seed."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--recipe", action="append", required=True)
    parser.add_argument("--seeds", type=int, default=3)
    options = parser.parse_args()

    campaign = Campaign.open(options.folder)
    cache = Cache(default_folder())
    labels = np.array(campaign.labels)
    print(f"{len(campaign)} runs, {', '.join(campaign.families)}; leave-one-out")
    print(f"{'recipe':<12}{'seed':>6}{'log loss':>10}{'prior':>8}{'right':>8}{'seconds':>9}")
    for name in options.recipe:
        recipe = Recipe.load(name)
        for seed in range(options.seeds):
            start = time.monotonic()
            predicted, prior = leave_one_out(campaign, recipe, seed, cache)
            right = int(np.all((predicted > 0.5) == (labels == 1), axis=1).sum())
            print(
                f"{recipe.name:<12}{seed:>6}{metrics.log_loss(labels, predicted):>10.3f}"
                f"{metrics.log_loss(labels, prior):>8.3f}{right:>5}/{len(campaign)}"
                f"{time.monotonic() - start:>9.1f}",
                flush=True,
            )
    coin = metrics.log_loss(labels, np.full(labels.shape, 0.5))
    print(f"one half for every run: {coin:.3f}")


if __name__ == "__main__":
    main()
