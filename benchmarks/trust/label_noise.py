"""How often the labels that a second look lists are the wrong ones.

CAMPAIGNs are simulated ones with right labels. A share of the labels of their train and val runs is
moved to other runs, as `gale simulate --label-noise` does, each recipe is trained on these labels,
and all labels are ranked by how much the predictions of members that did not train on a run
disagree. As many labels are looked at as are wrong (a moved label makes two mistakes): precision is
the share of them that are wrong. Beside it: the precision of ranking by the probability of the
label alone, and by chance. A mistake counts as visible if the family is ten times over the
detection limit in the run, or is not there at all; nobody could see the others.
"""

from __future__ import annotations

import tempfile
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import polars as pl
from numpy.typing import NDArray

import gale
from benchmarks import options, tables
from benchmarks.tables import percent
from gale.evaluation.second_look import disagreement
from gale.plumbing.cache import Cache
from gale.plumbing.work import Work
from gale.report.shares import strongest
from gale.run import Floats
from gale.simulation.design import mislabel

VISIBLE = 10.0
"""Times over the detection limit."""


def main(arguments: Sequence[str] | None = None) -> None:
    """Train on wrong labels, and print a table."""
    parser = options.parser(
        "benchmarks.trust.label_noise", __doc__, recipes=("default", "logistic"), seeds=[0]
    )
    parser.add_argument("folders", type=Path, nargs="+", metavar="CAMPAIGN")
    parser.add_argument("--noise", type=float, default=0.05, help="share of labels that are moved")
    asked = parser.parse_args(arguments)
    rows = [
        ["campaign", "recipe", "seed", "mistakes", "precision", "by label alone", "chance",
         "visible: recall", "moved away", "moved to"]
    ]  # fmt: skip
    for folder in asked.folders:
        campaign = gale.Campaign.open(folder).of_split("train", "val")
        truth = pl.read_parquet(folder / "truth.parquet")
        abundance = strongest(truth, campaign.runs, campaign.families)
        right = campaign.labels == 1
        for recipe in asked.recipes:
            for seed in asked.seeds:
                noisy = mislabel(right, asked.noise, seed)
                probability = held_out(campaign, noisy, recipe, seed)
                figures = figures_of(right, noisy, probability, abundance)
                rows.append([folder.name, Path(recipe).stem, f"{seed}", *figures])
                options.tell(" ".join(rows[-1]))
    title = f"{asked.noise:.0%} of the labels moved"
    tables.show(title, rows, markdown=asked.markdown)


def held_out(campaign: gale.Campaign, noisy: NDArray[np.bool_], recipe: str, seed: int) -> Floats:
    """Train on noisy labels; give probabilities (R, K) by members that did not train on a run."""
    campaign = replace(campaign, labels=noisy.astype(np.float32))
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "out_of_fold.csv"
        work = Work(cache=Cache.default())
        gale.train(campaign, recipe, seed=seed, out_of_fold=file, work=work)
        table = pl.read_csv(file)
    assert tuple(table["run"]) == campaign.runs
    return table.select(campaign.families).to_numpy().astype(np.float64)


def figures_of(
    right: NDArray[np.bool_], noisy: NDArray[np.bool_], probability: Floats, abundance: Floats
) -> list[str]:
    """Give the figures of a row of the table."""
    wrong = right != noisy
    n_wrong = int(wrong.sum())
    first = highest(disagreement(noisy, probability, noisy.mean(axis=0)), n_wrong)
    alone = highest(np.where(noisy, 1 - probability, probability), n_wrong)
    visible = wrong & ((abundance >= VISIBLE) | ~right)
    return [
        f"{n_wrong}",
        percent(wrong[first]),
        percent(wrong[alone]),
        percent(wrong.ravel(), "{:.1f} %"),
        percent(first[visible]),
        percent(first[wrong & right]),
        percent(first[wrong & ~right]),
    ]


def highest(values: Floats, count: int) -> NDArray[np.bool_]:
    """Mark the `count` highest values."""
    marked = np.zeros(values.size, dtype=np.bool_)
    marked[np.argsort(-values, axis=None, kind="stable")[:count]] = True
    return marked.reshape(values.shape)


if __name__ == "__main__":
    main()
