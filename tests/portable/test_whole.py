"""Whole graphs against the Python way: features, probabilities, times; and what the file says."""

from __future__ import annotations

import json
import os
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import onnxruntime
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from onnx.reference import ReferenceEvaluator

import gale
from gale.errors import GaleError, ModelError, OutputError, ReadError
from gale.features import apexes
from gale.features.apexes import ApexSpec
from gale.features.elution import ElutionSpec
from gale.features.events import EventSpec
from gale.features.joined import JoinedSpec, specs_of
from gale.features.profile import ProfileSpec
from gale.features.spec import FeatureSpec
from gale.features.summary import SummarySpec
from gale.model import Model
from gale.model.file import CHECKSUM_KEY
from gale.portable.whole import whole_graph
from gale.run import Run
from gale.training.nodes import Precision
from helpers.errors import refused
from helpers.whole_graphs import drawn_model, outputs_of, session_of

MODELS = Path(__file__).parents[1] / "model" / "models"
REAL = Path(os.environ.get("GALE_EXTRA_DATA", "")) / "real"

SPECS: dict[str, FeatureSpec] = {
    "events": EventSpec(ProfileSpec(ElutionSpec(24, 12, 60), losses=10), events=6),
    "every bin is an event": EventSpec(ProfileSpec(ElutionSpec(7, 1, 30, 0.3), losses=40), 99),
    "one bin, one m/z": EventSpec(ProfileSpec(ElutionSpec(1, 20, 20), losses=3), 1),
    "apexes": ApexSpec(ProfileSpec(ElutionSpec(24, 12, 60), losses=10), events=12),
    "one apex": ApexSpec(ProfileSpec(ElutionSpec(3, 1, 30), losses=3), events=1),
    "profile": ProfileSpec(ElutionSpec(33, 2, 45, 1.0), losses=5),
    "no baseline": ProfileSpec(ElutionSpec(16, 10, 40, 0.0), losses=30),
    "summary": SummarySpec(tuple(range(3, 58, 2))),
    "summary of a range": SummarySpec((18, 20, 21, 43), 15, 50),
    "joined": JoinedSpec(
        (
            ApexSpec(ProfileSpec(ElutionSpec(3, 1, 30), losses=3), events=2),
            SummarySpec((18, 20, 21, 43), 15, 50),
            EventSpec(ProfileSpec(ElutionSpec(7, 20, 30), losses=4), 5),
        )
    ),
}


def assert_alike(found: dict[str, Any], model: Model, run: Run) -> None:
    """All outputs of a whole graph are those of the model.

    Heights of apexes are differences of numbers that may be much larger, in single precision.
    """
    rounding = 10 if isinstance(specs_of(model.spec)[0], ApexSpec) else 1
    features = model.spec.features_of(run)
    np.testing.assert_allclose(found["features"][0], features, atol=1e-4 * rounding)
    probability, of_members = model.predict_features(features[None])
    np.testing.assert_allclose(found["probability"], probability, atol=1e-5 * rounding)
    np.testing.assert_allclose(found["member_probability"], of_members, atol=1e-5 * rounding)
    unlike = model._predict(features[None])[2]
    assert not model.has_distance or found["unlike"] == pytest.approx(unlike, rel=1e-4, abs=1e-4)
    if model.has_elution_network:
        evidence = model.evidence(run)
        n_spectra = len(evidence)
        times, lacking = np.split(found["event_time_min"], [n_spectra])
        np.testing.assert_allclose(times, evidence["time_min"], rtol=1e-12)
        assert np.isnan(lacking).all()
        scores = found["evidence"][0, :n_spectra]
        np.testing.assert_allclose(scores, evidence[:, 1:].to_numpy(), atol=1e-5 * rounding)


@st.composite
def runs(draw: st.DrawFn) -> Run:
    """Runs with empty scans, equal times, odd m/z, strays, and ions of no or equal intensity."""
    random = np.random.default_rng(draw(st.integers(0, 2**32)))
    n_scans, n_ions = draw(st.integers(1, 40)), draw(st.integers(0, 300))
    time_min = np.sort(random.uniform(0, 20, n_scans))
    if draw(st.booleans()):
        time_min = np.sort(time_min.round())
    count = random.multinomial(n_ions, random.dirichlet(np.full(n_scans, 0.5)))
    mz = random.uniform(0.2, draw(st.sampled_from([5, 62, 400])), n_ions)
    mz = mz.round(draw(st.sampled_from([0, 1, 6]))) + 1e-3
    start = np.append(0, np.cumsum(count))
    if draw(st.booleans()):
        mz = np.concatenate([np.sort(mz[low:high]) for low, high in pairwise(start)])
    intensity = random.lognormal(5, draw(st.sampled_from([0.1, 3.0])), n_ions)
    intensity[random.random(n_ions) < draw(st.sampled_from([0.0, 0.3, 1.0]))] = 0
    return Run(time_min, start, mz, intensity)


@pytest.mark.slow
@pytest.mark.parametrize("name", SPECS)
def test_random_runs(name: str) -> None:
    model = drawn_model(SPECS[name])
    session = session_of(whole_graph(model))
    seen = {"found": 0, "none": 0}

    @given(runs())
    @settings(max_examples=80)
    def check(run: Run) -> None:
        found = outputs_of(session, run)
        try:
            model.spec.features_of(run)
        except ReadError:
            seen["none"] += 1
            assert all(np.isnan(value).all() for value in found.values())
        else:
            seen["found"] += 1
            assert_alike(found, model, run)

    check()
    assert min(seen.values()) > 0


@pytest.mark.slow
def test_runs_whose_scans_are_taken_together(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(apexes, "LONGEST", 9)
    test_random_runs("apexes")


@pytest.mark.parametrize("name", SPECS)
def test_halves_are_rounded_as_python_rounds_them(name: str) -> None:
    model = drawn_model(SPECS[name])
    mz = np.array([19.5, 20.4999999999, 20.5, 21.5, 42.49999999999, 42.5])
    run = Run.from_scans([0.0, 1.0, 2.0], [2, 2, 2], mz, [5.0, 1.0, 9.0, 2.0, 7.0, 7.0])
    assert_alike(outputs_of(session_of(whole_graph(model)), run), model, run)


def test_a_long_plateau_and_a_huge_range_of_intensities() -> None:
    model = drawn_model(SPECS["events"])
    random = np.random.default_rng(3)
    level = np.where(np.arange(200) % 70 < 40, 3.3e7, 1e-9)
    intensity = (level[:, None] * [1.0, 0.7, 1e3]) * random.uniform(0.999999, 1, (200, 3))
    run = Run.from_rows(
        np.repeat(np.arange(200.0), 3), np.tile([18.0, 43.0, 44.0], 200), intensity.ravel()
    )
    assert_alike(outputs_of(session_of(whole_graph(model)), run), model, run)


@pytest.mark.parametrize("name", ["elution.onnx", "format1.onnx"])
def test_model_files_of_earlier_versions(name: str) -> None:
    model = Model.load(MODELS / name)
    session = session_of(whole_graph(model))
    random = np.random.default_rng(0)
    for n_scans in (1, 2, 700):
        n_ions = 9 * n_scans
        start = np.arange(0, n_ions + 1, 9)
        mz = random.choice([18.0, 28.0, 57.0, 91.0, 92.0], n_ions)
        run = Run(np.linspace(1, 9, n_scans), start, mz, random.lognormal(5, 2, n_ions))
        assert_alike(outputs_of(session, run), model, run)


def real_files() -> list[Path]:
    if not REAL.is_dir():
        return []
    names = ["andi/HP_CENTSCNH*", "andi/TEST_QD*", "gunshot/*.JDX", "known/*.cdf"]
    return [path for name in names for path in sorted(REAL.glob(name))[:1]]


@pytest.mark.parametrize("path", real_files() or [None], ids=lambda path: path and path.name)
def test_real_runs(path: Path | None) -> None:
    if path is None:
        pytest.skip("GALE_EXTRA_DATA names no folder of real files")
    run = gale.read_run(path)
    for model in (Model.load(MODELS / "elution.onnx"), drawn_model(SummarySpec())):
        assert_alike(outputs_of(session_of(whole_graph(model)), run), model, run)


@pytest.mark.slow
@pytest.mark.parametrize("name", ["events", "summary"])
def test_two_million_ions(name: str) -> None:
    random = np.random.default_rng(1)
    n_scans, per_scan = 20_000, 100
    n_ions = n_scans * per_scan
    run = Run(
        np.linspace(0, 60, n_scans),
        np.arange(0, n_ions + 1, per_scan),
        np.tile(np.linspace(1, 100, per_scan), n_scans) + random.uniform(-0.5, 0.5, n_ions),
        random.lognormal(5, 3, n_ions),
    )
    model = drawn_model(SPECS[name])
    assert_alike(outputs_of(session_of(whole_graph(model)), run), model, run)


@pytest.mark.parametrize("name", SPECS)
def test_the_file_is_sound_and_says_what_it_is(name: str) -> None:
    model = drawn_model(SPECS[name])
    data = whole_graph(model)
    proto = onnx.load_from_string(data)
    onnx.checker.check_model(proto, full_check=True)
    assert proto.domain == "gale"
    assert proto.model_version == 20260102030405
    for family in model.families:
        assert family in proto.doc_string
    said = {entry.key: entry.value for entry in proto.metadata_props}
    assert set(said) == {"gale_whole", "gale_families", "gale_facts", CHECKSUM_KEY}
    assert said["gale_whole"] == "1"
    assert said["gale_families"].split("\n") == list(model.families)
    facts = json.loads(said["gale_facts"])
    assert facts["families"] == list(model.families)
    assert facts["model"]["sha256"] == model.sha256
    assert facts["prevalence"] == list(model.prevalence.values())
    assert facts["without_ions_in_range"] == "all outputs are NaN"
    session = session_of(data)
    for declared, stated in (
        (session.get_inputs(), facts["inputs"]),
        (session.get_outputs(), facts["outputs"]),
    ):
        types = {"tensor(float)": "float32", "tensor(double)": "float64", "tensor(int64)": "int64"}
        assert [(each.name, each.shape, types[each.type]) for each in declared] == [
            (each["name"], each["shape"], each["type"]) for each in stated
        ]
    assert {value.doc_string for value in proto.graph.input} == {
        each["meaning"] for each in facts["inputs"]
    }
    assert whole_graph(model) == data


@pytest.mark.parametrize("precision", ["float32", "float16", "int8"])
def test_weights_of_every_precision(precision: Precision) -> None:
    spec = EventSpec(ProfileSpec(ElutionSpec(24, 12, 300), losses=10), events=6)
    model = drawn_model(spec, hidden=64, precision=precision)
    random = np.random.default_rng(0)
    mz = random.integers(12, 300, 900).astype(float)
    run = Run(np.linspace(1, 9, 90), np.arange(0, 901, 10), mz, random.lognormal(5, 2, 900))
    found, sizes = [], []
    for int8 in (False, True):
        data = whole_graph(model, int8=int8)
        onnx.checker.check_model(onnx.load_from_string(data), full_check=True)
        said = {each.key: each.value for each in onnx.load_from_string(data).metadata_props}
        assert json.loads(said["gale_facts"])["weights"] == ("int8" if int8 else precision)
        found.append(outputs_of(session_of(data), run))
        sizes.append(len(data))
    assert_alike(found[0], model, run)
    share = {"float32": (0.2, 0.6), "float16": (0.5, 0.9), "int8": (0.7, 1.0)}[precision]
    assert share[0] < sizes[1] / sizes[0] <= share[1]
    np.testing.assert_array_equal(found[0]["features"], found[1]["features"])
    differences = np.abs(found[0]["member_probability"] - found[1]["member_probability"])
    assert differences.max() < 0.02
    assert (differences.max() > 0) == (precision != "int8")


def test_gale_says_that_a_whole_graph_is_none_of_its_models() -> None:
    with refused(ModelError, found="whole graph", remedy="exported from"):
        Model(whole_graph(drawn_model(SPECS["profile"])))


def test_a_graph_of_an_older_operator_set_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    model = drawn_model(SPECS["profile"])
    monkeypatch.setattr("gale.portable.embedding.OPSET", 19)
    with refused(ModelError, found="operator set 18", expected="19"):
        whole_graph(model)


def test_an_export_is_a_file_and_does_not_replace_another(tmp_path: Path) -> None:
    model, path = drawn_model(SPECS["profile"]), tmp_path / "whole.onnx"
    gale.export_whole(model, path)
    assert path.read_bytes() == whole_graph(model)
    with pytest.raises(OutputError):
        gale.export_whole(model, path)
    gale.export_whole(model, path, int8=True, force=True)
    assert path.read_bytes() == whole_graph(model, int8=True)
    with pytest.raises(GaleError):
        gale.export_whole(tmp_path, path)  # type: ignore[arg-type]


def test_a_scan_that_does_not_exist_is_an_error_of_the_runtime() -> None:
    session = session_of(whole_graph(drawn_model(SPECS["profile"])))
    given = {"time_min": np.zeros(1), "scan_of_ion": np.array([1]), "mz": np.array([18.0])}
    with pytest.raises(onnxruntime.capi.onnxruntime_pybind11_state.InvalidArgument):
        session.run(None, {**given, "intensity": np.ones(1)})


def test_files_of_format_1_give_the_numbers_that_they_gave() -> None:
    folder = Path(__file__).with_name("format1")
    run = gale.read_run(folder / "run.csv")
    found = outputs_of(session_of((folder / "whole.onnx").read_bytes()), run)
    stated = json.loads((folder / "outputs.json").read_text("utf-8"))
    assert set(stated) == set(found)
    for name, expected in stated.items():
        np.testing.assert_allclose(found[name], expected, atol=1e-5, err_msg=name)
    assert_alike(found, Model.load(MODELS / "elution.onnx"), run)


@pytest.mark.parametrize("name", SPECS)
def test_another_implementation_of_onnx_gives_the_same(name: str) -> None:
    """The operators mean what the standard says, not only what ONNX Runtime makes of them."""
    model = drawn_model(SPECS[name])
    random = np.random.default_rng(4)
    mz = random.choice([3.0, 4.0, 18.0, 20.4, 21.5, 28.0, 43.0, 57.0], 240)
    run = Run(np.linspace(1, 9, 80), np.arange(0, 241, 3), mz, random.lognormal(5, 2, 240))
    reference = ReferenceEvaluator(onnx.load_from_string(whole_graph(model)))
    assert_alike(outputs_of(reference, run), model, run)
