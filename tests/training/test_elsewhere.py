"""Another instrument: groups of runs acquired alike, and a calibration fitted to held-out ones."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

import gale
from gale.features.acquisition import FACTS
from gale.features.summary import SummarySpec
from gale.model.groups import sentences_on_groups
from gale.model.unlike import elsewhere_notes
from gale.plumbing.cache import Cache
from gale.plumbing.work import Work
from gale.training.elsewhere import acquired_alike, folds_elsewhere, known_labels
from gale.training.folds import Fold
from gale.training.runs import TrainingRuns
from helpers.training import Array, Recorder, tiny_recipe

USUAL = [3.0, 20.0, 0.8, 15.0, 2.3]


def acquired(**changes: float) -> list[float]:
    return [changes.get(name, value) for name, value in zip(FACTS, USUAL, strict=True)]


@pytest.mark.parametrize(
    ("name", "alike", "other"),
    [
        ("start_min", 3.3, 5.0),
        ("length_min", 20.4, 24.0),
        ("interval_s", 0.81, 1.2),
        ("lowest_mz", 17.0, 33.0),
        ("floor", 2.38, 1.6),
    ],
)
def test_what_tells_acquisitions_apart(name: str, alike: float, other: float) -> None:
    runs = [USUAL, acquired(**{name: alike}), acquired(**{name: other})]
    assert acquired_alike(np.array(runs, np.float32)).group.tolist() == [0, 0, 1]


def test_a_chain_of_alike_runs_is_one_group() -> None:
    slowing = [acquired(interval_s=0.8 * 1.04**step) for step in range(30)]
    assert not acquired_alike(np.array(slowing, np.float32)).group.any()


def runs_of(campaign: gale.Campaign, groups: Array) -> TrainingRuns:
    """Runs of a campaign, as if of instruments that differ in how fast they scan."""
    facts = np.array([acquired(interval_s=0.5 * 2.0**group) for group in groups], np.float32)
    known = campaign.select(range(len(groups)))
    features = np.zeros((len(groups), 7), np.float32)
    return TrainingRuns(known, SummarySpec((18,)), features, [], (), acquisition=facts)


def test_whole_groups_are_held_out_and_small_ones_are_not(campaign: gale.Campaign) -> None:
    groups = np.repeat([0, 1, 2, 3], [20, 21, 22, 19])
    folds = folds_elsewhere(runs_of(campaign, groups), 3, seed=0)
    held_out = [set(groups[fold.validation]) for fold in folds]
    assert sorted(map(min, held_out)) == [0, 1, 2]
    assert [len(each) for each in held_out] == [1, 1, 1]
    for fold in folds:
        assert not set(groups[fold.validation]) & set(groups[fold.training])
        assert len(fold.training) + len(fold.validation) == len(groups)
    assert [len(folds_elsewhere(runs_of(campaign, groups), count, 0)) for count in (0, 2)] == [0, 2]
    one = runs_of(campaign, np.repeat([0, 1], [60, 19]))
    assert folds_elsewhere(one, 3, seed=0) == []


def test_families_that_nothing_tells_without_a_group_are_not_counted() -> None:
    labels = np.array([[1, 0], [0, 0], [0, 1], [0, 0]], np.float32)
    rows = np.arange(4)
    folds = [Fold(rows[2:], rows[:2]), Fold(rows[:2], rows[2:])]
    known = known_labels(labels, folds)
    np.testing.assert_array_equal(known, [[np.nan, 0], [np.nan, 0], [0, np.nan], [0, np.nan]])


def test_notes_say_how_much_of_another_instrument_a_run_is() -> None:
    assert elsewhere_notes(1.2, 2.0) == elsewhere_notes(9.0, None) == elsewhere_notes(None, 2) == ()
    assert "50%" in elsewhere_notes(1.5, 2.0)[0]
    assert "%" not in elsewhere_notes(2.5, 2.0)[0]


@pytest.mark.slow
def test_a_training_measures_it_and_predictions_use_it(campaign: gale.Campaign) -> None:
    recipe = tiny_recipe(calibrate=True, folds={"count": 2, "elsewhere": 3})
    plain = tiny_recipe(calibrate=True)
    progress = Recorder()
    work = Work(cache=Cache.default())
    model = gale.train(campaign, recipe, work=replace(work, progress=progress))
    without = gale.train(campaign, plain, work=work)
    facts = model.facts["elsewhere"]
    assert progress.totals["training"] == progress.steps["training"] == 2 * 2 + 2
    assert facts["folds"] == 2
    assert facts["runs"] == 27 + 38
    assert facts["log_loss"] <= facts["as_here_log_loss"]
    assert model.facts["calibration"] == without.facts["calibration"]
    assert (model.far is None) == (facts["log_loss"] == facts["as_here_log_loss"])
    assert without.far is None


@pytest.mark.parametrize(("own", "said"), [(0.2, "0.200 with a calibration"), (0.3, "is used")])
def test_it_is_told_in_words(own: float, said: str) -> None:
    facts: dict[str, object] = {
        "folds": 2, "runs": 65, "log_loss": own, "as_here_log_loss": 0.3, "prior_log_loss": 0.4,
        "far": 1.5,
    }  # fmt: skip
    facts |= {"calibration": {}} if own < 0.3 else {}
    (sentence,) = sentences_on_groups({"elsewhere": facts})
    assert said in sentence
    assert "65 runs" in sentence
