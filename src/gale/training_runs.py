"""The runs of a training: which ones, and their features."""

from __future__ import annotations

from concurrent.futures import Executor
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from gale.campaign import Campaign
from gale.errors import TrainingError
from gale.features import FeatureTable, runs_moments, summarise_runs
from gale.features.cache import Cache
from gale.features.elution import ElutionSpec
from gale.features.events import EventSpec
from gale.features.profile import ProfileSpec
from gale.features.spec import FeatureSpec
from gale.features.summary import PUBLISHED_MZ, SummarySpec, learn_mz
from gale.progress import Progress
from gale.settings import EventSettings, FeatureSettings, ProfileSettings, SummarySettings

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
    strict: bool,
    executor: Executor | None,
    cache: Cache | None,
    progress: Progress,
) -> TrainingRuns:
    """Read the labelled runs of the train and val splits, and compute the features that are asked.

    Parameters
    ----------
    campaign : Campaign
    settings : FeatureSettings
    strict, executor, cache, progress
        As for :func:`gale.train`.

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
        progress.note(f"{blank:,} runs are left out, since no label of theirs is known")
    spec = _feature_spec(chosen, settings, executor, progress)
    runs = read_runs(chosen, spec, strict, executor, cache, progress)
    if runs.unreadable:
        runs.campaign.check_trainable()
    return runs


def read_runs(
    campaign: Campaign,
    spec: FeatureSpec,
    strict: bool,
    executor: Executor | None,
    cache: Cache | None,
    progress: Progress,
) -> TrainingRuns:
    """Read all runs of a campaign, of whatever split, and compute given features.

    Raises
    ------
    TrainingError
        If too many runs cannot be read.
    """
    progress.begin("reading runs", len(campaign))
    table = summarise_runs(
        campaign.paths,
        spec,
        columns=campaign.columns,
        executor=executor,
        cache=cache,
        advance=progress.step,
    )
    unreadable = _unreadable(campaign, table, strict, progress)
    _tell_notes(campaign, table, progress)
    return TrainingRuns(campaign.select(table.ok), spec, table.values[table.ok], unreadable)


def _feature_spec(
    campaign: Campaign, settings: FeatureSettings, executor: Executor | None, progress: Progress
) -> FeatureSpec:
    """What features a recipe asks for."""
    if isinstance(settings, ProfileSettings):
        image = ElutionSpec(settings.bins, settings.mz_first, settings.mz_last, settings.baseline)
        profile = ProfileSpec(image, settings.losses)
        if isinstance(settings, EventSettings):
            return EventSpec(profile, settings.events)
        return profile
    return _summary_spec(campaign, settings, executor, progress)


def _summary_spec(
    campaign: Campaign, settings: SummarySettings, executor: Executor | None, progress: Progress
) -> SummarySpec:
    """The kept m/z of a recipe, within its range of m/z, learned from the runs if it says so."""
    low, high = settings.mz_min, settings.mz_max
    if settings.mz == "learned":
        progress.begin("choosing m/z", len(campaign))
        moments = list(
            runs_moments(
                campaign.paths,
                low,
                high,
                columns=campaign.columns,
                executor=executor,
                advance=progress.step,
            )
        )
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


def _unreadable(
    campaign: Campaign, table: FeatureTable, strict: bool, progress: Progress
) -> list[str]:
    """Names of the runs that cannot be read, after saying why; an error if that is too many."""
    bad = {
        run: message
        for run, message in zip(campaign.runs, table.errors, strict=True)
        if message is not None
    }
    for run, message in bad.items():
        progress.note(f"run {run} is left out: {message}")
    if bad and (strict or len(bad) == len(campaign)):
        run, message = next(iter(bad.items()))
        raise TrainingError(
            f"{len(bad):,} of {len(campaign):,} runs cannot be read, the first is {run} "
            f"({message}); expected "
            + ("all of them, as --strict asks" if strict else "at least some")
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
