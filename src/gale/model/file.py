"""What a model file is: an ONNX graph of known inputs and outputs, and what it says of itself."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

import onnxruntime
from onnxruntime.capi import onnxruntime_pybind11_state as ort_errors

from gale.errors import ModelError
from gale.features.spec import FeatureSpec

FORMAT = 1
"""Number of the file format; raised only when older versions of gale could not use a new file."""

METADATA_KEY = "gale"

OUTPUTS = ["probability", "member_probability"]
"""Outputs of every graph: (R, K) and (E, R, K). Newer ones also have `UNLIKE`, (R,)."""

EVIDENCE = "evidence"
"""Output of graphs with an elution network: (R, N, K)."""

REQUIRED = {
    "calibrated", "columns", "created", "families", "features", "folds", "format", "gale_version",
    "members", "prevalence", "recipe", "scores", "seed", "training",
}  # fmt: skip
"""What a model says of itself."""

_ONNX_ERRORS = (
    ort_errors.Fail,
    ort_errors.InvalidArgument,
    ort_errors.InvalidGraph,
    ort_errors.InvalidProtobuf,
    ort_errors.NotImplemented,
)


def open_session(data: bytes, source: str) -> onnxruntime.InferenceSession:
    """Make of the bytes of a file a graph that can run.

    Raises
    ------
    ModelError
        If they are no ONNX file.
    """
    options = onnxruntime.SessionOptions()
    options.log_severity_level = 4  # its errors are raised; its log would be noise
    try:
        return onnxruntime.InferenceSession(data, options, providers=["CPUExecutionProvider"])
    except _ONNX_ERRORS:
        raise ModelError(
            f"{source}: is not an ONNX file, or a damaged one ({len(data):,} bytes); "
            "expected a model written by gale train"
        ) from None


def read_facts(session: onnxruntime.InferenceSession, source: str) -> dict[str, Any]:
    """Read what a model says of itself.

    Raises
    ------
    ModelError
        If it is none of gale's, one of another format, or does not say all of :data:`REQUIRED`.
    """
    text = session.get_modelmeta().custom_metadata_map.get(METADATA_KEY)
    if text is None:
        raise ModelError(
            f"{source}: is an ONNX file, but not one of gale's; "
            "expected a model written by gale train"
        )
    try:
        facts = json.loads(text)
    except ValueError:
        facts = None
    if not isinstance(facts, dict):
        raise ModelError(
            f"{source}: is a damaged model: what it says of itself is not a JSON object; "
            "expected a model written by gale train"
        )
    if (found := facts.get("format")) != FORMAT:
        raise ModelError(
            f"{source}: is a model of format {found}; this version of gale reads format {FORMAT}; "
            "install the version that the model names "
            f"({facts.get('gale_version', 'not stated')}), or train again"
        )
    if missing := sorted(REQUIRED - facts.keys()):
        raise ModelError(
            f"{source}: is a damaged model: it does not say its {', '.join(missing)}; "
            "expected a model written by gale train"
        )
    return facts


def check_shapes(
    session: onnxruntime.InferenceSession, spec: FeatureSpec, families: Sequence[str], source: str
) -> None:
    """See that the graph takes the features, and gives the families, that the facts speak of."""
    takes = [value.shape[-1] for value in session.get_inputs()]
    gives = [value.shape[-1] for value in session.get_outputs() if value.name in OUTPUTS]
    if takes != [spec.n_features] or gives != [len(families)] * len(OUTPUTS):
        raise ModelError(
            f"{source}: is a damaged model: its graph takes {takes} features and gives {gives} "
            f"numbers; expected {spec.n_features} features and {len(families)} families"
        )
