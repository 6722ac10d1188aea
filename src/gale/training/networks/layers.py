"""Layers of E members side by side: all parameters have a leading member axis.

Inputs and outputs have shape (E, R, ·): each member has its own runs, and nothing passes from one
member to another.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn


def count_members(network: nn.Module) -> int:
    """Return the number of members, E, of a network made of these layers."""
    return len(next(network.parameters()))


class Dense(nn.Module):
    """x W + b, with Glorot-uniform weights and biases of zero.

    Parameters
    ----------
    n_in, n_out : int
    generators : sequence of torch.Generator, length E
        Source of each member's initial weights, and their device.
    products : torch.dtype
        Precision of the factors of the matrix product in training. Weights, everything else and
        inference have single precision.
    """

    def __init__(
        self,
        n_in: int,
        n_out: int,
        generators: Sequence[torch.Generator],
        products: torch.dtype = torch.float32,
    ) -> None:
        super().__init__()
        self.n_in, self.n_out, self.products = n_in, n_out, products
        members, device = len(generators), generators[0].device
        self.weight = nn.Parameter(torch.empty(members, n_in, n_out, device=device))
        self.bias = nn.Parameter(torch.zeros(members, n_out, device=device))
        for weight, generator in zip(self.weight, generators, strict=True):
            nn.init.xavier_uniform_(weight, generator=generator)
        self._spaces: dict[tuple[str, torch.dtype], Tensor] = {}

    def forward(self, x: Tensor) -> Tensor:
        """Map x (E, R, n_in) to (E, R, n_out)."""
        bias = self.bias.unsqueeze(1)
        if not self.training:
            return torch.baddbmm(bias, x, self.weight)
        product: Tensor = _Product.apply(x, self.weight, self)  # type: ignore[no-untyped-call]
        return product + bias

    def space(self, name: str, dtype: torch.dtype) -> Tensor:
        """Return memory in the shape of the weights, the same at each step."""
        space = self._spaces.get((name, dtype))
        like = (self.weight.shape, self.weight.device)
        if space is None or (space.shape, space.device) != like:
            space = torch.empty_like(self.weight, dtype=dtype, requires_grad=False)
            self._spaces[name, dtype] = space
        return space


class _Product(torch.autograd.Function):
    """x W in training.

    PyTorch's own product allocates the gradient of W anew at each step, which on a CPU takes half
    as much time again; this one uses the same memory at each step.
    """

    @staticmethod
    def forward(ctx: Any, x: Tensor, weight: nn.Parameter, layer: Dense) -> Tensor:
        factor = weight.detach()
        if layer.products != weight.dtype:
            x = x.to(layer.products)
            factor = layer.space("factor", layer.products).copy_(factor)
        ctx.x, ctx.factor, ctx.weight, ctx.layer = x, factor, weight, layer
        return torch.bmm(x, factor).to(weight.dtype)

    @staticmethod
    def backward(ctx: Any, of_product: Tensor) -> tuple[Tensor | None, None, None]:
        weight, layer = ctx.weight, ctx.layer
        of_product = of_product.to(layer.products)
        if weight.grad is not None:
            weight.grad = weight.grad + torch.bmm(ctx.x.mT, of_product)
        else:
            gradient = layer.space("gradient", layer.products)
            torch.bmm(ctx.x.mT, of_product, out=gradient)
            if layer.products != weight.dtype:
                gradient = layer.space("gradient", weight.dtype).copy_(gradient)
            weight.grad = gradient
        if not ctx.needs_input_grad[0]:
            return None, None, None
        return torch.bmm(of_product, ctx.factor.mT).to(weight.dtype), None, None


class BatchNorm(nn.Module):
    """Batch normalisation as Keras computes it.

    Unlike in `torch.nn.BatchNorm1d`, the running variance averages the variance that normalised the
    batch (divided by n, not n − 1), and a batch may have a single run.

    Parameters
    ----------
    members, n_features : int
        E and D.
    momentum : float
        Share of the old running statistics that a training batch keeps.
    epsilon : float
        Added to the variance.
    """

    running_mean: Tensor
    running_variance: Tensor

    def __init__(
        self, members: int, n_features: int, momentum: float = 0.99, epsilon: float = 1e-3
    ) -> None:
        super().__init__()
        self.momentum = momentum
        self.epsilon = epsilon
        self.weight = nn.Parameter(torch.ones(members, n_features))
        self.bias = nn.Parameter(torch.zeros(members, n_features))
        self.register_buffer("running_mean", torch.zeros(members, n_features))
        self.register_buffer("running_variance", torch.ones(members, n_features))

    def forward(self, x: Tensor) -> Tensor:
        """Normalise x (E, R, D) by the batch in training, by the running statistics otherwise."""
        mean = x.mean(1) if self.training else self.running_mean
        centred = x - mean.unsqueeze(1)
        if self.training:
            variance = centred.square().mean(1)  # many times faster than x.var(1) on a CPU
            with torch.no_grad():
                self.running_mean.lerp_(mean, 1 - self.momentum)
                self.running_variance.lerp_(variance, 1 - self.momentum)
        else:
            variance = self.running_variance
        scale = self.weight * torch.rsqrt(variance + self.epsilon)
        return torch.addcmul(self.bias.unsqueeze(1), centred, scale.unsqueeze(1))


class LayerNorm(nn.Module):
    """Normalise each run over its features, then scale and shift each feature.

    Parameters
    ----------
    members, n_features : int
        E and D.
    epsilon : float
        Added to the variance.
    """

    def __init__(self, members: int, n_features: int, epsilon: float = 1e-3) -> None:
        super().__init__()
        self.epsilon = epsilon
        self.weight = nn.Parameter(torch.ones(members, n_features))
        self.bias = nn.Parameter(torch.zeros(members, n_features))

    def forward(self, x: Tensor) -> Tensor:
        """Normalise x (E, R, D)."""
        normal = F.layer_norm(x, x.shape[-1:], eps=self.epsilon)
        return torch.addcmul(self.bias.unsqueeze(1), normal, self.weight.unsqueeze(1))


class Random(nn.Module):
    """A layer that is random in training.

    Parameters
    ----------
    generators : sequence of torch.Generator, length E
        Source of each member's random numbers.
    """

    def __init__(self, generators: Sequence[torch.Generator]) -> None:
        super().__init__()
        self.generators = list(generators)

    def draw(self, shape: tuple[int, ...], *, normal: bool = False) -> Tensor:
        """Draw uniform or normal numbers (E, *shape), each member's from its own generator."""
        draws = torch.empty(len(self.generators), *shape, device=self.generators[0].device)
        for of_member, generator in zip(draws, self.generators, strict=True):
            if normal:
                of_member.normal_(generator=generator)
            else:
                of_member.uniform_(generator=generator)
        return draws


class Dropout(Random):
    """Set a share of the values to 0 in training, and scale up the others.

    Parameters
    ----------
    share : float
        At least 0 and below 1.
    generators : sequence of torch.Generator, length E
        Source of each member's random numbers.
    """

    def __init__(self, share: float, generators: Sequence[torch.Generator]) -> None:
        super().__init__(generators)
        self.share = share
        self.rows: list[int] | None = None
        """How many of the R rows of each member count; by default all. No numbers are drawn for the
        others, so what a member draws does not depend on the members beside it."""

    def forward(self, x: Tensor) -> Tensor:
        """Set some of x (E, R, D) to 0."""
        if not self.training:
            return x
        return x * ((self._drawn(x) >= self.share).to(x.dtype) / (1 - self.share))

    def _drawn(self, x: Tensor) -> Tensor:
        if self.rows is None:
            return self.draw(x.shape[1:])
        draws = torch.zeros_like(x)
        for of_member, rows, generator in zip(draws, self.rows, self.generators, strict=True):
            of_member[:rows].uniform_(generator=generator)
        return draws


class Standardise(nn.Module):
    """Subtract a fixed mean and divide by a fixed standard deviation, per feature.

    Parameters
    ----------
    mean, deviation : Tensor of shape (E, D)
        A deviation of 0 (a feature that never varies) counts as 1.
    """

    mean: Tensor
    scale: Tensor

    def __init__(self, mean: Tensor, deviation: Tensor) -> None:
        super().__init__()
        self.register_buffer("mean", mean)
        self.register_buffer("scale", torch.where(deviation > 0, 1 / deviation, 1.0))

    def forward(self, x: Tensor) -> Tensor:
        """Scale x (E, R, D)."""
        return (x - self.mean.unsqueeze(1)) * self.scale.unsqueeze(1)


def fixed_biases(network: nn.Module) -> list[str]:
    """Return the names of the fixed biases in the state of a network."""
    modules = network.named_modules()
    return [f"{name}.bias" for name, module in modules if isinstance(module, FixedBias)]


class FixedBias(nn.Module):
    """Add a bias that is not trained.

    Parameters
    ----------
    bias : Tensor of shape (E, K)
    """

    bias: Tensor

    def __init__(self, bias: Tensor) -> None:
        super().__init__()
        self.register_buffer("bias", bias)

    def forward(self, x: Tensor) -> Tensor:
        """Add the bias to x (E, R, K)."""
        return x + self.bias.unsqueeze(1)
