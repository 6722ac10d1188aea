"""The rows of the ablation: what differs from the recipe, and how members become probabilities.

Symbols: R runs, K families.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from scipy.optimize import minimize
from scipy.special import expit

from benchmarks.ablation.fits import Fits
from benchmarks.ablation.scores import Score, score
from benchmarks.ablation.study import Change
from gale.evaluation.metrics import log_loss
from gale.run import Floats
from gale.training.calibration import cross_fitted, fit_calibration

DEFAULT, MIXTURES = "default", "mixtures of two runs as augmentation"

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
        Strength of the calibration.
    derivatized : bool
        Whether each family has an offset for derivatized samples.
    fits : str
        What members are of: the recipe, or one of :data:`REFITTED`.
    """

    name: str
    parts: tuple[str, ...] = ("elution", "profile")
    soup: str = "uniform"
    interpolate: tuple[float, ...] = (0.5, 0.75, 1.0)
    shares: tuple[float, ...] | None = (0.8, 0.2)
    way: float = 0.5
    derivatized: bool = False
    fits: str = DEFAULT


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
"""Rows made of the same fits."""


def without_pretraining(choices: dict[str, Any], longer: int = 1) -> None:
    """Begin at random weights, and train for longer."""
    for part, epochs in zip(choices["parts"], (30 * longer, 60 * longer), strict=True):
        part["fitting"] |= {"epochs": epochs, "patience": epochs, "least_steps": 0}
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
    "36 instruments in pre-training, not 192": in_section(
        "pretraining", runs_per_laboratory=320, instruments=3
    ),
    "no augmentation": in_every_part("augment", abundance=0.0, mz_cut=0.0),
    "a constant learning rate": in_every_part("fitting", schedule="constant"),
    "folds keep the share of the rarest family": in_section("folds", stratify_by="rarest"),
    "the published terms of the loss": in_every_part("loss", hinge=0.1, label_correlation=0.1),
    MIXTURES: lambda _: None,
}
"""Changes of the recipe, those of largest effect first."""

ANEW = (
    Row("default, one member a fold", soup="one"),
    *(Row(what, soup="one", fits=what) for what in REFITTED),
)
"""One member per fold is fitted for each change, and compared with one of the recipe."""


def one_member(change: Change | None = None) -> Change:
    """Make a change that also leaves one member per fold."""

    def both(choices: dict[str, Any]) -> None:
        for part in choices["parts"]:
            part["soup"]["size"] = 1
        if change is not None:
            change(choices)

    return both


def score_row(row: Row, fits: Fits | None) -> Score:
    """Combine the members of fits as a row says, and score the test runs; NaN without fits."""
    if fits is None:
        return Score()
    known, test = fits.runs.known, fits.runs.test
    parts = [part_logits(row, fits, part) for part in row.parts]
    held_out, of_test = (np.stack(each) for each in zip(*parts, strict=True))
    calibration = fit_calibration(held_out, known.labels, shares=row.shares, strength=row.way)
    logits = calibration.logits(of_test)
    if row.derivatized:
        flags = np.isfinite(known.derivatized)
        offset = derivatized_offset(calibration.logits(held_out)[flags], known.labels[flags])
        logits[np.isfinite(test.derivatized)] += offset
    return score(test.labels, expit(logits))


def part_logits(row: Row, fits: Fits, part: str) -> tuple[Floats, Floats]:
    """Logits of the members of a part, mixed, and drawn back as far as held-out runs say."""
    shares = row.interpolate if part == "elution" and part in fits.starts else (1.0,)
    tried = [fits.logits(part, row.soup, share) for share in shares]
    if len(tried) == 1:
        return tried[0]
    labels = fits.runs.labels
    return min(tried, key=lambda z: log_loss(labels, cross_fitted(z[0][None], labels, fits.folds)))


def derivatized_offset(logits: Floats, labels: np.ndarray) -> Floats:
    """Offset of each family, (K,), that fits logits (R, K) of derivatized samples best."""
    sign = np.where(np.isfinite(labels), 2 * labels - 1, 0)

    def loss(offset: Floats) -> float:
        terms = np.logaddexp(0, -sign * (logits + offset)) * (sign != 0)
        return float(terms.sum() + offset @ offset / 2 / DERIVATIZED_DEVIATION**2)

    return np.asarray(minimize(loss, np.zeros(labels.shape[1])).x)
