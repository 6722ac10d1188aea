"""Mistakes of callers: an error says of an argument of the wrong kind what makes the right one."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest

import gale
from gale.campaign.labels import LabelTable
from gale.errors import GaleError, ModelError, OutputError, PlotError, TableError
from gale.plumbing.arguments import check_kind, check_several, check_whole
from helpers.errors import refused

G: Any = gale
"""The package without types: its callers make mistakes."""

RUN = gale.Run.from_rows([1, 1, 2, 3], [57, 91, 57, 91], [70, 30, 90, 20])
LABELS = LabelTable(("S1", "S2"), ("alcohol",), np.array([[1], [0]], dtype=np.float32))
TABLE = pl.DataFrame({"run": ["S1", "S2"], "status": "ok", "message": None, "alcohol": [0.8, 0.3]})
PREVALENCE = {"alcohol": 0.5}


@pytest.fixture(scope="module")
def model() -> gale.Model:
    return gale.Model.load(Path(__file__).parents[1] / "model" / "models" / "elution.onnx")


def test_the_right_kinds_pass() -> None:
    check_kind("run", RUN, gale.Run)
    check_kind("model", "m.onnx", str, Path)
    check_whole("seed", np.int64(3), 0, 5)
    check_several("structures", ["CCO"])


@pytest.mark.parametrize("value", [0, 7, 1.0, "3", None, True])
def test_a_number_outside_its_limits(value: object) -> None:
    with refused(
        GaleError, "trainings", found=repr(value), expected="1 to 6", remedy="trainings=1"
    ):
        check_whole("trainings", value, 1, 6)


@pytest.mark.parametrize(
    "call",
    [
        lambda model: G.explain(model, "run.csv"),
        lambda model: G.find_windows(model, Path("run.csv")),
        lambda model: G.find_attributions(model, "run.csv"),
        lambda model: G.run_report(model, "run.csv"),
        lambda model: model.evidence("run.csv"),
        lambda _: G.plot_run("run.csv"),
        lambda _: G.write_run("run.csv", "run.mzML"),
        lambda _: G.oddities("run.csv"),
    ],
)
def test_a_path_where_a_run_belongs(call: Callable[[Any], Any], model: gale.Model) -> None:
    with refused(GaleError, "run", found="run.csv", expected="Run", remedy="gale.read_run"):
        call(model)


@pytest.mark.parametrize(
    "call",
    [
        lambda: G.explain("m.onnx", RUN),
        lambda: G.find_windows("m.onnx", RUN),
        lambda: G.find_attributions("m.onnx", RUN),
        lambda: G.evidence_table("m.onnx", RUN),
        lambda: G.run_report("m.onnx", RUN),
        lambda: G.run_pages("m.onnx", [], "pages"),
        lambda: G.model_card("m.onnx"),
    ],
)
def test_a_path_where_a_model_belongs(call: Callable[[], Any]) -> None:
    with refused(GaleError, "model", found="m.onnx", expected="Model", remedy="gale.Model.load"):
        call()


@pytest.mark.parametrize(
    "call",
    [
        lambda: G.train("campaign"),
        lambda: G.ablate("campaign"),
        lambda: G.training_report("campaign", "m.onnx"),
    ],
)
def test_a_path_where_a_campaign_belongs(call: Callable[[], Any]) -> None:
    with refused(GaleError, "campaign", expected="Campaign", remedy="gale.Campaign.open"):
        call()


@pytest.mark.parametrize(
    ("name", "call"),
    [
        ("matcher", lambda model: G.explain(model, RUN, matcher=G.embedded_library())),
        ("index", lambda model: G.explain(model, RUN, index="indices.csv")),
        ("library", lambda _: G.Matcher("mine.msp")),
        ("library", lambda _: G.guess_derivatives(["CCO"])),
        ("library", lambda _: G.simulate("new", library=3)),
        ("families", lambda _: G.simulate("new", families="mine.toml")),
        ("physics", lambda _: G.simulate("new", physics="mine.toml")),
        ("runs", lambda _: G.simulate("new", runs=3.5)),
        ("new_instrument", lambda _: G.simulate("new", runs=9, new_instrument="test")),
        ("seed", lambda _: G.simulate("new", seed=-1)),
        ("run", lambda model: model.predict([3])),
        ("run", lambda model: G.run_pages(model, [RUN], "pages")),
        ("work", lambda model: model.predict(RUN, 4)),
        ("prediction", lambda model: G.run_report(model, RUN, prediction=TABLE)),
        ("predictions", lambda _: G.evaluate("predictions.csv", LABELS)),
        ("labels", lambda _: G.evaluate(TABLE, "labels.csv")),
        ("prevalence", lambda _: G.evaluate(TABLE, LABELS, prevalence=[0.5])),
        ("resamples", lambda _: G.evaluate(TABLE, LABELS, prevalence=PREVALENCE, resamples=0)),
        ("seed", lambda _: G.evaluate(TABLE, LABELS, prevalence=PREVALENCE, seed=-1)),
        ("most", lambda _: G.second_look(["S1"], ["a"], [[1]], [[0.2]], [0.5], most=-1)),
        ("table", lambda _: G.write_evidence([1], "evidence.csv")),
        ("ablation", lambda _: G.save_ablation(3, "ablation")),
        ("figure", lambda _: G.save_figure(RUN, "run.png", "png")),
        ("structures", lambda _: G.families_of("CCO")),
        ("table", lambda _: G.families_of(["CCO"], "mine.toml")),
        ("structures", lambda _: G.estimate_retention_index("CCO")),
        ("derivatives", lambda _: G.estimate_retention_index(["CCO"], ["", "1 TMS"])),
        ("columns", lambda _: G.read_run(Path(__file__), columns=["time"])),
    ],
)
def test_an_argument_of_another_kind(
    name: str,
    call: Callable[[Any], Any],
    model: gale.Model,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.chdir(tmp_path)
    with refused(GaleError, name):
        call(model)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("seed", [-1, 1.5, "a", 2**32])
def test_a_seed_that_nothing_can_take(seed: object, campaign: gale.Campaign) -> None:
    with refused(GaleError, "seed", found=repr(seed), expected=str(2**32 - 1)):
        G.train(campaign, "logistic", seed=seed)


@pytest.mark.parametrize("name", ["trainings", "iterations"])
def test_an_ablation_of_none(name: str, campaign: gale.Campaign) -> None:
    with refused(GaleError, name, found="0", remedy=f"{name}=1"):
        G.ablate(campaign, "quick", **{name: 0})


@pytest.mark.parametrize("name", ["history", "out_of_fold"])
def test_a_table_that_cannot_be_written_is_refused_before_training(
    name: str, campaign: gale.Campaign, tmp_path: Path
) -> None:
    journal = tmp_path / "journal"
    table = str(tmp_path / "nowhere" / "table.csv")
    with refused(OutputError, table, found="nowhere"):
        G.train(campaign, "logistic", journal=journal, **{name: table})
    assert not journal.exists()


@pytest.mark.slow
def test_paths_may_be_text(campaign: gale.Campaign, tmp_path: Path) -> None:
    text = "kind = 'logistic'\nfolds.count = 2"
    recipe = gale.Recipe.parse(text, "small.toml", default_name="small")
    gale.train(
        campaign,
        recipe,
        journal=str(tmp_path / "journal"),
        history=str(tmp_path / "history.csv"),
        out_of_fold=str(tmp_path / "out_of_fold.csv"),
        work=gale.Work(cache=gale.Cache(str(tmp_path / "cache"))),
    )
    made = {path.name for path in tmp_path.iterdir()}
    assert {"journal", "history.csv", "out_of_fold.csv", "cache"} <= made


def test_features_of_another_number(model: gale.Model) -> None:
    features = np.zeros((1, model.spec.n_features))  # of 64 bits, which is no mistake
    assert model.predict_features(features.astype(np.float64))[0].shape == (1, 9)
    with refused(ModelError, model.source, found="(1, 3)", expected=str(model.spec.n_features)):
        model.predict_features(np.zeros((1, 3), dtype=np.float32))


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
def test_numbers_that_are_not_finite_are_the_fault_of_who_gives_them(
    model: gale.Model, value: float
) -> None:
    features = np.zeros((2, model.spec.n_features), dtype=np.float32)
    features[1, :3] = value
    with refused(ModelError, "features", found="3 numbers"):
        model.predict_features(features)
    spectra = np.zeros((1, model.event_spec.shape[1]), dtype=np.float32)
    spectra[0, 5] = value
    with refused(ModelError, "spectra", found="1 number"):
        model.evidence_of_spectra(spectra)


def test_spectra_of_another_number_of_mz(model: gale.Model) -> None:
    n_mz = model.event_spec.shape[1]
    with refused(ModelError, model.source, found="(3, 5)", expected=str(n_mz)):
        model.evidence_of_spectra(np.zeros((3, 5), dtype=np.float32))


@pytest.mark.parametrize(
    ("table", "found"),
    [
        (TABLE.rename({"run": "file"}), "run"),
        (TABLE.with_columns(status=pl.lit("fine")), "status"),
        (TABLE.with_columns(alcohol=pl.lit("much")), "alcohol"),
    ],
)
def test_tables_that_are_no_predictions(table: pl.DataFrame, found: str) -> None:
    with refused(TableError, "predictions", found=found):
        gale.evaluate(table, LABELS, prevalence=PREVALENCE)


def test_a_prevalence_of_another_length() -> None:
    with refused(TableError, "prevalence", found="(3,)", expected="(1,)"):
        gale.second_look(["S1"], ["alcohol"], [[1]], [[0.2]], [0.5, 0.5, 0.5])


def test_a_figure_in_another_form_or_place(tmp_path: Path) -> None:
    figure = gale.plot_run(RUN)
    with refused(PlotError, "form", found="xyz", expected=("png", "svg"), remedy="savefig"):
        gale.save_figure(figure, tmp_path / "run.xyz", "xyz")
    nowhere = tmp_path / "nowhere" / "run.png"
    with refused(OutputError, nowhere):
        gale.save_figure(figure, nowhere, "png")


def test_one_evaluation_on_a_card(model: gale.Model) -> None:
    evaluation = gale.evaluate(TABLE, LABELS, prevalence=PREVALENCE, resamples=10)
    assert gale.model_card(model, evaluation) == gale.model_card(model, [evaluation])
