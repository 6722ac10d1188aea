"""The ONNX file against torch, and what must and must not be in its bytes."""

from __future__ import annotations

import itertools
import os
import platform
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import onnxruntime
import pytest
import torch
from scipy.special import expit, logit
from torch import nn

import gale
from gale.features.elution import ElutionSpec
from gale.features.events import EventSpec
from gale.features.profile import ProfileSpec
from gale.model import Model
from gale.model.file import EVIDENCE, OUTPUTS
from gale.model.unlike import fit_unlike, share_elsewhere, unlike
from gale.plumbing.tables import UNLIKE
from gale.training.calibration import Away, Calibration
from gale.training.export import PartGraph, to_onnx
from gale.training.fitting import get_weights, predict_logits, set_weights
from gale.training.networks.elution import ElutionNetwork
from gale.training.networks.summary import summary_network
from gale.training.nodes import Precision
from helpers import graphs
from helpers.graphs import (
    ALL,
    FACTS,
    GENERATORS,
    N_FAMILIES,
    N_FEATURES,
    draw_state,
    file_of,
    linear,
    network,
)
from helpers.predictions import probability_of
from helpers.training import Array


@pytest.fixture(scope="module")
def members() -> list[nn.Module]:
    """Networks with all switches on and off, of one, two and no hidden layers, and a linear one."""
    switches = itertools.product([False, True], repeat=4)
    networks = [network(seed, each) for seed, each in enumerate(switches)]
    return [*networks, network(90, ALL, hidden=(8, 5)), network(91, ALL, hidden=()), linear(92)]


@pytest.fixture(scope="module")
def data(members: list[nn.Module]) -> bytes:
    return file_of(members)


def probability(members: list[nn.Module], x: torch.Tensor) -> np.ndarray:
    return np.concatenate([probability_of(member, x.numpy()) for member in members])


@pytest.mark.parametrize("n_runs", [0, 1, 2, 37])
def test_onnx_and_torch_agree_for_every_switch(
    members: list[nn.Module], data: bytes, n_runs: int
) -> None:
    x = 3 * torch.randn(n_runs, N_FEATURES, generator=torch.Generator().manual_seed(1))
    expected = probability(members, x)
    found, of_members = Model(data).predict_features(x.numpy())
    np.testing.assert_allclose(of_members, expected, atol=1e-5)
    np.testing.assert_allclose(found, expected.mean(0), atol=1e-5)
    assert of_members.shape == (len(members), n_runs, N_FAMILIES)


@pytest.fixture(scope="module")
def linear_data() -> bytes:
    return file_of([linear(1)])


def test_a_linear_member_alone(linear_data: bytes) -> None:
    x = torch.randn(5, N_FEATURES, generator=torch.Generator().manual_seed(1))
    found, of_members = Model(linear_data).predict_features(x.numpy())
    np.testing.assert_allclose(found, probability([linear(1)], x)[0], atol=1e-5)
    np.testing.assert_array_equal(of_members, found[None])


def test_members_of_one_network_are_exported_as_each_alone() -> None:
    together = summary_network(N_FEATURES, N_FAMILIES, GENERATORS * 3, hidden=(8,))
    draw_state(together, 5)
    x = torch.randn(7, N_FEATURES, generator=torch.Generator().manual_seed(1)).numpy()
    found, of_members = Model(file_of([together])).predict_features(x)
    assert of_members.shape == (3, 7, N_FAMILIES)
    for member in range(3):
        alone = summary_network(N_FEATURES, N_FAMILIES, GENERATORS, hidden=(8,))
        set_weights(alone, 0, get_weights(together, member))
        np.testing.assert_allclose(of_members[member], probability_of(alone, x)[0], atol=1e-5)
    np.testing.assert_allclose(found, of_members.mean(0), atol=1e-6)


def test_inputs_and_outputs(data: bytes) -> None:
    session = onnxruntime.InferenceSession(data, providers=["CPUExecutionProvider"])
    (given,) = session.get_inputs()
    assert (given.name, given.shape, given.type) == (
        "summary",
        ["runs", N_FEATURES],
        "tensor(float)",
    )
    outputs = {output.name: output.shape for output in session.get_outputs()}
    assert outputs == {"probability": ["runs", 3], "member_probability": [19, "runs", 3]}


@pytest.fixture(scope="module")
def in_training() -> nn.Module:
    return network(1, ALL).train()


@pytest.fixture(scope="module")
def two_data(in_training: nn.Module) -> bytes:
    return file_of([in_training, linear(1)])


def test_exporting_puts_members_in_inference_and_changes_no_weight(
    in_training: nn.Module, two_data: bytes
) -> None:
    expected = network(1, ALL).state_dict()
    for name, value in in_training.state_dict().items():
        assert torch.equal(value, expected[name])
    x = torch.randn(4, N_FEATURES, generator=torch.Generator().manual_seed(1))
    _, found = Model(two_data).predict_features(x.numpy())
    np.testing.assert_allclose(found, probability([network(1, ALL), linear(1)], x), atol=1e-5)


def test_facts_come_back(data: bytes) -> None:
    expected = {**FACTS, "members": 19, "checksum": "sha256"}
    assert dict(Model(data).facts) == expected


def test_the_same_members_give_the_same_bytes(linear_data: bytes, data: bytes) -> None:
    assert data != linear_data
    reordered = dict(reversed(FACTS.items()))
    assert file_of([linear(1)], reordered) == linear_data


@pytest.mark.slow
def test_another_process_gives_the_same_bytes(two_data: bytes, tmp_path: Path) -> None:
    code = (
        "import sys, pathlib, helpers.graphs as t\n"
        "data = t.file_of([t.network(1, t.ALL), t.linear(1)])\n"
        "pathlib.Path(sys.argv[1]).write_bytes(data)\n"
    )
    path = tmp_path / "model.onnx"
    folders = [str(Path(module.__file__ or "").parents[1]) for module in (graphs, gale)]
    environment = {**os.environ, "PYTHONHASHSEED": "1", "PYTHONPATH": os.pathsep.join(folders)}
    subprocess.run([sys.executable, "-c", code, path], env=environment, check=True)
    assert path.read_bytes() == two_data


def test_nothing_of_the_machine_is_in_the_bytes(data: bytes) -> None:
    package = Path(gale.__file__).parent
    tell_tales = {"site-packages", "dist-packages", ".py", "Traceback", __name__}
    tell_tales |= {str(package), str(package.parents[1]), str(Path.home()), str(Path.cwd())}
    tell_tales |= {
        str(Path(torch.__file__).parent),
        sys.prefix,
        sys.executable,
        platform.node(),
    }
    found = [word for word in tell_tales if len(word) > 3 and word.encode() in data]
    assert found == []


def test_the_weights_are_written(linear_data: bytes, capfd: pytest.CaptureFixture[str]) -> None:
    other = file_of([linear(2)])
    assert capfd.readouterr() == ("", "")
    assert other != linear_data


EVENTS = EventSpec(ProfileSpec(ElutionSpec(32, 12, 14), losses=2), events=5)
EDGE = EVENTS.profile.n_features
PROFILE, SPECTRA = slice(0, EDGE), slice(EDGE, EVENTS.n_features)
CALIBRATION = Calibration(
    np.array([[0.3, 0.0, 1.2], [0.7, 2.0, 0.1]]), np.array([-1.0, 0.5, 2.0])
)  # fmt: skip


def event_features(n_runs: int, seed: int = 1) -> Array:
    """Features of made-up runs: of a profile, and of spectra, which are never negative."""
    random = np.random.default_rng(seed)
    features = random.exponential(2, (n_runs, EVENTS.n_features))
    features[:, SPECTRA] *= random.random((n_runs, SPECTRA.stop - EDGE)) < 0.5
    n_spectra, n_mz = EVENTS.shape
    lacking = np.arange(n_spectra) >= random.integers(0, n_spectra + 1, n_runs)[:, None]
    features[:, SPECTRA] *= np.repeat(~lacking, n_mz, axis=1)  # of a run with fewer apexes
    return features.astype(np.float32)


@pytest.fixture(scope="module", params=[False, True], ids=["time bins", "apexes"])
def stack(request: pytest.FixtureRequest) -> list[PartGraph]:
    """Three members that see the profile, two that see the spectra, still as in training."""
    generators = [torch.Generator().manual_seed(seed) for seed in range(5)]
    prior = torch.linspace(-2, 1, 2 * N_FAMILIES).reshape(2, -1)
    of_profile = summary_network(EDGE, N_FAMILIES, generators[:3], hidden=(8,), dropout=0.5)
    of_spectra = ElutionNetwork(
        EVENTS.shape, N_FAMILIES, generators[3:], hidden=(8, 4), batch_norm=True, dropout=0.5,
        prior=prior, abundance=1.0, mz_cut=0.9, apexes=request.param,
    )  # fmt: skip
    generator = torch.Generator().manual_seed(9)
    for each in (of_profile, of_spectra):
        for value in each.state_dict().values():
            value.add_(0.2 * torch.rand(value.shape, generator=generator))
    return [PartGraph(of_profile, PROFILE), PartGraph(of_spectra, SPECTRA)]


MADE_OF_5 = {**FACTS, "features": EVENTS.to_dict(), "members": 5}


@pytest.fixture(scope="module", params=[False, True], ids=["as they are", "calibrated"])
def calibration(request: pytest.FixtureRequest) -> Calibration | None:
    return CALIBRATION if request.param else None


@pytest.fixture(scope="module")
def stack_data(stack: list[PartGraph], calibration: Calibration | None) -> bytes:
    blocks = fit_unlike(event_features(30), EVENTS.blocks)
    return to_onnx(stack, EVENTS.n_features, MADE_OF_5, calibration, blocks)


@pytest.mark.parametrize("n_runs", [0, 1, 2, 37])
def test_onnx_and_torch_agree_for_a_stack(
    stack: list[PartGraph], stack_data: bytes, calibration: Calibration | None, n_runs: int
) -> None:
    features = event_features(n_runs, seed=2)
    logits = [predict_logits(part.network, features[:, part.columns]) for part in stack]
    each = np.concatenate(logits)
    if calibration is None:
        expected_of_members = expit(each)
        expected = expected_of_members.mean(0)
    else:
        expected = expit(calibration.logits([of_part.mean(0) for of_part in logits]))
        expected_of_members = expit(each * calibration.weight.sum(0) + calibration.bias)
    found, of_members = Model(stack_data).predict_features(features)
    np.testing.assert_allclose(found, expected, atol=1e-5)
    np.testing.assert_allclose(of_members, expected_of_members, atol=1e-5)
    assert of_members.shape == (5, n_runs, N_FAMILIES)
    if n_runs == 37:
        assert np.std(expected, axis=0).min() > 0.005  # else any answer would be right


@pytest.mark.parametrize("n_runs", [0, 1, 2, 37])
def test_the_evidence_of_a_stack_is_that_of_its_elution_network(
    stack: list[PartGraph], stack_data: bytes, n_runs: int
) -> None:
    features = event_features(n_runs, seed=2)
    network = stack[1].network.eval()
    assert isinstance(network, ElutionNetwork)
    with torch.no_grad():
        of_spectra = network.event_logits(torch.from_numpy(features[:, SPECTRA]).expand(2, -1, -1))
    session = onnxruntime.InferenceSession(stack_data, providers=["CPUExecutionProvider"])
    (found,) = session.run([EVIDENCE], {"summary": features})
    np.testing.assert_allclose(found, expit(of_spectra.numpy().mean(0)), atol=1e-5)
    assert found.shape == (n_runs, EVENTS.shape[0], N_FAMILIES)
    if n_runs == 37:
        assert np.std(found, axis=(0, 1)).min() > 0.005


@pytest.mark.parametrize("n_runs", [0, 1, 2, 37])
def test_a_stack_says_what_is_unlike_its_runs(stack_data: bytes, n_runs: int) -> None:
    features = event_features(n_runs, seed=2)
    expected = unlike(features, fit_unlike(event_features(30), EVENTS.blocks))
    session = onnxruntime.InferenceSession(stack_data, providers=["CPUExecutionProvider"])
    (found,) = session.run([UNLIKE], {"summary": features})
    np.testing.assert_allclose(found, expected, atol=1e-5)


def test_far_runs_are_calibrated_by_another_calibration(stack: list[PartGraph]) -> None:
    features = event_features(37, seed=2)
    blocks = fit_unlike(event_features(30), EVENTS.blocks)
    distance = unlike(features, blocks)
    away = Away(Calibration(CALIBRATION.weight[::-1] * 1.5, CALIBRATION.bias - 1), far=1.3)
    here, there, both = (
        Model(to_onnx(stack, EVENTS.n_features, MADE_OF_5, one, blocks, away=other))
        for one, other in (
            (CALIBRATION, None),
            (away.calibration, None),
            (CALIBRATION, away),
        )
    )
    share = np.array([share_elsewhere(each, away.far) for each in distance])[:, None]
    assert share.min() == 0
    assert ((share > 0) & (share < 1)).any()
    for one, other, found in zip(
        *(model.predict_features(features) for model in (here, there, both)), strict=True
    ):
        expected = expit((1 - share) * logit(one) + share * logit(other))
        np.testing.assert_allclose(found, expected, atol=1e-5)


def test_inputs_and_outputs_of_a_stack(stack_data: bytes) -> None:
    session = onnxruntime.InferenceSession(stack_data, providers=["CPUExecutionProvider"])
    (given,) = session.get_inputs()
    assert (given.name, given.shape) == ("summary", ["runs", EVENTS.n_features])
    assert {output.name: output.shape for output in session.get_outputs()} == {
        "probability": ["runs", N_FAMILIES],
        "member_probability": [5, "runs", N_FAMILIES],
        "evidence": ["runs", EVENTS.shape[0], N_FAMILIES],
        "unlike": ["runs"],
    }


def test_outputs_are_those_that_the_parts_give(stack: list[PartGraph]) -> None:
    blocks = fit_unlike(event_features(30), EVENTS.blocks)

    def outputs(*given: Any) -> list[str]:
        data = to_onnx(given[0], EVENTS.n_features, {}, *given[1:])
        return [output.name for output in onnx.load_from_string(data).graph.output]

    assert outputs(stack[:1]) == OUTPUTS
    assert outputs(stack[1:]) == outputs(stack) == [*OUTPUTS, EVIDENCE]
    assert outputs(stack[:1], CALIBRATION, blocks) == [*OUTPUTS, UNLIKE]


def test_a_layer_of_an_unknown_kind_is_refused() -> None:
    with pytest.raises(TypeError, match="Tanh has no nodes"):
        file_of([nn.Sequential(linear(1), nn.Tanh())])


def test_the_graph_is_of_the_standard(stack_data: bytes) -> None:
    model = onnx.load_from_string(stack_data)
    onnx.checker.check_model(model, full_check=True)
    assert {node.domain for node in model.graph.node} == {""}


def test_short_weights_are_off_by_half_a_step_at_most() -> None:
    """Each column of a matrix has 254 steps from its largest weight to the negative of it."""
    layer = linear(5)
    file = onnx.load_from_string(file_of([layer], precision="int8"))
    wholes = [
        onnx.numpy_helper.to_array(each)
        for each in file.graph.initializer
        if each.data_type == onnx.TensorProto.INT8
    ]
    (whole,) = wholes
    weight = layer.weight.detach().numpy()  # type: ignore[operator]
    step = np.abs(weight).max(axis=-2, keepdims=True) / 127
    assert np.abs(whole * step - weight).max() <= 0.5001 * step.max()
    assert np.abs(whole).max() == 127


@pytest.mark.parametrize(
    ("precision", "size", "off"), [("float16", 0.75, 2e-3), ("int8", 0.6, 0.05)]
)
def test_a_compact_file_is_smaller_and_predicts_almost_the_same(
    precision: Precision, size: float, off: float
) -> None:
    wide = [network(seed, ALL, hidden=(96, 64)) for seed in (1, 2)]
    features = np.random.default_rng(1).normal(size=(60, N_FEATURES)).astype(np.float32)
    blocks = fit_unlike(features, {"all": slice(0, N_FEATURES)})
    mild = Calibration(np.full((2, N_FAMILIES), 1e-3), np.zeros(N_FAMILIES))
    full, short = (
        file_of(wide, calibration=mild, unlike=blocks, precision=each)
        for each in ("float32", precision)
    )
    assert len(short) < size * len(full)
    before, after = (Model(data).predict_features(features)[0] for data in (full, short))
    assert 0 < np.abs(before - after).max() < off
    distances = [Model(data)._predict(features)[2] for data in (full, short)]
    np.testing.assert_allclose(distances[1], distances[0], rtol=0.02, atol=0.02)
