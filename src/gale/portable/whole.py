"""A whole graph: one ONNX file from the ions of a run to the probabilities of a model."""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from importlib.metadata import version
from typing import Any

from gale.errors import ModelError
from gale.features.apexes import ApexSpec
from gale.features.events import EventSpec
from gale.features.joined import JoinedSpec
from gale.features.profile import ProfileSpec
from gale.features.spec import FeatureSpec
from gale.features.summary import SummarySpec
from gale.model import Model
from gale.model.file import EVIDENCE, NOVELTY, OUTPUTS, WHOLE_KEY, sealed
from gale.model.graph import IR_VERSION, Graph, Header
from gale.plumbing.tables import UNLIKE
from gale.portable.apexes import apex_nodes
from gale.portable.elution import event_nodes, profile_nodes
from gale.portable.embedding import PREFIX, embed, embeddable, parts_of, weights_of
from gale.portable.ions import INPUTS, FeatureNodes
from gale.portable.summary import summary_nodes

FORMAT = 1
"""Number of the format of whole graphs. It rises when a reader of older ones could not use them."""

FAMILIES_KEY, FACTS_KEY = "gale_families", "gale_facts"
"""Keys of the metadata: the names of the families, one per line; all facts, as JSON."""

EVENT_TIME = "event_time_min"
"""Output with the times of the spectra that the evidence is of."""

FEATURES = "features"
"""Output with the features of the run."""

DOMAIN = "gale"

DOCS = {
    OUTPUTS[0]: "Probability of each family.",
    OUTPUTS[1]: "Probability of each family, by each member of the ensemble.",
    EVIDENCE: "Uncalibrated score of each family in each of the busiest spectra, 0 to 1.",
    UNLIKE: "Distance from the training runs; 1 is their own 95th percentile.",
    NOVELTY: "How new what is in the run is: 0 if its strong spectra are known, up to 1.",
    EVENT_TIME: "Middle of the time bin of each of these spectra, in minutes.",
    FEATURES: "The features that the networks see.",
}
"""What each output is."""

UNITS = {"time_min": "min", EVENT_TIME: "min", "mz": "m/z"}
"""Units of the inputs and outputs that have one."""


def whole_graph(model: Model, *, int8: bool = False) -> bytes:
    """Write a model and its features as one ONNX file.

    Parameters
    ----------
    model : Model
    int8 : bool
        Store the weights of the networks as 8-bit whole numbers: a smaller file, and slightly
        other probabilities.

    Returns
    -------
    bytes
        The same for the same model.

    Raises
    ------
    ModelError
        If the model's graph is of an older operator set than the features need.
    """
    parts = embeddable(model)
    graph = Graph("features/")
    nodes = _feature_nodes(graph, model.spec, model.source)
    graph.name(PREFIX + "summary", nodes.features)
    embed(graph, parts, int8=int8)
    for name, shape in _shapes(model).items():
        dtype = "float64" if name == EVENT_TIME else "float32"
        value = {EVENT_TIME: nodes.time_min, FEATURES: nodes.features}.get(name, PREFIX + name)
        known = graph("Where", nodes.found, value, graph.constant(float("nan"), dtype))
        graph.output(name, known, shape, dtype=dtype, doc=DOCS[name])
    metadata = {
        WHOLE_KEY: str(FORMAT),
        FAMILIES_KEY: "\n".join(model.families),
        FACTS_KEY: json.dumps(facts_of(model, int8=int8), sort_keys=True, allow_nan=False),
    }
    ir_version = max(parts.ir_version, IR_VERSION)
    header = _header(model)
    return sealed(
        graph.to_bytes(INPUTS, metadata, header, opset=parts.opset, ir_version=ir_version)
    )


def _feature_nodes(graph: Graph, spec: FeatureSpec, source: str) -> FeatureNodes:
    match spec:
        case JoinedSpec():
            nodes = [_feature_nodes(graph, each, source) for each in spec.specs]
            return _joined_nodes(graph, nodes)
        case SummarySpec():
            return summary_nodes(graph, spec)
        case ProfileSpec():
            return profile_nodes(graph, spec)
        case ApexSpec():
            return apex_nodes(graph, spec)
        case EventSpec():
            return event_nodes(graph, spec)
    raise ModelError(
        source,
        "was trained on features that were given to it",
        "a model of runs, whose features the graph computes",
        "train with gale.train",
    )


def _joined_nodes(graph: Graph, nodes: Sequence[FeatureNodes]) -> FeatureNodes:
    """Put features one after another; times are those of the first."""
    features = graph("Concat", *[each.features for each in nodes], axis=1)
    found = nodes[0].found
    for each in nodes[1:]:
        found = graph("And", found, each.found)
    return FeatureNodes(features, found, nodes[0].time_min)


def _shapes(model: Model) -> dict[str, list[int | str]]:
    """The outputs of a whole graph, and their shapes."""
    n_families = len(model.families)
    shapes: dict[str, list[int | str]] = {
        OUTPUTS[0]: [1, n_families],
        OUTPUTS[1]: [model.facts["members"], 1, n_families],
    }
    if model.has_elution_network:
        n_events = model.event_spec.shape[0]
        shapes |= {EVIDENCE: [1, n_events, n_families], EVENT_TIME: [n_events]}
    shapes |= {name: [1] for name in model.further_outputs}
    return {**shapes, FEATURES: [1, model.spec.n_features]}


def facts_of(model: Model, *, int8: bool) -> dict[str, Any]:
    """What a whole graph says of itself, for a reader of any language."""
    training = model.facts["training"]
    return {
        "calibrated": model.facts["calibrated"],
        "families": list(model.families),
        "features": model.spec.to_dict(),
        "gale_version": version("gale-ms"),
        "inputs": [
            {
                "meaning": value.doc,
                "name": value.name,
                "shape": list(value.shape),
                "type": value.dtype,
                "unit": UNITS.get(value.name, ""),
            }
            for value in INPUTS
        ],
        "model": {
            "created": model.facts["created"],
            "gale_version": model.facts["gale_version"],
            "members": model.facts["members"],
            "recipe": model.facts["recipe"]["name"],
            "sha256": model.sha256,
            "training": {"campaign": training["campaign"], "runs": training["runs"]},
        },
        "outputs": [
            {
                "meaning": DOCS[name],
                "name": name,
                "shape": shape,
                "type": "float64" if name == EVENT_TIME else "float32",
                "unit": UNITS.get(name, ""),
            }
            for name, shape in _shapes(model).items()
        ],
        "prevalence": list(model.prevalence.values()),
        "weights": weights_of(parts_of(model.content), int8=int8),
        "without_ions_in_range": "all outputs are NaN",
    }


def _header(model: Model) -> Header:
    """Who made the file and what it is, in the fields that ONNX has for this."""
    outputs = "\n".join(f"- {name}: {DOCS[name]}" for name in _shapes(model))
    inputs = "\n".join(f"- {value.name}: {value.doc}" for value in INPUTS)
    return Header(
        producer_version=version("gale-ms"),
        domain=DOMAIN,
        model_version=int(re.sub(r"\D", "", model.facts["created"])[:14] or 0),
        doc=(
            "Which compound families are in a GC-MS run: one graph from its ions to their "
            f"probabilities, exported by gale {version('gale-ms')} from the model "
            f"{model.facts['recipe']['name']}, which was trained on {model.facts['created']}.\n\n"
            f"Inputs (one run):\n{inputs}\n\nOutputs, NaN if no ion is in range:\n{outputs}\n\n"
            f"Families, in the order of the outputs: {', '.join(model.families)}."
        ),
    )
