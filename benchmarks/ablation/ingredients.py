"""What each ingredient of the recipe `default` is worth: every one of them on and off.

    python benchmarks/ablation.py [--out FOLDER] [--campaigns FOLDER…] [--seeds 0 1] [--rows NAME…]
                                  [--library massbank.msp.gz] [--kept] [--markdown]

Campaigns are folders of gale simulate; by default four are made in FOLDER, of other seeds than
those of accuracy.py, which are for judging: here test runs are looked at again and again. Columns
are test log losses, means over training seeds; the mean over campaigns; the difference to the first
row of the table, paired by campaign and seed; and the calibration error. ± is the standard
deviation over seeds, but for the difference in percent: there it is that over campaigns.

The rows of the first table are made of the same fits; for those of the second, one member a fold is
fitted anew, to be compared with one member a fold of the recipe. Without pre-training, fits are
longer (30 and 60 epochs). Fits that matter most come first, and those of all campaigns before the
next row. FOLDER keeps campaigns and fits: the same command goes on where it was interrupted, and
--kept fits nothing but shows what is there, "-" where that is not enough.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path

import numpy as np

from ablation_fits import Runs, Wanted
from ablation_rows import (
    ANEW,
    COMBINED,
    DEFAULT,
    MIXTURES,
    REFITTED,
    Row,
    Score,
    logistic_score,
    one_member,
    prior_score,
    score_row,
)
from accuracy import campaign_words, show_markdown
from accuracy_costs import simulated
from simulator import show

SEEDS = {"embedded": "11", "embedded-new": "14", "massbank": "12", "massbank-new": "13"}
"""Of the campaigns that are made by default, by the names that accuracy.py gives their kinds."""

Scores = dict[str, dict[str, list[Score]]]
"""By the name of a row, then of a campaign; one a seed."""


def main() -> None:
    """Fit what is missing, and print the tables."""
    options = parse_options()
    runs = read_campaigns(options)
    tables = {
        "Of the same fits": chosen(COMBINED, options.rows),
        "Fitted anew": chosen(ANEW, options.rows),
    }
    if not options.kept:
        for what in dict.fromkeys(row.fits for rows in tables.values() for row in rows):
            for seed in options.seeds:
                for name, each in runs.items():
                    wanted(options.out, what, name, each, seed).fit()
    scores = {title: combined(rows, runs, options) for title, rows in tables.items()}
    scores["Of the same fits"] |= baselines(runs, options)
    for title, of_rows in scores.items():
        (show_markdown if options.markdown else show)(title, table(of_rows))


def parse_options() -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    add_options(parser)
    names = [row.name for row in (*COMBINED, *ANEW)]
    parser.add_argument("--seeds", type=int, nargs="+", default=[0], help="seeds of training")
    parser.add_argument(
        "--rows",
        nargs="*",
        choices=names,
        metavar="NAME",
        help=f"only these, and the first of each table: {', '.join(names)}",
    )
    return parser.parse_args()


def add_options(parser: argparse.ArgumentParser) -> None:
    """Add the options that say which campaigns there are, and what to do."""
    parser.add_argument("--out", type=Path, default=Path("ablation"), help="folder for everything")
    parser.add_argument("--campaigns", type=Path, nargs="+", metavar="FOLDER")
    parser.add_argument("--library", type=Path, help="MSP file for the massbank campaigns")
    parser.add_argument("--kept", action="store_true", help="fit nothing, show what is there")
    parser.add_argument("--markdown", action="store_true", help="print tables for documents")


def read_campaigns(options: argparse.Namespace) -> dict[str, Runs]:
    """Read the campaigns, made if need be, by the names of their folders."""
    paths = list(folders(options))
    if len({path.name for path in paths}) < len(paths):
        sys.exit("two campaigns have the same name, under which fits are kept; rename a folder")
    return {path.name: Runs.read(path) for path in paths}


def folders(options: argparse.Namespace) -> Iterator[Path]:
    """Give the folders of the campaigns, made if need be."""
    if options.campaigns:
        yield from options.campaigns
        return
    for name, words in campaign_words(list(SEEDS), options.library, 1584).items():
        seeded = ["--seed", SEEDS[name], *words[2:]]
        yield simulated(options.out / "campaigns" / name, seeded)


def chosen(rows: Sequence[Row], names: Sequence[str] | None) -> list[Row]:
    """Give the rows of these names, or all, and the first one in any case."""
    return [row for row in rows if names is None or row is rows[0] or row.name in names]


def wanted(out: Path, what: str, name: str, runs: Runs, seed: int) -> Wanted:
    """Say which fits belong to a row, a campaign and a seed."""
    file = out / "fits" / name / f"{what.replace(' ', '-')}-{seed}.pickle"
    change = None if what == DEFAULT else one_member(REFITTED[what])
    return Wanted(file, runs, seed, change, mixtures=what == MIXTURES)


def combined(rows: Iterable[Row], runs: Mapping[str, Runs], options: argparse.Namespace) -> Scores:
    """Score rows on all campaigns; fits are in memory one at a time."""
    scores: Scores = {row.name: {name: [] for name in runs} for row in rows}
    of_fits: dict[str, list[Row]] = {}
    for row in rows:
        of_fits.setdefault(row.fits, []).append(row)
    for what, several in of_fits.items():
        for name, each in runs.items():
            for seed in options.seeds:
                fits = wanted(options.out, what, name, each, seed).kept()
                for row in several:
                    scored = Score() if fits is None else score_row(row, fits)
                    scores[row.name][name].append(scored)
    return scores


def baselines(runs: Mapping[str, Runs], options: argparse.Namespace) -> Scores:
    """Score what to compare with."""
    return {
        "prior": {name: [prior_score(each)] for name, each in runs.items()},
        "logistic": {
            name: [
                logistic_score(
                    options.out / "fits" / name / f"logistic-{seed}.json",
                    each,
                    seed,
                    fit=not options.kept,
                )
                for seed in options.seeds
            ]
            for name, each in runs.items()
        },
    }


def table(scores: Scores) -> list[list[str]]:
    """Make a table of rows by name, campaigns by name, and seeds."""
    first, *others = scores
    rows = [header("log loss", scores[first]), [first, *cells(scores[first])]]
    rows += [[name, *cells(scores[name], scores[first])] for name in others]
    return rows


def header(corner: str, of_campaigns: Mapping[str, list[Score]]) -> list[str]:
    """Name the columns of :func:`cells`."""
    return [corner, *of_campaigns, "mean", "difference", "difference, %", "calibration error"]


def cells(
    of_campaigns: Mapping[str, list[Score]], reference: Mapping[str, list[Score]] | None = None
) -> Iterator[str]:
    """Write a row; a campaign that lacks a seed is "-", and so is then what is made of all."""
    losses = log_losses(of_campaigns)
    errors = [each.calibration_error for of in of_campaigns.values() for each in of]
    for loss in losses.mean(axis=1):
        yield number(loss, "{:.4f}")
    yield number(losses.mean(), "{:.4f}", losses.mean(axis=0))
    if reference is None:
        yield from ("", "")
    else:
        base = log_losses(reference)
        apart = (losses - base).mean(axis=0)
        ratio = 100 * (losses.mean(axis=1) / base.mean(axis=1) - 1)
        yield number(apart.mean(), "{:+.4f}", apart)
        yield number(ratio.mean(), "{:+.1f}", ratio)
    yield number(float(np.mean(errors)), "{:.3f}")


def log_losses(of_campaigns: Mapping[str, list[Score]]) -> np.ndarray:
    """Log losses, an array of campaigns by seeds."""
    return np.array([[each.log_loss for each in of] for of in of_campaigns.values()])


def number(value: float, form: str, several: Sequence[float] | np.ndarray = ()) -> str:
    """Write a number, with the standard deviation of those that it is the mean of."""
    if np.isnan(value):
        return "-"
    spread = form.replace("+", "").format(np.std(several, ddof=1)) if len(several) > 1 else ""
    return form.format(value) + (f" ± {spread}" if spread else "")


if __name__ == "__main__":
    main()
