"""The format of model files: an ONNX graph of known inputs and outputs, with facts as metadata.

The last bytes of a file are the SHA-256 of all bytes before them, so that no damage goes unnoticed.
A file from elsewhere must not do anything but compute: only the operators that gale writes are
allowed, without graphs in graphs (loops), functions, and weights in other files.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from typing import Any

import onnxruntime
from onnxruntime.capi import onnxruntime_pybind11_state as ort_errors

from gale.errors import ModelError
from gale.features.joined import specs_of
from gale.features.spec import FeatureSpec
from gale.features.versions import TRAIN_AGAIN
from gale.model.facts import MODEL_FILE, read_facts
from gale.model.protobuf import MODEL_METADATA, Node, NotProtobufError, OnnxFile, read_onnx
from gale.plumbing.tables import UNLIKE
from gale.plumbing.text import counted, listed, shown
from gale.run import Floats32

METADATA_KEY = "gale"
"""Key of the metadata that holds the facts, as JSON."""

WHOLE_KEY = "gale_whole"
"""Key of the metadata of a whole graph (`gale.portable`) that holds the number of its format."""

CHECKSUM_KEY, CHECKSUM = "gale_sha256", "sha256"
"""Key of the metadata that holds the checksum, and the fact ``checksum`` of files with one."""

OUTPUTS = ["probability", "member_probability"]
"""Outputs of every graph: (R, K) and (E, R, K). Newer graphs also have `UNLIKE`, (R,)."""

EVIDENCE = "evidence"
"""Output of graphs with an elution network: (R, N, K)."""

NOVELTY = "novelty"
"""Output (R,): how new what is in a run is, from 0 to 1; of models that compare its spectra with
those of the training runs."""

RANKS = {
    OUTPUTS[0]: (2, 0), OUTPUTS[1]: (3, 1), EVIDENCE: (3, 0), UNLIKE: (1, 0), NOVELTY: (1, 0)
}  # fmt: skip
"""Number of axes of each output, and which of them is that of the runs."""

OPERATORS = {
    # those of the graphs that gale writes today
    "Add", "Asinh", "Cast", "Compress", "Concat", "CumSum", "Div", "Exp", "Gather", "Greater",
    "Identity", "LayerNormalization", "MatMul", "Mul", "Pad", "ReduceL2", "ReduceLogSumExp",
    "ReduceMax", "ReduceMean", "ReduceSum", "Relu", "Reshape", "Sigmoid", "Slice", "Sqrt", "Sub",
    "TopK", "Transpose", "Unsqueeze", "Where",
    # what torch's exporter, with which earlier versions wrote them, has in their place
    "Abs", "Clip", "Constant", "Expand", "GatherND", "Gemm", "Log", "Max", "Min", "Neg", "Pow",
    "Reciprocal", "ReduceMin", "Softmax", "Split", "Squeeze",
}  # fmt: skip
"""Operators of ONNX that a model file may have."""

MOST_MEMBERS = 100_000
"""Largest number of copies that an operator may make of its input: one for each member."""

FLOATS = "tensor(float)"
"""Type of all inputs and outputs."""

_ONNX_ERRORS = (
    ort_errors.Fail,
    ort_errors.InvalidArgument,
    ort_errors.InvalidGraph,
    ort_errors.InvalidProtobuf,
    ort_errors.NotImplemented,
    ort_errors.RuntimeException,
)


def sealed(data: bytes) -> bytes:
    """Put the checksum of an ONNX file behind it, as one more entry of its metadata."""
    return data + _seal(data)


def _seal(data: bytes) -> bytes:
    """Write the checksum as a field of protocol buffers, which may follow any other."""
    digest = hashlib.sha256(data).hexdigest().encode()
    key = CHECKSUM_KEY.encode()
    entry = bytes([1 << 3 | 2, len(key)]) + key + bytes([2 << 3 | 2, len(digest)]) + digest
    return bytes([MODEL_METADATA << 3 | 2, len(entry)]) + entry


SEAL_SIZE = len(_seal(b""))


def open_file(data: bytes, source: str) -> tuple[onnxruntime.InferenceSession, dict[str, Any]]:
    """Check a model file, and make a graph that can run from its bytes.

    Returns
    -------
    session : InferenceSession
    facts : dict
        What the file states, see `gale.model.facts`.

    Raises
    ------
    ModelError
        If the bytes are not an ONNX file that gale wrote, are damaged, or have something in them
        that gale does not write.
    """
    try:
        content = read_onnx(data)
    except NotProtobufError:
        raise _not_onnx(data, source) from None
    if any(key == WHOLE_KEY for key, _ in content.metadata):
        raise ModelError(
            source,
            "is a whole graph, which other software runs",
            MODEL_FILE,
            "use the model that it was exported from",
        )
    stated = [text for key, text in content.metadata if key == METADATA_KEY]
    if len(stated) != 1:
        raise ModelError(source, "is an ONNX file without metadata of gale", MODEL_FILE)
    has_seal = any(key == CHECKSUM_KEY for key, _ in content.metadata)
    if has_seal and _seal(data[:-SEAL_SIZE]) != data[-SEAL_SIZE:]:
        raise _changed(source)
    facts = read_facts(stated[0], source)
    if not has_seal and "checksum" in facts:
        raise _changed(source)
    _check_content(content, source)
    return _open_session(data, source), facts


def _changed(source: str) -> ModelError:
    return ModelError(
        source,
        "is damaged, or was changed after it was written: its checksum does not fit",
        MODEL_FILE,
        TRAIN_AGAIN,
    )


def _not_onnx(data: bytes, source: str) -> ModelError:
    return ModelError(
        source, f"is not an ONNX file, or is damaged ({len(data):,} bytes)", MODEL_FILE
    )


def _check_content(content: OnnxFile, source: str) -> None:
    """Refuse a graph that may do something else than compute, or without end."""
    found = [*content.extras, *(["graphs in its graph"] * any(n.has_graph for n in content.nodes))]
    if others := sorted({node.operator for node in content.nodes} - OPERATORS):
        found.append(f"the operators {listed(map(shown, others), 3)}")
    if any(_copies(node, content) > MOST_MEMBERS for node in content.nodes):
        found.append("a constant that it copies too many times")
    if found:
        raise ModelError(
            source,
            f"has {found[0]}, which no model of gale has",
            MODEL_FILE,
            "use a model from a source that you trust",
        )


def _copies(node: Node, content: OnnxFile) -> int:
    """How many times an operator repeats its input at most; without end if it depends on a run."""
    if node.operator != "Expand":
        return 1
    shape = content.shapes.get(node.inputs[1]) if len(node.inputs) > 1 else None
    if not shape:
        return MOST_MEMBERS + 1
    copies = 1
    for size in shape:
        copies *= max(abs(size), 1)
    return copies


_THREADS = {"of a graph": 0}


def use_threads(number: int) -> None:
    """Let graphs that are opened from now on compute with so many threads; 0 is one per core."""
    _THREADS["of a graph"] = number


def _open_session(data: bytes, source: str) -> onnxruntime.InferenceSession:
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = _THREADS["of a graph"]
    # Threads that wait busily cost more, beside other work, than they save.
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")
    options.log_severity_level = 4  # errors are raised; its log would be noise
    try:
        return onnxruntime.InferenceSession(data, options, providers=["CPUExecutionProvider"])
    except _ONNX_ERRORS:
        raise _not_onnx(data, source) from None


def run_graph(
    session: onnxruntime.InferenceSession, outputs: Sequence[str], features: Floats32, source: str
) -> tuple[Floats32, ...]:
    """Compute outputs of the graph for features (R, D).

    Raises
    ------
    ModelError
        If the graph cannot be computed, or gives other shapes than it states.
    """
    try:
        found = tuple(session.run(outputs, {"summary": features}))
    except _ONNX_ERRORS as error:
        reason = str(error).split("\n")[0]
        raise ModelError(
            source, f"cannot be computed ({shown(reason)})", MODEL_FILE, TRAIN_AGAIN
        ) from None
    for name, values in zip(outputs, found, strict=True):
        rank, axis = RANKS[name]
        if values.ndim != rank or values.shape[axis] != len(features):
            raise ModelError(
                source,
                f"gives its output {name} the shape {values.shape} for "
                f"{counted(len(features), 'run')}",
                MODEL_FILE,
                TRAIN_AGAIN,
            )
    return found


def check_shapes(
    session: onnxruntime.InferenceSession, spec: FeatureSpec, facts: dict[str, Any], source: str
) -> None:
    """Check that the inputs and outputs of the graph fit the features and families of the facts.

    Raises
    ------
    ModelError
        If they do not.
    """
    n_families, members = len(facts["families"]), facts["members"]
    wanted = {
        "summary": [spec.n_features],
        OUTPUTS[0]: [n_families],
        OUTPUTS[1]: [members, n_families],
        EVIDENCE: [*getattr(specs_of(spec)[0], "shape", ())[:1], n_families],
        UNLIKE: [],
        NOVELTY: [],
    }
    found = {
        value.name: ([size for size in value.shape if isinstance(size, int)], value.type)
        for value in (*session.get_inputs(), *session.get_outputs())
    }
    inputs = [value.name for value in session.get_inputs()]
    fits = inputs == ["summary"] and set(OUTPUTS) <= set(found) <= set(wanted)
    if not fits or any(each != (wanted[name], FLOATS) for name, each in found.items()):
        sizes = ", ".join(f"{name} {sizes}" for name, (sizes, _) in found.items())
        raise ModelError(
            source,
            f"is damaged: the inputs and outputs of its graph are {sizes}",
            f"{spec.n_features} features, {n_families} families and {members} members",
            TRAIN_AGAIN,
        )
