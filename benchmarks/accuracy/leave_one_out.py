"""Leave one run out: train on all others, predict the one left out, for each run in turn.

FOLDER holds runs and labels.csv. Each run is predicted by a model that never saw it, neither to
train nor to stop nor to choose. The prior of a run is the prevalence among the other runs, as its
model knows it.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from benchmarks import options, tables
from gale.campaign import Campaign
from gale.evaluation import metrics
from gale.plumbing.cache import Cache
from gale.plumbing.work import Work
from gale.run import Floats
from gale.training import train
from gale.training.recipe import Recipe


def main(arguments: Sequence[str] | None = None) -> None:
    """Print a table with one row for each recipe and seed."""
    parser = options.parser(
        "benchmarks.accuracy.leave_one_out", __doc__, recipes=("logistic",), seeds=[0, 1, 2]
    )
    parser.add_argument("folder", type=Path, metavar="FOLDER")
    asked = parser.parse_args(arguments)
    campaign = Campaign.open(asked.folder)
    labels = np.array(campaign.labels)
    rows = [["recipe", "seed", "log loss", "prior", "right", "seconds"]]
    for recipe in map(Recipe.load, asked.recipes):
        for seed in asked.seeds:
            start = time.monotonic()
            predicted, prior = leave_one_out(campaign, recipe, seed)
            right = int(np.all((predicted > 0.5) == (labels == 1), axis=1).sum())
            rows.append(
                [
                    recipe.name,
                    f"{seed}",
                    f"{metrics.log_loss(labels, predicted):.3f}",
                    f"{metrics.log_loss(labels, prior):.3f}",
                    f"{right}/{len(campaign)}",
                    f"{time.monotonic() - start:.1f}",
                ]
            )
            options.tell(" ".join(rows[-1]))
    title = f"{len(campaign)} runs, {', '.join(campaign.families)}: leave-one-out"
    tables.show(title, rows, markdown=asked.markdown)
    coin = metrics.log_loss(labels, np.full(labels.shape, 0.5))
    print(f"\nLog loss of one half for every run: {coin:.3f}")


def leave_one_out(campaign: Campaign, recipe: Recipe, seed: int) -> tuple[Floats, Floats]:
    """Give the prediction and the prior of every run, each of shape (R, K)."""
    work = Work(cache=Cache.default())
    predicted, prior = np.zeros(campaign.labels.shape), np.zeros(campaign.labels.shape)
    for run in range(len(campaign)):
        others = [other for other in range(len(campaign)) if other != run]
        model = train(campaign.select(others), recipe, seed=seed, work=work)
        table = model.predict(campaign.select([run]), work=work)
        predicted[run] = table.select(model.families).row(0)
        prior[run] = list(model.prevalence.values())
    return predicted, prior


if __name__ == "__main__":
    main()
