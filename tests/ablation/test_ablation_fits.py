"""What is fitted for an ablation, and how it is scored, against one network at a time."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from polars.testing import assert_frame_equal

import gale
from gale.ablation import Ablation
from gale.ablation.steps import ablation_steps
from gale.errors import CampaignError, TrainingError
from gale.evaluation.metrics import log_loss
from gale.features import compute_features
from gale.features.summary import SummarySpec
from gale.plumbing.cache import Cache
from gale.plumbing.work import Work
from gale.training.fitting import Fit, Weights
from gale.training.folds import split_fold
from gale.training.journal import Journal, Step
from gale.training.members import FitWork, MemberFitter
from gale.training.runs import LabelledRuns
from gale.training.soups import average_weights
from helpers.errors import refused
from helpers.predictions import probability_of
from helpers.training import Array, Recorder, tiny_recipe
from helpers.work import with_work

pytestmark = pytest.mark.slow

RECIPE = tiny_recipe(
    # A larger epsilon than that of the recipe, with which rounding would grow without bound.
    fitting={"adam_epsilon": 1e-4},
    soup={"kind": "fixed", "size": 2},
)
TRAININGS, ITERATIONS = 3, 2
SINGLES = ["base", "hinge", "prior bias", "BatchNorm", "LayerNorm", "LCG loss"]
SCORES = ["val_log_loss", "test_log_loss"]


def ablate(campaign: gale.Campaign, cache: Cache, **choices: Any) -> Ablation:
    given = {"trainings": TRAININGS, "iterations": ITERATIONS, "cache": cache, **choices}
    return gale.ablate(campaign, RECIPE, **with_work(**given))


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("ablation") / "fits"


@pytest.fixture(scope="module")
def ablation(campaign: gale.Campaign, folder: Path) -> Ablation:
    return gale.ablate(campaign, RECIPE, trainings=TRAININGS, iterations=ITERATIONS, journal=folder)


class Bench:
    """The runs, and each network by itself."""

    def __init__(self, campaign: gale.Campaign, cache: Cache) -> None:
        spec = SummarySpec(tuple(RECIPE.features.mz))  # type: ignore[union-attr, arg-type]
        self.spec, self.labels = spec, np.array(campaign.labels)
        self.features = compute_features(campaign.paths, spec, work=Work(cache=cache)).values
        self.fold, self.split = split_fold(campaign.split), np.array(campaign.split)

    def fitter(self, step: int, seed: int = 0) -> MemberFitter:
        steps = ablation_steps(RECIPE, ITERATIONS)
        folds, name = [self.fold] * TRAININGS, steps[step].slug
        runs = LabelledRuns(self.spec, self.features, self.labels)
        return MemberFitter(steps[step].recipe, runs, folds, seed, FitWork(), name=name)

    def probability(self, weights: Weights) -> Array:
        """Of a network of the last step, in the order of the campaign."""
        probability: Array = probability_of(self.fitter(5).network([0], [weights]), self.features)[
            0
        ]
        return probability

    def scores(self, probability: Array) -> list[float]:
        parts = [self.split == split for split in ("val", "test")]
        return [log_loss(self.labels[part], probability[part]) for part in parts]


@pytest.fixture(scope="module")
def bench(campaign: gale.Campaign, cache_folder: Path) -> Bench:
    return Bench(campaign, Cache(cache_folder / "gale"))


def kept(folder: Path, stage: str, training: int, numbers: range) -> list[Fit]:
    journal = Journal(folder)
    found = [journal.find(Step(training, stage, n, "LCG_loss")) for n in numbers]
    return [fit for fit in found if fit is not None]


def point(ablation: Ablation, method: str, iteration: int, training: int) -> list[float]:
    chosen = ablation.curves.filter(method=method, iteration=iteration, training=training)
    ((val, test),) = chosen.select(SCORES).rows()
    return [val, test]


def test_the_rows(ablation: Ablation) -> None:
    assert ablation.trainings["step"].unique(maintain_order=True).to_list() == [
        *SINGLES, "FixedSoup",
    ]  # fmt: skip
    assert ablation.trainings["training"].to_list() == [*range(TRAININGS)] * 7
    assert ablation.curves.group_by("method").len().sort("method").rows() == [
        ("ensemble", 9), ("fixed_soup", 6), ("greedy_soup", 9), ("soup_average", 9),
    ]  # fmt: skip
    assert ablation.trainings["val_log_loss"].n_unique() == 7 * TRAININGS


def test_a_training_is_what_it_is_by_itself(
    campaign: gale.Campaign, cache: Cache, ablation: Ablation
) -> None:
    alone = ablate(campaign, cache, trainings=1)
    assert_frame_equal(
        alone.trainings, ablation.trainings.filter(training=0), check_exact=False, abs_tol=1e-4
    )
    assert_frame_equal(
        alone.curves, ablation.curves.filter(training=0), check_exact=False, abs_tol=1e-4
    )


@pytest.mark.parametrize("step", range(6))
def test_a_network_is_what_it_is_by_itself(bench: Bench, ablation: Ablation, step: int) -> None:
    fitter = bench.fitter(step)
    one = Step(2, "member", 0, fitter.name)
    fitter.fit([one])
    fit = fitter.work.journal.find(one)
    assert fit is not None
    row = ablation.trainings.filter(step=SINGLES[step], training=2)
    assert row["val_log_loss"].item() == pytest.approx(fit.validation, abs=1e-4)
    assert row["epochs"].item() == len(fit.epochs)


def test_soups_and_ensembles_are_made_of_the_fits(
    bench: Bench, ablation: Ablation, folder: Path
) -> None:
    members = kept(folder, "member", 1, range(4))
    tuned = kept(folder, "soup", 1, range(2))
    assert (len(members), len(tuned)) == (4, 2)
    best = tuned[0] if tuned[0].validation < tuned[1].validation else tuned[1]
    expected = bench.scores(bench.probability(best.weights))
    assert point(ablation, "fixed_soup", 2, 1) == pytest.approx(expected, abs=1e-6)
    row = ablation.trainings.filter(step="FixedSoup", training=1)
    assert row.select(SCORES).row(0) == pytest.approx(expected, abs=1e-6)
    assert row["epochs"].item() == sum(len(fit.epochs) for fit in (*members, *tuned))
    first = [bench.probability(fit.weights) for fit in members]
    for iteration in range(3):
        mean = np.mean(first[: 2 + iteration], axis=0)
        assert point(ablation, "ensemble", iteration, 1) == pytest.approx(
            bench.scores(mean), abs=1e-6
        )
    average = average_weights([fit.weights for fit in members[:2]])
    expected = bench.scores(bench.probability(average))
    assert point(ablation, "soup_average", 0, 1) == pytest.approx(expected, abs=1e-6)


def test_the_greedy_soup_is_as_good_on_val_as_its_best_network(
    ablation: Ablation, folder: Path
) -> None:
    for training in range(TRAININGS):
        for iteration in range(ITERATIONS + 1):
            members = kept(folder, "member", training, range(2 + iteration))
            best = min(fit.validation for fit in members)
            assert point(ablation, "greedy_soup", iteration, training)[0] <= best + 1e-6


def test_an_ensemble_is_of_the_best_ones(
    bench: Bench, ablation: Ablation, folder: Path, campaign: gale.Campaign,
    monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    monkeypatch.setattr("gale.ablation.curves.ENSEMBLE", 1)
    of_one = gale.ablate(
        campaign, RECIPE, trainings=TRAININGS, iterations=ITERATIONS, journal=folder, resume=True
    )
    best = min(kept(folder, "member", 0, range(4)), key=lambda fit: fit.validation)
    expected = bench.scores(bench.probability(best.weights))
    assert point(of_one, "ensemble", 2, 0) == pytest.approx(expected, abs=1e-6)


def test_the_first_network_of_a_soup_is_that_of_the_step_before(
    bench: Bench, ablation: Ablation, folder: Path
) -> None:
    (member,) = kept(folder, "member", 2, range(1))
    row = ablation.trainings.filter(step="LCG loss", training=2)
    expected = bench.scores(bench.probability(member.weights))
    assert row.select(SCORES).row(0) == pytest.approx(expected, abs=1e-6)


def test_the_prior(bench: Bench, ablation: Ablation) -> None:
    prevalence = bench.labels[bench.fold.training].mean(axis=0)
    expected = bench.scores(np.broadcast_to(prevalence, bench.labels.shape))
    assert list(ablation.prior.values()) == pytest.approx(expected, abs=1e-6)


def test_means_and_deviations(ablation: Ablation) -> None:
    row = ablation.table().row(4, named=True)
    values = ablation.trainings.filter(step="LayerNorm")["test_log_loss"].to_numpy()
    assert (row["step"], row["trainings"]) == ("LayerNorm", TRAININGS)
    assert row["test_log_loss"] == pytest.approx(values.mean())
    assert row["test_sd"] == pytest.approx(values.std(ddof=1))
    assert (row["author_val_log_loss"], row["author_val_sd"]) == (0.1544, 0.0036)
    row = ablation.curve_table().filter(method="ensemble", iteration=1).row(0, named=True)
    chosen = ablation.curves.filter(method="ensemble", iteration=1)["val_log_loss"].to_numpy()
    assert row["val_sd"] == pytest.approx(chosen.std(ddof=1))


def test_without_labels_of_test(campaign: gale.Campaign, cache: Cache, ablation: Ablation) -> None:
    labels = np.array(campaign.labels)
    labels[np.array(campaign.split) == "test"] = np.nan
    unknown = ablate(replace(campaign, labels=labels), cache)
    assert unknown.prior["test"] is None
    assert not unknown.has_test
    for mine, known in ((unknown.trainings, ablation.trainings), (unknown.curves, ablation.curves)):
        assert mine["test_log_loss"].null_count() == mine.height
        assert_frame_equal(mine.drop("test_log_loss"), known.drop("test_log_loss"))
    assert unknown.table()["test_sd"].null_count() == 7


def test_the_seed(campaign: gale.Campaign, cache: Cache, ablation: Ablation) -> None:
    other = ablate(campaign, cache, seed=1, trainings=1, iterations=1)
    mine = ablation.trainings.filter(training=0).head(6)
    assert (other.trainings["val_log_loss"].head(6) != mine["val_log_loss"]).all()


def test_finished_fits_serve_more_trainings_and_iterations(
    campaign: gale.Campaign, cache: Cache, ablation: Ablation, tmp_path: Path
) -> None:
    with pytest.raises(KeyboardInterrupt):
        ablate(
            campaign,
            cache,
            journal=tmp_path,
            trainings=2,
            iterations=1,
            progress=Recorder(interrupt_after=15),
        )
    before = {path: path.stat().st_mtime_ns for path in tmp_path.glob("*.npz")}
    assert len(before) == 15
    with refused(TrainingError, tmp_path, found="15 finished fits", remedy="pass resume=True"):
        ablate(campaign, cache, journal=tmp_path)
    recorder = Recorder()
    resumed = ablate(campaign, cache, journal=tmp_path, resume=True, progress=recorder)
    assert {path: path.stat().st_mtime_ns for path in before} == before
    assert recorder.steps["training"] == recorder.totals["training"] == TRAININGS * (5 + 4 + 2)
    assert_frame_equal(resumed.trainings, ablation.trainings, check_exact=False, abs_tol=1e-4)
    assert_frame_equal(resumed.curves, ablation.curves, check_exact=False, abs_tol=1e-4)
    with refused(TrainingError, tmp_path, found="seed", remedy="pass restart=True"):
        ablate(campaign, cache, journal=tmp_path, resume=True, seed=1)


@pytest.mark.parametrize("split", ["train", "val"])
def test_a_campaign_without_labels_of_a_split(
    campaign: gale.Campaign, cache: Cache, split: str
) -> None:
    labels = np.array(campaign.labels)
    labels[np.array(campaign.split) == split] = np.nan
    facts = ("no labelled run", f"the {split} split")
    with refused(CampaignError, campaign.root, found=facts, remedy="metadata.csv"):
        ablate(replace(campaign, labels=labels), cache)


def test_facts(ablation: Ablation, campaign: gale.Campaign) -> None:
    facts = ablation.facts
    assert gale.Recipe.model_validate(facts["recipe"]) == RECIPE
    assert facts["campaign"]["runs"] == {"train": 60, "val": 24, "test": 24}
    learned = campaign.of_split("train", "val").fingerprint()
    assert facts["campaign"]["fingerprint"] == learned
    assert (facts["seed"], facts["trainings"], facts["iterations"]) == (0, TRAININGS, ITERATIONS)
