"""The runs of a training: which ones, and their features."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from gale.campaign import Campaign
from gale.errors import TrainingError
from gale.features import FeatureTable, compute_features, runs_moments
from gale.features.elution import ElutionSpec
from gale.features.events import EventSpec
from gale.features.profile import ProfileSpec
from gale.features.spec import FeatureSpec
from gale.features.summary import PUBLISHED_MZ, SummarySpec, learn_mz
from gale.plumbing.progress import Progress
from gale.plumbing.work import Work
from gale.training.settings import EventSettings, FeatureSettings, ProfileSettings, SummarySettings

Array = NDArray[np.float32]


@dataclass(frozen=True)
class TrainingRuns:
    """The runs that a training can use.

    Parameters
    ----------
    campaign : Campaign
        Labelled runs that could be read: of train and val, where they are what is learned from.
    spec : FeatureSpec
    features : array of shape (R, D)
    unreadable : list of str
        Names of labelled runs that are left out.
    """

    campaign: Campaign
    spec: FeatureSpec
    features: Array
    unreadable: list[str]

    @property
    def labels(self) -> Array:
        """Labels, shape (R, K), NaN where unknown."""
        return self.campaign.labels


def read_training_runs(
    campaign: Campaign,
    settings: FeatureSettings,
    work: Work,
) -> TrainingRuns:
    """Read the labelled runs of the train and val splits, and compute the features that are asked.

    Parameters
    ----------
    campaign : Campaign
    settings : FeatureSettings
    work : Work

    Raises
    ------
    CampaignError
        If a family has no positive or no negative run.
    TrainingError
        If too many runs cannot be read, or no m/z is kept.
    """
    not_test = np.array(campaign.split) != "test"
    chosen = campaign.select(not_test & campaign.labelled)
    chosen.check_trainable()
    if blank := int(not_test.sum()) - len(chosen):
        work.progress.note(f"{blank:,} runs are left out, since no label of theirs is known")
    spec = _feature_spec(chosen, settings, work)
    runs = read_runs(chosen, spec, work)
    if runs.unreadable:
        runs.campaign.check_trainable()
    return runs


def read_runs(
    campaign: Campaign,
    spec: FeatureSpec,
    work: Work,
) -> TrainingRuns:
    """Read all runs of a campaign, of whatever split, and compute given features.

    Raises
    ------
    TrainingError
        If too many runs cannot be read.
    """
    work.progress.begin("reading runs", len(campaign))
    table = compute_features(campaign.paths, spec, replace(work, columns=campaign.columns))
    unreadable = _unreadable(campaign, table, work)
    _tell_notes(campaign, table, work.progress)
    return TrainingRuns(campaign.select(table.ok), spec, table.values[table.ok], unreadable)


def _feature_spec(campaign: Campaign, settings: FeatureSettings, work: Work) -> FeatureSpec:
    """What features a recipe asks for."""
    if isinstance(settings, ProfileSettings):
        image = ElutionSpec(settings.bins, settings.mz_first, settings.mz_last, settings.baseline)
        profile = ProfileSpec(image, settings.losses)
        if isinstance(settings, EventSettings):
            return EventSpec(profile, settings.events)
        return profile
    return _summary_spec(campaign, settings, work)


def _summary_spec(campaign: Campaign, settings: SummarySettings, work: Work) -> SummarySpec:
    """The kept m/z of a recipe, within its range of m/z, learned from the runs if it says so."""
    low, high = settings.mz_min, settings.mz_max
    if settings.mz == "learned":
        work.progress.begin("choosing m/z", len(campaign))
        read = replace(work, columns=campaign.columns)
        moments = list(runs_moments(campaign.paths, low, high, read))
        if not moments:
            raise TrainingError(
                f"{campaign.root}: none of its {len(campaign):,} labelled runs can be read; "
                f"expected at least some; gale inspect {campaign.paths[0]} says why"
            )
        kept = learn_mz(moments, settings.dropped)
    else:
        kept = PUBLISHED_MZ if settings.mz == "published" else tuple(sorted(set(settings.mz)))
    kept = tuple(mz for mz in kept if (low or 0) <= mz <= (high or mz))
    if not kept:
        raise TrainingError(
            f"the recipe keeps no m/z between {low or 1} and {high or 'the largest'}; expected at "
            "least one; change features.mz, features.mz_min or features.mz_max"
        )
    return SummarySpec(kept, low, high)


def _unreadable(campaign: Campaign, table: FeatureTable, work: Work) -> list[str]:
    """Names of the runs that cannot be read, after saying why; an error if that is too many."""
    bad = {
        run: message
        for run, message in zip(campaign.runs, table.errors, strict=True)
        if message is not None
    }
    for run, message in bad.items():
        work.progress.note(f"run {run} is left out: {message}")
    if bad and (work.strict or len(bad) == len(campaign)):
        run, message = next(iter(bad.items()))
        raise TrainingError(
            f"{len(bad):,} of {len(campaign):,} runs cannot be read, the first is {run} "
            f"({message}); expected "
            + ("all of them (strict)" if work.strict else "at least some")
            + "; gale inspect says what is wrong with a run"
        )
    return list(bad)


def _tell_notes(campaign: Campaign, table: FeatureTable, progress: Progress) -> None:
    """Say how many runs are odd, with one example for all."""
    odd = [(run, notes) for run, notes in zip(campaign.runs, table.notes, strict=True) if notes]
    if odd:
        run, notes = odd[0]
        progress.note(
            f"{len(odd):,} runs are odd, for instance {run}: {'; '.join(notes)} "
            "(gale inspect says it of any run)"
        )
