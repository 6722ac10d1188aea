"""Are the labels that the report of a training doubts the wrong ones? Of labels moved on purpose.

    python benchmarks/label_noise.py CAMPAIGN… [--noise 0.05] [--recipes default logistic]

CAMPAIGNs are simulated ones with right labels. A share of the labels of their train and val runs is
moved to other runs, as `gale simulate --label-noise` does, each recipe is trained on these labels,
and all labels are ranked by how much the predictions of members that did not train on a run
disagree. As many are looked at as are wrong (moved labels make two mistakes each): precision is the
share of these that are wrong. Beside it: that of ranking by the probability of the label alone, and
that of chance. Of all mistakes, those count as visible whose family is ten times over the detection
limit in the run, or is not there at all; the others nobody could see.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
from dataclasses import replace
from pathlib import Path

import numpy as np
import polars as pl
from numpy.typing import NDArray

import gale
from gale.evaluation.second_look import disagreement
from gale.plumbing.cache import Cache, default_folder
from gale.plumbing.work import Work
from gale.report.shares import strongest
from gale.run import Floats
from gale.simulation.design import mislabel
from simulator import show

VISIBLE = 10.0


def main() -> None:
    """Train on wrong labels, and print a table."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("campaigns", type=Path, nargs="+")
    parser.add_argument("--noise", type=float, default=0.05, help="share of labels that are moved")
    parser.add_argument("--recipes", nargs="+", default=["default", "logistic"])
    parser.add_argument("--seed", type=int, default=0, help="of the mistakes and the training")
    options = parser.parse_args()
    rows = [
        ["campaign", "recipe", "mistakes", "precision", "by label alone", "chance",
         "visible: recall", "moved away", "moved to"]
    ]  # fmt: skip
    for folder in options.campaigns:
        campaign = gale.Campaign.open(folder).of_split("train", "val")
        right = campaign.labels == 1
        told = mislabel(right, options.noise, options.seed)
        noisy = replace(campaign, labels=told.astype(np.float32))
        truth = pl.read_parquet(folder / "truth.parquet")
        abundance = strongest(truth, campaign.runs, campaign.families)
        for recipe in options.recipes:
            probability = out_of_fold(noisy, recipe, options.seed)
            rows.append([folder.name, recipe, *figures(right, told, probability, abundance)])
            print(rows[-1], file=sys.stderr, flush=True)
    show(f"{options.noise:.0%} of the labels moved", rows)


def out_of_fold(campaign: gale.Campaign, recipe: str, seed: int) -> Floats:
    """Train, and give the probabilities (R, K) by members that did not train on a run."""
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "out_of_fold.csv"
        gale.train(
            campaign, recipe, seed=seed, out_of_fold=file, work=Work(cache=Cache(default_folder()))
        )
        table = pl.read_csv(file)
    assert tuple(table["run"]) == campaign.runs
    return table.select(campaign.families).to_numpy().astype(np.float64)


def figures(
    right: NDArray[np.bool_], told: NDArray[np.bool_], probability: Floats, abundance: Floats
) -> list[str]:
    """What a row of the table says."""
    wrong = right != told
    n_wrong = int(wrong.sum())
    ranked = disagreement(told, probability, told.mean(axis=0))
    first = highest(ranked, n_wrong)
    alone = highest(np.where(told, 1 - probability, probability), n_wrong)
    visible = wrong & ((abundance >= VISIBLE) | ~right)
    return [
        f"{n_wrong}",
        f"{wrong[first].mean():.0%}",
        f"{wrong[alone].mean():.0%}",
        f"{wrong.mean():.1%}",
        f"{first[visible].mean():.0%}",
        f"{first[wrong & right].mean():.0%}",
        f"{first[wrong & ~right].mean():.0%}",
    ]


def highest(values: Floats, count: int) -> NDArray[np.bool_]:
    """Mark so many of the highest values."""
    marked = np.zeros(values.size, dtype=np.bool_)
    marked[np.argsort(-values, axis=None, kind="stable")[:count]] = True
    return marked.reshape(values.shape)


if __name__ == "__main__":
    main()
