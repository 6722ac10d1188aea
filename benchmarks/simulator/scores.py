"""What published methods score on a campaign: the organisers' benchmark, and gale's recipes.

Symbols: R runs, K families, T time bins, M nominal m/z.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_array, vstack
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import StratifiedKFold, cross_val_predict
from sklearn.multiclass import OneVsRestClassifier

from gale.campaign import Campaign
from gale.evaluation import evaluate, metrics
from gale.evaluation.text import interval_text
from gale.plumbing.cache import Cache
from gale.plumbing.work import Work
from gale.readers import read_run
from gale.run import Floats, Run
from gale.training import train
from gale.training.recipe import Recipe

N_BINS = 50
MAX_MZ = 350
HELIUM = 4
SEED = 42

ONE_MEMBER = """
name = "one member of published"   # every other choice is that of the published recipe

[soup]
kind = "none"
size = 1

[folds]
count = 1
"""

Labels = NDArray[np.float32]
Row = tuple[str, str, str]


def time_bins(run: Run, longest_min: float) -> csr_array:
    """Give the organisers' features of a run, shape (1, (M + 1) * T), float32.

    Nominal m/z from 0 to 350 without helium; the least intensity of each m/z subtracted; divided
    by the largest of the run; the largest of each of 50 bins from 0 to `longest_min`.
    """
    mz = np.rint(run.mz).astype(np.int64)
    kept = (mz <= MAX_MZ) & (mz != HELIUM)
    scan = np.repeat(np.arange(run.n_scans), run.ions_per_scan)[kept]
    mz, intensity = mz[kept], run.intensity[kept]
    least = np.full(MAX_MZ + 1, np.inf)
    np.minimum.at(least, mz, intensity)
    above = intensity - least[mz]
    time_bin = np.minimum(run.time_min[scan] / longest_min * N_BINS, N_BINS - 1).astype(np.int64)
    largest = np.zeros((MAX_MZ + 1) * N_BINS, dtype=np.float32)
    np.maximum.at(largest, mz * N_BINS + time_bin, above)
    return csr_array(largest[None] / max(float(largest.max()), 1e-12))


def campaign_bins(campaign: Campaign) -> csr_array:
    """Give the organisers' features of all runs, shape (R, (M + 1) * T), sparse: most are 0."""

    def runs() -> Iterator[Run]:
        return (read_run(path, columns=campaign.columns) for path in campaign.paths)

    longest = max(float(run.time_min[-1]) for run in runs())
    return vstack([time_bins(run, longest) for run in runs()], format="csr")


def benchmark_model() -> LogisticRegression:
    """Give the organisers' classifier of one family, as scikit-learn 1.8 and newer spell it."""
    return LogisticRegression(l1_ratio=1, solver="liblinear", C=10, random_state=SEED)


def in_folds(features: csr_array, labels: Labels) -> Floats:
    """Predict runs with the organisers' benchmark in five folds, shape (R, K)."""
    folds = StratifiedKFold(5, shuffle=True, random_state=SEED)
    predicted = [
        cross_val_predict(
            benchmark_model(), features, y, cv=folds, method="predict_proba", n_jobs=-1
        )
        for y in labels.T
    ]
    return np.column_stack([each[:, 1] for each in predicted])


def benchmark_rows(campaign: Campaign) -> Iterator[Row]:
    """Score the organisers' benchmark in five folds of train, and on test."""
    features, labels = campaign_bins(campaign), np.array(campaign.labels)
    split = np.array(campaign.split)
    train_rows, test = split == "train", split == "test"
    held_out = in_folds(features[train_rows], labels[train_rows])
    yield (
        "L1 logistic regression, 5 folds of train",
        "0.177",
        f"{metrics.log_loss(labels[train_rows], held_out):.4f}",
    )
    model = OneVsRestClassifier(benchmark_model()).fit(features[~test], labels[~test])
    predicted = model.predict_proba(features[test])
    loss = metrics.score(labels[test], predicted, campaign.families).mean["log_loss"]
    yield "L1 logistic regression, test", "", interval_text(loss, ".4f")


def gale_rows(campaign: Campaign) -> Iterator[Row]:
    """Score gale's recipes on test, and the prior beside them."""
    cache = Cache.default()
    test = campaign.of_split("test")
    recipes = {
        "logistic": ("", Recipe.load("logistic")),
        "quick": ("", Recipe.load("quick")),
        "one member of published": ("0.15 to 0.21", Recipe.parse(ONE_MEMBER, "one member")),
    }
    for name, (published, recipe) in recipes.items():
        model = train(campaign, recipe, work=Work(cache=cache))
        table = model.predict(test, work=Work(cache=cache))
        evaluation = evaluate(table, test, prevalence=model.prevalence)
        if name == "logistic":
            yield "prior, test", "", interval_text(evaluation.prior.mean["log_loss"], ".4f")
        yield f"{name}, test", published, interval_text(evaluation.scores.mean["log_loss"], ".4f")
