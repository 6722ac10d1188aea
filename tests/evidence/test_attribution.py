"""Ions that speak for families, in features of a known run, by a known model."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import cast

import numpy as np
import polars as pl
import pytest
from numpy.typing import NDArray
from scipy.special import expit, logit

import gale
from gale.errors import GaleWarning, ModelError
from gale.evidence import SCHEMA, explain, find_attributions
from gale.evidence.attribution import IONS, SEVERAL_MZ, SUREST, mz_of_features, without_ions
from gale.features import profile, summary
from gale.features.elution import ElutionSpec
from gale.features.events import EventSpec
from gale.features.joined import JoinedSpec
from gale.features.profile import ProfileSpec
from gale.features.spec import FeatureSpec
from gale.features.summary import SummarySpec
from gale.library import embedded_library
from gale.matching import IndexTable, Matcher
from gale.model.support import Support
from gale.run import Run
from helpers.commands import error_of, succeed
from helpers.errors import check_error, refused
from helpers.training import Trained

MZ = np.array([28, 31, 32, 45, 46, 57, 91, 92])
SUMMARY = SummarySpec((28, 30, 31, 32, 45, 57, 90, 91))
PROFILE = ProfileSpec(ElutionSpec(50, 26, 95), losses=20)
EVENTS = EventSpec(PROFILE, events=10)
SPECS = [SUMMARY, PROFILE, EVENTS, JoinedSpec((EVENTS, SUMMARY))]
ALCOHOL, TOLUENE = {31: 900.0, 45: 300.0, 46: 80.0}, {91: 800.0, 92: 500.0}


def run_of(*peaks: tuple[float, Mapping[int, float]]) -> Run:
    """Scans of 10 minutes with peaks of some spectra on a floor of 1; 28 is always high."""
    time = np.linspace(0, 10, 501)
    signal = np.ones((len(time), len(MZ)))
    signal[:, np.isin(MZ, 28)] = 5000
    for at, ions in peaks:
        shape = np.exp(-0.5 * ((time - at) / 0.1) ** 2)
        for ion, height in ions.items():
            signal[:, np.isin(MZ, ion)] += height * shape[:, None]
    mz = np.tile(MZ.astype(float), len(time))
    return Run.from_scans(time, np.full(len(time), len(MZ)), mz, signal.ravel(), source="r.csv")


def removed(run: Run, *mz: int) -> Run:
    """The run as if the ions of some m/z had not been recorded."""
    left = ~np.isin(run.mz, mz)
    counts = np.bincount(run.scan_of_ion[left], minlength=run.n_scans)
    return Run.from_scans(run.time_min, counts, run.mz[left], run.intensity[left])


RUN = run_of((3.0, ALCOHOL), (7.0, TOLUENE))


class Known:
    """A logistic regression."""

    has_elution_network, source, number = False, "known.onnx", "probability"
    families = ("alcohol", "aromatic")
    facts: Mapping[str, object] = {}

    def __init__(
        self, spec: FeatureSpec, weight: NDArray[np.float64], bias: tuple[float, float]
    ) -> None:
        self.spec, self.weight, self.bias = spec, weight, np.array(bias)
        self.prevalence = {"alcohol": 0.2, "aromatic": 0.3}
        self.batches: list[int] = []

    def predict_features(self, features: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        self.batches.append(len(features))
        probability = expit(features.astype(float) @ self.weight + self.bias).astype(np.float32)
        return probability, probability[None]


def known(
    spec: FeatureSpec,
    *blocks: str,
    bias: tuple[float, float] = (0.0, 0.0),
    strength: float = 1.0,
) -> gale.Model:
    """A model for which m/z 31 and 45 are alcohol, and 91 is aromatic, by some blocks."""
    weight = np.zeros((spec.n_features, 2))
    of_mz = mz_of_features(spec)
    for name in blocks:
        inside = np.zeros(spec.n_features, dtype=bool)
        inside[spec.blocks[name]] = True
        weight[inside & (of_mz == 31), 0] = 2 * strength
        weight[inside & (of_mz == 45), 0] = strength
        weight[inside & (of_mz == 91), 1] = strength
    return cast(gale.Model, Known(spec, weight, bias))


def of_blocks(spec: FeatureSpec, features: np.ndarray, *names: str) -> np.ndarray:
    return np.concatenate([features[..., spec.blocks[name]] for name in names], axis=-1)


@pytest.mark.parametrize("spec", SPECS, ids=["summary", "profile", "events", "joined"])
def test_features_of_an_mz_are_those_of_a_run_without_its_ions(spec: FeatureSpec) -> None:
    of_mz, features = mz_of_features(spec), spec.features_of(RUN)
    mz, without = without_ions(spec, features)
    for number, each in enumerate(mz):
        own = of_mz == each
        expected = spec.features_of(removed(RUN, each))
        np.testing.assert_array_equal(without[number, own], expected[own], err_msg=str(each))
        np.testing.assert_array_equal(without[number, ~own], features[~own])
        assert (features[own] != without[number, own]).any()


def test_mz_are_those_of_which_ions_are_there() -> None:
    here = [28, 31, 32, 45, 46, 57, 91]  # 92 is neither kept nor follows a kept one but 91
    assert without_ions(SUMMARY, SUMMARY.features_of(RUN))[0].tolist() == [*here, 92]
    # on a level floor an m/z has no height
    assert without_ions(PROFILE, PROFILE.features_of(RUN))[0].tolist() == [31, 45, 46, 91, 92]
    gone = SUMMARY.features_of(removed(RUN, 31, 32))
    assert without_ions(SUMMARY, gone)[0].tolist() == [28, 45, 46, 57, 91, 92]


def test_of_summary_features_only_differences_and_relative_heights_differ_elsewhere() -> None:
    features = SUMMARY.features_of(RUN)
    mz, without = without_ions(SUMMARY, features)
    same = ("mean", "time", "height")
    for number, each in enumerate(mz):
        expected = SUMMARY.features_of(removed(RUN, each))
        if each != MZ[-1]:  # as published, a scan's last ion counts to the next scan
            np.testing.assert_array_equal(
                of_blocks(SUMMARY, without[number], *same), of_blocks(SUMMARY, expected, *same)
            )
        other = mz_of_features(SUMMARY) != each
        changed = np.flatnonzero(other & (np.abs(without[number] - expected) > 1e-6))
        names = {summary.BLOCKS[at // len(SUMMARY.mz)] for at in changed}
        allowed = {"d1", "d2", "dd"}
        allowed |= {"relative"} if each == 31 else set()  # the largest of those that count
        allowed |= {"time"} if each == MZ[-1] else set()
        assert names <= allowed, each
        if each in (31, 45):
            assert names == allowed, each


def test_of_profile_features_only_shares_and_losses_differ_elsewhere() -> None:
    features = PROFILE.features_of(RUN)
    mz, without = without_ions(PROFILE, features)
    for number, each in enumerate(mz):
        expected = PROFILE.features_of(removed(RUN, each))
        height, share, loss = (
            of_blocks(PROFILE, np.stack([without[number], expected]), name)
            for name in profile.BLOCKS
        )
        np.testing.assert_allclose(height[0], height[1], rtol=1e-6)
        assert (share[1] >= share[0] - 1e-6).all()
        np.testing.assert_array_equal(loss[0], of_blocks(PROFILE, features, "loss"))
        if each == 31:  # 14 lies between 31 and 45
            assert loss[1, 14 - 1] < 0.2 * loss[0, 14 - 1]
    assert (mz_of_features(PROFILE)[PROFILE.blocks["loss"]] == SEVERAL_MZ).all()


@pytest.mark.parametrize(
    ("spec", "blocks"),
    [(SUMMARY, ("mean", "time", "height")), (PROFILE, ("height",)), (EVENTS, ("height",))],
)
def test_falls_are_those_of_the_run_without_the_ions(
    spec: FeatureSpec, blocks: tuple[str, ...]
) -> None:
    model = known(spec, *blocks, bias=(-1.0, -1.0))
    alcohol, aromatic = find_attributions(model, RUN, least=0.0)
    assert alcohol.family == "alcohol"
    assert set(alcohol.ions) == {31, 45}
    assert aromatic.ions == (91,)
    runs = [RUN, *(removed(RUN, mz) for mz in (*alcohol.ions, *aromatic.ions))]
    features = np.stack([spec.features_of(run) for run in runs])
    probability = model.predict_features(features)[0].astype(float)
    log_odds = logit(probability)
    expected = [*(log_odds[0] - log_odds[1:])[:2, 0], log_odds[0, 1] - log_odds[3, 1]]
    np.testing.assert_allclose([*alcohol.falls, *aromatic.falls], expected, atol=1e-4)
    assert alcohol.falls == tuple(sorted(alcohol.falls, reverse=True))
    assert alcohol.probability == pytest.approx(probability[0, 0], abs=1e-6)
    without_both = spec.features_of(removed(RUN, *alcohol.ions))
    lower = model.predict_features(without_both[None])[0][0]
    assert lower[0] < probability[0, 0] - 0.05
    assert lower[1] == pytest.approx(probability[0, 1], abs=1e-6)


def test_all_mz_go_through_the_model_at_once() -> None:
    model = known(SUMMARY, "mean")
    find_attributions(model, RUN)
    assert cast(Known, model).batches == [1 + len(MZ)]


def test_ions_that_make_a_family_less_probable_are_not_named() -> None:
    (alcohol, aromatic) = find_attributions(known(PROFILE, "height", strength=-1.0), RUN, least=0.0)
    assert alcohol.ions == aromatic.ions == ()
    assert alcohol.falls == ()


def test_few_ions_are_named_and_those_that_matter_most() -> None:
    weight = np.zeros((SUMMARY.n_features, 2))
    of_mz = mz_of_features(SUMMARY)
    height = np.arange(len(of_mz)) // len(SUMMARY.mz) == summary.BLOCKS.index("height")
    weight[height, 0] = 1 / (1 + np.arange(8))
    (alcohol, _) = find_attributions(cast(gale.Model, Known(SUMMARY, weight, (0, 0))), RUN, least=0)
    given = SUMMARY.features_of(RUN)[height] + 1
    falls = {int(mz): fall for mz, fall in zip(SUMMARY.mz, weight[height, 0] * given, strict=True)}
    assert list(alcohol.ions) == sorted(falls, key=lambda mz: -falls[mz])[:IONS]


def test_families_that_are_no_more_probable_than_usual_are_left_out() -> None:
    model = known(SUMMARY, "height", bias=(0.0, -9.0))
    assert [each.family for each in find_attributions(model, RUN)] == ["alcohol"]
    everything = find_attributions(model, RUN, least=0.0)
    assert [each.family for each in everything] == list(Known.families)


def test_probabilities_that_are_rounded_to_1_have_finite_falls() -> None:
    (alcohol, _) = find_attributions(known(PROFILE, "height", bias=(15.0, 0.0), strength=9.0), RUN)
    assert alcohol.probability == 1.0
    assert np.isfinite(alcohol.falls).all()
    assert logit(SUREST) > 16


def test_the_table_has_a_row_for_each_family_and_no_times() -> None:
    with pytest.warns(GaleWarning, match=r"known\.onnx.* elution network"):
        table = explain(known(SUMMARY, "height"), RUN)
    assert table.schema == pl.Schema(SCHEMA)
    assert table["family"].to_list() == ["alcohol", "aromatic"]
    assert table["run"].to_list() == ["r.csv"] * 2
    assert set(table["basis"]) == {"features"}
    assert table.select("ion_1", "ion_2", "ion_3").rows() == [(31, 45, None), (91, None, None)]
    alcohol, _ = find_attributions(known(SUMMARY, "height"), RUN)
    assert table.select("fall_1", "fall_2").row(0) == alcohol.falls
    filled = ["run", "family", "probability", "basis", "ion_1", "fall_1"]
    assert set(table.null_count().select(pl.exclude(*filled, "ion_2", "fall_2")).row(0)) == {2}
    assert set(table.null_count().select(filled).row(0)) == {0}


def test_there_is_no_spectrum_to_compare() -> None:
    index = IndexTable(np.array([0.0, 10.0]), np.array([500.0, 1500.0]))
    matcher = Matcher(embedded_library().take([0]))
    for wanted in ({"index": index}, {"matcher": matcher}):
        with refused(ModelError, "known.onnx", found="elution network", remedy="library"):
            explain(known(SUMMARY, "height"), RUN, **wanted)


def test_a_trained_model(trained: Trained, campaign: gale.Campaign) -> None:
    run = gale.read_run(campaign.of_split("test").paths[0])
    spec, model = trained.model.spec, trained.model
    features = spec.features_of(run)
    mz, without = without_ions(spec, features)
    support = Support.of_facts(model.facts)
    assert support is not None

    def log_odds(features: np.ndarray) -> np.ndarray:
        """What the model would say if the number of its training runs did not limit it."""
        return np.asarray(logit(support.undo(model.predict_features(features)[0][0])))

    before = log_odds(features[None])
    found = find_attributions(model, run, least=0.0)
    assert [each.family for each in found] == list(model.families)
    assert any(each.ions for each in found)
    for column, each in enumerate(found):
        for ion, fall in zip(each.ions, each.falls, strict=True):
            after = log_odds(without[mz == ion])[column]
            assert fall == pytest.approx(before[column] - after, abs=1e-3)


def test_the_command(trained: Trained, campaign: gale.Campaign, tmp_path: Path) -> None:
    runs = campaign.of_split("test").paths[:2]
    evidence = tmp_path / "evidence.csv"
    words = ["predict", *runs, "--model", trained.path, "-o", tmp_path / "p.csv"]
    result = succeed(*words, "--evidence", evidence)
    (line,) = [line for line in result.stderr.splitlines() if "no elution network" in line]
    assert str(trained.path) in line
    table = pl.read_csv(evidence, schema_overrides=SCHEMA)
    assert table.columns == ["score" if name == "probability" else name for name in SCHEMA]
    with pytest.warns(GaleWarning):
        expected = explain(trained.model, gale.read_run(runs[0]))
    found = table.filter(run=str(runs[0]))
    assert len(found) == len(expected) > 0
    assert found["family"].to_list() == expected["family"].to_list()
    for rank in range(1, IONS + 1):
        assert found[f"ion_{rank}"].to_list() == expected[f"ion_{rank}"].to_list()


@pytest.mark.parametrize("option", ["--library", "--index-table"])
def test_the_command_refuses_what_needs_spectra_before_it_reads_it(
    option: str, trained: Trained, campaign: gale.Campaign, tmp_path: Path
) -> None:
    words = ["predict", campaign.paths[0], "--model", trained.path, "-o", tmp_path / "p.csv"]
    error = error_of(*words, "--evidence", tmp_path / "e.csv", option, tmp_path / "none.csv")
    check_error(error, trained.path, found="elution network", kind=ModelError)
    assert not (tmp_path / "p.csv").exists(), "it is told before anything is predicted"
