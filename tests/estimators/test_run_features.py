"""Transformers from runs to features, against the features of models."""

from __future__ import annotations

import pickle
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import polars as pl
import pytest
from sklearn.base import clone
from sklearn.exceptions import NotFittedError

import gale
from gale.errors import GaleError, ReadError
from gale.features.summary import PUBLISHED_MZ, intensity_moments, learn_mz
from helpers.errors import refused
from helpers.run_files import csv, small_run

RUNS = [small_run(seed=seed) for seed in range(3)]

TRANSFORMERS: list[Any] = [
    gale.SummaryFeatures(),
    gale.SummaryFeatures(mz=[99, 50, 50]),
    gale.SummaryFeatures(mz="learned", dropped=20, mz_min=60, mz_max=300),
    gale.ProfileFeatures(bins=16, mz_first=50, mz_last=99, losses=10),
    gale.EventFeatures(events=3, bins=16, mz_first=50, mz_last=99, losses=10),
    gale.ApexFeatures(events=3, bins=16, mz_first=50, mz_last=99, losses=10),
]


@pytest.mark.parametrize("transformer", TRANSFORMERS, ids=repr)
def test_rows_are_the_features_of_runs(transformer: Any) -> None:
    fitted = clone(transformer).fit(RUNS)
    values = fitted.transform(RUNS)
    expected = [fitted.spec_.features_of(run) for run in RUNS]
    np.testing.assert_array_equal(values, expected)
    names = fitted.get_feature_names_out().tolist()
    assert len(names) == len(set(names)) == values.shape[1] == fitted.n_features_out_
    again = pickle.loads(pickle.dumps(fitted))
    np.testing.assert_array_equal(again.transform(RUNS), values)
    frame = fitted.set_output(transform="polars").transform(RUNS)
    assert isinstance(frame, pl.DataFrame)
    assert frame.columns == names


def test_names_say_which_block_and_mz() -> None:
    names = gale.SummaryFeatures(mz=[50, 99]).fit(RUNS).get_feature_names_out()
    assert names[:4].tolist() == ["mean_50", "mean_99", "d1_50", "d1_99"]
    fitted = gale.EventFeatures(events=2, bins=16, mz_first=50, mz_last=52, losses=2).fit(RUNS)
    assert fitted.get_feature_names_out().tolist() == [
        "height_50", "height_51", "height_52", "share_50", "share_51", "share_52",
        "loss_1", "loss_2", "spectrum1_50", "spectrum1_51", "spectrum1_52",
        "spectrum2_50", "spectrum2_51", "spectrum2_52",
    ]  # fmt: skip
    assert gale.SummaryFeatures().fit(RUNS).spec_.mz == PUBLISHED_MZ


def test_mz_are_learned_from_the_runs_of_fit_alone() -> None:
    learned = gale.SummaryFeatures(mz="learned", dropped=5)
    for runs in (RUNS[:1], RUNS):
        moments = [intensity_moments(run, None, None) for run in runs]
        fitted = clone(learned).fit(runs)
        assert fitted.spec_.mz == learn_mz(moments, 5)
        assert fitted.transform(RUNS).shape == (3, 7 * len(fitted.spec_.mz))


def test_paths_of_any_container(tmp_path: Path) -> None:
    paths = [tmp_path / f"{number}.csv" for number in range(3)]
    for path, run in zip(paths, RUNS, strict=True):
        path.write_bytes(csv(run))
    transformer = gale.SummaryFeatures(mz=[50, 99], cache=gale.Cache(tmp_path / "cache")).fit(paths)
    expected = transformer.transform(RUNS)
    texts = list(map(str, paths))
    campaign = gale.Campaign.from_runs(paths)
    for runs in (paths, texts, np.array(texts), pd.Series(texts), pl.Series(texts), campaign):
        np.testing.assert_array_equal(transformer.transform(runs), expected)
    assert any((tmp_path / "cache").rglob("*"))


def test_what_is_refused(tmp_path: Path) -> None:
    fitted = gale.SummaryFeatures(mz=[50, 99]).fit(RUNS)
    with refused(ReadError, "X", found=["1 run", "none.csv"]):
        fitted.transform([RUNS[0], tmp_path / "none.csv"])
    for wrong in (np.zeros((2, 2)), [], [1, 2], "run.csv"):
        with refused(GaleError, "X"):
            fitted.transform(wrong)
    with refused(GaleError, "mz", found="'all'"):
        gale.SummaryFeatures().set_params(mz="all").fit(RUNS)
    with refused(GaleError, "mz", found="no m/z"):
        gale.SummaryFeatures(mz=[50], mz_min=60).fit(RUNS)
    with refused(GaleError, "mz_last", found="9"):
        gale.ProfileFeatures(mz_last=9).fit(RUNS)
    with pytest.raises(NotFittedError):
        gale.EventFeatures().transform(RUNS)
