"""What groups do to the figures of a training: measured on made-up features, and end to end."""

from __future__ import annotations

import shutil
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest

import gale
from gale.features.elution import ElutionSpec
from gale.features.events import EventSpec
from gale.features.profile import ProfileSpec
from gale.features.summary import SummarySpec
from gale.model.groups import group_sentences
from gale.plumbing.work import Work
from gale.report import TrainingFiles, model_card
from gale.report.training import training_report
from gale.training.folds import split_fold, stratified_folds
from gale.training.group_effect import group_facts
from gale.training.groups import numbered
from helpers.commands import succeed
from helpers.html_pages import parsed
from helpers.training import Array, Recorder, tiny_recipe

RUNS, BATCHES = 120, 6
SPEC = SummarySpec(mz=(43, 57, 91))


def facts_of(
    campaign: gale.Campaign, labels: Array, group: list[str | None], features: Array
) -> dict[str, Any] | None:
    """The facts of RUNS made-up runs with two families."""
    runs = gale.Campaign(
        root=campaign.root,
        runs=tuple(map(str, range(len(labels)))),
        paths=campaign.paths[:1] * len(labels),
        split=("train",) * len(labels),
        families=("alcohol", "mineral"),
        labels=labels.astype(np.float32),
        derivatized=np.full(len(labels), np.nan, np.float32),
        group=tuple(group),
        checksums=(None,) * len(labels),
    )
    folds = stratified_folds(
        runs.labels, runs.families, count=2, by="all", seed=0, group=numbered(group)
    )
    return group_facts(runs, features.astype(np.float32), SPEC, folds, 0)


@pytest.fixture
def labels() -> Array:
    return (np.random.default_rng(1).random((RUNS, 2)) < 0.4).astype(float)


@pytest.fixture
def noise() -> Array:
    return np.random.default_rng(2).normal(size=(RUNS, SPEC.n_features))


BATCH = np.arange(RUNS) % BATCHES
NAMES: list[str | None] = [f"batch {number}" for number in BATCH]


def test_without_groups_there_is_nothing_to_say(
    campaign: gale.Campaign, labels: Array, noise: Array
) -> None:
    assert facts_of(campaign, labels, [None] * RUNS, noise) is None
    assert facts_of(campaign, labels, [str(at) for at in range(RUNS)], noise) is None


@pytest.mark.slow
def test_a_batch_effect(campaign: gale.Campaign, labels: Array, noise: Array) -> None:
    """Each batch has a feature of its own; families have none."""
    noise[:, :BATCHES] += 6 * np.eye(BATCHES)[BATCH]
    facts = facts_of(campaign, labels, NAMES, noise)
    assert facts is not None
    assert (facts["count"], facts["largest"], facts["mixed"]) == (6, 20, 1.0)
    told = facts["told"]
    assert (told["groups"], told["largest"]) == (6, pytest.approx(1 / 6))
    assert told["right"] > 0.95
    assert told["explained"] > 0.3 > 0.1 > told["by_labels"]
    assert "batch effect, which" in group_sentences(facts)[2]


@pytest.mark.slow
def test_no_batch_effect(campaign: gale.Campaign, labels: Array, noise: Array) -> None:
    noise[:, :10] += 3 * labels[:, :1]
    noise[:, 10:20] += 3 * labels[:, 1:]
    facts = facts_of(campaign, labels, NAMES, noise)
    assert facts is not None
    assert facts["baseline"]["by_group"] < 0.9 * facts["baseline"]["prior"]
    assert facts["told"]["right"] < 0.4
    assert facts["told"]["explained"] < 0.05
    assert "little sign" in group_sentences(facts)[2]


@pytest.mark.slow
def test_families_that_go_with_groups(campaign: gale.Campaign, noise: Array) -> None:
    """A family is in nearly all runs of half of the batches, and elsewhere in hardly any."""
    often = (BATCH[:, None] % [2, 3] == 0).astype(float)
    flipped = np.random.default_rng(0).random(often.shape) < 0.1
    labels = np.abs(often - flipped)
    facts = facts_of(campaign, labels, NAMES, noise)
    assert facts is not None
    assert facts["told"]["by_labels"] > 0.2
    assert "go together" in group_sentences(facts)[2]


def test_repeats_of_samples_flatter(campaign: gale.Campaign, labels: Array, noise: Array) -> None:
    """Runs of a sample are alike; random folds know each sample, whose features say nothing."""
    sample = np.arange(RUNS) // 3
    features = 3 * noise[sample] + 0.1 * noise
    facts = facts_of(campaign, labels[sample], [f"sample {at}" for at in sample], features)
    assert facts is not None
    assert (facts["count"], facts["largest"], facts["mixed"]) == (40, 3, 0.0)
    assert "told" not in facts
    baseline = facts["baseline"]
    assert baseline["random"] < baseline["prior"] < baseline["by_group"]
    factor = baseline["factor"]
    assert factor["value"] == pytest.approx(baseline["by_group"] / baseline["random"])
    assert 1.1 < factor["low"] < factor["value"] < factor["high"]
    assert "are 40 samples" in group_sentences(facts)[-1]


def test_small_groups_and_unknown_labels(
    campaign: gale.Campaign, labels: Array, noise: Array
) -> None:
    """Too small to be told from each other; a family with positives in one group only; blanks."""
    pairs: list[str | None] = [f"pair {at // 2}" for at in range(RUNS)]
    pairs[-4:] = [None] * 4
    labels[:, 1] = 0
    labels[:2, 1] = 1
    labels[5:50, 0] = np.nan
    facts = facts_of(campaign, labels, pairs, noise)
    assert facts is not None
    assert (facts["count"], facts["largest"], facts["single"]) == (62, 2, ["mineral"])
    assert 0 < facts["mixed"] < 1
    assert "told" not in facts
    assert np.isfinite([*facts["baseline"]["factor"].values()]).all()


def test_a_single_group(campaign: gale.Campaign, labels: Array, noise: Array) -> None:
    known = campaign.of_split("train", "val")
    alike = replace(known, group=("x",) * len(known))
    features = np.zeros((len(known), SPEC.n_features), np.float32)
    facts = group_facts(alike, features, SPEC, [split_fold(known.split)], 0)
    assert facts is not None
    assert (facts["count"], facts["apart"], "baseline" in facts) == (1, False, False)
    assert set(facts["single"]) == set(known.families)


@pytest.mark.slow
def test_of_event_features_only_the_profile_counts(campaign: gale.Campaign) -> None:
    known = campaign.of_split("train", "val")
    group = tuple(f"batch {at % 4}" for at in range(len(known)))
    families, labels = known.families[:2], known.labels[:, :2]
    grouped = replace(known, group=group, families=families, labels=labels)
    profile = ProfileSpec(ElutionSpec(mz_first=50, mz_last=60), losses=5)
    spec, random = EventSpec(profile, events=4), np.random.default_rng(0)
    features = np.zeros((len(known), spec.n_features), np.float32)
    features[:, : profile.n_features] = random.normal(size=(84, profile.n_features))
    folds = [split_fold(known.split)]
    expected = group_facts(grouped, features[:, : profile.n_features], profile, folds, 0)
    features[:, profile.n_features :] = np.nan
    assert group_facts(grouped, features, spec, folds, 0) == expected


@pytest.fixture
def batches(campaign_folder: Path, tmp_path: Path) -> Path:
    """The campaign whose label tables name a batch for every run, as their second column."""
    folder = tmp_path / "campaign"
    shutil.copytree(campaign_folder, folder)
    for split in ("train", "val", "test"):
        file = folder / f"{split}_labels.csv"
        table = pl.read_csv(file.read_bytes())
        batch = pl.Series("group", [f"batch {at % 7}" for at in range(len(table))])
        file.write_bytes(table.insert_column(1, batch).write_csv().encode())
    return folder


@pytest.mark.slow
def test_a_training_with_groups(batches: Path, tmp_path: Path) -> None:
    campaign, files = gale.Campaign.open(batches), TrainingFiles.of(tmp_path / "mine.onnx")
    recipe = tiny_recipe(kind="logistic", folds={"count": 3})
    told = Recorder()
    model = gale.train(campaign, recipe, out_of_fold=files.out_of_fold, work=Work(progress=told))
    model.save(files.model)
    (note,) = [note for note in told.notes if "trained on" in note]
    assert "24 test runs are of groups" in note

    loaded = gale.Model.load(files.model)
    groups, scores = loaded.facts["groups"], loaded.facts["scores"]
    assert (groups["count"], groups["largest"], groups["apart"]) == (7, 13, True)
    assert groups["baseline"]["by_group"] > 0
    by = "each by members that saw no run of its group (3 folds)"
    assert scores["measured_on"] == f"84 runs, {by}"

    sentences = group_sentences(groups)
    assert len(sentences) >= 3
    page = parsed(training_report(campaign, files.model, work=Work(progress=Recorder())))
    (listed,) = page.xpath("//h3[@id='groups']/following-sibling::ul[1]")
    assert [each.text_content() for each in listed] == sentences
    headings = page.xpath("//h3/text()")
    assert any(by in heading for heading in headings)
    assert "but 24 are of groups that are trained on" in page.text_content()
    card = model_card(loaded)
    assert all(f"- {sentence}\n" in card for sentence in sentences)
    assert sentences[0] in succeed("inspect", files.model).output
    assert "7 groups" in succeed("inspect", batches).output


@pytest.mark.slow
def test_a_val_split_of_known_groups(batches: Path) -> None:
    recipe = tiny_recipe(kind="logistic", folds={"count": 1})
    campaign, told = gale.Campaign.open(batches), Recorder()
    model = gale.train(campaign, recipe, work=Work(progress=told))
    assert any("24 val runs are of groups that are trained on" in note for note in told.notes)
    assert "did not train on it (the val split)" in model.facts["scores"]["measured_on"]
    assert not model.facts["groups"]["apart"]
    by_split = tuple(f"{split} {at % 3}" for at, split in enumerate(campaign.split))
    apart = gale.train(replace(campaign, group=by_split), recipe, work=Work(progress=Recorder()))
    assert "saw no run of its group (the val split)" in apart.facts["scores"]["measured_on"]
