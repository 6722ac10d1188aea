"""Pre-trained weights that come with gale, in half precision.

They were made by ``tools/pretrain.py`` from simulated runs of more compounds than those of the
embedded library: a network may be shipped where the spectra that it learned from may not. Each file
has the weights of one part, and says which choices, compounds and libraries made them.
"""

from __future__ import annotations

import io
import json
from collections.abc import Iterator, Mapping, Sequence
from importlib import resources
from typing import Any

import numpy as np
import torch

from gale.errors import TrainingError
from gale.features.events import EventSpec
from gale.features.spec import FeatureSpec
from gale.plumbing.arrays import Arrays, load_arrays
from gale.plumbing.progress import Progress
from gale.plumbing.schema import read_json
from gale.plumbing.text import listed
from gale.training.fitting import Weights
from gale.training.networks.build import build_network, columns_of, scale_of
from gale.training.networks.layers import Dense, fixed_biases
from gale.training.recipe import Part, Recipe
from gale.training.runs import fixed_spec
from gale.training.settings import EventSettings

FACTS = "facts"
"""Name of the array that holds the facts of a file, as JSON."""


def choices_of(part: Part, spec: FeatureSpec) -> dict[str, Any]:
    """Return what the weights of a part depend on besides simulated runs, as plain values."""
    if part.kind == "matching":
        return {"kind": part.kind, "features": spec.to_dict()}
    chosen = part.model_dump(mode="json", include={"network", "loss", "pretrain", "augment"})
    chosen["augment"].pop("mixture")  # pre-training has none
    seen = spec.profile if isinstance(spec, EventSpec) and not part.sees_events else spec
    return {**chosen, "features": seen.to_dict()}


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
    arrays, facts = _found(part, spec)
    weights = {name: array.astype(np.float32) for name, array in arrays.items()}
    return _for_families(weights, facts["families"], families, _of_families(part, spec))


def shipped_families() -> tuple[str, ...]:
    """Return the families that the weights that come with gale know."""
    _, facts = next(_read())
    return tuple(facts["families"])


def without_strangers(recipe: Recipe, families: Sequence[str], progress: Progress) -> Recipe:
    """Leave matching parts out if they know none of the families, which is noted.

    Raises
    ------
    TrainingError
        If no such network comes with gale for the features of a part, or there are no other parts
        for families that it does not know.
    """
    matching = [part for part in recipe.parts if part.kind == "matching"]
    for part in matching:
        features = recipe.features_of(part)
        assert isinstance(features, EventSettings)
        _found(part, fixed_spec(features))
    if not matching or set(families) <= (known := set(shipped_families())):
        return recipe
    parts = tuple(part for part in recipe.parts if part.kind != "matching")
    if not parts:
        strangers = [family for family in families if family not in known]
        raise TrainingError(
            f"recipe {recipe.name}",
            f"has only matching parts, which do not know {listed(strangers, 3)}",
            f"families among {', '.join(sorted(known))}",
            "add a part that is fitted",
        )
    if known & set(families):
        return recipe
    progress.note("the matching network knows none of these families, so the model has none")
    return recipe.model_copy(update={"parts": parts})


def shipped_source(parts: Sequence[tuple[Part, FeatureSpec]]) -> dict[str, Any]:
    """Return the simulated runs and libraries of the weights of parts, which see these features."""
    facts = [_found(part, spec)[1] for part, spec in parts]
    libraries = dict.fromkeys(name for each in facts for name in each["libraries"])
    runs = max(each["simulated"]["runs"] for each in facts)
    return {"runs": runs, "libraries": ["gale", *libraries]}


def _found(part: Part, spec: FeatureSpec) -> tuple[Arrays, dict[str, Any]]:
    """Return the arrays and facts of the file for a part."""
    wanted = choices_of(part, spec)
    for arrays, facts in _read():
        if facts["choices"] == wanted:
            return arrays, facts
    if part.kind == "matching":
        raise TrainingError(
            f"part {part.name}",
            "is of kind 'matching', but no such network comes with gale for the features it sees",
            "the features of the recipe default",
            "set only kind = 'apexes' in the features of the part, or of the recipe",
        )
    raise TrainingError(
        f"pretraining.shipped, part {part.name}",
        "is set, but no weights come with gale for the network, the features, the loss, the "
        "augmentation and the pre-training of this part",
        "those of the recipe default",
        "set pretraining.shipped = false in the recipe",
    )


def _of_families(part: Part, spec: FeatureSpec) -> set[str]:
    """Name the arrays whose last axis is that of the families."""
    if part.kind == "matching":
        return {"head.offset"}
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


def _read() -> Iterator[tuple[Arrays, dict[str, Any]]]:
    """Read the files one by one: arrays, and facts."""
    folder = resources.files("gale") / "data" / "pretrained"
    files = (file for file in folder.iterdir() if file.name.endswith(".npz"))
    for file in sorted(files, key=lambda file: file.name):
        arrays = load_arrays(file.read_bytes())
        assert arrays is not None
        yield arrays, read_json(arrays.pop(FACTS).tobytes())
