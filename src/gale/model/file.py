"""The format of model files: an ONNX graph of known inputs and outputs, with facts as metadata."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

import onnxruntime
from onnxruntime.capi import onnxruntime_pybind11_state as ort_errors

from gale.errors import ModelError
from gale.features.spec import FeatureSpec

FORMAT = 1
"""Number of the file format. It rises only when older versions of gale could not use a new file."""

METADATA_KEY = "gale"
"""Key of the metadata that holds the facts, as JSON."""

OUTPUTS = ["probability", "member_probability"]
"""Outputs of every graph: (R, K) and (E, R, K). Newer graphs also have `UNLIKE`, (R,)."""

EVIDENCE = "evidence"
"""Output of graphs with an elution network: (R, N, K)."""

MODEL_FILE = "a model file that gale wrote"

REQUIRED = {
    "calibrated", "columns", "created", "families", "features", "folds", "format", "gale_version",
    "members", "prevalence", "recipe", "scores", "seed", "training",
}  # fmt: skip
"""Facts that every model file states."""

_ONNX_ERRORS = (
    ort_errors.Fail,
    ort_errors.InvalidArgument,
    ort_errors.InvalidGraph,
    ort_errors.InvalidProtobuf,
    ort_errors.NotImplemented,
)


def open_session(data: bytes, source: str) -> onnxruntime.InferenceSession:
    """Make a graph that can run from the bytes of a file.

    Raises
    ------
    ModelError
        If they are not an ONNX file.
    """
    options = onnxruntime.SessionOptions()
    options.log_severity_level = 4  # errors are raised; its log would be noise
    try:
        return onnxruntime.InferenceSession(data, options, providers=["CPUExecutionProvider"])
    except _ONNX_ERRORS:
        raise ModelError(
            source, f"is not an ONNX file, or is damaged ({len(data):,} bytes)", MODEL_FILE
        ) from None


def read_facts(session: onnxruntime.InferenceSession, source: str) -> dict[str, Any]:
    """Read the facts that a model file states.

    Raises
    ------
    ModelError
        If gale did not write the file, its format is another, or a fact of :data:`REQUIRED` is
        missing.
    """
    text = session.get_modelmeta().custom_metadata_map.get(METADATA_KEY)
    if text is None:
        raise ModelError(source, "is an ONNX file without metadata of gale", MODEL_FILE)
    try:
        facts = json.loads(text)
    except ValueError:
        facts = None
    if not isinstance(facts, dict):
        raise ModelError(source, "is damaged: its metadata is not a JSON object", MODEL_FILE)
    if (found := facts.get("format")) != FORMAT:
        raise ModelError(
            source,
            f"is a model of format {found}, written by gale "
            f"{facts.get('gale_version', 'of a version that it does not state')}",
            f"format {FORMAT}, which this gale reads",
            "install that version of gale, or train again",
        )
    if missing := sorted(REQUIRED - facts.keys()):
        raise ModelError(source, f"is damaged: its metadata lacks {', '.join(missing)}", MODEL_FILE)
    return facts


def check_shapes(
    session: onnxruntime.InferenceSession, spec: FeatureSpec, families: Sequence[str], source: str
) -> None:
    """Check that the inputs and outputs of the graph fit the features and families of the facts.

    Raises
    ------
    ModelError
        If they do not.
    """
    inputs = [value.shape[-1] for value in session.get_inputs()]
    outputs = [value.shape[-1] for value in session.get_outputs() if value.name in OUTPUTS]
    if inputs != [spec.n_features] or outputs != [len(families)] * len(OUTPUTS):
        raise ModelError(
            source,
            f"is damaged: the inputs of its graph have sizes {inputs}, the outputs {outputs}",
            f"{spec.n_features} features and {len(families)} families",
        )
