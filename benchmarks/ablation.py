"""What each ingredient of the recipe `default` is worth: every one of them on and off.

    python benchmarks/ablation.py [--out FOLDER] [--campaigns FOLDER…] [--seeds 0] [--rows NAME…]
                                  [--library massbank.msp.gz] [--markdown]

Campaigns are folders of gale simulate; by default four are made in FOLDER, of other seeds than
those of accuracy.py, which are for judging: here test runs are looked at again and again. Columns
are test log losses; the difference to the first row is the mean over campaigns of the ratio, in
percent, with its standard deviation over campaigns.

The rows of the first table are made of the same fits; for those of the second, one member a fold is
fitted anew, to be compared with one member a fold of the recipe. FOLDER keeps campaigns and fits:
the same command goes on where it was interrupted.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import cache, partial
from pathlib import Path
from typing import Any

import numpy as np
from scipy.optimize import minimize
from scipy.special import expit

from ablation_fits import Change, Fits, Runs, fitted
from accuracy import campaign_words, show_markdown
from accuracy_costs import simulated
from gale.calibration import cross_fitted, fit_calibration
from gale.fitting import Weights
from gale.metrics import expected_calibration_error, log_loss
from gale.run import Floats
from gale.soups import Member, average_weights, greedy_soup
from simulator import show

DEFAULT, MIXTURES = "default", "mixtures of two runs as augmentation"

SEEDS = {"embedded": "11", "embedded-new": "14", "massbank": "12", "massbank-new": "13"}
"""Of the campaigns that are made by default, by the names that accuracy.py gives their kinds."""

DERIVATIZED_DEVIATION = 0.5
"""Prior standard deviation of a family's offset for derivatized samples, log-odds."""


@dataclass(frozen=True)
class Row:
    """How members become probabilities; the defaults are those of the recipe.

    Parameters
    ----------
    name : str
    parts : tuple of str
    soup : str
        ``uniform``, ``greedy``, ``none`` (all members) or ``one`` (the first member of a fold).
    interpolate : tuple of float
        Shares of the way from the pre-trained weights of the elution part to choose from.
    shares : tuple of float, optional
        Of the parts; fitted without.
    way : float
        Of the calibration.
    derivatized : bool
        Whether each family has an offset for derivatized samples.
    """

    name: str
    parts: tuple[str, ...] = ("elution", "profile")
    soup: str = "uniform"
    interpolate: tuple[float, ...] = (0.5, 0.75, 1.0)
    shares: tuple[float, ...] | None = (0.8, 0.2)
    way: float = 0.5
    derivatized: bool = False


COMBINED = (
    Row(DEFAULT),
    Row("elution networks alone", parts=("elution",), shares=None),
    Row("networks on the profile alone", parts=("profile",), shares=None),
    Row("shares of the parts fitted", shares=None),
    Row("no calibration", way=0.0),
    Row("the whole calibration", way=1.0),
    Row("not drawn back to the pre-trained weights", interpolate=(1.0,)),
    Row("drawn back half of the way in any case", interpolate=(0.5,)),
    Row("all members in place of soups", soup="none"),
    Row("greedy soups", soup="greedy"),
    Row("one member a fold", soup="one"),
    Row("an offset for derivatized samples", derivatized=True),
)


def without_pretraining(choices: dict[str, Any]) -> None:
    """Begin at random weights, and train for longer."""
    for part, epochs in zip(choices["parts"], (30, 60), strict=True):
        part["fitting"] |= {"epochs": epochs, "patience": epochs}
        part["fitting"]["learning_rate"] = part.pop("pretrain")["learning_rate"]
        part["soup"].pop("interpolate")


def in_every_part(section: str, **values: Any) -> Change:
    """Set some keys of a section of every part."""

    def change(choices: dict[str, Any]) -> None:
        for part in choices["parts"]:
            part[section] |= values

    return change


def in_section(section: str, **values: Any) -> Change:
    """Set some keys of a section of the recipe."""
    return lambda choices: choices[section].update(values)


REFITTED: dict[str, Change] = {
    "no pre-training": without_pretraining,
    "24 instruments in pre-training, not 192": in_section("pretraining", instruments=1),
    "no augmentation": in_every_part("augment", abundance=0.0, mz_cut=0.0),
    "a constant learning rate": in_every_part("fitting", schedule="constant"),
    "folds keep the share of the rarest family": in_section("folds", stratify_by="rarest"),
    "the published terms of the loss": in_every_part("loss", hinge=0.1, label_correlation=0.1),
    MIXTURES: lambda _: None,
}
"""Changes of the recipe, most telling first."""


@dataclass(frozen=True)
class Score:
    """A row on a campaign."""

    log_loss: float
    calibration_error: float


def main() -> None:
    """Fit what is missing, row by row, and print the tables."""
    options = parse_options()
    runs = {folder.name: Runs.read(folder) for folder in folders(options)}

    @cache
    def fits_of(what: str, name: str, seed: int) -> Fits:
        file = options.out / "fits" / name / f"{what.replace(' ', '-')}-{seed}.pickle"
        if not file.exists():
            print(f"{file}: being fitted", file=sys.stderr, flush=True)
        change = None if what == DEFAULT else one_member(REFITTED[what])
        return fitted(file, runs[name], seed, change, mixtures=what == MIXTURES)

    reference = Row("default, one member a fold", soup="one")
    same = [(row, DEFAULT) for row in COMBINED]
    anew = [(reference, DEFAULT), *((replace(reference, name=what), what) for what in REFITTED)]
    for title, rows in (("Of the same fits", same), ("Fitted anew", anew)):
        scores = {
            row.name: {
                name: [score_row(row, fits_of(what, name, seed)) for seed in options.seeds]
                for name in runs
            }
            for row, what in rows
            if options.rows is None or what == DEFAULT or what in options.rows
        }
        (show_markdown if options.markdown else show)(title, table(scores))
    prevalences = {name: np.nanmean(each.labels, axis=0) for name, each in runs.items()}
    scores = {
        "prior": {
            name: [score(each.test_labels, np.tile(prevalences[name], (len(each.test_labels), 1)))]
            for name, each in runs.items()
        }
    }
    (show_markdown if options.markdown else show)("The training prevalence", table(scores))


def parse_options() -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    add_options(parser)
    parser.add_argument("--seeds", type=int, nargs="+", default=[0], help="seeds of training")
    parser.add_argument(
        "--rows",
        nargs="*",
        choices=list(REFITTED),
        metavar="NAME",
        help=f"of those that are fitted anew, only these: {', '.join(REFITTED)}",
    )
    return parser.parse_args()


def add_options(parser: argparse.ArgumentParser) -> None:
    """Add the options that say which campaigns there are."""
    parser.add_argument("--out", type=Path, default=Path("ablation"), help="folder for everything")
    parser.add_argument("--campaigns", type=Path, nargs="+", metavar="FOLDER")
    parser.add_argument("--library", type=Path, help="MSP file for the massbank campaigns")
    parser.add_argument("--markdown", action="store_true", help="print tables for documents")


def folders(options: argparse.Namespace) -> Iterator[Path]:
    """Give the folders of the campaigns, made if need be."""
    if options.campaigns:
        yield from options.campaigns
        return
    for name, words in campaign_words(list(SEEDS), options.library, 1584).items():
        seeded = ["--seed", SEEDS[name], *words[2:]]
        yield simulated(options.out / "campaigns" / name, seeded)


def one_member(change: Change | None = None) -> Change:
    """Make a change of a recipe that has one member a fold besides."""

    def both(choices: dict[str, Any]) -> None:
        for part in choices["parts"]:
            part["soup"]["size"] = 1
        if change is not None:
            change(choices)

    return both


def score_row(row: Row, fits: Fits) -> Score:
    """Combine the members of fits as a row says, and score the test runs."""
    parts = [part_logits(row, fits, part) for part in row.parts]
    held_out, test = (np.stack(each) for each in zip(*parts, strict=True))
    calibration = fit_calibration(held_out, fits.runs.labels, shares=row.shares, way=row.way)
    logits = calibration.logits(test)
    if row.derivatized:
        flags = fits.runs.derivatized
        offset = derivatized_offset(calibration.logits(held_out)[flags], fits.runs.labels[flags])
        logits[fits.runs.test_derivatized] += offset
    return score(fits.runs.test_labels, expit(logits))


def part_logits(row: Row, fits: Fits, part: str) -> tuple[Floats, Floats]:
    """Logits of the members of a part, mixed, and drawn back as far as held-out runs say."""
    drawn_back = part == "elution" and fits.trainers[part].start is not None
    shares = row.interpolate if drawn_back else (1.0,)
    tried = [mixed_logits(fits, part, row.soup, share) for share in shares]
    labels = fits.runs.labels
    return min(tried, key=lambda z: log_loss(labels, cross_fitted(z[0][None], labels, fits.folds)))


@cache
def mixed_logits(fits: Fits, part: str, soup: str, share: float) -> tuple[Floats, Floats]:
    """Logits of the members of a part, mixed, a share of the way from the pre-trained weights."""
    mixed = [mix(soup, fits, part, fold) for fold in range(len(fits.folds))]
    return fits.logits(part, fits.trainers[part].interpolated(mixed, share))


def mix(soup: str, fits: Fits, part: str, fold: int) -> list[Weights]:
    """Make the members of a fold into those that count."""
    members = fits.members[part][fold]
    if soup == "none":
        return members
    if soup == "one":
        return members[:1]
    if soup == "uniform":
        return [average_weights(members)]
    evaluate = partial(fits.trainers[part].evaluate, fold)
    return [
        greedy_soup(
            [Member(each, evaluate(each)) for each in members], average_weights, evaluate
        ).weights
    ]


def derivatized_offset(logits: Floats, labels: Floats) -> Floats:
    """Offset of each family, (K,), that fits logits (R, K) of derivatized samples best."""
    sign = np.where(np.isfinite(labels), 2 * labels - 1, 0)

    def loss(offset: Floats) -> float:
        terms = np.logaddexp(0, -sign * (logits + offset)) * (sign != 0)
        return float(terms.sum() + offset @ offset / 2 / DERIVATIZED_DEVIATION**2)

    return np.asarray(minimize(loss, np.zeros(labels.shape[1])).x)


def score(labels: Floats, probability: Floats) -> Score:
    """Score the probabilities of test runs."""
    return Score(log_loss(labels, probability), expected_calibration_error(labels, probability))


def table(scores: dict[str, dict[str, list[Score]]]) -> list[list[str]]:
    """Make a table of rows by name, campaigns by name, and seeds."""
    reference, *_ = scores.values()
    base = np.array([np.mean([each.log_loss for each in of]) for of in reference.values()])
    rows = [["log loss", *reference, "mean", "difference, %", "calibration error"]]
    for name, of_campaigns in scores.items():
        every = np.array([[each.log_loss for each in of] for of in of_campaigns.values()])
        ratio = 100 * (every.mean(axis=1) / base - 1)
        difference = f"{ratio.mean():+.1f}"
        if len(ratio) > 1:
            difference += f" ± {ratio.std(ddof=1):.1f}"
        mean = f"{every.mean():.4f}"
        if every.shape[1] > 1:
            mean += f" ± {every.mean(axis=0).std(ddof=1):.4f}"
        error = np.mean([each.calibration_error for of in of_campaigns.values() for each in of])
        losses = [f"{each:.4f}" for each in every.mean(axis=1)]
        rows.append([name, *losses, mean, "" if of_campaigns is reference else difference,
                     f"{error:.3f}"])  # fmt: skip
    return rows


if __name__ == "__main__":
    main()
