"""The classifier of scikit-learn: its own checks, and what searches and pipelines do with it."""

from __future__ import annotations

import pickle
import warnings
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import polars as pl
import pytest
import sklearn
from sklearn.base import clone
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import (
    GridSearchCV,
    GroupKFold,
    KFold,
    cross_val_predict,
    cross_val_score,
)
from sklearn.multioutput import MultiOutputClassifier
from sklearn.pipeline import make_pipeline
from sklearn.utils.estimator_checks import check_classifier_multioutput, check_estimator

import gale
from gale.errors import CampaignError, ReadError, TableError, TrainingError
from gale.evaluation.metrics import log_loss
from helpers.errors import refused

pytestmark = pytest.mark.filterwarnings("ignore::gale.errors.GaleWarning")  # of few runs

DO_NOT_APPLY = {
    "check_classifiers_train": "probabilities have a column for each family, not for each class",
    "check_classifier_multioutput": "predict decides by the cut-offs of the model, not at 0.5",
}
"""Checks of scikit-learn that a multi-label classifier with cut-offs cannot pass, and why."""

MZ = [18, 28, 41, 43, 55, 57, 73, 77, 91, 105]
FAST = gale.Recipe.parse(
    f"kind = 'logistic'\nlogistic.c = 1.0\nfeatures.mz = {MZ}\nfolds.count = 2", "fast", "fast"
)
SMALL = gale.Recipe.parse(
    "network.hidden = [8]\nnetwork.standardise = 'full'\nfitting.epochs = 3\n"
    "soup.kind = 'none'\nsoup.size = 1\nfolds.count = 2",
    "small",
    "small",
)

LABELS = np.tile([[1, 0], [0, 1], [1, np.nan], [0, 0]], (15, 1))
FEATURES = np.nan_to_num(LABELS) + np.random.default_rng(0).normal(0, 0.2, LABELS.shape)


@pytest.fixture
def routing() -> Iterator[None]:
    with sklearn.config_context(enable_metadata_routing=True):
        yield


@pytest.fixture(scope="module")
def few(campaign: gale.Campaign) -> gale.Campaign:
    """Runs of the train split, with two families."""
    train = campaign.of_split("train")
    return gale.Campaign.from_runs(
        train.paths, train.labels, families=train.families
    ).select(range(48))  # fmt: skip


def labels_of(campaign: gale.Campaign, *families: str) -> pl.DataFrame:
    columns = [campaign.families.index(family) for family in families]
    return pl.DataFrame(campaign.labels[:, columns], schema=list(families))


@pytest.mark.slow
def test_the_checks_of_scikit_learn_that_apply() -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        results = check_estimator(
            gale.FamilyClassifier("logistic"), expected_failed_checks=DO_NOT_APPLY, on_fail=None
        )
    status = {each["check_name"]: each["status"] for each in results}
    assert [name for name, each in status.items() if each == "failed"] == []
    assert {name for name, each in status.items() if each == "xfail"} == set(DO_NOT_APPLY)
    assert Counter(status.values())["passed"] > 45
    page = (Path(__file__).parents[2] / "docs" / "sklearn.md").read_text("utf-8")
    for name, reason in DO_NOT_APPLY.items():
        assert f"`{name}`" in page
        assert reason in page
    check_classifier_multioutput("FamilyClassifier", gale.FamilyClassifier("logistic", at=None))


@pytest.mark.slow
def test_a_fit_on_runs_is_a_training(few: gale.Campaign) -> None:
    labels = labels_of(few, "hydrocarbon", "mineral")
    campaign = gale.Campaign.from_runs(few.paths, labels)
    classifier = gale.FamilyClassifier(FAST, at={"hydrocarbon": 0.3, "mineral": 0.6})
    classifier.fit(list(map(str, few.paths)), labels)
    expected = gale.train(campaign, FAST).predict(few).select("hydrocarbon", "mineral").to_numpy()
    probability = classifier.predict_proba(few.paths)
    np.testing.assert_allclose(probability, expected, rtol=1e-12)
    assert classifier.families_ == ("hydrocarbon", "mineral")
    assert classifier.classes_.tolist() == [[0, 1], [0, 1]]
    assert labels.columns == ["hydrocarbon", "mineral"], "the table of the caller is as it was"
    assert classifier.predict(few.paths).tolist() == (expected >= [0.3, 0.6]).astype(int).tolist()
    assert classifier.score(few.paths, labels) == -log_loss(labels.to_numpy(), probability)
    in_memory = [gale.read_run(path) for path in few.paths]
    again = clone(classifier).set_params(at=None).fit(in_memory, labels.to_numpy())
    assert again.families_ == ("family_1", "family_2")
    np.testing.assert_allclose(again.predict_proba(in_memory), expected, rtol=1e-6)


def test_a_run_that_cannot_be_read(few: gale.Campaign, tmp_path: Path) -> None:
    labels = labels_of(few, "hydrocarbon")
    classifier = gale.FamilyClassifier(FAST).fit(few.paths, labels)
    empty = tmp_path / "empty.csv"
    empty.touch()
    with refused(ReadError, "X", found=["1 run", "empty.csv"], remedy="model_.predict"):
        classifier.predict_proba([few.paths[0], empty])
    assert classifier.model_.predict([empty])["status"].to_list() == ["failed"]
    with refused(gale.GaleError, "X", found="no runs"):
        classifier.predict(FEATURES)


def test_features_in_tables_of_any_library() -> None:
    classifier = gale.FamilyClassifier("logistic")
    columns = ["weight", "colour"]
    frame = pd.DataFrame(FEATURES, columns=columns)
    names = pd.DataFrame(LABELS, columns=["alcohol", "mineral"])
    probability = classifier.fit(frame, names).predict_proba(frame)
    assert classifier.feature_names_in_.tolist() == columns
    assert classifier.model_.facts["features"]["names"] == columns
    assert classifier.families_ == ("alcohol", "mineral")
    assert ((probability[:, 0] > 0.5) == (LABELS[:, 0] == 1)).mean() > 0.95
    of_polars = pl.DataFrame(FEATURES, schema=columns)
    in_polars = pl.DataFrame(LABELS, schema=["alcohol", "mineral"], nan_to_null=True)
    again = clone(classifier).fit(of_polars, in_polars)
    np.testing.assert_array_equal(again.predict_proba(of_polars), probability)
    assert not classifier.model_.has_distance
    run = gale.Run.from_rows([1, 2], [43, 57], [9, 4])
    (row,) = classifier.model_.predict(run).rows(named=True)
    assert row["status"] == "failed"
    assert "features that were given" in row["message"]
    with pytest.raises(gale.GaleError, match="features that were given"):
        gale.explain(classifier.model_, run)
    with pytest.raises(gale.GaleError, match="features that were given"):
        gale.export_whole(classifier.model_, "whole.onnx")
    assert "given features of a GC-MS run, it predicts" in gale.model_card(classifier.model_)


def test_one_family_by_any_two_values() -> None:
    words = np.where(np.nan_to_num(LABELS[:, 0]) == 1, "yes", "no")
    classifier = gale.FamilyClassifier(FAST).fit(FEATURES, words)
    assert classifier.predict_proba(FEATURES).shape == (60, 1)
    assert list(classifier.classes_) == ["no", "yes"]
    assert (classifier.predict(FEATURES) == words).mean() > 0.95
    assert classifier.score(FEATURES, words) > -0.5


def test_a_pickle_has_the_bytes_of_the_model_file() -> None:
    classifier = gale.FamilyClassifier("logistic", seed=3).fit(FEATURES, LABELS)
    data = pickle.dumps(classifier)
    assert classifier.model_.content in data
    again = pickle.loads(data)
    assert again.model_.content == classifier.model_.content
    np.testing.assert_array_equal(again.predict_proba(FEATURES), classifier.predict_proba(FEATURES))
    assert again.get_params() == classifier.get_params()


def test_searches_over_recipes() -> None:
    search = GridSearchCV(
        gale.FamilyClassifier(), {"recipe": [FAST, SMALL], "seed": [0, 1]}, cv=KFold(2)
    )
    search.fit(FEATURES, LABELS)
    assert search.best_params_["recipe"] == FAST
    assert -search.best_score_ < 0.5
    assert search.cv_results_["mean_test_score"].shape == (4,)
    predicted = cross_val_predict(
        gale.FamilyClassifier(FAST), FEATURES, np.nan_to_num(LABELS), method="predict_proba", cv=2
    )
    assert predicted.shape == (60, 2)


@pytest.mark.slow
@pytest.mark.usefixtures("routing")
def test_groups_are_routed_to_the_folds_outside_and_inside() -> None:
    groups = np.repeat(np.arange(12), 5)
    seen: list[set[int]] = []

    class Watched(gale.FamilyClassifier):
        def fit(self, X: Any, y: Any, *, groups: Any = None) -> Any:
            seen.append(set(groups))
            return super().fit(X, y, groups=groups)

    classifier = Watched(FAST).set_fit_request(groups=True)
    scores = cross_val_score(
        classifier, FEATURES, LABELS, cv=GroupKFold(3), params={"groups": groups}
    )
    assert [len(each) for each in seen] == [8, 8, 8]
    assert set.union(*seen) == set(range(12))
    assert (scores > -0.6).all()
    fitted = classifier.fit(FEATURES, LABELS, groups=groups)
    assert fitted.model_.facts["groups"]["count"] == 12
    assert fitted.model_.facts["groups"]["apart"]


@pytest.mark.slow
def test_pipelines_from_runs_to_families(few: gale.Campaign) -> None:
    labels = labels_of(few, "hydrocarbon", "mineral").to_numpy()
    features = gale.SummaryFeatures(mz=MZ, cache=True)
    runs = list(map(str, few.paths))
    pipeline = make_pipeline(features, gale.FamilyClassifier(FAST))
    assert cross_val_score(pipeline, runs, labels, cv=KFold(2)).shape == (2,)
    direct = gale.FamilyClassifier(FAST).fit(runs, labels)
    piped = pipeline.fit(runs, labels)
    of_both = [each.predict_proba(runs).ravel() for each in (piped, direct)]
    assert (
        np.corrcoef(of_both)[0, 1] > 0.9
    )  # features of a run are scaled in blocks, given ones not
    others = make_pipeline(features, MultiOutputClassifier(LogisticRegression(max_iter=500)))
    assert others.fit(runs, labels).predict(runs).shape == labels.shape


def test_what_cannot_be_fitted(few: gale.Campaign) -> None:
    with refused(TrainingError, "recipe default", found="spectra", remedy="quick"):
        gale.FamilyClassifier().fit(FEATURES, LABELS)
    with pytest.raises(ValueError, match=r"2.0 at row 1, column 1"):
        gale.FamilyClassifier(FAST).fit(FEATURES, LABELS + np.array([0, 1]))
    with pytest.raises(ValueError, match="inconsistent numbers"):
        gale.FamilyClassifier(FAST).fit(few.paths, LABELS[:3])
    with refused(TableError, "families", found="alcohol", expected="2 names"):
        gale.FamilyClassifier(FAST, families=["alcohol"]).fit(FEATURES, LABELS)
    with pytest.raises(CampaignError, match="family_1"):
        gale.FamilyClassifier(FAST).fit(FEATURES, np.where(LABELS == 0, 1, LABELS))
    with refused(gale.GaleError, "cache", found="'here'"):
        gale.FamilyClassifier(FAST).set_params(cache="here").fit(FEATURES, LABELS)


def test_families_without_a_cut_off_are_warned_of() -> None:
    rare = np.zeros((60, 1))
    rare[:3] = 1
    with pytest.warns(gale.GaleWarning, match=r"predict takes 0.5 for family_1"):
        classifier = gale.FamilyClassifier(FAST).fit(FEATURES, rare)
    assert classifier.thresholds_.tolist() == [0.5]
