"""The network on summary features: dense layers, each normalised by batch and by layer."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from gale.training.networks.layers import (
    BatchNorm,
    Dense,
    Dropout,
    FixedBias,
    LayerNorm,
    Standardise,
)


def prior_logit(labels: NDArray[np.float32]) -> Tensor:
    """Return the log odds of each family's prevalence among known labels, shape (K,).

    A family that all runs hold counts as missing from half a run, one that none holds as present in
    half a run.

    Parameters
    ----------
    labels : array of shape (R, K)
        NaN where unknown.
    """
    known = np.maximum(np.sum(np.isfinite(labels), axis=0), 1)
    positive = np.nansum(labels, axis=0)
    prevalence = np.clip(positive, 0.5, known - 0.5) / known
    return torch.tensor(np.log(prevalence / (1 - prevalence)), dtype=torch.float32)


def summary_network(
    n_features: int,
    n_families: int,
    generators: Sequence[torch.Generator],
    *,
    hidden: Sequence[int] = (1024, 512),
    batch_norm: bool = True,
    layer_norm: bool = True,
    dropout: float = 0.0,
    prior: Tensor | None = None,
    scale: tuple[Tensor, Tensor] | None = None,
    products: torch.dtype = torch.float32,
    augment: nn.Module | None = None,
) -> nn.Sequential:
    """Build the networks of E members as one module: features (E, R, D) to logits (E, R, K).

    Every hidden layer is Dense → BatchNorm → LayerNorm → ReLU → Dropout. Dense weights are
    Glorot-uniform, their biases zero.

    Parameters
    ----------
    n_features, n_families : int
        D and K.
    generators : sequence of torch.Generator, length E
        Source of each member's initial weights and dropout.
    hidden : sequence of int
        Widths of the hidden layers.
    batch_norm, layer_norm : bool
        Whether each hidden layer is normalised.
    dropout : float
        Share of each hidden layer's outputs that a training step leaves out.
    prior : Tensor of shape (E, K), optional
        A fixed bias on the logits, see :func:`prior_logit`.
    scale : pair of Tensors of shape (E, D), optional
        Mean and standard deviation that standardise the features first.
    products : torch.dtype
        Precision of the factors of the matrix products in training.
    augment : nn.Module, optional
        The first layer, which varies the features in training.
    """
    members = len(generators)
    layers: list[nn.Module] = [] if augment is None else [augment]
    if scale is not None:
        layers.append(Standardise(*scale))
    width = n_features
    for next_width in hidden:
        layers.append(Dense(width, next_width, generators, products))
        if batch_norm:
            layers.append(BatchNorm(members, next_width))
        if layer_norm:
            layers.append(LayerNorm(members, next_width))
        layers.append(nn.ReLU())
        if dropout:
            layers.append(Dropout(dropout, generators))
        width = next_width
    layers.append(Dense(width, n_families, generators, products))
    if prior is not None:
        layers.append(FixedBias(prior))
    return nn.Sequential(*layers)
