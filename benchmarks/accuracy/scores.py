"""How good the results of recipes are, as tables of text.

Symbols: R runs, K families, B resamples, T training seeds.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

from benchmarks.accuracy.costs import Costs, Result
from benchmarks.tables import Table
from gale.campaign import Campaign
from gale.evaluation import evaluate, read_predictions
from gale.evaluation.bootstrap import estimate, resampled_weights
from gale.evaluation.metrics import family_scores
from gale.evaluation.text import interval_text, number_text
from gale.run import Floats

RESAMPLES = 1000
SD_COLUMN = 2
"""Of the table of scores; left out where there is one seed."""

GOALS = (
    ("log loss / published", "<= 0.5"),
    ("log loss / logistic", "<= 0.65"),
    ("calibration error", "<= 0.02"),
    ("training, min", "<= 15"),
    ("prediction, runs/s", ">= 25"),
    ("model, MB", "<= 60"),
)
"""Goals of the recipe `default`."""


@dataclass(frozen=True, eq=False)
class Figures:
    """A recipe on a campaign, or on the mean of campaigns.

    Parameters
    ----------
    log_loss : array of shape (T,)
        Test log loss of each training seed.
    draws : array of shape (B,)
        Their mean over seeds in each bootstrap resample of the test runs.
    per_family : array of shape (K,)
        Log loss of each family, mean over seeds.
    calibration_error, roc_auc : float
        Means over seeds.
    costs : Costs or None
        Means over seeds; none for the prior.
    """

    log_loss: Floats
    draws: Floats
    per_family: Floats
    calibration_error: float
    roc_auc: float
    costs: Costs | None

    @classmethod
    def mean(cls, several: Sequence[Figures]) -> Figures:
        """Average campaigns; their resamples are independent of each other, so these are too."""
        costs = [each.costs for each in several if each.costs is not None]
        return cls(
            log_loss=np.mean([each.log_loss for each in several], axis=0),
            draws=np.mean([each.draws for each in several], axis=0),
            per_family=np.mean([each.per_family for each in several], axis=0),
            calibration_error=float(np.mean([each.calibration_error for each in several])),
            roc_auc=float(np.mean([each.roc_auc for each in several])),
            costs=Costs.mean(costs) if costs else None,
        )


def figures_of(test: Campaign, results: Sequence[Result], resample_seed: int) -> Figures:
    """Score the predictions of each training seed on the test runs.

    All recipes of a campaign have the same resamples, so that their ratios are paired.
    """
    share = dict(zip(test.families, test.prevalence().tolist(), strict=True))
    # what this benchmark wrote itself is of these runs: nothing else is compared
    tables = [replace(read_predictions(each.predictions), content=None) for each in results]
    evaluations = [evaluate(each, test, prevalence=share, resamples=1) for each in tables]
    scores = [each.scores for each in evaluations]
    weights = list(resampled_weights(scores[0].n_runs, RESAMPLES, resample_seed))
    draws = [
        np.concatenate([family_scores(e.labels, e.probability, w)["log_loss"] for w in weights])
        for e in evaluations
    ]  # of each seed, (B, K); a family without a known label is NaN
    costs = [each.costs for each in results if each.costs is not None]
    return Figures(
        log_loss=np.array([float(each.mean["log_loss"].value) for each in scores]),
        draws=np.nanmean(draws, axis=(0, 2)),
        per_family=np.mean([each.per_family["log_loss"].value for each in scores], axis=0),
        calibration_error=float(np.mean([each.calibration_error for each in scores])),
        roc_auc=float(np.mean([each.mean["roc_auc"].value for each in scores])),
        costs=Costs.mean(costs) if costs else None,
    )


def score_table(figures: Mapping[str, Figures]) -> Table:
    """Make the rows of a campaign, one per recipe."""
    header = (
        "", "log loss", "sd of seeds", "calibration error", "ROC AUC",
        "train, s", "train, MB", "runs/s", "predict, MB", "model, MB",
    )  # fmt: skip
    rows = [list(header), *([name, *_score_cells(each)] for name, each in figures.items())]
    if all(len(each.log_loss) == 1 for each in figures.values()):
        return [[cell for at, cell in enumerate(row) if at != SD_COLUMN] for row in rows]
    return rows


def _score_cells(figures: Figures) -> list[str]:
    n_seeds, costs = len(figures.log_loss), figures.costs
    return [
        interval_text(estimate(figures.log_loss.mean(), figures.draws)),
        number_text(float(figures.log_loss.std(ddof=1)) if n_seeds > 1 else np.nan),
        number_text(figures.calibration_error),
        number_text(figures.roc_auc),
        *(["-"] * 5 if costs is None else _cost_cells(costs)),
    ]


def _cost_cells(costs: Costs) -> list[str]:
    return [
        f"{costs.train_seconds:.0f}",
        f"{costs.train_peak_mb:.0f}",
        f"{costs.predict_runs_per_s:.1f}",
        f"{costs.predict_peak_mb:.0f}",
        f"{costs.model_mb:.1f}",
    ]


def family_table(figures: Mapping[str, Figures], families: Sequence[str]) -> Table:
    """Make the rows of log losses, one per family."""
    rows = [["log loss", *figures]]
    for k, family in enumerate(families):
        losses = [number_text(float(each.per_family[k])) for each in figures.values()]
        rows.append([family, *losses])
    return rows


def goal_table(campaigns: Mapping[str, Mapping[str, Figures]]) -> Table:
    """Set what `default` measures beside its goals; nothing is decided here."""
    measured = [_measured(figures) for figures in campaigns.values()]
    rows = zip(GOALS, zip(*measured, strict=True), strict=True)
    return [
        ["default", "goal", *campaigns],
        *([name, goal, *cells] for (name, goal), cells in rows),
    ]


def _measured(figures: Mapping[str, Figures]) -> list[str]:
    """Give a cell for each of :data:`GOALS`."""
    default = figures.get("default")
    if default is None or default.costs is None:
        return ["-"] * len(GOALS)
    return [
        _ratio(default, figures.get("published")),
        _ratio(default, figures.get("logistic")),
        number_text(default.calibration_error),
        f"{default.costs.train_seconds / 60:.1f}",
        f"{default.costs.predict_runs_per_s:.1f}",
        f"{default.costs.model_mb:.1f}",
    ]


def _ratio(ours: Figures, theirs: Figures | None) -> str:
    """Divide log losses, with the paired interval."""
    if theirs is None:
        return "-"
    value = np.asarray(ours.log_loss.mean() / theirs.log_loss.mean())
    return interval_text(estimate(value, ours.draws / theirs.draws))
