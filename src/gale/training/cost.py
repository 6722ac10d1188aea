"""What a recipe would take, told before the work begins."""

from __future__ import annotations

from itertools import pairwise

from gale.errors import TrainingError
from gale.features.events import EventSpec
from gale.features.spec import FeatureSpec
from gale.plumbing.progress import Progress
from gale.training.networks.build import columns_of, seen_by
from gale.training.recipe import Part, Recipe

MOST_BYTES_OF_FEATURES = 64 * 2**30
"""All runs' features are in memory at the same time."""

MOST_BYTES_OF_MODEL = 2**31
"""Limit of a protocol buffer, and so of an ONNX file."""

NOTED_BYTES = 200 * 2**20
"""A model file as large as that is announced."""

PRODUCTS_OF_A_RUN = 400_000
"""What is done once for each run weighs as much: an epoch of an elution network of `default` takes
35 times as long as one of a network on the profile, and has 93 times as many products."""

BYTES = 4
"""Of a feature, or a weight."""


def check_features(spec: FeatureSpec, n_runs: int) -> None:
    """Refuse features that no memory holds.

    Raises
    ------
    TrainingError
        If those of `n_runs` runs take more than 64 GiB.
    """
    if (size := n_runs * spec.n_features * BYTES) > MOST_BYTES_OF_FEATURES:
        raise TrainingError(
            "features",
            f"are {spec.n_features:,} for a run, {size / 2**30:,.0f} GiB for {n_runs:,} runs",
            f"at most {MOST_BYTES_OF_FEATURES // 2**30} GiB",
            "choose fewer time bins, m/z or events in the recipe",
        )


def check_model(
    recipe: Recipe, spec: FeatureSpec, n_families: int, n_folds: int, progress: Progress
) -> None:
    """Refuse a model that no file holds, and announce a large one.

    Raises
    ------
    TrainingError
        If its weights take more than 2 GiB.
    """
    weights = [
        _weights(part, seen_by(part, recipe, spec)[0], n_families) for part in recipe.members_of
    ]
    size = BYTES * n_folds * sum(weights)
    if size > MOST_BYTES_OF_MODEL:
        raise TrainingError(
            "network.hidden",
            f"makes a model of {size / 2**30:,.1f} GiB",
            f"at most {MOST_BYTES_OF_MODEL // 2**30} GiB, which an ONNX file can hold",
            "choose narrower layers, fewer folds or a soup in the recipe",
        )
    if size > NOTED_BYTES:
        progress.note(f"the model will take {size / 1e6:,.0f} MB")


def epoch_cost(part: Part, spec: FeatureSpec, n_families: int) -> float:
    """Estimate what an epoch of a member costs for each run, in products of two numbers."""
    passes, _ = _passes_and_width(part, spec)
    return PRODUCTS_OF_A_RUN + passes * _weights_of_member(part, spec, n_families)


def _weights(part: Part, spec: FeatureSpec, n_families: int) -> int:
    """Count the weights of the dense layers of the members of one fold."""
    members = part.soup.size if part.kind == "network" and part.soup.kind == "none" else 1
    return members * _weights_of_member(part, spec, n_families)


def _weights_of_member(part: Part, spec: FeatureSpec, n_families: int) -> int:
    _, width = _passes_and_width(part, spec)
    hidden = part.network.hidden if part.kind == "network" else ()
    return sum(a * b for a, b in pairwise((width, *hidden, n_families)))


def _passes_and_width(part: Part, spec: FeatureSpec) -> tuple[int, int]:
    """How often the layers are applied to a run, and to how many numbers."""
    if part.kind == "network" and part.network.kind == "elution" and isinstance(spec, EventSpec):
        n_spectra, n_mz = spec.shape
        return n_spectra, 2 * n_mz
    columns = columns_of(part, spec)
    return 1, columns.stop - columns.start
