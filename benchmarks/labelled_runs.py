"""What pre-training gives, by how many labelled runs there are, down to none.

    python benchmarks/labelled_runs.py [--out FOLDER] [--campaigns FOLDER…] [--runs 50 200 800]
                                       [--draws 2] [--library massbank.msp.gz] [--markdown]

Campaigns and FOLDER are those of ablation.py. Of the labelled runs of each campaign some are drawn,
so that every family is in one of them and missing from another. The recipe `default` with one
member a fold is fitted to them, as it is and without pre-training; scored are the test runs, the
mean of the draws. Without labelled runs the pre-trained networks are taken as they are: what a
library and no run gives.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterator

import numpy as np
import torch
from scipy.special import expit

from ablation import (
    DEFAULT,
    Row,
    Score,
    add_options,
    folders,
    one_member,
    score,
    score_row,
    table,
    without_pretraining,
)
from ablation_fits import CPU, Runs, fitted, trainer
from accuracy import show_markdown
from gale.features.cache import Cache, default_folder
from gale.fitting import predict_logits
from gale.folds import Fold
from gale.parts import columns_of
from gale.pretraining import pretrain
from gale.recipe import Recipe
from simulator import show

WITH, WITHOUT = "pre-trained", "not pre-trained"


def main() -> None:
    """Fit what is missing, and print a table for each number of runs."""
    options = parse_options()
    runs = {folder.name: Runs.read(folder) for folder in folders(options)}
    printer = show_markdown if options.markdown else show
    alone = {"the libraries alone": {name: [library_alone(each)] for name, each in runs.items()}}
    printer("No labelled runs", table(alone))
    for n_runs in options.runs:
        scores: dict[str, dict[str, list[Score]]] = {}
        for name, every in runs.items():
            for draw, few in enumerate(drawn(every, n_runs, options.draws)):
                prevalence = np.tile(np.nanmean(few.labels, axis=0), (len(few.test_labels), 1))
                found = {"prior": score(few.test_labels, prevalence)}
                for what in (WITH, WITHOUT):
                    file = options.out / "few" / name / f"{n_runs}-{draw}-{what.split()[0]}.pickle"
                    if not file.exists():
                        print(f"{file}: being fitted", file=sys.stderr, flush=True)
                    fits = fitted(
                        file, few, draw, one_member(None if what == WITH else without_pretraining)
                    )
                    row = Row(DEFAULT, soup="one")
                    found[what] = score_row(row, fits)
                for what, each in found.items():
                    scores.setdefault(what, {}).setdefault(name, []).append(each)
        printer(f"{n_runs} labelled runs", table(scores))


def parse_options() -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    add_options(parser)
    parser.add_argument("--runs", type=int, nargs="+", default=[50, 200, 800])
    parser.add_argument("--draws", type=int, default=2, help="random choices of the labelled runs")
    return parser.parse_args()


def drawn(runs: Runs, n_runs: int, draws: int) -> Iterator[Runs]:
    """Draw some of the training runs, so that no family is in all of them or in none."""
    for draw in range(draws):
        rng = np.random.default_rng((n_runs, draw))
        while True:
            rows = np.sort(rng.permutation(len(runs.labels))[:n_runs])
            mean = np.nanmean(runs.labels[rows], axis=0)
            if np.all((mean > 0) & (mean < 1)):
                break
        yield runs.take(rows)


def library_alone(runs: Runs) -> Score:
    """Score the pre-trained networks as they are."""
    recipe = Recipe.load("default")
    cache = Cache(default_folder())
    starts = pretrain(recipe, runs.spec, runs.families, seed=0, device=CPU, workers=2, cache=cache)
    logits = np.zeros(runs.test_labels.shape)
    nobody = [Fold(np.arange(len(runs.labels)), np.arange(1))]
    with torch.no_grad():
        for part in recipe.members_of:
            network = trainer(part, runs, nobody, 0, starts).network([0], [starts[part.name]])
            seen = runs.test_features[:, columns_of(part, runs.spec)]
            logits += (part.share or 1) * predict_logits(network, seen)[0]
    return score(runs.test_labels, expit(logits))


if __name__ == "__main__":
    main()
