"""Pre-trained weights that come with gale, in half precision.

They were made by ``tools/pretrain.py`` from simulated runs of more compounds than those of the
embedded library: a network may be shipped where the spectra that it learned from may not. Each file
has the weights of one part, and says which choices, compounds and libraries made them.
"""

from __future__ import annotations

import io
import json
from collections.abc import Mapping, Sequence
from importlib import resources
from importlib.resources.abc import Traversable
from typing import Any

import numpy as np
import torch

from gale.errors import TrainingError
from gale.features.spec import FeatureSpec
from gale.plumbing.arrays import load_arrays
from gale.plumbing.schema import read_json
from gale.training.fitting import Weights
from gale.training.networks.build import build_network, columns_of, scale_of
from gale.training.networks.layers import Dense, fixed_biases
from gale.training.recipe import Part

FACTS = "facts"
"""Name of the array that holds the facts of a file, as JSON."""


def choices_of(part: Part, spec: FeatureSpec) -> dict[str, Any]:
    """Return what the weights of a part depend on besides simulated runs, as plain values."""
    chosen = part.model_dump(mode="json", include={"network", "loss", "pretrain", "augment"})
    chosen["augment"].pop("mixture")  # pre-training has none
    return {**chosen, "features": spec.to_dict()}


def to_bytes(weights: Weights, facts: Mapping[str, Any]) -> bytes:
    """Write weights and facts as an NPZ file."""
    half = {name: value.astype(np.float16) for name, value in weights.items()}
    buffer = io.BytesIO()
    text = np.frombuffer(json.dumps(facts, sort_keys=True).encode(), np.uint8)
    np.savez_compressed(buffer, **half, **{FACTS: text})  # type: ignore[arg-type]
    return buffer.getvalue()


def shipped_weights(part: Part, spec: FeatureSpec, families: Sequence[str]) -> Weights:
    """Return the weights that come with gale for a part.

    Parameters
    ----------
    part : Part
    spec : FeatureSpec
    families : sequence of str, length K
        The outputs of the network. Those that the weights do not know are NaN.

    Raises
    ------
    TrainingError
        If no weights come with gale for such a part.
    """
    wanted = choices_of(part, spec)
    for file in _files():
        arrays = load_arrays(file.read_bytes())
        assert arrays is not None
        facts = read_json(arrays.pop(FACTS).tobytes())
        if facts["choices"] == wanted:
            weights = {name: array.astype(np.float32) for name, array in arrays.items()}
            return _for_families(weights, facts["families"], families, _of_families(part, spec))
    raise TrainingError(
        f"pretraining.shipped, part {part.name}",
        "is set, but no weights come with gale for the network, the features, the loss, the "
        "augmentation and the pre-training of this part",
        "those of the recipe default",
        "set pretraining.shipped = false in the recipe",
    )


def shipped_families() -> tuple[str, ...]:
    """Return the families that the weights that come with gale know."""
    return tuple(_facts()["families"])


def shipped_source() -> dict[str, Any]:
    """Return what the weights were made from: the number of simulated runs, and the libraries."""
    facts = _facts()
    return {"runs": facts["simulated"]["runs"], "libraries": ["gale", *facts["libraries"]]}


def _facts() -> dict[str, Any]:
    """Return the facts of the first file; all were made at once."""
    arrays = load_arrays(_files()[0].read_bytes())
    assert arrays is not None
    facts: dict[str, Any] = read_json(arrays[FACTS].tobytes())
    return facts


def _of_families(part: Part, spec: FeatureSpec) -> set[str]:
    """Name the arrays whose last axis is that of the families."""
    columns = columns_of(part, spec)
    blank = np.zeros((1, columns.stop - columns.start), np.float32)
    scale = scale_of(part, spec, blank)
    network = build_network(
        part, spec, [torch.Generator()], priors=[torch.zeros(1)], scales=[scale]
    )
    last = [name for name, module in network.named_modules() if isinstance(module, Dense)][-1]
    return {f"{last}.weight", f"{last}.bias", *fixed_biases(network)}


def _for_families(
    weights: Weights, known: Sequence[str], families: Sequence[str], of_families: set[str]
) -> Weights:
    """Put the families of arrays into another order; those that are not known are NaN."""
    columns = [known.index(family) if family in known else len(known) for family in families]
    blank = {name: np.full((*weights[name].shape[:-1], 1), np.nan) for name in of_families}
    return {
        name: np.concatenate([value, blank[name]], -1, dtype=np.float32)[..., columns]
        if name in of_families
        else value
        for name, value in weights.items()
    }


def _files() -> list[Traversable]:
    folder = resources.files("gale") / "data" / "pretrained"
    files = (file for file in folder.iterdir() if file.name.endswith(".npz"))
    return sorted(files, key=lambda file: file.name)
