"""What pre-training gives, by how many labelled runs there are, down to none.

    python benchmarks/labelled_runs.py [--out FOLDER] [--campaigns FOLDER…] [--runs 50 200 800]
                                       [--draws 2] [--library massbank.msp.gz] [--kept] [--markdown]

Campaigns, FOLDER and --kept are those of ablation.py. Of the labelled runs of each campaign some
are drawn, so that every family is in one of them and missing from another. The recipe `default`
with one member a fold is fitted to them, as it is, which takes about as many steps as with all
runs; in no more epochs than with all runs; and without pre-training, in about as many steps as with
all runs. Scored are the test runs. Without labelled runs the pre-trained networks are taken as they
are, with the recipe's shares, the prevalence of the simulator as prior, and no calibration: what a
library and no run gives. Differences are to `default` with as many runs; ± is the standard
deviation over draws (and training seeds), but for the difference in percent: there it is that over
campaigns.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterator, Mapping
from functools import partial

import numpy as np
from scipy.special import expit

from ablation import Scores, add_options, cells, header, read_campaigns
from ablation_fits import Change, Fits, Runs, Wanted
from ablation_rows import (
    DEFAULT,
    Row,
    Score,
    in_every_part,
    logistic_score,
    one_member,
    prior_score,
    score,
    score_row,
    without_pretraining,
)
from accuracy import show_markdown
from simulator import show

NOT_PRETRAINED, AS_MANY_EPOCHS = "not pre-trained", "no more epochs"
ROW = Row(DEFAULT, soup="one")

DRAWS_TRIED = 10_000
"""Random choices of runs that may lack a family before it is said that there are too few."""


def main() -> None:
    """Fit what is missing, and print the table."""
    options = parse_options()
    runs = read_campaigns(options)
    of_runs = {n_runs: scores_of(n_runs, runs, options) for n_runs in options.runs}
    alone = {name: of_draws(each, name, options) for name, each in runs.items()}
    rows = [header("labelled runs", alone), ["0, the libraries alone", *cells(alone)]]
    for n_runs, scores in of_runs.items():
        for what, each in scores.items():
            reference = None if what == DEFAULT else scores[DEFAULT]
            rows.append([f"{n_runs}, {what}", *cells(each, reference)])
    (show_markdown if options.markdown else show)("Log loss by the number of labelled runs", rows)


def parse_options() -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    add_options(parser)
    parser.add_argument("--runs", type=int, nargs="+", default=[50, 200, 800])
    parser.add_argument("--draws", type=int, default=2, help="random choices of the labelled runs")
    return parser.parse_args()


def scores_of(n_runs: int, runs: Mapping[str, Runs], options: argparse.Namespace) -> Scores:
    """Score all that learns from so many runs, or compares with it."""
    scores: Scores = {}
    for name, every in runs.items():
        for draw, few in enumerate(drawn(every, n_runs, options.draws)):
            for what in (DEFAULT, AS_MANY_EPOCHS, NOT_PRETRAINED):
                fits = fits_of(what, name, every, few, draw, options)
                scored = Score() if fits is None else score_row(ROW, fits)
                scores.setdefault(what, {}).setdefault(name, []).append(scored)
            file = options.out / "few" / name / f"{n_runs}-{draw}-logistic.json"
            logistic = logistic_score(file, few, draw, fit=not options.kept)
            scores.setdefault("logistic", {}).setdefault(name, []).append(logistic)
            scores.setdefault("prior", {}).setdefault(name, []).append(prior_score(few))
    return scores


def fits_of(
    what: str, name: str, every: Runs, few: Runs, draw: int, options: argparse.Namespace
) -> Fits | None:
    """Give the fits of some of the runs, made if need be and not forbidden."""
    change: Change | None = None
    if what == NOT_PRETRAINED:
        longer = max(1, round(len(every.known) / len(few.known)))
        change = partial(without_pretraining, longer=longer)
    elif what == AS_MANY_EPOCHS:
        change = in_every_part("fitting", least_steps=0)
    file = options.out / "few" / name / f"{len(few.known)}-{draw}-{what.replace(' ', '-')}.pickle"
    wanted = Wanted(file, few, draw, one_member(change))
    if not options.kept:
        wanted.fit()
    return wanted.kept()


def of_draws(every: Runs, name: str, options: argparse.Namespace) -> list[Score]:
    """Score the pre-trained networks alone; those of a draw are the same for any number of runs."""
    n_runs = options.runs[0]
    fits = [
        fits_of(DEFAULT, name, every, few, draw, options)
        for draw, few in enumerate(drawn(every, n_runs, options.draws))
    ]
    return [Score() if each is None else library_alone(each) for each in fits]


def library_alone(fits: Fits) -> Score:
    """Score the networks that the members began with."""
    shares = {part.name: part.share or 1.0 for part in fits.recipe.members_of}
    logits = sum(share * fits.logits(part, "one", 0.0)[1] for part, share in shares.items())
    return score(fits.runs.test.labels, expit(logits / sum(shares.values())))


def drawn(runs: Runs, n_runs: int, draws: int) -> Iterator[Runs]:
    """Draw some of the training runs, so that no family is in all of them or in none."""
    if n_runs > len(runs.known):
        sys.exit(f"--runs {n_runs}: a campaign has {len(runs.known)} labelled runs; ask for fewer")
    for draw in range(draws):
        rng = np.random.default_rng((n_runs, draw))
        for _ in range(DRAWS_TRIED):
            rows = np.sort(rng.permutation(len(runs.known))[:n_runs])
            labels = runs.labels[rows]
            if np.all((labels == 1).any(axis=0) & (labels == 0).any(axis=0)):
                break
        else:
            sys.exit(f"--runs {n_runs}: too few for every family to be in one; ask for more")
        yield runs.take(rows)


if __name__ == "__main__":
    main()
