"""How far runs are from the training runs: of the same instruments, of another, of another maker.

Runs of train and val of each CAMPAIGN are scored by what was learned from four of five parts of
them; those of test and the files by what was learned from all. ROC AUC: how often a run is further
away than a training run.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from scipy.stats import mannwhitneyu

from benchmarks import options, tables
from benchmarks.tables import percent
from gale.campaign import Campaign
from gale.features import compute_features
from gale.features.profile import ProfileSpec
from gale.features.spec import FeatureSpec
from gale.features.summary import SummarySpec
from gale.model.unlike import fit_unlike, unlike
from gale.plumbing.cache import Cache
from gale.plumbing.work import Work
from gale.run import Floats

SPECS: dict[str, FeatureSpec] = {"profile": ProfileSpec(), "summary": SummarySpec()}
PARTS = 5


def main(arguments: Sequence[str] | None = None) -> None:
    """Print a table: for each campaign its training runs, its test runs, and the files."""
    parser = options.parser("benchmarks.trust.unlike", __doc__)
    parser.add_argument("folders", type=Path, nargs="+", metavar="CAMPAIGN")
    parser.add_argument("--features", choices=list(SPECS), default="profile")
    parser.add_argument(
        "--files", type=Path, nargs="*", default=[], metavar="RUN", help="runs to score as well"
    )
    asked = parser.parse_args(arguments)
    spec = SPECS[asked.features]
    work = Work(cache=Cache.default())
    files = compute_features(asked.files, spec, work=work)
    rows = [["runs", "number", "median", "above 1", "above 2", "ROC AUC"]]
    for folder in asked.folders:
        campaign = Campaign.open(folder)
        table = compute_features(
            campaign.paths, spec, work=Work(cache=work.cache, columns=campaign.columns)
        )
        if not table.ok.all():
            raise SystemExit(f"{folder}: some runs cannot be read; gale inspect says why")
        is_test = np.array(campaign.split) == "test"
        training, test = table.values[~is_test], table.values[is_test]
        same = held_out_scores(training, spec)
        blocks = fit_unlike(training, spec.blocks)
        rows.append(row(f"{folder.name}, train and val", same))
        rows.append(row(f"{folder.name}, test", unlike(test, blocks), same))
        if asked.files:
            rows.append(row(f"{folder.name}, files", unlike(files.values[files.ok], blocks), same))
    tables.show(f"Distance from the training runs, {asked.features} features", rows,
                markdown=asked.markdown)  # fmt: skip


def held_out_scores(features: np.ndarray, spec: FeatureSpec) -> Floats:
    """Score training runs (R, D), each by what was learned from the other parts; shape (R,)."""
    part = np.random.default_rng(0).permutation(len(features)) % PARTS
    scores = np.empty(len(features))
    for each in range(PARTS):
        blocks = fit_unlike(features[part != each], spec.blocks)
        scores[part == each] = unlike(features[part == each], blocks)
    return scores


def row(name: str, scores: np.ndarray, same: np.ndarray | None = None) -> list[str]:
    """Make a row of the table; `same` are the scores that the ROC AUC compares with."""
    auc = "" if same is None else f"{roc_auc(same, scores):.3f}"
    shares = [percent(scores > limit, "{:.1f} %") for limit in (1, 2)]
    return [name, f"{len(scores):,}", f"{np.median(scores):.2f}", *shares, auc]


def roc_auc(low: np.ndarray, high: np.ndarray) -> float:
    """Say how often one of `high` is above one of `low`; ties count half."""
    return float(mannwhitneyu(high, low).statistic / (len(high) * len(low)))


if __name__ == "__main__":
    main()
