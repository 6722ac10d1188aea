"""What pre-training contributes, by the number of labelled runs, down to none.

Some of the labelled runs of each campaign are drawn, so that every family is in one of them and
missing from another. The recipe `default` with one member per fold is fitted to them, as it is,
which takes about as many steps as with all runs; in no more epochs than with all runs; and without
pre-training, in about as many steps as with all runs. The test runs are scored. Without labelled
runs the pre-trained networks are taken as they are, with the recipe's shares, the prevalence of the
simulator as prior, and no calibration: what a library gives without any run. Differences are to
`default` with as many runs; ± is the standard deviation over draws (and training seeds); for the
difference in percent it is that over campaigns.

Campaigns, --out and --kept are those of benchmarks.ablation.ingredients.
"""

from __future__ import annotations

import argparse
from collections.abc import Iterator, Sequence
from functools import partial

from scipy.special import expit

from benchmarks import tables
from benchmarks.ablation.fits import Fits, Runs
from benchmarks.ablation.rows import (
    DEFAULT,
    Row,
    in_every_part,
    one_member,
    score_row,
    without_pretraining,
)
from benchmarks.ablation.scores import Score, Scores, cells, header, prior_score, score
from benchmarks.ablation.study import Change, Study, study_parser
from benchmarks.campaigns import draw_labelled

NOT_PRETRAINED, AS_MANY_EPOCHS = "not pre-trained", "no more epochs"
ROW = Row(DEFAULT, soup="one")


def main(arguments: Sequence[str] | None = None) -> None:
    """Fit what is missing, and print the table."""
    parser = study_parser("benchmarks.ablation.labelled_runs", __doc__)
    parser.add_argument(
        "--runs", type=int, nargs="+", default=[50, 200, 800], help="numbers of labelled runs"
    )
    parser.add_argument("--draws", type=int, default=2, help="random choices of the labelled runs")
    asked = parser.parse_args(arguments)
    study = Study.begin(asked)
    of_runs = {n_runs: scores_of(n_runs, asked.draws, study) for n_runs in asked.runs}
    alone = {name: without_runs(name, asked, study) for name in study.campaigns}
    rows = [header("labelled runs", alone), ["0, the libraries alone", *cells(alone)]]
    for n_runs, scores in of_runs.items():
        for what, each in scores.items():
            reference = None if what == DEFAULT else scores[DEFAULT]
            rows.append([f"{n_runs}, {what}", *cells(each, reference)])
    tables.show("Log loss by the number of labelled runs", rows, markdown=asked.markdown)


def scores_of(n_runs: int, draws: int, study: Study) -> Scores:
    """Score everything that learns from a number of runs, or is compared with it."""
    scores: Scores = {}
    for name, runs in study.campaigns.items():
        for draw, few in enumerate(drawn(runs, n_runs, draws)):
            of_draw = {
                what: score_row(ROW, fits_of(what, name, few, draw, study))
                for what in (DEFAULT, AS_MANY_EPOCHS, NOT_PRETRAINED)
            }
            of_draw["logistic"] = study.logistic(f"few/{name}/{n_runs}-{draw}-logistic", few, draw)
            of_draw["prior"] = prior_score(few)
            for what, each in of_draw.items():
                scores.setdefault(what, {}).setdefault(name, []).append(each)
    return scores


def fits_of(what: str, name: str, few: Runs, draw: int, study: Study) -> Fits | None:
    """Give the fits of some of the runs, if they are there or may be fitted."""
    change: Change | None = None
    if what == NOT_PRETRAINED:
        longer = max(1, round(len(study.campaigns[name].known) / len(few.known)))
        change = partial(without_pretraining, longer=longer)
    elif what == AS_MANY_EPOCHS:
        change = in_every_part("fitting", least_steps=0)
    folder = f"few/{name}/{len(few.known)}-{draw}-{what.replace(' ', '-')}"
    return study.fits(folder, few, draw, one_member(change))


def without_runs(name: str, asked: argparse.Namespace, study: Study) -> list[Score]:
    """Score the pre-trained networks alone; those of a draw are the same for any number of runs."""
    draws = drawn(study.campaigns[name], asked.runs[0], asked.draws)
    fits = [fits_of(DEFAULT, name, few, draw, study) for draw, few in enumerate(draws)]
    return [Score() if each is None else library_alone(each) for each in fits]


def library_alone(fits: Fits) -> Score:
    """Score the networks that the members start from."""
    shares = {part.name: part.share or 1.0 for part in fits.recipe.members_of}
    logits = sum(share * fits.logits(part, "one", 0.0)[1] for part, share in shares.items())
    return score(fits.runs.test.labels, expit(logits / sum(shares.values())))


def drawn(runs: Runs, n_runs: int, draws: int) -> Iterator[Runs]:
    """Draw some of the training runs, so that no family is in all of them or in none."""
    for draw in range(draws):
        yield runs.take(draw_labelled(runs.labels, n_runs, draw))


if __name__ == "__main__":
    main()
