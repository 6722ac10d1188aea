"""The network of a part of a recipe, and the features that it sees."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from gale.features.apexes import ApexSpec
from gale.features.events import EventSpec
from gale.features.joined import JoinedSpec
from gale.features.profile import SCALE, ProfileSpec
from gale.features.spec import FeatureSpec
from gale.matching.references import reference_spectra
from gale.training.mixtures import Mixture, add_profiles, add_spectra
from gale.training.networks.augment import AugmentProfile
from gale.training.networks.elution import ElutionNetwork
from gale.training.networks.layers import Dense
from gale.training.networks.matching import MatchingNetwork
from gale.training.networks.summary import summary_network
from gale.training.recipe import Part, Recipe
from gale.training.scaling import floored

Scale = tuple[Tensor, Tensor]
"""Mean and standard deviation of each feature, both (D,)."""

SCALED_VALUES = 2**23
"""Values whose scale is computed at once: 32 MB."""


def seen_by(part: Part, recipe: Recipe, spec: FeatureSpec) -> tuple[FeatureSpec, slice]:
    """Return the spec of the features of a part of a recipe, and their columns among all features.

    Parameters
    ----------
    part : Part
    recipe : Recipe
    spec : FeatureSpec
        All features of the recipe; joined ones have a spec for each of `Recipe.all_features`.
    """
    if not isinstance(spec, JoinedSpec):
        return spec, slice(0, spec.n_features)
    at = recipe.all_features.index(recipe.features_of(part))
    return spec.specs[at], spec.columns[at]


def columns_of(part: Part, spec: FeatureSpec) -> slice:
    """Return the columns of its features that the members of a part see.

    With event features, elution networks see the spectra and all others the profile. With other
    features, every member sees all of them.
    """
    if not isinstance(spec, EventSpec):
        return slice(0, spec.n_features)
    edge = spec.profile.n_features
    return slice(edge, spec.n_features) if part.sees_events else slice(0, edge)


def place_of(part: Part, recipe: Recipe, spec: FeatureSpec) -> slice:
    """Return the columns of what the members of a part see, among all features of the recipe."""
    own, within = seen_by(part, recipe, spec)
    seen = columns_of(part, own)
    return slice(within.start + seen.start, within.start + seen.stop)


def blocks_of(part: Part, spec: FeatureSpec) -> tuple[slice, ...]:
    """Return the blocks of the features that the members of a part see; spectra have none."""
    return () if columns_of(part, spec).start else tuple(spec.blocks.values())


def scale_of(
    part: Part,
    spec: FeatureSpec,
    features: NDArray[np.float32],
    rows: NDArray[np.int64] | None = None,
) -> Scale | None:
    """Return the scale of the features that a part sees; None if they are not scaled.

    Parameters
    ----------
    part : Part
    spec : FeatureSpec
    features : array of shape (R, D')
        Those that the part sees.
    rows : array of int, optional
        The training runs; by default all.
    """
    standardise = part.network.standardise
    if standardise == "none" or part.kind != "network":
        return None
    mean, deviation = (torch.empty(features.shape[1]) for _ in range(2))
    rows = np.arange(len(features)) if rows is None else rows
    # some features at a time: no second copy of all is in memory
    size = max(SCALED_VALUES // len(rows), 1)
    for start in range(0, features.shape[1], size):
        columns = slice(start, start + size)
        values = torch.from_numpy(features[rows, columns])
        mean[columns] = values.mean(0)
        if standardise == "full":
            deviation[columns] = values.std(0, correction=0)
    if standardise == "centre":
        return mean, torch.ones_like(mean)
    return mean, torch.from_numpy(floored(deviation.numpy(), blocks_of(part, spec)))


def build_network(
    part: Part,
    spec: FeatureSpec,
    generators: Sequence[torch.Generator],
    *,
    priors: Sequence[Tensor],
    scales: Sequence[Scale | None],
    families: tuple[str, ...] = (),
) -> nn.Module:
    """Build the networks of E members of a part as one module.

    Parameters
    ----------
    part : Part
    spec : FeatureSpec
    generators : sequence of torch.Generator, length E
    priors : sequence of Tensors of shape (K,), length E
        Log odds of the families in the training runs of each member.
    scales : sequence of Scale or None, length E
        From :func:`scale_of`, for the training runs of each member.
    families : tuple of str, length K
        A matching network finds references of them.
    """
    columns, n_families = columns_of(part, spec), len(priors[0])
    if part.kind == "logistic":
        return Dense(columns.stop - columns.start, n_families, generators)
    if part.kind == "matching":
        assert isinstance(spec, EventSpec)
        first_mz = spec.profile.elution.mz_first
        references = reference_spectra(families, first_mz, spec.shape[1])
        return MatchingNetwork(spec.shape, first_mz, references, generators)
    settings = part.network
    prior = torch.stack(list(priors)) if settings.prior_bias else None
    products = getattr(torch, part.fitting.products)
    if settings.kind == "elution":
        assert isinstance(spec, EventSpec)
        return ElutionNetwork(
            spec.shape,
            n_families,
            generators,
            hidden=settings.hidden,
            dropout=settings.dropout,
            prior=prior,
            batch_norm=settings.batch_norm,
            layer_norm=settings.layer_norm,
            abundance=part.augment.abundance,
            mz_cut=part.augment.mz_cut,
            apexes=isinstance(spec, ApexSpec),
            products=products,
        )
    known = [scale for scale in scales if scale is not None]
    means, deviations = zip(*known, strict=True) if known else ((), ())
    return summary_network(
        columns.stop - columns.start,
        n_families,
        generators,
        hidden=settings.hidden,
        batch_norm=settings.batch_norm,
        layer_norm=settings.layer_norm,
        prior=prior,
        dropout=settings.dropout,
        scale=(torch.stack(means), torch.stack(deviations)) if known else None,
        products=products,
        augment=_augment(part, spec, generators),
    )


def _augment(
    part: Part, spec: FeatureSpec, generators: Sequence[torch.Generator]
) -> AugmentProfile | None:
    """Return the layer that varies the profiles of runs, if the part asks for it."""
    abundance, mz_cut = part.augment.abundance, part.augment.mz_cut
    profile = spec.profile if isinstance(spec, EventSpec) else spec
    if not (abundance or mz_cut) or not isinstance(profile, ProfileSpec):
        return None
    n_mz, scale = profile.elution.n_mz, SCALE["height"]
    return AugmentProfile(n_mz, scale, abundance, mz_cut, generators)


def mixture_of(part: Part, spec: FeatureSpec) -> Mixture | None:
    """Return what makes the mixtures of a part, if it has any."""
    share = part.augment.mixture
    if not share or part.kind != "network":
        return None
    if part.network.kind == "elution":
        assert isinstance(spec, EventSpec)
        return Mixture(share, partial(add_spectra, shape=spec.shape))
    return Mixture(share, add_profiles)
