"""Model files that are damaged, or do something else than a model of gale."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import pytest
from hypothesis import given
from hypothesis import strategies as st
from onnx import TensorProto, helper, numpy_helper

import gale
from gale.errors import GaleWarning, ModelError
from gale.model.file import SEAL_SIZE
from helpers.errors import refused
from helpers.model_files import facts_of, resealed, restated

MODELS = Path(__file__).parent / "models"
OLD = (MODELS / "format1.onnx").read_bytes()
SEALED = restated(OLD, {**facts_of(OLD), "checksum": "sha256"})
RUN = gale.Run.from_rows([1, 1, 2, 2, 3], [18, 57, 18, 91, 18], [5, 7e4, 6, 3, 5])


@pytest.mark.filterwarnings("ignore::gale.errors.GaleWarning")  # of a small run
def test_a_file_with_a_checksum_predicts_as_without() -> None:
    sealed, old = gale.Model(SEALED), gale.Model(OLD)
    assert (sealed.has_checksum, old.has_checksum) == (True, False)
    assert sealed.predict(RUN).equals(old.predict(RUN))
    assert sealed.sha256 == hashlib.sha256(SEALED).hexdigest()


@pytest.mark.slow
@pytest.mark.parametrize("bit", range(8))
def test_any_bit_that_flips_is_found(bit: int) -> None:
    """In the seal and near the ends at every byte, in graph and facts at every 13th."""
    size = len(SEALED)
    places = {*range(64), *range(64, size, 13), *range(size - SEAL_SIZE - 64, size)}
    for at in places:
        flipped = bytearray(SEALED)
        flipped[at] ^= 1 << bit
        with refused(ModelError, "memory"):
            gale.Model(bytes(flipped))


@given(st.integers(0, len(SEALED) - 1))
def test_a_file_that_is_cut_short_is_found(size: int) -> None:
    with refused(ModelError, "memory"):
        gale.Model(SEALED[:size])


@given(st.binary(max_size=200))
def test_bytes_that_are_no_model(data: bytes) -> None:
    with refused(ModelError, "memory", found="ONNX"):
        gale.Model(data)


WRONG: dict[str, tuple[str, Any]] = {
    "a text for a number": ("members", "2"),
    "true for a number": ("folds", True),
    "a number for a text": ("created", 7),
    "a long number": ("seed", 10**400),
    "a longer number": ("scores.log_loss", 10**400),
    "not a number": ("scores.log_loss", float("nan")),
    "without end": ("scores.prior_log_loss", float("inf")),
    "half a character": ("training.campaign", "\ud800"),
    "a short list": ("training.known", [1]),
    "a list of texts": ("training.positive", ["1", "2"]),
    "a share above 1": ("prevalence", [0.5, 1.5]),
    "names twice": ("families", ["a", "a"]),
    "a name of another column": ("families", ["status", "b"]),
    "a name of a spread": ("families", ["a", "a_spread"]),
    "a name of calls": ("families", ["a", "a_call"]),
    "blank names": ("families", ["", "b"]),
    "no m/z": ("features.mz", []),
    "m/z out of order": ("features.mz", [57, 18, 91]),
    "m/z beyond any": ("features.mz", [18, 57, 10**9]),
    "a list for a table": ("recipe", []),
    "a deep recipe": ("recipe.deep", json.loads("[" * 40 + "]" * 40)),
    "columns of numbers": ("columns", {"mz": 1}),
}


@pytest.mark.parametrize("case", WRONG)
def test_a_fact_that_does_not_fit_is_named(case: str) -> None:
    place, value = WRONG[case]
    facts = facts_of(OLD)
    inner, keys = facts, place.split(".")
    for key in keys[:-1]:
        inner = inner[key]
    inner[keys[-1]] = value
    with refused(ModelError, "memory", found="damaged") as caught:
        gale.Model(restated(OLD, facts))
    if value == value and value != float("inf"):  # else it is no JSON at all
        said = f"{caught.value.found} {caught.value.expected}"
        assert keys[0] in said or "famil" in said


@pytest.mark.parametrize("lacking", sorted(facts_of(OLD)))
def test_a_fact_that_is_missing_is_named(lacking: str) -> None:
    facts = facts_of(OLD)
    del facts[lacking]
    with refused(ModelError, "memory") as caught:
        gale.Model(restated(OLD, facts))
    assert lacking in caught.value.found


def _with(change: Callable[[onnx.ModelProto], object]) -> bytes:
    proto = onnx.load_from_string(SEALED)
    change(proto)
    return resealed(proto)


def _loop(proto: onnx.ModelProto) -> None:
    """A loop of 10**12 turns, which does nothing."""
    inside = [
        helper.make_tensor_value_info("turn", TensorProto.INT64, []),
        helper.make_tensor_value_info("on", TensorProto.BOOL, []),
    ]
    after = helper.make_tensor_value_info("still", TensorProto.BOOL, [])
    same = helper.make_node("Identity", ["on"], ["still"])
    body = helper.make_graph([same], "turn", inside, [after])
    turns = numpy_helper.from_array(np.array(10**12), "turns")
    always = numpy_helper.from_array(np.array(True), "always")
    proto.graph.initializer.extend([turns, always])
    proto.graph.node.append(helper.make_node("Loop", ["turns", "always"], [], body=body))


def _external(proto: onnx.ModelProto) -> None:
    weights = proto.graph.initializer[0]
    weights.data_location = TensorProto.EXTERNAL
    weights.external_data.add(key="location", value="/etc/passwd")


def _copies(proto: onnx.ModelProto) -> None:
    (node,) = (each for each in proto.graph.node if each.op_type == "Expand")
    for each in proto.graph.initializer:
        if each.name == node.input[1]:
            many = np.array([10**9, 1, 1])
            each.CopyFrom(numpy_helper.from_array(many, each.name))


def _function(proto: onnx.ModelProto) -> None:
    opset = [helper.make_opsetid("", 18)]
    proto.functions.append(helper.make_function("own", "f", [], [], [], opset))


ATTACKS: dict[str, tuple[Callable[[onnx.ModelProto], object], str]] = {
    "a loop": (_loop, "graphs in its graph"),
    "a loop without a body": (
        lambda proto: proto.graph.node.append(helper.make_node("Loop", ["", ""], [])),
        "Loop",
    ),
    "weights in another file": (_external, "another file"),
    "many copies": (_copies, "copies"),
    "a function": (_function, "functions"),
    "an operator of another domain": (
        lambda proto: proto.graph.node.append(helper.make_node("Add", ["", ""], [], domain="evil")),
        "evil.Add",
    ),
    "chance": (
        lambda proto: proto.graph.node.append(
            helper.make_node("RandomNormal", [], ["x"], shape=[1])
        ),
        "RandomNormal",
    ),
}


@pytest.mark.parametrize("attack", ATTACKS)
def test_a_graph_that_does_not_only_compute_is_refused(attack: str) -> None:
    change, found = ATTACKS[attack]
    with refused(ModelError, "memory", found=found, remedy="trust"):
        gale.Model(_with(change))


def _outputs_of(value: float, output: str) -> bytes:
    """A model whose graph adds a number to all values of an output."""

    def change(proto: onnx.ModelProto) -> None:
        for node in proto.graph.node:
            node.output[:] = ["before" if name == output else name for name in node.output]
        added = numpy_helper.from_array(np.array(value, dtype=np.float32), "added")
        proto.graph.initializer.append(added)
        proto.graph.node.append(helper.make_node("Add", ["before", "added"], [output]))

    return _with(change)


@pytest.mark.filterwarnings("ignore:.*trained on only")
@pytest.mark.parametrize("output", ["probability", "member_probability"])
@pytest.mark.parametrize("value", [-2.0, 35.0, np.nan, np.inf])
def test_a_value_that_is_no_probability_fails_its_run(value: float, output: str) -> None:
    model = gale.Model(_outputs_of(value, output))
    with pytest.warns(GaleWarning, match="2 of 2 runs failed"):
        table = model.predict([RUN, RUN])
    assert table["status"].to_list() == ["failed", "failed"]
    assert table.select(model.families).null_count().row(0) == (2, 2)
    assert "the score" in table["message"][0]
    with refused(ModelError, "memory", found=["score", "aromatic"]):
        model.predict_features(np.zeros((1, model.spec.n_features), np.float32))
