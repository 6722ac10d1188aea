"""The runs of a training: which ones, and their features."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from itertools import compress

import numpy as np
from numpy.typing import NDArray

from gale.campaign import Campaign
from gale.errors import CampaignError, TableError, TrainingError
from gale.features import FeatureTable, compute_features, runs_moments
from gale.features.acquisition import WithAcquisition
from gale.features.apexes import ApexSpec
from gale.features.dataset import FeatureDataset, StoredFile, stored_files
from gale.features.elution import ElutionSpec
from gale.features.events import EventSpec
from gale.features.joined import JoinedSpec, kinds_of
from gale.features.profile import ProfileSpec
from gale.features.spec import FeatureSpec
from gale.features.summary import PUBLISHED_MZ, SummarySpec, learn_mz
from gale.model import FEW_RUNS
from gale.plumbing.progress import Progress
from gale.plumbing.text import counted
from gale.plumbing.work import Work
from gale.training.copies import check_not_tested, contents_of, without_copies
from gale.training.cost import check_features
from gale.training.groups import note_shared_groups
from gale.training.networks.build import seen_by
from gale.training.recipe import Part, Recipe
from gale.training.settings import (
    ApexSettings,
    EventSettings,
    FeatureSettings,
    ProfileSettings,
    SummarySettings,
)


@dataclass(frozen=True)
class LabelledRuns:
    """Features and labels of runs, which members are fitted to and validated on.

    Parameters
    ----------
    spec : FeatureSpec
    features : array of shape (R, D)
        All features of `spec`, which are those that a part of a recipe sees.
    labels : array of shape (R, K)
        0 or 1; NaN where unknown.
    families : tuple of str, length K, optional
        Needed by parts that know families by name.
    """

    spec: FeatureSpec
    features: NDArray[np.float32]
    labels: NDArray[np.float32]
    families: tuple[str, ...] = ()


@dataclass(frozen=True)
class TrainingRuns:
    """The runs that a training can use.

    Parameters
    ----------
    campaign : Campaign
        The labelled runs that could be read. Those to learn from are of train and val.
    spec : FeatureSpec
    features : array of shape (R, D)
    unreadable : list of str
        Names of the labelled runs that cannot be read.
    checksums : tuple of str, length R
        SHA-256 of the content of each run, whatever it is packed in.
    copies : list of str
        Names of the labelled runs that are left out, since they have the content of others.
    acquisition : array of shape (R, 5), optional
        How each run was acquired, see `gale.features.acquisition`.
    """

    campaign: Campaign
    spec: FeatureSpec
    features: NDArray[np.float32]
    unreadable: list[str]
    checksums: tuple[str, ...]
    copies: list[str] = field(default_factory=list)
    acquisition: NDArray[np.float32] | None = None

    @property
    def labels(self) -> NDArray[np.float32]:
        """Labels, shape (R, K), NaN where unknown."""
        return self.campaign.labels

    def seen_by(self, part: Part, recipe: Recipe) -> LabelledRuns:
        """Their labels, and the features that a part of a recipe sees, alone."""
        spec, columns = seen_by(part, recipe, self.spec)
        families = self.campaign.families
        return LabelledRuns(spec, self.features[:, columns], self.labels, families)


def read_training_runs(
    campaign: Campaign,
    settings: Sequence[FeatureSettings],
    work: Work,
    dataset: FeatureDataset | None = None,
    *,
    acquired: bool = False,
) -> TrainingRuns:
    """Read the labelled runs of the train and val splits, and compute their features.

    Parameters
    ----------
    campaign : Campaign
    settings : sequence of FeatureSettings
        As `Recipe.all_features`.
    work : Work
    dataset : FeatureDataset, optional
        Has the features, so that no run is opened.
    acquired : bool
        Whether to say how each run was acquired, too.

    Raises
    ------
    CampaignError
        If a family has no positive or no negative run, runs of the same content have contradicting
        labels, or a test run has the content of one to train on.
    TrainingError
        If no run can be read, if one cannot and `work.strict` is true, if no m/z is left, or if no
        memory holds the features.
    TableError
        If `dataset` has other features, or those of other runs.
    """
    not_test = np.array(campaign.split) != "test"
    chosen = campaign.select(not_test & campaign.labelled)
    chosen.check_trainable()
    if unlabelled := int(not_test.sum()) - len(chosen):
        runs_are = counted(unlabelled, "run is", "runs are")
        work.progress.note(f"{runs_are} left out: no label is known")
    if dataset is None:
        spec = spec_for(chosen, settings, work)
    else:
        spec = stored_spec(dataset, chosen, settings)
    check_features(spec, len(chosen))
    runs = read_runs(chosen, spec, work, dataset, acquired=acquired)
    if dataset is None:
        known, contents = {}, contents_of(runs.campaign, runs.checksums)
    else:
        known = dataset.contents(files_of(campaign.of_split("test")))
        contents = dataset.contents_of(files_of(runs.campaign))
    runs = replace(runs, checksums=tuple(each.checksum for each in contents))
    kept, copies = without_copies(runs.campaign, contents, work.progress)
    if copies:
        runs = _select(runs, kept, copies)
    if runs.unreadable or runs.copies:
        runs.campaign.check_trainable()
    check_not_tested(campaign, runs.campaign, [contents[row] for row in kept], known)
    note_shared_groups(campaign, ("train", "val"), "test", work.progress)
    note_few(runs.campaign, work.progress)
    return runs


def note_few(campaign: Campaign, progress: Progress) -> None:
    """Note if there are so few labelled runs that a model of them says little."""
    if len(campaign) < FEW_RUNS:
        progress.note(
            f"there are only {counted(len(campaign), 'labelled run')}: a model of fewer than "
            f"{FEW_RUNS} may know these alone, and its scores are hardly known; from 20 on, "
            "gale.recalibrate corrects the model that comes with gale; from about 100 on, training "
            "is worth more"
        )


def _select(runs: TrainingRuns, rows: list[int], copies: list[str]) -> TrainingRuns:
    """Take these rows, without the others, which are copies."""
    return replace(
        runs,
        campaign=runs.campaign.select(rows),
        features=taken(runs.features, np.array(rows)),
        acquisition=None if runs.acquisition is None else runs.acquisition[rows],
        checksums=tuple(runs.checksums[row] for row in rows),
        copies=copies,
    )


def files_of(campaign: Campaign) -> list[StoredFile]:
    """List the runs of a campaign as datasets of features know them.

    Raises
    ------
    CampaignError
        If some are in memory.
    """
    if campaign.in_memory:
        raise CampaignError(
            campaign.root, "has runs in memory", "a campaign of files, to store features of"
        )
    return list(stored_files(campaign.root, campaign.runs, campaign.paths))


def read_runs(
    campaign: Campaign,
    spec: FeatureSpec,
    work: Work,
    dataset: FeatureDataset | None = None,
    *,
    acquired: bool = False,
) -> TrainingRuns:
    """Read all runs of a campaign, whatever their split, and compute their features.

    Those of a dataset are read from it. With `acquired`, it is also said how each was acquired.

    Raises
    ------
    TrainingError
        If no run can be read, or one cannot and `work.strict` is true.
    """
    if dataset is None:
        work.progress.begin("reading runs", len(campaign))
        computed = WithAcquisition(spec) if acquired else spec
        columns = replace(work, columns=campaign.columns)
        table = compute_features(campaign.sources, computed, columns)
    else:
        work.progress.begin("reading features", len(campaign))
        table = dataset.table(files_of(campaign), work.progress, acquired=acquired)
    unreadable = _unreadable(campaign, table, work)
    _note_odd_runs(campaign, table, work.progress)
    checksums = tuple(compress(table.contents, table.ok))
    values = taken(table.values, np.flatnonzero(table.ok))
    return TrainingRuns(
        campaign.select(table.ok),
        spec,
        values[:, : spec.n_features],
        unreadable,
        checksums,
        acquisition=values[:, spec.n_features :].copy() if acquired else None,
    )


def taken(features: NDArray[np.float32], rows: NDArray[np.int64]) -> NDArray[np.float32]:
    """Take increasing rows of features, within their memory, which they cannot be used in after.

    Examples
    --------
    >>> taken(np.arange(6, dtype=np.float32).reshape(3, 2), np.array([0, 2])).tolist()
    [[0.0, 1.0], [4.0, 5.0]]
    """
    for place, row in enumerate(rows.tolist()):
        if place != row:
            features[place] = features[row]
    return features[: len(rows)]


def stored_spec(
    dataset: FeatureDataset, campaign: Campaign, settings: Sequence[FeatureSettings]
) -> FeatureSpec:
    """Return the feature spec of a dataset, which has to be that of a recipe.

    Raises
    ------
    TableError
        If it is not, or its m/z were learned from other runs, or its tables read in another way.
    """
    facts, remedy = dataset.facts, "write it again with gale.write_features, with this recipe"
    if (dict(facts.columns or {})) != dict(campaign.columns or {}):
        found = f"was read with the columns {dict(facts.columns or {}) or 'of each table'}"
        raise TableError(dataset.folder, found, f"{dict(campaign.columns or {})}", remedy)
    if learned := learned_from(campaign, settings):
        if facts.learned != learned:
            raise TableError(
                dataset.folder,
                "has m/z that were learned from other runs, or with other settings"
                if facts.learned
                else "has m/z that were not learned from runs",
                f"m/z learned from the {len(campaign):,} labelled runs, as the recipe says",
                remedy,
            )
        return facts.spec
    spec = spec_for(campaign, settings, Work())
    if spec.fingerprint != facts.spec.fingerprint:
        raise TableError(
            dataset.folder,
            f"has {_described(facts.spec)}",
            f"{_described(spec)}, as the recipe says",
            remedy,
        )
    return spec


def _described(spec: FeatureSpec) -> str:
    """Say in a few words what features are."""
    return f"{spec.n_features:,} features of kind {kinds_of(spec)} ({spec.fingerprint[:8]})"


def learned_from(campaign: Campaign, settings: Sequence[FeatureSettings]) -> str:
    """Hash what the m/z of a recipe are learned from; empty if none are learned."""
    if not any(getattr(each, "mz", "") == "learned" for each in settings):
        return ""
    files = sorted(each.file for each in files_of(campaign))
    text = json.dumps([*(each.model_dump(mode="json") for each in settings), files])
    return hashlib.sha256(text.encode()).hexdigest()


def spec_for(campaign: Campaign, settings: Sequence[FeatureSettings], work: Work) -> FeatureSpec:
    """Make the feature spec of a recipe; where m/z are learned, from the runs of a campaign.

    Several settings, as `Recipe.all_features` has them, make joined features.
    """
    specs = [
        fixed_spec(each)
        if isinstance(each, ProfileSettings)
        else _summary_spec(campaign, each, work)
        for each in settings
    ]
    return specs[0] if len(specs) == 1 else JoinedSpec(tuple(specs))


def fixed_spec(settings: ProfileSettings) -> ProfileSpec | EventSpec:
    """Make the feature spec of settings that need no run to be complete."""
    image = ElutionSpec(settings.bins, settings.mz_first, settings.mz_last, settings.baseline)
    profile = ProfileSpec(image, settings.losses)
    match settings:
        case ApexSettings():
            return ApexSpec(profile, settings.events)
        case EventSettings():
            return EventSpec(profile, settings.events)
    return profile


def _summary_spec(campaign: Campaign, settings: SummarySettings, work: Work) -> SummarySpec:
    """Choose the m/z of a recipe within its range, from the runs if they are to be learned."""
    low, high = settings.mz_min, settings.mz_max
    if settings.mz == "learned":
        chosen = _learn_mz(campaign, settings, work)
    else:
        chosen = PUBLISHED_MZ if settings.mz == "published" else tuple(sorted(set(settings.mz)))
    chosen = tuple(mz for mz in chosen if (low or 0) <= mz <= (high or mz))
    if not chosen:
        raise TrainingError(
            "features.mz",
            f"has no m/z between {low or 1} and {high or 'the largest'}",
            "one at least",
            "change features.mz, features.mz_min or features.mz_max in the recipe",
        )
    return SummarySpec(chosen, low, high)


def _learn_mz(campaign: Campaign, settings: SummarySettings, work: Work) -> tuple[int, ...]:
    """Choose the m/z from the runs."""
    work.progress.begin("choosing m/z", len(campaign))
    read = replace(work, columns=campaign.columns)
    moments = list(runs_moments(campaign.sources, settings.mz_min, settings.mz_max, read))
    if not moments:
        raise TrainingError(
            campaign.root,
            f"none of its {len(campaign):,} labelled runs can be read",
            "at least one that can",
            f"gale.read_run({str(campaign.paths[0])!r}) says why",
        )
    return learn_mz(moments, settings.dropped)


def _unreadable(campaign: Campaign, table: FeatureTable, work: Work) -> list[str]:
    """Name the runs that cannot be read, and note why; too many of them are an error."""
    reasons = {
        run: message
        for run, message in zip(campaign.runs, table.errors, strict=True)
        if message is not None
    }
    for run, message in reasons.items():
        work.progress.note(f"run {run} is left out: {message}")
    if reasons and (work.strict or len(reasons) == len(campaign)):
        run, message = next(iter(reasons.items()))
        raise TrainingError(
            campaign.root,
            f"{len(reasons):,} of its {len(campaign):,} labelled runs cannot be read; the first is "
            f"{run} ({message})",
            "all of them readable" if work.strict else "at least one that can",
            f"gale.read_run({str(campaign.paths[campaign.runs.index(run)])!r}) says why",
        )
    return list(reasons)


def _note_odd_runs(campaign: Campaign, table: FeatureTable, progress: Progress) -> None:
    """Note how many runs have notes, with one example for all."""
    odd = [(run, notes) for run, notes in zip(campaign.runs, table.notes, strict=True) if notes]
    if odd:
        run, notes = odd[0]
        which = (
            f"run {run} is odd" if len(odd) == 1 else f"{len(odd):,} runs are odd, such as {run}"
        )
        progress.note(f"{which}: {'; '.join(notes)}")
