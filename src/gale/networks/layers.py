"""Layers that the published system has and PyTorch has not in the same form."""

from __future__ import annotations

import torch
from torch import Tensor, nn


class BatchNorm(nn.Module):
    """Batch normalisation as Keras computes it for (R, D) inputs.

    Unlike `torch.nn.BatchNorm1d`, the running variance averages the variance that normalised the
    batch (divided by n, not n − 1), and a batch of one run is legitimate.

    Parameters
    ----------
    n_features : int
        D.
    momentum : float
        Share of the old running statistics that a training batch keeps.
    epsilon : float
        Added to the variance.
    """

    running_mean: Tensor
    running_variance: Tensor

    def __init__(self, n_features: int, momentum: float = 0.99, epsilon: float = 1e-3) -> None:
        super().__init__()
        self.momentum = momentum
        self.epsilon = epsilon
        self.weight = nn.Parameter(torch.ones(n_features))
        self.bias = nn.Parameter(torch.zeros(n_features))
        self.register_buffer("running_mean", torch.zeros(n_features))
        self.register_buffer("running_variance", torch.ones(n_features))

    def forward(self, x: Tensor) -> Tensor:
        """Normalise x (R, D) by the batch in training, by the running statistics otherwise."""
        if self.training:
            mean, variance = x.mean(0), x.var(0, correction=0)
            with torch.no_grad():
                self.running_mean.lerp_(mean, 1 - self.momentum)
                self.running_variance.lerp_(variance, 1 - self.momentum)
        else:
            mean, variance = self.running_mean, self.running_variance
        return (x - mean) * torch.rsqrt(variance + self.epsilon) * self.weight + self.bias


class Standardise(nn.Module):
    """Subtract a fixed mean and divide by a fixed standard deviation, per feature.

    Parameters
    ----------
    mean, deviation : Tensor of shape (D,)
        A deviation of 0 (a feature that never varies) divides by 1.
    """

    mean: Tensor
    scale: Tensor

    def __init__(self, mean: Tensor, deviation: Tensor) -> None:
        super().__init__()
        self.register_buffer("mean", mean)
        self.register_buffer("scale", torch.where(deviation > 0, 1 / deviation, 1.0))

    def forward(self, x: Tensor) -> Tensor:
        """Scale x (R, D)."""
        return (x - self.mean) * self.scale


class FixedBias(nn.Module):
    """Add a bias that is not trained.

    Parameters
    ----------
    bias : Tensor of shape (K,)
    """

    bias: Tensor

    def __init__(self, bias: Tensor) -> None:
        super().__init__()
        self.register_buffer("bias", bias)

    def forward(self, x: Tensor) -> Tensor:
        """Add the bias to x (R, K)."""
        return x + self.bias
