"""What groups do to figures: how much random folds flatter, and whether groups can be told.

Random folds put runs of one group on both sides, so a model is scored on samples or batches that it
knows. How much this flatters is measured with a logistic regression per family, whose fits take
seconds: once in folds that part no group, once in random ones. Where the runs of a group
have different labels, as in a batch, the same regressions are made to tell the groups themselves:
if that is easier than telling families, instrument or batch shows more than the compounds (Leek et
al. 2010, "Tackling the widespread and critical impact of batch effects in high-throughput data",
Nature Reviews Genetics 11, 733).

Symbols: R runs, D features, K families, G groups.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.special import expit

from gale.campaign import Campaign
from gale.campaign.labels import prevalence_of
from gale.evaluation.bootstrap import estimate, resampled_weights
from gale.evaluation.metrics import CLIP, log_loss
from gale.features.joined import specs_of
from gale.features.spec import FeatureSpec
from gale.model.groups import RARELY
from gale.run import Floats
from gale.training.folds import Fold, folds_of_kinds, stratified_folds
from gale.training.groups import numbered
from gale.training.logistic import fit_logistic
from gale.training.networks.summary import prior_logit
from gale.training.settings import LogisticSettings

VARIANCE = 2.0
"""Prior variance of a log odds, which D standardised features share: about that of the recipe
`logistic` with its published features, and as fair to a few labels as to many m/z."""

FOLDS = 5
"""Most folds of a comparison; there are fewer if there are fewer groups."""

LEAST_RUNS = FOLDS
"""Runs that a group needs to be told from the others, so that every fold has one."""

MOST_GROUPS = 12
"""Groups that are told from each other, the largest ones; each costs as much as a family."""

RESAMPLES = 1000
"""Resamples of the groups for an interval."""


def group_facts(
    campaign: Campaign,
    features: NDArray[np.float32],
    spec: FeatureSpec,
    folds: Sequence[Fold],
    seed: int,
) -> dict[str, Any] | None:
    """Measure what groups do to the figures of a training.

    Parameters
    ----------
    campaign : Campaign
        The R runs of the training.
    features : array of shape (R, D)
    spec : FeatureSpec
        Of joined features, the first count. Spectra of event features are left out; the profile
        tells as much, and is small.
    folds : sequence of Fold
        Those of the training.
    seed : int

    Returns
    -------
    dict or None
        None if no two runs are of one group. Otherwise ``count``, the number of groups, where a run
        without one counts; ``largest``, the most runs of a group; ``apart``, whether no run is held
        out from members that saw others of its group; ``mixed``, the share of the groups of several
        runs in which labels differ; ``single``, the families whose positive runs are all of one
        group; and if there are several groups, what :func:`_in_and_out` gives as ``baseline``, and
        unless groups are like repeats of a sample (``mixed`` below `RARELY`), what :func:`_told`
        gives as ``told``.
    """
    group = numbered(campaign.group)
    if group is None:
        return None
    labels, size = campaign.labels, np.bincount(group)
    first = specs_of(spec)[0]
    ends = [block.stop for block in first.blocks.values()]
    summary = features[:, : max(ends, default=first.n_features)]
    mixed = [_differ(labels[group == each]) for each in np.flatnonzero(size > 1)]
    facts: dict[str, Any] = {
        "count": len(size),
        "largest": int(size.max()),
        "apart": not any(
            np.isin(group[fold.training], group[fold.validation]).any() for fold in folds
        ),
        "mixed": float(np.mean(mixed)),
        "single": [
            family
            for family, column in zip(campaign.families, labels.T, strict=True)
            if len(np.unique(group[column == 1])) == 1
        ],
    }
    if len(size) > 1:
        facts["baseline"] = _in_and_out(campaign, summary, group, seed)
    large = np.argsort(-size, kind="stable")[:MOST_GROUPS]
    large = large[size[large] >= LEAST_RUNS]
    if facts["mixed"] >= RARELY and len(large) > 1:
        facts["told"] = _told(labels, summary, group, large, seed)
    return facts


def _differ(labels: NDArray[np.float32]) -> bool:
    """Whether two runs have contradicting labels (R, K)."""
    return bool(((labels == 1).any(axis=0) & (labels == 0).any(axis=0)).any())


def _in_and_out(
    campaign: Campaign, features: NDArray[np.float32], group: NDArray[np.int64], seed: int
) -> dict[str, Any]:
    """Score the baseline in folds that part no group and in random ones.

    Returns
    -------
    dict
        Log losses ``by_group``, ``random``, and of the training prevalence by group, ``prior``;
        and ``factor``, the first divided by the second, with its 95 % interval over groups.
    """
    labels, n_groups = campaign.labels, int(group.max()) + 1

    def held_out(of_group: NDArray[np.int64] | None) -> tuple[Floats, Floats]:
        folds = stratified_folds(
            labels,
            campaign.families,
            count=min(FOLDS, n_groups),
            by="all",
            seed=seed,
            group=of_group,
        )
        return _held_out(features, labels, folds)

    (by_group, prior), (random, _) = held_out(group), held_out(None)
    known = _sums(np.isfinite(labels).astype(np.float64), group)
    inside, outside = (_sums(_losses(labels, each), group) for each in (random, by_group))
    weights = np.concatenate(list(resampled_weights(n_groups, RESAMPLES, seed)))
    with np.errstate(invalid="ignore"):  # no label of a family may be known in a resample
        draws = [
            np.nanmean(weights @ each / (weights @ known), axis=1) for each in (outside, inside)
        ]
    loss, loss_in_random = log_loss(labels, by_group), log_loss(labels, random)
    factor = estimate(np.array(loss / loss_in_random), draws[0] / draws[1])
    return {
        "by_group": loss,
        "random": loss_in_random,
        "prior": log_loss(labels, prior),
        "factor": factor.to_dict(),
    }


def _told(
    labels: NDArray[np.float32],
    features: NDArray[np.float32],
    group: NDArray[np.int64],
    large: NDArray[np.int64],
    seed: int,
) -> dict[str, Any]:
    """Tell some groups from each other, in random folds of their runs.

    Returns
    -------
    dict
        ``groups``, how many; ``right``, the share of the runs that are given to their group, and
        ``largest``, that if all were given to the largest; ``explained``, the share of the prior's
        log loss that the regressions save; and ``by_labels``, the same if they see only the labels:
        how far the groups differ in what they contain.
    """
    rows = np.flatnonzero(np.isin(group, large))
    is_of = (group[rows, None] == large).astype(np.float32)
    which = is_of.argmax(axis=1)
    folds = folds_of_kinds(which, FOLDS, seed)
    known = labels[rows]
    filled = np.where(np.isfinite(known), known, np.nan_to_num(prevalence_of(known)))
    told, prior = _held_out(features[rows], is_of, folds)
    by_labels, _ = _held_out(filled.astype(np.float32), is_of, folds)
    return {
        "groups": len(large),
        "right": float(np.mean(told.argmax(axis=1) == which)),
        "largest": float(is_of.mean(axis=0).max()),
        "explained": 1 - log_loss(is_of, told) / log_loss(is_of, prior),
        "by_labels": 1 - log_loss(is_of, by_labels) / log_loss(is_of, prior),
    }


def _held_out(
    features: NDArray[np.float32], labels: NDArray[np.float32], folds: Sequence[Fold]
) -> tuple[Floats, Floats]:
    """Predict held-out runs by regressions and by the prevalence, both of shape (R, K)."""
    c, most = VARIANCE / features.shape[1], LogisticSettings().max_iterations
    logits, prior = (np.empty(labels.shape) for _ in range(2))
    for fold in folds:
        known = labels[fold.training]
        fit = fit_logistic(features, labels, rows=fold.training, c=c, max_iterations=most)
        logits[fold.validation] = features[fold.validation] @ fit["weight"] + fit["bias"]
        prior[fold.validation] = prior_logit(known).numpy()
    return np.asarray(expit(logits)), np.asarray(expit(prior))


def _losses(labels: NDArray[np.float32], probability: Floats) -> Floats:
    """Log loss of each label (R, K), 0 where it is unknown."""
    right = np.where(labels == 1, probability, 1 - probability)
    return np.where(np.isfinite(labels), -np.log(np.clip(right, CLIP, 1)), 0)


def _sums(values: Floats, group: NDArray[np.int64]) -> Floats:
    """Sum values of runs (R, K) over groups, to shape (G, K)."""
    sums = np.zeros((int(group.max()) + 1, values.shape[1]))
    np.add.at(sums, group, values)
    return sums
