"""Models of any features with drawn weights, and whole graphs run as other software would."""

from __future__ import annotations

from typing import Any

import numpy as np
import onnxruntime
import torch
from onnx.reference import ReferenceEvaluator

from gale.features.apexes import ApexSpec
from gale.features.events import EventSpec
from gale.features.joined import specs_of
from gale.features.spec import FeatureSpec
from gale.model import Model
from gale.model.unlike import fit_unlike
from gale.run import Run
from gale.training.export import PartGraph, to_onnx
from gale.training.networks.elution import ElutionNetwork
from gale.training.networks.layers import Dense
from gale.training.nodes import Precision
from helpers.graphs import FACTS

N_FAMILIES = len(FACTS["families"])


def drawn_model(
    spec: FeatureSpec, seed: int = 0, *, hidden: int = 8, precision: Precision = "float32"
) -> Model:
    """Two members that see the profile or summary; with spectra, two more that see these."""
    parts: list[PartGraph] = []
    start = 0
    for each in specs_of(spec):
        parts += _drawn_parts(each, start, seed + start, hidden)
        start += each.n_features
    random = np.random.default_rng(seed)
    features = random.exponential(1, (9, spec.n_features)).astype(np.float32)
    facts = {**FACTS, "features": spec.to_dict(), "members": 2 * len(parts)}
    unlike = fit_unlike(features, spec.blocks)
    data = to_onnx(parts, spec.n_features, facts, unlike=unlike, precision=precision)
    return Model(data, "drawn.onnx")


def _drawn_parts(spec: FeatureSpec, start: int, seed: int, hidden: int) -> list[PartGraph]:
    """The parts that see features, which begin at `start` among all."""
    generators = [torch.Generator().manual_seed(seed + number) for number in range(4)]
    end = spec.profile.n_features if isinstance(spec, EventSpec) else spec.n_features
    parts = [PartGraph(Dense(end, N_FAMILIES, generators[:2]), slice(start, start + end))]
    if isinstance(spec, EventSpec):
        network = ElutionNetwork(
            spec.shape,
            N_FAMILIES,
            generators[2:],
            hidden=(hidden,),
            apexes=isinstance(spec, ApexSpec),
        )
        columns = slice(start + end, start + spec.n_features)
        parts.append(PartGraph(network.eval(), columns))
    return parts


def session_of(data: bytes) -> onnxruntime.InferenceSession:
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    return onnxruntime.InferenceSession(data, options, providers=["CPUExecutionProvider"])


def outputs_of(
    session: onnxruntime.InferenceSession | ReferenceEvaluator, run: Run
) -> dict[str, Any]:
    """All outputs of a whole graph for a run."""
    given = {
        "time_min": run.time_min,
        "scan_of_ion": run.scan_of_ion,
        "mz": run.mz,
        "intensity": run.intensity,
    }
    if isinstance(session, ReferenceEvaluator):
        names = session.output_names
    else:
        names = [output.name for output in session.get_outputs()]
    return dict(zip(names, session.run(names, given), strict=True))
