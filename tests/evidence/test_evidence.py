"""Windows, ions and matches of known runs, by a known network."""

from __future__ import annotations

from pathlib import Path
from typing import Any, cast

import numpy as np
import polars as pl
import pytest
from scipy.special import expit

import gale
from gale.errors import GaleWarning, OutputError
from gale.evidence import SCHEMA, explain, find_windows
from gale.features.elution import ElutionSpec
from gale.features.events import EventSpec
from gale.features.profile import ProfileSpec
from gale.matching import IndexTable, Matcher
from gale.model import Model
from gale.run import Run
from helpers.commands import error_of, succeed
from helpers.errors import check_error
from helpers.small_libraries import library
from helpers.training import Trained

SPEC = EventSpec(ProfileSpec(ElutionSpec(100, 26, 95), losses=5), events=40)


class Known:
    """Takes m/z 31 and 45 for alcohol and 91 for aromatic; more of it is more probable."""

    event_spec, families, prevalence = (
        SPEC,
        ("alcohol", "aromatic"),
        {"alcohol": 0.2, "aromatic": 0.3},
    )
    spec = event_spec
    probability = (0.9, 0.6)
    has_elution_network, number = True, "probability"

    def evidence_of_spectra(self, spectra: np.ndarray) -> np.ndarray:
        mz = np.array(SPEC.mz)
        weight = np.array([(mz == 31) * 2.0 + (mz == 45) * 1.0, (mz == 91) * 2.0]).T
        return np.asarray(expit(spectra @ weight - 12.0))

    def evidence(self, run: Run) -> pl.DataFrame:
        features, times = SPEC.describe(run)
        given = self.evidence_of_spectra(features[SPEC.profile.n_features :].reshape(SPEC.shape))
        return pl.DataFrame({"time_min": times, "alcohol": given[:, 0], "aromatic": given[:, 1]})

    def predict_features(self, features: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        probability = np.array([self.probability])
        return probability, probability[None]


def known(*probability: float) -> Model:
    model = Known()
    model.probability = probability or Known.probability  # type: ignore[assignment]
    return cast(Model, model)


def run_of(*peaks: tuple[float, dict[int, float]]) -> Run:
    """Scans of 10 minutes with peaks of some spectra at some times on a floor of 1."""
    time = np.linspace(0, 10, 1001)
    mz = np.array(sorted({57, *(mz for _, ions in peaks for mz in ions)}))
    signal = np.ones((len(time), len(mz)))
    for at, ions in peaks:
        shape = np.exp(-0.5 * ((time - at) / 0.03) ** 2)
        for ion, height in ions.items():
            signal[:, mz == ion] += height * shape[:, None]
    mz_all = np.tile(mz.astype(float), len(time))
    return Run.from_scans(time, np.full(len(time), len(mz)), mz_all, signal.ravel())


ALCOHOL, TOLUENE = {31: 900.0, 45: 300.0}, {91: 800.0, 65: 100.0}


def test_windows_are_where_compounds_elute() -> None:
    run = run_of((3.0, ALCOHOL), (7.0, TOLUENE))
    windows = find_windows(known(), run)
    assert [(window.family, window.probability) for window in windows] == [
        ("alcohol", 0.9), ("aromatic", 0.6)
    ]  # fmt: skip
    for window, at in zip(windows, (3.0, 7.0), strict=True):
        assert window.start_min < at < window.end_min
        assert abs(window.apex_min - at) <= 0.1
        assert window.end_min - window.start_min < 0.6
        assert window.share > 0.9
        assert window.matches == ()
    assert windows[0].ions == (31, 45)
    assert windows[1].ions == (91,)
    spectrum = dict(zip(SPEC.mz, windows[0].spectrum, strict=True))
    assert spectrum[31] / spectrum[45] == pytest.approx(3, rel=0.05)
    assert spectrum[57] < 0.01 * spectrum[31], "background is removed"


def test_several_windows_of_a_family_strongest_first() -> None:
    run = run_of((2.0, ALCOHOL), (8.0, {31: 850.0, 45: 330.0}))
    windows = find_windows(known(), run, least=0.8)
    assert [round(window.apex_min) for window in windows] == [2, 8]
    assert windows[0].share + windows[1].share == pytest.approx(1, abs=0.1)


def test_families_that_are_no_more_probable_than_usual_are_left_out() -> None:
    run = run_of((3.0, ALCOHOL), (7.0, TOLUENE))
    assert [window.family for window in find_windows(known(0.9, 0.29), run)] == ["alcohol"]
    assert len(find_windows(known(0.1, 0.1), run, least=0.0)) == 2
    assert explain(known(0.1, 0.1), run).schema == pl.Schema(SCHEMA)


def test_the_table_has_a_row_for_each_compound_that_is_like_the_spectrum() -> None:
    matcher = Matcher(library({31: 900.0, 45: 300.0}, {31: 880.0, 45: 320.0}, {60: 1.0}))
    index = IndexTable(np.array([0.0, 10.0]), np.array([500.0, 1500.0]))
    run = run_of((3.0, ALCOHOL), (7.0, TOLUENE))
    table = explain(known(), run, matcher=matcher, index=index)
    assert table.schema == pl.Schema(SCHEMA)
    alcohol, aromatic = table.filter(family="alcohol"), table.filter(family="aromatic")
    assert alcohol["match"].to_list() == [1, 2]
    assert alcohol["compound"].to_list() == ["compound 0", "compound 1"]
    assert alcohol["carries_family"].to_list() == [False, True]
    assert alcohol["window"].to_list() == [1, 1]
    assert alcohol.select("ion_1", "ion_2", "ion_3").row(0) == (31, 45, None)
    assert alcohol["fall_1"][0] > alcohol["fall_2"][0] > 0
    assert alcohol["inchikey"].to_list() == ["KEY-0", "KEY-1"]
    np.testing.assert_allclose(alcohol["index"], 500 + 100 * alcohol["apex_min"].to_numpy())
    assert aromatic.select("match", "compound", "cosine").rows() == [(None, None, None)]


def test_an_index_table_outside_the_run_is_told() -> None:
    index = IndexTable(np.array([180.0, 600.0]), np.array([500.0, 1500.0]), "alkanes.csv")
    run = run_of((3.0, ALCOHOL), (7.0, TOLUENE))
    with pytest.warns(GaleWarning, match=r"alkanes\.csv: none of its times, 180 to 600 min"):
        find_windows(known(), run, index=index)


def test_a_trained_model(stack: Model, campaign: gale.Campaign) -> None:
    run = gale.read_run(campaign.of_split("test").paths[0])
    features = SPEC_OF_STACK.features_of(run)
    spectra = features[SPEC_OF_STACK.profile.n_features :].reshape(SPEC_OF_STACK.shape)
    evidence = stack.evidence(run)
    found = stack.evidence_of_spectra(spectra[:5])
    np.testing.assert_allclose(found, evidence.drop("time_min").to_numpy()[:5], atol=1e-6)
    table = explain(stack, run, least=0.0)
    assert set(table["family"]) == set(stack.families)
    assert table["apex_min"].is_in(run.time_min).all()
    assert (table["start_min"] <= table["apex_min"]).all()
    assert (table["apex_min"] <= table["end_min"]).all()
    assert table["share"].is_between(0, 1.000001).all()
    assert (table["start_min"] < table["apex_min"]).all()
    assert (table["apex_min"] < table["end_min"]).all()


SPEC_OF_STACK = EventSpec(ProfileSpec(ElutionSpec(24, 26, 95), losses=10), events=6)


def test_the_command(stack: Model, campaign: gale.Campaign, tmp_path: Path) -> None:
    model, runs = tmp_path / "stack.onnx", campaign.of_split("test").paths[:2]
    stack.save(model)
    bad, output = tmp_path / "bad.csv", tmp_path / "p.csv"
    bad.write_text("time\n1\n")
    evidence = tmp_path / "evidence.csv"
    words: list[Any] = ["predict", runs[0], runs[1], "--model", model, "-o", output]
    result = succeed(*words, "--evidence", evidence)
    assert "attribution" not in result.stdout
    table = pl.read_csv(evidence)
    assert set(table["basis"]) == {"elution"}
    assert table.columns == list(SCHEMA)
    expected = explain(stack, gale.read_run(runs[0]))
    found = table.filter(run=str(runs[0]))
    assert found["compound"].to_list() == expected["compound"].to_list()
    assert found["cosine"].to_list() == expected["cosine"].round(4).to_list()
    error = error_of(*words, "--force", "--evidence", runs[0])  # never an input
    check_error(error, runs[0], kind=OutputError)


def test_options_that_need_evidence(trained: Trained, tmp_path: Path) -> None:
    from helpers.commands import invoke

    words = ["predict", "x.csv", "--model", trained.path, "-o", tmp_path / "p.csv"]
    result = invoke(*words, "--library", "x.msp")
    assert result.exit_code == 2
    for option in ("--library", "--index-table", "--evidence"):
        assert option in result.stderr


@pytest.mark.filterwarnings("error")
@pytest.mark.parametrize("scores", [(1.0, 0.5), (1.0, 1.0), (0.0, 0.0), (0.0, 1.0)])
def test_scores_of_exactly_0_and_1_have_finite_log_odds(scores: tuple[float, float]) -> None:
    """Single precision rounds strong evidence to 1 and weak to 0, whose log odds are infinite."""

    class Sure(Known):
        def evidence_of_spectra(self, spectra: np.ndarray) -> np.ndarray:
            strong = super().evidence_of_spectra(spectra) > 0.5
            return np.where(strong, scores[0], scores[1]).astype(np.float32)

    run = run_of((3.0, {31: 900, 45: 300}), (6.0, {91: 900}))
    windows = find_windows(cast(Model, Sure()), run)
    assert {window.family for window in windows} == {"alcohol", "aromatic"}
    assert all(0 < window.share <= 1 + 1e-9 for window in windows)
