"""How much harder val is than folds of train: the organisers' benchmark, family by family.

Each CAMPAIGN is a folder in the competition's layout with val labels, as gale simulate makes it;
figures are means over the campaigns. "prior" is the training prevalence for every run. The second
table needs campaigns of the design mars: it tells runs of known samples from those of new ones, and
runs of train's instruments from others.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
import polars as pl

from benchmarks import options, tables
from benchmarks.simulator.scores import benchmark_model, campaign_bins, in_folds
from gale.campaign import Campaign
from gale.run import Floats
from gale.simulation.compounds import Booleans
from gale.simulation.published import PREVALENCE

PUBLISHED = {
    "prior": (0.320, 0.632, 0.409, 0.364, 0.107, 0.163, 0.142, 0.120, 0.413),
    "folds": (0.238, 0.241, 0.267, 0.224, 0.081, 0.104, 0.113, 0.086, 0.242),
}
"""Log loss of each family in folds of train, in the order of the published prevalences."""

PUBLISHED_FOLDS, PUBLISHED_VAL = 0.177, 0.228
"""Mean over the families."""

PARTS = (
    "known sample, instrument of train",
    "new sample, instrument of train",
    "instrument that has drifted",
    "instrument that train lacks",
)


def main(arguments: Sequence[str] | None = None) -> None:
    """Print the tables."""
    parser = options.parser("benchmarks.simulator.splits", __doc__)
    parser.add_argument("campaigns", type=Path, nargs="+", metavar="CAMPAIGN")
    asked = parser.parse_args(arguments)
    campaigns = [Campaign.open(path) for path in asked.campaigns]
    scored = [scores(campaign) for campaign in campaigns]
    means = [{name: each.mean(axis=0) for name, each in one.items()} for one in scored]
    found = {name: np.mean([one[name] for one in means], axis=0) for name in means[0]}
    rows = by_family(campaigns[0].families, found)
    tables.show("Log loss", rows, markdown=asked.markdown)
    parts = [part for campaign in campaigns if (part := parts_of_val(campaign)) is not None]
    if len(parts) == len(campaigns):
        on_val = np.concatenate([one["val"].mean(axis=1) for one in scored])
        rows = by_part(np.concatenate(parts), on_val)
        tables.show("Parts of val", rows, markdown=asked.markdown)


def scores(campaign: Campaign) -> dict[str, Floats]:
    """Give the log loss of each run and family, (R, K): prior and benchmark, in folds, on val."""
    features, labels = campaign_bins(campaign), np.array(campaign.labels)
    split = np.array(campaign.split)
    train, val = split == "train", split == "val"
    prior = labels[train].mean(axis=0)[None]
    models = [benchmark_model().fit(features[train], y) for y in labels[train].T]
    on_val = np.column_stack([model.predict_proba(features[val])[:, 1] for model in models])
    return {
        "prior": losses(labels[train], prior),
        "folds": losses(labels[train], in_folds(features[train], labels[train])),
        "prior, val": losses(labels[val], prior),
        "val": losses(labels[val], on_val),
    }


def losses(labels: Floats, predicted: Floats) -> Floats:
    """Give the log loss of each run and family, (R, K)."""
    likelihood = np.where(labels == 1, predicted, 1 - predicted)
    return np.asarray(-np.log(np.clip(likelihood, 1e-15, 1)))


def parts_of_val(campaign: Campaign) -> Booleans | None:
    """Say which val runs are of each of the `PARTS`, (R, 4); None for other designs than mars."""
    runs = pl.read_csv(campaign.root / "runs.csv")
    if "sample" not in runs.columns:
        return None
    split = pl.Series(campaign.split)
    train, val = runs.filter(split == "train"), runs.filter(split == "val")
    known = val["sample"].is_in(train["sample"].to_list()).to_numpy()
    drifted = val["drifted_from"].is_not_null().to_numpy()
    same = val["instrument"].is_in(train["instrument"].to_list()).to_numpy()
    return np.column_stack([known & same, ~known & same, drifted, ~same & ~drifted])


def by_family(families: Sequence[str], found: Mapping[str, Floats]) -> list[list[str]]:
    """Put what is published beside the log loss, (K,), of each column that was found."""
    published = dict(zip(PREVALENCE, zip(*PUBLISHED.values(), strict=True), strict=True))
    header = ["", *(f"{name}, published" for name in (*PUBLISHED, "val")), *found]
    rows = [header]
    for place, family in enumerate(families):
        known = [*published.get(family, (np.nan, np.nan)), np.nan]
        rows.append([family, *_numbers([*known, *(each[place] for each in found.values())])])
    known = [np.mean(PUBLISHED["prior"]), PUBLISHED_FOLDS, PUBLISHED_VAL]
    rows.append(["mean", *_numbers([*known, *(each.mean() for each in found.values())])])
    ratio = found["val"].mean() / found["folds"].mean()
    nothing = [np.nan] * 2
    ratios = [*nothing, PUBLISHED_VAL / PUBLISHED_FOLDS, *nothing, np.nan, ratio]
    rows.append(["val over folds", *_numbers(ratios, "{:.2f}")])
    return rows


def by_part(parts: Booleans, on_val: Floats) -> list[list[str]]:
    """Give the share and the mean log loss of the val runs, (R,), of each part, (R, 4)."""
    return [
        ["part of val", "share of its runs", "log loss"],
        *(
            [name, tables.percent(part), *_numbers([on_val[part].mean() if part.any() else np.nan])]
            for name, part in zip(PARTS, parts.T, strict=True)
        ),
    ]


def _numbers(values: Sequence[float], form: str = "{:.3f}") -> list[str]:
    return [tables.number(float(value), form) for value in values]


if __name__ == "__main__":
    main()
