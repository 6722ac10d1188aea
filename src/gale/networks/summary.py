"""The network on summary features: dense layers, each normalised by batch and by layer."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from gale.networks.layers import BatchNorm, FixedBias, Standardise

LAYER_NORM_EPSILON = 1e-3


def prior_logit(labels: NDArray[np.float32]) -> Tensor:
    """Log odds of each family's prevalence among known labels, shape (K,).

    A family that all or none of the runs hold is taken to miss, or to have, half a run.

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
    *,
    hidden: Sequence[int] = (1024, 512),
    batch_norm: bool = True,
    layer_norm: bool = True,
    prior: Tensor | None = None,
    scale: tuple[Tensor, Tensor] | None = None,
    generator: torch.Generator | None = None,
) -> nn.Sequential:
    """Build the network: features (R, D) to logits (R, K).

    Every hidden layer is Dense → BatchNorm → LayerNorm → ReLU. Dense weights are Glorot-uniform,
    their biases zero.

    Parameters
    ----------
    n_features, n_families : int
        D and K.
    hidden : sequence of int
        Widths of the hidden layers.
    batch_norm, layer_norm : bool
        Whether the normalisations are there.
    prior : Tensor of shape (K,), optional
        A fixed bias on the logits, see :func:`prior_logit`.
    scale : pair of Tensors of shape (D,), optional
        Mean and standard deviation by which the features are standardised first.
    generator : torch.Generator, optional
        Where the initial weights are drawn from.
    """
    layers: list[nn.Module] = [] if scale is None else [Standardise(*scale)]
    width = n_features
    for next_width in hidden:
        layers.append(_dense(width, next_width, generator))
        if batch_norm:
            layers.append(BatchNorm(next_width))
        if layer_norm:
            layers.append(nn.LayerNorm(next_width, eps=LAYER_NORM_EPSILON))
        layers.append(nn.ReLU())
        width = next_width
    layers.append(_dense(width, n_families, generator))
    if prior is not None:
        layers.append(FixedBias(prior))
    return nn.Sequential(*layers)


def _dense(n_in: int, n_out: int, generator: torch.Generator | None) -> nn.Linear:
    # Initialised here alone, so that torch's global generator is left as it was.
    layer: nn.Linear = nn.utils.skip_init(nn.Linear, n_in, n_out)  # type: ignore[no-untyped-call]
    nn.init.xavier_uniform_(layer.weight, generator=generator)
    nn.init.zeros_(layer.bias)
    return layer
