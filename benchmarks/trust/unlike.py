"""How unlike the training runs others are: of the same instruments, of another, of another maker.

    gale simulate -o other --seed 13 --new-compounds test --new-instrument test
    python benchmarks/unlike.py other [MORE...] [--features profile|summary] [--files RUN...]

For each campaign, runs of train and val are scored by what was learned from four of five parts of
them, those of test and the files by what was learned from all.
"""

from __future__ import annotations

import argparse
from pathlib import Path

import numpy as np

from gale.campaign import Campaign
from gale.errors import CampaignError
from gale.features import compute_features
from gale.features.profile import ProfileSpec
from gale.features.spec import FeatureSpec
from gale.features.summary import SummarySpec
from gale.model.unlike import fit_unlike, unlike
from gale.plumbing.cache import Cache, default_folder
from gale.plumbing.work import Work

SPECS: dict[str, FeatureSpec] = {"profile": ProfileSpec(), "summary": SummarySpec()}
PARTS = 5


def held_out_scores(features: np.ndarray, spec: FeatureSpec) -> np.ndarray:
    """Score training runs (R, D), each by what was learned from the other parts; shape (R,)."""
    part = np.random.default_rng(0).permutation(len(features)) % PARTS
    scores = np.empty(len(features))
    for each in range(PARTS):
        blocks = fit_unlike(features[part != each], spec.blocks)
        scores[part == each] = unlike(features[part == each], blocks)
    return scores


def roc_auc(low: np.ndarray, high: np.ndarray) -> float:
    """Say how often one of `high` is above one of `low`; ties count half."""
    low = np.sort(low)
    below = np.searchsorted(low, high, "left") + np.searchsorted(low, high, "right")
    return float(below.mean() / 2 / len(low))


def show(what: str, scores: np.ndarray, same: np.ndarray | None = None) -> None:
    """Print a row of the table; `same` are the scores that the ROC AUC compares with."""
    auc = "" if same is None else f"{roc_auc(same, scores):.3f}"
    shares = "".join(f"{np.mean(scores > limit):>8.1%}" for limit in (1, 2))
    print(f"{what:<36}{len(scores):>6}{np.median(scores):>8.2f}{shares}{auc:>8}", flush=True)


def main() -> None:
    """Print a table: for each campaign its training runs, its test runs, and the files."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("campaigns", type=Path, nargs="+")
    parser.add_argument("--features", choices=list(SPECS), default="profile")
    parser.add_argument("--files", type=Path, nargs="*", default=[])
    options = parser.parse_args()
    spec = SPECS[options.features]
    cache = Cache(default_folder())
    files = compute_features(options.files, spec, work=Work(cache=cache))

    print(f"{'runs':<36}{'':>6}{'median':>8}{'above 1':>8}{'above 2':>8}{'AUC':>8}")
    for folder in options.campaigns:
        campaign = Campaign.open(folder)
        table = compute_features(
            campaign.paths, spec, work=Work(columns=campaign.columns, cache=cache)
        )
        if not table.ok.all():
            raise CampaignError(f"{folder}: some runs cannot be read; gale inspect says why")
        is_test = np.array(campaign.split) == "test"
        training, test = table.values[~is_test], table.values[is_test]
        same = held_out_scores(training, spec)
        blocks = fit_unlike(training, spec.blocks)
        show(f"{folder.name}, train and val", same)
        show(f"{folder.name}, test", unlike(test, blocks), same)
        if options.files:
            show(f"{folder.name}, files", unlike(files.values[files.ok], blocks), same)


if __name__ == "__main__":
    main()
